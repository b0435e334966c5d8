/* What the files of src/sweep share. A sweep goes read -> sample -> group -> run (schedule, solve, journal) -> table,
   statistics, map. */
#ifndef IREZONE_SWEEP_SWEEP_H
#define IREZONE_SWEEP_SWEEP_H

#include "plan/plan.h"
#include <gsl/gsl_rng.h>
#include <irezone/model.h>
#include <irezone/sweep.h>
#include <jansson.h>
#include <stdint.h>
#include <sys/types.h>

#define IRZ_SWEEP_MAX_CASES 10000000 ///< more is taken for a mistake in the file
#define IRZ_SWEEP_BATCH 16           ///< cases at most that start from one solution
#define IRZ_SWEEP_MAX_TEXT 256       ///< longest listed value and longest status, with its zero
#define IRZ_SWEEP_MAX_RANDOM 40      ///< parameters with a distribution; the Sobol sequence of GSL has 40 dimensions
#define IRZ_SWEEP_MAX_PARAMETERS 200 ///< varied keys
#define IRZ_SWEEP_MAX_COLUMNS 200    ///< columns beside those that every sweep has

/// How cases are chosen.
typedef enum {
  IRZ_DESIGN_GRID,     ///< all combinations
  IRZ_DESIGN_LIST,     ///< first values together, second values together, ...
  IRZ_DESIGN_RANDOM,   ///< independent random points
  IRZ_DESIGN_SOBOL,    ///< Sobol sequence, shifted at random
  IRZ_DESIGN_LATIN,    ///< Latin hypercube
  IRZ_DESIGN_SALTELLI, ///< A, B and their mixtures, for Sobol indices
} IrzDesign;

/// Their names in a sweep file and in tables, with a null at the end.
extern const char *const irz_design_names[];

/// What a varied value is drawn from.
typedef enum {
  IRZ_DRAW_VALUES, ///< listed
  IRZ_DRAW_UNIFORM,
  IRZ_DRAW_NORMAL,
  IRZ_DRAW_LOGNORMAL,
  IRZ_DRAW_BETA,
  IRZ_DRAW_TRIANGULAR,
} IrzDraw;

/// A varied value.
typedef struct {
  char *key; ///< key path in the plan
  int line;  ///< in the sweep file
  IrzDraw draw;
  double p[3]; ///< uniform: low, high. normal, lognormal: mean, standard deviation (of the value itself). beta: a, b.
               ///< triangular: low, mode, high
  double min, max; ///< truncation, infinite if none; beta: the ends of its range
  int n_values;    ///< listed values
  char **text;     ///< [n_values] as they are written to the plan
  double *number;  ///< [n_values] as numbers; the position in the list if they are not numbers
  bool is_text;    ///< some listed value is not a number
} IrzParameter;

/// A column of results beside those that every sweep has: a number of the JSON summary.
typedef struct {
  char *path; ///< where it stands there, as in `zone.by_region.tumour.ablated_percent`
  int line;   ///< in the sweep file; 0: a column that is there unasked
} IrzSweepColumn;

struct IrzSweep {
  char file[IRZ_PATH_MAX];
  char *text;
  char plan_file[IRZ_PATH_MAX];
  char *plan_text;
  char design_file[IRZ_PATH_MAX]; ///< table of cases, or ""
  char *design_text;              ///< what it holds, or NULL
  int n_set;
  char **set; ///< [n_set] "key=value" applied to every case before its own values
  IrzDesign design;
  int n_samples; ///< `cases` of the file
  uint64_t seed;
  int n_parameters;
  IrzParameter *parameters;
  int n_random;   ///< parameters with a distribution
  int n_strata;   ///< random designs: combinations of the listed parameters, each with the same samples. Else 1
  double *factor; ///< [n_random][n_random] Cholesky factor of the correlation matrix, or NULL
  int n_tasks;    ///< tasks of a job array; 0: not stated
  double timeout; ///< s that a case may take; 0: any
  int n_cases;
  double *value; ///< [n_cases][n_parameters]: the value; for listed parameters the position in the list
  int n_columns;
  IrzSweepColumn *columns; ///< [n_columns]
  bool keep_all;           ///< write the full field of every case
  int n_keep;
  int *keep; ///< [n_keep] case numbers whose full field is written
  struct {
    bool wanted;
    double spacing;   ///< m
    bool boxed;       ///< `box` was given
    double box[2][3]; ///< m
  } map;
};

