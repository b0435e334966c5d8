/* What an IrzPlan holds, for the library alone. Everything follows from the tree: a value is changed there, by
   irz_plan_change(), and the rest is read from it anew, so that it counts everywhere. */
#ifndef IREZONE_PLAN_PLAN_H
#define IREZONE_PLAN_PLAN_H

#include "plan/yaml.h"
#include <irezone/law.h>
#include <irezone/plan.h>

#define IRZ_NO_THRESHOLD (-1) ///< threshold not stated

/// The tissue of one region, or of `default`.
typedef struct {
  char region[IRZ_NAME_MAX]; ///< key in the plan: a region's name, or "default"
  char preset[IRZ_NAME_MAX]; ///< preset it starts from, or ""
  IrzLaw sigma;
  double threshold;      ///< V/m, the one that applies (own, else zone.threshold, else the preset's)
  bool threshold_stated; ///< the tissue states a threshold of its own
  struct {
    double density;      ///< kg/m^3; this and the next five NaN if neither the plan nor a preset states them
    double capacity;     ///< J/(kg K)
    double conductivity; ///< W/(m K)
    double perfusion;    ///< 1/s, volume of blood per volume of tissue and time
    double metabolic;    ///< W/m^3
    double sigma_rise;   ///< 1/K: sigma (1 + sigma_rise (T - 37 C))
    bool blood;          ///< held at the temperature of the blood: a vessel with flow
  } heat;
  int line; ///< line in the plan, 0 if it has none
} IrzTissue;

/// Shape of the end of a needle in a generated mesh.
typedef enum {
  IRZ_TIP_FLAT,    ///< cut off at right angles
  IRZ_TIP_ROUNDED, ///< a half sphere
  IRZ_TIP_TROCAR   ///< three flat facets that meet in a point
} IrzTipShape;

/// An electrode: the bare metal of a needle probe, one of several on the same needle, or a plate.
typedef struct {
  char name[IRZ_NAME_MAX];
  double tip[3];       ///< m, most distal point of the bare metal, on the axis
  double direction[3]; ///< unit vector from the tip towards the handle
  double exposure;     ///< m, length of bare metal from there
  double diameter;     ///< m; 0 for a plate
  double length;       ///< m, from the tip to where the needle enters the skin, as markups state it; 0: not known
  double plate[2]; ///< m, width and height of a plate, 0 for needles: `tip` is then the middle of the face towards the
                   ///< other plate, `direction` points from there into the metal, and `exposure` is its thickness
  double side[3];  ///< unit vector along a plate's width
  char surface[IRZ_NAME_MAX]; ///< loaded mesh: physical surface of the bare metal; "" in generated meshes
  bool has_geometry;          ///< tip, direction, exposure and diameter are given
  IrzTipShape tip_shape;      ///< of the needle, whose end is the tip of its first electrode
  char needle[IRZ_NAME_MAX];  ///< name of the needle if it has several electrodes, else ""
  int place; ///< 0: the electrode at the needle's end; k: the k-th above it, which comes k entries later
  int line;
} IrzProbe;

/// One fired pair: `voltage` on `from`, 0 V on `to`.
typedef struct {
  int from, to;   ///< indices of probes
  double voltage; ///< V
  double field;   ///< V/m, by which the plan states the voltage: times the pair's distance; 0: it states the voltage
  int count;      ///< pulses
  double width;   ///< s
  double rate;    ///< Hz
  int line;
} IrzPulse;

/// What idle probes do.
typedef enum {
  IRZ_IDLE_FLOATING,  ///< equipotential, no net current
  IRZ_IDLE_INSULATING ///< as if they were not conducting
} IrzIdle;

/// Whether tissue remembers being electroporated by earlier pairs.
typedef enum {
  IRZ_MEMORY_NONE, ///< each pair meets fresh tissue
  IRZ_MEMORY_PAIRS ///< sigma never falls below what earlier pairs raised it to
} IrzMemory;

/// How cells die.
typedef enum {
  IRZ_DEATH_THRESHOLD,   ///< where the field reaches the tissue's threshold
  IRZ_DEATH_PELEG_FERMI, ///< besides: survival from the field and the number of pulses
} IrzDeathModel;

