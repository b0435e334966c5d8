/* Probes: read one by one or laid out as an array. */
#include "base/vector.h"
#include "plan/geometry.h"
#include "plan/parts.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Names of surfaces that the mesher gives, and what cannot be part of a file name or a key path. */
static IrzCode check_name(const IrzReader *reader, const IrzYaml *node, const char *path, const char *name) {
  static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
  if (strspn(name, allowed) != strlen(name)) {
    return irz_reader_fail(reader, node, path, "\"%s\" must consist of letters, digits, _ and -", name);
  }
  size_t length = strlen(name);
  static const char suffix[] = "_insulated";
  bool reserved = strcmp(name, "outer") == 0 || strcmp(name, "default") == 0 ||
                  (length >= strlen(suffix) && strcmp(name + length - strlen(suffix), suffix) == 0);
  if (reserved) {
    return irz_reader_fail(reader, node, path,
                           "\"%s\" is taken: outer, default and names that end in _insulated are the mesh's own", name);
  }
  for (int i = 0; i < reader->plan->n_probes; i++) {
    if (strcmp(reader->plan->probes[i].name, name) == 0) {
      return irz_reader_fail(reader, node, path, "\"%s\" is the name of probes[%d] already", name, i);
    }
  }
  return IRZ_OK;
}

/* Warn if an exposure is none that the sheath can be set to. */
static void check_exposure_step(const IrzReader *reader, const IrzYaml *node, const char *path, double exposure) {
  const IrzPlan *plan = reader->plan;
  double step = plan->generator.exposure_step, part = step > 0 ? exposure / step : 0;
  bool in_range = exposure >= plan->generator.min_exposure && exposure <= plan->generator.max_exposure;
  if (node == NULL || !in_range || fabs(part - round(part)) < 1e-6) return;
  irz_reader_warn(reader, node, path,
                  "%.9g mm is no multiple of %.9g mm, the steps of the probes "
                  "(generator.exposure_step)",
                  exposure * 1e3, step * 1e3);
}

/* The electrodes of a needle that has several: copies of its first, each further up. */
static IrzCode read_electrodes(const IrzReader *reader, const IrzYaml *node, const char *path,
                               const IrzProbeKeys *keys) {
  IrzPlan *plan = reader->plan;
  const IrzProbe needle = plan->probes[plan->n_probes];
  const IrzYaml *exposure = irz_yaml_get(node, "exposure");
  char full[IRZ_KEY_PATH_MAX];
  double length[IRZ_MAX_PROBES], start = 0;
  int count;
  irz_key_path(full, path, "electrodes");
  if (plan->mesh.file[0] != '\0') {
    return irz_reader_fail(
        reader, keys->electrodes, full,
        "belongs to a generated mesh; list each electrode of a loaded mesh as a probe with a surface");
  }
  IRZ_TRY(irz_reader_numbers(reader, &irz_key_electrode, keys->electrodes, full, IRZ_MAX_PROBES, &count, length));
  if (count < 2) {
    return irz_reader_fail(reader, keys->electrodes, full, "has %d; two or more are needed, one alone is `exposure`",
                           count);
  }
  if (plan->n_probes + count > IRZ_MAX_PROBES) {
    return irz_reader_fail(reader, keys->electrodes, full, "makes more than %d electrodes in all", IRZ_MAX_PROBES);
  }
  if (exposure != NULL) {
    irz_key_path(full, path, "exposure");
    return irz_reader_fail(reader, exposure, full, "stands beside `electrodes`; only one of the two is allowed");
  }
  for (int k = 0; k < count; k++) {
    IrzProbe *probe = &plan->probes[plan->n_probes];
    *probe = needle;
    snprintf(probe->name, sizeof probe->name, "%.*s%c", IRZ_NAME_MAX - 2, needle.name, '1' + k);
    IRZ_TRY(check_name(reader, keys->electrodes, full, probe->name));
    memcpy(probe->needle, needle.name, sizeof probe->needle);
    probe->place = k;
    probe->exposure = length[k];
    probe->length = fmax(needle.length - start, 0);
    for (int i = 0; i < 3; i++) probe->tip[i] = needle.tip[i] + start * needle.direction[i];
    start += length[k] + keys->gap;
    plan->n_probes++;
  }
  return IRZ_OK;
}

