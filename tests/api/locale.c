/* A host that writes decimal commas gets the same numbers and the same files, byte for byte, and keeps its locale. */
#define _GNU_SOURCE /* nftw, open_memstream, uselocale */
#include "api.h"
#include <irezone/mesh.h>
#include <irezone/model.h>
#include <irezone/sweep.h>
#include <irezone/tissue.h>
#include <locale.h>
#include <petscsys.h>
#include <string.h>

/* Broken numbers of every kind: stated, by default, in lists, in laws, in heating. */
static const char plan_text[] =
    "name: whole\n"
    "mesh: {file: " IRZ_SOURCE_DIR "/meshes/parallel_plates.msh, scale: 1.25}\n"
    "tissues:\n"
    "  default: {preset: liver, sigma: {law: sigmoid, low: 0.125, high: 0.375, center: 580.5, width: 80.25}}\n"
    "probes:\n"
    "  - {name: A, surface: plate_1}\n"
    "  - {name: B, surface: plate_2}\n"
    "pulses: [{from: A, to: B, voltage: 1000.5, count: 20, width: 70.5, rate: 1.5}]\n"
    "zone: {threshold: 512.5, also: [487.25, 600]}\n"
    "generator: {max_voltage: 950.5, max_current: 2.5}\n"
    "heat: {cooling: 2.5, step: 1.25, needles: insulating}\n";
static const char needles_text[] = "mesh: {size: 80.5, accuracy: 12.5}\n"
                                   "tissues: {default: {preset: liver}}\n"
                                   "array: {count: 2, spacing: 14.5, exposure: 17.5}\n"
                                   "pulses: [{from: A, to: B, field: 1250.5}]\n";
static const char sweep_text[] = "plan: p.yaml\nsample: latin-hypercube\ncases: 3\nseed: 7\n"
                                 "vary: {\"pulses[0].voltage\": {normal: [1000.5, 20.25], min: 900.5}}\n"
                                 "set: {zone.threshold: 505.5}\n";

static const char *point; /* what the host writes between digits */

/* The host's functions must find the host's locale. */
static void host_sees_its_own(void) {
  PROMISE(strcmp(localeconv()->decimal_point, point) == 0, "the host's decimal point is %s",
          localeconv()->decimal_point);
  char text[16];
  snprintf(text, sizeof text, "%.1f", 0.5);
  PROMISE(text[1] == point[0], "the host writes %s", text);
}
static void progress(void *context, const char *stage, double fraction) {
  (void)stage;
  (void)fraction;
  ++*(int *)context;
  host_sees_its_own();
}

/* A file as text; times of the wall clock are cut out. */
static char *content(const char *folder, const char *name) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *file = fopen(path, "rb");
  PROMISE(file != NULL, "%s is missing", path);
  char *text = calloc(1, 1 << 22);
  size_t length = fread(text, 1, (1 << 22) - 1, file);
  fclose(file);
  PROMISE(length > 0, "%s is empty", path);
  char *timing = strstr(text, "\"timing_s\"");
  if (timing != NULL) *timing = '\0';
  return text;
}

/* A plan as it is printed, followed by everything else that prints numbers without solving. */
static char *printed(IrzPlan *plan) {
  char *text = NULL;
  size_t size = 0;
  FILE *out = open_memstream(&text, &size);
  irz_plan_print(plan, out);
  irz_plan_help(out);
  irz_presets_print(out);
  irz_preset_print(irz_preset_find("liver"), out);
  fclose(out);
  return text;
}

/* Everything that reads or writes numbers, once. */
/* The counter is written by progress(), which clang-tidy does not see.
   NOLINTNEXTLINE(readability-non-const-parameter) */
