/* Rows for the tissues around nodes; see sides.h. */
#include "zone/sides.h"
#include "base/memory.h"
#include "base/petsc.h"
#include "base/vector.h"
#include "zone/nodal.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/// Tissues in a word of a node's set.
enum { WORD = 32 };

/// The tissues around every node, while rows are numbered.
typedef struct {
  const IrzMedium *medium;
  int n_tissues, n_words;
  int tissue[256]; ///< of each region, 0 to n_tissues - 1: in the order of their first regions
  int first[256];  ///< first region of each tissue
  uint32_t *set;   ///< [n_words][nodes] a bit for each tissue
  uint8_t *mixed;  ///< [nodes] 1 beside a tetrahedron with several regions inside
  int32_t *start;  ///< [nodes] first of the further rows
} Around;

static bool are_equal(const double *a, const double *b, int n) {
  int i = 0;
  while (i < n && a[i] == b[i]) i++;
  return i == n;
}

static bool is_alike(const IrzLaw *a, const IrzLaw *b) {
  if (a->kind != b->kind || a->direction != b->direction) return false;
  if (a->direction != IRZ_LAW_ISOTROPIC && !are_equal(a->shape, b->shape, 6)) return false;
  if (a->kind == IRZ_LAW_CONSTANT) return a->low == b->low;
  if (a->kind == IRZ_LAW_TABLE) {
    return a->n_points == b->n_points && are_equal(a->field, b->field, a->n_points) &&
           are_equal(a->sigma, b->sigma, a->n_points);
  }
  return a->low == b->low && a->high == b->high && a->p == b->p && a->q == b->q;
}

/// The region that stands for a tissue: the first with the same law.
static int first_alike(const IrzLaw *const *laws, IrzFollowed followed, int region) {
  int first = 0;
  while (laws[first] != laws[region] && (followed == IRZ_FOLLOWS_HEAT || !is_alike(laws[first], laws[region]))) first++;
  return first;
}

static bool is_mixed(const IrzMedium *medium, int32_t tet) {
  int32_t general = medium->general[tet] - 1;
  return general >= 0 && medium->mixed[general];
}

/// Number the tissues.
/// @return whether there may be places between them
static bool find_tissues(const IrzMedium *medium, const IrzLaw *const *laws, IrzFollowed followed, Around *around) {
  bool mixed = false;
  for (int r = 0; r < medium->n_regions; r++) {
    int first = first_alike(laws, followed, r);
    if (first == r) {
      around->first[around->n_tissues] = r;
      around->tissue[r] = around->n_tissues++;
    } else {
      around->tissue[r] = around->tissue[first];
    }
  }
  around->n_words = (around->n_tissues + WORD - 1) / WORD;
  for (int32_t g = 0; g < medium->n_general; g++) mixed = mixed || medium->mixed[g];
  return mixed || around->n_tissues > 1;
}

/// Give ghosts their owners' sets and marks: these see all tetrahedra around a node.
static IrzCode share_sets(const IrzPart *part, Around *around, IrzError *error) {
  size_t n = (size_t)part->n_vertices + (size_t)part->n_edges;
  double *room = NULL;
  if (part->size == 1) return IRZ_OK;
  irz_alloc(&room, n, sizeof *room, error);
  IrzCode code = irz_error_agree(part->comm, error);
  for (int w = 0; code == IRZ_OK && w < around->n_words; w++) {
    uint32_t *set = around->set + (size_t)w * n;
    for (size_t i = 0; i < n; i++) room[i] = set[i];
    code = irz_part_share(part, 1, room, error);
    for (size_t i = 0; i < n; i++) set[i] = (uint32_t)room[i];
  }
  if (code == IRZ_OK) {
    for (size_t i = 0; i < n; i++) room[i] = around->mixed[i];
    code = irz_part_share(part, 1, room, error);
    for (size_t i = 0; i < n; i++) around->mixed[i] = room[i] > 0;
  }
  free(room);
  return code;
}

/// Find the tissues around all nodes. Collective.
static IrzCode find_sets(const IrzMedium *medium, Around *around, IrzError *error) {
  const IrzPart *part = medium->part;
  size_t n = (size_t)part->n_vertices + (size_t)part->n_edges;
  irz_alloc(&around->set, (size_t)around->n_words * n, sizeof *around->set, error);
  if (error->code == IRZ_OK) irz_alloc(&around->mixed, n, 1, error);
  if (error->code == IRZ_OK) irz_alloc(&around->start, n, sizeof *around->start, error);
  IRZ_TRY(irz_error_agree(part->comm, error));
  for (int32_t t = 0; t < part->n_tets; t++) {
    int tissue = around->tissue[medium->region[t]];
    uint32_t *set = around->set + (size_t)(tissue / WORD) * n;
    bool mixed = is_mixed(medium, t);
    for (int i = 0; i < 10; i++) {
      set[part->tet[t][i]] |= (uint32_t)1 << tissue % WORD;
      if (mixed) around->mixed[part->tet[t][i]] = 1;
    }
  }
  return share_sets(part, around, error);
}

