/// @file
/// A treatment plan: keys and values as in a YAML file, checked as a whole.
///
/// What a plan holds is changed by its keys alone, with irz_plan_set() and its kind. Each change is checked with
/// everything that depends on it, and then counts everywhere: in solving, in pull-backs, in what is written. Values are
/// in the units of the plan file: mm, V, V/cm, S/m, microseconds, Hz (`irezone help plan` lists every key).
#ifndef IREZONE_PLAN_H
#define IREZONE_PLAN_H

#include <irezone/error.h>
#include <stdbool.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

#define IRZ_NAME_MAX 64     ///< longest name of a probe, region or preset, with its zero
#define IRZ_PATH_MAX 4096   ///< longest path, with its zero
#define IRZ_MAX_PROBES 6    ///< probes in a plan
#define IRZ_MAX_ALSO 32     ///< entries of zone.also
#define IRZ_MAX_SURVIVAL 16 ///< entries of death.survival

/// A plan. Free it with irz_plan_free().
typedef struct IrzPlan IrzPlan;

/// One `--set key.path=value`.
typedef struct {
  const char *text;
} IrzOverride;

/// A change of one key.
typedef struct {
  const char *key;   ///< its path, as in "probes[1].tip", "pulses[0].voltage" or "tissues.tumour.sigma.low"
  const char *value; ///< as YAML: "2500", "[0, 7.5, 0]", "{preset: liver}"; NULL: the key is removed
} IrzChange;

/* Making plans */

/// Read and check a plan. Relative paths in it, also those set later, count from the folder of the file as it is found
/// now: the host may go to another folder afterwards.
/// @param[in]  path         YAML file; "-": the standard input, and paths count from the current folder
/// @param[in]  n_overrides  number of overrides
/// @param[in]  overrides    applied in order, before checking; may be NULL if there are none
/// @param[out] plan         the plan; NULL on failure
/// @param[out] error        names file, line and key
/// @return IRZ_OK, IRZ_ERR_PLAN, or IRZ_ERR_INPUT: a file of markups or its transform cannot be read
IRZ_API IrzCode irz_plan_read(const char *path, int n_overrides, const IrzOverride *overrides, IrzPlan **plan,
                              IrzError *error);

/// The same from text; `file` names it in errors and locates relative paths. If `file` ends with a slash, the text is
/// in no file: relative paths count from that folder, errors name the plan and no line, and what is missing may be set
/// later, as in a plan of irz_plan_create().
IRZ_API IrzCode irz_plan_parse(const char *text, const char *file, int n_overrides, const IrzOverride *overrides,
                               IrzPlan **plan, IrzError *error);

/// Make an empty plan, to be filled by irz_plan_set(). Until it has what a plan must have (tissues, probes and pulses)
/// irz_plan_check() says what is missing, and nothing can be done with it but to change it. Paths in it count from the
/// folder that is the current one now.
/// @param[out] plan   the plan; NULL on failure
/// @return IRZ_OK or IRZ_ERR_MEMORY
IRZ_API IrzCode irz_plan_create(IrzPlan **plan, IrzError *error);

/// Make a copy that shares nothing with the plan.
/// @param[out] copy   NULL on failure
/// @return IRZ_OK or IRZ_ERR_MEMORY
IRZ_API IrzCode irz_plan_copy(const IrzPlan *plan, IrzPlan **copy, IrzError *error);

/// Free a plan; NULL is allowed.
IRZ_API void irz_plan_free(IrzPlan *plan);

/* Changing them */

/// Change several keys at once: the plan is checked when all have been changed, as where two needles move past each
/// other, or `array` gives way to `probes`. On failure the plan is as it was. Warnings are found anew.
/// @param[in]  n        number of changes
/// @param[in]  changes  made in order
/// @param[out] error    which key is wrong, and what is allowed
/// @return IRZ_OK, IRZ_ERR_PLAN, or IRZ_ERR_INPUT: a file of markups or its transform cannot be read
IRZ_API IrzCode irz_plan_change(IrzPlan *plan, int n, const IrzChange *changes, IrzError *error);

/// Change one key to a value in YAML.
IRZ_API IrzCode irz_plan_set(IrzPlan *plan, const char *key, const char *value, IrzError *error);

/// Change one key to a number, in the plan's unit; the plan takes it bit for bit.
/// @param[in] number  finite
IRZ_API IrzCode irz_plan_set_number(IrzPlan *plan, const char *key, double number, IrzError *error);

