#include "plan/plan.h"
#include <string.h>
#include <unistd.h>

const char *irz_path_from_here(const char *path) {
  char here[IRZ_PATH_MAX];
  if (getcwd(here, sizeof here) == NULL) return path;
  size_t length = strlen(here);
  return strncmp(path, here, length) == 0 && path[length] == '/' && path[length + 1] != '\0' ? path + length + 1 : path;
}
