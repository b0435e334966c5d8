/* From the journals to what a person reads: sweep.csv, sweep.h5, sweep.json, probability.hdf. */
#include "base/deadline.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/replace.h"
#include "io/csv.h"
#include "io/hdf.h"
#include "sweep/case.h"
#include "sweep/kinds.h"
#include "sweep/statistics.h"
#include "sweep/sweep.h"
#include <irezone/result.h>
#include <jansson.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/// All results of a sweep.
typedef struct {
  const IrzSweep *sweep;
  IrzCaseResult *row; // [n_cases]; number 0: missing
  double *values;     // [n_cases][columns of the sweep] what the rows' values point to
  int n_done, n_failed;
  IrzKinds warnings, failures;
  IrzPointGrid grid;
  size_t n_points;  // 0: no map
  uint32_t *counts; // [n_strata][n_points]
  int *counted;     // [n_strata] cases in the map
} Table;

/// Columns that every sweep has.
static int n_common(void) {
  int n = 0;
  for (int k = 0; k < irz_n_case_numbers; k++) n += irz_case_numbers[k].column != NULL;
  return n;
}

/// Columns of a sweep: those of every sweep and its own.
static int n_columns(const IrzSweep *sweep) {
  return n_common() + sweep->n_columns;
}

/// The number of every case that a column has; NULL: the column is the sweep's own.
static const IrzCaseNumber *common_number(int k) {
  for (int i = 0; i < irz_n_case_numbers; i++) {
    if (irz_case_numbers[i].column != NULL && k-- == 0) return &irz_case_numbers[i];
  }
  return NULL;
}

static const char *column_name(const IrzSweep *sweep, int k) {
  const IrzCaseNumber *number = common_number(k);
  return number != NULL ? number->column : sweep->columns[k - n_common()].path;
}

/// Whether a column has statistics: volume, current and the sweep's own have.
static bool has_statistics(int k) {
  const IrzCaseNumber *number = common_number(k);
  return number == NULL || number->statistics;
}

/// A result in the unit of its column; NaN if there is none.
static double column_value(int k, const IrzCaseResult *row) {
  const IrzCaseNumber *number = common_number(k);
  if (number == NULL) return row->failed || row->values == NULL ? NAN : row->values[k - n_common()];
  if (row->failed && !number->always) return NAN;
  double value = irz_case_number_get(number, row);
  if (value < 0 && number->offset == offsetof(IrzCaseResult, volume_error)) return NAN; /* not estimated */
  return number->unit > 0 ? value / number->unit : value;
}

/// Whether a column is a time, which takes no more than four decimals.
static bool is_time(int k) {
  const IrzCaseNumber *number = common_number(k);
  return number != NULL && number->offset == offsetof(IrzCaseResult, seconds);
}

static int runs_per_stratum(const IrzSweep *sweep) {
  return sweep->n_cases / sweep->n_strata;
}

int irz_case_stratum(const IrzSweep *sweep, int number) {
  return (number - 1) / runs_per_stratum(sweep);
}

bool irz_case_counts(const IrzSweep *sweep, int number) {
  if (sweep->design != IRZ_DESIGN_SALTELLI) return true;
  return (number - 1) % (sweep->n_random + 2) < 2;
}

/// Whether a record of a case counts rather than one read before: a success more than a failure, one that says why more
/// than a time limit, a longer limit more than a shorter one.
static bool counts_more(const IrzCaseResult *record, const IrzCaseResult *before) {
  if (!before->failed || !record->failed) return before->failed && !record->failed;
  if (strcmp(before->status, IRZ_TIMEOUT) != 0) return false;
  return strcmp(record->status, IRZ_TIMEOUT) != 0 || record->seconds > before->seconds;
}

/// Take a record into the table; of those that are equal the first counts.
static IrzCode take_record(void *context, const IrzCaseResult *result, IrzError *error) {
  Table *table = context;
  IrzCaseResult *row = &table->row[result->number - 1];
  bool known = row->number != 0;
  if (known && !counts_more(result, row)) return IRZ_OK;
  table->n_done += !known;
  table->n_failed += result->failed - (known && row->failed);
  size_t n = (size_t)table->sweep->n_columns;
  double *values = table->values + n * (size_t)(result->number - 1);
  free(row->warnings);
  *row = *result;
  row->map = NULL; /* belongs to the reader, and so do the next two */
  row->warnings = NULL;
  row->values = n > 0 ? memcpy(values, result->values, n * sizeof *values) : NULL;
  if (result->warnings != NULL && (row->warnings = strdup(result->warnings)) == NULL)
    return irz_out_of_memory(0, error);
  if (result->failed || table->n_points == 0 || result->map == NULL || !irz_case_counts(table->sweep, result->number)) {
    return IRZ_OK;
  }
  int stratum = irz_case_stratum(table->sweep, result->number);
  table->counted[stratum]++;
  return irz_map_add(result->map, result->map_size, table->n_points, table->counts + (size_t)stratum * table->n_points,
                     error);
}

