/* Which tetrahedra share a face, and the pieces they connect.
 *
 * Every face is filed under its smallest vertex, which is the smallest or the second smallest of its tetrahedron.
 * Vertex after vertex, the faces of its tetrahedra meet in a small table, which stays in the cache. */
#include "base/memory.h"
#include "mesh/mesh_build.h"
#include <omp.h>
#include <stdlib.h>
#include <string.h>

void irz_faces_clear(IrzFaces *faces) {
  free(faces->other);
  *faces = (IrzFaces){0};
}

/// The three faces at each corner: which face, and its other corners, anticlockwise from outside; see irz_tet_face.
static const int8_t faces_at[4][3][3] = {{{1, 3, 2}, {2, 1, 3}, {3, 2, 1}},
                                         {{0, 2, 3}, {2, 3, 0}, {3, 0, 2}},
                                         {{0, 3, 1}, {1, 0, 3}, {3, 1, 0}},
                                         {{0, 1, 2}, {1, 2, 0}, {2, 0, 1}}};

/// A face in the table of its smallest vertex.
typedef struct {
  uint64_t key;  ///< the two larger vertices, the smaller of them in the upper half
  int32_t stamp; ///< 1 + the smallest vertex; else the place is free
  int32_t tet;   ///< the tetrahedron that had it first
  int8_t face;   ///< and which of its faces it is
  bool ascending;
  int32_t count; ///< tetrahedra
} Place;

/// What one thread works with.
typedef struct {
  Place *place; ///< [size] open addressing
  size_t size;  ///< a power of two
  int32_t fault_vertex, fault_count;
  IrzCode code;
  IrzError error;
} Worker;