/* Refuse an electrode at a needle's end that is shorter than the point. */
static IrzCode check_point(const IrzReader *reader, const IrzYaml *node, const char *path, const IrzProbe *probe) {
  double point = irz_probe_point_length(probe);
  if (probe->exposure >= 2 * point || !probe->has_geometry) return IRZ_OK;
  return irz_reader_fail(reader, node, path,
                         "%.9g mm is too short: the needle's end takes %.3g mm, and the bare metal must "
                         "be at least twice as long",
                         1e3 * probe->exposure, 1e3 * point);
}

/* A component of a unit vector without its last digits. Meshes depend on every digit, and the same direction may be
   stated with other lengths, or as two points of a needle. */
static double direction_digits(double component) {
  return round(component * 1e12) / 1e12;
}

/* Where a probe of the plan is, and of what shape. */
static IrzCode read_shape(const IrzReader *reader, const IrzYaml *node, const char *path, const IrzProbeKeys *keys,
                          IrzProbe *probe) {
  bool loaded = reader->plan->mesh.file[0] != '\0';
  char full[IRZ_KEY_PATH_MAX];
  probe->has_geometry = irz_yaml_get(node, "tip") != NULL;
  if (!probe->has_geometry && !loaded) {
    irz_key_path(full, path, "tip");
    return irz_reader_fail(reader, node, full, "missing: the most distal point, [x, y, z] in mm");
  }
  const IrzYaml *place = irz_yaml_get(node, "tip_shape");
  if (place != NULL && loaded) {
    irz_key_path(full, path, "tip_shape");
    irz_reader_warn(reader, place, full, "has no effect on a loaded mesh");
  }
  double length = sqrt(irz_dot(keys->direction, keys->direction));
  irz_key_path(full, path, "direction");
  if (!(length > 1e-12)) {
    return irz_reader_fail(reader, irz_yaml_get(node, "direction"), full,
                           "is zero; it must point from the tip towards the handle");
  }
  for (int i = 0; i < 3; i++) {
    probe->tip[i] = keys->tip[i];
    probe->direction[i] = direction_digits(keys->direction[i] / length);
  }
  probe->exposure = keys->exposure;
  probe->diameter = keys->diameter;
  probe->length = keys->length;
  if (!loaded) probe->tip_shape = (IrzTipShape)keys->tip_shape;
  return IRZ_OK;
}

/* One entry of `probes`: appends a probe, or one for each electrode. */
static IrzCode read_probe(const IrzReader *reader, const IrzYaml *node, int index) {
  IrzPlan *plan = reader->plan;
  IrzProbeKeys keys = {.electrodes = NULL};
  IrzProbe *probe = &plan->probes[plan->n_probes];
  bool loaded = plan->mesh.file[0] != '\0';
  char path[IRZ_KEY_PATH_MAX], full[IRZ_KEY_PATH_MAX];
  int first = plan->n_probes;
  snprintf(path, sizeof path, "probes[%d]", index);
  IRZ_TRY(irz_reader_section(reader, &irz_section_probe, node, node, path, false, &keys));
  memcpy(probe->name, keys.name, sizeof probe->name);
  memcpy(probe->surface, keys.surface, sizeof probe->surface);
  probe->line = node->line;
  const IrzYaml *place = irz_yaml_get(node, "name");
  if (place == NULL) snprintf(probe->name, sizeof probe->name, "%c", 'A' + index);
  irz_key_path(full, path, "name");
  IRZ_TRY(check_name(reader, place != NULL ? place : node, full, probe->name));
  place = irz_yaml_get(node, "surface");
  if (place != NULL && !loaded) {
    irz_key_path(full, path, "surface");
    return irz_reader_fail(reader, place, full, "belongs to a loaded mesh, but mesh.file is not stated");
  }
  if (place == NULL && loaded) memcpy(probe->surface, probe->name, sizeof probe->surface);
  IRZ_TRY(read_shape(reader, node, path, &keys, probe));
  place = irz_yaml_get(node, "gap");
  if (place != NULL && keys.electrodes == NULL) {
    irz_key_path(full, path, "gap");
    return irz_reader_fail(reader, place, full, "is the insulation between two of `electrodes`, which is not stated");
  }
  place = irz_yaml_get(node, "exposure");
  irz_key_path(full, path, keys.electrodes != NULL ? "electrodes" : "exposure");
  if (keys.electrodes != NULL) {
    IRZ_TRY(read_electrodes(reader, node, path, &keys));
    return check_point(reader, keys.electrodes, full, &plan->probes[first]);
  }
  check_exposure_step(reader, place, full, probe->exposure);
  if (probe->length > 0 && probe->length < probe->exposure) {
    irz_reader_warn(
        reader, place != NULL ? place : node, full,
        "%.9g mm of bare metal are more than the %.4g mm of %s from its tip to the skin: is the second point "
        "where it enters?",
        1e3 * probe->exposure, 1e3 * probe->length, probe->name);
  }
  plan->n_probes++;
  return check_point(reader, place != NULL ? place : node, full, probe);
}

