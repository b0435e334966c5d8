/* Size and quality of a mesh. */
#include "base/entry.h"
#include "base/memory.h"
#include "mesh/mesh_build.h"
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

/// What one tetrahedron adds.
typedef struct {
  double determinant;            ///< 6 volumes
  double sum;                    ///< of the squares of the edges
  double shortest, longest;      ///< squares
  double cosine_min, cosine_max; ///< of the dihedral angles
} TetShape;

/// Measure a straight tetrahedron.
static inline TetShape measure_tet(const double *xyz, const int32_t *tet) {
  double edge[6][3], square[6];
  TetShape shape = {.shortest = INFINITY, .cosine_min = 1, .cosine_max = -1};
  for (int e = 0; e < 6; e++) {
    const double *a = xyz + 3 * (size_t)tet[irz_tet_edge[e][0]], *b = xyz + 3 * (size_t)tet[irz_tet_edge[e][1]];
    for (int k = 0; k < 3; k++) edge[e][k] = b[k] - a[k];
    square[e] = edge[e][0] * edge[e][0] + edge[e][1] * edge[e][1] + edge[e][2] * edge[e][2];
    shape.sum += square[e];
    shape.shortest = fmin(shape.shortest, square[e]);
    shape.longest = fmax(shape.longest, square[e]);
  }
  /* Outward normals of the faces opposite corners 1, 2, 3 and 0: they sum to zero. */
  const double *u = edge[0], *v = edge[2], *w = edge[3];
  double normal[4][3];
  for (int k = 0; k < 3; k++) {
    int i = (k + 1) % 3, j = (k + 2) % 3;
    normal[1][k] = w[i] * v[j] - w[j] * v[i];
    normal[2][k] = u[i] * w[j] - u[j] * w[i];
    normal[3][k] = v[i] * u[j] - v[j] * u[i];
    normal[0][k] = -normal[1][k] - normal[2][k] - normal[3][k];
  }
  shape.determinant = -(u[0] * normal[1][0] + u[1] * normal[1][1] + u[2] * normal[1][2]);
  double length[4];
  for (int i = 0; i < 4; i++) {
    length[i] = sqrt(normal[i][0] * normal[i][0] + normal[i][1] * normal[i][1] + normal[i][2] * normal[i][2]);
  }
  for (int i = 0; i < 3; i++) {
    for (int j = i + 1; j < 4; j++) {
      double dot = normal[i][0] * normal[j][0] + normal[i][1] * normal[j][1] + normal[i][2] * normal[j][2];
      double cosine = -dot / (length[i] * length[j]);
      shape.cosine_min = fmin(shape.cosine_min, cosine);
      shape.cosine_max = fmax(shape.cosine_max, cosine);
    }
  }
  return shape;
}

/// Volume of a tetrahedron, curved or not, m^3. The Jacobian determinant is a cubic, which the five-point rule of
/// degree 3 integrates exactly (Keast 1986, rule 2).
static double tet_volume(const IrzMesh *mesh, int32_t tet, double determinant) {
  double corner[4][3], bow[6][3];
  if (mesh->n_curved == 0 || !irz_mesh_tet_shape(mesh, tet, corner, bow)) return determinant / 6;
  const double(*c)[3] = (const double(*)[3])corner, (*b)[3] = (const double(*)[3])bow;
  const double centre[4] = {0.25, 0.25, 0.25, 0.25};
  double volume = -0.8 * irz_tet_jacobian(c, b, centre);
  for (int i = 0; i < 4; i++) {
    double lambda[4] = {1.0 / 6, 1.0 / 6, 1.0 / 6, 1.0 / 6};
    lambda[i] = 0.5;
    volume += 0.45 * irz_tet_jacobian(c, b, lambda);
  }
  return volume / 6;
}

/// Volume of a tetrahedron of a mesh, m^3.
static double volume_of(const IrzMesh *mesh, int32_t tet) {
  return tet_volume(mesh, tet, measure_tet(mesh->xyz, mesh->tet + 4 * (size_t)tet).determinant);
}

