/* Names of keys: their paths, and which was meant. */
#include "plan/keys.h"
#include <stdio.h>
#include <string.h>

void irz_key_path(char joined[IRZ_KEY_PATH_MAX], const char *path, const char *key) {
  snprintf(joined, IRZ_KEY_PATH_MAX, "%s%s%s", path, path[0] != '\0' && key[0] != '[' ? "." : "", key);
}

/* Edit distance (insert, delete, replace, swap neighbours) of two words, each cut at 31 characters. */
static int edit_distance(const char *a, const char *b) {
  enum { LONGEST = 31 };
  int distance[LONGEST + 1][LONGEST + 1];
  int na = (int)strnlen(a, LONGEST), nb = (int)strnlen(b, LONGEST);
  for (int i = 0; i <= na; i++) distance[i][0] = i;
  for (int j = 0; j <= nb; j++) distance[0][j] = j;
  for (int i = 1; i <= na; i++) {
    for (int j = 1; j <= nb; j++) {
      int best = distance[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
      if (distance[i - 1][j] + 1 < best) best = distance[i - 1][j] + 1;
      if (distance[i][j - 1] + 1 < best) best = distance[i][j - 1] + 1;
      bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped && distance[i - 2][j - 2] + 1 < best) best = distance[i - 2][j - 2] + 1;
      distance[i][j] = best;
    }
  }
  return distance[na][nb];
}

const char *irz_nearest_name(const char *word, const char *const *names) {
  const char *nearest = NULL;
  int least = 2 + (int)strlen(word) / 4; /* further away is no misspelling */
  for (; *names != NULL; names++) {
    int distance = edit_distance(word, *names);
    if (distance < least) {
      least = distance;
      nearest = *names;
    }
  }
  return nearest;
}
