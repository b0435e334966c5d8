/* The key of a plan; see key.h. What decides a mesh is listed here and nowhere else. */
#include "model/key.h"
#include "base/memory.h"
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void add_bytes(FILE *out, const void *bytes, size_t size) {
  fwrite(bytes, 1, size, out);
}

static void add_text(FILE *out, const char *text) {
  add_bytes(out, text, strlen(text) + 1);
}

/// Numbers; zero has one sign.
static void add_numbers(FILE *out, const double *number, int n) {
  for (int i = 0; i < n; i++) {
    double value = number[i] + 0.0;
    add_bytes(out, &value, sizeof value);
  }
}

static void add_int(FILE *out, int value) {
  add_bytes(out, &value, sizeof value);
}

static void add_mesh(FILE *out, const IrzPlan *plan) {
  add_text(out, plan->mesh.file);
  if (plan->mesh.file[0] != '\0') {
    add_numbers(out, &plan->mesh.scale, 1);
  } else {
    add_numbers(out, &plan->mesh.size, 1);
    add_numbers(out, &plan->mesh.accuracy, 1);
  }
  add_int(out, plan->mesh.order);
  add_int(out, (int)plan->idle_probes);
}

static void add_probe(FILE *out, const IrzProbe *probe) {
  add_text(out, probe->name);
  add_text(out, probe->surface);
  add_int(out, probe->has_geometry);
  if (!probe->has_geometry) return;
  add_numbers(out, probe->tip, 3);
  add_numbers(out, probe->direction, 3);
  add_numbers(out, &probe->exposure, 1);
  add_numbers(out, &probe->diameter, 1);
  add_numbers(out, probe->plate, 2);
  add_numbers(out, probe->side, 3);
  add_int(out, (int)probe->tip_shape);
  add_int(out, probe->place);
}

static void add_needles(FILE *out, const IrzPlan *plan) {
  add_int(out, plan->n_probes);
  for (int p = 0; p < plan->n_probes; p++) add_probe(out, &plan->probes[p]);
  add_numbers(out, &plan->pullback.step, 1);
  add_int(out, plan->pullback.count);
}

static void add_anatomy(FILE *out, const IrzPlan *plan) {
  add_text(out, plan->anatomy.labels);
  add_int(out, (int)plan->anatomy.frame);
  if (plan->anatomy.labels[0] == '\0') return;
  add_int(out, (int)plan->anatomy.transform);
  add_text(out, plan->anatomy.names);
  add_int(out, plan->anatomy.n_map);
  for (int i = 0; i < plan->anatomy.n_map; i++) {
    const IrzLabel *label = &plan->anatomy.map[i];
    add_text(out, label->name);
    add_int(out, label->name[0] != '\0' ? -1 : label->label); /* a name's number is not known before it is read */
    add_text(out, plan->anatomy.map[i].region);
  }
}

/// A file as it is now: which one, how large, and when it was written.
static void add_file(FILE *out, const char *path) {
  struct stat status;
  if (path[0] == '\0') return;
  if (stat(path, &status) != 0) status = (struct stat){.st_size = -1};
  add_bytes(out, &status.st_ino, sizeof status.st_ino);
  add_bytes(out, &status.st_size, sizeof status.st_size);
  add_bytes(out, &status.st_mtim.tv_sec, sizeof status.st_mtim.tv_sec);
  add_bytes(out, &status.st_mtim.tv_nsec, sizeof status.st_mtim.tv_nsec);
}

IrzCode irz_key_make(const IrzPlan *plan, IrzKeyKind kind, IrzKey *key, IrzError *error) {
  IrzText text;
  *key = (IrzKey){NULL, 0};
  IRZ_TRY(irz_text_begin(&text, error));
  FILE *out = text.out;
  bool whole = kind != IRZ_KEY_ANATOMY;
  if (whole) add_mesh(out, plan);
  if (whole) add_needles(out, plan);
  add_anatomy(out, plan);
  /* In a loaded mesh the tissue between the needles of a pair is looked at. */
  bool pairs = kind == IRZ_KEY_START || (kind == IRZ_KEY_SESSION && plan->mesh.file[0] != '\0');
  for (int i = 0; i < plan->n_pulses && pairs; i++) {
    add_int(out, plan->pulses[i].from);
    add_int(out, plan->pulses[i].to);
  }
  for (int t = 0; t < plan->n_tissues && kind != IRZ_KEY_MESH; t++) add_text(out, plan->tissues[t].region);
  if (kind == IRZ_KEY_SESSION) add_file(out, plan->mesh.file);
  if (kind == IRZ_KEY_SESSION || kind == IRZ_KEY_ANATOMY) add_file(out, plan->anatomy.labels);
  if (kind == IRZ_KEY_SESSION || kind == IRZ_KEY_ANATOMY) add_file(out, plan->anatomy.names);
  if (kind == IRZ_KEY_SESSION) add_file(out, plan->patient.compare.labels);
  if (kind == IRZ_KEY_ANATOMY) add_text(out, plan->file);
  IRZ_TRY(irz_text_end(&text, &key->bytes, error));
  key->size = text.size;
  return IRZ_OK;
}

bool irz_key_equal(const IrzKey *a, const IrzKey *b) {
  return a->size == b->size && memcmp(a->bytes, b->bytes, a->size) == 0;
}

uint64_t irz_key_hash(const IrzKey *key) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (size_t i = 0; i < key->size; i++) hash = (hash ^ (unsigned char)key->bytes[i]) * 0x100000001b3u;
  return hash;
}

void irz_key_clear(IrzKey *key) {
  free(key->bytes);
  *key = (IrzKey){NULL, 0};
}
