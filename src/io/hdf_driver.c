#include "io/hdf_driver.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#if H5_VERSION_GE(1, 13, 0)
#include <H5FDdevelop.h>
#endif

/// What HDF5 is told about a file, and copies.
typedef struct {
  IrzReplace *replace; ///< NULL: reading
  int descriptor;
} Target;

/// An open file.
typedef struct {
  H5FD_t base; ///< HDF5's part; must come first
  Target target;
  haddr_t end_allocated, end_of_file;
} File;

static H5FD_t *driver_open(const char *name, unsigned flags, hid_t access, haddr_t most) {
  (void)name;
  (void)most;
  const Target *target = H5Pget_driver_info(access);
  if (target == NULL) return NULL; /* a file that another one links to */
  File *file = calloc(1, sizeof *file);
  if (file == NULL) {
    H5Epush2(H5E_DEFAULT, __FILE__, __func__, __LINE__, H5E_ERR_CLS, H5E_RESOURCE, H5E_NOSPACE, "out of memory");
    return NULL;
  }
  file->target = *target;
  struct stat status;
  if ((flags & H5F_ACC_TRUNC) == 0 && fstat(target->descriptor, &status) == 0) {
    file->end_of_file = (haddr_t)status.st_size;
  }
  return &file->base;
}

static herr_t driver_close(H5FD_t *base) {
  free(base);
  return 0;
}

static int driver_compare(const H5FD_t *a, const H5FD_t *b) {
  int x = ((const File *)a)->target.descriptor, y = ((const File *)b)->target.descriptor;
  return (x > y) - (x < y);
}

static herr_t driver_query(const H5FD_t *base, unsigned long *flags) {
  (void)base;
  *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DATA_SIEVE |
           H5FD_FEAT_AGGREGATE_SMALLDATA;
#ifdef H5FD_FEAT_DEFAULT_VFD_COMPATIBLE
  *flags |= H5FD_FEAT_DEFAULT_VFD_COMPATIBLE;
#endif
  return 0;
}

static haddr_t driver_get_end_allocated(const H5FD_t *base, H5FD_mem_t type) {
  (void)type;
  return ((const File *)base)->end_allocated;
}

static herr_t driver_set_end_allocated(H5FD_t *base, H5FD_mem_t type, haddr_t end) {
  (void)type;
  ((File *)base)->end_allocated = end;
  return 0;
}

static haddr_t driver_get_end_of_file(const H5FD_t *base, H5FD_mem_t type) {
  (void)type;
  return ((const File *)base)->end_of_file;
}

/// What lies beyond the end of the file reads as zeros.
static herr_t driver_read(H5FD_t *base, H5FD_mem_t type, hid_t transfer, haddr_t from, size_t size, void *buffer) {
  (void)type;
  (void)transfer;
  char *next = buffer;
  while (size > 0) {
    ssize_t got = pread(((File *)base)->target.descriptor, next, size, (off_t)from);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return -1;
    if (got == 0) {
      memset(next, 0, size);
      return 0;
    }
    next += got;
    from += (haddr_t)got;
    size -= (size_t)got;
  }
  return 0;
}

static herr_t driver_write(H5FD_t *base, H5FD_mem_t type, hid_t transfer, haddr_t to, size_t size, const void *buffer) {
  (void)type;
  (void)transfer;
  File *file = (File *)base;
  if (file->target.replace == NULL) return -1;
  irz_replace_write(file->target.replace, buffer, size, (off_t)to);
  if (to + size > file->end_of_file) file->end_of_file = to + size;
  return 0;
}

/// Give the file the length that its header states.
static herr_t driver_truncate(H5FD_t *base, hid_t transfer, hbool_t closing) {
  (void)transfer;
  (void)closing;
  File *file = (File *)base;
  IrzReplace *replace = file->target.replace;
  if (replace == NULL || file->end_of_file == file->end_allocated) return 0;
  file->end_of_file = file->end_allocated;
  if (replace->reason != 0) return 0;
  if ((off_t)file->end_allocated > replace->limit) {
    replace->reason = EFBIG;
  } else if (ftruncate(replace->descriptor, (off_t)file->end_allocated) != 0) {
    replace->reason = errno;
  }
  return 0;
}

static const H5FD_class_t driver = {
#ifdef H5FD_CLASS_VERSION
    .version = H5FD_CLASS_VERSION,
    .value = 600, /* from 512 on nobody's */
#endif
    .name = "irezone",
    .maxaddr = ((haddr_t)1 << (8 * sizeof(off_t) - 1)) - 1,
    .fc_degree = H5F_CLOSE_STRONG,
    .fapl_size = sizeof(Target),
    .open = driver_open,
    .close = driver_close,
    .cmp = driver_compare,
    .query = driver_query,
    .get_eoa = driver_get_end_allocated,
    .set_eoa = driver_set_end_allocated,
    .get_eof = driver_get_end_of_file,
    .read = driver_read,
    .write = driver_write,
    .truncate = driver_truncate,
    .fl_map = H5FD_FLMAP_DICHOTOMY,
};

/// Create or open a file through the driver.
static hid_t open_target(const Target *target, hid_t *number) {
  hid_t id = H5I_INVALID_HID, access = H5Pcreate(H5P_FILE_ACCESS);
  *number = H5FDregister(&driver);
  if (*number >= 0 && access >= 0 && H5Pset_driver(access, *number, target) >= 0) {
    id = target->replace != NULL ? H5Fcreate("result", H5F_ACC_TRUNC, H5P_DEFAULT, access)
                                 : H5Fopen("result", H5F_ACC_RDONLY, access);
  }
  if (access >= 0) H5Pclose(access);
  return id;
}

hid_t irz_hdf_driver_create(IrzReplace *replace, hid_t *number) {
  return open_target(&(Target){replace, replace->descriptor}, number);
}

hid_t irz_hdf_driver_open(int descriptor, hid_t *number) {
  return open_target(&(Target){NULL, descriptor}, number);
}

int irz_hdf_driver_close(hid_t file, hid_t number) {
  int closed = file >= 0 ? H5Fclose(file) : 0;
  if (number >= 0) H5FDunregister(number);
  return closed;
}
