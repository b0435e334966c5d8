/* Which tetrahedra share a face, and the pieces they connect.
 *
 * Every face is filed under its smallest vertex. That is the smallest of its tetrahedron, or, for the face opposite to
 * this one, the second smallest. Vertex after vertex, the faces of its tetrahedra meet in a small table, which stays in
 * the cache. Half of the faces are in the table already, at random: what is done with them has no branch. */
#include "base/memory.h"
#include "base/threads.h"
#include "mesh/mesh_build.h"
#include <omp.h>
#include <stdlib.h>
#include <string.h>

void irz_faces_clear(IrzFaces *faces) {
  free(faces->other);
  *faces = (IrzFaces){0};
}

/// For each corner and face that has it, the other corners of the face, anticlockwise from outside; see irz_tet_face.
static const int8_t rest_of[4][4][2] = {{{0, 0}, {3, 2}, {1, 3}, {2, 1}},
                                        {{2, 3}, {0, 0}, {3, 0}, {0, 2}},
                                        {{3, 1}, {0, 3}, {0, 0}, {1, 0}},
                                        {{1, 2}, {2, 0}, {0, 1}, {0, 0}}};

/// A face in the table of its smallest vertex.
typedef struct {
  uint64_t key;  ///< the two larger vertices, the smaller of them in the upper half
  int64_t first; ///< 4 t + f: face f of tetrahedron t had it first
  int32_t stamp; ///< 1 + the smallest vertex; else the place is free
  int32_t count; ///< tetrahedra
  bool ascending;
} Place;

/// The tetrahedra filed under each vertex: those that have it as their smallest, and as their second smallest.
typedef struct {
  int32_t *start[2]; ///< [n_vertices + 1]
  int32_t *tet[2];   ///< [n_tets]
} Files;

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

/// File a face under its smallest vertex, or match it with the one that is there.
/// @param[in]     v       corners of the tetrahedron
/// @param[in]     corner  which of them is the vertex
/// @param[in,out] other   of all faces
/// @param[in,out] fault   the first wrong face of the vertex
static inline void match_face(const int32_t *v, int32_t t, int corner, int face, int32_t *other, const Worker *worker,
                              const Place **fault) {
  const int32_t vertex = v[corner], b = v[rest_of[corner][face][0]], c = v[rest_of[corner][face][1]];
  const bool ascending = b < c;
  const uint64_t key = (uint64_t)(ascending ? b : c) << 32 | (uint64_t)(ascending ? c : b);
  const int64_t own = 4 * (int64_t)t + face;
  Place *place = find_place(worker, key, vertex);
  const bool met = place->stamp == vertex + 1;
  const int64_t first = met ? place->first : own;
  const int32_t count = (met ? place->count : 0) + 1;
  const bool wrong = met & ((count > 2) | (place->ascending == ascending));
  other[count > 2 ? own : first] = met ? t : -1;
  other[own] = met ? (int32_t)(first / 4) : -1;
  place->key = key;
  place->first = first;
  place->stamp = vertex + 1;
  place->count = count;
  place->ascending = met ? place->ascending : ascending;
  if (wrong && *fault == NULL) *fault = place;
}

