/* Errors are one line of text and a code; see irezone/error.h. */
#include "base/utf8.h"
#include <irezone/error.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* In parentheses, so that the macro for the analyzer leaves it alone. */
IrzCode(irz_error_set)(IrzError *error, IrzCode code, const char *format, ...) {
  if (error == NULL) return code;
  error->code = code;
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(error->text, sizeof error->text, format, arguments);
  va_end(arguments);
  if (length >= (int)sizeof error->text) strcpy(error->text + sizeof error->text - 4, "...");
  irz_utf8_clean(error->text);
  return code;
}

IrzCode irz_error_agree(MPI_Comm comm, IrzError *error) {
  IrzError own = {.code = IRZ_OK};
  if (error == NULL) error = &own;
  int rank, size;
  MPI_Comm_rank(comm, &rank);
  MPI_Comm_size(comm, &size);
  if (size == 1) return error->code;
  int mine = error->code == IRZ_OK ? size : rank;
  int first;
  MPI_Allreduce(&mine, &first, 1, MPI_INT, MPI_MIN, comm);
  if (first == size) return IRZ_OK;
  int code = error->code;
  MPI_Bcast(&code, 1, MPI_INT, first, comm);
  MPI_Bcast(error->text, sizeof error->text, MPI_CHAR, first, comm);
  error->code = (IrzCode)code;
  return error->code;
}
