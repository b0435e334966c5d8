/* The needles that markups stand for, and what they are called. */
#ifndef IREZONE_PLAN_MARKUPS_NEEDLES_H
#define IREZONE_PLAN_MARKUPS_NEEDLES_H

#include "plan/markups.h"

/// A needle.
typedef struct {
  char name[IRZ_NAME_MAX];
  char labels[IRZ_MARKUP_NAME]; ///< what its markup, or the labels of both its points, call it; may be ""
  char other[IRZ_MARKUP_NAME];  ///< its file, or the label of its tip; for needles that are called alike
  double tip[3], entry[3];      ///< mm, RAS
} IrzNeedle;

/// Several.
typedef struct {
  int n;
  IrzNeedle *items;
} IrzNeedleList;

/// Take the needles of a file: a line each, or two points after each other.
/// @param[in] last  the tip is the second point
IrzCode irz_needles_take(const IrzMarkupPlace *place, const IrzMarkups *markups, bool last, IrzNeedleList *needles);

/// Name the needles, each by another name.
IrzCode irz_needles_name(const IrzMarkupPlace *place, IrzNeedleList *needles);

/// Keep those that are wanted, in the order in which they are.
/// @param[in] only  a name or a list of names
IrzCode irz_needles_choose(const IrzReader *reader, const IrzYaml *only, IrzNeedleList *needles);

#endif
