/* Colours of tissues, as atlases and 3D Slicer show them. */
#ifndef IREZONE_ANATOMY_COLORS_H
#define IREZONE_ANATOMY_COLORS_H

#include <irezone/anatomy.h>

/// Colour of a region: by the words in its name, else the next of a list of well distinct ones.
/// @param[in]  place  chooses from the list
/// @param[out] color  red, green, blue, 0 to 1
void irz_region_color(const char *name, int place, float color[3]);

/// Write the labels of a map as a colour table of 3D Slicer, which shows a label map without names otherwise. What the
/// image says of a label's name and colour counts first, then the region that it is mapped to.
/// @return IRZ_OK, IRZ_ERR_OUTPUT or IRZ_ERR_MEMORY
IrzCode irz_color_table_write(const char *path, const IrzLabelMap *map, IrzError *error);

#endif
