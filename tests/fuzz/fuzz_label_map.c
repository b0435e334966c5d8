/* The reader of label maps. Bytes behind a leading Z are compressed first, so that what is inside is reached; others
 * are the file as it is, compressed or not. */
#include "fuzz.h"
#include <irezone/anatomy.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/// Write the bytes as a compressed file.
static void write_compressed(const char *name, const uint8_t *data, size_t size, char path[512]) {
  snprintf(path, 512, "%s/%s", fuzz_folder(), name);
  gzFile file = gzopen(path, "wb1");
  fuzz_require(file != NULL && (size == 0 || gzwrite(file, data, (unsigned)size) == (int)size));
  fuzz_require(gzclose(file) == Z_OK);
}

void fuzz_one(const uint8_t *data, size_t size) {
  char path[512], text[2048];
  if (size > 0 && data[0] == 'Z')
    write_compressed("labels.nii.gz", data + 1, size - 1, path);
  else
    fuzz_write("labels.nii", data, size, path);
  snprintf(
      text, sizeof text,
      "name: fuzz\n"
      "array: {count: 2, spacing: 15, exposure: 20}\n"
      "anatomy: {labels: %s, map: {1: tumour, 2: vessel, 255: bone}}\n"
      "tissues: {default: {preset: liver}, tumour: {preset: liver}, vessel: {preset: liver}, bone: {preset: liver}}\n"
      "pulses: [{from: A, to: B, voltage: 2000}]\n",
      path);
  IrzPlan *plan = NULL;
  IrzLabelMap *map = NULL;
  IrzError error = {0};
  fuzz_require(irz_plan_parse(text, "fuzz.yaml", 0, NULL, &plan, &error) == IRZ_OK);
  IrzCode code = irz_label_map_read(plan, &map, &error);
  fuzz_require((code == IRZ_OK) == (map != NULL));
  if (code != IRZ_OK) fuzz_require_error(code, &error);
  for (int i = 0; map != NULL && i < 27; i++) {
    const double x[3] = {0.01 * (i % 3 - 1), 0.01 * (i / 3 % 3 - 1), 0.01 * (i / 9 - 1)};
    int region = irz_label_map_region(map, x);
    fuzz_require(region >= 0 && region < map->n_regions);
  }
  irz_label_map_free(map);
  irz_plan_free(plan);
}
