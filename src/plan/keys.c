/* Every key of a plan: its unit, its range, its default, its meaning. */
#include "plan/keys.h"

#define MM 1e-3
#define V_PER_CM 100.0
#define MICRO 1e-6

static const char *const idle_choices[] = {"floating", "insulating", NULL};
static const char *const memory_choices[] = {"none", "pairs", NULL};
static const char *const death_choices[] = {"threshold", "peleg-fermi", NULL};
static const char *const accumulate_choices[] = {"product", "maximum", NULL};
static const char *const frame_choices[] = {"RAS", "LPS", NULL};
static const char *const transform_choices[] = {"sform", "qform", NULL};
static const char *const coupling_choices[] = {"none", "full", NULL};
static const char *const needle_choices[] = {"metal", "body", "insulating", NULL};
static const char *const perfusion_choices[] = {"kept", "stopped", NULL};
static const char *const outer_choices[] = {"body", "insulated", NULL};
static const char *const damage_choices[] = {"liver", "general", "skin", "artery", NULL};
static const char *const pairs_choices[] = {"all", NULL};
static const char *const end_choices[] = {"first", "last", NULL};
static const char *const tip_choices[] = {"flat", "rounded", "trocar", NULL};
const char *const irz_law_names[] = {"constant", "ramp", "sigmoid", "smoothstep", "gompertz", "table", NULL};
const char *const irz_rise_names[] = {"scaled", "along-field", NULL};

#define END                                                                                                            \
  { .name = NULL }

static const IrzKey plan_keys[] = {
    {.name = "name",
     .type = IRZ_KEY_NAME,
     .offset = offsetof(IrzPlanKeys, name),
     .help = "names the output files; the plan's file name without its ending if not stated"},
    {.name = "mesh",
     .type = IRZ_KEY_NODE,
     .offset = offsetof(IrzPlanKeys, mesh),
     .help = "the mesh: generated around the probes, or loaded"},
    {.name = "tissues",
     .type = IRZ_KEY_NODE,
     .offset = offsetof(IrzPlanKeys, tissues),
     .required = true,
     .help = "tissue of each region; `default` is every other region"},
    {.name = "anatomy",
     .type = IRZ_KEY_NODE,
     .offset = offsetof(IrzPlanKeys, anatomy),
     .help = "tissue from a patient's label map"},
    {.name = "frame",
     .type = IRZ_KEY_CHOICE,
     .offset = offsetof(IrzPlanKeys, frame),
     .choices = frame_choices,
     .standard = "RAS",
     .help = "frame of all coordinates and directions in the plan; results are in RAS (generated meshes, label maps)"},
    {.name = "probes",
     .type = IRZ_KEY_NODE,
     .offset = offsetof(IrzPlanKeys, probes),
     .help = "list of needle probes, or where they are in markups of 3D Slicer"},
    {.name = "array",
     .type = IRZ_KEY_NODE,
     .offset = offsetof(IrzPlanKeys, array),
     .help = "parallel probes in a usual layout, instead of `probes`"},
    {.name = "plates",
     .type = IRZ_KEY_NODE,
     .offset = offsetof(IrzPlanKeys, plates),
     .help = "two parallel plates, instead of `probes`"},
    {.name = "pulses",
     .type = IRZ_KEY_NODE,
     .offset = offsetof(IrzPlanKeys, pulses),
     .required = true,
     .help = "which pairs fire, in this order"},
    {.name = "pullback",
     .type = IRZ_KEY_NODE,
     .offset = offsetof(IrzPlanKeys, pullback),
     .help = "withdraw all needles along their axes and fire all pulses again"},
    {.name = "idle_probes",
     .type = IRZ_KEY_CHOICE,
     .offset = offsetof(IrzPlanKeys, idle_probes),
     .choices = idle_choices,
     .standard = "floating",
     .help = "probes that do not fire: equipotential without net current, or insulating"},
    {.name = "memory",
     .type = IRZ_KEY_CHOICE,
     .offset = offsetof(IrzPlanKeys, memory),
     .choices = memory_choices,
     .standard = "none",
     .help = "pairs: conductivity never falls below what earlier pairs raised it to"},
    {.name = "generator", .type = IRZ_KEY_NODE, .offset = offsetof(IrzPlanKeys, generator), .help = "limits"},
    {.name = "zone", .type = IRZ_KEY_NODE, .offset = offsetof(IrzPlanKeys, zone), .help = "thresholds"},
    {.name = "solver", .type = IRZ_KEY_NODE, .offset = offsetof(IrzPlanKeys, solver), .help = "how exactly to solve"},
    {.name = "output", .type = IRZ_KEY_NODE, .offset = offsetof(IrzPlanKeys, output), .help = "what is written"},
    {.name = "heat",
     .type = IRZ_KEY_NODE,
     .offset = offsetof(IrzPlanKeys, heat),
     .help = "compute the heating of the tissue; {} takes every default; nothing is computed if not stated"},
    {.name = "death",
     .type = IRZ_KEY_NODE,
     .offset = offsetof(IrzPlanKeys, death),
     .help = "survival of cells from field and number of pulses"},
    {.name = "patient",
     .type = IRZ_KEY_NODE,
     .offset = offsetof(IrzPlanKeys, patient),
     .help = "judge the result against the patient: what must be covered, and what spared"},
    END,
};
const IrzSection irz_section_plan = {"", "the plan", plan_keys};

