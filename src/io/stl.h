/* Surfaces as binary STL. */
#ifndef IREZONE_IO_STL_H
#define IREZONE_IO_STL_H

#include <irezone/session.h>

/// Write a closed surface, in mm and in the frame of its points. The file appears whole or not at all.
/// @param[in] header  at most 79 characters; 3D Slicer looks for SPACE=RAS in it
/// @return IRZ_OK, IRZ_ERR_OUTPUT or IRZ_ERR_MEMORY
IrzCode irz_stl_write(const char *path, const IrzSurface *surface, const char *header, IrzError *error);

#endif
