/* Write a mesh as Gmsh MSH 4.1, binary. A mesh with curved edges is written with ten-node tetrahedra throughout. */
#include "base/entry.h"
#include "base/memory.h"
#include "base/replace.h"
#include "mesh/mesh_build.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/// Millimetres per metre: the file is in mm.
#define TO_FILE 1e3

/// The edges of a mesh, numbered.
typedef struct {
  int64_t *start; ///< [n_vertices + 1] edges whose smaller vertex is i: start[i] to start[i + 1]
  int32_t *high;  ///< larger vertex of each edge, ascending for one smaller vertex
} Edges;

static int compare_int(const void *left, const void *right) {
  int32_t a = *(const int32_t *)left, b = *(const int32_t *)right;
  return (a > b) - (a < b);
}

/// Number the edges of a mesh.
static IrzCode number_edges(const IrzMesh *mesh, Edges *edges, IrzError *error) {
  IRZ_TRY(irz_alloc(&edges->start, (size_t)mesh->n_vertices + 2, sizeof *edges->start, error));
  IRZ_TRY(irz_alloc(&edges->high, 6 * (size_t)mesh->n_tets, sizeof *edges->high, error));
  int64_t *start = edges->start;
  for (int pass = 0; pass < 2; pass++) { /* count, then file */
    for (int32_t t = 0; t < mesh->n_tets; t++) {
      for (int e = 0; e < 6; e++) {
        int32_t a = mesh->tet[4 * (size_t)t + (size_t)irz_tet_edge[e][0]];
        int32_t b = mesh->tet[4 * (size_t)t + (size_t)irz_tet_edge[e][1]];
        int32_t low = a < b ? a : b;
        if (pass == 0) {
          start[low + 2]++;
        } else {
          edges->high[start[low + 1]++] = a < b ? b : a;
        }
      }
    }
    for (int32_t i = 0; pass == 0 && i < mesh->n_vertices; i++) start[i + 2] += start[i + 1];
  }
  int64_t kept = 0;
  for (int32_t i = 0; i < mesh->n_vertices; i++) { /* sort and keep each edge once */
    int64_t first = start[i], last = start[i + 1];
    qsort(edges->high + first, (size_t)(last - first), sizeof *edges->high, compare_int);
    start[i] = kept;
    for (int64_t k = first; k < last; k++) {
      if (kept == start[i] || edges->high[kept - 1] != edges->high[k]) edges->high[kept++] = edges->high[k];
    }
  }
  start[mesh->n_vertices] = kept;
  return IRZ_OK;
}

/// Number of an edge that exists.
static int64_t find_edge(const Edges *edges, int32_t a, int32_t b) {
  int32_t low = a < b ? a : b, high = a < b ? b : a;
  int64_t first = edges->start[low], last = edges->start[low + 1];
  while (last - first > 1) {
    int64_t middle = first + (last - first) / 2;
    if (edges->high[middle] <= high) {
      first = middle;
    } else {
      last = middle;
    }
  }
  return first;
}

/// Write binary values; the file remembers a failure until the end.
static void put(FILE *file, const void *values, size_t size, size_t count) {
  fwrite(values, size, count, file);
}

static void put_int(FILE *file, int32_t value) {
  put(file, &value, sizeof value, 1);
}

static void put_size(FILE *file, uint64_t value) {
  put(file, &value, sizeof value, 1);
}

/// Count the members of each group and list them group by group.
static IrzCode list_members(int32_t n, const int32_t *member, int n_groups, int64_t **start, int32_t **list,
                            IrzError *error) {
  IRZ_TRY(irz_alloc(start, (size_t)n_groups + 2, sizeof **start, error));
  IRZ_TRY(irz_alloc(list, (size_t)n, sizeof **list, error));
  for (int32_t i = 0; i < n; i++) (*start)[member[i] + 2]++;
  for (int g = 0; g < n_groups; g++) (*start)[g + 2] += (*start)[g + 1];
  for (int32_t i = 0; i < n; i++) (*list)[(*start)[member[i] + 1]++] = i;
  return IRZ_OK;
}

