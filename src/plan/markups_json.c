/* Slicer's markups as JSON (markups schema 1.0): see src/plan/markups.h. */
#include "base/json.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "plan/markups.h"
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A text of an object, cut to fit and made fit to be shown; "" if there is none. */
static void text_of(const json_t *object, const char *key, char *text, size_t size) {
  const char *value = json_string_value(json_object_get(object, key));
  snprintf(text, size, "%s", value != NULL ? value : "");
  irz_utf8_clean(text);
}

/* Unit of a markup's coordinates, mm. */
static IrzCode read_unit(const IrzMarkupPlace *place, const char *where, const json_t *markup, double *unit) {
  static const struct {
    const char *name;
    double mm;
  } units[] = {{"mm", 1}, {"um", 1e-3}, {"cm", 10}, {"m", 1000}};
  const json_t *stated = json_object_get(markup, "coordinateUnits");
  const char *name = json_string_value(json_is_array(stated) ? json_array_get(stated, 0) : stated);
  *unit = 1;
  if (stated == NULL) return IRZ_OK;
  for (size_t u = 0; u < sizeof units / sizeof units[0] && name != NULL; u++) {
    if (strcmp(units[u].name, name) != 0) continue;
    *unit = units[u].mm;
    if (u > 0) irz_markup_warn(place, "%s: its coordinates are in %s and are converted to mm", where, name);
    return IRZ_OK;
  }
  char shown[40];
  snprintf(shown, sizeof shown, "%.39s", name != NULL ? name : "no text");
  irz_utf8_clean(shown);
  return irz_markup_fail(place, "%s.coordinateUnits: is \"%s\"; it must be mm, um, cm or m", where, shown);
}

/* What turns a markup's coordinates into RAS. */
static IrzCode read_system(const IrzMarkupPlace *place, const char *where, const json_t *markup, double *sign) {
  const json_t *stated = json_object_get(markup, "coordinateSystem");
  const char *name = json_string_value(stated);
  *sign = -1; /* LPS is the format's default */
  if (stated == NULL || (name != NULL && strcmp(name, "LPS") == 0)) return IRZ_OK;
  if (json_is_integer(stated) && json_integer_value(stated) == 1) return IRZ_OK;
  bool ras = (name != NULL && strcmp(name, "RAS") == 0) || (json_is_integer(stated) && json_integer_value(stated) == 0);
  if (ras) *sign = 1;
  if (ras) return IRZ_OK;
  char shown[40];
  snprintf(shown, sizeof shown, "%.39s", name != NULL ? name : "no text");
  irz_utf8_clean(shown);
  return irz_markup_fail(place, "%s.coordinateSystem: is \"%s\"; it must be LPS or RAS", where, shown);
}

/* One control point. */
static IrzCode read_point(const IrzMarkupPlace *place, const char *where, const json_t *object, double unit,
                          double sign, int number, IrzMarkups *markups) {
  IrzMarkupPoint point = {.number = number, .defined = true};
  const char *status = json_string_value(json_object_get(object, "positionStatus"));
  const json_t *position = json_object_get(object, "position");
  if (!json_is_object(object)) return irz_markup_fail(place, "%s: is no object", where);
  text_of(object, "label", point.label, sizeof point.label);
  if (status != NULL && strcmp(status, "defined") != 0) {
    point.defined = false;
    irz_markup_warn(place, "%s: has not been placed (positionStatus: %.20s) and is left out", where, status);
    return irz_markups_add_point(markups, &point, place->reader->error);
  }
  if (json_array_size(position) != 3) {
    return irz_markup_fail(place, "%s.position: %s; it must be [x, y, z]", where,
                           position == NULL ? "is not there" : "has not three numbers");
  }
  for (size_t k = 0; k < 3; k++) {
    const json_t *value = json_array_get(position, k);
    if (!json_is_number(value) || !isfinite(json_number_value(value))) {
      return irz_markup_fail(place, "%s.position: has something that is no number; it must be [x, y, z]", where);
    }
    point.at[k] = 0 + (k < 2 ? sign : 1) * unit * json_number_value(value);
  }
  return irz_markups_add_point(markups, &point, place->reader->error);
}

/* One markup. */
static IrzCode read_markup(const IrzMarkupPlace *place, const json_t *object, int index, IrzMarkups *markups) {
  IrzMarkup markup = {.number = index + 1};
  char type[32], where[80];
  double unit, sign;
  snprintf(where, sizeof where, "markups[%d]", index);
  if (!json_is_object(object)) return irz_markup_fail(place, "%s: is no object", where);
  text_of(object, "type", type, sizeof type);
  text_of(object, "name", markup.name, sizeof markup.name);
  markup.line = strcmp(type, "Line") == 0;
  if (!markup.line && strcmp(type, "Fiducial") != 0) {
    irz_markup_warn(place, "%s: is of type \"%s\" and is left out: needles are of type Line, or pairs of Fiducial",
                    where, type);
    return IRZ_OK;
  }
  IRZ_TRY(read_unit(place, where, object, &unit));
  IRZ_TRY(read_system(place, where, object, &sign));
  IRZ_TRY(irz_markups_add(markups, &markup, place->reader->error));
  const json_t *points = json_object_get(object, "controlPoints");
  if (points != NULL && !json_is_array(points)) {
    return irz_markup_fail(place, "%s.controlPoints: must be a list of points", where);
  }
  for (size_t p = 0; p < json_array_size(points); p++) {
    snprintf(where, sizeof where, "markups[%d].controlPoints[%zu]", index, p);
    IRZ_TRY(read_point(place, where, json_array_get(points, p), unit, sign, (int)p + 1, markups));
  }
  return IRZ_OK;
}

IrzCode irz_markups_json(IrzMarkupPlace *place, char *text, IrzMarkups *markups) {
  json_error_t wrong;
  irz_json_watch();
  json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &wrong);
  if (!irz_json_watched()) {
    json_decref(root);
    return irz_out_of_memory(0, place->reader->error);
  }
  if (root == NULL) {
    place->line = wrong.line;
    char said[JSON_ERROR_TEXT_LENGTH];
    snprintf(said, sizeof said, "%s", wrong.text);
    irz_utf8_clean(said);
    return irz_markup_fail(place, "is no JSON: %s", said);
  }
  const json_t *list = json_object_get(root, "markups");
  IrzCode code = IRZ_OK;
  if (!json_is_array(list)) {
    code = irz_markup_fail(place, "has no list \"markups\": it is no file of Slicer's markups");
  }
  for (size_t m = 0; code == IRZ_OK && m < json_array_size(list); m++) {
    code = read_markup(place, json_array_get(list, m), (int)m, markups);
  }
  json_decref(root);
  return code;
}
