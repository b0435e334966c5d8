/* Every key of a plan, through the reader: what the plan holds, in SI units, with the key and without it. A key that
   is in the reader's tables but not here fails the test. What the values do is the subject of other tests. */
#include "plan/keys.h"
#include "testing.h"
#include <stdlib.h>
#include <string.h>

/* Plans that keys are set in. */
enum { NEEDLES, LOADED, ARRAY, ALL_PAIRS, LABELS, TABLE, PLATES, JUDGED, MARKUPS };
#define TISSUES "tissues: {default: {preset: liver}, r: {preset: muscle}}\n"
#define PROBES "probes:\n  - {tip: [-10, 0, -10]}\n  - {tip: [10, 0, -10]}\n"
#define PULSES "pulses:\n  - {from: A, to: B, voltage: 1000}\n"
#define FILES IRZ_SOURCE_DIR "/tests/plan/"
static const char *const plans[] = {
    [NEEDLES] = "heat: {}\ndeath: {}\n" TISSUES PROBES PULSES,
    [LOADED] = "mesh: {file: a.msh}\n" TISSUES "probes:\n  - {surface: p}\n  - {surface: q}\n" PULSES,
    [ARRAY] = "array: {count: 2, spacing: 20}\n" TISSUES PULSES,
    [ALL_PAIRS] = "array: {count: 4, spacing: 20}\npulses: {pairs: all, field: 1000}\n" TISSUES,
    [LABELS] = "anatomy: {labels: a.nii, map: {1: r}}\n" TISSUES PROBES PULSES,
    [JUDGED] = "anatomy: {labels: a.nii, map: {1: r}}\n" TISSUES PROBES PULSES
               "patient: {targets: [{region: r}], at_risk: [{region: r}], needles: {}, compare: {labels: f.nii}}\n",
    [PLATES] = "plates: {width: 20, height: 25, gap: 15}\n" TISSUES PULSES,
    [MARKUPS] = "probes: {markups: " FILES "needles.mrk.json}\npulses: {pairs: all, field: 1000}\n" TISSUES,
    [TABLE] = "tissues: {default: {threshold: 500, sigma: {law: table, field: [100, 200], sigma: [0.1, 0.2]}}}\n" PROBES
        PULSES,
};

#define VALUE(function, expression)                                                                                    \
  static double function(const IrzPlan *plan) {                                                                        \
    return (double)(expression);                                                                                       \
  }
