/* Exchange between the ranks of a level; see halo.h. */
#include "solver/halo.h"
#include "base/memory.h"
#include "base/petsc.h"
#include <stdlib.h>

IrzHalo irz_halo_of(const IrzSpace *space) {
  return (IrzHalo){.comm = space->part->comm,
                   .size = space->part->size,
                   .n = space->n_owned,
                   .n_local = space->n_local,
                   .first = space->first,
                   .n_global = space->n_global,
                   .ghost = space->ghost,
                   .sf = space->part->size > 1 ? space->halo : NULL};
}

IrzHalo irz_halo_alone(int32_t n) {
  return (IrzHalo){.comm = PETSC_COMM_SELF, .size = 1, .n = n, .n_local = n, .n_global = n};
}

IrzCode irz_halo_divide(MPI_Comm comm, int32_t n, IrzHalo *halo, IrzError *error) {
  int64_t mine = n, end, all;
  *halo = (IrzHalo){.comm = comm, .n = n, .n_local = n};
  MPI_Comm_size(comm, &halo->size);
  MPI_Scan(&mine, &end, 1, MPI_INT64_T, MPI_SUM, comm);
  MPI_Allreduce(&mine, &all, 1, MPI_INT64_T, MPI_SUM, comm);
  if (all > INT32_MAX) return irz_error_set(error, IRZ_ERR_SOLVER, "a coarse level has more than 2^31 unknowns");
  halo->first = (PetscInt)(end - mine);
  halo->n_global = (PetscInt)all;
  return IRZ_OK;
}

static int compare(const void *a, const void *b) {
  const PetscInt *p = a, *q = b;
  return (*p > *q) - (*p < *q);
}

/// Whether this rank owns a global number.
static bool is_owned(const IrzHalo *halo, PetscInt global) {
  return global >= halo->first && global < halo->first + halo->n;
}

PetscInt irz_halo_foreign(const IrzHalo *halo, PetscInt n, PetscInt *list) {
  PetscInt foreign = 0, count = 0;
  for (PetscInt k = 0; k < n; k++) {
    if (!is_owned(halo, list[k])) list[foreign++] = list[k];
  }
  qsort(list, (size_t)foreign, sizeof *list, compare);
  for (PetscInt k = 0; k < foreign; k++) {
    if (k == 0 || list[k] != list[k - 1]) list[count++] = list[k];
  }
  return count;
}

PetscErrorCode irz_halo_connect(IrzHalo *halo, PetscInt n, const PetscInt *ghost) {
  PetscLayout layout;

  PetscFunctionBegin;
  halo->ghost = ghost;
  halo->ours = true;
  halo->n_local = halo->n + n;
  PetscCall(PetscLayoutCreateFromSizes(halo->comm, halo->n, PETSC_DECIDE, 1, &layout));
  PetscCall(PetscSFCreate(halo->comm, &halo->sf));
  PetscCall(PetscSFSetGraphLayout(halo->sf, layout, n, NULL, PETSC_OWN_POINTER, ghost));
  PetscCall(PetscSFSetUp(halo->sf));
  PetscCall(PetscLayoutDestroy(&layout));
  PetscFunctionReturn(0);
}

void irz_halo_disconnect(IrzHalo *halo) {
  if (halo->ours) {
    PetscSFDestroy(&halo->sf);
    free((void *)halo->ghost);
  }
  halo->ours = false;
  halo->ghost = NULL;
  halo->sf = NULL;
  halo->n_local = halo->n;
}

int32_t irz_halo_local(const IrzHalo *halo, PetscInt global) {
  if (is_owned(halo, global)) return global - halo->first;
  const PetscInt *hit = bsearch(&global, halo->ghost, (size_t)(halo->n_local - halo->n), sizeof global, compare);
  return halo->n + (int32_t)(hit - halo->ghost);
}

PetscErrorCode irz_halo_share(const IrzHalo *halo, MPI_Datatype type, void *x) {
  int bytes;

  PetscFunctionBegin;
  if (halo->size == 1) PetscFunctionReturn(0);
  PetscCallMPI(MPI_Type_size(type, &bytes));
  char *ghosts = (char *)x + (size_t)bytes * (size_t)halo->n;
  PetscCall(PetscSFBcastBegin(halo->sf, type, x, ghosts, MPI_REPLACE));
  PetscCall(PetscSFBcastEnd(halo->sf, type, x, ghosts, MPI_REPLACE));
  PetscFunctionReturn(0);
}

