/* The keys of a plan as tables: one row a key, used by the reader and by `irezone help plan`. To add a key, add a row
   and, if its section has no place for the value yet, a field. */
#ifndef IREZONE_PLAN_KEYS_H
#define IREZONE_PLAN_KEYS_H

#include "plan/plan.h"
#include <stddef.h>
#include <stdint.h>

/// How the value of a key is read and what it is stored as.
typedef enum {
  IRZ_KEY_NUMBER,  ///< double, times `unit`
  IRZ_KEY_INTEGER, ///< int
  IRZ_KEY_FLAG,    ///< bool: true or false
  IRZ_KEY_CHOICE,  ///< int, position in `choices`
  IRZ_KEY_NAME,    ///< char[IRZ_NAME_MAX]
  IRZ_KEY_PATH,    ///< char[IRZ_PATH_MAX]
  IRZ_KEY_POINT,   ///< double[3], times `unit`
  IRZ_KEY_NODE     ///< const IrzYaml *, read by a function of its own
} IrzKeyType;

/// Offset of a key that is read before its section is.
#define IRZ_KEY_ELSEWHERE SIZE_MAX

/// A key.
typedef struct {
  const char *name;
  IrzKeyType type;
  size_t offset;                  ///< of the value in the section's structure
  double unit;                    ///< SI value of one unit of the plan; 0 stands for 1
  const char *unit_name;          ///< "mm", or NULL
  double least, most;             ///< values outside are errors (plan's unit); for points each number
  size_t usual_least, usual_most; ///< offsets in IrzPlan of doubles, SI: values outside are warnings; both 0: none
  const char *usual_note;         ///< which keys state that range
  const char *const *choices;     ///< ends with NULL
  const char *standard;           ///< value if the key is not stated, as text; NULL: none
  bool required;                  ///< no value is an error
  const char *help;               ///< one line
} IrzKey;

/// A map in a plan.
typedef struct {
  const char *path; ///< "" for the top
  const char *help;
  const IrzKey *keys; ///< ends with a NULL name
} IrzSection;

/// What a plan still lacks while it is put together key by key.
typedef struct {
  bool lacks;                 ///< the last error was that something is missing, not that something is wrong
  int n;                      ///< things that are missing
  char first[IRZ_ERROR_TEXT]; ///< the error of the first
} IrzDraft;

/// Reading a plan.
typedef struct {
  IrzPlan *plan;
  const char *file;
  IrzError *error;
  IrzDraft *draft; ///< NULL: what is missing is an error
} IrzReader;

/// Longest key path in a message.
#define IRZ_KEY_PATH_MAX 256

/// Report an error at a node: "file:line: path: text", with the override that set it, if one did.
/// @param[in] node    NULL: the file as a whole
/// @param[in] format  with the word `missing` if something is to be added and nothing to be changed
/// @return IRZ_ERR_PLAN
IrzCode irz_reader_fail(const IrzReader *reader, const IrzYaml *node, const char *path, const char *format, ...)
    IRZ_PRINTF(4, 5);

/// The same for what refers to something that may still come, as a pair to a probe.
IrzCode irz_reader_absent(const IrzReader *reader, const IrzYaml *node, const char *path, const char *format, ...)
    IRZ_PRINTF(4, 5);

/// In a draft, note that something is missing and go on.
/// @param[in] code  what reading a part came to
/// @return IRZ_OK if nothing was wrong with what is there
IrzCode irz_reader_lenient(const IrzReader *reader, IrzCode code);

/// How much is missing so far.
int irz_reader_lacking(const IrzReader *reader);

/// Add a warning of the same form.
void irz_reader_warn(const IrzReader *reader, const IrzYaml *node, const char *path, const char *format, ...)
    IRZ_PRINTF(4, 5);

/// Read a map by its table.
/// @param[in]  section  the table
/// @param[in]  map      the map; NULL: nothing is stated
/// @param[in]  parent   where a missing key is reported if `map` is NULL
/// @param[in]  path     path of the map, for messages
/// @param[in]  keep     leave what is in `target` for keys that are not stated, rather than filling in the standard
/// @param[out] target   the section's structure
IrzCode irz_reader_section(const IrzReader *reader, const IrzSection *section, const IrzYaml *map,
                           const IrzYaml *parent, const char *path, bool keep, void *target);

/// Read a number in the plan's unit, without looking at ranges.
IrzCode irz_reader_number(const IrzReader *reader, const IrzYaml *node, const char *path, const char *unit,
                          double *value);

/// Read a list of numbers, each checked against a key's range and converted to SI.
/// @param[in]  most   numbers at most
/// @param[out] count  how many there are
/// @param[out] values [most]
IrzCode irz_reader_numbers(const IrzReader *reader, const IrzKey *key, const IrzYaml *node, const char *path, int most,
                           int *count, double *values);

