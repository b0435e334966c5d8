/* The mesh reader. Whatever is accepted must be a valid mesh, which checking and measuring then walk through. */
#include "fuzz.h"
#include "mesh/mesh_build.h"
#include "mesh/msh_read.h"

void fuzz_one(const uint8_t *data, size_t size) {
  IrzMesh *mesh;
  IrzError error = {0};
  IrzCode code = irz_msh_parse((const char *)data, size, "fuzz.msh", 0, &mesh, &error);
  fuzz_require((code == IRZ_OK) == (mesh != NULL));
  if (code != IRZ_OK) {
    fuzz_require_error(code, &error);
    return;
  }
  fuzz_require(mesh->n_tets > 0 && mesh->n_regions > 0);
  for (int32_t i = 0; i < 4 * mesh->n_tets; i++) fuzz_require(mesh->tet[i] >= 0 && mesh->tet[i] < mesh->n_vertices);
  for (int32_t i = 0; i < mesh->n_tets; i++) fuzz_require(mesh->region[i] >= 0 && mesh->region[i] < mesh->n_regions);
  for (int32_t i = 0; i < 3 * mesh->n_triangles; i++) {
    fuzz_require(mesh->triangle[i] >= 0 && mesh->triangle[i] < mesh->n_vertices);
  }
  for (int32_t i = 0; i < mesh->n_triangles; i++)
    fuzz_require(mesh->surface[i] >= 0 && mesh->surface[i] < mesh->n_surfaces);
  for (int32_t i = 0; i < mesh->n_curved; i++) {
    const int32_t *edge = mesh->curved_edge + 2 * (size_t)i;
    fuzz_require(irz_mesh_curved_edge(mesh, edge[0], edge[1]) == i);
  }
  IrzMeshStats stats;
  irz_mesh_stats(mesh, &stats);
  fuzz_require(stats.volume > 0 && stats.n_parts > 0);
  (void)irz_mesh_check(mesh, NULL, "fuzz.msh", &error);
  irz_mesh_free(mesh);
}
