#include "io/replace.h"
#include <errno.h>
#include <irezone/result.h>
#include <string.h>
#include <unistd.h>

IrzCode irz_file_write(const char *path, const char *text, IrzError *error) {
  IrzReplace file;
  IRZ_TRY(irz_replace_begin(&file, path, error));
  size_t left = strlen(text);
  while (left > 0) {
    ssize_t written = write(file.descriptor, text, left);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      int number = errno;
      irz_replace_abandon(&file);
      return irz_error_set(error, IRZ_ERR_OUTPUT, "%s: cannot be written: %s", path, strerror(number));
    }
    text += written;
    left -= (size_t)written;
  }
  return irz_replace_commit(&file, error);
}
