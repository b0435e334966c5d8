/* Pieces of the zone by union and find; see parts.h. */
#include "zone/parts.h"
#include "base/memory.h"
#include "zone/cut.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int32_t root_of(int32_t *parent, int32_t i) {
  while (parent[i] != i) {
    parent[i] = parent[parent[i]];
    i = parent[i];
  }
  return i;
}

/// Join the nodes of this rank that the zone connects; `inside` marks nodes in the zone.
static void join(const IrzMedium *medium, const double *field, const double *threshold, int32_t *parent,
                 uint8_t *inside) {
  const IrzPart *part = medium->part;
  for (int32_t t = 0; t < part->n_tets; t++) {
    const int32_t *node = part->tet[t];
    double limit = threshold[medium->region[t]];
    bool in[10];
    for (int i = 0; i < 10; i++) {
      in[i] = field[node[i]] >= limit;
      if (in[i]) inside[node[i]] = 1;
    }
    for (int c = 0; c < 8; c++) {
      for (int i = 0; i < 4; i++) {
        for (int j = i + 1; j < 4; j++) {
          if (!in[irz_child_nodes[c][i]] || !in[irz_child_nodes[c][j]]) continue;
          int32_t a = root_of(parent, node[irz_child_nodes[c][i]]), b = root_of(parent, node[irz_child_nodes[c][j]]);
          if (a < b)
            parent[b] = a;
          else
            parent[a] = b;
        }
      }
    }
  }
}

/// Let pieces that continue on other ranks agree on a name: the smallest name spreads until nothing changes.
static IrzCode agree_on_names(const IrzPart *part, int32_t *parent, const uint8_t *inside, double *name,
                              IrzError *error) {
  int32_t n = part->n_vertices + part->n_edges;
  int64_t mine = n, end;
  MPI_Scan(&mine, &end, 1, MPI_INT64_T, MPI_SUM, part->comm);
  for (int32_t i = 0; i < n; i++) name[i] = (double)(end - n + i);
  for (int changed = 1; changed;) {
    int here = 0;
    for (int32_t i = 0; i < n; i++) {
      int32_t root = root_of(parent, i);
      if (name[i] < name[root]) name[root] = name[i];
    }
    for (int32_t i = 0; i < n; i++) {
      double smallest = name[root_of(parent, i)];
      if (inside[i] && name[i] != smallest) {
        name[i] = smallest;
        here = 1;
      }
    }
    if (part->size == 1) break;
    /* Down from owners to copies, and up from copies to owners. */
    PetscErrorCode code = PetscSFReduceBegin(part->nodes, MPI_DOUBLE, name, name, MPI_MIN);
    if (code == 0) code = PetscSFReduceEnd(part->nodes, MPI_DOUBLE, name, name, MPI_MIN);
    if (code != 0) return irz_error_set(error, IRZ_ERR_SOLVER, "pieces of the zone: exchange failed");
    IRZ_TRY(irz_part_share(part, 1, name, error));
    for (int32_t i = 0; i < n; i++) {
      if (inside[i] && name[i] < name[root_of(parent, i)]) here = 1;
    }
    MPI_Allreduce(&here, &changed, 1, MPI_INT, MPI_MAX, part->comm);
  }
  return IRZ_OK;
}

/// A piece and its volume.
typedef struct {
  double name, volume;
} Piece;

static int compare_pieces(const void *a, const void *b) {
  const Piece *p = a, *q = b;
  return (p->name > q->name) - (p->name < q->name);
}

/// Add up equal names in a sorted list; returns how many are left.
static int64_t merge(Piece *piece, int64_t count) {
  int64_t n = 0;
  qsort(piece, (size_t)count, sizeof *piece, compare_pieces);
  for (int64_t i = 0; i < count; i++) {
    if (n > 0 && piece[n - 1].name == piece[i].name)
      piece[n - 1].volume += piece[i].volume;
    else
      piece[n++] = piece[i];
  }
  return n;
}

