/* The text of a plan: only UTF-8 that every reader takes for the same, and nothing of it lost. */
#include "base/utf8.h"
#include "plan/plan.h"
#include "plan/yaml.h"
#include "testing.h"
#include <irezone/plan.h>
#include <irezone/sweep.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* What stands behind the last line of `body` must be in every plan that is accepted. */
static const char body[] = "# two needles, a comment: \"with\" {marks} that [YAML] knows\n"
                           "name: two\n"
                           "mesh: {size: 100, accuracy: 2}   # a box\n"
                           "tissues:\n"
                           "  default: &liver {preset: liver}\n"
                           "  tumour: *liver\n"
                           "probes:\n"
                           "  - {name: A, tip: [-10, 0, -10], direction: [0, 0, 1], exposure: 20}\n"
                           "  - name: B\n"
                           "    tip: [10, 0, -10]\n"
                           "    exposure: 20 # mm\n"
                           "pulses:\n"
                           "- {from: A, to: B, voltage: 3000}\n"
                           "# the end\n";
static const char tail[] = "idle_probes: insulating\n"
                           "zone: {threshold: 712, also: []}\n"
                           "pullback: {step: 12.5}\n";

/* Seconds of processor time that one text may take; thousands of times what it needs. */
static const double most_seconds = 2;

/* Read a text; it is refused with one line that names the file, or nothing of the tail is lost. Returns whether it was
   accepted. */
static bool kept_or_refused(const char *text) {
  IrzPlan *plan = NULL;
  IrzError error = {0};
  clock_t before = clock();
  IrzCode code = irz_plan_parse(text, "t.yaml", 0, NULL, &plan, &error);
  double seconds = (double)(clock() - before) / CLOCKS_PER_SEC;
  if (seconds > most_seconds) fail_msg("%g s for\n%s", seconds, text);
  if (code != IRZ_OK) {
    assert_int_equal(code, IRZ_ERR_PLAN);
    assert_null(plan);
    if (strncmp(error.text, "t.yaml", 6) != 0 || strchr(error.text, '\n') != NULL) fail_msg("%s", error.text);
    return false;
  }
  if (strstr(plan->text, "idle_probes: insulating") == NULL || strstr(plan->text, "zone: {threshold: 712") == NULL ||
      strstr(plan->text, "pullback: {step: 12.5}") == NULL) {
    fail_msg("lost behind a change:\n%s\ngave\n%s", text, plan->text);
  }
  irz_plan_free(plan);
  return true;
}

static void every_byte_at_every_place(void **state) {
  (void)state;
  char text[sizeof body + sizeof tail];
  snprintf(text, sizeof text, "%s%s", body, tail);
  assert_true(kept_or_refused(text));
  int accepted = 0, line = 1;
  for (size_t at = 0; at + 2 < sizeof body; at++) {
    const char old = text[at];
    for (int byte = 1; byte < 256; byte++) {
      text[at] = (char)byte;
      bool taken = kept_or_refused(text);
      accepted += taken;
      bool printable = byte == '\t' || byte == '\n' || byte == '\r' || (byte >= 0x20 && byte < 0x7f);
      if (taken && !printable) fail_msg("byte 0x%02x at %zu was taken", byte, at);
      if (byte != 0xb5) continue;
      char wanted[32];
      IrzPlan *plan;
      IrzError error = {0};
      snprintf(wanted, sizeof wanted, "t.yaml:%d: ", line);
      assert_int_equal(irz_plan_parse(text, "t.yaml", 0, NULL, &plan, &error), IRZ_ERR_PLAN);
      if (strncmp(error.text, wanted, strlen(wanted)) != 0 || strstr(error.text, "\"µ\"") == NULL) {
        fail_msg("line %d: %s", line, error.text);
      }
    }
    text[at] = old;
    line += old == '\n';
  }
  assert_true(accepted > 1000);
}

