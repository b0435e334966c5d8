/* Failures and warnings of many cases, sorted into kinds: texts that differ in numbers only are of one kind. */
#ifndef IREZONE_SWEEP_KINDS_H
#define IREZONE_SWEEP_KINDS_H

#include <irezone/sweep.h>

/// What happened in some cases.
typedef struct {
  char *text;  ///< of the first of them
  char *shape; ///< the text with its numbers replaced
  int n_cases, first, last;
  IrzCode code; ///< of the first of them
} IrzKind;

/// All kinds, in the order of their first cases. Zero-initialise.
typedef struct {
  int n;
  IrzKind *kind; ///< [n]
  int n_cases;   ///< cases in which anything happened
  IrzCode code;  ///< of all of them, or IRZ_ERR_SOLVER if they differ
} IrzKinds;

/// Add what happened in a case; cases come in ascending order.
/// @param[in] code  a failure's
/// @param[in] text  one text a line
IrzCode irz_kinds_add(IrzKinds *kinds, int number, IrzCode code, const char *text, IrzError *error);

/// Fill the report's failures and warnings.
void irz_kinds_report(const IrzKinds *failures, const IrzKinds *warnings, IrzSweepReport *report);

void irz_kinds_clear(IrzKinds *kinds);

#endif
