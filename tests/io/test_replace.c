/* Files appear whole or not at all, and what was there before stays if they do not. */
#include "base/memory.h"
#include "base/replace.h"
#include "io/csv.h"
#include "testing.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <irezone/result.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];

static const char *path_of(const char *name) {
  static char path[512];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  return path;
}

/// Number of entries of the test's folder.
static int count_files(void) {
  DIR *open_folder = opendir(folder);
  int count = -2; /* . and .. */
  while (readdir(open_folder) != NULL) count++;
  closedir(open_folder);
  return count;
}

static void check_content(const char *name, const char *wanted) {
  char text[64] = "";
  FILE *file = fopen(path_of(name), "r");
  assert_non_null(file);
  size_t length = fread(text, 1, sizeof text - 1, file);
  fclose(file);
  assert_int_equal(length, strlen(wanted));
  assert_string_equal(text, wanted);
}

static void refused(const char *path, const char *reason) {
  IrzReplace file;
  IrzError error = {0};
  assert_int_equal(irz_replace_begin(&file, path, &error), IRZ_ERR_OUTPUT);
  assert_non_null(strstr(error.text, reason));
  assert_int_equal(file.descriptor, -1);
}

static void names(void **state) {
  (void)state;
  char longest[256];
  IrzError error = {0};
  refused("/dev/null", "a device or a pipe");
  refused(folder, strerror(EISDIR));
  refused(path_of("nowhere/x"), strerror(ENOENT));
  mkfifo(path_of("pipe"), 0600);
  refused(path_of("pipe"), "a device or a pipe");
  unlink(path_of("pipe"));
  memset(longest, 'x', 255);
  longest[255] = '\0';
  assert_int_equal(irz_file_write(path_of(longest), "whole", &error), IRZ_OK);
  check_content(longest, "whole");
  unlink(path_of(longest));
  memset(longest, 'x', sizeof longest);
  char path[512];
  snprintf(path, sizeof path, "%s/%.256s", folder, longest);
  refused(path, strerror(ENAMETOOLONG));
  assert_int_equal(count_files(), 0);
}

/// A link is replaced; what it points to belongs to somebody else.
static void links(void **state) {
  (void)state;
  char target[512];
  IrzError error = {0};
  snprintf(target, sizeof target, "%s", path_of("target"));
  assert_int_equal(irz_file_write(target, "of others", &error), IRZ_OK);
  assert_int_equal(symlink(target, path_of("link")), 0);
  assert_int_equal(irz_file_write(path_of("link"), "mine", &error), IRZ_OK);
  check_content("target", "of others");
  check_content("link", "mine");
  unlink(target);
  unlink(path_of("link"));
}

static void permissions(void **state) {
  (void)state;
  struct stat status;
  IrzError error = {0};
  mode_t before = umask(027);
  assert_int_equal(irz_file_write(path_of("x"), "", &error), IRZ_OK);
  umask(before);
  assert_int_equal(stat(path_of("x"), &status), 0);
  assert_int_equal(status.st_mode & 0777, 0640);
  unlink(path_of("x"));
}

/// Writing beyond a limit must neither end the process by a signal nor harm what is there.
static void limit(void **state) {
  (void)state;
  IrzReplace file;
  IrzError error = {0};
  FILE *stream;
  struct rlimit before;
  signal(SIGXFSZ, SIG_DFL);
  assert_int_equal(irz_file_write(path_of("kept"), "old", &error), IRZ_OK);
  getrlimit(RLIMIT_FSIZE, &before);
  for (rlim_t bytes = 0; bytes < 20000; bytes += 3333) {
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){bytes, before.rlim_max});
    assert_int_equal(irz_replace_begin(&file, path_of("kept"), &error), IRZ_OK);
    assert_int_equal(irz_replace_stream(&file, &stream, &error), IRZ_OK);
    for (int i = 0; i < 5000; i++) fprintf(stream, "%04d\n", i);
    assert_int_equal(irz_replace_commit(&file, &error), IRZ_ERR_OUTPUT);
    assert_non_null(strstr(error.text, strerror(EFBIG)));
    assert_int_equal(irz_replace_begin(&file, path_of("kept"), &error), IRZ_OK);
    irz_replace_reserve(&file, 20000);
    assert_int_equal(irz_replace_commit(&file, &error), IRZ_ERR_OUTPUT);
    assert_non_null(strstr(error.text, "File too large; it needs 0.0 MB"));
  }
  setrlimit(RLIMIT_FSIZE, &before);
  check_content("kept", "old");
  unlink(path_of("kept"));
  assert_int_equal(count_files(), 0);
}

