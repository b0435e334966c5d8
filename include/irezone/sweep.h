/// @file
/// A sweep: one plan, many cases, each with other values; run over MPI, resumable, with statistics.
#ifndef IREZONE_SWEEP_H
#define IREZONE_SWEEP_H

#include <irezone/error.h>
#include <irezone/plan.h>
#include <signal.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

/// A checked sweep file with all its cases. The same file gives the same cases everywhere.
typedef struct IrzSweep IrzSweep;

/// Read and check a sweep file and the plan it names. Paths in them count from their folders; if `path` is relative,
/// the current folder must stay the same until the sweep is done.
/// @param[in]  path   YAML file
/// @param[out] sweep  the sweep; NULL on failure
/// @param[out] error  names file, line and key
/// @return IRZ_OK or IRZ_ERR_PLAN
IRZ_API IrzCode irz_sweep_read(const char *path, IrzSweep **sweep, IrzError *error);

/// The same from text.
/// @param[in]  text       the sweep file's text
/// @param[in]  file       names it in errors and locates relative paths
/// @param[in]  plan_text  text of the plan, or NULL: read the file that `plan` names
/// @param[out] sweep      the sweep; NULL on failure
/// @param[out] error      names file, line and key
/// @return IRZ_OK or IRZ_ERR_PLAN
IRZ_API IrzCode irz_sweep_parse(const char *text, const char *file, const char *plan_text, IrzSweep **sweep,
                                IrzError *error);

/// Let all ranks have the sweep that rank 0 read. Collective.
/// @param[in]     comm   communicator
/// @param[in,out] sweep  rank 0: the sweep; others: set
/// @param[out]    error  the same on all ranks
IRZ_API IrzCode irz_sweep_share(MPI_Comm comm, IrzSweep **sweep, IrzError *error);

/// Number of cases.
IRZ_API int irz_sweep_n_cases(const IrzSweep *sweep);

/// Number of varied values.
IRZ_API int irz_sweep_n_parameters(const IrzSweep *sweep);

/// Key path of a varied value, such as `array.spacing`; NULL if there is none.
IRZ_API const char *irz_sweep_key(const IrzSweep *sweep, int parameter);

/// Value of a parameter in a case as it is written to the plan and to sweep.csv.
/// @param[in]  sweep      sweep
/// @param[in]  number     case, from 1
/// @param[in]  parameter  parameter, from 0
/// @param[out] text       the value; "" if there is none
/// @param[in]  size       bytes in `text`
IRZ_API void irz_sweep_value(const IrzSweep *sweep, int number, int parameter, char *text, size_t size);

/// The plan of one case: the sweep's plan with the case's values.
/// @param[in]  sweep   sweep
/// @param[in]  number  case, from 1
/// @param[out] plan    the plan; NULL on failure
/// @param[out] error   what is wrong with it
/// @return IRZ_OK or IRZ_ERR_PLAN
IRZ_API IrzCode irz_sweep_plan(const IrzSweep *sweep, int number, IrzPlan **plan, IrzError *error);

/// Free a sweep; NULL is allowed.
IRZ_API void irz_sweep_free(IrzSweep *sweep);

/// How far a sweep is.
typedef struct {
  int total;         ///< cases of this task
  int done;          ///< of these finished, earlier runs included
  int failed;        ///< of the finished ones, those without a result
  int here;          ///< finished by this run
  double seconds;    ///< since this run started
  double per_second; ///< rate of this run
  double left;       ///< s, estimate; negative: not known yet
} IrzSweepProgress;

/// How to run a sweep. Zero-initialise for the defaults.
typedef struct {
  const char *directory; ///< where results go
  bool resume;           ///< go on with what the directory holds
  bool retry_failed;     ///< as `resume`, and run the cases that failed again
  int ranks_per_case;    ///< ranks that solve one case together; 0: 1
  int task, n_tasks;     ///< run cases task, task + n_tasks, ...; n_tasks 0: as many as the sweep file or
                         ///< the folder says; 0, 0: all cases, and write the tables
  int threads;           ///< OpenMP threads per rank; 0: 1
  double timeout;        ///< s that a case may take, the mesh included, before it is stopped with the status
                         ///< "timeout"; 0: as the sweep file says, or any
  bool coordinator_only; ///< rank 0 hands out cases and solves none (also chosen if MPI offers no threads)
  const volatile sig_atomic_t *stop; ///< start no further case once this is not 0; may be NULL
  void (*progress)(void *context, const IrzSweepProgress *progress); ///< called on rank 0 now and then; may be NULL
  void *context;
} IrzSweepOptions;

