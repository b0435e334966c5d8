#include "base/input.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

IrzCode irz_file_open(const char *path, int *descriptor, off_t *size, IrzError *error) {
  struct stat status;
  *size = 0;
  *descriptor = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (*descriptor < 0) return irz_error_set(error, IRZ_ERR_INPUT, "%s: cannot be opened: %s", path, strerror(errno));
  IrzCode code = IRZ_OK;
  if (fstat(*descriptor, &status) != 0) {
    code = irz_error_set(error, IRZ_ERR_INPUT, "%s: cannot be read: %s", path, strerror(errno));
  } else if (!S_ISREG(status.st_mode)) {
    code = irz_error_set(error, IRZ_ERR_INPUT, "%s: is not a regular file", path);
  }
  if (code == IRZ_OK) {
    *size = status.st_size;
    return IRZ_OK;
  }
  close(*descriptor);
  *descriptor = -1;
  return code;
}