static void random_changes(void **state) {
  (void)state;
  static const char *const put[] = {":",
                                    ": ",
                                    "{",
                                    "}",
                                    "[",
                                    "]",
                                    ",",
                                    "#",
                                    " #",
                                    "\n",
                                    "\n ",
                                    "- ",
                                    "? ",
                                    "&a ",
                                    "*a",
                                    "!",
                                    "!!",
                                    "|",
                                    ">",
                                    "|2",
                                    ">-",
                                    "'",
                                    "\"",
                                    "%",
                                    "@",
                                    "`",
                                    "\t",
                                    "---",
                                    "..",
                                    "\r",
                                    "~",
                                    "<<",
                                    "\\x",
                                    "\xc2",
                                    "\xb5",
                                    "\xc2\xa0",
                                    "\x85",
                                    "\xef\xbb",
                                    "\xef\xbb\xbf",
                                    "\xf0",
                                    "é",
                                    "\1",
                                    "\r\n",
                                    "null",
                                    "   ",
                                    "-",
                                    "\n---\n",
                                    "\n%A\n",
                                    "\xed\xa0\x80",
                                    "&l [",
                                    "*liver",
                                    "\n...\n"};
  uint32_t random = 4711;
  int accepted = 0;
  for (int trial = 0; trial < 20000; trial++) {
    char text[2 * (sizeof body + sizeof tail)];
    size_t length = sizeof body - 1;
    memcpy(text, body, length);
    for (int change = 0; change <= trial % 3; change++) {
      random = random * 1664525u + 1013904223u;
      size_t at = (random >> 8) % (length - 1);
      random = random * 1664525u + 1013904223u;
      const char *piece = put[(random >> 8) % (sizeof put / sizeof put[0])];
      size_t drop = (random >> 24) % 3, size = strlen(piece);
      if (at + drop > length - 1) drop = 0; /* the last line's end stays */
      memmove(text + at + size, text + at + drop, length - at - drop);
      memcpy(text + at, piece, size); /* NOLINT(bugprone-not-null-terminated-result): into the middle of the text */
      length += size - drop;
    }
    memcpy(text + length, tail, sizeof tail);
    accepted += kept_or_refused(text);
  }
  assert_true(accepted > 1000 && accepted < 19000);
}

/* The error for a text, or "". */
static const char *complaint(const char *text, size_t length) {
  static IrzError error;
  error = (IrzError){0};
  return irz_utf8_check(text, length, "f", &error) == IRZ_OK ? "" : error.text;
}

static void characters(void **state) {
  (void)state;
  static const char *const good[] = {"",
                                     "a\tb\r\nc",
                                     "\xef\xbb\xbfname",
                                     "µ é \xe2\x82\xac \xf0\x9f\x98\x80",
                                     "\x7e",
                                     "\xc2\xa0",
                                     "\xf4\x8f\xbf\xbf",
                                     "\xee\x80\x80",
                                     "\xed\x9f\xbf"};
  for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
    assert_string_equal(complaint(good[i], strlen(good[i])), "");
  static const struct {
    const char *text;
    size_t length;
    const char *part;
  } bad[] = {
      {"a\nb \xb5m", 6, "f:2: the byte 0xb5 in column 3 is not UTF-8 (in Latin-1 or Windows-1252 it is \"µ\")"},
      {"a\r\nb\r\xfc", 6, "f:3: the byte 0xfc in column 1"},
      {"\x80", 1, "\"\xe2\x82\xac\""}, /* the euro sign of Windows-1252 */
      {"\x81", 1, "f:1: the byte 0x81 in column 1 is not UTF-8; save"},
      {"\xc0\xaf", 2, "broken UTF-8"},         /* overlong */
      {"\xe0\x80\xaf", 3, "broken UTF-8"},     /* overlong */
      {"\xed\xa0\x80", 3, "broken UTF-8"},     /* a surrogate */
      {"\xf4\x90\x80\x80", 4, "broken UTF-8"}, /* beyond the last */
      {"\xf8\x88\x80\x80\x80", 5, "broken UTF-8"},
      {"\xe2\x82", 2, "broken UTF-8"}, /* cut off */
      {"\xc3", 1, "0xc3"},
      {"a\0b", 3, "f:1: the character U+0000 in column 2 is a zero byte"},
      {"\x1b[2J", 4, "U+001B in column 1 is a control character"},
      {"a\x7f", 2, "U+007F"},
      {"\xc2\x85", 2, "U+0085 in column 1 is the end of a line to some programs"},
      {"\xc2\x9b", 2, "U+009B"},
      {"\xe2\x80\xa8", 3, "U+2028"},
      {"\xef\xbf\xbf", 3, "U+FFFF"},
      {"a\n\xef\xbb\xbf", 5, "f:2: the character U+FEFF in column 1 is a byte order mark"},
      {"\xff\xfen\0a\0", 6, "f: is UTF-16 text"},
      {"\xfe\xff\0n\0a", 6, "f: is UTF-16 text"},
      {"n\0a\0m\0", 6, "f: is UTF-16 text"},
      {"\xff\xfe\0\0n\0\0\0", 8, "f: is UTF-32 text"},
  };
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    const char *text = complaint(bad[i].text, bad[i].length);
    if (strstr(text, bad[i].part) == NULL) fail_msg("%zu: \"%s\" lacks \"%s\"", i, text, bad[i].part);
  }
}