#define LIKE(text, wanted) (strcmp(text, wanted) == 0)
VALUE(name, LIKE(plan->name, "other"))
VALUE(idle_probes, plan->idle_probes)
VALUE(memory, plan->memory)
VALUE(mesh_size, plan->mesh.size)
VALUE(accuracy, plan->mesh.accuracy)
VALUE(mesh_order, plan->mesh.order)
VALUE(mesh_file, LIKE(irz_path_from_here(plan->mesh.file), "dir/b.msh"))
VALUE(mesh_scale, plan->mesh.scale)
VALUE(preset, LIKE(plan->tissues[0].preset, "kidney") && plan->tissues[0].sigma.low == 0.267)
VALUE(sigma, plan->tissues[0].sigma.low)
VALUE(sigma_high, plan->tissues[0].sigma.high)
VALUE(sigma_p, plan->tissues[0].sigma.p)
VALUE(sigma_q, plan->tissues[0].sigma.q)
VALUE(law, plan->tissues[0].sigma.kind)
VALUE(table_field, plan->tissues[0].sigma.field[1])
VALUE(table_sigma, plan->tissues[0].sigma.sigma[1])
VALUE(direction, plan->tissues[1].sigma.direction)
VALUE(shape_xx, plan->tissues[1].sigma.shape[0])
VALUE(shape_yy, plan->tissues[1].sigma.shape[1])
VALUE(threshold, plan->tissues[0].threshold)
VALUE(density, plan->tissues[0].heat.density)
VALUE(capacity, plan->tissues[0].heat.capacity)
VALUE(conductivity, plan->tissues[0].heat.conductivity)
VALUE(perfusion, plan->tissues[0].heat.perfusion)
VALUE(metabolic, plan->tissues[0].heat.metabolic)
VALUE(sigma_rise, plan->tissues[0].heat.sigma_rise)
VALUE(blood, plan->tissues[0].heat.blood)
VALUE(labels, LIKE(irz_path_from_here(plan->anatomy.labels), "dir/b.nii"))
VALUE(map, plan->anatomy.map[0].label)
VALUE(names, LIKE(irz_path_from_here(plan->anatomy.names), "dir/names.txt"))
VALUE(transform, plan->anatomy.transform)
VALUE(tip_y, plan->probes[0].tip[1])
VALUE(probe_name, plan->n_probes == 3 && LIKE(plan->probes[2].name, "N"))
VALUE(tip_x, plan->probes[0].tip[0])
VALUE(tip_z, plan->probes[0].tip[2])
VALUE(stated_length, plan->probes[0].length)
VALUE(needle_length, isnan(plan->patient.needles.length) ? 0 : plan->patient.needles.length)
VALUE(direction_z, plan->probes[0].direction[2])
VALUE(n_probes, plan->n_probes)
VALUE(needle_electrode, plan->n_probes == 6 ? plan->probes[1].exposure : 0)
VALUE(needle_gap, plan->n_probes == 6 ? plan->probes[1].tip[2] - plan->probes[0].tip[2] - 0.007 : 0)
VALUE(direction_x, plan->probes[0].direction[0])
VALUE(exposure, plan->probes[0].exposure)
VALUE(diameter, plan->probes[0].diameter)
VALUE(tip_shape, plan->probes[0].tip_shape)
VALUE(pullback_step, plan->pullback.step)
VALUE(pullback_count, plan->pullback.count)
VALUE(surface, LIKE(plan->probes[0].surface, "s"))
VALUE(plate_width, plan->probes[0].plate[0])
VALUE(plate_height, plan->probes[0].plate[1])
VALUE(plate_side, fabs(plan->probes[0].side[1]))
VALUE(electrode_exposure, plan->n_probes == 4 ? plan->probes[3].exposure : 0)
VALUE(electrode_gap, plan->n_probes == 4 ? plan->probes[3].tip[2] - plan->probes[2].tip[2] - 0.007 : 0)
VALUE(from, plan->pulses[0].from)
VALUE(to, plan->pulses[0].to)
VALUE(voltage, plan->pulses[0].voltage)
VALUE(count, plan->pulses[0].count)
VALUE(width, plan->pulses[0].width)
VALUE(rate, plan->pulses[0].rate)
VALUE(n_pulses, plan->n_pulses)
VALUE(tolerance, plan->solver.tolerance)
VALUE(fields, plan->output.fields)
VALUE(slicer, plan->output.slicer)
VALUE(voxel, plan->output.voxel)
VALUE(max_voltage, plan->generator.max_voltage)
VALUE(max_current, plan->generator.max_current)
VALUE(min_count, plan->generator.min_count)
VALUE(max_count, plan->generator.max_count)
VALUE(min_width, plan->generator.min_width)
VALUE(max_width, plan->generator.max_width)
VALUE(min_exposure, plan->generator.min_exposure)
VALUE(max_exposure, plan->generator.max_exposure)
VALUE(exposure_step, plan->generator.exposure_step)
VALUE(usual_spacing, plan->generator.usual_spacing)
VALUE(max_spacing, plan->generator.max_spacing)
VALUE(enforce, plan->generator.enforce)
VALUE(also, plan->zone.also[0])
VALUE(coupling, plan->heat.coupling)
VALUE(heart_rate, plan->heat.heart_rate)
VALUE(packet, plan->heat.packet)
VALUE(recharge, plan->heat.recharge)
VALUE(gap, plan->heat.gap)
VALUE(cooling, plan->heat.cooling)
VALUE(body, plan->heat.body)
VALUE(initial, plan->heat.initial)
VALUE(needles, plan->heat.needles)
VALUE(perfusion_in_zone, plan->heat.perfusion_in_zone)
VALUE(outer, plan->heat.outer)
VALUE(damage, plan->heat.damage)
VALUE(heat_order, plan->heat.order)
VALUE(step, plan->heat.step)
VALUE(frames, plan->heat.frames)
VALUE(death_model, plan->death.model)
VALUE(ec0, plan->death.ec0)
VALUE(a0, plan->death.a0)
VALUE(k1, plan->death.k1)
VALUE(k2, plan->death.k2)
VALUE(n_max, plan->death.n_max)
VALUE(asymptote, plan->death.asymptote)
VALUE(accumulate, plan->death.accumulate)
VALUE(survival, plan->death.survival[0])
VALUE(patient_on, plan->patient.on)
VALUE(targets, plan->patient.n_targets)
VALUE(target_region, LIKE(plan->patient.target[0].region, "r"))
VALUE(target_organ, LIKE(plan->patient.target[0].organ, "default"))
VALUE(target_margin, plan->patient.target[0].margin)
VALUE(at_risk, plan->patient.n_at_risk)
VALUE(at_risk_region, LIKE(plan->patient.at_risk[0].region, "r"))
VALUE(max_field, isnan(plan->patient.at_risk[0].max_field) ? 0 : plan->patient.at_risk[0].max_field)
VALUE(judged_needles, plan->patient.needles.on)
VALUE(skin, LIKE(plan->patient.needles.skin, "r"))
VALUE(avoid, plan->patient.needles.n_avoid)
VALUE(clearance, plan->patient.needles.clearance)
VALUE(compare_labels, LIKE(irz_path_from_here(plan->patient.compare.labels), "dir/f.nii"))
VALUE(compare_label, plan->patient.compare.label)