static const IrzKey mesh_keys[] = {
    {.name = "size",
     .type = IRZ_KEY_NUMBER,
     .offset = offsetof(IrzPlan, mesh.size),
     .unit = MM,
     .unit_name = "mm",
     .least = 5,
     .most = 2000,
     .standard = "120",
     .help = "edge of the tissue box (generated meshes)"},
    {.name = "accuracy",
     .type = IRZ_KEY_NUMBER,
     .offset = offsetof(IrzPlan, mesh.accuracy),
     .unit = 0.01,
     .unit_name = "%",
     .least = 0.01,
     .most = 50,
     .standard = "1",
     .help = "wanted error of the zone's volume; of 0.01 cm3 if the zone is smaller. The coarsest mesh is that for 2.2 "
             "% (27 % at "
             "order 1): asking for less saves no time"},
    {.name = "order",
     .type = IRZ_KEY_INTEGER,
     .offset = offsetof(IrzPlan, mesh.order),
     .least = 1,
     .most = 2,
     .standard = "2",
     .help = "element order"},
    {.name = "file",
     .type = IRZ_KEY_PATH,
     .offset = offsetof(IrzPlan, mesh.file),
     .help = "load this mesh instead: Gmsh MSH 2.2 or 4.1; relative to the plan's folder"},
    {.name = "scale",
     .type = IRZ_KEY_NUMBER,
     .offset = offsetof(IrzPlan, mesh.scale),
     .unit = MM,
     .unit_name = "mm",
     .least = 1e-6,
     .most = 1e6,
     .standard = "1",
     .help = "length of one mesh unit (loaded meshes)"},
    END,
};
const IrzSection irz_section_mesh = {"mesh", "the mesh", mesh_keys};

/* What the heating needs to know of a tissue; not stated, it comes from the preset. */
#define THERMAL(key, field, scale, units, smallest, largest, words)                                                    \
  {                                                                                                                    \
    .name = (key), .type = IRZ_KEY_NUMBER, .offset = offsetof(IrzTissueKeys, field), .unit = (scale),                  \
    .unit_name = (units), .least = (smallest), .most = (largest), .help = (words)                                      \
  }

static const IrzKey tissue_keys[] = {
    {.name = "preset",
     .type = IRZ_KEY_NAME,
     .offset = offsetof(IrzTissueKeys, preset),
     .help = "start from this preset; `irezone tissues` lists them"},
    {.name = "sigma",
     .type = IRZ_KEY_NODE,
     .offset = offsetof(IrzTissueKeys, sigma),
     .help = "conductivity; what is not stated comes from the preset"},
    {.name = "anisotropy",
     .type = IRZ_KEY_NODE,
     .offset = offsetof(IrzTissueKeys, anisotropy),
     .help = "conductivity that depends on direction; the same in all directions if not stated"},
    {.name = "threshold",
     .type = IRZ_KEY_NUMBER,
     .offset = offsetof(IrzTissueKeys, threshold),
     .unit = V_PER_CM,
     .unit_name = "V/cm",
     .least = 1,
     .most = 1e5,
     .help = "irreversible threshold; if not stated zone.threshold, if that is not stated the preset's"},
    THERMAL("density", density, 1, "kg/m^3", 1, 3e4, "density"),
    THERMAL("heat_capacity", capacity, 1, "J/(kg K)", 1, 1e5, "heat capacity"),
    THERMAL("thermal_conductivity", conductivity, 1, "W/(m K)", 1e-4, 1e4, "thermal conductivity"),
    THERMAL("perfusion", perfusion, 1, "1/s", 0, 10, "volume of blood through a volume of tissue per second"),
    THERMAL("metabolic_heat", metabolic, 1, "W/m^3", 0, 1e7, "heat that the tissue makes"),
    THERMAL("temperature_coefficient", sigma_rise, 0.01, "%/K", -10, 10,
            "rise of the conductivity with temperature, from 37 °C on"),
    {.name = "blood",
     .type = IRZ_KEY_FLAG,
     .offset = offsetof(IrzTissueKeys, blood),
     .help = "a vessel with flow: held at body temperature, a sink of heat; true for the preset vessel if not stated"},
    END,
};
const IrzSection irz_section_tissue = {"tissues.REGION", "a tissue", tissue_keys};

static const IrzKey anisotropy_keys[] = {
    {.name = "fibres",
     .type = IRZ_KEY_POINT,
     .offset = offsetof(IrzAnisotropyKeys, fibres),
     .least = -1e6,
     .most = 1e6,
     .help = "direction of the fibres, in the probes' frame; any length"},
    {.name = "ratio",
     .type = IRZ_KEY_NUMBER,
     .offset = offsetof(IrzAnisotropyKeys, ratio),
     .least = 1e-3,
     .most = 1e3,
     .help = "conductivity along the fibres over that across; the preset's if not stated (muscle has one)"},
    {.name = "tensor",
     .type = IRZ_KEY_NODE,
     .offset = offsetof(IrzAnisotropyKeys, tensor),
     .help = "instead of fibres: [xx, yy, zz, xy, yz, xz], positive definite, in any unit; only its shape counts"},
    {.name = "rise",
     .type = IRZ_KEY_CHOICE,
     .offset = offsetof(IrzAnisotropyKeys, rise),
     .choices = irz_rise_names,
     .standard = "scaled",
     .help = "with the field rises the whole tensor, or only its part along the field (LaBarbera and Drapaca 2017)"},
    END,
};
const IrzSection irz_section_anisotropy = {
    "tissues.REGION.anisotropy",
    "sigma(E) is then the mean of the three principal conductivities; with `rise: along-field` that at rest, sigma(0)",
    anisotropy_keys};
const IrzKey irz_key_tensor = {.name = "tensor", .type = IRZ_KEY_NUMBER, .least = -1e9, .most = 1e9};

#define LAW_KEY                                                                                                        \
  { .name = "law", .type = IRZ_KEY_NODE, .offset = IRZ_KEY_ELSEWHERE, .help = "which law" }
#define CONDUCTIVITY(key, field, words)                                                                                \
  {                                                                                                                    \
    .name = (key), .type = IRZ_KEY_NUMBER, .offset = offsetof(IrzLaw, field), .unit_name = "S/m", .least = 1e-9,       \
    .most = 1e9, .required = true, .help = (words)                                                                     \
  }
#define FIELD(key, field, smallest, words)                                                                             \
  {                                                                                                                    \
    .name = (key), .type = IRZ_KEY_NUMBER, .offset = offsetof(IrzLaw, field), .unit = V_PER_CM, .unit_name = "V/cm",   \
    .least = (smallest), .most = 1e6, .required = true, .help = (words)                                                \
  }