/* read.c */

/// irz_sweep_parse() with the text of the table of cases, too.
/// @param[in] plan_text, design_text  NULL: read the files
IrzCode irz_sweep_parse_texts(const char *text, const char *file, const char *plan_text, const char *design_text,
                              IrzSweep **sweep, IrzError *error);

/* csv.c */

/// Read a text file that may be larger than a plan; it must be UTF-8.
/// @param[out] text  to be released with free(); NULL on failure
/// @return IRZ_OK, IRZ_ERR_INPUT or IRZ_ERR_PLAN
IrzCode irz_table_load(const char *path, char **text, IrzError *error);

/// Fill a sweep's parameters, which are all listed then, from a table of cases.
/// @param[in]  file   names it in errors
/// @param[out] error  names file, line and column
IrzCode irz_table_read(const char *text, const char *file, IrzSweep *sweep, IrzError *error);

/* sample.c */

/// Inverse of a parameter's cumulative distribution, truncation included.
/// @param[in] parameter  with a distribution
/// @param[in] u          in (0, 1)
double irz_parameter_quantile(const IrzParameter *parameter, double u);

/// Fill points of the unit cube.
/// @param[in]  design  random, sobol or latin-hypercube
/// @param[in]  n       number of points
/// @param[in]  dim     dimensions; sobol: at most 40
/// @param[in]  seed    seed
/// @param[out] u       [n][dim] in (0, 1)
/// @param[out] error   no memory
IrzCode irz_sample_unit(IrzDesign design, int n, int dim, uint64_t seed, double *u, IrzError *error);

/// A generator of random numbers for one purpose: streams of the same seed are unrelated. NULL: no memory.
gsl_rng *irz_sweep_generator(uint64_t seed, unsigned stream);

/* latin.c */

/// Fill a Latin hypercube. The first half of one with an even number of points is the hypercube of half as many.
/// @param[out] u  [n][dim] in (0, 1)
IrzCode irz_latin_fill(int n, int dim, uint64_t seed, double *u, IrzError *error);

/// Exchange values within the columns of a Latin hypercube so that their normal scores are correlated.
/// @param[in]     factor  [dim][dim] Cholesky factor of the correlation matrix
/// @param[in,out] u       [n][dim] in (0, 1)
/// @param[out]    done    false: too few points for so many columns
IrzCode irz_latin_correlate(int n, int dim, const double *factor, double *u, bool *done, IrzError *error);

/* sample.c */

/// Fill sweep->value, ->n_cases and ->n_strata from the parameters.
IrzCode irz_sweep_sample(IrzSweep *sweep, IrzError *error);

/* group.c */

/// A number that is equal for plans which one model serves (as irz_model_serves() compares them) and which fire the
/// same pairs, so that one can start from the other.
IrzCode irz_mesh_hash(const IrzPlan *plan, uint64_t *hash, IrzError *error);

/// The order in which cases are offered, and what each starts from. Depends on the sweep alone.
typedef struct {
  int n_batches;
  int *first;   ///< [n_batches + 1] offsets into `order`; a batch shares mesh and start, its first case is the start
  int *mesh;    ///< [n_batches] batches with the same number share their mesh
  double *cost; ///< [n_batches] expected cost of a case, arbitrary unit
  int n_order;
  int *order; ///< [n_order] case numbers
} IrzBatches;

/// Group cases by mesh, cut the groups into batches of neighbours, and sort these, long cases first.
/// Cases whose plan is wrong form batches of their own (cost 0) at the end.
/// @param[in]  sweep    sweep
/// @param[in]  stop     give up once this is not 0; may be NULL
/// @param[out] batches  irz_batches_clear() it
/// @param[out] error    IRZ_ERR_PLAN if no case is a valid plan (the first one's error); IRZ_ERR_STOPPED
IrzCode irz_batches_make(const IrzSweep *sweep, const volatile sig_atomic_t *stop, IrzBatches *batches,
                         IrzError *error);