static void remarks(void **state) {
  (void)state;
  char remark[96];
  irz_utf8_remark("3000", remark);
  assert_string_equal(remark, "");
  irz_utf8_remark("3\xc2\xa0"
                  "000",
                  remark);
  assert_string_equal(remark, " (with the character U+00A0, a blank that is no space)");
  irz_utf8_remark("\xe2\x88\x92"
                  "10",
                  remark);
  assert_string_equal(remark, " (with the character U+2212, a minus sign other than -)");
  irz_utf8_remark("größe", remark);
  assert_string_equal(remark, " (with the character U+00F6)");
}

/* Texts that take a reader's time or stack: refused at once. */
static void bombs(void **state) {
  (void)state;
  enum { SIZE = 1 << 20 };
  static const char *const unit[] = {"[", "{",   "- ",    "{a: ",  "? ", "a: ",  "&a ", "!",
                                     "'", "\"",  "a\n",   ": ",    "*",  "[a, ", "%",   "\n%",
                                     "#", "|\n", "---\n", "...\n", "\r", "\t",   ",",   "a: &a\n"};
  char *text = malloc(SIZE + 8);
  for (size_t i = 0; i < sizeof unit / sizeof unit[0]; i++) {
    size_t size = strlen(unit[i]);
    for (int key = 0; key < 2; key++) {
      size_t used = key ? 3 : 0;
      memcpy(text, "a: ", 3);
      while (used + size < SIZE) {
        memcpy(text + used, unit[i], size);
        used += size;
      }
      text[used] = '\0';
      IrzYaml *root = NULL;
      IrzError error = {0};
      clock_t before = clock();
      IrzCode code = irz_yaml_parse(text, "t.yaml", &root, &error);
      double seconds = (double)(clock() - before) / CLOCKS_PER_SEC;
      if (seconds > 20 * most_seconds) fail_msg("%g s for \"%s\" over and over", seconds, unit[i]);
      if (code != IRZ_OK) assert_null(root);
      irz_yaml_free(root);
    }
  }
  free(text);
}

/* Sweep files and overrides go through the same door. */
static void other_doors(void **state) {
  (void)state;
  IrzPlan *plan;
  IrzSweep *sweep;
  char text[sizeof body + sizeof tail];
  snprintf(text, sizeof text, "%s%s", body, tail);
  static const char *const bad[] = {"name=\xb5", "name=a\x1b", "name=a # b", "name=--- b", "name=!a b"};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    IrzError error = {0};
    const IrzOverride override = {bad[i]};
    assert_int_equal(irz_plan_parse(text, "t.yaml", 1, &override, &plan, &error), IRZ_ERR_PLAN);
    assert_true(error.text[0] != '\0');
  }
  IrzError error = {0};
  static const char file[] =
      "plan: t.yaml\nvary: {zone.threshold: {values: [500, 600]}} # \xb5\nset: {mesh.size: 80}\n";
  assert_int_equal(irz_sweep_parse(file, "s.yaml", text, &sweep, &error), IRZ_ERR_PLAN);
  assert_non_null(strstr(error.text, "s.yaml:2: the byte 0xb5"));
}

int main(void) {
  alarm(600); /* an endless loop fails */
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_byte_at_every_place),
                                     cmocka_unit_test(random_changes),
                                     cmocka_unit_test(characters),
                                     cmocka_unit_test(remarks),
                                     cmocka_unit_test(bombs),
                                     cmocka_unit_test(other_doors)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