/// The place of a face, or a free one for it.
static inline Place *find_place(const Worker *worker, uint64_t key, int32_t vertex) {
  size_t at = (size_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & (worker->size - 1);
  while (worker->place[at].stamp == vertex + 1 && worker->place[at].key != key) at = (at + 1) & (worker->size - 1);
  return &worker->place[at];
}

/// Match the faces whose smallest vertex is given.
/// @param[in] tets  [count] tetrahedra that may have such faces
static IrzCode match_vertex(const IrzMesh *mesh, int32_t vertex, const int32_t *tets, int32_t count, IrzFaces *faces,
                            Worker *worker, IrzError *error) {
  const Place *fault = NULL;
  if ((size_t)count * 6 > worker->size) {
    free(worker->place);
    worker->size = worker->size > 0 ? worker->size : 256;
    while (worker->size < (size_t)count * 6) worker->size *= 2;
    IRZ_TRY(irz_alloc(&worker->place, worker->size, sizeof *worker->place, error));
  }
  for (int32_t k = 0; k < count; k++) {
    const int32_t t = tets[k], *v = mesh->tet + 4 * (size_t)t;
    int corner = (v[1] == vertex) + 2 * (v[2] == vertex) + 3 * (v[3] == vertex);
    for (int i = 0; i < 3; i++) {
      int8_t f = faces_at[corner][i][0];
      int32_t b = v[faces_at[corner][i][1]], c = v[faces_at[corner][i][2]];
      if (b < vertex || c < vertex) continue;
      bool ascending = b < c;
      uint64_t key = (uint64_t)(ascending ? b : c) << 32 | (uint64_t)(ascending ? c : b);
      Place *place = find_place(worker, key, vertex);
      if (place->stamp != vertex + 1) {
        *place = (Place){key, vertex + 1, t, f, ascending, 1};
        faces->other[t][f] = -1;
        continue;
      }
      place->count++;
      faces->other[t][f] = place->tet;
      if (place->count == 2) faces->other[place->tet][place->face] = t;
      if (fault == NULL && (place->count > 2 || place->ascending == ascending)) fault = place;
    }
  }
  if (fault != NULL && (worker->fault_vertex < 0 || vertex < worker->fault_vertex)) {
    worker->fault_vertex = vertex;
    worker->fault_count = fault->count;
  }
  return IRZ_OK;
}

/// The two smallest corners of a tetrahedron.
static inline void two_smallest(const int32_t *v, int32_t smallest[2]) {
  int32_t low = v[0] < v[1] ? v[0] : v[1], high = v[0] < v[1] ? v[1] : v[0];
  int32_t low2 = v[2] < v[3] ? v[2] : v[3], high2 = v[2] < v[3] ? v[3] : v[2];
  smallest[0] = low < low2 ? low : low2;
  int32_t rest = low < low2 ? low2 : low, high_of_low = low < low2 ? high : high2;
  smallest[1] = rest < high_of_low ? rest : high_of_low;
}

/// File each tetrahedron under its two smallest vertices, in its order.
/// @param[out] start  [n_vertices + 1] the tetrahedra of vertex i are start[i] to start[i + 1]
/// @param[out] filed  [2 n_tets]
static IrzCode file_tets(const IrzMesh *mesh, int32_t **start, int32_t **filed, IrzError *error) {
  const int n_runs = omp_get_max_threads();
  const size_t n = (size_t)mesh->n_vertices;
  int32_t *next = NULL, before = 0; /* [n_runs][n] where each run's next tetrahedron of a vertex goes */
  if (mesh->n_tets > INT32_MAX / 2) {
    return irz_error_set(error, IRZ_ERR_INPUT, "%d tetrahedra are more than can be checked", mesh->n_tets);
  }
  IRZ_TRY(irz_alloc_unset(start, n + 1, sizeof **start, error));
  IRZ_TRY(irz_alloc_unset(filed, 2 * (size_t)mesh->n_tets, sizeof **filed, error));
  IRZ_TRY(irz_alloc(&next, (size_t)n_runs * n, sizeof *next, error));
  for (int pass = 0; pass < 2; pass++) {
#pragma omp parallel for num_threads(n_runs) schedule(static, 1)
    for (int r = 0; r < n_runs; r++) {
      int32_t *own = next + (size_t)r * n, last = (int32_t)((int64_t)mesh->n_tets * (r + 1) / n_runs);
      for (int32_t t = (int32_t)((int64_t)mesh->n_tets * r / n_runs); t < last; t++) {
        int32_t smallest[2];
        two_smallest(mesh->tet + 4 * (size_t)t, smallest);
        for (int i = 0; i < 2; i++) {
          int32_t at = own[smallest[i]]++;
          if (pass == 1) (*filed)[at] = t;
        }
      }
    }
    for (size_t v = 0; pass == 0 && v < n; v++) {
      (*start)[v] = before;
      for (int r = 0; r < n_runs; r++) {
        int32_t here = next[(size_t)r * n + v];
        next[(size_t)r * n + v] = before;
        before += here;
      }
    }
  }
  (*start)[n] = before;
  free(next);
  return IRZ_OK;
}

/// Match the faces of all vertices.
static IrzCode match_all(const IrzMesh *mesh, const int32_t *start, const int32_t *filed, IrzFaces *faces,
                         IrzError *error) {
  enum { CHUNK = 2048 }; /* vertices that a thread takes at a time */
  const int n_threads = omp_get_max_threads();
  Worker *worker;
  IRZ_TRY(irz_alloc(&worker, (size_t)n_threads, sizeof *worker, error));
  for (int k = 0; k < n_threads; k++) worker[k].fault_vertex = -1;
#pragma omp parallel for num_threads(n_threads) schedule(dynamic, CHUNK)
  for (int32_t v = 0; v < mesh->n_vertices; v++) {
    Worker *own = &worker[omp_get_thread_num()];
    if (own->code != IRZ_OK) continue;
    own->code = match_vertex(mesh, v, filed + start[v], start[v + 1] - start[v], faces, own, &own->error);
  }
  IrzCode code = IRZ_OK;
  for (int k = 0; k < n_threads; k++) {
    if (worker[k].code != IRZ_OK && code == IRZ_OK && error != NULL) *error = worker[k].error;
    if (worker[k].code != IRZ_OK) code = worker[k].code;
    if (worker[k].fault_vertex >= 0 && (faces->fault_vertex < 0 || worker[k].fault_vertex < faces->fault_vertex)) {
      faces->fault_vertex = worker[k].fault_vertex;
      faces->fault_count = worker[k].fault_count;
    }
    free(worker[k].place);
  }
  free(worker);
  return code;
}

IrzCode irz_mesh_faces(const IrzMesh *mesh, IrzFaces *faces, IrzError *error) {
  *faces = (IrzFaces){.fault_vertex = -1};
  int32_t *start = NULL, *filed = NULL;
  IrzCode code = file_tets(mesh, &start, &filed, error);
  if (code == IRZ_OK) code = irz_alloc_unset(&faces->other, (size_t)mesh->n_tets, sizeof *faces->other, error);
  if (code == IRZ_OK) code = match_all(mesh, start, filed, faces, error);
  free(start);
  free(filed);
  if (code != IRZ_OK) irz_faces_clear(faces);
  return code;
}

/// Root of a piece, halving the path to it.
static int32_t find_root(int32_t *parent, int32_t i) {
  while (parent[i] != i) {
    parent[i] = parent[parent[i]];
    i = parent[i];
  }
  return i;
}

IrzCode irz_mesh_parts(const IrzMesh *mesh, const IrzFaces *faces, int32_t *part, int32_t *count, IrzError *error) {
  int32_t *parent;
  IRZ_TRY(irz_alloc_unset(&parent, (size_t)mesh->n_tets, sizeof *parent, error));
  for (int32_t i = 0; i < mesh->n_tets; i++) parent[i] = i;
  for (int32_t t = 0; t < mesh->n_tets; t++) {
    for (int f = 0; f < 4; f++) {
      if (faces->other[t][f] <= t) continue; /* outside, or done from there */
      int32_t one = find_root(parent, t), other = find_root(parent, faces->other[t][f]);
      if (one < other) {
        parent[other] = one;
      } else {
        parent[one] = other;
      }
    }
  }
  *count = 0;
  for (int32_t i = 0; i < mesh->n_tets; i++) { /* a root is the smallest of its piece, so it comes first */
    part[i] = parent[i] == i ? (*count)++ : part[find_root(parent, i)];
  }
  free(parent);
  return IRZ_OK;
}