/// The same from given mesh numbers and costs.
/// @param[in] n_parameters  columns of value
/// @param[in] value         [n_cases][n_parameters]
/// @param[in] mesh          [n_cases] equal: shared mesh; negative: a batch of its own
/// @param[in] cost          [n_cases]
IrzCode irz_batches_cut(int n_cases, int n_parameters, const double *value, const uint64_t *mesh, const double *cost,
                        IrzBatches *batches, IrzError *error);

void irz_batches_clear(IrzBatches *batches);

/* journal.c */

/// What one case came to. SI units. Its numbers are in the table of case.c.
typedef struct {
  int number;   ///< case, from 1
  bool failed;  ///< no result: `status` says why ...
  IrzCode code; ///< ... and this of which kind it is
  char status[IRZ_SWEEP_MAX_TEXT];
  double volume;       ///< m^3
  double volume_error; ///< m^3; negative or NaN: not estimated
  double current;      ///< A, largest over the pulses
  double extent[3];    ///< m, edges of the zone's bounding box
  double largest_part; ///< m^3
  int n_parts;
  int touches_outer;                        ///< 1: the zone reaches the wall of the tissue box
  int newton_iterations, linear_iterations; ///< sums over the pulses
  double seconds;                           ///< wall time of the case, its share of mesh included
  double *values;                           ///< [columns of the sweep], NaN: none; owned; NULL: none at all
  char *warnings;                           ///< a line each, owned; NULL if there are none
  uint8_t *map;                             ///< compressed samples of the zone, owned; NULL if there are none
  size_t map_size;                          ///< bytes
} IrzCaseResult;

/// Free what a result owns.
void irz_case_result_clear(IrzCaseResult *result);

/// A journal open for appending: one file of records, one of maps.
typedef struct {
  char path[IRZ_PATH_MAX], maps_path[IRZ_PATH_MAX];
  int records, maps;           ///< descriptors
  off_t records_end, maps_end; ///< bytes that are there; nobody else may write
} IrzJournal;

/// Open (or make) a journal of a directory for appending and lock it. A torn last line of a killed run is closed.
/// @param[in] directory        results
/// @param[in] task, n_tasks    part of a job array, 1 of 1 if there is none
/// @param[in] group            rank group
IrzCode irz_journal_open(const char *directory, int task, int n_tasks, int group, IrzJournal *journal, IrzError *error);

/// Append a finished case; it is on disk on return.
IrzCode irz_journal_append(IrzJournal *journal, const IrzSweep *sweep, const IrzCaseResult *result, IrzError *error);

void irz_journal_close(IrzJournal *journal);

/// Called for every sound record of a directory's journals. `map` is filled if maps are wanted. What the result points
/// to belongs to the reader. Duplicates of a case are not filtered.
typedef IrzCode (*IrzRecordVisit)(void *context, const IrzCaseResult *result, IrzError *error);

/// What of journals could not be used.
typedef struct {
  int n;           ///< records
  char first[400]; ///< file, line and what is wrong with the first
} IrzDamage;

/// Read all journals of a directory, in the order of their names. Records that are torn or damaged, or whose map is,
/// are left out.
/// @param[in,out] damage  counts what was left out; may be NULL
IrzCode irz_journal_read(const char *directory, const IrzSweep *sweep, bool with_maps, IrzRecordVisit visit,
                         void *context, IrzDamage *damage, IrzError *error);

/// Tell of damage in a report, if there is any.
void irz_damage_report(const IrzDamage *damage, IrzSweepReport *report);

/// Refuse a directory in which a process of a killed run still writes.
/// @param[in] task, n_tasks  as for irz_sweep_lock()
IrzCode irz_journal_check_free(const char *directory, int task, int n_tasks, IrzError *error);

/// A directory taken for this process alone.
typedef struct {
  int shared, own; ///< descriptors that hold the locks, or -1
} IrzSweepLock;

