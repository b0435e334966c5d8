/* Numbers as text, the same in every locale. */
#ifndef IREZONE_BASE_NUMBER_H
#define IREZONE_BASE_NUMBER_H

#include <stdbool.h>

/// Longest text of irz_number_text(), with its zero.
#define IRZ_NUMBER_TEXT 32

/// Read a finite decimal number, as in `-12.5e-3`: the text as a whole, without blanks, hexadecimal digits, nan or inf.
/// @return false: it is none; `value` is then left alone
bool irz_number_read(const char *text, double *value);

/// The shortest decimal text of 15 to 17 digits that reads as the same number bit for bit.
/// @param[in] value  finite
void irz_number_text(double value, char text[IRZ_NUMBER_TEXT]);

#endif
