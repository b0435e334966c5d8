/// @file
/// What a run reports, and the files it is written to.
#ifndef IREZONE_RESULT_H
#define IREZONE_RESULT_H

#include <irezone/error.h>
#include <irezone/needles.h>
#include <irezone/pairs.h>
#include <irezone/paths.h>
#include <irezone/patient.h>
#include <irezone/plan.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// A fired pair and what the solver found.
typedef struct {
  char from[IRZ_NAME_MAX], to[IRZ_NAME_MAX];
  double voltage;           ///< V, as solved
  double requested_voltage; ///< V, as planned; more than `voltage` if generator.enforce lowered it
  double highest_voltage;   ///< V, the most that stays inside the generator's limits; NaN if the plan's does
  double current;           ///< A; with heat and full coupling in the last pulse, and so are the following
  double first_current;     ///< A, in the first pulse; without full coupling the same
  double current_error;     ///< A, estimated discretisation error; negative: not estimated
  double resistance;        ///< ohm
  int newton_iterations, linear_iterations;
  double potential[IRZ_MAX_PROBES];         ///< V, of each probe; NaN for an insulating idle probe
  double electrode_current[IRZ_MAX_PROBES]; ///< A, from each probe into the tissue
  double withdrawn;                         ///< m, how far a pull-back had withdrawn the needles
  double distance; ///< m, between the middles of the bare metal; NaN on a loaded mesh without needles
} IrzPulseResult;

/// Volume above one threshold.
typedef struct {
  double threshold;    ///< V/m
  double volume;       ///< m^3
  double volume_error; ///< m^3, estimated; negative: not estimated
} IrzThresholdVolume;

/// Volume where at most this share of the cells survives.
typedef struct {
  double survival;     ///< 1
  double volume;       ///< m^3
  double volume_error; ///< m^3, estimated; negative: not estimated
} IrzSurvivalVolume;

/// One region's share of the zone.
typedef struct {
  char region[IRZ_NAME_MAX];
  double threshold;     ///< V/m, the one that applies to it
  double volume;        ///< m^3
  double ablated;       ///< m^3
  double ablated_error; ///< m^3, estimated; negative: not estimated
} IrzRegionVolume;

/// The irreversible zone.
typedef struct {
  double threshold;    ///< V/m, of the default tissue
  double volume;       ///< m^3
  double volume_error; ///< m^3, estimated; negative: not estimated
  double box[2][3];    ///< m, lower and upper corner; both zero if the zone is empty
  int n_parts;         ///< pieces of more than a thousandth of the zone
  double largest_part; ///< m^3
  bool touches_outer;  ///< reaches the wall of the tissue box
  int n_also;
  IrzThresholdVolume also[IRZ_MAX_ALSO];
  int n_survival; ///< 0: survival was not asked for
  IrzSurvivalVolume by_survival[IRZ_MAX_SURVIVAL];
  int n_regions;
  IrzRegionVolume *regions; ///< [n_regions], owned
} IrzZone;

/// The treatment at one moment.
typedef struct {
  double time;                  ///< s, since the first pulse
  int pulse;                    ///< entry of the plan's pulses that fires, or -1
  double current;               ///< A, during a pulse; 0 in pauses
  double power;                 ///< W, averaged over pulses and the time between them
  double hottest;               ///< C
  double probe[IRZ_MAX_PROBES]; ///< C, mean over each probe's bare metal
} IrzHeatSample;

/// What the heating came to. Temperatures in degrees Celsius.
typedef struct {
  double peak;            ///< C, highest temperature anywhere, ever
  double peak_error;      ///< C, its estimated error
  double peak_time;       ///< s
  double peak_at[3];      ///< m
  double volume_50;       ///< m^3, of tissue that reached 50 C
  double volume_50_error; ///< m^3, its estimated error; so below
  double volume_damage;   ///< m^3, of tissue whose Arrhenius integral reached 1
  double volume_damage_error;
  double volume_cem43; ///< m^3, of tissue that got 240 equivalent minutes at 43 C
  double volume_cem43_error;
  double zone_damage; ///< m^3, of the ablated zone, where the Arrhenius integral reached 1
  double zone_damage_error;
  double thermal_share; ///< share of the ablated zone that is also destroyed by heat, 0 to 1
  double thermal_share_error;
  double duration;         ///< s, of the whole timeline
  double joule, metabolic; ///< J, heat put in
  double stored;           ///< J, held by tissue and needles at the end
  double perfused;         ///< J, carried away by blood flow
  double conducted;        ///< J, left through wall, needles and vessels at body temperature
  double balance; ///< what the five leave unexplained, relative to the Joule heat, or to all heat if there is none
  int steps;      ///< time steps
  int linear_iterations;
  int field_solves; ///< electric fields solved again because the tissue had warmed up
  double seconds;   ///< s, wall clock
  double cpu;       ///< s, processor time of all ranks
  int n_samples;
  IrzHeatSample *samples; ///< [n_samples], owned
} IrzHeatResult;

