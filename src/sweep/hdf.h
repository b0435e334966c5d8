/* The little of HDF5 that a sweep's files need. A function of type int returns 0, or -1 with HDF5's error stack set. */
#ifndef IREZONE_SWEEP_HDF_H
#define IREZONE_SWEEP_HDF_H

#include "io/hdf_error.h"
#include "io/replace.h"
#include <hdf5.h>

/// An HDF5 file on its way to its final name.
typedef struct {
  hid_t id;
  IrzReplace replace;
  IrzHdfSilence silence;
} IrzHdfFile;

/// Create a file under a temporary name, and keep HDF5 from printing until irz_hdf_finish().
/// @param[out] error  names the file and the reason; nothing is left to finish then
IrzCode irz_hdf_begin(IrzHdfFile *file, const char *path, IrzError *error);

/// Close a file and give it its final name.
/// @param[in] bad  not 0: writing failed, with HDF5's error stack set; the file is removed
IrzCode irz_hdf_finish(IrzHdfFile *file, int bad, IrzError *error);

/// A compressed dataset of up to three dimensions from contiguous data.
int irz_hdf_array(hid_t place, const char *name, int rank, const hsize_t *size, hid_t type, const void *data);

/// A text as a scalar dataset.
int irz_hdf_text(hid_t place, const char *name, const char *text);

/// A list of texts, `stride` bytes apart.
int irz_hdf_texts(hid_t place, const char *name, int n, const char *texts, size_t stride);

/// An attribute; n = 0: a scalar.
int irz_hdf_attribute(hid_t place, const char *name, int n, hid_t type, const void *value);

/// A text attribute: ASCII, of exactly the text's length, without a zero, as VTK wants it.
int irz_hdf_text_attribute(hid_t place, const char *name, const char *text);

#endif