/// Write one entity for each group: its box and its physical tag.
static void put_entities(FILE *file, const IrzMesh *mesh, int n_groups, const IrzGroup *groups, const int64_t *start,
                         const int32_t *list, const int32_t *corners, int per_element) {
  for (int g = 0; g < n_groups; g++) {
    double box[6] = {INFINITY, INFINITY, INFINITY, -INFINITY, -INFINITY, -INFINITY};
    for (int64_t i = start[g]; i < start[g + 1]; i++) {
      for (int c = 0; c < per_element; c++) {
        const double *xyz = mesh->xyz + 3 * (size_t)corners[(size_t)per_element * (size_t)list[i] + (size_t)c];
        for (int k = 0; k < 3; k++) {
          box[k] = fmin(box[k], TO_FILE * xyz[k]);
          box[k + 3] = fmax(box[k + 3], TO_FILE * xyz[k]);
        }
      }
    }
    put_int(file, g + 1);
    put(file, box, sizeof *box, 6);
    put_size(file, groups[g].tag != 0);
    if (groups[g].tag != 0) put_int(file, groups[g].tag);
    put_size(file, 0);
  }
}

/// Write all nodes as one block on the first volume: vertices, then the middles of all edges if any is curved.
static void put_nodes(FILE *file, const IrzMesh *mesh, const Edges *edges, int64_t n_edges) {
  uint64_t count = (uint64_t)mesh->n_vertices + (uint64_t)n_edges;
  fprintf(file, "$Nodes\n");
  const uint64_t header[4] = {1, count, 1, count};
  put(file, header, sizeof *header, 4);
  put_int(file, 3);
  put_int(file, 1);
  put_int(file, 0);
  put_size(file, count);
  for (uint64_t i = 1; i <= count; i++) put_size(file, i);
  for (int32_t i = 0; i < mesh->n_vertices; i++) {
    double xyz[3];
    for (int k = 0; k < 3; k++) xyz[k] = TO_FILE * mesh->xyz[3 * (size_t)i + (size_t)k];
    put(file, xyz, sizeof *xyz, 3);
  }
  for (int32_t low = 0; low < mesh->n_vertices && n_edges > 0; low++) {
    for (int64_t e = edges->start[low]; e < edges->start[low + 1]; e++) {
      int32_t curved = irz_mesh_curved_edge(mesh, low, edges->high[e]);
      double xyz[3];
      for (int k = 0; k < 3; k++) {
        double value =
            curved >= 0
                ? mesh->curved_xyz[3 * (size_t)curved + (size_t)k]
                : 0.5 * (mesh->xyz[3 * (size_t)low + (size_t)k] + mesh->xyz[3 * (size_t)edges->high[e] + (size_t)k]);
        xyz[k] = TO_FILE * value;
      }
      put(file, xyz, sizeof *xyz, 3);
    }
  }
  fprintf(file, "\n$EndNodes\n");
}

/// Write the elements of one dimension, a block for each group.
static void put_elements(FILE *file, const IrzMesh *mesh, const Edges *edges, bool curved, int dimension, int n_groups,
                         const int64_t *start, const int32_t *list, uint64_t *tag) {
  static const int triangle_edge[3][2] = {{0, 1}, {1, 2}, {2, 0}};
  const int corners = dimension + 1, n_edges = !curved ? 0 : dimension == 3 ? 6 : 3;
  const int32_t *element = dimension == 3 ? mesh->tet : mesh->triangle;
  const int(*edge)[2] = dimension == 3 ? irz_tet_edge : triangle_edge;
  for (int g = 0; g < n_groups; g++) {
    put_int(file, dimension);
    put_int(file, g + 1);
    put_int(file, dimension == 3 ? (curved ? 11 : 4) : (curved ? 9 : 2));
    put_size(file, (uint64_t)(start[g + 1] - start[g]));
    for (int64_t i = start[g]; i < start[g + 1]; i++) {
      const int32_t *vertex = element + (size_t)corners * (size_t)list[i];
      uint64_t record[11] = {(*tag)++};
      for (int c = 0; c < corners; c++) record[1 + c] = (uint64_t)vertex[c] + 1;
      for (int e = 0; e < n_edges; e++) {
        int64_t middle = find_edge(edges, vertex[edge[e][0]], vertex[edge[e][1]]);
        record[1 + corners + e] = (uint64_t)mesh->n_vertices + (uint64_t)middle + 1;
      }
      put(file, record, sizeof *record, 1 + (size_t)corners + (size_t)n_edges);
    }
  }
}