static void run_all(const char *folder, int n_calls[1]) {
  IrzError error = {0};
  IrzPlan *plan, *needles;
  IrzModel *model;
  IrzMesh *mesh;
  IrzSweep *sweep;
  IrzSummary summary;
  IrzSweepReport report;
  char path[4096];
  const IrzOverride override = {"pulses[0].count=21"}, bad = {"mesh.scale=0,5"}, worse = {"mesh.scale=1.5e9"};
  const IrzModelOptions options = {.progress = progress, .context = n_calls};
  empty_folder(folder);
  PROMISE(irz_plan_parse(plan_text, "p.yaml", 1, &override, &plan, &error) == IRZ_OK, "%s", error.text);
  PROMISE(irz_plan_parse(needles_text, "n.yaml", 0, NULL, &needles, &error) == IRZ_OK, "%s", error.text);
  host_sees_its_own();
  char *text = printed(plan), *text_needles = printed(needles);
  snprintf(path, sizeof path, "%s/plan.txt", folder);
  PROMISE(irz_file_write(path, text, &error) == IRZ_OK, "%s", error.text);
  snprintf(path, sizeof path, "%s/needles.txt", folder);
  PROMISE(irz_file_write(path, text_needles, &error) == IRZ_OK, "%s", error.text);
  free(text);
  free(text_needles);
  PROMISE(irz_model_create(MPI_COMM_SELF, plan, &options, &model, &error) == IRZ_OK, "%s", error.text);
  PROMISE(irz_model_solve(model, plan, &summary, &error) == IRZ_OK, "%s", error.text);
  PROMISE(irz_model_write(model, folder, &summary, &error) == IRZ_OK, "%s", error.text);
  host_sees_its_own();
  irz_summary_clear(&summary);
  irz_model_free(model);
  PROMISE(irz_mesh_generate(needles, NULL, NULL, &mesh, &error) == IRZ_OK, "%s", error.text);
  host_sees_its_own();
  snprintf(path, sizeof path, "%s/needles.msh", folder);
  PROMISE(irz_mesh_write(mesh, path, &error) == IRZ_OK, "%s", error.text);
  irz_mesh_free(mesh);
  IrzPlan *none;
  PROMISE(irz_plan_parse(plan_text, "p.yaml", 1, &bad, &none, &error) == IRZ_ERR_PLAN, "a decimal comma was taken");
  PROMISE(strstr(error.text, "did you mean 0.5?") != NULL, "%s", error.text);
  PROMISE(irz_plan_parse(plan_text, "p.yaml", 1, &worse, &none, &error) == IRZ_ERR_PLAN, "out of range");
  PROMISE(strchr(error.text, ',') == NULL, "%s", error.text);
  PROMISE(irz_sweep_parse(sweep_text, "s.yaml", plan_text, &sweep, &error) == IRZ_OK, "%s", error.text);
  snprintf(path, sizeof path, "%s/sweep", folder);
  const IrzSweepOptions sweeping = {.directory = path};
  PROMISE(irz_sweep_run(MPI_COMM_SELF, sweep, &sweeping, &report, &error) == IRZ_OK, "%s", error.text);
  PROMISE(report.done == 3 && report.failed == 0, "%d of the cases, %d failed", report.done, report.failed);
  host_sees_its_own();
  irz_sweep_free(sweep);
  irz_plan_free(needles);
  irz_plan_free(plan);
}

/* Cut the column `seconds` out of a table, which is its last but for none. */
static void drop_column(char *table, const char *name) {
  int column = 0, wanted = -1;
  const char *at = table;
  for (; *at != '\0' && *at != '\n'; at += strcspn(at, ",\n"), at += *at == ',', column++) {
    if (strncmp(at, name, strlen(name)) == 0) wanted = column;
  }
  char *to = table;
  column = 0;
  for (at = table; *at != '\0'; at++) {
    if (*at == ',') column++;
    if (*at == '\n') column = 0;
    if (column != wanted || *at == '\n') *to++ = *at;
  }
  *to = '\0';
}

int main(int argc, char **argv) {
  char folder[2][4096];
  static const char *const files[] = {"plan.txt",    "needles.txt",     "whole.json", "whole_heat.csv",
                                      "needles.msh", "sweep/sweep.csv", NULL};
  int n_calls[2] = {0, 0};
  snprintf(folder[0], sizeof folder[0], "%s.c", argc > 1 ? argv[1] : "locale");
  snprintf(folder[1], sizeof folder[1], "%s.comma", argc > 1 ? argv[1] : "locale");
  if (PetscInitialize(&argc, &argv, NULL, NULL) != 0) return 1;
  point = ".";
  run_all(folder[0], &n_calls[0]);
  if (setlocale(LC_ALL, "de_DE.UTF-8") == NULL) {
    puts("skipped: no locale de_DE.UTF-8");
    return 77;
  }
  point = ",";
  run_all(folder[1], &n_calls[1]);
  PROMISE(n_calls[0] > 0 && n_calls[0] == n_calls[1], "progress was told %d and %d times", n_calls[0], n_calls[1]);
  for (int i = 0; files[i] != NULL; i++) {
    char *text[2];
    for (int k = 0; k < 2; k++) {
      text[k] = content(folder[k], files[i]);
      if (strcmp(files[i], "sweep/sweep.csv") == 0) drop_column(text[k], "seconds");
    }
    PROMISE(strcmp(text[0], text[1]) == 0, "%s differs", files[i]);
    free(text[0]);
    free(text[1]);
  }
  /* A thread's own locale stays, too. */
  locale_t own = newlocale(LC_ALL_MASK, "C", (locale_t)0), before = uselocale(own);
  IrzPlan *plan;
  PROMISE(irz_plan_parse(plan_text, "p.yaml", 0, NULL, &plan, NULL) == IRZ_OK, "parse");
  irz_plan_free(plan);
  PROMISE(uselocale((locale_t)0) == own, "the thread's locale is another");
  uselocale(before);
  freelocale(own);
  PetscFinalize();
  return 0;
}