static const IrzKey constant_keys[] = {LAW_KEY, CONDUCTIVITY("value", low, "conductivity"), END};
static const IrzKey ramp_keys[] = {LAW_KEY,
                                   CONDUCTIVITY("low", low, "up to `from`"),
                                   CONDUCTIVITY("high", high, "beyond `to`"),
                                   FIELD("from", p, 0, "field where the rise begins"),
                                   FIELD("to", q, 0, "field where it ends"),
                                   END};
static const IrzKey sigmoid_keys[] = {LAW_KEY,
                                      CONDUCTIVITY("low", low, "far below `center`"),
                                      CONDUCTIVITY("high", high, "far above it"),
                                      FIELD("center", p, 0, "field halfway up"),
                                      FIELD("width", q, 1e-3, "width of the rise"),
                                      END};
static const IrzKey smoothstep_keys[] = {LAW_KEY,
                                         CONDUCTIVITY("low", low, "up to `from`"),
                                         CONDUCTIVITY("high", high, "beyond `to`"),
                                         FIELD("from", p, 0, "field where the rise begins"),
                                         FIELD("to", q, 0, "field where it ends"),
                                         END};
static const IrzKey gompertz_keys[] = {LAW_KEY,
                                       CONDUCTIVITY("low", low, "`low` of the formula"),
                                       CONDUCTIVITY("high", high, "at high fields"),
                                       {.name = "a",
                                        .type = IRZ_KEY_NUMBER,
                                        .offset = offsetof(IrzLaw, p),
                                        .least = 0,
                                        .most = 1e6,
                                        .required = true,
                                        .help = "`a` of low + (high - low) exp(-a exp(-b E))"},
                                       {.name = "b",
                                        .type = IRZ_KEY_NUMBER,
                                        .offset = offsetof(IrzLaw, q),
                                        .unit = 0.01,
                                        .unit_name = "cm/V",
                                        .least = 1e-6,
                                        .most = 1e3,
                                        .required = true,
                                        .help = "`b` of it"},
                                       END};
static const IrzKey table_keys[] = {LAW_KEY,
                                    {.name = "field",
                                     .type = IRZ_KEY_NODE,
                                     .offset = offsetof(IrzTableKeys, field),
                                     .unit_name = "V/cm",
                                     .required = true,
                                     .help = "list of fields, growing"},
                                    {.name = "sigma",
                                     .type = IRZ_KEY_NODE,
                                     .offset = offsetof(IrzTableKeys, sigma),
                                     .unit_name = "S/m",
                                     .required = true,
                                     .help = "list of conductivities, linear in between and constant outside"},
                                    END};
const IrzSection irz_section_laws[] = {
    {"tissues.REGION.sigma, law: constant", "the same at every field", constant_keys},
    {"tissues.REGION.sigma, law: ramp", "linear between two fields", ramp_keys},
    {"tissues.REGION.sigma, law: sigmoid", "low + (high - low) / (1 + exp(-(E - center) / width))", sigmoid_keys},
    {"tissues.REGION.sigma, law: smoothstep", "quintic with smooth ends between two fields", smoothstep_keys},
    {"tissues.REGION.sigma, law: gompertz", "low + (high - low) exp(-a exp(-b E))", gompertz_keys},
    {"tissues.REGION.sigma, law: table", "points", table_keys},
};
const IrzKey irz_key_field = {
    .name = "field", .type = IRZ_KEY_NUMBER, .unit = V_PER_CM, .unit_name = "V/cm", .least = 0, .most = 1e6};
const IrzKey irz_key_sigma = {.name = "sigma", .type = IRZ_KEY_NUMBER, .unit_name = "S/m", .least = 1e-9, .most = 1e9};

static const IrzKey anatomy_keys[] = {
    {.name = "labels",
     .type = IRZ_KEY_PATH,
     .offset = offsetof(IrzAnatomyKeys, labels),
     .required = true,
     .help =
         "label map: NIfTI-1 (.nii, .nii.gz), NRRD (.nrrd, .nhdr) or Slicer segmentation (.seg.nrrd); relative to the "
         "plan's folder; meshes follow its smoothed surfaces"},
    {.name = "map",
     .type = IRZ_KEY_NODE,
     .offset = offsetof(IrzAnatomyKeys, map),
     .required = true,
     .help =
         "{label: region}, the label by its number, or by the name that the file or `names` gives it; where segments "
         "overlap the last one listed counts; labels not listed and points outside the image are `default`"},
    {.name = "names",
     .type = IRZ_KEY_PATH,
     .offset = offsetof(IrzAnatomyKeys, names),
     .help = "names of the labels: ITK-SNAP label description or Slicer colour table (.ctbl, .txt), beside a file that "
             "has none"},
    {.name = "frame",
     .type = IRZ_KEY_CHOICE,
     .offset = offsetof(IrzAnatomyKeys, frame),
     .choices = frame_choices,
     .standard = "RAS",
     .help = "frame of the probes' coordinates; the same as `frame` at the top of the plan"},
    {.name = "transform",
     .type = IRZ_KEY_CHOICE,
     .offset = offsetof(IrzAnatomyKeys, transform),
     .choices = transform_choices,
     .standard = "sform",
     .help = "which of the image's two transforms places it, where both are set; one that is alone is taken"},
    END,
};
const IrzSection irz_section_anatomy = {"anatomy", "tissue from a label map (generated meshes)", anatomy_keys};

#define EXPOSURE(structure)                                                                                            \
  {                                                                                                                    \
    .name = "exposure", .type = IRZ_KEY_NUMBER, .offset = offsetof(structure, exposure), .unit = MM,                   \
    .unit_name = "mm", .least = 0.1, .most = 500, .usual_least = offsetof(IrzPlan, generator.min_exposure),            \
    .usual_most = offsetof(IrzPlan, generator.max_exposure), .usual_note = "generator.min_exposure to max_exposure",   \
    .standard = "20", .help = "length of bare metal from the tip"                                                      \
  }
/* 19 gauge, the needle of the common generator (size recalled, not checked). */
#define DIAMETER(structure)                                                                                            \
  {                                                                                                                    \
    .name = "diameter", .type = IRZ_KEY_NUMBER, .offset = offsetof(structure, diameter), .unit = MM,                   \
    .unit_name = "mm", .least = 0.05, .most = 50, .standard = "1.07", .help = "diameter of the needle"                 \
  }

