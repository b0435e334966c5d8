/* The mesh reader on arbitrary bytes: the entry for libFuzzer. Whatever is accepted must be a valid mesh, which
 * checking and measuring then walk through. Run by scripts/fuzz.sh; replayed on tests/fuzz/corpus by the tests. */
#include "mesh/mesh_build.h"
#include "mesh/msh_read.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/// Stop, as the sanitizers would, if the condition does not hold.
static void require(bool condition) {
  if (!condition) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  IrzMesh *mesh;
  IrzError error = {0};
  IrzCode code = irz_msh_parse((const char *)data, size, "fuzz.msh", 0, &mesh, &error);
  require((code == IRZ_OK) == (mesh != NULL));
  if (code != IRZ_OK) {
    require(code == IRZ_ERR_INPUT && error.text[0] != '\0' && strchr(error.text, '\n') == NULL);
    return 0;
  }
  require(mesh->n_tets > 0 && mesh->n_regions > 0);
  for (int32_t i = 0; i < 4 * mesh->n_tets; i++) require(mesh->tet[i] >= 0 && mesh->tet[i] < mesh->n_vertices);
  for (int32_t i = 0; i < mesh->n_tets; i++) require(mesh->region[i] >= 0 && mesh->region[i] < mesh->n_regions);
  for (int32_t i = 0; i < 3 * mesh->n_triangles; i++) {
    require(mesh->triangle[i] >= 0 && mesh->triangle[i] < mesh->n_vertices);
  }
  for (int32_t i = 0; i < mesh->n_triangles; i++) require(mesh->surface[i] >= 0 && mesh->surface[i] < mesh->n_surfaces);
  for (int32_t i = 0; i < mesh->n_curved; i++) {
    const int32_t *edge = mesh->curved_edge + 2 * (size_t)i;
    require(irz_mesh_curved_edge(mesh, edge[0], edge[1]) == i);
  }
  IrzMeshStats stats;
  irz_mesh_stats(mesh, &stats);
  require(stats.volume > 0 && stats.n_parts > 0);
  (void)irz_mesh_check(mesh, NULL, "fuzz.msh", &error);
  irz_mesh_free(mesh);
  return 0;
}
