/* The parts of reading a plan, one file each. */
#ifndef IREZONE_PLAN_PARTS_H
#define IREZONE_PLAN_PARTS_H

#include "plan/keys.h"
#include <irezone/tissue.h>

/// Read a plan from its tree.
/// @param[in]  tree   owned by the plan on success
/// @param[in]  file   names it in errors
/// @param[in]  folder what relative paths count from, with a slash behind; NULL: the file's
/// @param[in]  draft  whether something may be missing
/// @param[out] plan   NULL on failure
IrzCode irz_plan_from_tree(IrzYaml *tree, const char *file, const char *folder, bool draft, IrzPlan **plan,
                           IrzError *error);

/// Find a value by its key: as stated, else what the tissue's preset supplies, else the key's default.
/// @param[out] node      the value
/// @param[out] standard  holds what is not stated; to be freed with irz_yaml_free()
IrzCode irz_plan_find(const IrzPlan *plan, const char *key, const IrzYaml **node, IrzYaml **standard, IrzError *error);

/// A value that the preset of a tissue supplies where the plan does not state it.
/// @param[in]  tissue  a map of `tissues`
/// @param[in]  key     "sigma.low"
/// @param[out] node    NULL: the tissue has no preset, or that does not supply it
/// @param[out] holder  holds it; to be freed with irz_yaml_free()
IrzCode irz_preset_value(const IrzPlan *plan, const IrzYaml *tissue, const char *key, const IrzYaml **node,
                         IrzYaml **holder, IrzError *error);

/// Read `tissues`; thresholds take `zone.threshold` and the presets into account, so `zone` must have been read.
IrzCode irz_tissues_read(const IrzReader *reader, const IrzYaml *node);

/// Read `anisotropy` of a tissue and give its law a direction, in the frame of the file.
/// @param[in]     path    its path, for messages
/// @param[in]     preset  where the tissue starts from; may be NULL
/// @param[in,out] law     the tissue's law, read already
IrzCode irz_anisotropy_read(const IrzReader *reader, const IrzYaml *node, const char *path, const IrzPreset *preset,
                            IrzLaw *law);

/// Turn all tissues from the frame of the file to RAS; once `anatomy` has been read.
void irz_anisotropy_to_ras(IrzPlan *plan);

/// Read `probes`, `array` or `plates` into plan->probes, in RAS, and check each by itself.
/// @param[in] root  the whole plan, for the place of a missing key
/// @param[in] keys  where the three are; all but one must be NULL
IrzCode irz_probes_read(const IrzReader *reader, const IrzYaml *root, const IrzPlanKeys *keys);

/// Read `plates` into plan->probes.
IrzCode irz_plates_read(const IrzReader *reader, const IrzYaml *node);

/// Check that a mesh can be generated around the probes, by the rules of plan/geometry.h.
IrzCode irz_probes_check(const IrzReader *reader, const IrzPlanKeys *keys);

/// Room for the text of irz_unit_hint().
#define IRZ_UNIT_HINT 100

/// "; 0.5 kV/cm would be 500 V/cm" for a number that is out of range in its unit, but ordinary in another one; or "".
void irz_unit_hint(const char *unit, double value, char hint[IRZ_UNIT_HINT]);

/// Warn of numbers that are unusual, but would be ordinary in another unit.
/// @param[in] zone_line  where thresholds of all tissues are stated, or 0
void irz_units_doubt(IrzPlan *plan, int zone_line);

/// Read `pulses`, a list or a map, and warn about unusual pairs.
IrzCode irz_pulses_read(const IrzReader *reader, const IrzYaml *node);

/// Look at the values of `pulses` alone, while probes that they are to refer to are missing.
IrzCode irz_pulses_glance(const IrzReader *reader, const IrzYaml *node);

/// Read `heat`, and check that every tissue has what it needs.
/// @param[in] node     NULL: nothing is computed
/// @param[in] tissues  where tissues are stated
IrzCode irz_heat_read(const IrzReader *reader, const IrzYaml *node, const IrzYaml *tissues);

/// Read `patient`, once `anatomy` and `tissues` have been read. Paths in it stay as they are.
/// @param[in] node  NULL: nothing is judged
IrzCode irz_patient_read(const IrzReader *reader, const IrzYaml *node);

#endif