/* Needle makers do not publish their points: the angle of a trocar's facets is an assumption (irz_probe_point_length).
 */
#define TIP_SHAPE(structure)                                                                                           \
  {                                                                                                                    \
    .name = "tip_shape", .type = IRZ_KEY_CHOICE, .offset = offsetof(structure, tip_shape), .choices = tip_choices,     \
    .standard = "flat",                                                                                                \
    .help = "end of the needle: flat, rounded (half sphere), trocar (three facets at 30 degrees to the axis)"          \
  }

static const IrzKey probe_keys[] = {
    {.name = "name",
     .type = IRZ_KEY_NAME,
     .offset = offsetof(IrzProbeKeys, name),
     .help = "name; A, B, C ... in the order listed if not stated"},
    {.name = "tip",
     .type = IRZ_KEY_POINT,
     .offset = offsetof(IrzProbeKeys, tip),
     .unit = MM,
     .unit_name = "mm",
     .least = -1e5,
     .most = 1e5,
     .help = "most distal point, on the axis"},
    {.name = "direction",
     .type = IRZ_KEY_POINT,
     .offset = offsetof(IrzProbeKeys, direction),
     .least = -1e6,
     .most = 1e6,
     .standard = "[0, 0, 1]",
     .help = "from the tip towards the handle; any length"},
    {.name = "length",
     .type = IRZ_KEY_NUMBER,
     .offset = offsetof(IrzProbeKeys, length),
     .unit = MM,
     .unit_name = "mm",
     .least = 0,
     .most = 1000,
     .standard = "0",
     .help = "from the tip to where the needle enters the skin, as markups state it; 0: not known"},
    EXPOSURE(IrzProbeKeys),
    DIAMETER(IrzProbeKeys),
    TIP_SHAPE(IrzProbeKeys),
    {.name = "electrodes",
     .type = IRZ_KEY_NODE,
     .offset = offsetof(IrzProbeKeys, electrodes),
     .unit_name = "mm",
     .help = "several electrodes on one needle, instead of exposure: their lengths from the tip up, as in [7, 7]; "
             "pulses name them NAME1, NAME2 ..."},
    /* Two electrodes of 7 mm, 8 mm apart: the bipolar probe of the common generator (recalled, not checked). */
    {.name = "gap",
     .type = IRZ_KEY_NUMBER,
     .offset = offsetof(IrzProbeKeys, gap),
     .unit = MM,
     .unit_name = "mm",
     .least = 0.1,
     .most = 500,
     .standard = "8",
     .help = "insulation between two of `electrodes`"},
    {.name = "surface",
     .type = IRZ_KEY_NAME,
     .offset = offsetof(IrzProbeKeys, surface),
     .help = "loaded meshes: physical surface of the bare metal; the probe's name if not stated"},
    END,
};
const IrzSection irz_section_probe = {"probes[]", "a needle probe", probe_keys};

static const IrzKey markups_keys[] = {
    {.name = "markups",
     .type = IRZ_KEY_NODE,
     .offset = offsetof(IrzMarkupsKeys, markups),
     .required = true,
     .help =
         "file or list of files (.mrk.json, .fcsv): a line each needle, or its tip and entry as two points in turn"},
    {.name = "tip",
     .type = IRZ_KEY_CHOICE,
     .offset = offsetof(IrzMarkupsKeys, tip),
     .choices = end_choices,
     .standard = "first",
     .help = "which of the two points is the tip; the other one is where the needle enters the skin"},
    {.name = "only",
     .type = IRZ_KEY_NODE,
     .offset = offsetof(IrzMarkupsKeys, only),
     .help = "names of the needles that are meant, in their order, as in [A, B]; all if not stated"},
    {.name = "transform",
     .type = IRZ_KEY_PATH,
     .offset = offsetof(IrzMarkupsKeys, transform),
     .help = "rigid transform that carries the needles to another scan: Slicer's .tfm, ITK text"},
    EXPOSURE(IrzMarkupsKeys),
    DIAMETER(IrzMarkupsKeys),
    TIP_SHAPE(IrzMarkupsKeys),
    {.name = "electrodes",
     .type = IRZ_KEY_NODE,
     .offset = offsetof(IrzMarkupsKeys, electrodes),
     .unit_name = "mm",
     .help = "of each needle, as in probes[]"},
    {.name = "gap",
     .type = IRZ_KEY_NUMBER,
     .offset = offsetof(IrzMarkupsKeys, gap),
     .unit = MM,
     .unit_name = "mm",
     .least = 0.1,
     .most = 500,
     .standard = "8",
     .help = "insulation between two of `electrodes`"},
    END,
};
const IrzSection irz_section_markups = {
    "probes", "needles from markups of 3D Slicer, instead of a list; named as there", markups_keys};

const IrzKey irz_key_electrode = {
    .name = "electrodes", .type = IRZ_KEY_NUMBER, .unit = MM, .unit_name = "mm", .least = 0.1, .most = 500};

static const IrzKey array_keys[] = {
    {.name = "count",
     .type = IRZ_KEY_INTEGER,
     .offset = offsetof(IrzArrayKeys, count),
     .least = 2,
     .most = IRZ_MAX_PROBES,
     .required = true,
     .help = "2 pair on x, 3 triangle, 4 square, 5 centre A + 4 around, 6 centre A + 5 around"},
    {.name = "spacing",
     .type = IRZ_KEY_NUMBER,
     .offset = offsetof(IrzArrayKeys, spacing),
     .unit = MM,
     .unit_name = "mm",
     .least = 0.1,
     .most = 1000,
     .required = true,
     .help = "side of the triangle or square; 5 and 6: radius"},
    EXPOSURE(IrzArrayKeys),
    DIAMETER(IrzArrayKeys),
    TIP_SHAPE(IrzArrayKeys),
    {.name = "center",
     .type = IRZ_KEY_POINT,
     .offset = offsetof(IrzArrayKeys, center),
     .unit = MM,
     .unit_name = "mm",
     .least = -1e5,
     .most = 1e5,
     .standard = "[0, 0, 0]",
     .help = "mean of the midpoints of the bare tips; the probes point along z"},
    END,
};
const IrzSection irz_section_array = {"array", "parallel probes along z, named A, B, C ...", array_keys};

