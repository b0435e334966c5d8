/* Cells of tables with commas. */
#ifndef IREZONE_IO_CSV_H
#define IREZONE_IO_CSV_H

#include <stdio.h>

/// Print a text as one cell, quoted where it must be (RFC 4180).
void irz_csv_cell(FILE *out, const char *text);

#endif