/// Write the whole file.
static IrzCode put_mesh(FILE *file, const IrzMesh *mesh, IrzError *error) {
  Edges edges = {0};
  int64_t *tet_start = NULL, *triangle_start = NULL;
  int32_t *tet_list = NULL, *triangle_list = NULL;
  const bool curved = mesh->n_curved > 0;
  IrzCode code = list_members(mesh->n_tets, mesh->region, mesh->n_regions, &tet_start, &tet_list, error);
  if (code == IRZ_OK) {
    code = list_members(mesh->n_triangles, mesh->surface, mesh->n_surfaces, &triangle_start, &triangle_list, error);
  }
  if (code == IRZ_OK && curved) code = number_edges(mesh, &edges, error);
  if (code != IRZ_OK) goto done;

  fprintf(file, "$MeshFormat\n4.1 1 8\n");
  put_int(file, 1);
  fprintf(file, "\n$EndMeshFormat\n");
  int n_names = 0;
  for (int g = 0; g < mesh->n_surfaces; g++) n_names += mesh->surfaces[g].tag != 0;
  for (int g = 0; g < mesh->n_regions; g++) n_names += mesh->regions[g].tag != 0;
  fprintf(file, "$PhysicalNames\n%d\n", n_names);
  for (int g = 0; g < mesh->n_surfaces; g++) {
    if (mesh->surfaces[g].tag != 0) fprintf(file, "2 %d \"%s\"\n", mesh->surfaces[g].tag, mesh->surfaces[g].name);
  }
  for (int g = 0; g < mesh->n_regions; g++) {
    if (mesh->regions[g].tag != 0) fprintf(file, "3 %d \"%s\"\n", mesh->regions[g].tag, mesh->regions[g].name);
  }
  fprintf(file, "$EndPhysicalNames\n$Entities\n");
  const uint64_t entities[4] = {0, 0, (uint64_t)mesh->n_surfaces, (uint64_t)mesh->n_regions};
  put(file, entities, sizeof *entities, 4);
  put_entities(file, mesh, mesh->n_surfaces, mesh->surfaces, triangle_start, triangle_list, mesh->triangle, 3);
  put_entities(file, mesh, mesh->n_regions, mesh->regions, tet_start, tet_list, mesh->tet, 4);
  fprintf(file, "\n$EndEntities\n");
  put_nodes(file, mesh, &edges, curved ? edges.start[mesh->n_vertices] : 0);
  fprintf(file, "$Elements\n");
  const uint64_t count = (uint64_t)mesh->n_tets + (uint64_t)mesh->n_triangles;
  const uint64_t header[4] = {(uint64_t)mesh->n_surfaces + (uint64_t)mesh->n_regions, count, 1, count};
  put(file, header, sizeof *header, 4);
  uint64_t tag = 1;
  put_elements(file, mesh, &edges, curved, 2, mesh->n_surfaces, triangle_start, triangle_list, &tag);
  put_elements(file, mesh, &edges, curved, 3, mesh->n_regions, tet_start, tet_list, &tag);
  fprintf(file, "\n$EndElements\n");
done:
  free(edges.start);
  free(edges.high);
  free(tet_start);
  free(tet_list);
  free(triangle_start);
  free(triangle_list);
  return code;
}

IrzCode irz_mesh_write(const IrzMesh *mesh, const char *path, IrzError *error) {
  IRZ_ENTER(error);
  IRZ_NEED(mesh != NULL && path != NULL);
  IrzReplace file;
  FILE *stream;
  IRZ_TRY(irz_replace_begin(&file, path, error));
  IRZ_TRY(irz_replace_stream(&file, &stream, error));
  IrzCode code = put_mesh(stream, mesh, error);
  if (code == IRZ_OK) return irz_replace_commit(&file, error);
  irz_replace_abandon(&file);
  return code;
}