/// Area of a triangle, m^2. Curved ones by the six-point rule of degree 4 (Dunavant 1985).
static double triangle_area(const IrzMesh *mesh, int32_t triangle) {
  const int32_t *vertex = mesh->triangle + 3 * (size_t)triangle;
  const double *p[3];
  for (int i = 0; i < 3; i++) p[i] = mesh->xyz + 3 * (size_t)vertex[i];
  double bow[3][3] = {{0}}; /* of the edges 01, 12, 20 */
  bool curved = false;
  for (int e = 0; e < 3 && mesh->n_curved > 0; e++) {
    int32_t edge = irz_mesh_curved_edge(mesh, vertex[e], vertex[(e + 1) % 3]);
    if (edge < 0) continue;
    curved = true;
    for (int k = 0; k < 3; k++) {
      bow[e][k] = mesh->curved_xyz[3 * (size_t)edge + (size_t)k] - 0.5 * (p[e][k] + p[(e + 1) % 3][k]);
    }
  }
  static const double weight[2] = {0.223381589678011, 0.109951743655322};
  static const double main_lambda[2] = {0.108103018168070, 0.816847572980459};
  double area = 0;
  for (int q = 0; q < (curved ? 6 : 1); q++) {
    double lambda[3], slope[3][3], w = 1;
    for (int i = 0; i < 3; i++) lambda[i] = 1.0 / 3;
    if (curved) {
      double main_value = main_lambda[q / 3];
      for (int i = 0; i < 3; i++) lambda[i] = i == q % 3 ? main_value : 0.5 * (1 - main_value);
      w = weight[q / 3];
    }
    for (int k = 0; k < 3; k++) {
      for (int i = 0; i < 3; i++) slope[i][k] = p[i][k];
      for (int e = 0; e < 3; e++) {
        slope[e][k] += 4 * lambda[(e + 1) % 3] * bow[e][k];
        slope[(e + 1) % 3][k] += 4 * lambda[e] * bow[e][k];
      }
    }
    double square = 0;
    for (int k = 0; k < 3; k++) {
      int i = (k + 1) % 3, j = (k + 2) % 3;
      double component = (slope[1][i] - slope[0][i]) * (slope[2][j] - slope[0][j]) -
                         (slope[1][j] - slope[0][j]) * (slope[2][i] - slope[0][i]);
      square += component * component;
    }
    area += 0.5 * w * sqrt(square);
  }
  return area;
}

/// Pieces connected through faces, or 0 without the memory to find out.
static int count_parts(const IrzMesh *mesh) {
  IrzFaces faces;
  int32_t count = 0, *part;
  if (irz_mesh_faces(mesh, &faces, NULL) != IRZ_OK) return 0;
  if (irz_alloc(&part, (size_t)mesh->n_tets, sizeof *part, NULL) == IRZ_OK) {
    if (irz_mesh_parts(mesh, &faces, part, &count, NULL) != IRZ_OK) count = 0;
    free(part);
  }
  irz_faces_clear(&faces);
  return count;
}

void irz_mesh_stats(const IrzMesh *mesh, IrzMeshStats *stats) {
  *stats = (IrzMeshStats){.min_quality = 1};
  double shortest = INFINITY, longest = 0, cosine_min = 1, cosine_max = -1, quality_sum = 0;
  for (int32_t t = 0; t < mesh->n_tets; t++) {
    TetShape shape = measure_tet(mesh->xyz, mesh->tet + 4 * (size_t)t);
    stats->volume += tet_volume(mesh, t, shape.determinant);
    shortest = fmin(shortest, shape.shortest);
    longest = fmax(longest, shape.longest);
    cosine_min = fmin(cosine_min, shape.cosine_min);
    cosine_max = fmax(cosine_max, shape.cosine_max);
    double third = cbrt(0.5 * shape.determinant); /* 3 V */
    double quality = 12 * third * third / shape.sum;
    quality_sum += quality;
    stats->min_quality = fmin(stats->min_quality, quality);
    int tenth = (int)(10 * quality);
    stats->quality_histogram[tenth < 0 ? 0 : tenth > 9 ? 9 : tenth]++;
  }
  const double degree = 180 / 3.14159265358979323846;
  stats->min_edge = sqrt(shortest);
  stats->max_edge = sqrt(longest);
  stats->mean_quality = quality_sum / mesh->n_tets;
  stats->min_dihedral_degree = degree * acos(fmin(cosine_max, 1));
  stats->max_dihedral_degree = degree * acos(fmax(cosine_min, -1));
  stats->n_parts = count_parts(mesh);
}

