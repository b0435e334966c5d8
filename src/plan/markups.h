/* Needles from markups of 3D Slicer: lines, or pairs of points. */
#ifndef IREZONE_PLAN_MARKUPS_H
#define IREZONE_PLAN_MARKUPS_H

#include "plan/keys.h"

/// Longest label or name of a markup, with its zero.
#define IRZ_MARKUP_NAME 128

/// A control point.
typedef struct {
  double at[3]; ///< mm, RAS
  bool defined; ///< it has been placed
  int number;   ///< in its markup, from 1
  char label[IRZ_MARKUP_NAME];
} IrzMarkupPoint;

/// A markup: a line, or a list of points.
typedef struct {
  bool line;
  int number; ///< in its file, from 1
  char name[IRZ_MARKUP_NAME];
  int n_points;
  IrzMarkupPoint *points; ///< [n_points]
} IrzMarkup;

/// What a file has.
typedef struct {
  const char *path; ///< as it is named to a person
  int n;
  IrzMarkup *items; ///< [n]
} IrzMarkups;

/// Where a file's errors and warnings go.
typedef struct {
  const IrzReader *reader;
  const IrzYaml *node; ///< what names the file
  const char *key;     ///< its path in the plan
  const char *path;    ///< the file
  int line;            ///< in the file; 0: not known
} IrzMarkupPlace;

/// Report an error in a file: "plan:line: key: file:line: text".
/// @return IRZ_ERR_INPUT
IrzCode irz_markup_fail(const IrzMarkupPlace *place, const char *format, ...) IRZ_PRINTF(2, 3);

/// Add a warning of the same form.
void irz_markup_warn(const IrzMarkupPlace *place, const char *format, ...) IRZ_PRINTF(2, 3);

/// Append a markup, or a point to the last one.
IrzCode irz_markups_add(IrzMarkups *markups, const IrzMarkup *markup, IrzError *error);
IrzCode irz_markups_add_point(IrzMarkups *markups, const IrzMarkupPoint *point, IrzError *error);

/// Read the text of a file: JSON (.mrk.json), or Slicer's older lists of points (.fcsv). The text may be changed.
/// @param[in,out] markups  gets what the file has
IrzCode irz_markups_json(IrzMarkupPlace *place, char *text, IrzMarkups *markups);
IrzCode irz_markups_fcsv(IrzMarkupPlace *place, char *text, IrzMarkups *markups);

void irz_markups_clear(IrzMarkups *markups);

/// A rigid transform of points in RAS, mm: A x + b.
typedef struct {
  double a[3][3], b[3];
} IrzRigid;

/// Read the text of a linear ITK transform (.tfm, .txt) and turn it round: such a file says where the points of the
/// image that is resampled come from, in LPS, so that points take its inverse.
/// @param[out] rigid  what moves points
IrzCode irz_transform_read(IrzMarkupPlace *place, char *text, IrzRigid *rigid);

/// Whether a plan's tree has `probes: {markups: ...}`.
bool irz_markups_stated(const IrzYaml *root);

/// Put the list of probes that markups stand for in the place of `probes: {markups: ...}`, if it is there.
/// @param[in]     frame  that the plan states its coordinates in
/// @param[in,out] root   the plan's tree
IrzCode irz_markups_expand(const IrzReader *reader, IrzFrame frame, IrzYaml *root);

/// Whether a key, or an override that begins with it, leads into one of the probes, as probes[0].tip.
bool irz_markups_entry(const char *key);

/// The same as irz_markups_expand() for a plan that is not being read: before one of its needles is changed by itself.
/// Changes of other keys come first: those of the markups, and of the frame, count for all needles.
IrzCode irz_markups_spread(IrzYaml *root, const char *file, const char *folder, IrzError *error);

#endif