PetscErrorCode irz_halo_add(const IrzHalo *halo, float *x) {
  PetscFunctionBegin;
  if (halo->size == 1) PetscFunctionReturn(0);
  PetscCall(PetscSFReduceBegin(halo->sf, MPI_FLOAT, x + halo->n, x, MPI_SUM));
  PetscCall(PetscSFReduceEnd(halo->sf, MPI_FLOAT, x + halo->n, x, MPI_SUM));
  PetscFunctionReturn(0);
}

/* ---- Rows of ghosts ---- */

/// Fetch the entries of the ghosts' rows, which start where their owners say, into the places behind the owned rows.
static PetscErrorCode fetch_entries(const IrzHalo *halo, const PetscInt *begin, IrzRows *rows) {
  PetscInt n_ghosts = halo->n_local - halo->n, own = rows->start[halo->n], count = rows->start[halo->n_local] - own;
  const PetscSFNode *owner;
  PetscSFNode *from;
  PetscSF sf;

  PetscFunctionBegin;
  PetscCall(PetscSFGetGraph(halo->sf, NULL, NULL, NULL, &owner));
  PetscCall(PetscMalloc1(count, &from));
  for (PetscInt g = 0; g < n_ghosts; g++) {
    PetscInt start = rows->start[halo->n + g], length = rows->start[halo->n + g + 1] - start;
    for (PetscInt k = 0; k < length; k++) {
      from[start - own + k] = (PetscSFNode){.rank = owner[g].rank, .index = begin[halo->n + g] + k};
    }
  }
  PetscCall(PetscSFCreate(halo->comm, &sf));
  PetscCall(PetscSFSetGraph(sf, own, count, NULL, PETSC_OWN_POINTER, from, PETSC_OWN_POINTER));
  PetscCall(PetscSFSetUp(sf));
  PetscCall(PetscSFBcastBegin(sf, MPIU_INT, rows->column, rows->column + own, MPI_REPLACE));
  PetscCall(PetscSFBcastEnd(sf, MPIU_INT, rows->column, rows->column + own, MPI_REPLACE));
  PetscCall(PetscSFBcastBegin(sf, MPI_FLOAT, rows->value, rows->value + own, MPI_REPLACE));
  PetscCall(PetscSFBcastEnd(sf, MPI_FLOAT, rows->value, rows->value + own, MPI_REPLACE));
  PetscCall(PetscSFDestroy(&sf));
  PetscFunctionReturn(0);
}

IrzCode irz_halo_fetch(const IrzHalo *halo, IrzRows *rows, IrzError *error) {
  size_t n_local = (size_t)halo->n_local;
  PetscInt *begin = NULL, *length = NULL;
  IrzCode code = irz_alloc(&begin, n_local, sizeof *begin, error);
  if (code == IRZ_OK) code = irz_alloc(&length, n_local, sizeof *length, error);
  if (code == IRZ_OK) code = irz_resize(&rows->start, n_local + 1, sizeof *rows->start, error);
  if (irz_error_agree(halo->comm, error) == IRZ_OK) {
    for (int32_t r = 0; r < halo->n; r++) {
      begin[r] = rows->start[r];
      length[r] = rows->start[r + 1] - rows->start[r];
    }
    code = irz_petsc(irz_halo_share(halo, MPIU_INT, begin), "rows of ghosts", error);
    if (code == IRZ_OK) code = irz_petsc(irz_halo_share(halo, MPIU_INT, length), "rows of ghosts", error);
    if (code == IRZ_OK) {
      for (int32_t r = halo->n; r < halo->n_local; r++) rows->start[r + 1] = rows->start[r] + length[r];
      rows->n = halo->n_local;
      size_t entries = (size_t)rows->start[halo->n_local];
      code = irz_resize(&rows->column, entries, sizeof *rows->column, error);
      if (code == IRZ_OK) code = irz_resize(&rows->value, entries, sizeof *rows->value, error);
    }
    if (irz_error_agree(halo->comm, error) == IRZ_OK)
      code = irz_petsc(fetch_entries(halo, begin, rows), "rows of ghosts", error);
  }
  free(begin);
  free(length);
  return error->code != IRZ_OK ? error->code : code;
}

/* ---- Entries ---- */

/// Counts and shifts of what goes to and comes from each rank.
typedef struct {
  int *to, *to_shift, *from, *from_shift; ///< [size], [size + 1]
} Traffic;

static void traffic_clear(Traffic *traffic) {
  free(traffic->to);
  free(traffic->to_shift);
  free(traffic->from);
  free(traffic->from_shift);
}