/// Take a directory (making it), or say who has it. The kernel gives the locks back when the process ends in any way.
/// @param[in] task, n_tasks  1, 1: the whole directory; else one task, beside others
IrzCode irz_sweep_lock(const char *directory, int task, int n_tasks, IrzSweepLock *lock, IrzError *error);
void irz_sweep_unlock(IrzSweepLock *lock);

/// DIR/journal/NAME
IrzCode irz_journal_path(const char *directory, const char *name, char path[IRZ_PATH_MAX], IrzError *error);

/// Whether a directory's journals hold anything.
IrzCode irz_journal_has_records(const char *directory, bool *has, IrzError *error);

/// A number that changes when the values of a case change.
uint64_t irz_case_hash(const IrzSweep *sweep, int number);

/// A case by its hash.
typedef struct {
  uint64_t hash;
  int number;
} IrzIndexed;

/// The cases of a sweep by their values.
typedef struct {
  int n;
  IrzIndexed *entry; ///< [n] in the order of their hashes
} IrzCaseIndex;

IrzCode irz_case_index_make(const IrzSweep *sweep, IrzCaseIndex *index, IrzError *error);

/// The first case with a hash; 0: none.
int irz_case_index_find(const IrzCaseIndex *index, uint64_t hash);
void irz_case_index_clear(IrzCaseIndex *index);

/* identify.c */

/// Find how many tasks a task is one of: as many as is stated, else as the sweep file says, else as the folder does.
/// @param[in]     task     number of the task
/// @param[in,out] n_tasks  0: not stated
/// @return IRZ_OK, or IRZ_ERR_PLAN if that is not known, or if it differs
IrzCode irz_tasks_find(const char *directory, const IrzSweep *sweep, int task, int *n_tasks, IrzError *error);

/// Record how many tasks a folder's cases are divided into, if nobody did before; refuse another number.
IrzCode irz_tasks_record(const char *directory, int task, int n_tasks, IrzError *error);

/// Compare a sweep with the one a directory holds: it must be the same, or have all its cases and further ones. A
/// directory without a single record accepts any.
/// @param[in]  alone   nobody else can be at work in the directory
/// @param[out] store   the directory does not hold this sweep yet: irz_sweep_store() it before a case is recorded
/// @param[out] error   what has changed, with file and line
IrzCode irz_sweep_identify(const char *directory, const IrzSweep *sweep, bool alone, bool *store, IrzError *error);

/// Make a sweep the one that a directory holds.
IrzCode irz_sweep_store(const char *directory, const IrzSweep *sweep, IrzError *error);

/* schedule.c */

/// Solves cases. Collective on the communicator it was made for.
typedef struct {
  void *context;
  /// Run a case.
  /// @param[in]  number  case
  /// @param[in]  start   case whose solution this one starts from (may be the case itself)
  /// @param[out] result  complete on rank 0 of the group. A case that fails is a result, not an error.
  /// @param[out] error   only for what must stop the sweep
  IrzCode (*run)(void *context, int number, int start, IrzCaseResult *result, IrzError *error);
} IrzCaseRunner;

/// What the coordinator does besides handing out cases. All called on rank 0, one at a time.
typedef struct {
  void *context;
  /// A case was finished (result without map); also called now and then with NULL.
  void (*finished)(void *context, const IrzCaseResult *result);
} IrzScheduleWatch;

/// Hand out cases to groups of ranks until all are done or a stop is asked for. Collective.
/// @param[in]  comm          all ranks
/// @param[in]  group         this rank's group: consecutive ranks of comm
/// @param[in]  batches       the same on all ranks
/// @param[in]  done          [cases + 1] rank 0: not 0 for cases that are not to be run; by case number
/// @param[in]  options       stop, coordinator_only
/// @param[in]  runner        runs a case on this rank's group
/// @param[in]  journal       rank 0 of the group: where results go
/// @param[in]  watch         rank 0
/// @param[out] stopped       whether a stop was asked for
/// @param[out] error         the same on all ranks
IrzCode irz_schedule(MPI_Comm comm, MPI_Comm group, const IrzSweep *sweep, const IrzBatches *batches,
                     const uint8_t *done, const IrzSweepOptions *options, const IrzCaseRunner *runner,
                     IrzJournal *journal, const IrzScheduleWatch *watch, bool *stopped, IrzError *error);