/// Change one key to a text as it stands, as a name or a path.
IRZ_API IrzCode irz_plan_set_text(IrzPlan *plan, const char *key, const char *text, IrzError *error);

/// Remove a key, so that its default applies.
IRZ_API IrzCode irz_plan_remove(IrzPlan *plan, const char *key, IrzError *error);

/// Add a warning that every result of the plan reports. Equal warnings are kept once, until the plan is changed.
IRZ_API void irz_plan_warn(IrzPlan *plan, const char *format, ...) IRZ_PRINTF(2, 3);

/* Asking */

/// Whether a plan has all that it must have. (That what it has is right, every change has found.)
/// @param[out] error  what is missing
/// @return IRZ_OK or IRZ_ERR_PLAN
IRZ_API IrzCode irz_plan_check(const IrzPlan *plan, IrzError *error);

/// The plan as YAML, changes included: reading it gives this plan. Lives until the plan is changed or freed.
IRZ_API const char *irz_plan_text(const IrzPlan *plan);

/// A number by its key, in the plan's unit: what is stated, else what the tissue's preset supplies, else the key's
/// default.
/// @param[out] number  unchanged on failure
/// @return IRZ_OK or IRZ_ERR_PLAN: no such key, not stated and without a default, or no number
IRZ_API IrzCode irz_plan_number(const IrzPlan *plan, const char *key, double *number, IrzError *error);

/// A value by its key as YAML on one line, stated, of a preset or default.
/// @param[out] value  to be released with free(); NULL on failure
IRZ_API IrzCode irz_plan_value(const IrzPlan *plan, const char *key, char **value, IrzError *error);

/// The plan, or a value of it, as JSON on one line: what is stated, and for a key its preset's value or its default
/// where nothing is. Words without quotes that read as numbers or truth values are such.
/// @param[in]  key   NULL: the plan as a whole
/// @param[out] json  to be released with free(); NULL on failure
/// @return IRZ_OK, IRZ_ERR_PLAN: no such key, or not stated and without a default, or IRZ_ERR_MEMORY
IRZ_API IrzCode irz_plan_json(const IrzPlan *plan, const char *key, char **json, IrzError *error);

/// What names the output files.
IRZ_API const char *irz_plan_name(const IrzPlan *plan);

/// The file it was read from, as it was given.
IRZ_API const char *irz_plan_file(const IrzPlan *plan);

/// The mesh that it loads, from the root of the file system, or "" if one is generated.
IRZ_API const char *irz_plan_mesh_file(const IrzPlan *plan);

/// The label map that it takes its tissues from, from the root of the file system, or "".
IRZ_API const char *irz_plan_labels_file(const IrzPlan *plan);

/// Whether results are to be written with their fields.
IRZ_API bool irz_plan_writes_fields(const IrzPlan *plan);

/// Whether results are to be written for 3D Slicer, too.
IRZ_API bool irz_plan_writes_slicer(const IrzPlan *plan);

/// Number of probes; an electrode of a needle that has several counts as one.
IRZ_API int irz_plan_n_probes(const IrzPlan *plan);

/// Name of a probe, from 0 on; NULL if there is none.
IRZ_API const char *irz_plan_probe_name(const IrzPlan *plan, int probe);

/// Number of pairs that fire, in one position of a pull-back.
IRZ_API int irz_plan_n_pulses(const IrzPlan *plan);

/// Warn that needles which overrides have moved have other voltages now, where the plan states pulses by `field`.
/// @param[in,out] plan       read from `path` with the overrides
/// @param[in]     path       its file
/// @param[in]     overrides  [n_overrides]
IRZ_API void irz_plan_warn_of_moves(IrzPlan *plan, const char *path, int n_overrides, const IrzOverride *overrides);

/// Number of warnings.
IRZ_API int irz_plan_n_warnings(const IrzPlan *plan);

/// A warning, from 0 on; NULL if there is none.
IRZ_API const char *irz_plan_warning(const IrzPlan *plan, int warning);

/// Print what would run, for a person to check.
IRZ_API void irz_plan_print(const IrzPlan *plan, FILE *out);

/// Print every key of a plan with its unit, range, default and meaning, from the table that the reader uses.
IRZ_API void irz_plan_help(FILE *out);

/// Print the path of every value that a plan can state, a line each, as `--set` takes it: of lists the first entry, of
/// tissues the default one.
IRZ_API void irz_plan_keys(FILE *out);

#ifdef __cplusplus
}
#endif
#endif
