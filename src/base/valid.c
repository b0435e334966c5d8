#include "base/valid.h"
#include <stdio.h>
#include <stdlib.h>

void irz_invalid(const char *object, const IrzError *fault, const char *file, int line) {
  fprintf(stderr, "irezone: %s:%d: %s is not valid: %s\n", file, line, object, fault->text);
  abort();
}
