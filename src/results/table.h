/* The quantities of a summary as tables, one row each. From them come its JSON, the tables that are printed, `irezone
   help results` and the paths that a sweep's columns and irz_summary_number() follow. To add a quantity, add a row. */
#ifndef IREZONE_RESULTS_TABLE_H
#define IREZONE_RESULTS_TABLE_H

#include <irezone/result.h>
#include <jansson.h>
#include <stddef.h>

/// A unit of results.
typedef struct {
  const char *name;   ///< as names of quantities end: "cm3"
  const char *shown;  ///< for a person: "cm³"
  double scale;       ///< how many of them the SI unit is
  double shown_scale; ///< the same of what a person is shown; 0: no other
} IrzUnit;

/// When a quantity is there.
typedef struct {
  const char *words;
  bool (*holds)(const IrzSummary *summary, const void *at);
} IrzCondition;

/// What a quantity is stored as, at its offset in what its table is about.
typedef enum {
  IRZ_QUANTITY_NUMBER,   ///< double; JSON has null if it is not finite
  IRZ_QUANTITY_ESTIMATE, ///< double; null if it is negative, too: not estimated
  IRZ_QUANTITY_INTEGER,  ///< int
  IRZ_QUANTITY_COUNT,    ///< int64_t
  IRZ_QUANTITY_FLAG,     ///< bool
  IRZ_QUANTITY_TEXT,     ///< char[]
  IRZ_QUANTITY_POINT,    ///< double[3]
  IRZ_QUANTITY_MAP,      ///< what `rows` are about; `entry` says where it is if it is not at the offset
  IRZ_QUANTITY_LIST,     ///< a list of maps: `entry` has what `rows` are about
  IRZ_QUANTITY_SERIES,   ///< a list of numbers: a double at the offset in each `entry`
  IRZ_QUANTITY_MADE,     ///< what `make` makes; `rows` say what it holds, if it is a list of maps
} IrzQuantityType;

/// How a number is printed in a table.
typedef struct {
  const char *heading; ///< of its column; NULL: it has none
  int width;           ///< of the column, whose text is on the right; 0: the last one, text on the left
  int decimals;        ///< negative: four digits, or as many as the error leaves
} IrzShown;

/// A quantity.
typedef struct IrzQuantity {
  const char *name; ///< its key in the JSON, with its unit
  IrzQuantityType type;
  size_t offset;
  const IrzUnit *unit;
  const IrzCondition *when; ///< NULL: always
  bool is_null;             ///< there as null, rather than not at all, where the condition does not hold
  bool identifies;          ///< a path names an entry of the list by this value
  size_t error;             ///< offset of the estimated error, a double; 0: none
  IrzShown shown;
  const struct IrzQuantity *rows; ///< ends with a NULL name
  /// @return what entry i is read from, or NULL if there are no more
  const void *(*entry)(const IrzSummary *summary, const void *at, int i);
  json_t *(*make)(const IrzSummary *summary, const void *at);
  const char *help; ///< one line
} IrzQuantity;

/// All quantities, in the order of the JSON; ends with a NULL name.
extern const IrzQuantity irz_quantities[];

/// Rows of the lists that are printed as tables.
extern const IrzQuantity irz_pulse_quantities[], irz_region_quantities[], irz_threshold_quantities[],
    irz_survival_quantities[];

/// A number in JSON; null where there is none (JSON has no NaN and no infinity).
json_t *irz_json_number(double value);

/// Text in JSON; if it is not UTF-8, the bytes beyond ASCII become question marks.
json_t *irz_json_text(const char *string);

/// Whether a quantity is there.
bool irz_quantity_is_there(const IrzQuantity *row, const IrzSummary *summary, const void *at);

/// A number in its unit; NaN where there is none.
double irz_quantity_number(const IrzQuantity *row, const IrzSummary *summary, const void *at);

#endif
