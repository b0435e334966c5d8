/* Meshes of boxes for tests of the field: bricks cut in six tetrahedra each, mirror-symmetric about the middle of x. */
#ifndef IREZONE_TESTS_GRID_MESH_H
#define IREZONE_TESTS_GRID_MESH_H

#include <irezone/mesh.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/// What a brick or a face belongs to.
typedef struct {
  int n[3];                               ///< bricks along x, y, z; n[0] even
  double size[3];                         ///< m, edges of the box; its middle is the origin
  double shake;                           ///< inner vertices are moved by up to this share of a brick
  int n_regions;                          ///< regions "r0", "r1", ...
  int n_surfaces;                         ///< surfaces "s0", "s1", ...
  int (*region)(const double middle[3]);  ///< of a brick; negative: leave it out. NULL: 0
  int (*surface)(const double middle[3]); ///< of a triangle; negative: none
} GridMesh;

static inline int grid_vertex(const GridMesh *g, int i, int j, int k) {
  return (k * (g->n[1] + 1) + j) * (g->n[0] + 1) + i;
}

/// A repeatable number between -1 and 1.
static inline double grid_noise(unsigned *state) {
  *state = *state * 1664525u + 1013904223u;
  return (double)(*state >> 8) / 8388608.0 - 1;
}

/// Corner c of tetrahedron t of a brick: the six paths from one corner to the opposite one.
static inline int grid_corner(const GridMesh *g, int i, int j, int k, int t, int c, bool mirrored) {
  static const int order[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
  int at[3] = {0, 0, 0};
  for (int s = 0; s < c; s++) at[order[t][s]] = 1;
  return grid_vertex(g, mirrored ? i + 1 - at[0] : i + at[0], j + at[1], k + at[2]);
}

static inline void grid_middle(const IrzMesh *m, const int32_t *v, int count, double middle[3]) {
  for (int d = 0; d < 3; d++) {
    middle[d] = 0;
    for (int c = 0; c < count; c++) middle[d] += m->xyz[3 * v[c] + d] / count;
  }
}

/// Drop vertices that no tetrahedron uses, as IrzMesh wants it.
static inline void grid_compact(IrzMesh *m) {
  int32_t *number = malloc((size_t)m->n_vertices * sizeof *number), n = 0;
  for (int32_t v = 0; v < m->n_vertices; v++) number[v] = -1;
  for (int32_t k = 0; k < 4 * m->n_tets; k++) number[m->tet[k]] = 0;
  for (int32_t v = 0; v < m->n_vertices; v++) {
    if (number[v] < 0) continue;
    memmove(m->xyz + 3 * n, m->xyz + 3 * v, 3 * sizeof(double));
    number[v] = n++;
  }
  for (int32_t k = 0; k < 4 * m->n_tets; k++) m->tet[k] = number[m->tet[k]];
  for (int32_t k = 0; k < 3 * m->n_triangles; k++) m->triangle[k] = number[m->triangle[k]];
  m->n_vertices = n;
  free(number);
}

/// Make the mesh; free it with irz_mesh_free().
static inline IrzMesh *grid_mesh(const GridMesh *g) {
  IrzMesh *m = calloc(1, sizeof *m);
  unsigned state = 1;
  size_t bricks = (size_t)g->n[0] * (size_t)g->n[1] * (size_t)g->n[2];
  m->n_vertices = (g->n[0] + 1) * (g->n[1] + 1) * (g->n[2] + 1);
  m->xyz = calloc((size_t)m->n_vertices, 3 * sizeof *m->xyz);
  m->tet = calloc(bricks, 24 * sizeof *m->tet);
  m->region = calloc(bricks, 6 * sizeof *m->region);
  m->triangle = calloc(bricks, 72 * sizeof *m->triangle);
  m->surface = calloc(bricks, 24 * sizeof *m->surface);
  for (int k = 0; k <= g->n[2]; k++) {
    for (int j = 0; j <= g->n[1]; j++) {
      for (int i = 0; i <= g->n[0]; i++) {
        const int at[3] = {i, j, k};
        for (int d = 0; d < 3; d++) {
          bool inner = at[d] > 0 && at[d] < g->n[d];
          double noise = inner ? g->shake * grid_noise(&state) : 0;
          m->xyz[3 * grid_vertex(g, i, j, k) + d] = g->size[d] * ((at[d] + noise) / g->n[d] - 0.5);
        }
      }
    }
  }
  for (int k = 0; k < g->n[2]; k++) {
    for (int j = 0; j < g->n[1]; j++) {
      for (int i = 0; i < g->n[0]; i++) {
        bool mirrored = 2 * i >= g->n[0];
        double middle[3] = {g->size[0] * ((i + 0.5) / g->n[0] - 0.5), g->size[1] * ((j + 0.5) / g->n[1] - 0.5),
                            g->size[2] * ((k + 0.5) / g->n[2] - 0.5)};
        int region = g->region != NULL ? g->region(middle) : 0;
        for (int t = 0; t < 6 && region >= 0; t++) {
          int32_t *v = m->tet + 4 * m->n_tets;
          for (int c = 0; c < 4; c++) v[c] = grid_corner(g, i, j, k, t, c, mirrored);
          double e[3][3];
          for (int c = 0; c < 3; c++) {
            for (int d = 0; d < 3; d++) e[c][d] = m->xyz[3 * v[c + 1] + d] - m->xyz[3 * v[0] + d];
          }
          double det = e[0][0] * (e[1][1] * e[2][2] - e[1][2] * e[2][1]) -
                       e[0][1] * (e[1][0] * e[2][2] - e[1][2] * e[2][0]) +
                       e[0][2] * (e[1][0] * e[2][1] - e[1][1] * e[2][0]);
          if (det < 0) {
            int32_t swap = v[2];
            v[2] = v[3];
            v[3] = swap;
          }
          m->region[m->n_tets++] = region;
          for (int f = 0; f < 4 && g->surface != NULL; f++) {
            int32_t *face = m->triangle + 3 * m->n_triangles;
            double at[3];
            for (int c = 0, p = 0; c < 4; c++) {
              if (c != f) face[p++] = v[c];
            }
            grid_middle(m, face, 3, at);
            int surface = g->surface(at);
            if (surface >= 0) m->surface[m->n_triangles++] = surface;
          }
        }
      }
    }
  }
  m->n_regions = g->n_regions > 0 ? g->n_regions : 1;
  m->regions = calloc((size_t)m->n_regions, sizeof *m->regions);
  for (int r = 0; r < m->n_regions; r++) snprintf(m->regions[r].name, sizeof m->regions[r].name, "r%d", r);
  m->n_surfaces = g->n_surfaces;
  m->surfaces = calloc((size_t)g->n_surfaces + 1, sizeof *m->surfaces);
  for (int s = 0; s < m->n_surfaces; s++) snprintf(m->surfaces[s].name, sizeof m->surfaces[s].name, "s%d", s);
  grid_compact(m);
  return m;
}

#endif