/// The warnings of a case in one field: with "; " between them.
static void write_warnings(FILE *out, const char *warnings) {
  if (warnings == NULL) return;
  fputc('"', out);
  for (const char *c = warnings; *c != '\0'; c++) {
    if (*c == '"') fputc('"', out);
    if (*c == '\n') fputs("; ", out);
    if (*c != '\n') fputc(*c, out);
  }
  fputc('"', out);
}

static void print_csv(const Table *table, FILE *out) {
  const IrzSweep *sweep = table->sweep;
  fputs("case", out);
  for (int j = 0; j < sweep->n_parameters; j++) {
    fputc(',', out);
    irz_csv_cell(out, sweep->parameters[j].key);
  }
  fputs(",status", out);
  for (int k = 0; k < n_columns(sweep); k++) {
    fputc(',', out);
    irz_csv_cell(out, column_name(sweep, k));
  }
  fputs(",warnings\n", out);
  for (int i = 0; i < sweep->n_cases; i++) {
    const IrzCaseResult *row = &table->row[i];
    if (row->number == 0) continue;
    fprintf(out, "%d", row->number);
    for (int j = 0; j < sweep->n_parameters; j++) {
      char value[IRZ_SWEEP_MAX_TEXT];
      irz_sweep_value(sweep, row->number, j, value, sizeof value);
      fputc(',', out);
      irz_csv_cell(out, value);
    }
    fputc(',', out);
    irz_csv_cell(out, row->status);
    for (int k = 0; k < n_columns(sweep); k++) {
      double value = column_value(k, row);
      if (isnan(value)) {
        fputc(',', out);
      } else {
        fprintf(out, is_time(k) ? ",%.4f" : ",%.10g", value);
      }
    }
    fputc(',', out);
    write_warnings(out, row->warnings);
    fputc('\n', out);
  }
}

static IrzCode write_csv(const char *directory, const Table *table, IrzError *error) {
  char path[IRZ_PATH_MAX];
  snprintf(path, sizeof path, "%s/sweep.csv", directory);
  IrzReplace file;
  FILE *out;
  IRZ_TRY(irz_replace_begin(&file, path, error));
  IRZ_TRY(irz_replace_stream(&file, &out, error));
  print_csv(table, out);
  return irz_replace_commit(&file, error);
}

/// A number in JSON; null if there is none.
static json_t *json_number(double value) {
  return isfinite(value) ? json_real(value) : json_null();
}

static json_t *json_estimate(const IrzEstimate *estimate) {
  return json_pack("{s:o, s:o, s:o, s:o}", "value", json_number(estimate->value), "standard_error",
                   json_number(estimate->error), "low95", json_number(estimate->low), "high95",
                   json_number(estimate->high));
}

/// Statistics of one column over a stratum.
static IrzCode describe_column(const Table *table, int stratum, int k, double *sample, json_t *into, IrzError *error) {
  const IrzSweep *sweep = table->sweep;
  int runs = runs_per_stratum(sweep), n = 0, at[2] = {0, 0};
  double low = INFINITY, high = -INFINITY;
  for (int i = stratum * runs; i < (stratum + 1) * runs; i++) {
    const IrzCaseResult *row = &table->row[i];
    double value = row->number == 0 ? NAN : column_value(k, row);
    if (isnan(value) || !irz_case_counts(sweep, i + 1)) continue;
    if (value < low) at[0] = i + 1;
    if (value > high) at[1] = i + 1;
    low = fmin(low, value);
    high = fmax(high, value);
    sample[n++] = value;
  }
  json_t *entry = json_pack("{s:i}", "n", n);
  json_object_set_new(into, column_name(sweep, k), entry);
  if (n > 0) {
    json_object_set_new(entry, "min", json_number(low));
    json_object_set_new(entry, "min_case", json_integer(at[0]));
    json_object_set_new(entry, "max", json_number(high));
    json_object_set_new(entry, "max_case", json_integer(at[1]));
  }
  if (n < 2 || sweep->n_random == 0) return IRZ_OK;
  IrzStatistics statistics;
  IRZ_TRY(irz_statistics(n, sample, sweep->seed + (uint64_t)k, &statistics, error));
  json_object_set_new(entry, "mean", json_estimate(&statistics.mean));
  json_object_set_new(entry, "standard_deviation", json_estimate(&statistics.sd));
  json_object_set_new(entry, "percentile_05", json_estimate(&statistics.p05));
  json_object_set_new(entry, "percentile_50", json_estimate(&statistics.p50));
  json_object_set_new(entry, "percentile_95", json_estimate(&statistics.p95));
  return IRZ_OK;
}

