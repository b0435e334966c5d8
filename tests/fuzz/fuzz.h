/* What the fuzzers share. Each file fuzz_READER.c defines fuzz_one(); fuzz_entry.c gives it to libFuzzer and to
 * replay.c. */
#ifndef IREZONE_TESTS_FUZZ_H
#define IREZONE_TESTS_FUZZ_H

#include <irezone/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/// Feed arbitrary bytes to the reader. Whatever is accepted must be sound, whatever is refused must say so in one line.
void fuzz_one(const uint8_t *data, size_t size);

/// Stop, as the sanitizers would, if the condition does not hold.
void fuzz_require(bool condition);

/// An error as every reader must leave it: one of the input's codes and one line.
void fuzz_require_error(IrzCode code, const IrzError *error);

/// A folder of this process alone, in memory where there is /dev/shm; removed at the end.
const char *fuzz_folder(void);

/// Write bytes to a file in that folder.
/// @param[out] path  [512]
void fuzz_write(const char *name, const void *data, size_t size, char path[512]);

/// The bytes as a text: a copy with a zero behind it; free() it.
char *fuzz_text(const uint8_t *data, size_t size);

/// /dev/null, for what prints.
FILE *fuzz_nowhere(void);

#endif
