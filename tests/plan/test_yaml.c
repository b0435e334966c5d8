/* The tree of YAML values: lines, aliases, overrides, writing and reading back. */
#include "plan/yaml.h"
#include "testing.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Parse a text that must be right. */
static IrzYaml *parse(const char *text) {
  IrzYaml *root;
  IrzError error = {0};
  if (irz_yaml_parse(text, "t.yaml", &root, &error) != IRZ_OK) fail_msg("%s", error.text);
  return root;
}

static void lines_and_kinds(void **state) {
  (void)state;
  IrzYaml *root = parse("a: 1\nb:\n  - x\n  - {c: 'null', d: ~}\n");
  assert_int_equal(irz_yaml_get(root, "a")->line, 1);
  const IrzYaml *b = irz_yaml_get(root, "b");
  assert_int_equal(b->kind, IRZ_YAML_LIST);
  assert_int_equal(b->line, 2);
  assert_int_equal(b->n, 2);
  assert_int_equal(b->items[1]->line, 4);
  assert_string_equal(irz_yaml_get(b->items[1], "c")->text, "null");
  assert_null(irz_yaml_get(b->items[1], "d")->text);
  assert_null(irz_yaml_get(root, "none"));
  irz_yaml_free(root);
}

/* Editors on Windows begin files with a byte order mark. */
static void byte_order_mark(void **state) {
  (void)state;
  IrzYaml *root = parse("\xef\xbb\xbf"
                        "a: 1\nb: {c: 2}\n");
  assert_string_equal(irz_yaml_get(root, "a")->text, "1");
  assert_string_equal(irz_yaml_get(irz_yaml_get(root, "b"), "c")->text, "2");
  irz_yaml_free(root);
  IrzError error = {0};
  assert_int_equal(irz_yaml_parse("\xef\xbb\xbf", "t.yaml", &root, &error), IRZ_ERR_PLAN);
  assert_string_equal(error.text, "t.yaml: is empty");
  IrzError same = {0};
  static const char wrong[] = "\xef\xbb\xbf"
                              "a: 1\nb: [\n";
  assert_int_equal(irz_yaml_parse(wrong, "t.yaml", &root, &error), IRZ_ERR_PLAN);
  assert_int_equal(irz_yaml_parse(wrong + 3, "t.yaml", &root, &same), IRZ_ERR_PLAN);
  assert_string_equal(error.text, same.text);
}

static void aliases(void **state) {
  (void)state;
  IrzYaml *root = parse("a: &x {low: 1, also: [2, 3]}\nb: *x\n");
  const IrzYaml *b = irz_yaml_get(root, "b");
  assert_string_equal(irz_yaml_get(b, "also")->items[1]->text, "3");
  assert_int_equal(b->line, 2);
  irz_yaml_free(root);
  /* an alias of itself, and one that would grow to 10^9 values */
  IrzError error = {0};
  assert_int_equal(irz_yaml_parse("a: &x [*x]\n", "t.yaml", &root, &error), IRZ_ERR_PLAN);
  char bomb[2048] = "a0: &a0 [0, 0, 0, 0, 0, 0, 0, 0, 0, 0]\n";
  for (int i = 1; i < 9; i++) {
    char line[160];
    snprintf(line, sizeof line, "a%d: &a%d [*a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d]\n", i, i, i - 1,
             i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
    strcat(bomb, line);
  }
  assert_int_equal(irz_yaml_parse(bomb, "t.yaml", &root, &error), IRZ_ERR_PLAN);
  assert_non_null(strstr(error.text, "more than"));
  assert_null(root);
}

static void depth(void **state) {
  (void)state;
  char text[4096];
  memset(text, '[', sizeof text - 1);
  text[sizeof text - 1] = '\0';
  memcpy(text, "a: ", 3);
  IrzYaml *root;
  IrzError error = {0};
  assert_int_equal(irz_yaml_parse(text, "t.yaml", &root, &error), IRZ_ERR_PLAN);
}

static void overrides(void **state) {
  (void)state;
  IrzError error = {0};
  IrzYaml *root = parse("p:\n  - {x: 1}\n  - {x: 2}\nq: {r: 3}\ne:\n");
  static const char *const good[] = {"p[1].x=20", "p.0.x=10", "q.s.t=4", "p[2]={x: 30}", "q.r=[5, 6]", "e.f=7"};
  for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
    assert_int_equal(irz_yaml_override(root, good[i], "t.yaml", &error), IRZ_OK);
  }
  char *text = irz_yaml_write(root);
  assert_string_equal(text, "p:\n  - {x: 10}\n  - {x: 20}\n  - {x: 30}\nq:\n  r: [5, 6]\n  s: {t: 4}\ne: {f: 7}\n");
  free(text);
  assert_string_equal(irz_yaml_get(irz_yaml_get(root, "e"), "f")->origin, good[5]);
  static const char *const bad[] = {"p[4].x=1", "p.x=1",    "q.r.z.y=1", "novalue", "=1",    "q..r=1",
                                    "q[0]=1",   "p[x].x=1", "q.=1",      "q.r=[",   "p[0=1", "q.r=a: b: c"};
  for (size_t i = 1; i < sizeof bad / sizeof bad[0]; i++) {
    IrzError what = {0};
    if (irz_yaml_override(root, bad[i], "t.yaml", &what) != IRZ_ERR_PLAN) fail_msg("%s was taken", bad[i]);
    assert_true(what.text[0] != '\0');
  }
  assert_int_equal(irz_yaml_override(root, bad[0], "t.yaml", &error), IRZ_ERR_PLAN);
  irz_yaml_free(root);
}

static void written_text_reads_back(void **state) {
  (void)state;
  IrzYaml *root =
      parse("a: \"x: {y}, 'z' \\\\ \\\"q\\\"\"\nb: [µm, '', ' lead', '-', 'null', null, 1e-3]\n'c: d': {}\n");
  char *text = irz_yaml_write(root);
  IrzYaml *again = parse(text);
  char *twice = irz_yaml_write(again);
  assert_string_equal(text, twice);
  assert_string_equal(irz_yaml_get(again, "a")->text, "x: {y}, 'z' \\ \"q\"");
  const IrzYaml *b = irz_yaml_get(again, "b");
  assert_string_equal(b->items[0]->text, "µm");
  assert_string_equal(b->items[4]->text, "null");
  assert_null(b->items[5]->text);
  assert_non_null(irz_yaml_get(again, "c: d"));
  free(text);
  free(twice);
  irz_yaml_free(again);
  irz_yaml_free(root);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(lines_and_kinds), cmocka_unit_test(byte_order_mark),
                                     cmocka_unit_test(aliases),         cmocka_unit_test(depth),
                                     cmocka_unit_test(overrides),       cmocka_unit_test(written_text_reads_back)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
