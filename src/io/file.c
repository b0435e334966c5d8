#include "base/entry.h"
#include "base/replace.h"
#include <irezone/result.h>
#include <string.h>

IrzCode irz_file_write(const char *path, const char *text, IrzError *error) {
  IRZ_ENTER(error);
  IRZ_NEED(path != NULL && text != NULL);
  IrzReplace file;
  IRZ_TRY(irz_replace_begin(&file, path, error));
  irz_replace_write(&file, text, strlen(text), 0);
  return irz_replace_commit(&file, error);
}
