/* The little of HDF5 that our files need. A function of type int returns 0, or -1. HDF5 is
   used by one rank at a time, alone: no call is collective. */
#ifndef IREZONE_IO_HDF_H
#define IREZONE_IO_HDF_H

#include "base/replace.h"
#include <hdf5.h>
#include <stdbool.h>

/// HDF5's errors: kept off the terminal, and the first of them remembered.
typedef struct {
  H5E_auto2_t print; ///< what to give back to HDF5 when done
  void *data;
  bool failed, no_memory;
  char reason[256]; ///< what the operating system said if it is known, else HDF5's own reason
} IrzHdfWatch;

/// An HDF5 file on its way to its final name.
typedef struct {
  hid_t id;
  hid_t driver;
  IrzReplace replace;
  IrzHdfWatch watch;
} IrzHdfFile;

/// An HDF5 file open for reading.
typedef struct {
  hid_t id;
  hid_t driver;
  int descriptor;
  off_t size; ///< bytes
  IrzHdfWatch watch;
} IrzHdfInput;

/// Create a file under a temporary name, and watch HDF5 until irz_hdf_finish(). The struct must stay where it is.
/// @param[out] error  names the file and the reason; nothing is left to finish then
IrzCode irz_hdf_begin(IrzHdfFile *file, const char *path, IrzError *error);

/// Close a file and give it its final name.
/// @param[in] bad  not 0: writing failed; the file is removed
IrzCode irz_hdf_finish(IrzHdfFile *file, int bad, IrzError *error);

/// Open a file to read it; only a regular file, and no other file that it may link to. HDF5 is watched until
/// irz_hdf_close(), and the struct must stay where it is.
/// @return IRZ_OK, IRZ_ERR_INPUT or IRZ_ERR_MEMORY
IrzCode irz_hdf_open(IrzHdfInput *file, const char *path, IrzError *error);

void irz_hdf_close(IrzHdfInput *file);

/// Record that reading has failed: for lack of memory, because of the operating system, or because of what the file is.
IrzCode irz_hdf_unreadable(const IrzHdfInput *file, const char *path, IrzError *error);

/// An uncompressed dataset of rows, to be filled by irz_hdf_rows().
/// @param[in] components  1: one-dimensional
/// @return an identifier for H5Dclose(), or a negative one
hid_t irz_hdf_column(hid_t place, const char *name, hsize_t rows, hsize_t components, hid_t type);

/// Write some rows of such a dataset.
int irz_hdf_rows(hid_t dataset, hsize_t first, hsize_t count, hsize_t components, hid_t type, const void *data);

/// A compressed dataset of up to three dimensions from contiguous data.
int irz_hdf_array(hid_t place, const char *name, int rank, const hsize_t *size, hid_t type, const void *data);

/// A text as a scalar dataset.
int irz_hdf_text(hid_t place, const char *name, const char *text);

/// A list of texts, `stride` bytes apart.
int irz_hdf_texts(hid_t place, const char *name, int n, const char *texts, size_t stride);

/// A list of texts of any length.
int irz_hdf_strings(hid_t place, const char *name, int n, const char *const *texts);

/// The same in ASCII, as VTK wants texts: bytes of other characters are replaced by question marks.
int irz_hdf_ascii_strings(hid_t place, const char *name, int n, const char *const *texts);

/// An attribute; n = 0: a scalar.
int irz_hdf_attribute(hid_t place, const char *name, int n, hid_t type, const void *value);

/// A text attribute: ASCII, of exactly the text's length, without a zero, as VTK wants it.
int irz_hdf_text_attribute(hid_t place, const char *name, const char *text);

#endif
