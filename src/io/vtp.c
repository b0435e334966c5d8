#include "io/vtp.h"
#include "base/memory.h"
#include "base/replace.h"
#include <inttypes.h>
#include <string.h>

/// Bytes on their way to base64, three at a time.
typedef struct {
  FILE *out;
  unsigned char waiting[3];
  int n; ///< that wait
} Coder;

static size_t bytes_of(IrzType type) {
  static const size_t bytes[] = {[IRZ_FLOAT64] = 8, [IRZ_UINT8] = 1, [IRZ_INT32] = 4, [IRZ_INT64] = 8};
  return bytes[type];
}

static const char *word_of(IrzType type) {
  static const char *const word[] = {
      [IRZ_FLOAT64] = "Float64", [IRZ_UINT8] = "UInt8", [IRZ_INT32] = "Int32", [IRZ_INT64] = "Int64"};
  return word[type];
}

void irz_xml_text(FILE *out, const char *text) {
  for (const char *c = text; *c != '\0'; c++) {
    switch (*c) {
    case '&':
      fputs("&amp;", out);
      break;
    case '<':
      fputs("&lt;", out);
      break;
    case '>':
      fputs("&gt;", out);
      break;
    case '"':
      fputs("&quot;", out);
      break;
    default:
      fputc((unsigned char)*c < ' ' ? ' ' : *c, out);
    }
  }
}

/// Write the bytes that wait as four characters.
static void encode(Coder *coder) {
  static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  unsigned bits = 0;
  for (int i = 0; i < 3; i++) bits = bits << 8 | (i < coder->n ? coder->waiting[i] : 0);
  for (int i = 0; i < 4; i++) fputc(i <= coder->n ? digit[bits >> (18 - 6 * i) & 63] : '=', coder->out);
  coder->n = 0;
}

static void put(Coder *coder, const void *data, uint64_t bytes) {
  const unsigned char *byte = data;
  for (uint64_t i = 0; i < bytes; i++) {
    coder->waiting[coder->n++] = byte[i];
    if (coder->n == 3) encode(coder);
  }
}

/// Begin an array of so many bytes, whose length comes first.
static Coder begin(FILE *out, const char *type, const char *name, int components, uint64_t bytes) {
  Coder coder = {.out = out};
  fprintf(out, "<DataArray type=\"%s\" Name=\"", type);
  irz_xml_text(out, name);
  fprintf(out, "\" NumberOfComponents=\"%d\" format=\"binary\">\n", components);
  put(&coder, &bytes, sizeof bytes);
  return coder;
}

static void end(Coder *coder) {
  if (coder->n > 0) encode(coder);
  fputs("\n</DataArray>\n", coder->out);
}

static void write_arrays(FILE *out, const char *tag, int n, const IrzArray *arrays, uint64_t rows) {
  bool normals = false;
  for (int i = 0; i < n; i++)
    normals = normals || (arrays[i].components == 3 && strcmp(arrays[i].name, "Normals") == 0);
  fprintf(out, "<%s%s>\n", tag, normals ? " Normals=\"Normals\"" : "");
  for (int i = 0; i < n; i++) {
    const IrzArray *array = &arrays[i];
    uint64_t bytes = rows * (uint64_t)array->components * bytes_of(array->type);
    Coder coder = begin(out, word_of(array->type), array->name, array->components, bytes);
    put(&coder, array->data, bytes);
    end(&coder);
  }
  fprintf(out, "</%s>\n", tag);
}

/// Write cells with a number of points each.
static void write_cells(FILE *out, const char *tag, const int32_t *cells, int32_t n, int points) {
  uint64_t bytes = (uint64_t)n * sizeof(int32_t);
  fprintf(out, "<%s>\n", tag);
  Coder coder = begin(out, "Int32", "connectivity", 1, (uint64_t)points * bytes);
  put(&coder, cells, (uint64_t)points * bytes);
  end(&coder);
  coder = begin(out, "Int32", "offsets", 1, bytes);
  for (int32_t i = 1; i <= n; i++) {
    const int32_t offset = points * i;
    put(&coder, &offset, sizeof offset);
  }
  end(&coder);
  fprintf(out, "</%s>\n", tag);
}

static void write_points(FILE *out, const IrzVtp *surface) {
  const double sign = surface->half_turn ? -1 : 1;
  fputs("<Points>\n", out);
  Coder coder = begin(out, "Float32", "Points", 3, (uint64_t)surface->n_points * 3 * sizeof(float));
  for (int32_t i = 0; i < surface->n_points; i++) {
    const double *x = surface->points[i];
    const float place[3] = {(float)(sign * 1e3 * x[0]), (float)(sign * 1e3 * x[1]), (float)(1e3 * x[2])};
    put(&coder, place, sizeof place);
  }
  end(&coder);
  fputs("</Points>\n", out);
}

static void write_texts(FILE *out, int n, const IrzVtpText *texts) {
  if (n == 0) return;
  fputs("<FieldData>\n", out);
  for (int i = 0; i < n; i++) {
    fputs("<Array type=\"String\" Name=\"", out);
    irz_xml_text(out, texts[i].name);
    fputs("\" NumberOfTuples=\"1\" format=\"ascii\">", out);
    for (const char *c = texts[i].value; *c != '\0'; c++) fprintf(out, "%d ", (unsigned char)*c);
    fputs("0</Array>\n", out);
  }
  fputs("</FieldData>\n", out);
}

/* Arrays are in base64 within the markup. Raw bytes behind it would be a quarter smaller, but VTK 9.1 does not read
   them with an expat that puts off what it has not seen whole, as Debian 12's does since 2.5.0-1+deb12u2. */
IrzCode irz_vtp_write(const char *path, const IrzVtp *surface, IrzError *error) {
  IrzReplace file;
  FILE *out;
  IRZ_TRY(irz_replace_begin(&file, path, error));
  IRZ_TRY(irz_replace_stream(&file, &out, error));
  const uint16_t one = 1;
  bool little = *(const unsigned char *)&one == 1;
  uint64_t lines = (uint64_t)surface->n_lines, triangles = (uint64_t)surface->n_triangles;
  fprintf(out,
          "<?xml version=\"1.0\"?>\n<VTKFile type=\"PolyData\" version=\"1.0\" byte_order=\"%s\" "
          "header_type=\"UInt64\">\n<PolyData>\n",
          little ? "LittleEndian" : "BigEndian");
  write_texts(out, surface->n_texts, surface->texts);
  fprintf(out,
          "<Piece NumberOfPoints=\"%" PRId32 "\" NumberOfVerts=\"0\" NumberOfLines=\"%" PRId32
          "\" NumberOfStrips=\"0\" NumberOfPolys=\"%" PRId32 "\">\n",
          surface->n_points, surface->n_lines, surface->n_triangles);
  write_arrays(out, "PointData", surface->n_point_arrays, surface->point_arrays, (uint64_t)surface->n_points);
  write_arrays(out, "CellData", surface->n_cell_arrays, surface->cell_arrays, lines + triangles);
  write_points(out, surface);
  write_cells(out, "Lines", (const int32_t *)surface->lines, surface->n_lines, 2);
  write_cells(out, "Polys", (const int32_t *)surface->triangles, surface->n_triangles, 3);
  fputs("</Piece>\n</PolyData>\n</VTKFile>\n", out);
  return irz_replace_commit(&file, error);
}