static void streams(void **state) {
  (void)state;
  IrzReplace file;
  IrzError error = {0};
  FILE *stream;
  for (int last = 0; last < 2; last++) {
    assert_int_equal(irz_replace_begin(&file, path_of("x"), &error), IRZ_OK);
    irz_replace_reserve(&file, 100000); /* is given back */
    assert_int_equal(irz_replace_stream(&file, &stream, &error), IRZ_OK);
    fprintf(stream, "%d and %d", 1, 2);
    assert_int_equal(count_files(), 1);
    if (last == 1) assert_int_equal(irz_replace_commit(&file, &error), IRZ_OK);
    irz_replace_abandon(&file);
    assert_int_equal(count_files(), last);
  }
  struct stat status;
  check_content("x", "1 and 2");
  assert_int_equal(stat(path_of("x"), &status), 0);
  assert_in_range(status.st_blocks, 0, 16);
  unlink(path_of("x"));
}

static void folders(void **state) {
  (void)state;
  const char *const names[] = {"x.json", "x.hdf"};
  IrzError error = {0};
  char deep[512];
  snprintf(deep, sizeof deep, "%s", path_of("a/b//c/"));
  assert_int_equal(irz_folder_probe(deep, 2, names, &error), IRZ_OK);
  assert_int_equal(count_files(), 0);
  assert_int_equal(irz_folder_make(deep, &error), IRZ_OK);
  assert_int_equal(irz_folder_probe(deep, 2, names, &error), IRZ_OK);
  assert_int_equal(access(deep, F_OK), 0);
  rmdir(path_of("a/b/c"));
  rmdir(path_of("a/b"));
  rmdir(path_of("a"));
  assert_int_equal(irz_file_write(path_of("file"), "", &error), IRZ_OK);
  assert_int_equal(irz_folder_make(path_of("file"), &error), IRZ_ERR_OUTPUT);
  assert_non_null(strstr(error.text, strerror(ENOTDIR)));
  assert_int_equal(irz_folder_probe(path_of("file/x"), 2, names, &error), IRZ_ERR_OUTPUT);
  unlink(path_of("file"));
  assert_int_equal(symlink("nowhere", path_of("link")), 0);
  assert_int_equal(irz_folder_make(path_of("link"), &error), IRZ_ERR_OUTPUT);
  unlink(path_of("link"));
  assert_int_equal(mkdir(path_of("x.hdf"), 0777), 0);
  assert_int_equal(irz_folder_probe(folder, 2, names, &error), IRZ_ERR_OUTPUT);
  rmdir(path_of("x.hdf"));
  assert_int_equal(irz_folder_make("", &error), IRZ_ERR_OUTPUT);
  assert_int_equal(count_files(), 0);
}

static void cells(void **state) {
  (void)state;
  IrzText text;
  char *result;
  IrzError error = {0};
  assert_int_equal(irz_text_begin(&text, &error), IRZ_OK);
  const char *const names[] = {"A", "left, upper", "the \"best\"", "two\nlines"};
  for (int i = 0; i < 4; i++) irz_csv_cell(text.out, names[i]);
  assert_int_equal(irz_text_end(&text, &result, &error), IRZ_OK);
  assert_string_equal(result, "A\"left, upper\"\"the \"\"best\"\"\"\"two\nlines\"");
  free(result);
}

int main(void) {
  snprintf(folder, sizeof folder, "/tmp/irezone-test-XXXXXX");
  if (mkdtemp(folder) == NULL) return 1;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(names),   cmocka_unit_test(links),   cmocka_unit_test(permissions), cmocka_unit_test(limit),
      cmocka_unit_test(streams), cmocka_unit_test(folders), cmocka_unit_test(cells),
  };
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  rmdir(folder);
  return failed;
}