/// Read one of some words.
/// @param[in]  choices  the words; ends with NULL
/// @param[out] value    position in `choices`
IrzCode irz_reader_choice(const IrzReader *reader, const char *const *choices, const IrzYaml *node, const char *path,
                          int *value);

/// Join a path and a key ("" and "mesh" give "mesh").
void irz_key_path(char joined[IRZ_KEY_PATH_MAX], const char *path, const char *key);

/// Nearest of some names to a word, or NULL if none is near. `names` ends with NULL.
const char *irz_nearest_name(const char *word, const char *const *names);

/* What the sections are read into, where it is not the plan itself. Values are SI. */

/// The top of a plan.
typedef struct {
  char name[IRZ_NAME_MAX];
  const IrzYaml *mesh, *tissues, *anatomy, *probes, *array, *plates, *pulses, *generator, *zone, *solver, *heat, *death,
      *pullback, *output, *patient;
  int idle_probes, memory, frame;
} IrzPlanKeys;

/// anatomy
typedef struct {
  char labels[IRZ_PATH_MAX], names[IRZ_PATH_MAX];
  int frame, transform;
  const IrzYaml *map;
} IrzAnatomyKeys;

/// A tissue.
typedef struct {
  char preset[IRZ_NAME_MAX];
  const IrzYaml *sigma, *anisotropy;
  double threshold;
  double density, capacity, conductivity, perfusion, metabolic, sigma_rise; ///< NaN: not stated
  bool blood;
} IrzTissueKeys;

/// anisotropy of a tissue
typedef struct {
  double fibres[3], ratio; ///< NaN: not stated
  const IrzYaml *tensor;
  int rise;
} IrzAnisotropyKeys;

/// An entry of probes.
typedef struct {
  char name[IRZ_NAME_MAX], surface[IRZ_NAME_MAX];
  double tip[3], direction[3], exposure, diameter, length, gap;
  int tip_shape;
  const IrzYaml *electrodes;
} IrzProbeKeys;

/// probes as markups; what is stated of all needles is looked at in the probes
typedef struct {
  const IrzYaml *markups, *only, *electrodes;
  char transform[IRZ_PATH_MAX];
  int tip, tip_shape;
  double exposure, diameter, gap;
} IrzMarkupsKeys;

/// array
typedef struct {
  int count, tip_shape;
  double spacing, exposure, diameter, center[3];
} IrzArrayKeys;

/// plates
typedef struct {
  double width, height, gap, thickness, center[3], direction[3], up[3];
} IrzPlateKeys;

/// An entry of pulses, or `pulses` as a map.
typedef struct {
  char from[IRZ_NAME_MAX], to[IRZ_NAME_MAX];
  int pairs;
  double voltage, field, max_spacing;
  int count;
  double width, rate;
} IrzPulseKeys;

/// zone
typedef struct {
  double threshold;
  const IrzYaml *also;
} IrzZoneKeys;

/// death
typedef struct {
  int model, accumulate;
  double ec0, a0, k1, k2, n_max, asymptote;
  const IrzYaml *survival;
} IrzDeathKeys;

/// patient
typedef struct {
  const IrzYaml *targets, *at_risk, *needles, *compare;
} IrzPatientKeys;

/// An entry of patient.targets or patient.at_risk, or patient.needles.
typedef struct {
  char region[IRZ_NAME_MAX], organ[IRZ_NAME_MAX], skin[IRZ_NAME_MAX];
  double margin, max_field, length, clearance;
  const IrzYaml *avoid;
} IrzJudgedKeys;

/// A law's table.
typedef struct {
  const IrzYaml *field, *sigma;
} IrzTableKeys;

extern const IrzSection irz_section_plan, irz_section_mesh, irz_section_tissue, irz_section_anisotropy,
    irz_section_anatomy, irz_section_probe, irz_section_markups, irz_section_array, irz_section_plates,
    irz_section_pulse, irz_section_pullback, irz_section_pairs, irz_section_generator, irz_section_zone,
    irz_section_solver, irz_section_output, irz_section_heat, irz_section_death, irz_section_patient,
    irz_section_target, irz_section_at_risk, irz_section_needles, irz_section_compare;

/// A map of a plan, by its path.
typedef struct {
  const char *path; ///< entries of lists as [], names of regions as *
  const IrzSection *section;
  bool stands; ///< its defaults hold although it is not stated
} IrzPlanMap;

/// All maps but the laws', in the order of the help; ends with a NULL section.
extern const IrzPlanMap irz_plan_maps[];

/// By IrzLawKind; all but the table's are read into an IrzLaw, that into an IrzTableKeys.
extern const IrzSection irz_section_laws[];
/// Names of the laws, in the order of IrzLawKind.
extern const char *const irz_law_names[];
/// Choices of anisotropy.rise; IrzLawDirection less 1.
extern const char *const irz_rise_names[];
/// Ranges of the numbers in lists.
extern const IrzKey irz_key_field, irz_key_sigma, irz_key_tensor, irz_key_survival, irz_key_electrode;

#endif