static IrzCode traffic_alloc(int size, Traffic *traffic, IrzError *error) {
  size_t n = (size_t)size + 1;
  IRZ_TRY(irz_alloc(&traffic->to, n, sizeof(int), error));
  IRZ_TRY(irz_alloc(&traffic->to_shift, n, sizeof(int), error));
  IRZ_TRY(irz_alloc(&traffic->from, n, sizeof(int), error));
  return irz_alloc(&traffic->from_shift, n, sizeof(int), error);
}

static void add_up(int size, const int *count, int *shift) {
  shift[0] = 0;
  for (int r = 0; r < size; r++) shift[r + 1] = shift[r] + count[r];
}

/// The last rank whose range starts at or before a number.
static int owner_of(const PetscInt *first, int size, PetscInt number) {
  int low = 0, high = size;
  while (high - low > 1) {
    int middle = (low + high) / 2;
    if (first[middle] <= number)
      low = middle;
    else
      high = middle;
  }
  return low;
}

/// Order entries by the rank that owns their row and count them.
static void order_entries(int size, const PetscInt *first, const IrzEntries *entries, Traffic *traffic,
                          IrzEntries *ordered) {
  for (PetscInt k = 0; k < entries->n; k++) traffic->to[owner_of(first, size, entries->row[k])]++;
  add_up(size, traffic->to, traffic->to_shift);
  for (PetscInt k = 0; k < entries->n; k++) {
    int at = traffic->to_shift[owner_of(first, size, entries->row[k])]++;
    ordered->row[at] = entries->row[k];
    ordered->column[at] = entries->column[k];
    ordered->value[at] = entries->value[k];
  }
  add_up(size, traffic->to, traffic->to_shift);
}

IrzCode irz_halo_send(const IrzHalo *halo, const IrzEntries *entries, IrzEntries *received, IrzError *error) {
  int size = halo->size;
  Traffic traffic = {0};
  IrzEntries ordered = {0};
  PetscInt *first = NULL;
  IrzCode code = traffic_alloc(size, &traffic, error);
  if (code == IRZ_OK) code = irz_entries_alloc(&ordered, entries->n, error);
  if (code == IRZ_OK) irz_alloc(&first, (size_t)size, sizeof *first, error);
  code = irz_error_agree(halo->comm, error);
  if (code == IRZ_OK) {
    MPI_Allgather(&halo->first, 1, MPIU_INT, first, 1, MPIU_INT, halo->comm);
    order_entries(size, first, entries, &traffic, &ordered);
    MPI_Alltoall(traffic.to, 1, MPI_INT, traffic.from, 1, MPI_INT, halo->comm);
    add_up(size, traffic.from, traffic.from_shift);
    irz_entries_alloc(received, traffic.from_shift[size], error);
    code = irz_error_agree(halo->comm, error);
  }
  if (code == IRZ_OK) {
    const struct {
      const void *from;
      void *to;
      MPI_Datatype type;
    } messages[] = {{ordered.row, received->row, MPIU_INT},
                    {ordered.column, received->column, MPIU_INT},
                    {ordered.value, received->value, MPI_FLOAT}};
    for (int m = 0; m < 3; m++) {
      MPI_Alltoallv(messages[m].from, traffic.to, traffic.to_shift, messages[m].type, messages[m].to, traffic.from,
                    traffic.from_shift, messages[m].type, halo->comm);
    }
  }
  traffic_clear(&traffic);
  irz_entries_clear(&ordered);
  free(first);
  return code;
}

IrzCode irz_halo_collect(const IrzHalo *halo, const IrzEntries *entries, IrzEntries *received, IrzError *error) {
  int size = halo->size, mine = entries->n;
  Traffic traffic = {0};
  traffic_alloc(size, &traffic, error);
  IrzCode code = irz_error_agree(halo->comm, error);
  if (code == IRZ_OK) {
    MPI_Allgather(&mine, 1, MPI_INT, traffic.from, 1, MPI_INT, halo->comm);
    add_up(size, traffic.from, traffic.from_shift);
    irz_entries_alloc(received, traffic.from_shift[size], error);
    code = irz_error_agree(halo->comm, error);
  }
  if (code == IRZ_OK) {
    MPI_Allgatherv(entries->row, mine, MPIU_INT, received->row, traffic.from, traffic.from_shift, MPIU_INT, halo->comm);
    MPI_Allgatherv(entries->column, mine, MPIU_INT, received->column, traffic.from, traffic.from_shift, MPIU_INT,
                   halo->comm);
    MPI_Allgatherv(entries->value, mine, MPI_FLOAT, received->value, traffic.from, traffic.from_shift, MPI_FLOAT,
                   halo->comm);
  }
  traffic_clear(&traffic);
  return code;
}
