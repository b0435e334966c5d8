/* Memory that is not there is an error with a code and a line of its own. */
#include "base/memory.h"
#include "testing.h"
#include <stdlib.h>
#include <string.h>

/// Bytes that no machine has.
#define FAR_TOO_MANY ((size_t)1 << 50)

static void too_much(void **state) {
  (void)state;
  char *block = (char *)1;
  IrzError error = {0};
  assert_int_equal(irz_alloc(&block, FAR_TOO_MANY, 8, &error), IRZ_ERR_MEMORY);
  assert_int_equal(error.code, 6);
  assert_null(block);
  assert_string_equal(error.text, "out of memory: 9007199254.7 MB more are needed");
  assert_int_equal(irz_alloc_unset(&block, SIZE_MAX, 16, &error), IRZ_ERR_MEMORY);
  assert_null(block);
}

static void grow(void **state) {
  (void)state;
  char *block = NULL;
  IrzError error = {0};
  assert_int_equal(irz_resize(&block, 3, 1, &error), IRZ_OK);
  memcpy(block, "ab", 3);
  char *before = block;
  assert_int_equal(irz_resize(&block, FAR_TOO_MANY, 8, &error), IRZ_ERR_MEMORY);
  assert_ptr_equal(block, before);
  assert_string_equal(block, "ab");
  free(block);
}

static void text(void **state) {
  (void)state;
  IrzText text;
  char *result;
  IrzError error = {0};
  assert_int_equal(irz_text_begin(&text, &error), IRZ_OK);
  for (int i = 0; i < 1000; i++) fprintf(text.out, "%04d ", i);
  assert_int_equal(irz_text_end(&text, &result, &error), IRZ_OK);
  assert_int_equal(strlen(result), 5000);
  assert_string_equal(result + 4990, "0998 0999 ");
  free(result);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(too_much), cmocka_unit_test(grow), cmocka_unit_test(text)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
