/* Feed files to a fuzzing entry, one after the other, without a fuzzer. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/// Run one file.
static int replay(const char *path) {
  FILE *file = fopen(path, "rb");
  if (file == NULL) {
    fprintf(stderr, "%s: cannot be opened\n", path);
    return 1;
  }
  enum { LARGEST = 1 << 20 };
  uint8_t *data = malloc(LARGEST);
  size_t size = fread(data, 1, LARGEST, file);
  fclose(file);
  uint8_t *exact = realloc(data, size > 0 ? size : 1); /* so that the sanitizers see a read behind the end */
  LLVMFuzzerTestOneInput(exact, size);
  free(exact);
  return 0;
}

/// usage: replay FOLDER
int main(int argc, char **argv) {
  DIR *folder = argc == 2 ? opendir(argv[1]) : NULL;
  if (folder == NULL) {
    fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
    return 2;
  }
  int count = 0, failed = 0;
  for (const struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
    if (entry->d_name[0] == '.') continue;
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", argv[1], entry->d_name);
    failed += replay(path);
    count++;
  }
  closedir(folder);
  printf("%d files\n", count);
  return failed > 0 || count == 0;
}