/// How the pairs of a treatment add up.
typedef enum {
  IRZ_ACCUMULATE_PRODUCT, ///< product of the pairs' survivals
  IRZ_ACCUMULATE_MAXIMUM  ///< the smallest of them: that of the largest field if all pairs have as many pulses
} IrzAccumulate;

/// Peleg-Fermi survival S = 1 / (1 + exp((E - Ec(n)) / A(n))) after n pulses in the field E, with
/// Ec = asymptote + (ec0 - asymptote) exp(-k1 n) and A = a0 exp(-k2 n) (Golberg and Rubinsky 2010). As fitted, without
/// asymptote, it has no plateau, which tissue shows: hence the cap on n.
typedef struct {
  IrzDeathModel model;
  double ec0, a0;   ///< V/m
  double k1, k2;    ///< per pulse
  double asymptote; ///< V/m
  double n_max;     ///< pulses beyond which more do not count; infinity: all count
  IrzAccumulate accumulate;
  int n_survival;
  double survival[IRZ_MAX_SURVIVAL]; ///< levels at which volumes are reported, 1
} IrzDeath;

/// Which frame the plan states probe positions in, when there is a label map. An IrzPlan always holds RAS.
typedef enum { IRZ_FRAME_RAS, IRZ_FRAME_LPS } IrzFrame;

/// Which of the two transforms of a NIfTI image places it; the other one if it has only that.
typedef enum { IRZ_TRANSFORM_SFORM, IRZ_TRANSFORM_QFORM } IrzTransform;

/// Longest name of a label in anatomy.map, with its zero.
#define IRZ_LABEL_KEY_MAX 128

/// One entry of anatomy.map.
typedef struct {
  int label; ///< number; of one that is stated by name once the image has been read, before that -1
  char region[IRZ_NAME_MAX];
  char name[IRZ_LABEL_KEY_MAX]; ///< by which it is stated; "": by its number
  int line;
} IrzLabel;

/// Whether the temperature acts back on the conductivity.
typedef enum {
  IRZ_COUPLING_NONE, ///< heat from the fields at 37 C
  IRZ_COUPLING_FULL  ///< fields solved again as the tissue warms up
} IrzCoupling;

/// What the bare metal of the needles does to heat.
typedef enum {
  IRZ_NEEDLES_METAL,     ///< each needle has one temperature and takes up heat as its steel does
  IRZ_NEEDLES_BODY,      ///< is held at the temperature of the blood
  IRZ_NEEDLES_INSULATING ///< nothing
} IrzNeedles;

/// Perfusion inside the electroporated zone.
typedef enum { IRZ_PERFUSION_KEPT, IRZ_PERFUSION_STOPPED } IrzZonePerfusion;

/// Outer wall of the tissue box.
typedef enum { IRZ_OUTER_BODY, IRZ_OUTER_INSULATED } IrzOuter;

/// Constants of the Arrhenius damage.
typedef enum { IRZ_DAMAGE_LIVER, IRZ_DAMAGE_GENERAL, IRZ_DAMAGE_SKIN, IRZ_DAMAGE_ARTERY } IrzDamageSet;

/// Heating of the tissue. Temperatures in degrees Celsius.
typedef struct {
  bool on; ///< the plan has `heat`
  IrzCoupling coupling;
  IrzNeedles needles;
  IrzZonePerfusion perfusion_in_zone;
  IrzOuter outer;
  IrzDamageSet damage;
  double heart_rate; ///< Hz, one pulse per heartbeat; 0: each pair's own rate
  int packet;        ///< pulses between two pauses
  double recharge;   ///< s, pause of the generator
  double gap;        ///< s, from one pair to the next
  double cooling;    ///< s, after the last pulse
  double body;       ///< C, blood, outer wall, and tissue at the start unless `initial` says otherwise
  double initial;    ///< C
  int order;         ///< element order of the temperature
  double step;       ///< s, time step while a pair fires
  int frames;        ///< temperature fields to write
  int line;
} IrzHeatPlan;

enum { IRZ_MAX_TARGETS = 8, IRZ_MAX_AT_RISK = 16, IRZ_MAX_AVOID = 16 };

