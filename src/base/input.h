/* Opening files that others have made. */
#ifndef IREZONE_BASE_INPUT_H
#define IREZONE_BASE_INPUT_H

#include <irezone/error.h>
#include <sys/types.h>

/// Open a regular file to read it. A pipe or a device, which could wait or go on for ever, is refused without waiting.
/// @param[out] descriptor  for close(); -1 on failure
/// @param[out] size        bytes
/// @return IRZ_OK or IRZ_ERR_INPUT
IrzCode irz_file_open(const char *path, int *descriptor, off_t *size, IrzError *error);

#endif
