/* What labels are called: in extensions of NIfTI images, and in files beside an image. */
#define _GNU_SOURCE /* memmem */
#include "anatomy/image.h"
#include "base/input.h"
#include "base/memory.h"
#include "base/number.h"
#include "base/utf8.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_LABELS 65536
#define MAX_FILE 16777216 // bytes of a file of names
#define MAX_WORDS 16

IrzCode irz_image_add_label(IrzImage *image, const IrzLabelInfo *label, IrzError *error) {
  if (image->n_labels >= MAX_LABELS) return IRZ_OK;
  if ((image->n_labels & (image->n_labels - 1)) == 0) {
    size_t room = image->n_labels > 0 ? 2 * (size_t)image->n_labels : 1;
    IRZ_TRY(irz_resize(&image->labels, room, sizeof *image->labels, error));
  }
  image->labels[image->n_labels++] = *label;
  return IRZ_OK;
}

/// Give a label that the file may know already a name and a color.
static IrzCode put_label(IrzImage *image, const IrzLabelInfo *label, IrzError *error) {
  bool known = false;
  for (int l = 0; l < image->n_labels; l++) {
    if (image->labels[l].value != label->value) continue;
    memcpy(image->labels[l].name, label->name, sizeof label->name);
    if (label->color[0] >= 0) memcpy(image->labels[l].color, label->color, sizeof label->color);
    known = true;
  }
  return known ? IRZ_OK : irz_image_add_label(image, label, error);
}

/* ---- <LabelTable> of an extension ---- */

/// A piece of text, not ended by a zero.
typedef struct {
  const char *at, *end;
} Piece;

/// Move on behind a word.
static bool find_word(Piece *piece, const char *word) {
  if (piece->at >= piece->end) return false;
  const char *found = memmem(piece->at, (size_t)(piece->end - piece->at), word, strlen(word));
  if (found != NULL) piece->at = found + strlen(word);
  return found != NULL;
}

/// An attribute of a tag, as text.
static bool attribute(Piece tag, const char *name, char *value, size_t size) {
  char word[16];
  snprintf(word, sizeof word, " %s=", name);
  if (!find_word(&tag, word) || tag.at >= tag.end || (*tag.at != '"' && *tag.at != '\'')) return false;
  char quote = *tag.at++;
  size_t n = 0;
  while (tag.at < tag.end && *tag.at != quote && n + 1 < size) value[n++] = *tag.at++;
  value[n] = '\0';
  return true;
}

/// The name between two tags: in CDATA or with entities.
static void read_content(Piece content, char name[IRZ_LABEL_NAME_MAX]) {
  static const struct {
    const char *entity;
    char stands;
  } entities[] = {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}};
  Piece data = content, end;
  bool raw = find_word(&data, "<![CDATA[");
  if (raw) {
    end = data;
    content.at = data.at;
    if (find_word(&end, "]]>")) content.end = end.at - 3;
  }
  size_t n = 0;
  while (content.at < content.end && strchr(" \t\r\n", *content.at) != NULL) content.at++;
  while (content.at < content.end && n + 1 < IRZ_LABEL_NAME_MAX) {
    size_t length = 1, left = (size_t)(content.end - content.at);
    char c = *content.at;
    for (size_t e = 0; e < 5 && !raw && c == '&' && length == 1; e++) {
      size_t long_as = strlen(entities[e].entity);
      if (left < long_as || strncmp(content.at, entities[e].entity, long_as) != 0) continue;
      name[n] = entities[e].stands;
      length = long_as;
    }
    if (length == 1) name[n] = c;
    n++;
    content.at += length;
  }
  while (n > 0 && strchr(" \t\r\n", name[n - 1]) != NULL) n--;
  name[n] = '\0';
  irz_utf8_clean(name);
}

/// All labels of a table.
static IrzCode read_table(IrzImage *image, Piece table, IrzError *error) {
  static const char *const colors[] = {"Red", "Green", "Blue"};
  while (find_word(&table, "<Label ")) {
    Piece tag = {table.at - 1, table.end}, content = table, rest;
    char text[32];
    double number;
    if (!find_word(&content, ">")) return IRZ_OK;
    tag.end = content.at;
    rest = content;
    if (!find_word(&rest, "</Label>")) return IRZ_OK;
    content.end = rest.at - strlen("</Label>");
    table.at = rest.at;
    IrzLabelInfo label = {.layer = -1, .region = -1, .color = {-1, -1, -1}};
    if (!attribute(tag, "Key", text, sizeof text) || !irz_number_read(text, &number) || fabs(number) > 2147483647)
      continue;
    label.value = (int64_t)number;
    bool all = true;
    for (int k = 0; k < 3; k++) {
      all = all && attribute(tag, colors[k], text, sizeof text) && irz_number_read(text, &number);
      label.color[k] = all ? (float)fmin(fmax(number, 0), 1) : -1;
    }
    if (!all) label.color[0] = -1;
    read_content(content, label.name);
    IRZ_TRY(irz_image_add_label(image, &label, error));
  }
  return IRZ_OK;
}