/// Everything a run reports. Times in s.
typedef struct {
  const IrzPlan *plan; ///< what was solved, with all warnings
  IrzPlan *own_plan;   ///< the same if the summary owns it, else NULL
  char status[256];    ///< "converged", or why not
  int64_t cells, vertices, unknowns;
  int order;
  int ranks, threads;
  int n_pulses;
  IrzPulseResult *pulses; ///< [n_pulses], owned
  IrzZone zone;
  IrzHeatResult *heat;      ///< NULL if the plan has no `heat`; owned
  IrzPairs pairs;           ///< how the needles lie to one another; voltages as solved
  IrzNeedleChecks *needles; ///< NULL without `patient.needles` in the plan; owned
  IrzPatient *patient;      ///< NULL if the plan has no `patient`; owned
  IrzPaths *paths;          ///< which regions of the label map the needles pass; NULL without one; owned
  struct {
    double mesh, setup, solve, zone, output, total; ///< mesh and setup: 0 if an earlier solve made them
  } timing;
  double peak_memory;        ///< bytes, sum over ranks
  char lost[IRZ_ERROR_TEXT]; ///< why the fields could not be written, or ""
} IrzSummary;

/// The summary as JSON text: the quantities that irz_results_help() lists.
/// @return text to be released with free(), or NULL if there is no memory
IRZ_API char *irz_summary_json(const IrzSummary *summary);

/// A number of a summary by its path, in the unit that its name states.
/// @param[in]  path    names joined by dots as in the JSON, `[2]` for the third entry of a list; an entry of a list of
///                     maps also by what identifies it: zone.by_region.tumour.ablated_cm3, pulses[0].current_A.
///                     A flag is 0 or 1
/// @param[out] number  NaN also where the JSON has null: not estimated, or infinite
/// @param[out] error   names what was probably meant
/// @return IRZ_OK, IRZ_ERR_PLAN if the path leads to no number, or IRZ_ERR_MEMORY
IRZ_API IrzCode irz_summary_number(const IrzSummary *summary, const char *path, double *number, IrzError *error);

/// Print every quantity of a summary with its unit, when it is there and what it means.
IRZ_API void irz_results_help(FILE *out);

/// Print the summary for a person.
IRZ_API void irz_summary_print(const IrzSummary *summary, FILE *out);

/// Write text to DIR/NAME under a temporary name, flush it to disk, then rename.
IRZ_API IrzCode irz_file_write(const char *path, const char *text, IrzError *error);

/// Remove the temporary files that are being written. For a handler of a signal that is about to end the process, in
/// any thread: it does nothing that is not allowed there.
IRZ_API void irz_files_drop(void);

/// Free what a summary owns.
IRZ_API void irz_summary_clear(IrzSummary *summary);

/// Type of the numbers in an array to be written.
typedef enum { IRZ_FLOAT64, IRZ_UINT8, IRZ_INT32, IRZ_INT64 } IrzType;

/// A named array on points or cells.
typedef struct {
  const char *name;
  IrzType type;
  int components; ///< 1 for scalars
  const void *data;
} IrzArray;

/// One rank's piece of a grid to be written. Point ids are local to the piece.
typedef struct {
  int32_t n_points;
  const double *points; ///< [n_points][3], m (written in mm)
  int32_t n_cells;
  int nodes_per_cell;   ///< 4: tetrahedra; 10: quadratic tetrahedra in VTK's node order
  const int32_t *cells; ///< [n_cells][nodes_per_cell]
  int n_point_arrays;
  const IrzArray *point_arrays;
  int n_cell_arrays;
  const IrzArray *cell_arrays;
  int n_names;
  const char *const *names; ///< [n_names] of the regions, for the field data region_names (rank 0); may be NULL
} IrzGrid;

/// Write a VTKHDF UnstructuredGrid 1.0, one part per rank, under a temporary name, then renamed. Rank 0 writes, so that
/// only it need see the folder. Collective.
/// @param[in]  comm     communicator
/// @param[in]  path     final name, ending in .hdf
/// @param[in]  grid     this rank's piece
/// @param[in]  plan     the plan's text, stored as /irezone/plan (from rank 0)
/// @param[in]  summary  JSON, stored as /irezone/summary (from rank 0)
/// @param[out] error    what is wrong; no file is left under `path`
/// @return IRZ_OK, IRZ_ERR_OUTPUT or IRZ_ERR_MEMORY
IRZ_API IrzCode irz_vtkhdf_write(MPI_Comm comm, const char *path, const IrzGrid *grid, const char *plan,
                                 const char *summary, IrzError *error);

/// Describe a result file for `irezone info`: sizes, arrays with their ranges, the stored summary. The file may be made
/// to do harm: no other file is opened, and what is read and printed is bounded.
/// @return IRZ_OK, IRZ_ERR_INPUT or IRZ_ERR_MEMORY
IRZ_API IrzCode irz_result_print(const char *path, FILE *out, IrzError *error);

#ifdef __cplusplus
}
#endif
#endif