#define PLATE_LENGTH(key, field, smallest, need, usual, words)                                                         \
  {                                                                                                                    \
    .name = (key), .type = IRZ_KEY_NUMBER, .offset = offsetof(IrzPlateKeys, field), .unit = MM, .unit_name = "mm",     \
    .least = (smallest), .most = 2000, .required = (need), .standard = (usual), .help = (words)                        \
  }

static const IrzKey plate_keys[] = {
    PLATE_LENGTH("width", width, 1, true, NULL, "of each plate, across direction and up"),
    PLATE_LENGTH("height", height, 1, true, NULL, "of each plate, along up"),
    PLATE_LENGTH("gap", gap, 1, true, NULL, "between the plates"),
    PLATE_LENGTH("thickness", thickness, 0.1, false, "1", "of each plate"),
    {.name = "center",
     .type = IRZ_KEY_POINT,
     .offset = offsetof(IrzPlateKeys, center),
     .unit = MM,
     .unit_name = "mm",
     .least = -1e5,
     .most = 1e5,
     .standard = "[0, 0, 0]",
     .help = "middle of the gap"},
    {.name = "direction",
     .type = IRZ_KEY_POINT,
     .offset = offsetof(IrzPlateKeys, direction),
     .least = -1e6,
     .most = 1e6,
     .standard = "[1, 0, 0]",
     .help = "from plate A to plate B; any length"},
    {.name = "up",
     .type = IRZ_KEY_POINT,
     .offset = offsetof(IrzPlateKeys, up),
     .least = -1e6,
     .most = 1e6,
     .help = "direction of the height; z if not stated, or y for plates that face z"},
    END,
};
const IrzSection irz_section_plates = {
    "plates", "two parallel plates, named A and B; as wide and high as the tissue box they clamp all of it",
    plate_keys};

#define PULSE_KEYS                                                                                                     \
  {.name = "voltage",                                                                                                  \
   .type = IRZ_KEY_NUMBER,                                                                                             \
   .offset = offsetof(IrzPulseKeys, voltage),                                                                          \
   .unit_name = "V",                                                                                                   \
   .least = 1e-3,                                                                                                      \
   .most = 1e5,                                                                                                        \
   .help = "voltage between the two probes"},                                                                          \
      {.name = "field",                                                                                                \
       .type = IRZ_KEY_NUMBER,                                                                                         \
       .offset = offsetof(IrzPulseKeys, field),                                                                        \
       .unit = V_PER_CM,                                                                                               \
       .unit_name = "V/cm",                                                                                            \
       .least = 1e-3,                                                                                                  \
       .most = 1e5,                                                                                                    \
       .help = "instead of voltage: voltage per distance of the pair"},                                                \
      {.name = "count",                                                                                                \
       .type = IRZ_KEY_INTEGER,                                                                                        \
       .offset = offsetof(IrzPulseKeys, count),                                                                        \
       .least = 1,                                                                                                     \
       .most = 1e6,                                                                                                    \
       .usual_least = offsetof(IrzPlan, generator.min_count),                                                          \
       .usual_most = offsetof(IrzPlan, generator.max_count),                                                           \
       .usual_note = "generator.min_count to max_count",                                                               \
       .standard = "90",                                                                                               \
       .help = "pulses"},                                                                                              \
      {.name = "width",                                                                                                \
       .type = IRZ_KEY_NUMBER,                                                                                         \
       .offset = offsetof(IrzPulseKeys, width),                                                                        \
       .unit = MICRO,                                                                                                  \
       .unit_name = "µs",                                                                                              \
       .least = 0.01,                                                                                                  \
       .most = 1e6,                                                                                                    \
       .usual_least = offsetof(IrzPlan, generator.min_width),                                                          \
       .usual_most = offsetof(IrzPlan, generator.max_width),                                                           \
       .usual_note = "generator.min_width to max_width",                                                               \
       .standard = "100",                                                                                              \
       .help = "length of a pulse"},                                                                                   \
  {                                                                                                                    \
    .name = "rate", .type = IRZ_KEY_NUMBER, .offset = offsetof(IrzPulseKeys, rate), .unit_name = "Hz", .least = 1e-3,  \
    .most = 1e6, .standard = "1.5", .help = "pulses per second"                                                        \
  }

static const IrzKey pulse_keys[] = {
    {.name = "from",
     .type = IRZ_KEY_NAME,
     .offset = offsetof(IrzPulseKeys, from),
     .required = true,
     .help = "probe at the voltage"},
    {.name = "to",
     .type = IRZ_KEY_NAME,
     .offset = offsetof(IrzPulseKeys, to),
     .required = true,
     .help = "probe at 0 V"},
    PULSE_KEYS,
    END,
};
const IrzSection irz_section_pulse = {"pulses[]", "a pair that fires; give voltage or field", pulse_keys};

static const IrzKey pairs_keys[] = {
    {.name = "pairs",
     .type = IRZ_KEY_CHOICE,
     .offset = offsetof(IrzPulseKeys, pairs),
     .choices = pairs_choices,
     .required = true,
     .help = "all: every pair, in the order A-B, A-C, ... B-C ..."},
    {.name = "max_spacing",
     .type = IRZ_KEY_NUMBER,
     .offset = offsetof(IrzPulseKeys, max_spacing),
     .unit = MM,
     .unit_name = "mm",
     .least = 0.1,
     .most = 1e4,
     .help = "leave out pairs that are further apart"},
    PULSE_KEYS,
    END,
};
const IrzSection irz_section_pairs = {"pulses", "every pair in one line, instead of a list", pairs_keys};

