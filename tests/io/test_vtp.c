/* A surface is read back from its .vtp: markup and bytes. */
#include "io/vtp.h"
#include "testing.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const double corner[4][3] = {{0, 0, 0}, {0.001, 0, 0}, {0, 0.002, 0}, {0, 0, 0.0625}};
static const int32_t face[4][3] = {{0, 2, 1}, {0, 1, 3}, {0, 3, 2}, {1, 2, 3}};
static const int32_t line[1][2] = {{0, 3}};
static const double level[4] = {1, 2, 3, 4.5};
static const uint8_t part[5] = {9, 1, 2, 3, 4};

/// Write to a file of the test, and read it.
static char *written(const IrzVtp *surface, size_t *length) {
  IrzError error = {0};
  char *bytes = calloc(1, 1 << 14);
  assert_int_equal(irz_vtp_write("test_vtp.vtp", surface, &error), IRZ_OK);
  FILE *file = fopen("test_vtp.vtp", "rb");
  assert_non_null(file);
  *length = fread(bytes, 1, (1 << 14) - 1, file);
  fclose(file);
  unlink("test_vtp.vtp");
  return bytes;
}

/// Bytes of an array by its name, from base64; checks their length. They are lost with the next call.
static const void *array(const char *bytes, const char *name, uint64_t wanted) {
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  static unsigned char decoded[1024];
  char key[64];
  snprintf(key, sizeof key, "Name=\"%s\"", name);
  const char *place = strstr(bytes, key);
  assert_non_null(place);
  const char *tag = strchr(place, '>'), *format = strstr(place, "format=\"binary\"");
  assert_true(format != NULL && format < tag);
  const char *end = strchr(tag, '<');
  uint64_t size;
  unsigned bits = 0, n_bits = 0;
  size_t n = 0;
  for (const char *c = tag + 1; c < end; c++) {
    if (*c == '\n' || *c == '=') continue;
    const char *digit = strchr(digits, *c);
    assert_non_null(digit);
    bits = bits << 6 | (unsigned)(digit - digits);
    n_bits += 6;
    if (n_bits < 8) continue;
    n_bits -= 8;
    decoded[n++] = (unsigned char)(bits >> n_bits);
    assert_in_range(n, 1, sizeof decoded - 1);
  }
  memcpy(&size, decoded, sizeof size);
  assert_int_equal(size, wanted);
  assert_int_equal(n, sizeof size + wanted);
  return decoded + sizeof size;
}

static void bytes(void **state) {
  (void)state;
  const IrzArray points = {"level", IRZ_FLOAT64, 1, level}, cells = {"a \"part\" & <more>", IRZ_UINT8, 1, part};
  const IrzVtpText text = {"SPACE", "LPS"};
  size_t length;
  IrzVtp surface = {.n_points = 4, .points = corner, .n_triangles = 4, .triangles = face, .n_lines = 1, .lines = line};
  surface.n_point_arrays = surface.n_cell_arrays = surface.n_texts = 1;
  surface.point_arrays = &points;
  surface.cell_arrays = &cells;
  surface.texts = &text;
  char *file = written(&surface, &length);
  float x[12];
  memcpy(x, array(file, "Points", sizeof x), sizeof x);
  assert_near(x[3], 1, 0);
  assert_near(x[7], 2, 0);
  assert_near(x[11], 62.5, 0);
  assert_memory_equal(array(file, "level", sizeof level), level, sizeof level);
  assert_memory_equal(array(file, "a &quot;part&quot; &amp; &lt;more&gt;", sizeof part), part, sizeof part);
  assert_memory_equal(array(strstr(file, "<Polys>"), "connectivity", sizeof face), face, sizeof face);
  assert_non_null(strstr(file, "Name=\"SPACE\" NumberOfTuples=\"1\" format=\"ascii\">76 80 83 0</Array>"));
  assert_non_null(strstr(file, "NumberOfLines=\"1\""));
  free(file);
}

static void turned(void **state) {
  (void)state;
  size_t length;
  const IrzVtp surface = {.n_points = 4, .points = corner, .n_triangles = 4, .triangles = face, .half_turn = true};
  char *file = written(&surface, &length);
  float x[12];
  memcpy(x, array(file, "Points", sizeof x), sizeof x);
  assert_near(x[3], -1, 0);
  assert_near(x[7], -2, 0);
  assert_near(x[11], 62.5, 0);
  free(file);
}

static void refused(void **state) {
  (void)state;
  IrzError error = {0};
  const IrzVtp empty = {0};
  assert_int_equal(irz_vtp_write("no-such-folder/x.vtp", &empty, &error), IRZ_ERR_OUTPUT);
  assert_non_null(strstr(error.text, "no-such-folder/x.vtp"));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(bytes), cmocka_unit_test(turned), cmocka_unit_test(refused)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
