#include "io/vtp.h"
#include "base/memory.h"
#include "base/replace.h"
#include <inttypes.h>
#include <string.h>

/// Where the next array begins among the bytes after the markup.
typedef struct {
  FILE *out;
  uint64_t offset;
} Place;

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

/// Announce an array, which takes `bytes` after its length.
static void announce(Place *place, const char *type, const char *name, int components, uint64_t bytes) {
  fprintf(place->out, "<DataArray type=\"%s\" Name=\"", type);
  irz_xml_text(place->out, name);
  fprintf(place->out, "\" NumberOfComponents=\"%d\" format=\"appended\" offset=\"%" PRIu64 "\"/>\n", components,
          place->offset);
  place->offset += sizeof(uint64_t) + bytes;
}

static void announce_all(Place *place, const char *tag, int n, const IrzArray *arrays, uint64_t rows) {
  bool normals = false;
  for (int i = 0; i < n; i++)
    normals = normals || (arrays[i].components == 3 && strcmp(arrays[i].name, "Normals") == 0);
  fprintf(place->out, "<%s%s>\n", tag, normals ? " Normals=\"Normals\"" : "");
  for (int i = 0; i < n; i++) {
    const IrzArray *array = &arrays[i];
    announce(place, word_of(array->type), array->name, array->components,
             rows * (uint64_t)array->components * bytes_of(array->type));
  }
  fprintf(place->out, "</%s>\n", tag);
}

/// Announce cells with a number of points each.
static void announce_cells(Place *place, const char *tag, uint64_t n, uint64_t points) {
  fprintf(place->out, "<%s>\n", tag);
  announce(place, "Int32", "connectivity", 1, points * n * sizeof(int32_t));
  announce(place, "Int32", "offsets", 1, n * sizeof(int32_t));
  fprintf(place->out, "</%s>\n", tag);
}

static void announce_texts(FILE *out, int n, const IrzVtpText *texts) {
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

static void write_markup(const IrzVtp *surface, FILE *out) {
  Place place = {out, 0};
  const uint16_t one = 1;
  bool little = *(const unsigned char *)&one == 1;
  uint64_t lines = (uint64_t)surface->n_lines, triangles = (uint64_t)surface->n_triangles;
  fprintf(out,
          "<?xml version=\"1.0\"?>\n<VTKFile type=\"PolyData\" version=\"1.0\" byte_order=\"%s\" "
          "header_type=\"UInt64\">\n<PolyData>\n",
          little ? "LittleEndian" : "BigEndian");
  announce_texts(out, surface->n_texts, surface->texts);
  fprintf(out,
          "<Piece NumberOfPoints=\"%" PRId32 "\" NumberOfVerts=\"0\" NumberOfLines=\"%" PRId32
          "\" NumberOfStrips=\"0\" NumberOfPolys=\"%" PRId32 "\">\n",
          surface->n_points, surface->n_lines, surface->n_triangles);
  announce_all(&place, "PointData", surface->n_point_arrays, surface->point_arrays, (uint64_t)surface->n_points);
  announce_all(&place, "CellData", surface->n_cell_arrays, surface->cell_arrays, lines + triangles);
  fputs("<Points>\n", out);
  announce(&place, "Float32", "Points", 3, (uint64_t)surface->n_points * 3 * sizeof(float));
  fputs("</Points>\n", out);
  announce_cells(&place, "Lines", lines, 2);
  announce_cells(&place, "Polys", triangles, 3);
  fputs("</Piece>\n</PolyData>\n<AppendedData encoding=\"raw\">\n_", out);
}

/// Write an array after its length.
static void append(FILE *out, const void *data, uint64_t bytes) {
  fwrite(&bytes, sizeof bytes, 1, out);
  if (bytes > 0) fwrite(data, 1, bytes, out);
}

static void append_all(FILE *out, int n, const IrzArray *arrays, uint64_t rows) {
  for (int i = 0; i < n; i++) {
    append(out, arrays[i].data, rows * (uint64_t)arrays[i].components * bytes_of(arrays[i].type));
  }
}

static void append_cells(FILE *out, const int32_t *cells, int32_t n, int points) {
  append(out, cells, (uint64_t)n * (uint64_t)points * sizeof *cells);
  const uint64_t bytes = (uint64_t)n * sizeof(int32_t);
  fwrite(&bytes, sizeof bytes, 1, out);
  for (int32_t i = 1; i <= n; i++) {
    const int32_t offset = points * i;
    fwrite(&offset, sizeof offset, 1, out);
  }
}

static void append_points(FILE *out, const IrzVtp *surface) {
  const double sign = surface->half_turn ? -1 : 1;
  const uint64_t bytes = (uint64_t)surface->n_points * 3 * sizeof(float);
  fwrite(&bytes, sizeof bytes, 1, out);
  for (int32_t i = 0; i < surface->n_points; i++) {
    const double *x = surface->points[i];
    const float place[3] = {(float)(sign * 1e3 * x[0]), (float)(sign * 1e3 * x[1]), (float)(1e3 * x[2])};
    fwrite(place, sizeof place, 1, out);
  }
}

IrzCode irz_vtp_write(const char *path, const IrzVtp *surface, IrzError *error) {
  IrzReplace file;
  FILE *out;
  IRZ_TRY(irz_replace_begin(&file, path, error));
  IRZ_TRY(irz_replace_stream(&file, &out, error));
  write_markup(surface, out);
  append_all(out, surface->n_point_arrays, surface->point_arrays, (uint64_t)surface->n_points);
  append_all(out, surface->n_cell_arrays, surface->cell_arrays,
             (uint64_t)surface->n_lines + (uint64_t)surface->n_triangles);
  append_points(out, surface);
  append_cells(out, (const int32_t *)surface->lines, surface->n_lines, 2);
  append_cells(out, (const int32_t *)surface->triangles, surface->n_triangles, 3);
  fputs("\n</AppendedData>\n</VTKFile>\n", out);
  return irz_replace_commit(&file, error);
}