/// What the result is judged against: the patient.
typedef struct {
  bool on; ///< the plan has `patient`
  int n_targets;
  struct {
    char region[IRZ_NAME_MAX];
    char organ[IRZ_NAME_MAX]; ///< or ""
    double margin;            ///< m, wanted
    int line;
  } target[IRZ_MAX_TARGETS]; ///< [n_targets] tissue that is to be ablated
  int n_at_risk;
  struct {
    char region[IRZ_NAME_MAX];
    double max_field; ///< V/m; NaN: no limit
    int line;
  } at_risk[IRZ_MAX_AT_RISK]; ///< [n_at_risk] tissue that is to be spared
  struct {
    bool on;                 ///< the plan has `patient.needles`
    char skin[IRZ_NAME_MAX]; ///< region whose outside is the air, or ""
    double length;           ///< m, usable; NaN: not stated
    double clearance;        ///< m, to regions to avoid
    int n_avoid;
    char avoid[IRZ_MAX_AVOID][IRZ_NAME_MAX];
    int line;
  } needles;
  struct {
    char labels[IRZ_PATH_MAX]; ///< label map with a measured zone, or ""
    char name[IRZ_NAME_MAX];   ///< of the zone's label in it, as stated: a number or a name
    int label;                 ///< its number; -1: it has a name
    int line;
  } compare;
  int line;
} IrzPatientPlan;

/// A plan in SI units. What is added to it as a pointer must be copied by irz_plan_copy() and freed by irz_plan_free().
struct IrzPlan {
  IrzYaml *tree;             ///< as stated, changes included: paths as they were written, no defaults
  char *missing;             ///< the error that says what the plan lacks before it can run; NULL: nothing
  char name[IRZ_NAME_MAX];   ///< names the output files
  char file[IRZ_PATH_MAX];   ///< where it was read from
  char folder[IRZ_PATH_MAX]; ///< where relative paths count from: the file's folder, from the root of the file system,
                             ///< wherever the process goes later; "": it cannot be found out
  char *text;                ///< the plan as it applies, overrides included, as YAML; reading it again gives this plan

  struct {
    double size;             ///< m, edge of the tissue box
    double accuracy;         ///< wanted relative error of the zone volume, 1 (the plan's percent / 100)
    int order;               ///< element order, 1 or 2
    char file[IRZ_PATH_MAX]; ///< loaded mesh (relative paths are taken from the plan's folder), or ""
    double scale;            ///< m per mesh unit
    int line;
  } mesh;

  struct {
    char labels[IRZ_PATH_MAX]; ///< label map, or ""
    char names[IRZ_PATH_MAX];  ///< file that names its labels, or ""
    IrzFrame frame;            ///< frame of the coordinates in the file; here they are RAS already
    IrzTransform transform;    ///< of the label map
    bool transform_stated;     ///< the plan chooses: then nothing is said about the other one
    bool frame_stated;         ///< `frame` stands at the top of the plan: it has one without a label map
    int n_map;
    IrzLabel *map;
    int line;
  } anatomy;

  int n_tissues;
  IrzTissue *tissues; ///< [n_tissues]; tissues[0] is `default`

  int n_probes;
  IrzProbe probes[IRZ_MAX_PROBES];
  bool markups; ///< they come from markups

  int n_pulses;
  IrzPulse *pulses; ///< [n_pulses]

  struct {
    double step;  ///< m, by which all needles are withdrawn along their axes
    int count;    ///< how often; after each time all pulses are fired again; 0: no pull-back
    int position; ///< how often they are withdrawn in this plan: 0 as read
    int line;
  } pullback;

  IrzIdle idle_probes;
  IrzMemory memory;

  struct {
    double max_voltage; ///< V
    double max_current; ///< A
    bool enforce;       ///< lower a pair's voltage until it stays inside the limits
    /* Ranges outside which a plan is warned of. */
    double min_count, max_count;       ///< pulses of a pair
    double min_width, max_width;       ///< s
    double min_exposure, max_exposure; ///< m
    double exposure_step;              ///< m, 0: any exposure
    double usual_spacing, max_spacing; ///< m, beyond the first a pair is unusual, beyond the second not in reports
  } generator;

