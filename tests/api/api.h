/* What the programs of this folder share: they check promises and end with a line that says which one was broken. */
#ifndef IREZONE_TESTS_API_H
#define IREZONE_TESTS_API_H

#include <ftw.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

/// End the program unless a promise holds.
#define PROMISE(condition, ...)                                                                                        \
  do {                                                                                                                 \
    if (!(condition)) {                                                                                                \
      fprintf(stderr, "%s:%d: broken: %s: ", __FILE__, __LINE__, #condition);                                          \
      fprintf(stderr, __VA_ARGS__);                                                                                    \
      fputc('\n', stderr);                                                                                             \
      exit(1);                                                                                                         \
    }                                                                                                                  \
  } while (0)

/// Bytes that the program holds.
static inline size_t held(void) {
  struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

/// For empty_folder().
static inline int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *place) {
  (void)status;
  (void)kind;
  (void)place;
  return remove(path);
}

/// Make a folder, without what an earlier run left in it.
static inline void empty_folder(const char *path) {
  nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
  mkdir(path, 0777);
}

/// Two plates on a mesh that is loaded: solved in a few milliseconds.
#define PLATES                                                                                                         \
  "name: plates\n"                                                                                                     \
  "mesh: {file: " IRZ_SOURCE_DIR "/meshes/parallel_plates.msh}\n"                                                      \
  "tissues: {default: {sigma: {law: constant, value: 0.2}, threshold: 500}}\n"                                         \
  "probes: [{name: A, surface: plate_1}, {name: B, surface: plate_2}]\n"                                               \
  "pulses: [{from: A, to: B, voltage: 1000, count: 90, width: 100, rate: 1.5}]\n"

/// Two needles in a coarse generated mesh.
#define NEEDLES                                                                                                        \
  "name: needles\n"                                                                                                    \
  "mesh: {size: 60, accuracy: 20, order: 1}\n"                                                                         \
  "tissues: {default: {preset: liver}}\n"                                                                              \
  "array: {count: 2, spacing: 15, exposure: 15}\n"                                                                     \
  "pulses: [{from: A, to: B, voltage: 2000, count: 90, width: 100, rate: 1.5}]\n"

#endif
