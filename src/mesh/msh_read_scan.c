/* Numbers in text, and messages that say where. */
#define _GNU_SOURCE /* strtod_l */
#include "mesh/msh_read.h"
#include <locale.h>
#include <stdarg.h>
#include <stdlib.h>

#if defined(__APPLE__)
#include <xlocale.h>
#endif

IrzCode irz_scan_fail(const IrzScan *scan, const char *at, const char *format, ...) {
  char text[IRZ_ERROR_TEXT];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  if (scan->binary) {
    return irz_error_set(scan->error, IRZ_ERR_INPUT, "%s: byte %lld: %s", scan->name, (long long)(at - scan->begin),
                         text);
  }
  long long line = 1;
  for (const char *c = scan->begin; c < at; c++) line += *c == '\n';
  return irz_error_set(scan->error, IRZ_ERR_INPUT, "%s:%lld: %s", scan->name, line, text);
}

const char *irz_scan_word(const IrzScan *scan, char text[40]) {
  const char *p = scan->at;
  while (p < scan->end && (*p == ' ' || *p == '\t')) p++;
  if (p == scan->end) return strcpy(text, "the end of the file");
  if (*p == '\n' || *p == '\r') return strcpy(text, "the end of the line");
  int length = 0;
  text[length++] = '\'';
  while (length <= 30 && !irz_scan_is_boundary(scan, p)) {
    text[length++] = (char)(*p >= 0x20 && *p < 0x7f ? *p : '?');
    p++;
  }
  text[length++] = '\'';
  text[length] = '\0';
  return text;
}

/// Let the C library read the number that ends before `stop`, for the cases that need more than one operation.
static bool scan_real_slowly(IrzScan *scan, const char *stop, double *value) {
  char text[400];
  size_t length = (size_t)(stop - scan->at);
  if (length == 0 || length >= sizeof text) return false;
  memcpy(text, scan->at, length);
  text[length] = '\0';
  if (strpbrk(text, "xX") != NULL || strlen(text) != length) return false;
  static locale_t c_locale; /* the user's locale may have a decimal comma */
  locale_t locale = __atomic_load_n(&c_locale, __ATOMIC_ACQUIRE);
  if (locale == (locale_t)0) {
    locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (locale == (locale_t)0) return false;
    locale_t none = (locale_t)0;
    if (!__atomic_compare_exchange_n(&c_locale, &none, locale, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
      freelocale(locale);
      locale = none;
    }
  }
  char *parsed;
  *value = strtod_l(text, &parsed, locale);
  if (parsed != text + length) return false;
  scan->at = stop;
  return true;
}

bool irz_scan_real(IrzScan *scan, double *value) {
  /* A significand below 2^53 and a power of ten up to 22 are both exact in double, so that one multiplication or
   * division rounds correctly (Clinger 1990). Everything else goes to the C library. */
  static const double power[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  irz_scan_blanks(scan);
  const char *p = scan->at, *end = scan->end;
  bool negative = p < end && *p == '-';
  if (p < end && (*p == '-' || *p == '+')) p++;
  uint64_t significand = 0;
  int digits = 0, exponent = 0;
  bool any = false;
  for (; p < end && (unsigned)(*p - '0') < 10; p++, any = true) {
    if (digits < 19) significand = significand * 10 + (unsigned)(*p - '0');
    if (significand > 0) digits++;
  }
  if (p < end && *p == '.') {
    for (p++; p < end && (unsigned)(*p - '0') < 10; p++, any = true) {
      if (digits < 19) significand = significand * 10 + (unsigned)(*p - '0');
      if (significand > 0) digits++;
      if (exponent > -1000) exponent--;
    }
  }
  if (any && p < end && (*p == 'e' || *p == 'E')) {
    const char *q = p + 1;
    bool below = q < end && *q == '-';
    if (q < end && (*q == '-' || *q == '+')) q++;
    int written = 0;
    const char *first = q;
    for (; q < end && (unsigned)(*q - '0') < 10; q++) {
      if (written < 1000) written = written * 10 + (*q - '0');
    }
    if (q > first) {
      exponent += below ? -written : written;
      p = q;
    }
  }
  if (any && irz_scan_is_boundary(scan, p) && digits <= 19 && significand <= UINT64_C(1) << 53 && exponent >= -22 &&
      exponent <= 22) {
    double magnitude = (double)significand;
    magnitude = exponent < 0 ? magnitude / power[-exponent] : magnitude * power[exponent];
    *value = negative ? -magnitude : magnitude;
    scan->at = p;
    return true;
  }
  while (!irz_scan_is_boundary(scan, p)) p++;
  return scan_real_slowly(scan, p, value);
}
