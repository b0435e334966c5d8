/* Probes: read one by one or laid out as an array, and checked against the box and each other. */
#include "base/vector.h"
#include "plan/parts.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

void irz_probe_middle(const IrzProbe *probe, double middle[3]) {
  double along = probe->plate[0] > 0 ? 0 : 0.5 * probe->exposure;
  for (int i = 0; i < 3; i++) middle[i] = probe->tip[i] + along * probe->direction[i];
}

double irz_probe_metal(const IrzProbe *probe) {
  const double pi = acos(-1);
  if (probe->plate[0] > 0) return probe->plate[0] * probe->plate[1] * probe->exposure;
  return 0.25 * pi * probe->diameter * probe->diameter * probe->exposure;
}

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
  if (strlen(needle.name) + 2 > IRZ_NAME_MAX) {
    irz_key_path(full, path, "name");
    return irz_reader_fail(reader, irz_yaml_get(node, "name"), full, "leaves no room for the number of an electrode");
  }
  for (int k = 0; k < count; k++) {
    IrzProbe *probe = &plan->probes[plan->n_probes];
    *probe = needle;
    snprintf(probe->name, sizeof probe->name, "%.*s%c", IRZ_NAME_MAX - 2, needle.name, '1' + k);
    IRZ_TRY(check_name(reader, keys->electrodes, full, probe->name));
    memcpy(probe->needle, needle.name, sizeof probe->needle);
    probe->place = k;
    probe->exposure = length[k];
    for (int i = 0; i < 3; i++) probe->tip[i] = needle.tip[i] + start * needle.direction[i];
    start += length[k] + keys->gap;
    plan->n_probes++;
  }
  return IRZ_OK;
}

double irz_probe_point_length(const IrzProbe *probe) {
  /* Facets at 30 degrees to the axis. */
  static const double cotangent = 1.7320508075688772;
  if (probe->tip_shape == IRZ_TIP_ROUNDED) return 0.5 * probe->diameter;
  return probe->tip_shape == IRZ_TIP_TROCAR ? 0.5 * probe->diameter * cotangent : 0;
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
    probe->direction[i] = keys->direction[i] / length;
  }
  probe->exposure = keys->exposure;
  probe->diameter = keys->diameter;
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
      return irz_reader_fail(reader, probes, "probes", "must be a list of 1 to %d probes", IRZ_MAX_PROBES);
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
      IRZ_TRY(read_probe(reader, probes->items[i], i));
    }
  }
  if (plan->anatomy.labels[0] != '\0' && plan->anatomy.frame == IRZ_FRAME_LPS) {
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

/* Distance from a point inside the box to the wall along a direction. */
static double distance_to_wall(const double point[3], const double direction[3], const double center[3], double half) {
  double distance = INFINITY;
  for (int i = 0; i < 3; i++) {
    if (direction[i] == 0) continue;
    double wall = center[i] + (direction[i] > 0 ? half : -half);
    double along = (wall - point[i]) / direction[i];
    if (along < distance) distance = along;
  }
  return distance;
}

/* Least distance of two segments p + s u (0 <= s <= a) and q + t v (0 <= t <= b), with unit u and v. */
static double segment_distance(const double p[3], const double u[3], double a, const double q[3], const double v[3],
                               double b) {
  double w[3], uv = irz_dot(u, v), sine2 = 1 - uv * uv;
  for (int i = 0; i < 3; i++) w[i] = p[i] - q[i];
  double uw = irz_dot(u, w), vw = irz_dot(v, w);
  /* The distance is convex in (s, t): for each candidate s the best t, and back. The unconstrained optimum and the four
     ends are enough candidates. */
  double candidates[5] = {0, a, sine2 > 1e-12 ? (uv * vw - uw) / sine2 : 0, -uw, b * uv - uw};
  double least = INFINITY;
  for (int i = 0; i < 5; i++) {
    double s = fmin(fmax(candidates[i], 0), a);
    double t = fmin(fmax(vw + s * uv, 0), b);
    double gap[3];
    for (int j = 0; j < 3; j++) gap[j] = w[j] + s * u[j] - t * v[j];
    least = fmin(least, sqrt(irz_dot(gap, gap)));
  }
  return least;
}

/* Path and node of what states a probe's position or length. */
static const IrzYaml *stated_at(const IrzPlan *plan, const IrzYaml *place, int probe, const char *key,
                                char path[IRZ_KEY_PATH_MAX]) {
  bool array = place->kind == IRZ_YAML_MAP, length = strcmp(key, "exposure") == 0;
  int entry = -1;
  for (int i = 0; i <= probe; i++) entry += plan->probes[i].place == 0;
  if (length && plan->probes[probe].needle[0] != '\0') key = "electrodes";
  if (array) {
    snprintf(path, IRZ_KEY_PATH_MAX, length ? "array.exposure" : "array");
    return length ? irz_yaml_get(place, key) : place;
  }
  snprintf(path, IRZ_KEY_PATH_MAX, "probes[%d].%s", entry, key);
  return irz_yaml_get(place->items[entry], key);
}

IrzCode irz_probes_check(const IrzReader *reader, const IrzYaml *place) {
  const IrzPlan *plan = reader->plan;
  char path[IRZ_KEY_PATH_MAX];
  double center[3], half = 0.5 * plan->mesh.size, length[IRZ_MAX_PROBES];
  irz_plan_center(plan, center);
  for (int i = 0; i < plan->n_probes; i++) {
    if (plan->probes[i].exposure < plan->mesh.size) continue;
    const IrzYaml *node = stated_at(plan, place, i, "exposure", path);
    return irz_reader_fail(reader, node, path,
                           "%.9g mm is longer than the tissue box, whose edge is %.9g mm (mesh.size)",
                           1e3 * plan->probes[i].exposure, 1e3 * plan->mesh.size);
  }
  for (int i = 0; i < plan->n_probes; i++) {
    const IrzProbe *probe = &plan->probes[i];
    const IrzYaml *node = stated_at(plan, place, i, "tip", path);
    double ends[2] = {0, probe->exposure + plan->pullback.count * plan->pullback.step};
    for (int end = 0; end < 2; end++) {
      for (int axis = 0; axis < 3; axis++) {
        double x = probe->tip[axis] + ends[end] * probe->direction[axis] - center[axis];
        if (fabs(x) + 0.5 * probe->diameter >= half) {
          return irz_reader_fail(
              reader, node, path,
              "the %s of probe %s is %.4g mm from the middle of the tissue box along %c, but the box "
              "ends at %.4g mm; raise mesh.size or move the probe",
              end == 0 ? "tip" : "bare metal", probe->name, 1e3 * fabs(x), "xyz"[axis], 1e3 * half);
        }
      }
    }
    length[i] = distance_to_wall(probe->tip, probe->direction, center, half);
    for (int j = 0; j < i; j++) {
      const IrzProbe *other = &plan->probes[j];
      if (probe->place > 0 || other->place > 0) continue; /* the first electrode stands for the whole needle */
      double gap = segment_distance(probe->tip, probe->direction, length[i], other->tip, other->direction, length[j]);
      double least = 0.5 * (probe->diameter + other->diameter);
      if (gap > least * (1 + 1e-6)) continue;
      return irz_reader_fail(
          reader, node, path,
          "probes %s and %s touch or cross inside the tissue box: their axes come as near as %.4g mm, "
          "and must stay more than %.4g mm apart",
          other->name, probe->name, round(1e9 * gap) / 1e6, 1e3 * least);
    }
  }
  return IRZ_OK;
}
