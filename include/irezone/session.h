/// @file
/// A session: solves many plans in one process and reuses all that it can; and its results, which can be asked.
///
/// ```c
/// IrzSession *session;
/// IrzResult *result;
/// irz_start(NULL);
/// irz_session_create(MPI_COMM_WORLD, NULL, &session, &error);
/// irz_plan_set_number(plan, "pulses[0].voltage", 2500, &error);
/// irz_session_solve(session, plan, &result, &error);
/// irz_result_number(result, "zone.volume_cm3", &volume, &error);
/// irz_result_free(result);
/// irz_session_free(session);
/// irz_stop();
/// ```
///
/// **Reuse.** Plans with the same mesh, needles, anatomy and element order share the mesh and all that is built on it;
/// each starts from the solution that was found there last, so it ends, within the tolerance of the solver, where it
/// would end alone. Meshes are those of a session of its own, also where `refine` chooses them. A plan that was solved
/// last on its mesh is not solved again: its result is handed out once more, with the times of then.
///
/// **Threads.** Many sessions may live in a process, and any thread may use any of them, but one thread at a time works
/// inside irezone: others wait at the door. Sessions side by side find what they find one after another. While a
/// function of the host's is called, as for progress, another thread may come in. With several ranks all make their
/// calls in the same order. See model.h for more, and for what a call leaves as it was.
///
/// **Errors** are those of the call: nothing of a failed call is left but what it had built for later, and the session
/// goes on with the next.
#ifndef IREZONE_SESSION_H
#define IREZONE_SESSION_H

#include <irezone/error.h>
#include <irezone/plan.h>
#include <irezone/result.h>

