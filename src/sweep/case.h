/* The numbers that every case has: from the summary to the journal, and from there to the tables. */
#ifndef IREZONE_SWEEP_CASE_H
#define IREZONE_SWEEP_CASE_H

#include "sweep/sweep.h"
#include <stddef.h>

/// A number of every case.
typedef struct {
  const char *column; ///< its name in sweep.csv, with its unit; NULL: none
  const char *path;   ///< in the summary (results/path.h); with `[]` the sum or the largest over a list; NULL: measured
                      ///< by the sweep
  size_t offset;      ///< in IrzCaseResult
  double unit;        ///< SI value of one; 0: an int
  int record;         ///< place among the numbers of a record in a journal, from 0
  bool largest;       ///< over a list, instead of the sum
  bool statistics;    ///< sweep.json has its statistics
  bool always;        ///< failed cases have it, too
} IrzCaseNumber;

/// All, in the order of the columns. Another row is another record: raise JOURNAL_FORMAT with it.
extern const IrzCaseNumber irz_case_numbers[];
extern const int irz_n_case_numbers;

/// The number with a place in the record, or NULL.
const IrzCaseNumber *irz_case_number_at(int record);

/// The value in SI units; NaN where there is none.
double irz_case_number_get(const IrzCaseNumber *number, const IrzCaseResult *result);

void irz_case_number_set(const IrzCaseNumber *number, double value, IrzCaseResult *result);

/// Take the numbers of a case from the tree of its summary.
void irz_case_take(const json_t *summary, IrzCaseResult *result);

#endif