/// Wait for all ranks without using the processor, where rank 0 works alone for a while. Collective.
void irz_quiet_barrier(MPI_Comm comm);

/* solve.c */

/// The warnings of a plan, a line each.
/// @param[out] warnings  to be released with free(); left alone if there are none
IrzCode irz_case_warnings(const IrzPlan *plan, char **warnings, IrzError *error);

typedef struct IrzCaseSolver IrzCaseSolver;

/// Make a runner that solves cases with a model. Collective on `group`.
/// @param[in]  grid  points of the probability map; NULL: none
IrzCode irz_case_solver_create(MPI_Comm group, const IrzSweep *sweep, const IrzSweepOptions *options,
                               const IrzPointGrid *grid, IrzCaseSolver **solver, IrzError *error);
IrzCode irz_case_solver_run(void *solver, int number, int start, IrzCaseResult *result, IrzError *error);
void irz_case_solver_free(IrzCaseSolver *solver);

/* column.c */

/// Take the numbers of a sweep's columns from a summary.
/// @param[in]  summary  its tree
/// @param[out] values   [columns]; NaN where the summary has no such number
void irz_sweep_take_columns(const IrzSweep *sweep, const json_t *summary, double *values);

/// Refuse columns that no case of the sweep can have, and say what was probably meant.
/// @return IRZ_OK or IRZ_ERR_PLAN; IRZ_ERR_INPUT if a mesh that tells cannot be read
IrzCode irz_sweep_check_columns(const IrzSweep *sweep, IrzError *error);

/// Add the columns that are there unasked: how much of each tumour is ablated.
IrzCode irz_sweep_add_columns(IrzSweep *sweep, IrzError *error);

/* run.c */

/// irz_sweep_run() with any runner in place of the solver.
IrzCode irz_sweep_run_with(MPI_Comm comm, const IrzSweep *sweep, const IrzBatches *batches,
                           const IrzSweepOptions *options, const IrzCaseRunner *runner, IrzSweepReport *report,
                           IrzError *error);

/* map.c */

/// The grid of the probability map: as stated, else around the bare tips of all cases.
IrzCode irz_map_grid(const IrzSweep *sweep, IrzPointGrid *grid, IrzError *error);

/// Pack samples of a zone, eight to a byte, and compress them.
IrzCode irz_map_pack(const uint8_t *ablated, size_t n, uint8_t **packed, size_t *size, IrzError *error);

/// Add packed samples to counts.
/// @param[in,out] counts  [n]
IrzCode irz_map_add(const uint8_t *packed, size_t size, size_t n, uint32_t *counts, IrzError *error);

/// Write DIR/probability.hdf, a VTKHDF ImageData 1.0 in mm.
/// @param[in] counts  [n_strata][points]
/// @param[in] cases   [n_strata] cases counted
IrzCode irz_map_write(const char *directory, const IrzSweep *sweep, const IrzPointGrid *grid, const uint32_t *counts,
                      const int *cases, IrzError *error);

/* table.c */

/// Read the journals of a directory and write sweep.csv, sweep.h5, sweep.json and, if the sweep wants it,
/// probability.hdf, each whole or not at all. The same journals give the same files.
/// @param[out] report  done, failed, total, tables
IrzCode irz_tables_write(const char *directory, const IrzSweep *sweep, IrzSweepReport *report, IrzError *error);

/// Read the journals of a directory for what one task of an array came to.
/// @param[out] report  done, failed, failures, warnings
IrzCode irz_task_report(const char *directory, const IrzSweep *sweep, int task, int n_tasks, IrzSweepReport *report,
                        IrzError *error);

/// Whether a case is one of those that statistics and the probability map count: its values are a sample of the
/// distributions (of a Saltelli design only A and B are).
bool irz_case_counts(const IrzSweep *sweep, int number);

/// Stratum of a case, from 0.
int irz_case_stratum(const IrzSweep *sweep, int number);

#endif
