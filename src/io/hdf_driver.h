/* How HDF5 reaches files: through a driver of our own, on a descriptor that is open already.

   Writing: HDF5 never hears of a failed write. It would be left with a file that it can neither finish nor close, lose
   what it writes while closing, and crash at the end of the process when it tries again. IrzReplace remembers the
   failure and reports it when the file is finished; until then HDF5 writes into nothing.

   Reading: nothing but that one file is ever opened, whatever links it holds.

   No locks are taken, so file systems without them do: a file being written has a temporary name of its own, and one
   being read is replaced, never changed. */
#ifndef IREZONE_IO_HDF_DRIVER_H
#define IREZONE_IO_HDF_DRIVER_H

#include "base/replace.h"
#include <hdf5.h>

/// Create an HDF5 file in a file that has just begun. To be closed with irz_hdf_driver_close() before it is committed.
/// @param[out] number  the driver, of this file alone
/// @return an identifier, or a negative one
hid_t irz_hdf_driver_create(IrzReplace *replace, hid_t *number);

/// Open a file to read it. The descriptor stays the caller's, and must stay open until irz_hdf_driver_close().
hid_t irz_hdf_driver_open(int descriptor, hid_t *number);

/// Close a file, and then its driver: HDF5 still looks at that after the file has given up its hold on it.
/// @return negative if the file could not be closed
int irz_hdf_driver_close(hid_t file, hid_t number);

#endif