IrzCode irz_nifti_names(IrzImage *image, const char *bytes, size_t size, bool swapped, IrzError *error) {
  if (size < 4 || bytes[0] == 0) return IRZ_OK;
  /* Extensions are padded to 16 bytes and follow each other; one that lies about its size ends the list. */
  for (size_t at = 4; at + 8 <= size;) {
    unsigned char b[4];
    memcpy(b, bytes + at, 4);
    const uint16_t one = 1;
    bool little = (*(const uint8_t *)&one == 1) != swapped;
    uint32_t length = little ? b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24
                             : b[3] | (uint32_t)b[2] << 8 | (uint32_t)b[1] << 16 | (uint32_t)b[0] << 24;
    if (length < 8 || length > size - at) length = (uint32_t)(size - at);
    Piece piece = {bytes + at + 8, bytes + at + length}, table;
    if (find_word(&piece, "<LabelTable")) {
      table = piece;
      if (find_word(&piece, "</LabelTable>")) table.end = piece.at;
      IRZ_TRY(read_table(image, table, error));
    }
    at += length;
  }
  return IRZ_OK;
}

/* ---- Files beside an image ---- */

/// Split a line into words; one in quotes is a word with what is in it.
static int split(char *line, char *words[MAX_WORDS], int *quoted) {
  int n = 0;
  *quoted = -1;
  for (char *c = line; n < MAX_WORDS;) {
    c += strspn(c, " \t\r");
    if (*c == '\0') break;
    if (*c == '"') {
      char *end = strchr(++c, '"');
      *quoted = n;
      words[n++] = c;
      if (end == NULL) break;
      *end = '\0';
      c = end + 1;
    } else {
      words[n++] = c;
      c += strcspn(c, " \t\r");
      if (*c == '\0') break;
      *c++ = '\0';
    }
  }
  return n;
}

/// A line of either format: index R G B A visible mesh "name", or index name R G B A.
static bool read_words(char **words, int n, int quoted, IrzLabelInfo *label) {
  double number[4];
  bool snap = n == 8 && quoted == 7;
  if (!snap && (n < 5 || n > 6)) return false;
  if (!irz_number_read(words[0], &number[0]) || number[0] != floor(number[0]) || fabs(number[0]) > 2147483647)
    return false;
  for (int k = 1; k <= 3; k++) {
    if (!irz_number_read(words[snap ? k : k + 1], &number[k]) || number[k] < 0 || number[k] > 255) return false;
  }
  *label = (IrzLabelInfo){.value = (int64_t)number[0], .layer = -1, .region = -1};
  for (int k = 0; k < 3; k++) label->color[k] = (float)(number[k + 1] / 255);
  snprintf(label->name, sizeof label->name, "%s", words[snap ? 7 : 1]);
  irz_utf8_clean(label->name);
  return true;
}

/// All lines of a file of names.
static IrzCode read_lines(const char *path, IrzImage *image, char *text, IrzError *error) {
  int line = 0, n_read = 0;
  for (char *next = text; next != NULL && *next != '\0';) {
    char *words[MAX_WORDS], *now = next;
    int quoted;
    next = strchr(now, '\n');
    if (next != NULL) *next++ = '\0';
    line++;
    now += strspn(now, " \t\r");
    if (*now == '#' || *now == '\0') continue;
    IrzLabelInfo label;
    int n = split(now, words, &quoted);
    if (!read_words(words, n, quoted, &label)) {
      return irz_error_set(error, IRZ_ERR_INPUT,
                           "%s:%d: is no line of an ITK-SNAP label description (index R G B A 1 1 \"name\") or of a "
                           "Slicer colour table (index name R G B A), colours 0 to 255",
                           path, line);
    }
    for (int l = 0; l < n_read; l++) {
      if (image->labels[l].value != label.value) continue;
      return irz_error_set(error, IRZ_ERR_INPUT, "%s:%d: label %lld is stated twice", path, line,
                           (long long)label.value);
    }
    IRZ_TRY(irz_image_add_label(image, &label, error));
    n_read++;
  }
  return n_read > 0 ? IRZ_OK : irz_error_set(error, IRZ_ERR_INPUT, "%s: has no names of labels", path);
}

/// Read a small file as text.
static IrzCode load(const char *path, char **text, IrzError *error) {
  int descriptor;
  off_t size;
  *text = NULL;
  IRZ_TRY(irz_file_open(path, &descriptor, &size, error));
  IrzCode code = IRZ_OK;
  if (size > MAX_FILE) {
    code = irz_error_set(error, IRZ_ERR_INPUT, "%s: is larger than %d bytes; is it a list of names?", path, MAX_FILE);
  }
  if (code == IRZ_OK) code = irz_alloc(text, (size_t)size + 1, 1, error);
  ssize_t got = code == IRZ_OK ? pread(descriptor, *text, (size_t)size, 0) : 0;
  if (got < 0) code = irz_error_set(error, IRZ_ERR_INPUT, "%s: %s", path, strerror(errno));
  close(descriptor);
  if (code == IRZ_OK && memchr(*text, '\0', (size_t)got) != NULL)
    return irz_error_set(error, IRZ_ERR_INPUT, "%s: is no text: it contains a zero byte", path);
  return code;
}

IrzCode irz_names_read(const IrzPlan *plan, IrzImage *image, IrzError *error) {
  if (plan->anatomy.names[0] == '\0') return IRZ_OK;
  const char *path = irz_path_from_here(plan->anatomy.names);
  IrzImage own = {.path = path};
  char *text;
  IrzCode code = load(path, &text, error);
  if (code == IRZ_OK) code = read_lines(path, &own, text, error);
  for (int l = 0; l < own.n_labels && code == IRZ_OK; l++) code = put_label(image, &own.labels[l], error);
  free(own.labels);
  free(text);
  return code;
}
