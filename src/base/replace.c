#define _GNU_SOURCE /* fallocate, fopencookie */
#include "base/replace.h"
#include "base/memory.h"
#include <errno.h>
#include <fcntl.h>
#include <irezone/result.h>
#include <libgen.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/// Say that a file or folder cannot be written because of `number`, an errno.
static IrzCode refuse(const char *path, int number, IrzError *error) {
  return irz_error_set(error, number == ENOMEM ? IRZ_ERR_MEMORY : IRZ_ERR_OUTPUT, "%s: cannot be written: %s", path,
                       strerror(number));
}

/// Record that `file` cannot be written because of `number`, an errno, and clean up.
static IrzCode fail(IrzReplace *file, int number, IrzError *error) {
  irz_replace_abandon(file);
  if (file->reserved > 0 && (number == ENOSPC || number == EDQUOT || number == EFBIG)) {
    return irz_error_set(error, IRZ_ERR_OUTPUT, "%s: cannot be written: %s; it needs %.1f MB", file->path,
                         strerror(number), (double)file->reserved / 1e6);
  }
  return refuse(file->path, number, error);
}

/// What may not be replaced by a file.
static int check_present(const char *path, IrzError *error) {
  struct stat status;
  if (stat(path, &status) != 0 || S_ISREG(status.st_mode)) return IRZ_OK;
  if (S_ISDIR(status.st_mode)) return refuse(path, EISDIR, error);
  return irz_error_set(error, IRZ_ERR_OUTPUT, "%s: cannot be written: it is a device or a pipe, not a file", path);
}

/// Names of the temporary files of this process, for irz_files_drop(). A name is complete before its slot says so, and
/// stays until the slot is taken again.
enum { SLOTS = 32 };
static struct {
  atomic_int used; ///< 0: free, 1: being filled, 2: there is such a file
  char name[IRZ_PATH_MAX + 16];
} slot[SLOTS];

static void note_name(const char *name) {
  for (int i = 0; i < SLOTS; i++) {
    int expected = 0;
    if (!atomic_compare_exchange_strong(&slot[i].used, &expected, 1)) continue;
    snprintf(slot[i].name, sizeof slot[i].name, "%s", name);
    slot[i].used = 2;
    return;
  }
}

static void forget_name(const char *name) {
  for (int i = 0; i < SLOTS; i++) {
    if (slot[i].used == 2 && strcmp(slot[i].name, name) == 0) slot[i].used = 0;
  }
}

void irz_files_drop(void) {
  for (int i = 0; i < SLOTS; i++) {
    if (slot[i].used == 2) unlink(slot[i].name);
  }
}

/// Make the temporary file under a name that nobody has.
static IrzCode create(IrzReplace *file, IrzError *error) {
  enum { TRIES = 1000, SUFFIX = 8 }; /* ".xxxxxx" and the zero */
  static atomic_uint count;
  /* A name that is just short enough must not be refused because of the suffix. */
  size_t length = strlen(file->path), folder = length;
  while (folder > 0 && file->path[folder - 1] != '/') folder--;
  if (length - folder > NAME_MAX) return fail(file, ENAMETOOLONG, error);
  if (length - folder > NAME_MAX + 1 - SUFFIX) length = folder + NAME_MAX + 1 - SUFFIX;
  for (int i = 0; i < TRIES; i++) {
    unsigned number = (unsigned)getpid() * 2654435761U + 40503U * count++;
    snprintf(file->temporary, sizeof file->temporary, "%.*s.%06x", (int)length, file->path, number & 0xffffff);
    note_name(file->temporary); /* first: there must be no moment in which there is such a file and nobody knows */
    file->descriptor = open(file->temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (file->descriptor >= 0) return IRZ_OK;
    int reason = errno;
    forget_name(file->temporary);
    errno = reason;
    if (errno != EEXIST && errno != EINTR) break;
  }
  int number = errno;
  file->temporary[0] = '\0';
  return fail(file, number, error);
}

IrzCode irz_replace_begin(IrzReplace *file, const char *path, IrzError *error) {
  *file = (IrzReplace){.descriptor = -1, .limit = INT64_MAX};
  int length = snprintf(file->path, sizeof file->path, "%s", path);
  if (length >= (int)sizeof file->path) {
    return irz_error_set(error, IRZ_ERR_OUTPUT, "%.60s...: cannot be written: the name has more than %d characters",
                         path, IRZ_PATH_MAX - 1);
  }
  struct rlimit limit;
  if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur < INT64_MAX) file->limit = (off_t)limit.rlim_cur;
  IRZ_TRY(check_present(path, error));
  return create(file, error);
}

void irz_replace_reserve(IrzReplace *file, off_t bytes) {
  file->reserved = bytes;
  if (file->reason != 0) return;
  if (bytes > file->limit) {
    file->reason = EFBIG;
  } else if (fallocate(file->descriptor, FALLOC_FL_KEEP_SIZE, 0, bytes) != 0 &&
             (errno == ENOSPC || errno == EDQUOT || errno == EFBIG)) {
    file->reason = errno;
  }
}

void irz_replace_write(IrzReplace *file, const void *bytes, size_t size, off_t offset) {
  const char *next = bytes;
  if (file->reason == 0 && (off_t)size > file->limit - offset) file->reason = EFBIG;
  while (size > 0 && file->reason == 0) {
    ssize_t written = pwrite(file->descriptor, next, size, offset);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      file->reason = written < 0 ? errno : ENOSPC;
      return;
    }
    next += written;
    offset += written;
    size -= (size_t)written;
  }
}