#define THREE(keys) "probes=[{tip: [-10, 0, -10]}, {tip: [10, 0, -10]}, {tip: [0, 20, -10], " keys "}]"
#define CONSTANT "tissues.default={preset: kidney, sigma: {value: 0.2}}"
#define RAMP "tissues.default={preset: kidney, sigma: {law: ramp, low: 0.1, high: 0.3, from: 400, to: 600}}"
#define SIGMOID "tissues.default={preset: kidney, sigma: {law: sigmoid, low: 0.1, high: 0.3, center: 400, width: 60}}"
#define STEP "tissues.default={preset: kidney, sigma: {law: smoothstep, low: 0.1, high: 0.3, from: 400, to: 600}}"
#define GOMPERTZ "tissues.default={preset: kidney, sigma: {law: gompertz, low: 0.1, high: 0.3, a: 5, b: 0.02}}"

static const struct {
  const char *path, *key;
  int plan;
  const char *set; /* as with --set; what belongs to the heating is left to its defaults */
  double (*value)(const IrzPlan *plan);
  double without, with;
} rows[] = {
    {"", "name", NEEDLES, "name=other", name, 0, 1},
    {"", "mesh", NEEDLES, "mesh={size: 80}", mesh_size, 0.12, 0.08},
    {"", "tissues", NEEDLES, "tissues={default: {preset: kidney}}", preset, 0, 1},
    {"", "anatomy", NEEDLES, "anatomy={labels: b.nii, map: {1: r}}", labels, 0, 1},
    {"", "probes", NEEDLES, "probes=[{tip: [-5, 0, 0]}, {tip: [5, 0, 0]}]", tip_x, -0.01, -0.005},
    {"", "array", ALL_PAIRS, "array={count: 2, spacing: 20}", n_probes, 4, 2},
    {"", "plates", PLATES, "plates={width: 20, height: 25, gap: 20}", tip_x, -0.0075, -0.01},
    {"", "pulses", NEEDLES, "pulses=[{from: B, to: A, voltage: 1000}]", from, 0, 1},
    {"", "pullback", ARRAY, "pullback={step: 15}", pullback_step, 0, 0.015},
    {"", "idle_probes", NEEDLES, "idle_probes=insulating", idle_probes, IRZ_IDLE_FLOATING, IRZ_IDLE_INSULATING},
    {"", "memory", NEEDLES, "memory=pairs", memory, IRZ_MEMORY_NONE, IRZ_MEMORY_PAIRS},
    {"", "generator", NEEDLES, "generator={max_current: 40}", max_current, 50, 40},
    {"", "zone", NEEDLES, "zone={threshold: 600}", threshold, 5e4, 6e4},
    {"", "solver", NEEDLES, "solver={tolerance: 1e-5}", tolerance, 1e-8, 1e-5},
    {"", "output", NEEDLES, "output={fields: false}", fields, 1, 0},
    {"", "heat", NEEDLES, "heat={cooling: 10}", cooling, 60, 10},
    {"", "death", NEEDLES, "death={k1: 0.1}", k1, 0.03, 0.1},

    {"mesh", "size", NEEDLES, "mesh.size=80", mesh_size, 0.12, 0.08},
    {"mesh", "accuracy", NEEDLES, "mesh.accuracy=3", accuracy, 0.01, 0.03},
    {"mesh", "order", NEEDLES, "mesh.order=1", mesh_order, 2, 1},
    {"mesh", "file", LOADED, "mesh.file=b.msh", mesh_file, 0, 1},
    {"mesh", "scale", LOADED, "mesh.scale=25", mesh_scale, 1e-3, 0.025},

    {"tissues.REGION", "preset", NEEDLES, "tissues.default.preset=kidney", preset, 0, 1},
    {"tissues.REGION", "sigma", NEEDLES, "tissues.default.sigma={low: 0.05}", sigma, 0.08, 0.05},
    {"tissues.REGION", "anisotropy", NEEDLES, "tissues.r.anisotropy={fibres: [0, 0, 1]}", direction, IRZ_LAW_ISOTROPIC,
     IRZ_LAW_SCALED},
    {"tissues.REGION", "threshold", NEEDLES, "tissues.default.threshold=600", threshold, 5e4, 6e4},
    {"tissues.REGION", "density", NEEDLES, "tissues.default.density=1000", density, 1078.75, 1000},
    {"tissues.REGION", "heat_capacity", NEEDLES, "tissues.default.heat_capacity=3000", capacity, 3540.2, 3000},
    {"tissues.REGION", "thermal_conductivity", NEEDLES, "tissues.default.thermal_conductivity=0.6", conductivity, 0.519,
     0.6},
    {"tissues.REGION", "perfusion", NEEDLES, "tissues.default.perfusion=0.0036", perfusion, 0.01547, 0.0036},
    {"tissues.REGION", "metabolic_heat", NEEDLES, "tissues.default.metabolic_heat=1000", metabolic, 10713, 1000},
    {"tissues.REGION", "temperature_coefficient", NEEDLES, "tissues.default.temperature_coefficient=2", sigma_rise,
     0.012, 0.02},
    {"tissues.REGION", "blood", NEEDLES, "tissues.default.blood=true", blood, 0, 1},

    {"tissues.REGION.anisotropy", "fibres", NEEDLES, "tissues.r.anisotropy={fibres: [0, 2, 0], ratio: 4}", shape_yy, 0,
     2},
    {"tissues.REGION.anisotropy", "ratio", NEEDLES, "tissues.r.anisotropy={fibres: [1, 0, 0], ratio: 4}", shape_xx, 0,
     2},
    {"tissues.REGION.anisotropy", "tensor", NEEDLES, "tissues.r.anisotropy={tensor: [1, 2, 3, 0, 0, 0]}", shape_xx, 0,
     0.5},
    {"tissues.REGION.anisotropy", "rise", NEEDLES, "tissues.r.anisotropy={rise: along-field}", direction,
     IRZ_LAW_ISOTROPIC, IRZ_LAW_ALONG},

    {"tissues.REGION.sigma, law: constant", "law", NEEDLES,
     "tissues.default={preset: kidney, sigma: {law: constant, value: 1}}", law, IRZ_LAW_RAMP, IRZ_LAW_CONSTANT},
    {"tissues.REGION.sigma, law: constant", "value", NEEDLES, CONSTANT, sigma, 0.08, 0.2},
    {"tissues.REGION.sigma, law: ramp", "law", TABLE, RAMP, law, IRZ_LAW_TABLE, IRZ_LAW_RAMP},
    {"tissues.REGION.sigma, law: ramp", "low", NEEDLES, RAMP, sigma, 0.08, 0.1},
    {"tissues.REGION.sigma, law: ramp", "high", NEEDLES, RAMP, sigma_high, 0.32, 0.3},
    {"tissues.REGION.sigma, law: ramp", "from", NEEDLES, RAMP, sigma_p, 35000, 40000},
    {"tissues.REGION.sigma, law: ramp", "to", NEEDLES, RAMP, sigma_q, 70000, 60000},
    {"tissues.REGION.sigma, law: sigmoid", "law", NEEDLES, SIGMOID, law, IRZ_LAW_RAMP, IRZ_LAW_SIGMOID},
    {"tissues.REGION.sigma, law: sigmoid", "low", NEEDLES, SIGMOID, sigma, 0.08, 0.1},
    {"tissues.REGION.sigma, law: sigmoid", "high", NEEDLES, SIGMOID, sigma_high, 0.32, 0.3},
    {"tissues.REGION.sigma, law: sigmoid", "center", NEEDLES, SIGMOID, sigma_p, 35000, 40000},
    {"tissues.REGION.sigma, law: sigmoid", "width", NEEDLES, SIGMOID, sigma_q, 70000, 6000},
    {"tissues.REGION.sigma, law: smoothstep", "law", NEEDLES, STEP, law, IRZ_LAW_RAMP, IRZ_LAW_SMOOTHSTEP},
    {"tissues.REGION.sigma, law: smoothstep", "low", NEEDLES, STEP, sigma, 0.08, 0.1},
    {"tissues.REGION.sigma, law: smoothstep", "high", NEEDLES, STEP, sigma_high, 0.32, 0.3},
    {"tissues.REGION.sigma, law: smoothstep", "from", NEEDLES, STEP, sigma_p, 35000, 40000},
    {"tissues.REGION.sigma, law: smoothstep", "to", NEEDLES, STEP, sigma_q, 70000, 60000},
    {"tissues.REGION.sigma, law: gompertz", "law", NEEDLES, GOMPERTZ, law, IRZ_LAW_RAMP, IRZ_LAW_GOMPERTZ},
    {"tissues.REGION.sigma, law: gompertz", "low", NEEDLES, GOMPERTZ, sigma, 0.08, 0.1},
    {"tissues.REGION.sigma, law: gompertz", "high", NEEDLES, GOMPERTZ, sigma_high, 0.32, 0.3},
    {"tissues.REGION.sigma, law: gompertz", "a", NEEDLES, GOMPERTZ, sigma_p, 35000, 5},
    {"tissues.REGION.sigma, law: gompertz", "b", NEEDLES, GOMPERTZ, sigma_q, 70000, 2e-4},
    {"tissues.REGION.sigma, law: table", "law", NEEDLES,
     "tissues.default={preset: kidney, sigma: {law: table, field: [1, 2], sigma: [1, 2]}}", law, IRZ_LAW_RAMP,
     IRZ_LAW_TABLE},
    {"tissues.REGION.sigma, law: table", "field", TABLE, "tissues.default.sigma.field=[100, 300]", table_field, 20000,
     30000},
    {"tissues.REGION.sigma, law: table", "sigma", TABLE, "tissues.default.sigma.sigma=[0.1, 0.3]", table_sigma, 0.2,
     0.3},

    {"anatomy", "labels", LABELS, "anatomy.labels=b.nii", labels, 0, 1},
    {"anatomy", "map", LABELS, "anatomy.map={7: r}", map, 1, 7},
    {"anatomy", "names", LABELS, "anatomy.names=names.txt", names, 0, 1},
    {"anatomy", "frame", LABELS, "anatomy.frame=LPS", tip_x, -0.01, 0.01},
    {"", "frame", NEEDLES, "frame=LPS", tip_x, -0.01, 0.01},
    {"anatomy", "transform", LABELS, "anatomy.transform=qform", transform, 0, 1},

    {"probes[]", "name", NEEDLES, THREE("name: N"), probe_name, 0, 1},
    {"probes[]", "tip", NEEDLES, "probes[0].tip=[-10, 1, -10]", tip_y, 0, 0.001},
    {"probes[]", "direction", NEEDLES, "probes[0].direction=[-3, 0, 4]", direction_x, 0, -0.6},
    {"probes[]", "length", NEEDLES, "probes[0].length=150", stated_length, 0, 0.15},
    {"probes[]", "exposure", NEEDLES, "probes[0].exposure=15", exposure, 0.02, 0.015},
    {"probes[]", "diameter", NEEDLES, "probes[0].diameter=1.5", diameter, 0.00107, 0.0015},
    {"probes[]", "tip_shape", NEEDLES, "probes[0].tip_shape=rounded", tip_shape, 0, 1},
    {"probes[]", "electrodes", NEEDLES, THREE("electrodes: [7, 9]"), electrode_exposure, 0, 0.009},
    {"probes[]", "gap", NEEDLES, THREE("electrodes: [7, 7], gap: 5"), electrode_gap, 0, 0.005},
    {"probes", "markups", MARKUPS, "probes={markups: " FILES "other_needles.mrk.json, only: [D, A]}", tip_y, 0, -0.003},
    {"probes", "tip", MARKUPS, "probes.tip=last", direction_z, 1, -1},
    {"probes", "only", MARKUPS, "probes.only=[A, B]", n_probes, 3, 2},
    {"probes", "transform", MARKUPS, "probes.transform=" FILES "shift.tfm", tip_y, 0, -0.005},
    {"probes", "exposure", MARKUPS, "probes.exposure=15", exposure, 0.02, 0.015},
    {"probes", "diameter", MARKUPS, "probes.diameter=1.5", diameter, 0.00107, 0.0015},
    {"probes", "tip_shape", MARKUPS, "probes.tip_shape=rounded", tip_shape, 0, 1},
    {"probes", "electrodes", MARKUPS, "probes.electrodes=[7, 9]", needle_electrode, 0, 0.009},
    {"probes", "gap", MARKUPS, "probes={markups: " FILES "needles.mrk.json, electrodes: [7, 7], gap: 5}", needle_gap, 0,
     0.005},
    {"probes[]", "surface", LOADED, "probes[0].surface=s", surface, 0, 1},

    {"array", "count", ALL_PAIRS, "array.count=3", n_probes, 4, 3},
    {"array", "spacing", ARRAY, "array.spacing=16", tip_x, -0.01, -0.008},
    {"array", "exposure", ARRAY, "array.exposure=15", exposure, 0.02, 0.015},
    {"array", "diameter", ARRAY, "array.diameter=1.5", diameter, 0.00107, 0.0015},
    {"array", "tip_shape", ARRAY, "array.tip_shape=rounded", tip_shape, 0, 1},
    {"array", "center", ARRAY, "array.center=[0, 0, 5]", tip_z, -0.01, -0.005},

    {"pullback", "step", ARRAY, "pullback.step=15", pullback_step, 0, 0.015},
    {"pullback", "count", ARRAY, "pullback={step: 15, count: 3}", pullback_count, 0, 3},
    {"plates", "width", PLATES, "plates.width=30", plate_width, 0.02, 0.03},
    {"plates", "height", PLATES, "plates.height=30", plate_height, 0.025, 0.03},
    {"plates", "gap", PLATES, "plates.gap=10", tip_x, -0.0075, -0.005},
    {"plates", "thickness", PLATES, "plates.thickness=2", exposure, 0.001, 0.002},
    {"plates", "center", PLATES, "plates.center=[0, 4, 0]", tip_y, 0, 0.004},
    {"plates", "direction", PLATES, "plates.direction=[0, 0, 5]", tip_z, 0, -0.0075},
    {"plates", "up", PLATES, "plates.up=[0, 1, 0]", plate_side, 1, 0},

    {"pulses[]", "from", NEEDLES, "pulses[0]={from: B, to: A, voltage: 1000}", from, 0, 1},
    {"pulses[]", "to", NEEDLES, "pulses[0]={from: B, to: A, voltage: 1000}", to, 1, 0},
    {"pulses[]", "voltage", NEEDLES, "pulses[0].voltage=1500", voltage, 1000, 1500},
    {"pulses[]", "field", NEEDLES, "pulses[0]={from: A, to: B, field: 1200}", voltage, 1000, 2400},
    {"pulses[]", "count", NEEDLES, "pulses[0].count=70", count, 90, 70},
    {"pulses[]", "width", NEEDLES, "pulses[0].width=70", width, 1e-4, 7e-5},
    {"pulses[]", "rate", NEEDLES, "pulses[0].rate=1", rate, 1.5, 1},
    {"pulses", "pairs", ALL_PAIRS, "pulses=[{from: A, to: B, voltage: 1000}]", n_pulses, 6, 1},
    {"pulses", "max_spacing", ALL_PAIRS, "pulses.max_spacing=25", n_pulses, 6, 4},
    {"pulses", "voltage", ALL_PAIRS, "pulses={pairs: all, voltage: 1500}", voltage, 2000, 1500},
    {"pulses", "field", ALL_PAIRS, "pulses.field=1200", voltage, 2000, 2400},
    {"pulses", "count", ALL_PAIRS, "pulses.count=70", count, 90, 70},
    {"pulses", "width", ALL_PAIRS, "pulses.width=70", width, 1e-4, 7e-5},
    {"pulses", "rate", ALL_PAIRS, "pulses.rate=1", rate, 1.5, 1},

    {"generator", "max_voltage", NEEDLES, "generator.max_voltage=2500", max_voltage, 3000, 2500},
    {"generator", "max_current", NEEDLES, "generator.max_current=40", max_current, 50, 40},
    {"generator", "min_count", NEEDLES, "generator.min_count=20", min_count, 10, 20},
    {"generator", "max_count", NEEDLES, "generator.max_count=120", max_count, 100, 120},
    {"generator", "min_width", NEEDLES, "generator.min_width=50", min_width, 2e-5, 5e-5},
    {"generator", "max_width", NEEDLES, "generator.max_width=200", max_width, 1e-4, 2e-4},
    {"generator", "min_exposure", NEEDLES, "generator.min_exposure=10", min_exposure, 0.005, 0.01},
    {"generator", "max_exposure", NEEDLES, "generator.max_exposure=30", max_exposure, 0.04, 0.03},
    {"generator", "exposure_step", NEEDLES, "generator.exposure_step=1", exposure_step, 0.005, 0.001},
    {"generator", "usual_spacing", NEEDLES, "generator.usual_spacing=18", usual_spacing, 0.023, 0.018},
    {"generator", "max_spacing", NEEDLES, "generator.max_spacing=40", max_spacing, 0.032, 0.04},
    {"generator", "enforce", NEEDLES, "generator.enforce=true", enforce, 0, 1},

    {"zone", "threshold", NEEDLES, "zone.threshold=600", threshold, 5e4, 6e4},
    {"zone", "also", NEEDLES, "zone.also=[300, 800]", also, 35000, 30000},

    {"solver", "tolerance", NEEDLES, "solver.tolerance=1e-6", tolerance, 1e-8, 1e-6},

    {"output", "fields", NEEDLES, "output.fields=false", fields, 1, 0},
    {"output", "slicer", NEEDLES, "output.slicer=true", slicer, 0, 1},
    {"output", "voxel", NEEDLES, "output.voxel=0.5", voxel, 1e-3, 5e-4},

    {"heat", "coupling", NEEDLES, "heat.coupling=full", coupling, IRZ_COUPLING_NONE, IRZ_COUPLING_FULL},
    {"heat", "heart_rate", NEEDLES, "heat.heart_rate=72", heart_rate, 0, 1.2},
    {"heat", "packet", NEEDLES, "heat.packet=5", packet, 10, 5},
    {"heat", "recharge", NEEDLES, "heat.recharge=2", recharge, 3.5, 2},
    {"heat", "gap", NEEDLES, "heat.gap=20", gap, 5, 20},
    {"heat", "cooling", NEEDLES, "heat.cooling=30", cooling, 60, 30},
    {"heat", "body_temperature", NEEDLES, "heat.body_temperature=36", body, 37, 36},
    {"heat", "initial_temperature", NEEDLES, "heat.initial_temperature=20", initial, 37, 20},
    {"heat", "needles", NEEDLES, "heat.needles=insulating", needles, IRZ_NEEDLES_METAL, IRZ_NEEDLES_INSULATING},
    {"heat", "perfusion_in_zone", NEEDLES, "heat.perfusion_in_zone=stopped", perfusion_in_zone, IRZ_PERFUSION_KEPT,
     IRZ_PERFUSION_STOPPED},
    {"heat", "outer", NEEDLES, "heat.outer=insulated", outer, IRZ_OUTER_BODY, IRZ_OUTER_INSULATED},
    {"heat", "damage", NEEDLES, "heat.damage=skin", damage, IRZ_DAMAGE_LIVER, IRZ_DAMAGE_SKIN},
    {"heat", "order", NEEDLES, "heat.order=2", heat_order, 1, 2},
    {"heat", "step", NEEDLES, "heat.step=0.5", step, 1.75, 0.5},
    {"heat", "frames", NEEDLES, "heat.frames=7", frames, 0, 7},

    {"death", "model", NEEDLES, "death.model=peleg-fermi", death_model, IRZ_DEATH_THRESHOLD, IRZ_DEATH_PELEG_FERMI},
    {"death", "ec0", NEEDLES, "death.ec0=3000", ec0, 399600, 3e5},
    {"death", "a0", NEEDLES, "death.a0=1000", a0, 144100, 1e5},
    {"death", "k1", NEEDLES, "death.k1=0.1", k1, 0.03, 0.1},
    {"death", "k2", NEEDLES, "death.k2=0.1", k2, 0.06, 0.1},
    {"death", "n_max", NEEDLES, "death.n_max=50", n_max, 70, 50},
    {"death", "asymptote", NEEDLES, "death.asymptote=400", asymptote, 0, 40000},
    {"death", "accumulate", NEEDLES, "death.accumulate=maximum", accumulate, IRZ_ACCUMULATE_PRODUCT,
     IRZ_ACCUMULATE_MAXIMUM},
    {"death", "survival", NEEDLES, "death.survival=[0.2]", survival, 0.5, 0.2},
    {"", "patient", LABELS, "patient={}", patient_on, 0, 1},
    {"patient", "targets", LABELS, "patient.targets=[{region: r}]", targets, 0, 1},
    {"patient", "at_risk", LABELS, "patient.at_risk=[{region: r}]", at_risk, 0, 1},
    {"patient", "needles", LABELS, "patient.needles={}", judged_needles, 0, 1},
    {"patient", "compare", LABELS, "patient.compare={labels: f.nii}", compare_labels, 0, 1},
    {"patient.targets[]", "region", LABELS, "patient.targets=[{region: r}]", target_region, 0, 1},
    {"patient.targets[]", "organ", LABELS, "patient.targets=[{region: r, organ: default}]", target_organ, 0, 1},
    {"patient.targets[]", "margin", JUDGED, "patient.targets[0].margin=3", target_margin, 0.005, 0.003},
    {"patient.at_risk[]", "region", LABELS, "patient.at_risk=[{region: r}]", at_risk_region, 0, 1},
    {"patient.at_risk[]", "max_field", JUDGED, "patient.at_risk[0].max_field=800", max_field, 0, 80000},
    {"patient.needles", "skin", LABELS, "patient.needles={skin: r}", skin, 0, 1},
    {"patient.needles", "length", JUDGED, "patient.needles.length=150", needle_length, 0, 0.15},
    {"patient.needles", "avoid", LABELS, "patient.needles={avoid: [r]}", avoid, 0, 1},
    {"patient.needles", "clearance", JUDGED, "patient.needles.clearance=2", clearance, 0, 0.002},
    {"patient.compare", "labels", LABELS, "patient.compare={labels: f.nii}", compare_labels, 0, 1},
    {"patient.compare", "label", JUDGED, "patient.compare.label=3", compare_label, 1, 3},
};
enum { N_ROWS = sizeof rows / sizeof rows[0] };