/// What happened in several cases, each kind with its first case.
static json_t *json_kinds(const IrzKinds *kinds) {
  json_t *list = json_array();
  for (int i = 0; i < kinds->n; i++) {
    const IrzKind *kind = &kinds->kind[i];
    json_array_append_new(
        list, json_pack("{s:s, s:i, s:i}", "text", kind->text, "cases", kind->n_cases, "first_case", kind->first));
  }
  return list;
}

/// Sobol indices of one column over a stratum; rows with a missing or failed case are left out.
static IrzCode describe_indices(const Table *table, int stratum, int k, json_t *into, IrzError *error) {
  const IrzSweep *sweep = table->sweep;
  int dim = sweep->n_random, runs = runs_per_stratum(sweep), n = 0;
  double *y = NULL;
  IrzSobolIndex index[IRZ_SWEEP_MAX_RANDOM];
  IRZ_TRY(irz_alloc(&y, (size_t)runs, sizeof *y, error));
  for (int r = 0; r < sweep->n_samples; r++) {
    double *row = y + (size_t)n * (size_t)(dim + 2);
    bool whole = true;
    for (int m = 0; m < dim + 2; m++) {
      const IrzCaseResult *result = &table->row[stratum * runs + r * (dim + 2) + m];
      row[m] = result->number == 0 ? NAN : column_value(k, result);
      if (isnan(row[m])) whole = false;
    }
    n += whole;
  }
  IrzCode code = n < 2 ? IRZ_OK : irz_sobol_indices(n, dim, y, sweep->seed + (uint64_t)k, index, error);
  free(y);
  if (n < 2 || code != IRZ_OK) return code;
  json_t *list = json_array();
  int i = 0;
  for (int j = 0; j < sweep->n_parameters; j++) {
    if (sweep->parameters[j].draw == IRZ_DRAW_VALUES) continue;
    json_array_append_new(list, json_pack("{s:s, s:i, s:o, s:o}", "key", sweep->parameters[j].key, "rows", n, "first",
                                          json_estimate(&index[i].first), "total", json_estimate(&index[i].total)));
    i++;
  }
  json_object_set_new(into, column_name(sweep, k), list);
  return IRZ_OK;
}

/// The statistics of a stratum.
static IrzCode describe_stratum(const Table *table, int stratum, double *sample, json_t *into, IrzError *error) {
  const IrzSweep *sweep = table->sweep;
  int runs = runs_per_stratum(sweep), done = 0, failed = 0, split = 0;
  json_t *values = json_object();
  for (int j = 0; j < sweep->n_parameters && sweep->n_random > 0; j++) {
    if (sweep->parameters[j].draw != IRZ_DRAW_VALUES) continue;
    char text[IRZ_SWEEP_MAX_TEXT];
    irz_sweep_value(sweep, stratum * runs + 1, j, text, sizeof text);
    json_object_set_new(values, sweep->parameters[j].key, json_string(text));
  }
  for (int i = stratum * runs; i < (stratum + 1) * runs; i++) {
    const IrzCaseResult *row = &table->row[i];
    done += row->number != 0;
    failed += row->number != 0 && row->failed;
    split += row->number != 0 && !row->failed && row->n_parts > 1;
  }
  json_object_set_new(into, "values", values);
  json_object_set_new(into, "cases", json_integer(runs));
  json_object_set_new(into, "done", json_integer(done));
  json_object_set_new(into, "failed", json_integer(failed));
  json_object_set_new(into, "in_several_parts", json_integer(split));
  for (int k = 0; k < n_columns(sweep); k++) {
    if (has_statistics(k)) IRZ_TRY(describe_column(table, stratum, k, sample, into, error));
  }
  if (sweep->design != IRZ_DESIGN_SALTELLI) return IRZ_OK;
  json_t *indices = json_object();
  json_object_set_new(into, "sobol_indices", indices);
  for (int k = 0; k < n_columns(sweep); k++) {
    if (has_statistics(k)) IRZ_TRY(describe_indices(table, stratum, k, indices, error));
  }
  return IRZ_OK;
}