static ssize_t stream_write(void *cookie, const char *bytes, size_t size) {
  IrzReplace *file = cookie;
  irz_replace_write(file, bytes, size, file->end);
  file->end += (off_t)size;
  return file->reason == 0 ? (ssize_t)size : 0;
}

IrzCode irz_replace_stream(IrzReplace *file, FILE **stream, IrzError *error) {
  file->stream = fopencookie(file, "w", (cookie_io_functions_t){.write = stream_write});
  *stream = file->stream;
  if (file->stream != NULL) return IRZ_OK;
  irz_replace_abandon(file);
  return irz_out_of_memory(0, error);
}

/// Let a rename survive a power failure. Not all file systems can flush a folder.
static int flush_folder(const char *path) {
  char copy[IRZ_PATH_MAX];
  snprintf(copy, sizeof copy, "%s", path);
  int folder = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return 0;
  int number = fsync(folder) == 0 ? 0 : errno;
  close(folder);
  return number == EINVAL || number == ENOTSUP || number == EBADF ? 0 : number;
}

IrzCode irz_replace_commit(IrzReplace *file, IrzError *error) {
  FILE *stream = file->stream;
  file->stream = NULL;
  if (stream != NULL) {
    bool whole = ferror(stream) == 0;
    if ((fclose(stream) != 0 || !whole) && file->reason == 0) file->reason = ENOMEM; /* not our writing: its buffer */
  }
  struct stat status;
  if (file->reason == 0 && file->reserved > 0 && fstat(file->descriptor, &status) == 0 &&
      ftruncate(file->descriptor, status.st_size) != 0) { /* gives back what was reserved beyond the end */
    file->reason = errno;
  }
  if (file->reason == 0 && fsync(file->descriptor) != 0) file->reason = errno;
  if (file->reason != 0) return fail(file, file->reason, error);
  int closed = close(file->descriptor);
  file->descriptor = -1;
  if (closed != 0 || rename(file->temporary, file->path) != 0) return fail(file, errno, error);
  forget_name(file->temporary);
  file->temporary[0] = '\0';
  int number = flush_folder(file->path);
  if (number == 0) return IRZ_OK;
  return irz_error_set(error, IRZ_ERR_OUTPUT, "%s: was written, but its folder cannot be flushed to the disk: %s",
                       file->path, strerror(number));
}

void irz_replace_abandon(IrzReplace *file) {
  if (file->stream != NULL) {
    if (file->reason == 0) file->reason = ECANCELED; /* what is still in its buffer is not written */
    fclose(file->stream);
    file->stream = NULL;
  }
  if (file->descriptor >= 0) close(file->descriptor);
  if (file->temporary[0] != '\0') {
    unlink(file->temporary);
    forget_name(file->temporary);
  }
  file->descriptor = -1;
  file->temporary[0] = '\0';
}

/// Make one folder if it is missing. mkdir() alone would not do: above the wanted folder there may be some that may not
/// be written to.
static IrzCode make_one(const char *path, bool *made, IrzError *error) {
  struct stat status;
  if (stat(path, &status) != 0) {
    if (errno != ENOENT) return refuse(path, errno, error);
    *made = mkdir(path, 0777) == 0;
    if (*made) return IRZ_OK;
    int number = errno;
    if (number != EEXIST) return refuse(path, number, error);
    if (stat(path, &status) != 0) {
      return irz_error_set(error, IRZ_ERR_OUTPUT, "%s: is a symbolic link to nothing, not a folder", path);
    }
  }
  return S_ISDIR(status.st_mode) ? IRZ_OK : refuse(path, ENOTDIR, error);
}

/// Make a folder with those above it.
/// @param[out] first  length of the first one made, 0: none
static IrzCode make_all(const char *path, size_t *first, IrzError *error) {
  char part[IRZ_PATH_MAX];
  *first = 0;
  int length = snprintf(part, sizeof part, "%s", path);
  if (length == 0) return irz_error_set(error, IRZ_ERR_OUTPUT, "\"\" is no folder");
  if (length >= (int)sizeof part) {
    return irz_error_set(error, IRZ_ERR_OUTPUT, "%.60s...: cannot be written: the name has more than %d characters",
                         path, IRZ_PATH_MAX - 1);
  }
  for (size_t i = 1; i <= (size_t)length; i++) {
    if (part[i] != '/' && part[i] != '\0') continue;
    char end = part[i];
    bool made = false;
    part[i] = '\0';
    IRZ_TRY(make_one(part, &made, error));
    if (made && *first == 0) *first = i;
    part[i] = end;
  }
  return IRZ_OK;
}

IrzCode irz_folder_make(const char *path, IrzError *error) {
  size_t first;
  return make_all(path, &first, error);
}

/// Try one name.
static IrzCode probe_name(const char *folder, const char *name, IrzError *error) {
  char path[IRZ_PATH_MAX + 512];
  IrzReplace file;
  snprintf(path, sizeof path, "%s/%s", folder, name);
  IRZ_TRY(irz_replace_begin(&file, path, error));
  irz_replace_abandon(&file);
  return IRZ_OK;
}

IrzCode irz_folder_probe(const char *folder, int n_names, const char *const *names, IrzError *error) {
  char path[IRZ_PATH_MAX];
  size_t first;
  IrzCode code = make_all(folder, &first, error);
  for (int i = 0; i < n_names && code == IRZ_OK; i++) code = probe_name(folder, names[i], error);
  /* Only empty folders go, so nothing that somebody else has put there meanwhile. */
  snprintf(path, sizeof path, "%s", folder);
  for (size_t i = strlen(path); first > 0 && i >= first; i--) {
    if (path[i] != '/' && path[i] != '\0') continue;
    path[i] = '\0';
    if (path[i - 1] != '/') rmdir(path);
  }
  return code;
}
