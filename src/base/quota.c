/* Control groups; see quota.h and the kernel's Documentation/admin-guide/cgroup-v1/cgroups.rst and cgroup-v2.rst. */
#include "base/quota.h"
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE = 4096 };

/// Where the kernel keeps the processor's control groups.
typedef struct {
  bool second;      ///< version 2
  char root[LINE];  ///< group that is mounted
  char mount[LINE]; ///< folder
} Hierarchy;

/// Whether a list "a,b,c" has a word.
static bool listed(const char *list, const char *word) {
  size_t length = strlen(word);
  for (const char *at = list; at != NULL; at = strchr(at, ',')) {
    at += *at == ',';
    if (strncmp(at, word, length) == 0 && (at[length] == ',' || at[length] == '\0')) return true;
  }
  return false;
}

/// Undo what mountinfo does to blanks: "\040".
static void unescape(char *text) {
  char *to = text;
  for (const char *from = text; *from != '\0'; to++) {
    if (from[0] == '\\' && from[1] >= '0' && from[1] <= '3' && strspn(from + 1, "01234567") >= 3) {
      *to = (char)((from[1] - '0') * 64 + (from[2] - '0') * 8 + (from[3] - '0'));
      from += 4;
    } else {
      *to = *from++;
    }
  }
  *to = '\0';
}

/// A line of mountinfo: "36 35 98:0 /group /folder options tags - type source options".
/// @return whether it holds the processor's control groups, or version 2's
static bool read_mount(const char *line, Hierarchy *found) {
  char type[64], options[LINE];
  const char *dash = strstr(line, " - ");
  if (dash == NULL || sscanf(dash, " - %63s %*s %4095s", type, options) != 2) return false;
  found->second = strcmp(type, "cgroup2") == 0;
  if (!found->second && (strcmp(type, "cgroup") != 0 || !listed(options, "cpu"))) return false;
  if (sscanf(line, "%*s %*s %*s %4095s %4095s", found->root, found->mount) != 2) return false;
  unescape(found->root);
  unescape(found->mount);
  return true;
}

/// The group of this process in a hierarchy, from /proc/self/cgroup: "4:cpu,cpuacct:/group", version 2 "0::/group".
static bool find_group(const char *root, const Hierarchy *hierarchy, char group[LINE]) {
  char path[LINE], line[LINE];
  bool found = false;
  snprintf(path, sizeof path, "%s/proc/self/cgroup", root);
  FILE *file = fopen(path, "r");
  while (file != NULL && !found && fgets(line, sizeof line, file) != NULL) {
    line[strcspn(line, "\n")] = '\0';
    char *controllers = strchr(line, ':'), *name = controllers != NULL ? strchr(controllers + 1, ':') : NULL;
    if (name == NULL) continue;
    *name = '\0';
    found = hierarchy->second ? strncmp(line, "0:", 2) == 0 && controllers[1] == '\0' : listed(controllers + 1, "cpu");
    if (found) snprintf(group, LINE, "%s", name + 1);
  }
  if (file != NULL) fclose(file);
  return found;
}

/// One or two numbers from a file; "max" is infinity.
static int read_numbers(const char *folder, const char *name, double number[2]) {
  char path[2 * LINE], line[128] = "", word[2][32];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *file = fopen(path, "r");
  if (file == NULL) return 0;
  bool any = fgets(line, sizeof line, file) != NULL;
  fclose(file);
  int count = any ? sscanf(line, "%31s %31s", word[0], word[1]) : 0;
  for (int i = 0; i < count; i++) number[i] = strcmp(word[i], "max") == 0 ? INFINITY : (double)atoll(word[i]);
  return count > 0 ? count : 0;
}

/// What one group allows.
static double group_quota(const char *folder, bool second) {
  double quota[2], period[2];
  if (second) {
    if (read_numbers(folder, "cpu.max", quota) != 2 || !(quota[1] > 0)) return INFINITY;
    return quota[0] / quota[1];
  }
  if (read_numbers(folder, "cpu.cfs_quota_us", quota) < 1 || read_numbers(folder, "cpu.cfs_period_us", period) < 1) {
    return INFINITY;
  }
  return quota[0] > 0 && period[0] > 0 ? quota[0] / period[0] : INFINITY;
}

/// The tightest of a group and those above it, as far as they are to be seen.
static double hierarchy_quota(const char *root, const Hierarchy *hierarchy) {
  char group[LINE], folder[3 * LINE];
  if (!find_group(root, hierarchy, group)) return INFINITY;
  /* In a container the group's name may count from the host's root, of which only `root` and below is mounted, or from
   * outside of what is to be seen: "/../..". */
  size_t above = strcmp(hierarchy->root, "/") == 0 ? 0 : strlen(hierarchy->root);
  const char *below = strncmp(group, hierarchy->root, above) == 0 ? group + above : "";
  if (strncmp(below, "/..", 3) == 0) below = "";
  snprintf(folder, sizeof folder, "%s%s", root, hierarchy->mount);
  size_t least = strlen(folder);
  snprintf(folder + least, sizeof folder - least, "%s", below);
  double tightest = INFINITY;
  for (;;) {
    tightest = fmin(tightest, group_quota(folder, hierarchy->second));
    char *slash = strrchr(folder, '/');
    if (slash == NULL || slash < folder + least) return tightest;
    *slash = '\0';
  }
}

double irz_quota_read(const char *root) {
  char path[LINE], line[2 * LINE];
  double tightest = INFINITY;
  snprintf(path, sizeof path, "%s/proc/self/mountinfo", root);
  FILE *file = fopen(path, "r");
  while (file != NULL && fgets(line, sizeof line, file) != NULL) {
    Hierarchy hierarchy;
    if (read_mount(line, &hierarchy)) tightest = fmin(tightest, hierarchy_quota(root, &hierarchy));
  }
  if (file != NULL) fclose(file);
  return tightest;
}