/// The statistics as JSON text, to be released with free().
static IrzCode build_text(const Table *table, char **text, IrzError *error) {
  const IrzSweep *sweep = table->sweep;
  double *sample;
  IRZ_TRY(irz_alloc(&sample, (size_t)runs_per_stratum(sweep), sizeof *sample, error));
  json_t *strata = json_array();
  json_t *top = json_pack("{s:s, s:s, s:i, s:i, s:i, s:I}", "sweep", sweep->file, "sample",
                          irz_design_names[sweep->design], "cases", sweep->n_cases, "done", table->n_done, "failed",
                          table->n_failed, "seed", (json_int_t)sweep->seed);
  IrzCode code = top != NULL ? IRZ_OK : irz_error_set(error, IRZ_ERR_MEMORY, "out of memory");
  for (int s = 0; s < sweep->n_strata && code == IRZ_OK; s++) {
    json_t *entry = json_object();
    json_array_append_new(strata, entry);
    code = describe_stratum(table, s, sample, entry, error);
  }
  if (top != NULL) {
    if (sweep->n_random > 0) {
      json_object_set_new(top, "sampling_errors",
                          json_string("bootstrap, as for independent cases; for sobol, latin-hypercube and saltelli "
                                      "samples an upper estimate as a rule"));
    }
    json_object_set_new(top, "failures", json_kinds(&table->failures));
    json_object_set_new(top, "warnings", json_kinds(&table->warnings));
    json_object_set(top, "strata", strata);
  }
  if (code == IRZ_OK) {
    *text = json_dumps(top, JSON_INDENT(1) | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(10));
    if (*text == NULL) code = irz_error_set(error, IRZ_ERR_MEMORY, "out of memory");
  }
  json_decref(strata);
  json_decref(top);
  free(sample);
  return code;
}

/// The same; whole, or an error.
static IrzCode describe(const Table *table, char **text, IrzError *error) {
  irz_json_watch();
  IrzCode code = build_text(table, text, error);
  if (irz_json_watched() || code != IRZ_OK) return code;
  free(*text);
  *text = NULL;
  return irz_out_of_memory(0, error);
}

/// One list of numbers, written from the rows that are there.
static int write_numbers(hid_t group, const char *name, int n, const double *data) {
  return irz_hdf_array(group, name, 1, (hsize_t[]){(hsize_t)n}, H5T_NATIVE_DOUBLE, data);
}

/// A name that HDF5 does not take for a path.
static void hdf_name(const char *key, char *name, size_t size) {
  snprintf(name, size, "%s", key);
  for (char *c = name; *c != '\0'; c++) {
    if (*c == '/') *c = '_';
  }
}