  struct {
    double threshold; ///< V/m, or IRZ_NO_THRESHOLD: the presets' own apply
    int n_also;
    double also[IRZ_MAX_ALSO]; ///< V/m
  } zone;

  struct {
    double tolerance; ///< relative error of the algebra in the energy norm at which the fields are done
  } solver;

  struct {
    bool fields;  ///< write the fields and not only the summary
    bool slicer;  ///< write what 3D Slicer opens
    double voxel; ///< m, edge of the voxels for it without a label map
  } output;

  IrzHeatPlan heat;
  IrzDeath death;
  IrzPatientPlan patient;

  int n_warnings;
  char **warnings; ///< one line each
};

/// Sizes of generated meshes, as a multiple of those for 1 %, against the accuracy: cube root at order 2, square root
/// at order 1, which needs four times as fine ones. Coarser than the limit saves no time: Gmsh takes longer for them.
#define IRZ_COARSEST_MESH 1.3
#define IRZ_LINEAR_MESH 0.25

/// The accuracy for which the coarsest generated mesh is made, relative: larger ones get the same.
static inline double irz_coarsest_accuracy(int order) {
  double linear = IRZ_COARSEST_MESH / IRZ_LINEAR_MESH;
  return 0.01 * (order == 1 ? linear * linear : IRZ_COARSEST_MESH * IRZ_COARSEST_MESH * IRZ_COARSEST_MESH);
}

/// Index of the tissue that applies to a region: its own entry, else `default`.
int irz_plan_tissue(const IrzPlan *plan, const char *region);

/// Room for irz_plan_place().
#define IRZ_PLACE_MAX (IRZ_PATH_MAX + 16)

/// Where something stands, for messages: "plan.yaml:12", without the line if it comes from an override.
void irz_plan_place(const IrzPlan *plan, int line, char place[IRZ_PLACE_MAX]);

/// Check that the regions which `patient` names are there.
/// @param[in]  names  of all regions; ends with NULL
/// @param[in]  where  what has them, as "the mesh"
/// @param[out] error  names the key, and what was probably meant
IrzCode irz_patient_find_regions(const IrzPlan *plan, const char *const *names, const char *where, IrzError *error);

/// Distance that turns V/cm into V for a pair of probes with geometry: between the midpoints of their bare tips, m.
double irz_plan_distance(const IrzPlan *plan, int from, int to);

/// Whether the plan has two plates that cover the whole cross-section of the tissue box: the tissue is then what lies
/// between them, and they are two of its walls.
bool irz_plates_clamp(const IrzPlan *plan);

/// One of the eight corners of a plate, m. Bits of `corner`: 1 along `side`, 2 along the height, 4 on the far face.
void irz_plate_corner(const IrzProbe *plate, int corner, double x[3]);

/// Volume of a probe's bare metal, without what its end lacks of a flat one, m^3.
double irz_probe_metal(const IrzProbe *probe);

/// Length over which the end of a needle is thinner than its diameter, m.
double irz_probe_point_length(const IrzProbe *probe);

/// The same plan with its needles withdrawn, as in a pull-back.
/// @param[in]  position  how often the needles are withdrawn by the step; 0: a copy
/// @param[out] moved     to be released with irz_plan_free(); NULL on failure
IrzCode irz_plan_withdraw(const IrzPlan *plan, int position, IrzPlan **moved, IrzError *error);

/// A path as it is named to a person: without the current folder, if it begins with that.
const char *irz_path_from_here(const char *path);

/// Whether a key path, or an override that begins with it, changes where needles are.
bool irz_key_moves_needles(const char *key);

/// Warn of the voltages that have followed needles because their pulses state a field.
/// @param[in] before  the plan before they were moved
/// @param[in] mover   who moved them, as in "--set has moved"
void irz_plan_warn_of_voltages(IrzPlan *plan, const IrzPlan *before, const char *mover);

/// Add another plan's warnings, from one of them on.
void irz_plan_add_warnings(IrzPlan *plan, const IrzPlan *from, int first);

/// Centre of the generated tissue box: mean of the midpoints of the bare tips, over all positions of a pull-back, m.
void irz_plan_center(const IrzPlan *plan, double center[3]);

#endif