/// Print the groups of one kind with the size of each.
static void print_groups(FILE *out, const char *title, const char *elements, const char *unit, int n_groups,
                         const IrzGroup *groups, int32_t n, const int32_t *member, const double *size) {
  if (n_groups == 0) return;
  fprintf(out, "%s\n", title);
  for (int g = 0; g < n_groups; g++) {
    int32_t count = 0;
    double sum = 0;
    for (int32_t i = 0; i < n; i++) {
      if (member[i] != g) continue;
      count++;
      sum += size[i];
    }
    fprintf(out, "  %-24s tag %-6d %9" PRId32 " %-10s %12.6g %s\n", groups[g].name, groups[g].tag, count, elements, sum,
            unit);
  }
}

IrzCode irz_mesh_print(const IrzMesh *mesh, FILE *out, IrzError *error) {
  IRZ_ENTER(error);
  IrzMeshStats stats;
  double *size;
  size_t most = (size_t)(mesh->n_tets > mesh->n_triangles ? mesh->n_tets : mesh->n_triangles);
  IRZ_TRY(irz_alloc(&size, most, sizeof *size, error));
  irz_mesh_stats(mesh, &stats);
  if (stats.n_parts == 0) {
    free(size);
    return irz_out_of_memory(0, error);
  }
  double low[3] = {INFINITY, INFINITY, INFINITY}, high[3] = {-INFINITY, -INFINITY, -INFINITY};
  for (int32_t i = 0; i < mesh->n_vertices; i++) {
    for (int k = 0; k < 3; k++) {
      low[k] = fmin(low[k], mesh->xyz[3 * (size_t)i + (size_t)k]);
      high[k] = fmax(high[k], mesh->xyz[3 * (size_t)i + (size_t)k]);
    }
  }
  fprintf(out, "%" PRId32 " tetrahedra, %" PRId32 " vertices", mesh->n_tets, mesh->n_vertices);
  if (mesh->n_curved > 0) fprintf(out, ", %" PRId32 " curved edges", mesh->n_curved);
  fprintf(out, "\n");
  if (mesh->n_loose > 0) fprintf(out, "%" PRId32 " loose nodes left out\n", mesh->n_loose);
  if (mesh->n_reoriented > 0)
    fprintf(out, "%" PRId32 " tetrahedra turned to the positive orientation\n", mesh->n_reoriented);
  fprintf(out, "box      x %.6g to %.6g, y %.6g to %.6g, z %.6g to %.6g mm\n", 1e3 * low[0], 1e3 * high[0],
          1e3 * low[1], 1e3 * high[1], 1e3 * low[2], 1e3 * high[2]);
  fprintf(out, "volume   %.6g cm3", 1e6 * stats.volume);
  fprintf(out, " in %d piece%s\n", stats.n_parts, stats.n_parts == 1 ? "" : "s");
  for (int32_t i = 0; i < mesh->n_tets; i++) size[i] = 1e6 * volume_of(mesh, i);
  print_groups(out, "regions", "tetrahedra", "cm3", mesh->n_regions, mesh->regions, mesh->n_tets, mesh->region, size);
  for (int32_t i = 0; i < mesh->n_triangles; i++) size[i] = 1e6 * triangle_area(mesh, i);
  print_groups(out, "surfaces", "triangles", "mm2", mesh->n_surfaces, mesh->surfaces, mesh->n_triangles, mesh->surface,
               size);
  free(size);
  if (mesh->fitted != NULL) {
    double all = mesh->fitted_area + mesh->cut_area;
    fprintf(out, "tissues  %.4g cm2 of the surfaces between them, near metal, are faces of elements; ",
            1e4 * mesh->fitted_area);
    fprintf(out, "about %.2g cm2 (%.2g %%) run through elements\n", 1e4 * mesh->cut_area,
            all > 0 ? 100 * mesh->cut_area / all : 0);
  }
  fprintf(out, "edges    %.4g to %.4g mm\n", 1e3 * stats.min_edge, 1e3 * stats.max_edge);
  fprintf(out, "angles   %.1f to %.1f degrees between faces\n", stats.min_dihedral_degree, stats.max_dihedral_degree);
  fprintf(out, "quality  %.3f smallest, %.3f mean (1 is a regular tetrahedron)\n", stats.min_quality,
          stats.mean_quality);
  for (int i = 0; i < 10; i++) {
    double share = (double)stats.quality_histogram[i] / mesh->n_tets;
    fprintf(out, "  %.1f to %.1f %9" PRId32 " ", 0.1 * i, 0.1 * (i + 1), stats.quality_histogram[i]);
    for (int k = 0; k < (int)ceil(40 * share); k++) fputc('#', out);
    fputc('\n', out);
  }
  return IRZ_OK;
}