/* Offset of a probe of an array from its centre, in the plane across the probes. */
static void array_offset(int count, int index, double spacing, double offset[2]) {
  static const double square[4][2] = {{-0.5, -0.5}, {0.5, -0.5}, {0.5, 0.5}, {-0.5, 0.5}};
  const double pi = acos(-1);
  offset[0] = offset[1] = 0;
  if (count == 2) {
    offset[0] = (index - 0.5) * spacing;
  } else if (count == 3) { /* A and B like the pair, C above them; the centroid in the centre */
    double radius = spacing / sqrt(3), angle = pi * (-5.0 / 6 + index * 2.0 / 3);
    offset[0] = radius * cos(angle);
    offset[1] = radius * sin(angle);
  } else if (count == 4) {
    offset[0] = square[index][0] * spacing;
    offset[1] = square[index][1] * spacing;
  } else if (index > 0) { /* A in the centre, B on the x axis, then counter-clockwise */
    double angle = 2 * pi * (index - 1) / (count - 1);
    offset[0] = spacing * cos(angle);
    offset[1] = spacing * sin(angle);
  }
}

/* `array` */
static IrzCode read_array(const IrzReader *reader, const IrzYaml *node) {
  IrzPlan *plan = reader->plan;
  IrzArrayKeys keys = {0};
  IRZ_TRY(irz_reader_section(reader, &irz_section_array, node, node, "array", false, &keys));
  check_exposure_step(reader, irz_yaml_get(node, "exposure"), "array.exposure", keys.exposure);
  for (int i = 0; i < keys.count; i++) {
    IrzProbe *probe = &plan->probes[i];
    double offset[2];
    array_offset(keys.count, i, keys.spacing, offset);
    snprintf(probe->name, sizeof probe->name, "%c", 'A' + i);
    if (plan->mesh.file[0] != '\0') memcpy(probe->surface, probe->name, sizeof probe->surface);
    probe->tip[0] = keys.center[0] + offset[0];
    probe->tip[1] = keys.center[1] + offset[1];
    probe->tip[2] = keys.center[2] - 0.5 * keys.exposure;
    probe->direction[2] = 1;
    probe->exposure = keys.exposure;
    probe->diameter = keys.diameter;
    probe->tip_shape = plan->mesh.file[0] != '\0' ? IRZ_TIP_FLAT : (IrzTipShape)keys.tip_shape;
    probe->has_geometry = true;
    probe->line = node->line;
  }
  plan->n_probes = keys.count;
  const IrzYaml *exposure = irz_yaml_get(node, "exposure");
  return check_point(reader, exposure != NULL ? exposure : node, "array.exposure", &plan->probes[0]);
}

