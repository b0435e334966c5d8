/* Texts of a user that are not what they should be, told with line and column. */
#include "base/utf8.h"
#include <stdio.h>
#include <string.h>

/* A character as UTF-8. */
static void encode(unsigned code, char text[4]) {
  if (code < 0x800) {
    text[0] = (char)(0xc0 | code >> 6);
    text[1] = (char)(0x80 | (code & 0x3f));
    text[2] = '\0';
  } else {
    text[0] = (char)(0xe0 | code >> 12);
    text[1] = (char)(0x80 | (code >> 6 & 0x3f));
    text[2] = (char)(0x80 | (code & 0x3f));
    text[3] = '\0';
  }
}

/* What a byte above 0x7f is in Windows-1252, which has Latin-1 in it; 0: nothing. */
static unsigned windows_character(unsigned char byte) {
  static const unsigned short upper[32] = {0x20ac, 0,      0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021,
                                           0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0,      0x017d, 0,
                                           0,      0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
                                           0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0,      0x017e, 0x0178};
  return byte >= 0xa0 ? byte : byte >= 0x80 ? upper[byte - 0x80] : 0;
}

/* Line and column of a place, from 1. The end of a line is LF, CR LF or CR; columns count characters. */
static void locate(const char *text, size_t at, int *line, int *column) {
  *line = *column = 1;
  for (size_t i = 0; i < at; i++) {
    bool end = text[i] == '\n' || (text[i] == '\r' && text[i + 1] != '\n');
    if (end) {
      ++*line;
      *column = 1;
    } else if (((unsigned char)text[i] & 0xc0) != 0x80 && text[i] != '\r') {
      ++*column;
    }
  }
}

/* Report the byte at a place that is not UTF-8. */
static IrzCode no_utf8(const char *text, size_t length, size_t at, const char *name, IrzError *error) {
  unsigned char byte = (unsigned char)text[at];
  int line, column;
  locate(text, at, &line, &column);
  bool follows = at + 1 < length && ((unsigned char)text[at + 1] & 0xc0) == 0x80;
  unsigned meant = windows_character(byte);
  /* A first byte with one that continues it was meant as UTF-8. */
  if (follows && byte >= 0xc0) {
    return irz_error_set(
        error, IRZ_ERR_PLAN,
        "%s:%d: the bytes from 0x%02x on in column %d are broken UTF-8 (cut off, too long, or a number "
        "that is no character); write the character anew and save the file as UTF-8",
        name, line, byte, column);
  }
  char guess[64] = "", character[4];
  if (meant != 0) {
    encode(meant, character);
    snprintf(guess, sizeof guess, " (in Latin-1 or Windows-1252 it is \"%s\")", character);
  }
  return irz_error_set(error, IRZ_ERR_PLAN,
                       "%s:%d: the byte 0x%02x in column %d is not UTF-8%s; save the file as UTF-8", name, line, byte,
                       column, guess);
}

/* Why a character must not be in a text, or NULL. */
static const char *objection(unsigned code, size_t at) {
  bool mark = code == 0xfeff;
  if (irz_utf8_in_line(code) || code == '\t' || code == '\n' || code == '\r' || (mark && at == 0)) return NULL;
  if (code == 0) return "a zero byte";
  if (code == 0x85 || code == 0x2028 || code == 0x2029) return "the end of a line to some programs and not to others";
  if (irz_utf8_reorders(code)) return "one that makes text read other than it is";
  if (mark) return "a byte order mark, which belongs at the beginning";
  return code < 0xa0 ? "a control character" : "no character";
}

/* Words for a text that begins as other encodings do, or NULL. */
static const char *other_encoding(const char *text, size_t length) {
  const unsigned char *byte = (const unsigned char *)text;
  static const char utf16[] = "UTF-16 text", utf32[] = "UTF-32 text";
  if (length < 2) return NULL;
  if (length >= 4 && memcmp(byte, "\xff\xfe\0\0", 4) == 0) return utf32;
  if (length >= 4 && memcmp(byte, "\0\0\xfe\xff", 4) == 0) return utf32;
  if (memcmp(byte, "\xff\xfe", 2) == 0 || memcmp(byte, "\xfe\xff", 2) == 0) return utf16;
  /* Without a mark: every other byte of an ordinary beginning is zero. */
  bool zero[4] = {false};
  for (size_t i = 0; i < 4 && length >= 4; i++) zero[i] = byte[i] == 0;
  return zero[0] != zero[1] && zero[0] == zero[2] && zero[1] == zero[3] ? utf16 : NULL;
}

IrzCode irz_utf8_check(const char *text, size_t length, const char *name, IrzError *error) {
  const char *encoding = other_encoding(text, length);
  if (encoding != NULL) {
    return irz_error_set(error, IRZ_ERR_PLAN, "%s: is %s; save it as UTF-8", name, encoding);
  }
  for (size_t at = 0; at < length;) {
    unsigned code = 0;
    int size = irz_utf8_character(text + at, length - at, &code);
    if (size == 0) return no_utf8(text, length, at, name, error);
    const char *reason = objection(code, at);
    if (reason != NULL) {
      int line, column;
      locate(text, at, &line, &column);
      return irz_error_set(error, IRZ_ERR_PLAN, "%s:%d: the character U+%04X in column %d is %s; remove it", name, line,
                           code, column, reason);
    }
    at += (size_t)size;
  }
  return IRZ_OK;
}
