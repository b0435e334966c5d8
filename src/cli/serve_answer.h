/* Answers of `irezone serve`, put together as text. */
#ifndef IREZONE_CLI_SERVE_ANSWER_H
#define IREZONE_CLI_SERVE_ANSWER_H

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

/// Write a JSON value on one line.
void irz_answer_value(FILE *out, const json_t *value);

/// Write a text as JSON.
void irz_answer_text(FILE *out, const char *text);

/// Write JSON text of several lines on one.
void irz_answer_json(FILE *out, const char *json);

/// Write a list of numbers, those that are not finite as null.
/// @param[in] digits  significant digits
void irz_answer_numbers(FILE *out, size_t n, const double *number, int digits);

/// Write a list of lists of numbers.
/// @param[in] number  [n][width]
void irz_answer_rows(FILE *out, size_t n, int width, const double *number, int digits);

/// Write a list of lists of three indices.
void irz_answer_triples(FILE *out, size_t n, const int32_t (*index)[3]);

#endif
