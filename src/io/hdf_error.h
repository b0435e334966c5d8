/* HDF5's errors: kept off the terminal, and turned into a reason for a person. */
#ifndef IREZONE_IO_HDF_ERROR_H
#define IREZONE_IO_HDF_ERROR_H

#include <hdf5.h>
#include <stddef.h>

/// What to give back to HDF5 when done.
typedef struct {
  H5E_auto2_t print;
  void *data;
} IrzHdfSilence;

/// Stop HDF5 from printing its error stack.
IrzHdfSilence irz_hdf_silence(void);

/// Let it print again if it did before.
void irz_hdf_restore(IrzHdfSilence before);

/// The reason of the last failure: the operating system's or MPI's if there is one, else HDF5's own.
void irz_hdf_reason(char *text, size_t size);

#endif
