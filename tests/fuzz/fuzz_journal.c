/* The journal of a sweep. A line gets its checksum here, so that its fields are reached, unless it begins with '!';
 * what stands behind a zero byte is the file of maps. */
#include "base/memory.h"
#include "fuzz.h"
#include "sweep/sweep.h"
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

enum { MAP_POINTS = 4096 };

static IrzSweep *make_sweep(void) {
  IrzSweep *sweep = NULL;
  IrzError error = {0};
  irz_sweep_parse("plan: p.yaml\nvary: {array.spacing: {values: [10, 15, 20]}}\n", "s.yaml",
                  "name: p\n"
                  "array: {count: 2, spacing: 15, exposure: 20}\n"
                  "tissues: {default: {sigma: {law: constant, value: 0.1}, threshold: 500}}\n"
                  "pulses: [{from: A, to: B, voltage: 2000}]\n",
                  &sweep, &error);
  fuzz_require(sweep != NULL);
  return sweep;
}

static IrzCode visit(void *context, const IrzCaseResult *result, IrzError *error) {
  uint32_t *counts = context;
  fuzz_require(result->number >= 1 && result->number <= 3);
  fuzz_require(memchr(result->status, '\0', sizeof result->status) != NULL);
  if (result->map == NULL) return IRZ_OK;
  IrzError refused = {0};
  if (irz_map_add(result->map, result->map_size, MAP_POINTS, counts, &refused) != IRZ_OK) {
    fuzz_require(refused.text[0] != '\0');
  }
  (void)error;
  return IRZ_OK;
}

/// The lines with their checksums.
static void write_lines(const char *text, FILE *out) {
  for (const char *line = text; *line != '\0';) {
    size_t length = strcspn(line, "\n");
    if (*line == '!') {
      fwrite(line + 1, 1, length - 1, out);
    } else {
      fprintf(out, "%08lx\t", crc32(crc32(0, NULL, 0), (const Bytef *)line, (uInt)length));
      fwrite(line, 1, length, out);
    }
    line += length;
    if (*line == '\n') fputc(*line++, out);
  }
}

void fuzz_one(const uint8_t *data, size_t size) {
  static IrzSweep *sweep;
  static uint32_t counts[MAP_POINTS];
  char folder[256], path[512];
  char *text = fuzz_text(data, size), *lines;
  size_t length = strlen(text), room;
  if (sweep == NULL) sweep = make_sweep();
  snprintf(folder, sizeof folder, "%s/journal", fuzz_folder());
  mkdir(folder, 0777);
  FILE *out = open_memstream(&lines, &room);
  fuzz_require(out != NULL);
  write_lines(text, out);
  fuzz_require(fclose(out) == 0);
  fuzz_write("journal/task-0001-of-0001.group-00000.log", lines, room, path);
  size_t behind = length < size ? length + 1 : size;
  fuzz_write("journal/task-0001-of-0001.group-00000.maps", data + behind, size - behind, path);
  IrzDamage damage = {0};
  IrzError error = {0};
  IrzCode code = irz_journal_read(fuzz_folder(), sweep, true, visit, counts, &damage, &error);
  if (code != IRZ_OK) fuzz_require(error.text[0] != '\0');
  fuzz_require((damage.n > 0) == (damage.first[0] != '\0'));
  if (behind < size) {
    IrzError refused = {0};
    (void)irz_map_add(data + behind, size - behind, MAP_POINTS, counts, &refused);
  }
  free(lines);
  free(text);
}