#define IRZ_SWEEP_MAX_WARNINGS 16 ///< kinds of warnings in a report

/// A warning that some cases have. Texts that differ in numbers only are one warning.
typedef struct {
  int cases, first;          ///< how many cases, and the first of them
  char text[IRZ_ERROR_TEXT]; ///< as the first case has it
} IrzSweepWarning;

/// What a sweep run came to.
typedef struct {
  int total, done, failed; ///< cases of this task, or of the sweep
  int here;                ///< finished by this run
  bool stopped;            ///< by `stop`
  bool tables;             ///< sweep.csv, sweep.h5 and the statistics were written
  IrzCode failure;         ///< of the cases that failed; IRZ_ERR_SOLVER if they failed in different ways
  int first_failed;        ///< the first of them
  char first_failure[256]; ///< why
  int damaged;             ///< records of the journal that could not be used: their cases are run again, or missing
  char damage[512];        ///< file, line and what is wrong with the first of them
  int warned;              ///< cases with warnings
  int n_warnings;          ///< kinds of warnings; the first IRZ_SWEEP_MAX_WARNINGS follow
  IrzSweepWarning warnings[IRZ_SWEEP_MAX_WARNINGS];
} IrzSweepReport;

/// Print the cases of a sweep as comma-separated values: their numbers and varied values.
/// @return IRZ_OK or IRZ_ERR_OUTPUT
IRZ_API IrzCode irz_sweep_print(const IrzSweep *sweep, FILE *out, IrzError *error);

/// Check the plans of all cases, the files that they read and the sweep's columns, without running anything. On one
/// rank.
/// @param[in]  sweep     sweep
/// @param[out] report    total; failed: cases that cannot run, with the first of them; the plans' warnings
/// @param[out] n_meshes  groups of cases that share a mesh and fire the same pairs
/// @param[out] error     a column does not exist; no memory
IRZ_API IrzCode irz_sweep_preview(const IrzSweep *sweep, IrzSweepReport *report, int *n_meshes, IrzError *error);

/// Run the cases of a sweep that are missing in a directory; then, without tasks, write the tables.
///
/// Every finished case is on disk before the next one starts. The results of a case depend on the sweep file and on
/// `ranks_per_case` and `threads`, not on the number of ranks, on interruptions or on which cases ran before.
/// PETSc must be initialised, with MPI_THREAD_MULTIPLE if rank 0 shall solve cases too. Collective.
/// @param[in]  comm     communicator; its size must be a multiple of ranks_per_case
/// @param[in]  sweep    sweep, the same on all ranks
/// @param[in]  options  how to run
/// @param[out] report   the same on all ranks
/// @param[out] error    the same on all ranks
/// @return IRZ_OK, IRZ_ERR_STOPPED (cases are missing), IRZ_ERR_PLAN (no case is valid, a column does not exist; the
///         directory is in use, or holds another sweep), IRZ_ERR_OUTPUT; if every case failed the code of the failures,
///         or IRZ_ERR_SOLVER if they differ. Some failed cases are no error: see the report
IRZ_API IrzCode irz_sweep_run(MPI_Comm comm, const IrzSweep *sweep, const IrzSweepOptions *options,
                              IrzSweepReport *report, IrzError *error);

/// Write the tables from what the tasks of a job array left in a directory. On one rank.
/// @param[in]  sweep      sweep
/// @param[in]  directory  where the tasks ran
/// @param[out] report     what was found
/// @param[out] error      IRZ_ERR_STOPPED: cases are missing (the tables hold those that are there); or every case
///                        failed, as above
IRZ_API IrzCode irz_sweep_merge(const IrzSweep *sweep, const char *directory, IrzSweepReport *report, IrzError *error);

#ifdef __cplusplus
}
#endif
#endif
