/* Lines for 3D Slicer. */
#ifndef IREZONE_ANATOMY_MARKUPS_WRITE_H
#define IREZONE_ANATOMY_MARKUPS_WRITE_H

#include <irezone/plan.h>

/// A line between two points.
typedef struct {
  char name[IRZ_NAME_MAX + 16], label[2][IRZ_NAME_MAX + 16]; ///< of the line, and of its points
  double point[2][3];                                        ///< m, RAS
  double color[3];                                           ///< red, green, blue, 0 to 1
} IrzMarkupsLine;

/// Write lines as a markups file, in LPS and mm.
/// @return IRZ_OK, IRZ_ERR_OUTPUT or IRZ_ERR_MEMORY
IrzCode irz_markups_write(const char *path, int n, const IrzMarkupsLine *lines, IrzError *error);

#endif
