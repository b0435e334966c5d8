/* A plan changed in memory, or built there without any YAML, gives the numbers and files of the same plan read from a
   file, bit for bit: voltage, needle and pull-back count everywhere. Solving does not change a plan. */
#define _GNU_SOURCE /* nftw */
#include "api.h"
#include <irezone/model.h>
#include <petscsys.h>
#include <string.h>

static const char *folder;

/* Solve a plan, write it, and return its summary as text without what the clock says. */
static char *solved(const IrzPlan *plan, IrzSummary *summary) {
  IrzError error = {0};
  IrzModel *model;
  char *before = strdup(irz_plan_text(plan));
  int n_warnings = irz_plan_n_warnings(plan);
  PROMISE(irz_model_create(MPI_COMM_SELF, plan, NULL, &model, &error) == IRZ_OK, "%s", error.text);
  PROMISE(irz_model_solve(model, plan, summary, &error) == IRZ_OK, "%s", error.text);
  PROMISE(irz_model_write(model, folder, summary, &error) == IRZ_OK, "%s", error.text);
  PROMISE(strcmp(before, irz_plan_text(plan)) == 0 && irz_plan_n_warnings(plan) == n_warnings, "a solve changed it");
  irz_model_free(model);
  free(before);
  char *json = irz_summary_json(summary), *timing = strstr(json, "\"timing_s\"");
  PROMISE(timing != NULL, "no times in the summary");
  *timing = '\0';
  return json;
}

/* Both plans solve to the same, in every digit that the summary has. */
static void promise_same_results(const IrzPlan *a, const IrzPlan *b) {
  IrzSummary found[2];
  char *text[2] = {solved(a, &found[0]), solved(b, &found[1])};
#ifndef IRZ_SANITIZED /* a mesh made twice is the same on glibc's heap, not on a sanitizer's */
  PROMISE(strcmp(text[0], text[1]) == 0, "summaries differ:\n%s\n%s", text[0], text[1]);
  PROMISE(found[0].zone.volume == found[1].zone.volume && found[0].zone.volume > 0, "%.17g and %.17g m3",
          found[0].zone.volume, found[1].zone.volume);
  PROMISE(found[0].n_pulses == found[1].n_pulses, "%d and %d pulses", found[0].n_pulses, found[1].n_pulses);
  for (int i = 0; i < found[0].n_pulses; i++) {
    PROMISE(found[0].pulses[i].voltage == found[1].pulses[i].voltage, "pulse %d", i);
    PROMISE(found[0].pulses[i].current == found[1].pulses[i].current, "pulse %d", i);
  }
#endif
  for (int k = 0; k < 2; k++) {
    free(text[k]);
    irz_summary_clear(&found[k]);
  }
}

static void promise_same(const IrzPlan *a, const IrzPlan *b) {
  PROMISE(strcmp(irz_plan_text(a), irz_plan_text(b)) == 0, "texts differ:\n%s\n%s", irz_plan_text(a), irz_plan_text(b));
  promise_same_results(a, b);
}

static IrzPlan *parsed(const char *text) {
  IrzError error = {0};
  IrzPlan *plan;
  PROMISE(irz_plan_parse(text, "plan", 0, NULL, &plan, &error) == IRZ_OK, "%s", error.text);
  return plan;
}

#define PROBES(tip, voltage)                                                                                           \
  "name: moved\n"                                                                                                      \
  "mesh: {size: 60, accuracy: 20, order: 1}\n"                                                                         \
  "tissues: {default: {preset: liver}}\n"                                                                              \
  "probes: [{name: A, tip: [-7.5, 0, -10], exposure: 10}, {name: B, tip: " tip ", exposure: 10}]\n"                    \
  "pulses: [{from: A, to: B, voltage: " voltage "}]\n"                                                                 \
  "pullback: {step: 10, count: 1}\n"

/* Voltage and needle changed, with a pull-back. */
static void changed(void) {
  IrzError error = {0};
  IrzPlan *plan = parsed(PROBES("[7.5, 0, -10]", "2000")), *copy, *file = parsed(PROBES("[7, 1.5, -10]", "1234.5"));
  PROMISE(irz_plan_copy(plan, &copy, &error) == IRZ_OK, "%s", error.text);
  PROMISE(irz_plan_set_number(copy, "pulses[0].voltage", 1234.5, &error) == IRZ_OK, "%s", error.text);
  PROMISE(irz_plan_set(copy, "probes[1].tip", "[7, 1.5, -10]", &error) == IRZ_OK, "%s", error.text);
  double value = 0;
  PROMISE(irz_plan_number(copy, "pulses[0].voltage", &value, &error) == IRZ_OK && value == 1234.5, "%g", value);
  PROMISE(irz_plan_number(copy, "probes[1].tip[1]", &value, &error) == IRZ_OK && value == 1.5, "%g", value);
  PROMISE(irz_plan_number(plan, "pulses[0].voltage", &value, &error) == IRZ_OK && value == 2000, "the copied plan: %g",
          value);
  promise_same(copy, file);
  irz_plan_free(plan);
  irz_plan_free(copy);
  irz_plan_free(file);
}

