#include "anatomy/markups_write.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/replace.h"
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static const char schema[] = "https://raw.githubusercontent.com/slicer/slicer/master/Modules/Loadable/Markups/"
                             "Resources/Schema/markups-schema-v1.0.3.json#";

/// A point in LPS, mm.
static json_t *point_of(const double x[3]) {
  return json_pack("[f,f,f]", 0 - 1e3 * x[0], 0 - 1e3 * x[1], 0 + 1e3 * x[2]);
}

static json_t *color_of(const double color[3]) {
  return json_pack("[f,f,f]", color[0], color[1], color[2]);
}

static json_t *line_of(const IrzMarkupsLine *line) {
  json_t *points = json_array();
  for (int k = 0; k < 2; k++) {
    json_array_append_new(points, json_pack("{s:s, s:s, s:o, s:b, s:b, s:b, s:s}", "id", k == 0 ? "1" : "2", "label",
                                            line->label[k], "position", point_of(line->point[k]), "selected", 1,
                                            "locked", 0, "visibility", 1, "positionStatus", "defined"));
  }
  /* Points are selected unless somebody says otherwise, and selected ones have a colour of their own: both are set. */
  json_t *display =
      json_pack("{s:b, s:f, s:o, s:o, s:b, s:b}", "visibility", 1, "opacity", 1.0, "color", color_of(line->color),
                "selectedColor", color_of(line->color), "propertiesLabelVisibility", 1, "pointLabelsVisibility", 0);
  return json_pack("{s:s, s:s, s:s, s:s, s:b, s:o, s:o}", "type", "Line", "name", line->name, "coordinateSystem", "LPS",
                   "coordinateUnits", "mm", "locked", 0, "controlPoints", points, "display", display);
}

IrzCode irz_markups_write(const char *path, int n, const IrzMarkupsLine *lines, IrzError *error) {
  irz_json_watch();
  json_t *list = json_array();
  for (int i = 0; i < n; i++) json_array_append_new(list, line_of(&lines[i]));
  json_t *root = json_pack("{s:s, s:o}", "@schema", schema, "markups", list);
  char *text = root != NULL ? json_dumps(root, JSON_INDENT(1) | JSON_REAL_PRECISION(15)) : NULL;
  json_decref(root);
  if (!irz_json_watched() || text == NULL) {
    free(text);
    return irz_out_of_memory(0, error);
  }
  IrzReplace file;
  IrzCode code = irz_replace_begin(&file, path, error);
  if (code == IRZ_OK) {
    irz_replace_write(&file, text, strlen(text), 0);
    code = irz_replace_commit(&file, error);
  }
  free(text);
  return code;
}