static double read(int plan_index, const char *set, double (*value)(const IrzPlan *plan)) {
  const IrzOverride override = {set};
  IrzPlan *plan;
  IrzError error = {0};
  if (irz_plan_parse(plans[plan_index], "dir/t.yaml", set != NULL, &override, &plan, &error) != IRZ_OK) {
    fail_msg("%s: %s", set, error.text);
  }
  double found = value(plan);
  irz_plan_free(plan);
  return found;
}

static void values(void **state) {
  (void)state;
  for (int i = 0; i < N_ROWS; i++) {
    double without = read(rows[i].plan, NULL, rows[i].value), with = read(rows[i].plan, rows[i].set, rows[i].value);
    assert_true(rows[i].without != rows[i].with);
    if (!(fabs(without - rows[i].without) <= 1e-12 * fabs(rows[i].without))) {
      fail_msg("%s.%s: %.15g if not stated, not %.15g", rows[i].path, rows[i].key, without, rows[i].without);
    }
    if (!(fabs(with - rows[i].with) <= 1e-12 * fabs(rows[i].with))) {
      fail_msg("%s.%s: %s gives %.15g, not %.15g", rows[i].path, rows[i].key, rows[i].set, with, rows[i].with);
    }
  }
}

static void check_section(const IrzSection *section, int *found) {
  for (const IrzKey *key = section->keys; key->name != NULL; key++) {
    bool here = false;
    for (int i = 0; i < N_ROWS && !here; i++) {
      here = strcmp(rows[i].path, section->path) == 0 && strcmp(rows[i].key, key->name) == 0;
    }
    if (!here) fail_msg("%s.%s has no row in this test", section->path, key->name);
    ++*found;
  }
}

