/* Relative paths in a plan count from the folder that they counted from when it was read or created, wherever the host
   goes afterwards, also for paths that are set there. */
#define _GNU_SOURCE /* nftw */
#include "api.h"
#include <irezone/model.h>
#include <petscsys.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Plates of 4 cm2, 10 mm apart. */
#define TWO_PLATES                                                                                                     \
  "tissues: {default: {sigma: {law: constant, value: 0.2}, threshold: 500}}\n"                                         \
  "probes: [{name: A, surface: plate_1}, {name: B, surface: plate_2}]\n"                                               \
  "pulses: [{from: A, to: B, voltage: 1000, count: 10, width: 100, rate: 1}]\n"

static const char *folder;

static void go(const char *where) {
  char path[4096];
  snprintf(path, sizeof path, "%s%s", where[0] == '~' ? folder : "", where + (where[0] == '~'));
  PROMISE(chdir(path) == 0, "cannot go to %s", path);
}

static void promise_solves(const IrzPlan *plan, const char *what) {
  IrzError error = {0};
  IrzModel *model;
  IrzSummary summary;
  PROMISE(irz_plan_mesh_file(plan)[0] == '/', "%s: the mesh is %s", what, irz_plan_mesh_file(plan));
  PROMISE(irz_model_create(MPI_COMM_SELF, plan, NULL, &model, &error) == IRZ_OK, "%s: %s", what, error.text);
  PROMISE(irz_model_solve(model, plan, &summary, &error) == IRZ_OK, "%s: %s", what, error.text);
  /* 0.2 S/m x 4 cm2 / 10 mm x 1000 V */
  double current = summary.pulses[0].current;
  PROMISE(current > 8 - 1e-5 && current < 8 + 1e-5, "%s: %.9g A", what, current);
  irz_summary_clear(&summary);
  irz_model_free(model);
}

static void write_text(const char *path, const char *text) {
  FILE *file = fopen(path, "w");
  PROMISE(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0, "cannot write %s", path);
}

/* A plan that was read from a file, and is changed elsewhere. */
static void read_and_leave(void) {
  IrzError error = {0};
  IrzPlan *plan, *copy;
  go("~");
  PROMISE(irz_plan_read("plans/p.yaml", 0, NULL, &plan, &error) == IRZ_OK, "%s", error.text);
  go("/");
  promise_solves(plan, "read, elsewhere");
  PROMISE(irz_plan_set(plan, "mesh.file", "second.msh", &error) == IRZ_OK, "%s", error.text);
  promise_solves(plan, "set, elsewhere");
  PROMISE(irz_plan_copy(plan, &copy, &error) == IRZ_OK, "%s", error.text);
  PROMISE(irz_plan_set(copy, "mesh.file", "../meshes/first.msh", &error) == IRZ_OK, "%s", error.text);
  promise_solves(copy, "set in a copy, elsewhere");
  irz_plan_free(plan);
  irz_plan_free(copy);
}

/* A plan that was begun in memory: paths count from where that was. */
static void create_and_leave(void) {
  IrzError error = {0};
  IrzPlan *plan;
  const IrzChange changes[] = {
      {"mesh.file", "../meshes/first.msh"},
      {"tissues.default", "{sigma: {law: constant, value: 0.2}, threshold: 500}"},
      {"probes", "[{name: A, surface: plate_1}, {name: B, surface: plate_2}]"},
      {"pulses", "[{from: A, to: B, voltage: 1000, count: 10, width: 100, rate: 1}]"},
  };
  go("~/plans");
  PROMISE(irz_plan_create(&plan, &error) == IRZ_OK, "%s", error.text);
  go("/");
  PROMISE(irz_plan_change(plan, sizeof changes / sizeof changes[0], changes, &error) == IRZ_OK, "%s", error.text);
  promise_solves(plan, "created");
  irz_plan_free(plan);
}

/* Where the current folder is gone, whole paths still work, and a relative one is refused with the reason. */
static void nowhere(void) {
  IrzError error = {0};
  IrzPlan *plan;
  char path[4096];
  snprintf(path, sizeof path, "%s/gone", folder);
  PROMISE(mkdir(path, 0777) == 0, "%s", path);
  go("~/gone");
  PROMISE(rmdir(path) == 0, "%s", path);
  PROMISE(irz_plan_parse(PLATES, "plan.yaml", 0, NULL, &plan, &error) == IRZ_OK, "%s", error.text);
  PROMISE(irz_plan_set(plan, "mesh.file", "first.msh", &error) == IRZ_ERR_PLAN, "a path from nowhere");
  PROMISE(strstr(error.text, "state the whole path") != NULL, "%s", error.text);
  irz_plan_free(plan);
  snprintf(path, sizeof path, "%s/plans/p.yaml", folder);
  PROMISE(irz_plan_read(path, 0, NULL, &plan, &error) == IRZ_OK, "%s", error.text);
  promise_solves(plan, "read from nowhere");
  irz_plan_free(plan);
  go("/");
}

int main(int argc, char **argv) {
  char place[4096];
  PetscInitialize(&argc, &argv, NULL, NULL);
  empty_folder(argv[1]);
  folder = realpath(argv[1], place);
  go("~");
  PROMISE(mkdir("plans", 0777) == 0 && mkdir("meshes", 0777) == 0, "%s", folder);
  PROMISE(symlink(IRZ_SOURCE_DIR "/meshes/parallel_plates.msh", "meshes/first.msh") == 0, "%s", folder);
  PROMISE(symlink("../meshes/first.msh", "plans/second.msh") == 0, "%s", folder);
  write_text("plans/p.yaml", "mesh: {file: ../meshes/first.msh}\n" TWO_PLATES);
  read_and_leave();
  create_and_leave();
  nowhere();
  PetscFinalize();
  return 0;
}
