/* The little of HDF5 that a sweep's files need. Every function returns 0, or -1 with HDF5's error stack set. */
#ifndef IREZONE_SWEEP_HDF_H
#define IREZONE_SWEEP_HDF_H

#include <hdf5.h>

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