/// How many of a node's tissues come before one; all of them: n_tissues.
static int count_before(const Around *around, size_t n, int32_t node, int tissue) {
  int count = 0;
  for (int w = 0; w <= tissue / WORD && w < around->n_words; w++) {
    uint32_t bits = around->set[(size_t)w * n + (size_t)node];
    if (w == tissue / WORD) bits &= ((uint32_t)1 << tissue % WORD) - 1;
    count += __builtin_popcount(bits);
  }
  return count;
}

/// The row of a tissue at a node.
static int32_t row_of(const Around *around, size_t n, int32_t node, int tissue) {
  int before = around->mixed[node] ? 0 : count_before(around, n, node, tissue);
  return before == 0 ? node : around->start[node] + before - 1;
}

/// Number the further rows, and note whose all rows are.
static IrzCode number_rows(Around *around, IrzSides *sides, IrzError *error) {
  size_t n = (size_t)sides->n_nodes;
  int64_t total = sides->n_nodes;
  for (int32_t i = 0; i < sides->n_nodes; i++) {
    int count = around->mixed[i] ? 1 : count_before(around, n, i, around->n_tissues);
    around->start[i] = (int32_t)total;
    total += count > 1 ? count - 1 : 0;
    if (total > INT32_MAX) return irz_error_set(error, IRZ_ERR_MEMORY, "too many nodes between tissues");
  }
  sides->n_rows = (int32_t)total;
  IRZ_TRY(irz_alloc(&sides->node, (size_t)(sides->n_rows - sides->n_nodes), sizeof *sides->node, error));
  IRZ_TRY(irz_alloc(&sides->tissue, (size_t)sides->n_rows, sizeof *sides->tissue, error));
  IRZ_TRY(irz_alloc(&sides->between, n, 1, error));
  for (int32_t i = 0; i < sides->n_nodes; i++) {
    sides->tissue[i] = IRZ_NO_TISSUE;
    for (int k = 0; k < around->n_tissues && !around->mixed[i]; k++) {
      if (!(around->set[(size_t)(k / WORD) * n + (size_t)i] >> k % WORD & 1)) continue;
      int32_t row = row_of(around, n, i, k);
      sides->tissue[row] = (int16_t)around->first[k];
      if (row == i) continue;
      sides->node[row - sides->n_nodes] = i;
      sides->between[i] = 1;
    }
  }
  return IRZ_OK;
}

/// Give the tetrahedra their rows.
static IrzCode give_rows(const Around *around, IrzSides *sides, IrzError *error) {
  const IrzPart *part = sides->part;
  size_t n = (size_t)sides->n_nodes;
  IRZ_TRY(irz_alloc(&sides->split, (size_t)part->n_tets, sizeof *sides->split, error));
  for (int pass = 0; pass < 2; pass++) {
    sides->n_split = 0;
    for (int32_t t = 0; t < part->n_tets; t++) {
      int tissue = around->tissue[around->medium->region[t]];
      int32_t row[10];
      bool split = false;
      for (int i = 0; i < 10; i++) {
        row[i] = row_of(around, n, part->tet[t][i], tissue);
        split = split || row[i] != part->tet[t][i];
      }
      if (!split) continue;
      if (pass == 1) memcpy(sides->row[sides->n_split], row, sizeof row);
      sides->split[t] = ++sides->n_split;
    }
    if (pass == 0) IRZ_TRY(irz_alloc(&sides->row, (size_t)sides->n_split, sizeof *sides->row, error));
  }
  return IRZ_OK;
}