/// Match the faces whose smallest vertex is given.
static IrzCode match_vertex(const IrzMesh *mesh, int32_t vertex, const Files *files, IrzFaces *faces, Worker *worker,
                            IrzError *error) {
  enum { AHEAD = 6 };
  const Place *fault = NULL;
  int32_t *other = faces->other[0];
  /* As meshers number tetrahedra they are all over the memory: waiting for them took two thirds of the time. The loop
   * stays here, because GCC drops calls of functions that do nothing but fetch. */
  for (int i = 0; i < 2 && vertex + AHEAD < mesh->n_vertices; i++) {
    const int32_t *start = files->start[i] + vertex + AHEAD;
    for (int32_t k = start[0]; k < start[1]; k++) __builtin_prefetch(mesh->tet + 4 * (size_t)files->tet[i][k]);
  }
  const int32_t *start[2] = {files->start[0] + vertex, files->start[1] + vertex};
  const size_t most = 3 * (size_t)(start[0][1] - start[0][0]) + (size_t)(start[1][1] - start[1][0]);
  if (2 * most > worker->size) {
    free(worker->place);
    worker->size = worker->size > 0 ? worker->size : 256;
    while (worker->size < 2 * most) worker->size *= 2;
    IRZ_TRY(irz_alloc(&worker->place, worker->size, sizeof *worker->place, error));
  }
  for (int32_t k = start[0][0]; k < start[0][1]; k++) {
    const int32_t t = files->tet[0][k], *v = mesh->tet + 4 * (size_t)t;
    const int corner = (v[1] == vertex) + 2 * (v[2] == vertex) + 3 * (v[3] == vertex);
    for (int i = 1; i < 4; i++) match_face(v, t, corner, (corner + i) & 3, other, worker, &fault);
  }
  for (int32_t k = start[1][0]; k < start[1][1]; k++) {
    const int32_t t = files->tet[1][k], *v = mesh->tet + 4 * (size_t)t;
    const int corner = (v[1] == vertex) + 2 * (v[2] == vertex) + 3 * (v[3] == vertex);
    const int smallest = (v[1] < vertex) + 2 * (v[2] < vertex) + 3 * (v[3] < vertex);
    match_face(v, t, corner, smallest, other, worker, &fault);
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
static IrzCode file_tets(const IrzMesh *mesh, Files *files, IrzError *error) {
  const int n_runs = omp_get_max_threads();
  const size_t n = (size_t)mesh->n_vertices;
  int32_t *next = NULL; /* [n_runs][2][n] where each run's next tetrahedron of a vertex goes */
  for (int i = 0; i < 2; i++) {
    IRZ_TRY(irz_alloc_unset(&files->start[i], n + 1, sizeof(int32_t), error));
    IRZ_TRY(irz_alloc_unset(&files->tet[i], (size_t)mesh->n_tets, sizeof(int32_t), error));
  }
  IRZ_TRY(irz_alloc(&next, 2 * (size_t)n_runs * n, sizeof *next, error));
  for (int pass = 0; pass < 2; pass++) {
#pragma omp parallel for num_threads(irz_threads(n_runs)) schedule(static, 1)
    for (int r = 0; r < n_runs; r++) {
      int32_t *own = next + 2 * (size_t)r * n, last = (int32_t)((int64_t)mesh->n_tets * (r + 1) / n_runs);
      for (int32_t t = (int32_t)((int64_t)mesh->n_tets * r / n_runs); t < last; t++) {
        int32_t smallest[2];
        two_smallest(mesh->tet + 4 * (size_t)t, smallest);
        for (size_t i = 0; i < 2; i++) {
          int32_t at = own[i * n + (size_t)smallest[i]]++;
          if (pass == 1) files->tet[i][at] = t;
        }
      }
    }
    for (size_t i = 0; pass == 0 && i < 2; i++) {
      int32_t before = 0;
      for (size_t v = 0; v < n; v++) {
        files->start[i][v] = before;
        for (size_t r = 0; r < (size_t)n_runs; r++) {
          int32_t here = next[(2 * r + i) * n + v];
          next[(2 * r + i) * n + v] = before;
          before += here;
        }
      }
      files->start[i][n] = before;
    }
  }
  free(next);
  return IRZ_OK;
}

/// Match the faces of all vertices.
static IrzCode match_all(const IrzMesh *mesh, const Files *files, IrzFaces *faces, IrzError *error) {
  enum { CHUNK = 2048 }; /* vertices that a thread takes at a time */
  const int n_threads = omp_get_max_threads();
  Worker *worker;
  IRZ_TRY(irz_alloc(&worker, (size_t)n_threads, sizeof *worker, error));
  for (int k = 0; k < n_threads; k++) worker[k].fault_vertex = -1;
#pragma omp parallel for num_threads(irz_threads(n_threads)) schedule(dynamic, CHUNK)
  for (int32_t v = 0; v < mesh->n_vertices; v++) {
    Worker *own = &worker[omp_get_thread_num()];
    if (own->code != IRZ_OK) continue;
    own->code = match_vertex(mesh, v, files, faces, own, &own->error);
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
  Files files = {0};
  IrzCode code = file_tets(mesh, &files, error);
  if (code == IRZ_OK) code = irz_alloc_unset(&faces->other, (size_t)mesh->n_tets, sizeof *faces->other, error);
  if (code == IRZ_OK) code = match_all(mesh, &files, faces, error);
  for (int i = 0; i < 2; i++) {
    free(files.start[i]);
    free(files.tet[i]);
  }
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