/// The varied values, a dataset each.
static int write_parameters(hid_t file, const Table *table, double *work, char *texts) {
  const IrzSweep *sweep = table->sweep;
  hid_t group = H5Gcreate2(file, "parameters", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  int bad = group < 0;
  for (int j = 0; j < sweep->n_parameters && !bad; j++) {
    const IrzParameter *parameter = &sweep->parameters[j];
    char name[512];
    hdf_name(parameter->key, name, sizeof name);
    int n = 0;
    for (int i = 0; i < sweep->n_cases; i++) {
      if (table->row[i].number == 0) continue;
      double value = sweep->value[(size_t)i * (size_t)sweep->n_parameters + (size_t)j];
      if (parameter->is_text) {
        irz_sweep_value(sweep, i + 1, j, texts + (size_t)n * IRZ_SWEEP_MAX_TEXT, IRZ_SWEEP_MAX_TEXT);
      }
      work[n++] = parameter->draw == IRZ_DRAW_VALUES ? parameter->number[(int)value] : value;
    }
    bad = parameter->is_text ? irz_hdf_texts(group, name, n, texts, IRZ_SWEEP_MAX_TEXT)
                             : write_numbers(group, name, n, work);
  }
  if (group >= 0) H5Gclose(group);
  return bad;
}

/// A dataset with the warnings of every case, a line each.
static int write_warning_texts(hid_t group, const Table *table, const char **pointers) {
  int n = 0;
  for (int i = 0; i < table->sweep->n_cases; i++) {
    const IrzCaseResult *row = &table->row[i];
    if (row->number != 0) pointers[n++] = row->warnings != NULL ? row->warnings : "";
  }
  return irz_hdf_strings(group, "warnings", n, pointers);
}

/// Case numbers, status and results, a dataset each.
static int write_results(hid_t file, const Table *table, double *work, char *texts) {
  const IrzSweep *sweep = table->sweep;
  enum { STATUS_SIZE = sizeof table->row->status };
  hid_t group = H5Gcreate2(file, "results", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  int bad = group < 0, n = 0;
  for (int i = 0; i < sweep->n_cases; i++) {
    if (table->row[i].number == 0) continue;
    memcpy(texts + (size_t)n * STATUS_SIZE, table->row[i].status, STATUS_SIZE);
    work[n++] = i + 1;
  }
  if (!bad) bad = write_numbers(group, "case", n, work);
  if (!bad) bad = irz_hdf_texts(group, "status", n, texts, STATUS_SIZE);
  for (int k = 0; k < n_columns(sweep) && !bad; k++) {
    char name[512];
    hdf_name(column_name(sweep, k), name, sizeof name);
    n = 0;
    for (int i = 0; i < sweep->n_cases; i++) {
      if (table->row[i].number != 0) work[n++] = column_value(k, &table->row[i]);
    }
    bad = write_numbers(group, name, n, work);
  }
  if (!bad) bad = write_warning_texts(group, table, (const char **)(void *)texts);
  if (group >= 0) H5Gclose(group);
  return bad;
}

/// What sweep.h5 says about the design, for scripts.
static int write_design(hid_t file, const IrzSweep *sweep) {
  int bad = irz_hdf_text_attribute(file, "sample", irz_design_names[sweep->design]);
  bad |= irz_hdf_attribute(file, "cases", 0, H5T_NATIVE_INT, &sweep->n_cases);
  bad |= irz_hdf_attribute(file, "strata", 0, H5T_NATIVE_INT, &sweep->n_strata);
  bad |= irz_hdf_attribute(file, "random_parameters", 0, H5T_NATIVE_INT, &sweep->n_random);
  bad |= irz_hdf_attribute(file, "samples", 0, H5T_NATIVE_INT, &sweep->n_samples);
  return bad;
}

/// The keys that are varied, in their order: groups of HDF5 have none.
static int write_keys(hid_t file, const IrzSweep *sweep) {
  const char *key[IRZ_SWEEP_MAX_PARAMETERS];
  for (int j = 0; j < sweep->n_parameters; j++) key[j] = sweep->parameters[j].key;
  return irz_hdf_strings(file, "varied", sweep->n_parameters, key);
}

static IrzCode write_h5(const char *directory, const Table *table, const char *statistics, IrzError *error) {
  char path[IRZ_PATH_MAX];
  snprintf(path, sizeof path, "%s/sweep.h5", directory);
  size_t n = (size_t)table->sweep->n_cases;
  double *work = NULL;
  char *texts = NULL;
  IrzHdfFile file;
  IrzCode code = irz_alloc(&work, n, sizeof *work, error);
  if (code == IRZ_OK) code = irz_alloc(&texts, n, IRZ_SWEEP_MAX_TEXT, error);
  if (code == IRZ_OK) code = irz_hdf_begin(&file, path, error);
  if (code == IRZ_OK) {
    int bad = write_design(file.id, table->sweep);
    if (!bad) bad = write_keys(file.id, table->sweep);
    if (!bad) bad = write_parameters(file.id, table, work, texts);
    if (!bad) bad = write_results(file.id, table, work, texts);
    if (!bad) bad = irz_hdf_text(file.id, "statistics", statistics);
    if (!bad) bad = irz_hdf_text(file.id, "sweep", table->sweep->text);
    if (!bad) bad = irz_hdf_text(file.id, "plan", table->sweep->plan_text);
    code = irz_hdf_finish(&file, bad, error);
  }
  free(texts);
  free(work);
  return code;
}

static IrzCode table_init(Table *table, const IrzSweep *sweep, IrzError *error) {
  *table = (Table){.sweep = sweep};
  IRZ_TRY(irz_alloc(&table->row, (size_t)sweep->n_cases, sizeof *table->row, error));
  IRZ_TRY(irz_alloc(&table->values, (size_t)sweep->n_cases * (size_t)sweep->n_columns, sizeof *table->values, error));
  if (!sweep->map.wanted) return IRZ_OK;
  IRZ_TRY(irz_map_grid(sweep, &table->grid, error));
  size_t n = (size_t)table->grid.size[0] * (size_t)table->grid.size[1] * (size_t)table->grid.size[2];
  IRZ_TRY(irz_alloc(&table->counts, n * (size_t)sweep->n_strata, sizeof *table->counts, error));
  IRZ_TRY(irz_alloc(&table->counted, (size_t)sweep->n_strata, sizeof *table->counted, error));
  table->n_points = n;
  return IRZ_OK;
}

static void table_clear(Table *table) {
  for (int i = 0; table->row != NULL && i < table->sweep->n_cases; i++) free(table->row[i].warnings);
  irz_kinds_clear(&table->warnings);
  irz_kinds_clear(&table->failures);
  free(table->counted);
  free(table->counts);
  free(table->values);
  free(table->row);
}

/// Sort the warnings and failures into kinds.
static IrzCode find_kinds(Table *table, IrzError *error) {
  for (int i = 0; i < table->sweep->n_cases; i++) {
    const IrzCaseResult *row = &table->row[i];
    if (row->number == 0) continue;
    if (row->failed) IRZ_TRY(irz_kinds_add(&table->failures, row->number, row->code, row->status, error));
    if (row->warnings != NULL) IRZ_TRY(irz_kinds_add(&table->warnings, row->number, IRZ_OK, row->warnings, error));
  }
  return IRZ_OK;
}

/// What a person is told of the table.
static void fill_report(const Table *table, IrzSweepReport *report) {
  report->done = table->n_done;
  report->failed = table->n_failed;
  irz_kinds_report(&table->failures, &table->warnings, report);
}

IrzCode irz_tables_write(const char *directory, const IrzSweep *sweep, IrzSweepReport *report, IrzError *error) {
  Table table;
  char *statistics = NULL, path[IRZ_PATH_MAX];
  IrzDamage damage = {0};
  IrzCode code = table_init(&table, sweep, error);
  if (code == IRZ_OK) code = irz_journal_read(directory, sweep, sweep->map.wanted, take_record, &table, &damage, error);
  if (code == IRZ_OK) code = find_kinds(&table, error);
  if (code == IRZ_OK) code = describe(&table, &statistics, error);
  if (code == IRZ_OK) code = write_csv(directory, &table, error);
  if (code == IRZ_OK) code = write_h5(directory, &table, statistics, error);
  if (code == IRZ_OK) {
    snprintf(path, sizeof path, "%s/sweep.json", directory);
    code = irz_file_write(path, statistics, error);
  }
  if (code == IRZ_OK && table.n_points > 0) {
    code = irz_map_write(directory, sweep, &table.grid, table.counts, table.counted, error);
  }
  report->total = sweep->n_cases;
  fill_report(&table, report);
  report->tables = code == IRZ_OK;
  if (report->done < report->total) irz_damage_report(&damage, report);
  free(statistics);
  table_clear(&table);
  return code;
}

/// Drop the cases of other tasks.
typedef struct {
  Table table;
  int task, n_tasks;
} TaskTable;

static IrzCode take_task_record(void *context, const IrzCaseResult *result, IrzError *error) {
  TaskTable *task = context;
  if ((result->number - 1) % task->n_tasks != task->task - 1) return IRZ_OK;
  return take_record(&task->table, result, error);
}

IrzCode irz_task_report(const char *directory, const IrzSweep *sweep, int task, int n_tasks, IrzSweepReport *report,
                        IrzError *error) {
  TaskTable found = {.table = {.sweep = sweep}, .task = task, .n_tasks = n_tasks};
  Table *table = &found.table;
  IrzCode code = irz_alloc(&table->row, (size_t)sweep->n_cases, sizeof *table->row, error);
  if (code == IRZ_OK) {
    code = irz_alloc(&table->values, (size_t)sweep->n_cases * (size_t)sweep->n_columns, sizeof *table->values, error);
  }
  if (code == IRZ_OK) code = irz_journal_read(directory, sweep, false, take_task_record, &found, NULL, error);
  if (code == IRZ_OK) code = find_kinds(table, error);
  if (code == IRZ_OK) fill_report(table, report);
  table_clear(table);
  return code;
}