/// Build the star forest of the rows from that of the nodes. Collective.
/// @param[in] start  [nodes] first further row of the owner's node
static PetscErrorCode connect_rows(const Around *around, const double *start, IrzSides *sides) {
  PetscInt n_roots, n_leaves;
  const PetscInt *local;
  const PetscSFNode *remote;
  PetscFunctionBeginUser;
  PetscCall(PetscSFGetGraph(sides->part->nodes, &n_roots, &n_leaves, &local, &remote));
  PetscInt *where, count = 0;
  PetscSFNode *root;
  PetscCall(PetscMalloc1(n_leaves + sides->n_rows - sides->n_nodes, &where));
  PetscCall(PetscMalloc1(n_leaves + sides->n_rows - sides->n_nodes, &root));
  for (PetscInt k = 0; k < n_leaves; k++) {
    PetscInt node = local != NULL ? local[k] : k, from = around->start[node];
    PetscInt end = node + 1 < sides->n_nodes ? around->start[node + 1] : sides->n_rows;
    where[count] = node;
    root[count++] = remote[k];
    for (PetscInt row = from; row < end; row++) {
      where[count] = row;
      root[count].rank = remote[k].rank;
      root[count++].index = (PetscInt)start[node] + row - from;
    }
  }
  PetscCall(PetscSFCreate(sides->part->comm, &sides->rows));
  PetscCall(PetscSFSetGraph(sides->rows, sides->n_rows, count, where, PETSC_OWN_POINTER, root, PETSC_OWN_POINTER));
  PetscCall(PetscSFSetUp(sides->rows));
  PetscFunctionReturn(0);
}

/// Let ranks exchange rows. Collective.
static IrzCode share_rows(const Around *around, IrzSides *sides, IrzError *error) {
  double *start = NULL;
  if (sides->part->size == 1) return IRZ_OK;
  irz_alloc(&start, (size_t)sides->n_nodes, sizeof *start, error);
  IrzCode code = irz_error_agree(sides->part->comm, error);
  if (code == IRZ_OK) {
    for (int32_t i = 0; i < sides->n_nodes; i++) start[i] = around->start[i];
    code = irz_part_share(sides->part, 1, start, error);
  }
  if (code == IRZ_OK) code = irz_petsc(connect_rows(around, start, sides), "exchange between tissues", error);
  free(start);
  return code;
}

/* ---- Joints ---- */

/// A normal may turn by this much, as a cosine, between neighbouring nodes; what the two sides' normals leave over is
/// at most this much: more if the interface ends at the node; and the smaller side has at least this share of the
/// larger one: less at an edge or a tip, where one side has a wedge and there is no normal.
static const double least_cosine = 0.87, most_left = 0.1, least_share = 0.4;

/// Integrals of the gradients of the nodes' functions over each side: the functions vanish on all faces around but
/// those of the interface (and of the model's wall), so they come to its normal.
/// @param[out] sum  [n_rows] the integral, m^2, and the volume, m^3, each times 6
static void add_normals(const IrzSides *sides, double (*sum)[IRZ_ROW]) {
  const IrzPart *part = sides->part;
  for (int32_t t = 0; t < part->n_tets; t++) {
    if (!irz_touches_sides(sides, t)) continue;
    const int32_t *row = irz_tet_rows(sides, part, t);
    double g[4][IRZ_ROW], det = irz_straight_map(part, t, g);
    for (int i = 0; i < 10; i++) {
      if (!sides->between[part->tet[t][i]]) continue;
      const double *a = g[i < 4 ? i : irz_edge_vertices[i - 4][0]], *b = i < 4 ? NULL : g[irz_edge_vertices[i - 4][1]];
      for (int d = 0; d < 3; d++) sum[row[i]][d] += a[d] + (b != NULL ? b[d] : 0);
      sum[row[i]][3] += det;
    }
  }
}

/// The joint of a further row, if its node has two.
static void make_joint(const IrzSides *sides, const double (*sum)[IRZ_ROW], int32_t row, IrzJoint *joint) {
  int32_t node = irz_row_node(sides, row);
  const double *a = sum[node], *b = sum[row];
  double left[3], across[3];
  bool alone = (row == sides->n_nodes || irz_row_node(sides, row - 1) != node) &&
               (row + 1 == sides->n_rows || irz_row_node(sides, row + 1) != node);
  for (int d = 0; d < 3; d++) {
    left[d] = a[d] + b[d];
    across[d] = a[d] - b[d];
  }
  double size = sqrt(irz_dot(across, across));
  *joint = (IrzJoint){.weight = {a[3] / 6, b[3] / 6}};
  if (!alone || !(size > 0) || sqrt(irz_dot(left, left)) > most_left * size) return;
  if (fmin(a[3], b[3]) < least_share * fmax(a[3], b[3])) return;
  for (int d = 0; d < 3; d++) joint->normal[d] = across[d] / size;
}

/// Mark the nodes beside which the normal turns.
/// @param[out] turns  [n_rows] of nodes
static void mark_turns(const IrzSides *sides, const int32_t *further, double *turns) {
  const IrzPart *part = sides->part;
  for (int32_t t = 0; t < part->n_tets; t++) {
    if (!irz_touches_sides(sides, t)) continue;
    const int32_t *node = part->tet[t];
    for (int i = 0; i < 10; i++) {
      for (int j = 0; j < i && sides->between[node[i]]; j++) {
        if (!sides->between[node[j]]) continue;
        const IrzJoint *a = irz_row_joint(sides, further[node[i]]), *b = irz_row_joint(sides, further[node[j]]);
        if (a == NULL || b == NULL || fabs(irz_dot(a->normal, b->normal)) >= least_cosine) continue;
        turns[node[i]] = turns[node[j]] = 1;
      }
    }
  }
}