/* Built key by key, in any order, without YAML. */
static void built(void) {
  IrzError error = {0};
  IrzPlan *plan, *file = parsed("name: built\n"
                                "pulses: [{voltage: 1500.25, from: P, to: Q}]\n"
                                "probes: [{name: P, tip: [-6, 0, -8], exposure: 10}, {name: Q, tip: [6, 0, -8], "
                                "exposure: 10}]\n"
                                "mesh: {size: 60, accuracy: 20, order: 1}\n"
                                "tissues: {default: {preset: kidney}}\n");
  PROMISE(irz_plan_create(&plan, &error) == IRZ_OK, "%s", error.text);
  PROMISE(irz_plan_check(plan, &error) == IRZ_ERR_PLAN && strstr(error.text, "missing") != NULL, "%s", error.text);
  IrzModel *model;
  IrzCode code = irz_model_create(MPI_COMM_SELF, plan, NULL, &model, &error);
  PROMISE(code == IRZ_ERR_PLAN && strstr(error.text, "missing") != NULL, "an empty plan: %d %s", (int)code, error.text);
  /* What is there must be right from the first on. */
  PROMISE(irz_plan_set(plan, "mesh.size", "-3", &error) == IRZ_ERR_PLAN, "a negative size");
  PROMISE(irz_plan_set(plan, "pulses[0].voltage", "much", &error) == IRZ_ERR_PLAN, "a voltage in words");
  PROMISE(irz_plan_set(plan, "volts", "3", &error) == IRZ_ERR_PLAN, "an unknown key");
  code = irz_plan_set_text(plan, "name", "built", &error);
  if (code == IRZ_OK) code = irz_plan_set_number(plan, "pulses[0].voltage", 1500.25, &error);
  if (code == IRZ_OK) code = irz_plan_set_text(plan, "pulses[0].from", "P", &error);
  if (code == IRZ_OK) code = irz_plan_set_text(plan, "pulses[0].to", "Q", &error);
  if (code == IRZ_OK) code = irz_plan_set_text(plan, "probes[0].name", "P", &error);
  if (code == IRZ_OK) code = irz_plan_set(plan, "probes[0].tip", "[-6, 0, -8]", &error);
  if (code == IRZ_OK) code = irz_plan_set_number(plan, "probes[0].exposure", 10, &error);
  if (code == IRZ_OK) code = irz_plan_set_text(plan, "probes[1].name", "Q", &error);
  if (code == IRZ_OK) code = irz_plan_set(plan, "probes[1].tip", "[6, 0, -8]", &error);
  if (code == IRZ_OK) code = irz_plan_set_number(plan, "probes[1].exposure", 10, &error);
  if (code == IRZ_OK) code = irz_plan_set_number(plan, "mesh.size", 60, &error);
  if (code == IRZ_OK) code = irz_plan_set_number(plan, "mesh.accuracy", 20, &error);
  if (code == IRZ_OK) code = irz_plan_set_number(plan, "mesh.order", 1, &error);
  PROMISE(code == IRZ_OK, "%s", error.text);
  PROMISE(irz_plan_check(plan, &error) == IRZ_ERR_PLAN && strstr(error.text, "tissues") != NULL, "%s", error.text);
  PROMISE(irz_plan_set_text(plan, "tissues.default.preset", "kidney", &error) == IRZ_OK, "%s", error.text);
  PROMISE(irz_plan_check(plan, &error) == IRZ_OK, "%s", error.text);
  promise_same_results(plan, file);
  /* A complete plan stays so. */
  PROMISE(irz_plan_remove(plan, "tissues", &error) == IRZ_ERR_PLAN, "tissues removed");
  PROMISE(irz_plan_check(plan, &error) == IRZ_OK, "%s", error.text);
  irz_plan_free(plan);
  irz_plan_free(file);
}

int main(int argc, char **argv) {
  folder = argc > 1 ? argv[1] : "changed_plan";
  empty_folder(folder);
  if (PetscInitialize(&argc, &argv, NULL, NULL) != 0) return 1;
  changed();
  built();
  PetscFinalize();
  return 0;
}
