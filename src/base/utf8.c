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

bool irz_utf8_reorders(unsigned code) {
  return (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

bool irz_utf8_in_line(unsigned code) {
  bool control = code < 0x20 || (code >= 0x7f && code < 0xa0), end = code == 0x2028 || code == 0x2029;
  return !control && !end && !irz_utf8_reorders(code) && code != 0xfeff && code != 0xfffe && code != 0xffff;
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
