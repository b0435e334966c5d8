/* What a sweep would run: its cases as a table, and what is wrong with them. */
#include "base/entry.h"
#include "base/memory.h"
#include "io/csv.h"
#include "sweep/kinds.h"
#include "sweep/sweep.h"
#include <irezone/anatomy.h>
#include <stdlib.h>
#include <string.h>

/// A case that shares its mesh with those of the same hash.
typedef struct {
  uint64_t mesh;
  int number;
} Shared;

static int by_mesh(const void *a, const void *b) {
  const Shared *x = a, *y = b;
  if (x->mesh != y->mesh) return x->mesh < y->mesh ? -1 : 1;
  return (x->number > y->number) - (x->number < y->number);
}

/// Why a case cannot run.
typedef struct {
  IrzCode code;
  char *text; // NULL: it can
} Fault;

/// Looking at cases.
typedef struct {
  const IrzSweep *sweep;
  Shared *shared;  // [n_cases]
  int n_shared;    // cases that can run
  Fault *fault;    // [n_cases]
  char **warnings; // [n_cases] a line each, or NULL
  IrzError *error;
} Preview;

/// Read what a plan refers to, as `irezone check` does.
static IrzCode check_files(IrzPlan *plan, IrzError *error) {
  IrzLabelMap *map = NULL;
  IrzPaths *paths = NULL;
  IrzCode code = irz_plan_check_files(plan, &map, &paths, error);
  irz_paths_free(paths);
  irz_label_map_free(map);
  return code;
}

/// Add the warnings that the files of a mesh brought to those of a case.
static IrzCode add_warnings(Preview *preview, int number, const IrzPlan *plan, int before) {
  char **warnings = &preview->warnings[number - 1];
  for (int i = before; i < plan->n_warnings; i++) {
    size_t length = *warnings != NULL ? strlen(*warnings) : 0, more = strlen(plan->warnings[i]) + 2;
    IRZ_TRY(irz_resize(warnings, length + more, 1, preview->error));
    snprintf(*warnings + length, more, "%s%s", length > 0 ? "\n" : "", plan->warnings[i]);
  }
  return IRZ_OK;
}

/// Keep what is wrong with a case.
static IrzCode keep_fault(Preview *preview, int number, const IrzError *cause) {
  Fault *fault = &preview->fault[number - 1];
  fault->code = cause->code;
  fault->text = strdup(cause->text);
  return fault->text != NULL ? IRZ_OK : irz_out_of_memory(0, preview->error);
}

/// Read the plans of all cases.
static IrzCode read_plans(Preview *preview) {
  for (int i = 1; i <= preview->sweep->n_cases; i++) {
    IrzPlan *plan = NULL;
    IrzError cause = {0};
    IrzCode code = IRZ_OK;
    if (irz_sweep_plan(preview->sweep, i, &plan, &cause) == IRZ_OK) {
      uint64_t mesh = 0;
      code = irz_mesh_hash(plan, &mesh, preview->error);
      preview->shared[preview->n_shared++] = (Shared){mesh, i};
      if (code == IRZ_OK) code = irz_case_warnings(plan, &preview->warnings[i - 1], preview->error);
    } else {
      code = keep_fault(preview, i, &cause);
    }
    irz_plan_free(plan);
    IRZ_TRY(code);
  }
  qsort(preview->shared, (size_t)preview->n_shared, sizeof *preview->shared, by_mesh);
  return IRZ_OK;
}

/// Check the files of each mesh, once, by its first case.
static IrzCode check_meshes(Preview *preview, int *n_meshes) {
  *n_meshes = 0;
  for (int i = 0, end = 0; i < preview->n_shared; i = end) {
    while (end < preview->n_shared && preview->shared[end].mesh == preview->shared[i].mesh) end++;
    IrzPlan *plan = NULL;
    IrzError cause = {0};
    ++*n_meshes;
    IrzCode code = IRZ_OK;
    if (irz_sweep_plan(preview->sweep, preview->shared[i].number, &plan, &cause) == IRZ_OK) {
      int before = plan->n_warnings;
      check_files(plan, &cause);
      for (int k = i; k < end && code == IRZ_OK; k++) {
        code = add_warnings(preview, preview->shared[k].number, plan, before);
      }
    }
    irz_plan_free(plan);
    for (int k = i; k < end && code == IRZ_OK && cause.code != IRZ_OK; k++) {
      code = keep_fault(preview, preview->shared[k].number, &cause);
    }
    IRZ_TRY(code);
  }
  return IRZ_OK;
}

/// Sort what was found into kinds.
static IrzCode report(const Preview *preview, IrzSweepReport *result) {
  IrzKinds failures = {0}, warnings = {0};
  IrzCode code = IRZ_OK;
  result->total = preview->sweep->n_cases;
  for (int i = 1; i <= result->total && code == IRZ_OK; i++) {
    const Fault *fault = &preview->fault[i - 1];
    result->failed += fault->text != NULL;
    if (fault->text != NULL) code = irz_kinds_add(&failures, i, fault->code, fault->text, preview->error);
    if (code == IRZ_OK && preview->warnings[i - 1] != NULL) {
      code = irz_kinds_add(&warnings, i, IRZ_OK, preview->warnings[i - 1], preview->error);
    }
  }
  irz_kinds_report(&failures, &warnings, result);
  irz_kinds_clear(&failures);
  irz_kinds_clear(&warnings);
  return code;
}

IrzCode irz_sweep_preview(const IrzSweep *sweep, IrzSweepReport *result, int *n_meshes, IrzError *error) {
  IRZ_ENTER(error);
  IRZ_NEED(sweep != NULL && result != NULL && n_meshes != NULL);
  *result = (IrzSweepReport){0};
  *n_meshes = 0;
  IRZ_TRY(irz_sweep_check_columns(sweep, error));
  size_t n = (size_t)sweep->n_cases;
  Preview preview = {.sweep = sweep, .error = error};
  IrzCode code = irz_alloc(&preview.shared, n, sizeof *preview.shared, error);
  if (code == IRZ_OK) code = irz_alloc(&preview.fault, n, sizeof *preview.fault, error);
  if (code == IRZ_OK) code = irz_alloc(&preview.warnings, n, sizeof *preview.warnings, error);
  if (code == IRZ_OK) code = read_plans(&preview);
  if (code == IRZ_OK) code = check_meshes(&preview, n_meshes);
  if (code == IRZ_OK) code = report(&preview, result);
  for (size_t i = 0; i < n; i++) {
    if (preview.fault != NULL) free(preview.fault[i].text);
    if (preview.warnings != NULL) free(preview.warnings[i]);
  }
  free(preview.shared);
  free(preview.fault);
  free((void *)preview.warnings);
  return code;
}

IrzCode irz_sweep_print(const IrzSweep *sweep, FILE *out, IrzError *error) {
  IRZ_ENTER(error);
  IRZ_NEED(sweep != NULL && out != NULL);
  for (int i = 0; i <= sweep->n_cases; i++) {
    if (i == 0)
      fputs("case", out);
    else
      fprintf(out, "%d", i);
    for (int j = 0; j < sweep->n_parameters; j++) {
      char value[IRZ_SWEEP_MAX_TEXT];
      if (i > 0) irz_sweep_value(sweep, i, j, value, sizeof value);
      fputc(',', out);
      irz_csv_cell(out, i > 0 ? value : sweep->parameters[j].key);
    }
    fputc('\n', out);
  }
  if (fflush(out) == 0 && ferror(out) == 0) return IRZ_OK;
  return irz_error_set(error, IRZ_ERR_OUTPUT, "the table of cases cannot be written");
}