static const IrzKey pullback_keys[] = {
    {.name = "step",
     .type = IRZ_KEY_NUMBER,
     .offset = offsetof(IrzPlan, pullback.step),
     .unit = MM,
     .unit_name = "mm",
     .least = 0,
     .most = 500,
     .required = true,
     .help = "how far each time"},
    {.name = "count",
     .type = IRZ_KEY_INTEGER,
     .offset = offsetof(IrzPlan, pullback.count),
     .least = 1,
     .most = 20,
     .standard = "1",
     .help = "how often"},
    END,
};
const IrzSection irz_section_pullback = {
    "pullback", "the zone unites all positions; not with plates, a loaded mesh, heat or memory: pairs", pullback_keys};

/* The limits of the usual generator and its probes are recalled from the literature, not checked. */
#define GENERATOR_KEY(key, field, si, in, smallest, largest, usual, words)                                             \
  {                                                                                                                    \
    .name = (key), .type = IRZ_KEY_NUMBER, .offset = offsetof(IrzPlan, generator.field), .unit = (si),                 \
    .unit_name = (in), .least = (smallest), .most = (largest), .standard = (usual), .help = (words)                    \
  }
static const IrzKey generator_keys[] = {
    {.name = "max_voltage",
     .type = IRZ_KEY_NUMBER,
     .offset = offsetof(IrzPlan, generator.max_voltage),
     .unit_name = "V",
     .least = 1,
     .most = 1e5,
     .standard = "3000",
     .help = "a pair beyond it is a warning"},
    {.name = "max_current",
     .type = IRZ_KEY_NUMBER,
     .offset = offsetof(IrzPlan, generator.max_current),
     .unit_name = "A",
     .least = 1e-3,
     .most = 1e5,
     .standard = "50",
     .help = "a pair beyond it is a warning"},
    GENERATOR_KEY("min_count", min_count, 1, NULL, 1, 1e6, "10", "fewer pulses of a pair are a warning"),
    GENERATOR_KEY("max_count", max_count, 1, NULL, 1, 1e6, "100", "more are, too"),
    GENERATOR_KEY("min_width", min_width, MICRO, "µs", 0.01, 1e6, "20", "shorter pulses are a warning"),
    GENERATOR_KEY("max_width", max_width, MICRO, "µs", 0.01, 1e6, "100", "longer ones are, too"),
    GENERATOR_KEY("min_exposure", min_exposure, MM, "mm", 0, 500, "5", "a shorter bare tip is a warning"),
    GENERATOR_KEY("max_exposure", max_exposure, MM, "mm", 0.1, 500, "40", "a longer one is, too"),
    GENERATOR_KEY("exposure_step", exposure_step, MM, "mm", 0, 500, "5",
                  "exposures between its multiples are a warning; 0: none is"),
    GENERATOR_KEY("usual_spacing", usual_spacing, MM, "mm", 0, 1e4, "23", "a pair further apart is a warning"),
    GENERATOR_KEY("max_spacing", max_spacing, MM, "mm", 0, 1e4, "32",
                  "a pair further apart is beyond the clinical reports"),
    {.name = "enforce",
     .type = IRZ_KEY_FLAG,
     .offset = offsetof(IrzPlan, generator.enforce),
     .standard = "false",
     .help = "lower the voltage of a pair until it stays inside the limits"},
    END,
};
const IrzSection irz_section_generator = {
    "generator", "limits of the generator and its probes; what is beyond them is a warning", generator_keys};

static const IrzKey zone_keys[] = {
    {.name = "threshold",
     .type = IRZ_KEY_NUMBER,
     .offset = offsetof(IrzZoneKeys, threshold),
     .unit = V_PER_CM,
     .unit_name = "V/cm",
     .least = 1,
     .most = 1e5,
     .help = "irreversible threshold of every tissue that states none; if not stated the presets' own"},
    {.name = "also",
     .type = IRZ_KEY_NODE,
     .offset = offsetof(IrzZoneKeys, also),
     .unit_name = "V/cm",
     .help = "report volumes at these too [350, 400, 450, 550, 600, 700]"},
    END,
};
const IrzSection irz_section_zone = {"zone", "thresholds of the ablated zone", zone_keys};

static const IrzKey solver_keys[] = {
    {.name = "tolerance",
     .type = IRZ_KEY_NUMBER,
     .offset = offsetof(IrzPlan, solver.tolerance),
     .least = 1e-10,
     .most = 1e-3,
     .standard = "1e-8",
     .help = "error of the algebra, in the energy norm against the solution; 1e-8 makes every number the same on any "
             "number of ranks to six digits, 1e-4 is enough for an answer within 0.1 % and takes less time"},
    END,
};
const IrzSection irz_section_solver = {"solver", "how exactly the equations are solved", solver_keys};

static const IrzKey output_keys[] = {
    {.name = "fields",
     .type = IRZ_KEY_FLAG,
     .offset = offsetof(IrzPlan, output.fields),
     .standard = "true",
     .help = "false: no .hdf files (fields and heat.frames), only the summary and tables"},
    {.name = "slicer",
     .type = IRZ_KEY_FLAG,
     .offset = offsetof(IrzPlan, output.slicer),
     .help = "write the zone, the field and the needles for 3D Slicer; true if not stated and the plan has `patient`"},
    {.name = "voxel",
     .type = IRZ_KEY_NUMBER,
     .offset = offsetof(IrzPlan, output.voxel),
     .unit = MM,
     .unit_name = "mm",
     .least = 0.1,
     .most = 10,
     .standard = "1",
     .help = "edge of the voxels for 3D Slicer without anatomy, whose grid is taken otherwise"},
    END,
};
const IrzSection irz_section_output = {"output", "what a run writes", output_keys};

