/* The entry of libFuzzer around a reader's fuzz_one(): counts, keeps time and remembers the slowest input. */
#define _GNU_SOURCE
#include "fuzz.h"
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct {
  char folder[256];
  pid_t owner;
  long long runs;
  double slowest; ///< s of processor time
  uint8_t *input;
  size_t size;
  FILE *nowhere;
} state;

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *place) {
  (void)status;
  (void)type;
  (void)place;
  return remove(path);
}

/// Say how many inputs there were, and leave the slowest where FUZZ_SLOWEST says.
static void finish(void) {
  if (getpid() != state.owner) return;
  if (state.folder[0] != '\0') nftw(state.folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
  printf("%lld inputs; the slowest took %.3f s for %zu bytes\n", state.runs, state.slowest, state.size);
  const char *path = getenv("FUZZ_SLOWEST");
  FILE *file = path != NULL ? fopen(path, "wb") : NULL;
  if (file != NULL) {
    fwrite(state.input, 1, state.size, file);
    fclose(file);
  }
  free(state.input);
}

static void begin(void) {
  if (state.owner != 0) return;
  state.owner = getpid();
  atexit(finish);
}

static double processor_time(void) {
  struct timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  begin();
  double start = processor_time();
  fuzz_one(data, size);
  double took = processor_time() - start;
  /* The first opens libraries. */
  if (state.runs++ == 0 || took <= state.slowest) return 0;
  uint8_t *copy = realloc(state.input, size > 0 ? size : 1);
  if (copy == NULL) return 0;
  memcpy(copy, data, size);
  state.input = copy;
  state.size = size;
  state.slowest = took;
  return 0;
}

void fuzz_require(bool condition) {
  if (!condition) abort();
}

void fuzz_require_error(IrzCode code, const IrzError *error) {
  fuzz_require(code == IRZ_ERR_PLAN || code == IRZ_ERR_INPUT || code == IRZ_ERR_MEMORY);
  fuzz_require(error->code == code && error->text[0] != '\0' && strlen(error->text) < IRZ_ERROR_TEXT);
  for (const char *c = error->text; *c != '\0'; c++) fuzz_require((unsigned char)*c >= ' ' && *c != 0x7f);
}

const char *fuzz_folder(void) {
  if (state.folder[0] != '\0') return state.folder;
  begin();
  const char *root = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
  snprintf(state.folder, sizeof state.folder, "%s/irezone-fuzz-XXXXXX", root);
  fuzz_require(mkdtemp(state.folder) != NULL);
  return state.folder;
}

void fuzz_write(const char *name, const void *data, size_t size, char path[512]) {
  snprintf(path, 512, "%s/%s", fuzz_folder(), name);
  FILE *file = fopen(path, "wb");
  fuzz_require(file != NULL && fwrite(data, 1, size, file) == size && fclose(file) == 0);
}

char *fuzz_text(const uint8_t *data, size_t size) {
  char *text = malloc(size + 1);
  fuzz_require(text != NULL);
  memcpy(text, data, size);
  text[size] = '\0';
  return text;
}

FILE *fuzz_nowhere(void) {
  if (state.nowhere == NULL) state.nowhere = fopen("/dev/null", "w");
  fuzz_require(state.nowhere != NULL);
  return state.nowhere;
}