/// Find the joints. Collective.
/// @param[in] further  [nodes] first further row of each
static IrzCode find_joints(const int32_t *further, IrzSides *sides, IrzError *error) {
  double(*sum)[IRZ_ROW] = NULL, *turns = NULL;
  irz_alloc(&sum, (size_t)sides->n_rows, sizeof *sum, error);
  if (error->code == IRZ_OK) irz_alloc(&turns, (size_t)sides->n_rows, sizeof *turns, error);
  if (error->code == IRZ_OK) {
    irz_alloc(&sides->joint, (size_t)(sides->n_rows - sides->n_nodes), sizeof *sides->joint, error);
  }
  IrzCode code = irz_error_agree(sides->part->comm, error);
  if (code == IRZ_OK) {
    add_normals(sides, sum);
    code = irz_sides_share(sides, IRZ_ROW, &sum[0][0], error);
  }
  if (code == IRZ_OK) {
    for (int32_t row = sides->n_nodes; row < sides->n_rows; row++) {
      make_joint(sides, (const double(*)[IRZ_ROW])sum, row, &sides->joint[row - sides->n_nodes]);
    }
    mark_turns(sides, further, turns);
    code = irz_sides_share(sides, 1, turns, error);
  }
  for (int32_t row = sides->n_nodes; code == IRZ_OK && row < sides->n_rows; row++) {
    if (turns[irz_row_node(sides, row)] > 0) memset(sides->joint[row - sides->n_nodes].normal, 0, 3 * sizeof(double));
  }
  free(sum);
  free(turns);
  return code;
}

IrzCode irz_sides_create(const IrzMedium *medium, const IrzLaw *const *laws, IrzFollowed followed, IrzSides *sides,
                         IrzError *error) {
  const IrzPart *part = medium->part;
  Around around = {.medium = medium};
  int several = 0;
  *sides = (IrzSides){.part = part, .n_nodes = part->n_vertices + part->n_edges};
  sides->n_rows = sides->n_nodes;
  int mine = find_tissues(medium, laws, followed, &around);
  MPI_Allreduce(&mine, &several, 1, MPI_INT, MPI_MAX, part->comm);
  if (!several) return IRZ_OK;
  IrzCode code = find_sets(medium, &around, error);
  if (code == IRZ_OK) {
    number_rows(&around, sides, error);
    code = irz_error_agree(part->comm, error);
  }
  mine = sides->n_rows > sides->n_nodes;
  MPI_Allreduce(&mine, &several, 1, MPI_INT, MPI_MAX, part->comm);
  if (code == IRZ_OK && several) {
    give_rows(&around, sides, error);
    code = irz_error_agree(part->comm, error);
    if (code == IRZ_OK) code = share_rows(&around, sides, error);
    if (code == IRZ_OK && followed == IRZ_FOLLOWS_LAWS) code = find_joints(around.start, sides, error);
  }
  free(around.set);
  free(around.mixed);
  free(around.start);
  return code;
}

void irz_sides_clear(IrzSides *sides) {
  if (sides->rows != NULL) PetscSFDestroy(&sides->rows);
  free(sides->node);
  free(sides->tissue);
  free(sides->joint);
  free(sides->between);
  free(sides->split);
  free(sides->row);
  *sides = (IrzSides){0};
}

IrzCode irz_sides_share(const IrzSides *sides, int components, double *values, IrzError *error) {
  if (sides->rows == NULL) return irz_part_share(sides->part, components, values, error);
  return irz_share_over(sides->rows, components, values, error);
}

/// The first further row of a node that is not before `node`, or the last row's successor.
static int32_t first_further(const IrzSides *sides, int32_t node) {
  int32_t low = 0, high = sides->n_rows - sides->n_nodes;
  while (low < high) {
    int32_t middle = low + (high - low) / 2;
    if (sides->node[middle] < node)
      low = middle + 1;
    else
      high = middle;
  }
  return sides->n_nodes + low;
}

void irz_member_rows(const IrzMember *member, const IrzSides *sides, int k, int32_t run[2]) {
  const int32_t *range = k % 2 == 0 ? member->vertex : member->edge;
  for (int end = 0; end < 2; end++) run[end] = k < 2 ? range[end] : first_further(sides, range[end]);
}
