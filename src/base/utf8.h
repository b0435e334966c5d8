/* Text as files of a user hold it: what may be in it, and what was probably meant where it is something else. */
#ifndef IREZONE_BASE_UTF8_H
#define IREZONE_BASE_UTF8_H

#include <irezone/error.h>
#include <stdbool.h>
#include <stddef.h>

/// Check that a text is UTF-8 and has only characters that every reader of YAML takes for the same: those that YAML 1.2
/// calls printable (its production c-printable), without those that YAML 1.1 takes for the end of a line and 1.2 does
/// not (U+0085, U+2028, U+2029), and without a byte order mark but at the very beginning.
/// @param[in]  text    the text; may contain zero bytes
/// @param[in]  length  its bytes
/// @param[in]  name    what to name in the error: a file
/// @param[out] error   "NAME:LINE: ...", with what the byte was probably meant to be
/// @return IRZ_OK or IRZ_ERR_PLAN
IrzCode irz_utf8_check(const char *text, size_t length, const char *name, IrzError *error);

/// Length of the UTF-8 character at a place, in bytes.
/// @param[in]  text    not empty
/// @param[in]  length  bytes that are left
/// @param[out] code    its number, if it is one; may be NULL
/// @return 1 to 4; 0: no UTF-8 (cut off, overlong, a surrogate, beyond U+10FFFF)
int irz_utf8_character(const char *text, size_t length, unsigned *code);

/// Whether a character may stand in a line of text: no control character, no end of a line by anybody's count, and none
/// that makes a text read other than it is (embeddings, overrides and isolates of Unicode's bidirectional algorithm).
bool irz_utf8_in_line(unsigned code);

/// Whether a character makes what follows it show in another order: a text could read other than it is.
bool irz_utf8_reorders(unsigned code);

/// What is odd about a word to the eye: the first character in it that is not ASCII, as ` (with the character U+00A0, a
/// blank that is no space)`, or "" if there is none.
/// @param[out] remark  [96]
void irz_utf8_remark(const char *word, char remark[96]);

/// A copy that may be shown: made fit by irz_utf8_clean(), and cut after some 250 bytes, with dots.
/// @param[out] shown  room for the copy
/// @return `shown`
const char *irz_utf8_shown(const char *text, char shown[256]);

/// Make a text fit for one line of a terminal, a log and JSON: what is no UTF-8 becomes `?`, a control character or the
/// end of a line a blank.
void irz_utf8_clean(char *text);

#endif