/// Volumes of the pieces in this rank's own tetrahedra.
static IrzCode local_pieces(const IrzMedium *medium, const double *field, const double *threshold, const double *name,
                            Piece **piece, int64_t *count, IrzError *error) {
  const IrzPart *part = medium->part;
  int64_t room = 0;
  *piece = NULL;
  *count = 0;
  for (int32_t t = 0; t < part->n_tets; t++) {
    if (!part->mine[t]) continue;
    const int32_t *node = part->tet[t];
    const double *x[4];
    for (int i = 0; i < 4; i++) x[i] = part->xyz + 3 * (size_t)node[i];
    double limit = threshold[medium->region[t]], child = irz_tet_volume(x[0], x[1], x[2], x[3]) / 8;
    for (int c = 0; c < 8; c++) {
      double f[4];
      int in = -1;
      for (int i = 0; i < 4; i++) {
        f[i] = field[node[irz_child_nodes[c][i]]] - limit;
        if (f[i] >= 0) in = i;
      }
      if (in < 0) continue;
      double share = child * irz_cut_fraction(f), whose = name[node[irz_child_nodes[c][in]]];
      if (*count > 0 && (*piece)[*count - 1].name == whose) {
        (*piece)[*count - 1].volume += share;
        continue;
      }
      if (*count == room) {
        if (room > 1000) *count = merge(*piece, *count);
        if (2 * *count >= room) {
          room = 2 * room + 1024;
          IRZ_TRY(irz_resize(piece, (size_t)room, sizeof **piece, error));
        }
      }
      (*piece)[(*count)++] = (Piece){whose, share};
    }
  }
  *count = merge(*piece, *count);
  return IRZ_OK;
}

IrzCode irz_zone_parts(const IrzMedium *medium, const double *field, const double *threshold, IrzZoneParts *parts,
                       IrzError *error) {
  const IrzPart *part = medium->part;
  size_t n = (size_t)part->n_vertices + (size_t)part->n_edges;
  int32_t *parent = NULL;
  uint8_t *inside = NULL;
  double *name = NULL;
  Piece *piece = NULL, *all = NULL;
  int64_t count = 0;
  int *counts = NULL, *shifts = NULL;
  memset(parts, 0, sizeof *parts);
  IrzCode code = irz_alloc(&parent, n, sizeof *parent, error);
  if (code == IRZ_OK) code = irz_alloc(&inside, n, 1, error);
  if (code == IRZ_OK) code = irz_alloc(&name, n, sizeof *name, error);
  if (code == IRZ_OK) code = irz_alloc(&counts, (size_t)part->size, sizeof *counts, error);
  if (code == IRZ_OK) code = irz_alloc(&shifts, (size_t)part->size + 1, sizeof *shifts, error);
  code = irz_error_agree(part->comm, error);
  if (code == IRZ_OK) {
    for (size_t i = 0; i < n; i++) parent[i] = (int32_t)i;
    join(medium, field, threshold, parent, inside);
    code = agree_on_names(part, parent, inside, name, error);
  }
  if (code == IRZ_OK) {
    local_pieces(medium, field, threshold, name, &piece, &count, error);
    code = irz_error_agree(part->comm, error);
  }
  if (code == IRZ_OK) {
    int mine = (int)(2 * count), touches = 0, touched;
    MPI_Allgather(&mine, 1, MPI_INT, counts, 1, MPI_INT, part->comm);
    for (int r = 0; r < part->size; r++) shifts[r + 1] = shifts[r] + counts[r];
    irz_alloc(&all, (size_t)shifts[part->size] / 2, sizeof *all, error);
    code = irz_error_agree(part->comm, error);
    if (code == IRZ_OK) {
      MPI_Allgatherv(piece, mine, MPI_DOUBLE, all, counts, shifts, MPI_DOUBLE, part->comm);
      int64_t total = merge(all, shifts[part->size] / 2);
      double sum = 0;
      for (int64_t i = 0; i < total; i++) sum += all[i].volume;
      parts->total = sum;
      for (int64_t i = 0; i < total; i++) {
        parts->largest = fmax(parts->largest, all[i].volume);
        if (all[i].volume > 1e-3 * sum) parts->count++;
      }
      for (int32_t v = 0; v < part->n_owned_vertices; v++) touches |= inside[v] && part->outer[v];
      MPI_Allreduce(&touches, &touched, 1, MPI_INT, MPI_MAX, part->comm);
      parts->touches_outer = touched != 0;
    }
  }
  free(parent);
  free(inside);
  free(name);
  free(piece);
  free(all);
  free(counts);
  free(shifts);
  return code;
}
