/* Quotas of control groups, in trees as kernels and containers show them. */
#include "base/quota.h"
#include "testing.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/// A file of a machine that does not exist.
typedef struct {
  const char *path, *text;
} File;

/// Quota of a machine whose files are these; ends with a NULL path.
static double quota_of(const File *file) {
  char root[] = "/tmp/irezone-quota-XXXXXX", command[1024], path[512];
  assert_non_null(mkdtemp(root));
  for (; file->path != NULL; file++) {
    snprintf(path, sizeof path, "%s/%s", root, file->path);
    snprintf(command, sizeof command, "mkdir -p \"$(dirname '%s')\"", path);
    assert_int_equal(system(command), 0);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fputs(file->text, out);
    fclose(out);
  }
  double quota = irz_quota_read(root);
  snprintf(command, sizeof command, "rm -rf %s", root);
  assert_int_equal(system(command), 0);
  return quota;
}

#define MOUNT_1 "33 24 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:15 - cgroup cgroup rw,cpu,cpuacct\n"
#define MOUNT_2 "30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"
#define OTHERS "24 29 0:22 / /proc rw - proc proc rw\n35 24 0:31 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n"

static void first_version(void **state) {
  (void)state;
  const File files[] = {{"proc/self/mountinfo", OTHERS MOUNT_1},
                        {"proc/self/cgroup", "5:cpuset:/\n4:cpu,cpuacct:/user/job\n1:name=systemd:/elsewhere\n"},
                        {"sys/fs/cgroup/cpu,cpuacct/user/job/cpu.cfs_quota_us", "250000\n"},
                        {"sys/fs/cgroup/cpu,cpuacct/user/job/cpu.cfs_period_us", "100000\n"},
                        {"sys/fs/cgroup/cpu,cpuacct/user/cpu.cfs_quota_us", "-1\n"},
                        {"sys/fs/cgroup/cpu,cpuacct/user/cpu.cfs_period_us", "100000\n"},
                        {NULL, NULL}};
  assert_near(quota_of(files), 2.5, 1e-12);
}

/// The tightest of all groups counts, also one above.
static void nested(void **state) {
  (void)state;
  const File files[] = {{"proc/self/mountinfo", OTHERS MOUNT_2},
                        {"proc/self/cgroup", "0::/user.slice/user-1000.slice/run-7.scope\n"},
                        {"sys/fs/cgroup/user.slice/user-1000.slice/run-7.scope/cpu.max", "400000 100000\n"},
                        {"sys/fs/cgroup/user.slice/user-1000.slice/cpu.max", "75000 50000\n"},
                        {"sys/fs/cgroup/user.slice/cpu.max", "max 100000\n"},
                        {NULL, NULL}};
  assert_near(quota_of(files), 1.5, 1e-12);
}

/// A container mounts its own group only, and may see the host's name of it, or none.
static void containers(void **state) {
  (void)state;
  const File docker[] = {
      {"proc/self/mountinfo", "33 24 0:29 /docker/f00 /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu\n"},
      {"proc/self/cgroup", "4:cpu:/docker/f00\n"},
      {"sys/fs/cgroup/cpu/cpu.cfs_quota_us", "50000\n"},
      {"sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n"},
      {NULL, NULL}};
  assert_near(quota_of(docker), 0.5, 1e-12);
  const File second[] = {{"proc/self/mountinfo", MOUNT_2},
                         {"proc/self/cgroup", "0::/\n"},
                         {"sys/fs/cgroup/cpu.max", "100000 100000\n"},
                         {NULL, NULL}};
  assert_near(quota_of(second), 1, 1e-12);
  const File outside[] = {{"proc/self/mountinfo", "30 24 0:26 /../.. /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"},
                          {"proc/self/cgroup", "0::/../../x\n"},
                          {"sys/fs/cgroup/cpu.max", "300000 100000\n"},
                          {NULL, NULL}};
  assert_near(quota_of(outside), 3, 1e-12);
}

/// Both versions at once, as systemd's hybrid layout has them; a blank in the folder's name.
static void hybrid(void **state) {
  (void)state;
  const File files[] = {{"proc/self/mountinfo", "33 24 0:29 / /sys/c\\040g rw - cgroup cgroup rw,cpu\n"
                                                "30 24 0:26 / /sys/unified rw - cgroup2 cgroup2 rw\n"},
                        {"proc/self/cgroup", "1:cpu:/a\n0::/b\n"},
                        {"sys/c g/a/cpu.cfs_quota_us", "200000\n"},
                        {"sys/c g/a/cpu.cfs_period_us", "100000\n"},
                        {NULL, NULL}};
  assert_near(quota_of(files), 2, 1e-12);
}

/// Nothing to be read, nonsense, or no limit: infinity.
static void none(void **state) {
  (void)state;
  const File nothing[] = {{"proc/nothing", ""}, {NULL, NULL}};
  assert_true(isinf(quota_of(nothing)));
  const File nonsense[] = {{"proc/self/mountinfo", "\n1 2\n" MOUNT_2 MOUNT_1},
                           {"proc/self/cgroup", "what\n0::/\n4:cpu:\n"},
                           {"sys/fs/cgroup/cpu.max", "\n"},
                           {"sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "0\n"},
                           {"sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "0\n"},
                           {NULL, NULL}};
  assert_true(isinf(quota_of(nonsense)));
  const File unlimited[] = {{"proc/self/mountinfo", MOUNT_2},
                            {"proc/self/cgroup", "0::/a\n"},
                            {"sys/fs/cgroup/a/cpu.max", "max 100000\n"},
                            {NULL, NULL}};
  assert_true(isinf(quota_of(unlimited)));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(first_version), cmocka_unit_test(nested),
                                     cmocka_unit_test(containers), cmocka_unit_test(hybrid), cmocka_unit_test(none)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