#ifdef __cplusplus
extern "C" {
#endif

/// A session. Collective on the communicator it was created with.
typedef struct IrzSession IrzSession;

/// What a plan came to. It stays as it is whatever its session does next, and may outlive it.
typedef struct IrzResult IrzResult;

/// How a session works. Zero-initialise for the defaults.
typedef struct {
  int threads; ///< threads per rank; 0: chosen. Fewer work while others need the processors
  /// Called on rank 0 with the stage of the work (mesh, setup, solve, zone, heat) and how much of that is done, 0 to 1;
  /// may be NULL. False stops the call that is at work, which fails with IRZ_ERR_CANCELLED; the session can go on.
  bool (*progress)(void *context, const char *stage, double fraction);
  void *context;
  bool refine; ///< make a generated mesh finer, up to three times, until the zone's error bar is at most 1.5 times the
               ///< plan's accuracy (the bar is two to three times an ordinary error), as `irezone run` does
  bool once;   ///< it solves one plan only: what its result does not need is freed on the way
  int geometries; ///< meshes, with needles and anatomy, to keep for later plans; 0: 4. Most of the memory is theirs
} IrzSessionOptions;

/// Begin a session. irz_start() was called, or PETSc is initialised. Collective.
/// @param[in]  comm     communicator; it is duplicated
/// @param[in]  options  the same on all ranks, but for `progress`; may be NULL
/// @param[out] session  NULL on failure
/// @return IRZ_OK or IRZ_ERR_MEMORY
IRZ_API IrzCode irz_session_create(MPI_Comm comm, const IrzSessionOptions *options, IrzSession **session,
                                   IrzError *error);

/// Solve a plan. Collective.
/// @param[in]  plan    the same on all ranks; it is not changed and may be freed
/// @param[out] result  to be freed with irz_result_free(); NULL on failure
/// @param[out] error   the same on all ranks
/// @return IRZ_OK, IRZ_ERR_PLAN, IRZ_ERR_INPUT, IRZ_ERR_SOLVER, IRZ_ERR_MEMORY or IRZ_ERR_CANCELLED
IRZ_API IrzCode irz_session_solve(IrzSession *session, const IrzPlan *plan, IrzResult **result, IrzError *error);

/// Forget all meshes and solutions: the next solve goes as in a new session. Collective.
IRZ_API void irz_session_forget(IrzSession *session);

/// End a session; NULL is allowed. Collective.
IRZ_API void irz_session_free(IrzSession *session);

/* Results. The first group answers on every rank and needs no others. */

/// The whole summary. Lives as long as the result.
IRZ_API const IrzSummary *irz_result_summary(const IrzResult *result);

/// A number by its path in the JSON summary, in the unit that its name states: `zone.volume_cm3`,
/// `pulses[0].current_A`, `zone.by_region.tumour.ablated_percent` (`irezone help results` lists them).
/// @param[out] number  NaN where the summary has null
/// @return IRZ_OK, or IRZ_ERR_PLAN: no such number, and what was probably meant
IRZ_API IrzCode irz_result_number(const IrzResult *result, const char *path, double *number, IrzError *error);

/// The summary as JSON, to be released with free(); NULL: no memory.
IRZ_API char *irz_result_json(const IrzResult *result);

/// Number of warnings: of the plan, of its files and of what was found.
IRZ_API int irz_result_n_warnings(const IrzResult *result);

/// A warning, from 0 on; NULL if there is none.
IRZ_API const char *irz_result_warning(const IrzResult *result, int warning);

/// A quantity at points. Collective; the arguments of rank 0 count.
/// @param[in]  quantity  as the arrays of the result file are named: field_V_per_cm (the largest over the pulses, as
/// the
///                       zone's volume is measured with), zone (1 or 0), potential_V or potential_V_02, survival,
///                       temperature_peak_C, thermal_damage, cem43_min; or region (its place in zone.by_region)
/// @param[in]  n         points
/// @param[in]  points    [n] m, in the plan's frame (RAS with a label map)
/// @param[out] values    [n] on rank 0. Outside the tissue, as inside needles: NaN; of zone 0
/// @return IRZ_OK, IRZ_ERR_PLAN (no such quantity in this result) or IRZ_ERR_MEMORY
IRZ_API IrzCode irz_result_sample(const IrzResult *result, const char *quantity, int n, const double (*points)[3],
                                  double *values, IrzError *error);

/// Volume of each region whose field, the largest over the pulses, reaches each of some levels: a field-volume
/// histogram. Collective.
/// @param[in]  level   [n_levels] V/m, the same on all ranks
/// @param[out] volume  [regions][n_levels] m^3, regions as in the summary's zone; on all ranks
IRZ_API IrzCode irz_result_volumes(const IrzResult *result, int n_levels, const double *level, double *volume,
                                   IrzError *error);

/// A closed surface of triangles.
typedef struct {
  int32_t n_points;
  double (*points)[3]; ///< [n_points] m
  int32_t n_triangles;
  int32_t (*triangles)[3]; ///< [n_triangles] counter-clockwise from outside
} IrzSurface;

/// The surface of the zone, as it is drawn: closed along metal and wall, it encloses the zone's volume, and it is a
/// manifold. Collective.
/// @param[out] surface  on rank 0, empty elsewhere; release it with irz_surface_clear()
IRZ_API IrzCode irz_result_surface(const IrzResult *result, IrzSurface *surface, IrzError *error);

/// Free what a surface owns.
IRZ_API void irz_surface_clear(IrzSurface *surface);

/// A grid of voxels in any direction: the centre of voxel (i, j, k) is origin + i step[0] + j step[1] + k step[2].
typedef struct {
  int size[3];       ///< voxels along i, j, k
  double origin[3];  ///< m
  double step[3][3]; ///< m
} IrzVoxelGrid;

/// Which voxels of a grid have their centres in the zone, as a label map. Collective; all ranks give the grid.
/// @param[out] labels  [size[2]][size[1]][size[0]] on rank 0: 1 in the zone, else 0
IRZ_API IrzCode irz_result_label_map(const IrzResult *result, const IrzVoxelGrid *grid, uint8_t *labels,
                                     IrzError *error);

/// Write the result to a folder, as irz_model_write() does. Notes in its summary how long that took. Collective.
IRZ_API IrzCode irz_result_write(IrzResult *result, const char *directory, IrzError *error);

/// Free a result; NULL is allowed. Collective.
IRZ_API void irz_result_free(IrzResult *result);

#ifdef __cplusplus
}
#endif
#endif