IrzCode irz_probes_read(const IrzReader *reader, const IrzYaml *root, const IrzPlanKeys *keys) {
  IrzPlan *plan = reader->plan;
  const IrzYaml *probes = keys->probes;
  const struct {
    const IrzYaml *node;
    const char *name;
  } ways[] = {{keys->probes, "probes"}, {keys->array, "array"}, {keys->plates, "plates"}};
  const char *first = NULL;
  for (int i = 0; i < 3; i++) {
    if (ways[i].node != NULL && first != NULL) {
      return irz_reader_fail(reader, ways[i].node, ways[i].name, "stands beside `%s`; only one of the two is allowed",
                             first);
    }
    if (ways[i].node != NULL) first = ways[i].name;
  }
  if (first == NULL) {
    return irz_reader_fail(reader, root, "probes", "missing: list the probes, or give an array or plates");
  }
  if (keys->array != NULL) {
    IRZ_TRY(read_array(reader, keys->array));
  } else if (keys->plates != NULL) {
    IRZ_TRY(irz_plates_read(reader, keys->plates));
  } else {
    if (probes->kind != IRZ_YAML_LIST || probes->n == 0) {
      return irz_reader_fail(reader, probes, "probes", "must be a list of 1 to %d probes, or {markups: FILE}",
                             IRZ_MAX_PROBES);
    }
    if (probes->n > IRZ_MAX_PROBES) {
      return irz_reader_fail(reader, probes, "probes", "has %d probes; at most %d are allowed", probes->n,
                             IRZ_MAX_PROBES);
    }
    for (int i = 0; i < probes->n; i++) {
      if (plan->n_probes == IRZ_MAX_PROBES) {
        char path[IRZ_KEY_PATH_MAX];
        snprintf(path, sizeof path, "probes[%d]", i);
        return irz_reader_fail(reader, probes->items[i], path, "makes more than %d electrodes in all", IRZ_MAX_PROBES);
      }
      IRZ_TRY(irz_reader_lenient(reader, read_probe(reader, probes->items[i], i)));
    }
  }
  if (plan->anatomy.frame == IRZ_FRAME_LPS) {
    for (int i = 0; i < plan->n_probes; i++) {
      for (int axis = 0; axis < 2; axis++) {
        plan->probes[i].tip[axis] = 0 - plan->probes[i].tip[axis];
        plan->probes[i].direction[axis] = 0 - plan->probes[i].direction[axis];
        plan->probes[i].side[axis] = 0 - plan->probes[i].side[axis];
      }
    }
  }
  return IRZ_OK;
}

/* Diameter, m, of which no needle is. */
static const double thickest = 4e-3;

/* Path and node of what states a probe's position or length. */
static const IrzYaml *stated_at(const IrzPlan *plan, const IrzPlanKeys *keys, int probe, const char *key,
                                char path[IRZ_KEY_PATH_MAX]) {
  if (keys->plates != NULL) {
    snprintf(path, IRZ_KEY_PATH_MAX, "plates");
    return keys->plates;
  }
  if (keys->array != NULL) {
    bool length = strcmp(key, "exposure") == 0;
    snprintf(path, IRZ_KEY_PATH_MAX, length ? "array.exposure" : "array");
    const IrzYaml *node = length ? irz_yaml_get(keys->array, key) : NULL;
    return node != NULL ? node : keys->array;
  }
  int entry = irz_probe_entry(plan, probe);
  if (strcmp(key, "exposure") == 0 && plan->probes[probe].needle[0] != '\0') key = "electrodes";
  snprintf(path, IRZ_KEY_PATH_MAX, "probes[%d].%s", entry, key);
  const IrzYaml *node = irz_yaml_get(keys->probes->items[entry], key);
  return node != NULL ? node : keys->probes->items[entry];
}

IrzCode irz_probes_check(const IrzReader *reader, const IrzPlanKeys *keys) {
  IrzPlacementFault fault;
  if (irz_placement_allowed(reader->plan, &fault)) return IRZ_OK;
  char path[IRZ_KEY_PATH_MAX];
  const IrzYaml *node = stated_at(reader->plan, keys, fault.probe, fault.key, path);
  double diameter = reader->plan->probes[fault.probe].diameter;
  if (diameter <= thickest) return irz_reader_fail(reader, node, path, "%s", fault.text);
  return irz_reader_fail(reader, node, path,
                         "%s (the diameter is %.6g mm; if that is a gauge, state it in mm: 19 gauge are 1.07)",
                         fault.text, 1e3 * diameter);
}