static const IrzKey heat_keys[] = {
    {.name = "coupling",
     .type = IRZ_KEY_CHOICE,
     .offset = offsetof(IrzPlan, heat.coupling),
     .choices = coupling_choices,
     .standard = "none",
     .help = "full: the field is solved again as the tissue warms up and conducts better; currents and zone follow"},
    {.name = "heart_rate",
     .type = IRZ_KEY_NUMBER,
     .offset = offsetof(IrzPlan, heat.heart_rate),
     .unit = 1.0 / 60,
     .unit_name = "1/min",
     .least = 1,
     .most = 1000,
     .help = "one pulse per heartbeat; if not stated the rate of each pair"},
    {.name = "packet",
     .type = IRZ_KEY_INTEGER,
     .offset = offsetof(IrzPlan, heat.packet),
     .least = 1,
     .most = 1e6,
     .standard = "10",
     .help = "pulses between two pauses in which the generator recharges"},
    /* 3 to 3.5 s (recalled, not checked). */
    {.name = "recharge",
     .type = IRZ_KEY_NUMBER,
     .offset = offsetof(IrzPlan, heat.recharge),
     .unit_name = "s",
     .least = 0,
     .most = 1e4,
     .standard = "3.5",
     .help = "length of that pause (the default is recalled, not checked)"},
    {.name = "gap",
     .type = IRZ_KEY_NUMBER,
     .offset = offsetof(IrzPlan, heat.gap),
     .unit_name = "s",
     .least = 0,
     .most = 1e5,
     .standard = "5",
     .help = "from the last pulse of a pair to the first of the next (the default is a guess)"},
    {.name = "cooling",
     .type = IRZ_KEY_NUMBER,
     .offset = offsetof(IrzPlan, heat.cooling),
     .unit_name = "s",
     .least = 0,
     .most = 1e5,
     .standard = "60",
     .help = "time that is computed after the last pulse"},
    {.name = "body_temperature",
     .type = IRZ_KEY_NUMBER,
     .offset = offsetof(IrzPlan, heat.body),
     .unit_name = "°C",
     .least = 0,
     .most = 60,
     .standard = "37",
     .help = "of the blood and of the wall of the tissue box"},
    {.name = "initial_temperature",
     .type = IRZ_KEY_NUMBER,
     .offset = offsetof(IrzPlan, heat.initial),
     .unit_name = "°C",
     .least = 0,
     .most = 100,
     .help = "of the tissue; the body's if not stated"},
    {.name = "needles",
     .type = IRZ_KEY_CHOICE,
     .offset = offsetof(IrzPlan, heat.needles),
     .choices = needle_choices,
     .standard = "metal",
     .help = "bare metal: each needle one temperature and the heat capacity of steel; at body temperature; or nothing"},
    {.name = "perfusion_in_zone",
     .type = IRZ_KEY_CHOICE,
     .offset = offsetof(IrzPlan, heat.perfusion_in_zone),
     .choices = perfusion_choices,
     .standard = "kept",
     .help = "stopped: no blood flows in the ablated zone, from the first pulse on"},
    {.name = "outer",
     .type = IRZ_KEY_CHOICE,
     .offset = offsetof(IrzPlan, heat.outer),
     .choices = outer_choices,
     .standard = "body",
     .help = "wall of the tissue box: at body temperature, or insulated"},
    {.name = "damage",
     .type = IRZ_KEY_CHOICE,
     .offset = offsetof(IrzPlan, heat.damage),
     .choices = damage_choices,
     .standard = "liver",
     .help = "constants of the Arrhenius damage; the rate at 37 °C is subtracted"},
    {.name = "order",
     .type = IRZ_KEY_INTEGER,
     .offset = offsetof(IrzPlan, heat.order),
     .least = 1,
     .most = 2,
     .standard = "1",
     .help =
         "element order of the temperature; 1 adds what 2 changes in longer steps; 2 costs about twice as much in all"},
    {.name = "step",
     .type = IRZ_KEY_NUMBER,
     .offset = offsetof(IrzPlan, heat.step),
     .unit_name = "s",
     .least = 1e-6,
     .most = 1e4,
     .standard = "1.75",
     .help = "time step; longer ones are taken once nothing fires"},
    {.name = "frames",
     .type = IRZ_KEY_INTEGER,
     .offset = offsetof(IrzPlan, heat.frames),
     .least = 0,
     .most = 10000,
     .standard = "0",
     .help = "temperature fields to write, evenly in time: NAME_heat.hdf.series, for ParaView to play"},
    END,
};
const IrzSection irz_section_heat = {"heat", "heating of the tissue (off if not stated)", heat_keys};
#define DEATH_KEY(key, si, in, smallest, largest, usual, words)                                                        \
  {                                                                                                                    \
    .name = #key, .type = IRZ_KEY_NUMBER, .offset = offsetof(IrzDeathKeys, key), .unit = (si), .unit_name = (in),      \
    .least = (smallest), .most = (largest), .standard = (usual), .help = (words)                                       \
  }
/* Standard values: prostate cancer cells in vitro, pulses of 100 microseconds (Golberg and Rubinsky 2010, as used by
   Garcia and others 2014). Not human tissue in vivo. */
static const IrzKey death_keys[] = {
    {.name = "model",
     .type = IRZ_KEY_CHOICE,
     .offset = offsetof(IrzDeathKeys, model),
     .choices = death_choices,
     .standard = "threshold",
     .help = "threshold: the zone alone; peleg-fermi: survival too, 1 / (1 + exp((E - Ec) / A))"},
    DEATH_KEY(ec0, V_PER_CM, "V/cm", 1, 1e6, "3996", "field of half survival before any pulse: Ec = ec0 exp(-k1 n)"),
    DEATH_KEY(a0, V_PER_CM, "V/cm", 1e-3, 1e6, "1441", "width of the fall before any pulse: A = a0 exp(-k2 n)"),
    DEATH_KEY(k1, 1, "per pulse", 0, 10, "0.03", "how fast Ec falls with the number n of pulses"),
    DEATH_KEY(k2, 1, "per pulse", 0, 10, "0.06", "how fast A falls"),
    DEATH_KEY(n_max, 1, NULL, 1, 1e6, "70",
              "pulses beyond it do not count: the formula has no plateau, tissue has; not capped if `asymptote` is"),
    DEATH_KEY(asymptote, V_PER_CM, "V/cm", 0, 1e6, "0",
              "instead of the cap: Ec = asymptote + (ec0 - asymptote) exp(-k1 n)"),
    {.name = "accumulate",
     .type = IRZ_KEY_CHOICE,
     .offset = offsetof(IrzDeathKeys, accumulate),
     .choices = accumulate_choices,
     .standard = "product",
     .help = "pairs together: product of their survivals, or the survival of the pair that kills most (largest field)"},
    {.name = "survival",
     .type = IRZ_KEY_NODE,
     .offset = offsetof(IrzDeathKeys, survival),
     .help = "report volumes where at most this share survives [0.5, 0.1, 0.01]"},
    END,
};
const IrzSection irz_section_death = {"death", "survival of cells; standard values are prostate cancer cells in vitro",
                                      death_keys};