/* Every key has a row, and every row a key. */
static void complete(void **state) {
  (void)state;
  int found = 0;
  for (const IrzPlanMap *map = irz_plan_maps; map->section != NULL; map++) check_section(map->section, &found);
  for (int i = 0; irz_law_names[i] != NULL; i++) check_section(&irz_section_laws[i], &found);
  assert_int_equal(found, N_ROWS);
}

/* `irezone help plan` names every section and every key. */
static void helped(void **state) {
  (void)state;
  char *text = NULL;
  size_t size;
  FILE *out = open_memstream(&text, &size);
  irz_plan_help(out);
  fclose(out);
  for (int i = 0; i < N_ROWS; i++) {
    char heading[80], entry[40];
    snprintf(heading, sizeof heading, "\n%s: ", rows[i].path);
    const char *section = rows[i].path[0] != '\0' ? strstr(text, heading) : text;
    if (section == NULL) fail_msg("no section %s", rows[i].path);
    const char *end = strstr(section + 1, "\n\n");
    snprintf(entry, sizeof entry, "\n  %s ", rows[i].key);
    const char *place = strstr(section, entry);
    if (place == NULL || (end != NULL && rows[i].path[0] != '\0' && place > end)) {
      fail_msg("%s.%s is not explained", rows[i].path, rows[i].key);
    }
  }
  free(text);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(values), cmocka_unit_test(complete), cmocka_unit_test(helped)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
