/* The summary as JSON, by the table of quantities. */
#include "results/json.h"
#include "base/entry.h"
#include "base/json.h"
#include "plan/plan.h"
#include "results/table.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Twelve digits: far beyond the accuracy of any number here, and 0.1 stays 0.1. */
#define DIGITS 12

static json_t *encode(const IrzQuantity *row, const IrzSummary *summary, const void *at);

static json_t *encode_map(const IrzQuantity *rows, const IrzSummary *summary, const void *at) {
  json_t *object = json_object();
  for (const IrzQuantity *row = rows; row->name != NULL; row++) {
    if (irz_quantity_is_there(row, summary, at))
      json_object_set_new(object, row->name, encode(row, summary, at));
    else if (row->is_null)
      json_object_set_new(object, row->name, json_null());
  }
  return object;
}

/// A list of maps or, of a series, of numbers.
static json_t *encode_list(const IrzQuantity *row, const IrzSummary *summary, const void *at) {
  json_t *array = json_array();
  const void *entry;
  for (int i = 0; (entry = row->entry(summary, at, i)) != NULL; i++) {
    json_array_append_new(array, row->type == IRZ_QUANTITY_LIST
                                     ? encode_map(row->rows, summary, entry)
                                     : irz_json_number(irz_quantity_number(row, summary, entry)));
  }
  return array;
}

static json_t *encode_point(const IrzQuantity *row, const void *at) {
  double x[3], scale = row->unit != NULL ? row->unit->scale : 1;
  memcpy(x, (const char *)at + row->offset, sizeof x);
  json_t *array = json_array();
  for (int k = 0; k < 3; k++) json_array_append_new(array, irz_json_number(x[k] * scale));
  return array;
}

/// A quantity that is there.
static json_t *encode(const IrzQuantity *row, const IrzSummary *summary, const void *at) {
  const char *field = (const char *)at + row->offset;
  switch (row->type) {
  case IRZ_QUANTITY_NUMBER:
  case IRZ_QUANTITY_ESTIMATE:
    return irz_json_number(irz_quantity_number(row, summary, at));
  case IRZ_QUANTITY_INTEGER:
    return json_integer(*(const int *)(const void *)field);
  case IRZ_QUANTITY_COUNT:
    return json_integer((json_int_t) * (const int64_t *)(const void *)field);
  case IRZ_QUANTITY_FLAG:
    return json_boolean(*(const bool *)field);
  case IRZ_QUANTITY_TEXT:
    return irz_json_text(field);
  case IRZ_QUANTITY_POINT:
    return encode_point(row, at);
  case IRZ_QUANTITY_MAP:
    return encode_map(row->rows, summary, row->entry != NULL ? row->entry(summary, at, 0) : field);
  case IRZ_QUANTITY_LIST:
  case IRZ_QUANTITY_SERIES:
    return encode_list(row, summary, at);
  case IRZ_QUANTITY_MADE:
    return row->make(summary, at);
  }
  return NULL;
}

json_t *irz_summary_object(const IrzSummary *summary) {
  irz_json_watch();
  json_t *root = encode_map(irz_quantities, summary, summary);
  if (irz_json_watched()) return root;
  json_decref(root);
  return NULL;
}

char *irz_summary_json(const IrzSummary *summary) {
  IRZ_ENTER_QUIETLY;
  if (summary == NULL || summary->plan == NULL) return NULL;
  json_t *root = irz_summary_object(summary);
  char *encoded = root != NULL ? json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(DIGITS)) : NULL;
  json_decref(root);
  return encoded;
}