const IrzKey irz_key_survival = {.name = "survival", .type = IRZ_KEY_NUMBER, .least = 1e-9, .most = 0.999999999};

static const IrzKey patient_keys[] = {
    {.name = "targets",
     .type = IRZ_KEY_NODE,
     .offset = offsetof(IrzPatientKeys, targets),
     .help = "list of regions that are to be ablated"},
    {.name = "at_risk",
     .type = IRZ_KEY_NODE,
     .offset = offsetof(IrzPatientKeys, at_risk),
     .help = "list of regions that are to be spared"},
    {.name = "needles",
     .type = IRZ_KEY_NODE,
     .offset = offsetof(IrzPatientKeys, needles),
     .help = "what the needles may pass"},
    {.name = "compare",
     .type = IRZ_KEY_NODE,
     .offset = offsetof(IrzPatientKeys, compare),
     .help = "a measured zone to hold the computed one against"},
    END,
};
const IrzSection irz_section_patient = {
    "patient", "what the result is judged against (off if not stated); regions of the label map or the loaded mesh",
    patient_keys};

static const IrzKey target_keys[] = {
    {.name = "region",
     .type = IRZ_KEY_NAME,
     .offset = offsetof(IrzJudgedKeys, region),
     .required = true,
     .help = "name of the region"},
    {.name = "organ",
     .type = IRZ_KEY_NAME,
     .offset = offsetof(IrzJudgedKeys, organ),
     .help = "region around it: margins are also given without the surface near the border of this, and shells end "
             "there"},
    {.name = "margin",
     .type = IRZ_KEY_NUMBER,
     .offset = offsetof(IrzJudgedKeys, margin),
     .unit = MM,
     .unit_name = "mm",
     .least = 0,
     .most = 50,
     .standard = "5",
     .help = "wanted around it"},
    END,
};
const IrzSection irz_section_target = {"patient.targets[]", "a region that is to be ablated", target_keys};

static const IrzKey at_risk_keys[] = {
    {.name = "region",
     .type = IRZ_KEY_NAME,
     .offset = offsetof(IrzJudgedKeys, region),
     .required = true,
     .help = "name of the region"},
    {.name = "max_field",
     .type = IRZ_KEY_NUMBER,
     .offset = offsetof(IrzJudgedKeys, max_field),
     .unit = V_PER_CM,
     .unit_name = "V/cm",
     .least = 1,
     .most = 1e6,
     .help = "most that its tissue may get"},
    END,
};
const IrzSection irz_section_at_risk = {"patient.at_risk[]", "a region that is to be spared", at_risk_keys};

static const IrzKey needles_keys[] = {
    {.name = "skin",
     .type = IRZ_KEY_NAME,
     .offset = offsetof(IrzJudgedKeys, skin),
     .help = "region of the body: a needle enters where it meets its outside"},
    {.name = "length",
     .type = IRZ_KEY_NUMBER,
     .offset = offsetof(IrzJudgedKeys, length),
     .unit = MM,
     .unit_name = "mm",
     .least = 1,
     .most = 1000,
     .help = "of the needles that can be in the body"},
    {.name = "avoid",
     .type = IRZ_KEY_NODE,
     .offset = offsetof(IrzJudgedKeys, avoid),
     .help = "list of regions that no needle may cross"},
    {.name = "clearance",
     .type = IRZ_KEY_NUMBER,
     .offset = offsetof(IrzJudgedKeys, clearance),
     .unit = MM,
     .unit_name = "mm",
     .least = 0,
     .most = 100,
     .standard = "0",
     .help = "distance that needles must keep from these"},
    END,
};
const IrzSection irz_section_needles = {"patient.needles", "what needles may pass", needles_keys};

static const IrzKey compare_keys[] = {
    {.name = "labels",
     .type = IRZ_KEY_PATH,
     .offset = offsetof(IrzPlan, patient.compare.labels),
     .required = true,
     .help = "label map with the measured zone, in the frame of anatomy.labels; relative to the plan's folder"},
    {.name = "label",
     .type = IRZ_KEY_NAME,
     .offset = offsetof(IrzPlan, patient.compare.name),
     .standard = "1",
     .help = "of the zone in it, by its number or its name"},
    END,
};
const IrzSection irz_section_compare = {"patient.compare", "a measured zone", compare_keys};

const IrzPlanMap irz_plan_maps[] = {
    {"", &irz_section_plan, true},
    {"mesh", &irz_section_mesh, true},
    {"tissues.*", &irz_section_tissue, false},
    {"tissues.*.anisotropy", &irz_section_anisotropy, false},
    {"anatomy", &irz_section_anatomy, false},
    {"probes[]", &irz_section_probe, false},
    {"probes", &irz_section_markups, false},
    {"array", &irz_section_array, false},
    {"plates", &irz_section_plates, false},
    {"pullback", &irz_section_pullback, false},
    {"pulses[]", &irz_section_pulse, false},
    {"pulses", &irz_section_pairs, false},
    {"generator", &irz_section_generator, true},
    {"zone", &irz_section_zone, true},
    {"solver", &irz_section_solver, true},
    {"output", &irz_section_output, true},
    {"heat", &irz_section_heat, false},
    {"death", &irz_section_death, true},
    {"patient", &irz_section_patient, false},
    {"patient.targets[]", &irz_section_target, false},
    {"patient.at_risk[]", &irz_section_at_risk, false},
    {"patient.needles", &irz_section_needles, false},
    {"patient.compare", &irz_section_compare, false},
    {NULL, NULL, false},
};
