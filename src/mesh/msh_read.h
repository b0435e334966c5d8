/* Reading Gmsh files: the entry from memory, and what its files share. */
#ifndef IREZONE_MSH_READ_H
#define IREZONE_MSH_READ_H

#include <irezone/mesh.h>
#include <stdbool.h>
#include <string.h>

/// Read a Gmsh file that is in memory; see irz_mesh_read().
/// @param[in] data  its bytes; need no terminating zero
/// @param[in] size  number of bytes
/// @param[in] name  file name for the error
IrzCode irz_msh_parse(const char *data, size_t size, const char *name, double scale, IrzMesh **mesh, IrzError *error);

/// A position in a file. Text is read number by number within a line, binary data value by value; both stop at `end`.
typedef struct {
  const char *name;  ///< file name for messages
  const char *begin; ///< the file's bytes
  const char *end;
  const char *at;
  bool binary;    ///< numbers of sections that have a binary form are binary
  bool swap;      ///< binary numbers have the other byte order
  int size_bytes; ///< size of a `size_t` in a binary 4.1 file: 4 or 8
  IrzError *error;
} IrzScan;

/// Fail at a position of the file: "name:line: ..." in text, "name: byte n: ..." in binary files.
IrzCode irz_scan_fail(const IrzScan *scan, const char *at, const char *format, ...) IRZ_PRINTF(3, 4);

/// The word at the current position, for messages: at most 30 characters, unprintable ones replaced.
/// @param[out] text  buffer of at least 40 characters
const char *irz_scan_word(const IrzScan *scan, char text[40]);

/// Read a real number in text, exactly as strtod() in the C locale would.
/// @return false, without moving, if there is none on the rest of the line
bool irz_scan_real(IrzScan *scan, double *value);

/// Skip blanks, not line ends.
static inline void irz_scan_blanks(IrzScan *scan) {
  while (scan->at < scan->end && (*scan->at == ' ' || *scan->at == '\t' || *scan->at == '\r')) scan->at++;
}

/// Skip blanks and line ends.
static inline void irz_scan_space(IrzScan *scan) {
  while (scan->at < scan->end && (*scan->at == ' ' || (*scan->at >= '\t' && *scan->at <= '\r'))) scan->at++;
}

/// Skip to the first character of the next line.
static inline void irz_scan_skip_line(IrzScan *scan) {
  const char *newline = memchr(scan->at, '\n', (size_t)(scan->end - scan->at));
  scan->at = newline != NULL ? newline + 1 : scan->end;
}

/// Whether a number may end at `p`.
static inline bool irz_scan_is_boundary(const IrzScan *scan, const char *p) {
  return p == scan->end || *p == ' ' || (*p >= '\t' && *p <= '\r');
}

/// Read a whole number of at most 18 digits in text.
/// @return false, without moving, if there is none on the rest of the line
static inline bool irz_scan_integer(IrzScan *scan, int64_t *value) {
  irz_scan_blanks(scan);
  const char *p = scan->at;
  bool negative = p < scan->end && *p == '-';
  if (negative) p++;
  const char *first = p;
  uint64_t magnitude = 0;
  while (p < scan->end && (unsigned)(*p - '0') < 10 && p - first < 19)
    magnitude = magnitude * 10 + (unsigned)(*p++ - '0');
  if (p == first || p - first > 18 || !irz_scan_is_boundary(scan, p)) return false;
  *value = negative ? -(int64_t)magnitude : (int64_t)magnitude;
  scan->at = p;
  return true;
}

/// Bytes left.
static inline int64_t irz_scan_left(const IrzScan *scan) {
  return scan->end - scan->at;
}

/// Take a binary 4-byte integer; the caller has made sure that it is there.
static inline int32_t irz_scan_take_int(IrzScan *scan) {
  uint32_t bits;
  memcpy(&bits, scan->at, sizeof bits);
  scan->at += sizeof bits;
  if (scan->swap) bits = __builtin_bswap32(bits);
  return (int32_t)bits;
}

/// Take a binary `size_t`. Values that do not fit become -1, which no count or tag allows.
static inline int64_t irz_scan_take_size(IrzScan *scan) {
  if (scan->size_bytes == 4) return (uint32_t)irz_scan_take_int(scan);
  uint64_t bits;
  memcpy(&bits, scan->at, sizeof bits);
  scan->at += sizeof bits;
  if (scan->swap) bits = __builtin_bswap64(bits);
  return bits <= INT64_MAX ? (int64_t)bits : -1;
}

/// Take a binary double.
static inline double irz_scan_take_real(IrzScan *scan) {
  uint64_t bits;
  memcpy(&bits, scan->at, sizeof bits);
  scan->at += sizeof bits;
  if (scan->swap) bits = __builtin_bswap64(bits);
  double value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

/// A map from tags to indices: nothing stored for 0, 1, 2 ... in order, an array for nearly dense tags, else hashed.
typedef struct {
  int64_t first;    ///< smallest tag of the array
  int64_t length;   ///< of the array
  int32_t *dense;   ///< [length] index or -1; NULL in the identity and when hashed
  int64_t *key;     ///< hashed: [capacity]
  int32_t *value;   ///< hashed: [capacity] index, -1 for free
  int64_t capacity; ///< power of two
  int64_t used;
} IrzTagMap;

/// Map each tag to its position.
/// @param[in]  count      number of tags
/// @param[in]  tag        [count]
/// @param[out] map        map; clear it afterwards
/// @param[out] duplicate  position of a tag that occurred before, or -1
IrzCode irz_tags_build(int32_t count, const int64_t *tag, IrzTagMap *map, int32_t *duplicate, IrzError *error);

/// Add one pair to an empty or hashed map; a tag that is there keeps its value.
IrzCode irz_tags_add(IrzTagMap *map, int64_t tag, int32_t value, IrzError *error);

/// Index of a tag in a hashed map, or -1.
int32_t irz_tags_find_hashed(const IrzTagMap *map, int64_t tag);

/// Index of a tag, or -1.
static inline int32_t irz_tags_find(const IrzTagMap *map, int64_t tag) {
  if (map->key != NULL) return irz_tags_find_hashed(map, tag);
  if (tag < map->first || tag - map->first >= map->length) return -1;
  return map->dense != NULL ? map->dense[tag - map->first] : (int32_t)(tag - map->first);
}

/// Free what a map holds.
void irz_tags_clear(IrzTagMap *map);

#endif
