#include "io/replace.h"
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/// Record that `file` cannot be written because of `number`, an errno, and clean up.
static IrzCode fail(IrzReplace *file, int number, IrzError *error) {
  irz_replace_abandon(file);
  return irz_error_set(error, IRZ_ERR_OUTPUT, "%s: cannot be written: %s", file->path, strerror(number));
}

IrzCode irz_replace_begin(IrzReplace *file, const char *path, IrzError *error) {
  file->descriptor = -1;
  file->temporary[0] = '\0';
  int length = snprintf(file->path, sizeof file->path, "%s", path);
  if (length >= (int)sizeof file->path) {
    return irz_error_set(error, IRZ_ERR_OUTPUT, "%.60s...: cannot be written: the name has more than %d characters",
                         path, IRZ_PATH_MAX - 1);
  }
  struct stat status;
  if (stat(path, &status) == 0 && S_ISDIR(status.st_mode)) return fail(file, EISDIR, error);
  snprintf(file->temporary, sizeof file->temporary, "%s.XXXXXX", path);
  file->descriptor = mkstemp(file->temporary);
  if (file->descriptor < 0) {
    int number = errno;
    file->temporary[0] = '\0';
    return fail(file, number, error);
  }
  /* mkstemp makes it private; umask can only be asked by setting it. */
  mode_t mask = umask(0);
  umask(mask);
  if (fchmod(file->descriptor, 0666 & ~mask) != 0) return fail(file, errno, error);
  return IRZ_OK;
}

/// Let a rename survive a power failure. Some file systems cannot flush folders, so failure is no error.
static void flush_folder(const char *path) {
  char copy[IRZ_PATH_MAX];
  snprintf(copy, sizeof copy, "%s", path);
  int folder = open(dirname(copy), O_RDONLY | O_DIRECTORY);
  if (folder < 0) return;
  fsync(folder);
  close(folder);
}

IrzCode irz_replace_commit(IrzReplace *file, IrzError *error) {
  if (fsync(file->descriptor) != 0) return fail(file, errno, error);
  int closed = close(file->descriptor);
  file->descriptor = -1;
  if (closed != 0 || rename(file->temporary, file->path) != 0) return fail(file, errno, error);
  file->temporary[0] = '\0';
  flush_folder(file->path);
  return IRZ_OK;
}

void irz_replace_abandon(IrzReplace *file) {
  if (file->descriptor >= 0) close(file->descriptor);
  if (file->temporary[0] != '\0') unlink(file->temporary);
  file->descriptor = -1;
  file->temporary[0] = '\0';
}
