/// @file
/// A model: a mesh with everything built on it, which solves any plan that has the same geometry.
///
/// **Threads.** Any thread may use any model, mesh or plan, one thread at a time each. Gmsh, PETSc and HDF5 know one
/// caller a process, so functions that need them let one thread in at a time and the others wait; plans can be read
/// meanwhile. While a function of the host's is called, as for progress, others may come in. Meshes and numbers are the
/// same from any thread. PETSc's functions and HDF5's that the host calls itself are not kept out: that is up to the
/// host. If several threads use models, MPI must have been started with MPI_THREAD_SERIALIZED or more; set
/// PETSC_MPI_THREAD_REQUIRED before PetscInitialize(). With several ranks all make their calls in the same order.
///
/// **The process.** Locale, environment, limits, random numbers, signals, floating-point state and OpenMP's settings
/// are as they were after every call. Gmsh's libraries stay loaded after the first generated mesh.
#ifndef IREZONE_MODEL_H
#define IREZONE_MODEL_H

#include <irezone/error.h>
#include <irezone/plan.h>
#include <irezone/result.h>

#ifdef __cplusplus
extern "C" {
#endif

/// How to run. Zero-initialise for the defaults.
typedef struct {
  int threads; ///< threads per rank; 0: chosen. Fewer work while others need the processors
  void (*progress)(void *context, const char *stage, double fraction); ///< called on rank 0; may be NULL
  void *context;
  bool refine; ///< make a generated mesh finer, up to three times, until the zone's error bar is at most 1.5 times the
               ///< plan's accuracy (the bar is two to three times an ordinary error)
  bool once;   ///< the model solves one plan only: what its zone and its files do not need is freed on the way
} IrzModelOptions;

/// A model. Collective on the communicator it was created with.
typedef struct IrzModel IrzModel;

/// Load or generate the mesh of a plan, distribute and number it. PETSc must be initialised. Collective.
/// @param[in]  comm     communicator
/// @param[in]  plan     the plan, the same on all ranks; the model keeps a copy
/// @param[in]  options  may be NULL
/// @param[out] model    the model; NULL on failure
/// @param[out] error    the same on all ranks
/// @return IRZ_OK, IRZ_ERR_PLAN, IRZ_ERR_INPUT or IRZ_ERR_SOLVER
IRZ_API IrzCode irz_model_create(MPI_Comm comm, const IrzPlan *plan, const IrzModelOptions *options, IrzModel **model,
                                 IrzError *error);

/// Whether a model can solve a plan: same mesh, probes, idle probes' behaviour, anatomy and element order. Tissues,
/// pulses and thresholds may differ.
IRZ_API bool irz_model_serves(const IrzModel *model, const IrzPlan *plan);

/// Solve all pulses of a plan and measure the zone. The next solve starts from the known solution. Collective.
/// @param[in]  model    model that serves the plan
/// @param[in]  plan     the plan, the same on all ranks; it is not changed and may be freed
/// @param[out] summary  what was found (the same on all ranks); irz_summary_clear() it. Its plan is a copy with all
///                      warnings: of the plan, of the model's mesh and of the solution
/// @param[out] error    the same on all ranks
/// @return IRZ_OK, IRZ_ERR_PLAN, IRZ_ERR_INPUT or IRZ_ERR_SOLVER
IRZ_API IrzCode irz_model_solve(IrzModel *model, const IrzPlan *plan, IrzSummary *summary, IrzError *error);

/// Keep the last solution: from now on every solve starts from it (and from the preconditioner as it is now), not from
/// the last one. A result then depends on its plan and on what was kept, not on what was solved in between, which makes
/// a sweep repeatable bit by bit however its cases are handed out. Calling it again keeps the newer solution.
/// Collective.
IRZ_API IrzCode irz_model_keep_start(IrzModel *model, IrzError *error);

/// Forget all solutions, kept or not, and what was built on them: the next solve goes as on a new model. Collective.
IRZ_API void irz_model_reset(IrzModel *model);

/// A regular grid of points, the first coordinate running fastest.
typedef struct {
  int size[3];       ///< points along x, y, z
  double origin[3];  ///< m, the first point
  double spacing[3]; ///< m
} IrzPointGrid;

/// Which points of a grid lie in the zone of the last solve: tissue whose field (largest over the pulses) reaches the
/// threshold that applies there. Points outside the mesh and inside needles are not in the zone. Collective.
/// @param[in]  model    model after irz_model_solve()
/// @param[in]  grid     the points
/// @param[out] ablated  [size[2]][size[1]][size[0]] 1 in the zone, else 0; complete on rank 0 of the model's
/// communicator
/// @param[out] error    the same on all ranks
/// @return IRZ_OK or IRZ_ERR_SOLVER
IRZ_API IrzCode irz_model_sample_zone(IrzModel *model, const IrzPointGrid *grid, uint8_t *ablated, IrzError *error);

/// Find out whether the results of a plan could be written to a folder, before they are computed. Leaves no trace. For
/// one rank, that which will write: rank 0.
/// @return IRZ_OK, IRZ_ERR_OUTPUT or IRZ_ERR_MEMORY
IRZ_API IrzCode irz_model_check_output(const IrzPlan *plan, const char *directory, IrzError *error);

/// Write the last solution to DIR/NAME.hdf, if the plan asks for fields, and DIR/NAME.json, making DIR if need be. Sets
/// the summary's output and total times. If the fields cannot be written, the summary still is, and says so.
/// Collective.
IRZ_API IrzCode irz_model_write(IrzModel *model, const char *directory, IrzSummary *summary, IrzError *error);

/// Free a model; NULL is allowed. Collective.
IRZ_API void irz_model_free(IrzModel *model);

#ifdef __cplusplus
}
#endif
#endif
