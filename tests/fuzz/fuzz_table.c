/* The reader of tables of cases: a file as it is, loaded and read. */
#include "fuzz.h"
#include "sweep/sweep.h"
#include <string.h>

static const char plan[] = "name: p\n"
                           "array: {count: 2, spacing: 15, exposure: 20}\n"
                           "tissues: {default: {sigma: {law: constant, value: 0.1}, threshold: 500}}\n"
                           "pulses: [{from: A, to: B, voltage: 2000}]\n";

void fuzz_one(const uint8_t *data, size_t size) {
  char path[512], text[1024];
  fuzz_write("cases.csv", data, size, path);
  snprintf(text, sizeof text, "plan: p.yaml\nsample: list\nfile: %s\n", path);
  IrzSweep *sweep = NULL;
  IrzError error = {0};
  IrzCode code = irz_sweep_parse_texts(text, "fuzz.yaml", plan, NULL, &sweep, &error);
  fuzz_require((code == IRZ_OK) == (sweep != NULL));
  if (code != IRZ_OK) fuzz_require_error(code, &error);
  for (int j = 0; sweep != NULL && j < irz_sweep_n_parameters(sweep); j++) {
    char value[IRZ_SWEEP_MAX_TEXT];
    irz_sweep_value(sweep, irz_sweep_n_cases(sweep), j, value, sizeof value);
    fuzz_require(memchr(value, '\0', sizeof value) != NULL);
  }
  irz_sweep_free(sweep);
}
