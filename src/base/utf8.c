/* UTF-8 and nothing else: a reader that meets another byte may take it for the end of the text, and what follows is
   lost without a word. */
#include "base/utf8.h"
#include <stdio.h>
#include <string.h>

int irz_utf8_character(const char *text, size_t length, unsigned *code) {
  /* By length: the bits that the first byte gives and the smallest number that needs so many bytes. */
  static const unsigned first_bits[] = {0, 0x7f, 0x1f, 0x0f, 0x07}, least[] = {0, 0, 0x80, 0x800, 0x10000};
  const unsigned char *byte = (const unsigned char *)text;
  int size = byte[0] < 0x80 ? 1 : byte[0] < 0xc0 ? 0 : byte[0] < 0xe0 ? 2 : byte[0] < 0xf0 ? 3 : byte[0] < 0xf8 ? 4 : 0;
  if (size == 0 || (size_t)size > length) return 0;
  unsigned number = byte[0] & first_bits[size];
  for (int i = 1; i < size; i++) {
    if ((byte[i] & 0xc0) != 0x80) return 0;
    number = number << 6 | (byte[i] & 0x3f);
  }
  bool surrogate = number >= 0xd800 && number <= 0xdfff;
  if (number < least[size] || number > 0x10ffff || surrogate) return 0;
  if (code != NULL) *code = number;
  return size;
}

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

/* Whether a character makes what follows it show in another order: a text could read other than it is. */
static bool reorders(unsigned code) {
  return (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

bool irz_utf8_in_line(unsigned code) {
  bool control = code < 0x20 || (code >= 0x7f && code < 0xa0), end = code == 0x2028 || code == 0x2029;
  return !control && !end && !reorders(code) && code != 0xfeff && code != 0xfffe && code != 0xffff;
}

/* Why a character must not be in a text, or NULL. */
static const char *objection(unsigned code, size_t at) {
  bool mark = code == 0xfeff;
  if (irz_utf8_in_line(code) || code == '\t' || code == '\n' || code == '\r' || (mark && at == 0)) return NULL;
  if (code == 0) return "a zero byte";
  if (code == 0x85 || code == 0x2028 || code == 0x2029) return "the end of a line to some programs and not to others";
  if (reorders(code)) return "one that makes text read other than it is";
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

void irz_utf8_remark(const char *word, char remark[96]) {
  /* Those that look like something else, or like nothing. */
  static const struct {
    unsigned first, last;
    const char *name;
  } odd[] = {{0xa0, 0xa0, "a blank that is no space"},     {0xad, 0xad, "a hyphen that does not show"},
             {0x2000, 0x200a, "a blank that is no space"}, {0x200b, 0x200f, "which does not show"},
             {0x2010, 0x2015, "a dash, no minus"},         {0x2018, 0x201f, "a typographic quotation mark"},
             {0x202a, 0x202e, "which does not show"},      {0x202f, 0x202f, "a blank that is no space"},
             {0x2060, 0x206f, "which does not show"},      {0x2212, 0x2212, "a minus sign other than -"},
             {0x3000, 0x3000, "a blank that is no space"}};
  remark[0] = '\0';
  for (size_t at = 0, length = strlen(word); at < length;) {
    unsigned code = 0;
    int size = irz_utf8_character(word + at, length - at, &code);
    if (size == 0) return;
    at += (size_t)size;
    if (code < 0x80) continue;
    const char *name = NULL;
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
      if (code >= odd[i].first && code <= odd[i].last) name = odd[i].name;
    }
    snprintf(remark, 96, " (with the character U+%04X%s%s)", code, name != NULL ? ", " : "", name != NULL ? name : "");
    return;
  }
}

void irz_utf8_clean(char *text) {
  size_t from = 0, to = 0, length = strlen(text);
  while (from < length) {
    unsigned code = 0;
    int size = irz_utf8_character(text + from, length - from, &code);
    if (size == 0 || !irz_utf8_in_line(code)) {
      text[to++] = size == 0 ? '?' : ' ';
      from += size == 0 ? 1 : (size_t)size;
      continue;
    }
    memmove(text + to, text + from, (size_t)size);
    from += (size_t)size;
    to += (size_t)size;
  }
  text[to] = '\0';
}

const char *irz_utf8_shown(const char *text, char shown[256]) {
  size_t length = strlen(text), most = 252;
  if (length <= most) most = length;
  while (most < length && most > 0 && ((unsigned char)text[most] & 0xc0) == 0x80) most--; /* whole characters */
  memcpy(shown, text, most);
  shown[most] = '\0';
  irz_utf8_clean(shown);
  if (most < length) strcat(shown, "...");
  return shown;
}
