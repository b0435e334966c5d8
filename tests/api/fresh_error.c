/* Every call starts afresh: what an IrzError holds from an earlier call changes nothing, the code that a call returns
   is the one it left there, NULL is as good as an IrzError, and a call that fails keeps no memory. */
#define _GNU_SOURCE /* nftw */
#include "api.h"
#include <irezone/anatomy.h>
#include <irezone/mesh.h>
#include <irezone/model.h>
#include <irezone/session.h>
#include <irezone/start.h>
#include <irezone/sweep.h>
#include <petscsys.h>
#include <string.h>

static const char *folder; /* may be written to */
static IrzPlan *plates, *needles;
static IrzModel *model; /* of the plates, solved */
static IrzMesh *mesh;   /* theirs */
static IrzSweep *sweep;
static IrzSummary summary;
static IrzSession *session; /* that has solved the plates */
static IrzResult *result;   /* theirs */
static const double points[2][3] = {{0, 0, 0}, {1e-3, 1e-3, 1e-3}};
static const IrzVoxelGrid voxels = {{3, 3, 3}, {0, 0, 0}, {{1e-3, 0, 0}, {0, 1e-3, 0}, {0, 0, 1e-3}}};
static const IrzPointGrid grid = {{3, 3, 3}, {0, 0, 0}, {1e-3, 1e-3, 1e-3}};
static const char sweep_text[] = "plan: p.yaml\nvary: {\"pulses[0].voltage\": {values: [900, 1000]}}\n";

static const char *path(const char *name) {
  static char text[2][4096];
  static int turn;
  turn = 1 - turn;
  snprintf(text[turn], sizeof text[turn], "%s/%s", folder, name);
  return text[turn];
}

/* Calls that must succeed. */

static IrzCode good_parse(IrzError *error) {
  IrzPlan *plan;
  const IrzOverride override = {"pulses[0].voltage=900"};
  IrzCode code = irz_plan_parse(PLATES, "p.yaml", 1, &override, &plan, error);
  irz_plan_free(plan);
  return code;
}
static IrzCode good_read(IrzError *error) {
  IrzPlan *plan;
  IrzCode code = irz_plan_read(IRZ_SOURCE_DIR "/examples/parallel_plates.yaml", 0, NULL, &plan, error);
  irz_plan_free(plan);
  return code;
}
static IrzCode good_mesh(IrzError *error) {
  IrzMesh *read;
  IrzCode code = irz_mesh_read(IRZ_SOURCE_DIR "/meshes/parallel_plates.msh", 0, &read, error);
  irz_mesh_free(read);
  return code;
}
static IrzCode good_mesh_check(IrzError *error) {
  return irz_mesh_check(mesh, plates, "plates", error);
}
static IrzCode good_mesh_write(IrzError *error) {
  return irz_mesh_write(mesh, path("copy.msh"), error);
}
static IrzCode good_model(IrzError *error) {
  IrzModel *made;
  IrzCode code = irz_model_create(MPI_COMM_SELF, plates, NULL, &made, error);
  irz_model_free(made);
  return code;
}
static IrzCode good_solve(IrzError *error) {
  IrzSummary found;
  IrzCode code = irz_model_solve(model, plates, &found, error);
  if (code == IRZ_OK) irz_summary_clear(&found);
  return code;
}
static IrzCode good_keep(IrzError *error) {
  return irz_model_keep_start(model, error);
}
static IrzCode good_sample(IrzError *error) {
  uint8_t ablated[27];
  return irz_model_sample_zone(model, &grid, ablated, error);
}
static IrzCode good_write(IrzError *error) {
  return irz_model_write(model, folder, &summary, error);
}
static IrzCode good_output(IrzError *error) {
  return irz_model_check_output(plates, folder, error);
}
static IrzCode good_file(IrzError *error) {
  return irz_file_write(path("text"), "text\n", error);
}
static IrzCode good_sweep(IrzError *error) {
  IrzSweep *made;
  IrzCode code = irz_sweep_parse(sweep_text, "s.yaml", PLATES, &made, error);
  irz_sweep_free(made);
  return code;
}
static IrzCode good_share(IrzError *error) {
  return irz_sweep_share(MPI_COMM_SELF, &sweep, error);
}
static IrzCode good_case(IrzError *error) {
  IrzPlan *plan;
  IrzCode code = irz_sweep_plan(sweep, 2, &plan, error);
  irz_plan_free(plan);
  return code;
}
static IrzCode good_print(IrzError *error) {
  FILE *out = fopen("/dev/null", "w");
  IrzCode code = irz_result_print(path("plates.hdf"), out, error);
  fclose(out);
  return code;
}
static IrzCode good_number(IrzError *error) {
  double volume;
  return irz_summary_number(&summary, "zone.volume_cm3", &volume, error);
}

static IrzCode good_start(IrzError *error) {
  IrzCode code = irz_start(error);
  irz_stop();
  return code;
}
static IrzCode good_session(IrzError *error) {
  IrzSession *made;
  IrzCode code = irz_session_create(MPI_COMM_SELF, NULL, &made, error);
  irz_session_free(made);
  return code;
}
static IrzCode good_session_solve(IrzError *error) {
  IrzResult *found;
  irz_session_forget(session);
  IrzCode code = irz_session_solve(session, plates, &found, error);
  irz_result_free(found);
  return code;
}
static IrzCode good_session_again(IrzError *error) {
  IrzResult *found;
  IrzCode code = irz_session_solve(session, plates, &found, error);
  irz_result_free(found);
  return code;
}
static IrzCode good_result_number(IrzError *error) {
  double volume;
  return irz_result_number(result, "zone.volume_cm3", &volume, error);
}
static IrzCode good_json(IrzError *error) {
  char *json;
  IrzCode code = irz_plan_json(plates, NULL, &json, error);
  free(json);
  return code;
}
static IrzCode good_volumes(IrzError *error) {
  const double level[2] = {5e4, 9e4};
  double volume[2 * 8];
  return irz_result_volumes(result, 2, level, volume, error);
}
static IrzCode good_result_sample(IrzError *error) {
  double value[2];
  return irz_result_sample(result, "field_V_per_cm", 2, points, value, error);
}
static IrzCode good_surface(IrzError *error) {
  IrzSurface surface;
  IrzCode code = irz_result_surface(result, &surface, error);
  irz_surface_clear(&surface);
  return code;
}
static IrzCode good_label_map(IrzError *error) {
  uint8_t label[27];
  return irz_result_label_map(result, &voxels, label, error);
}
static IrzCode good_result_write(IrzError *error) {
  return irz_result_write(result, folder, error);
}

/* Calls that must fail. */

static IrzCode bad_parse(IrzError *error) {
  IrzPlan *plan;
  return irz_plan_parse("name: [", "p.yaml", 0, NULL, &plan, error);
}
static IrzCode bad_parse_late(IrzError *error) {
  IrzPlan *plan;
  const IrzOverride override = {"pulses[0].count=none"};
  return irz_plan_parse(NEEDLES, "p.yaml", 1, &override, &plan, error);
}
static IrzCode bad_read(IrzError *error) {
  IrzPlan *plan;
  return irz_plan_read(path("no such plan"), 0, NULL, &plan, error);
}
static IrzCode bad_mesh(IrzError *error) {
  IrzMesh *read;
  return irz_mesh_read(IRZ_SOURCE_DIR "/examples/parallel_plates.yaml", 0, &read, error);
}
static IrzCode bad_mesh_check(IrzError *error) {
  return irz_mesh_check(mesh, needles, "plates", error);
}
static IrzCode bad_mesh_write(IrzError *error) {
  return irz_mesh_write(mesh, "/proc/no/copy.msh", error);
}
static IrzCode bad_generate(IrzError *error) {
  IrzMesh *made;
  return irz_mesh_generate(plates, NULL, NULL, &made, error);
}
static IrzCode bad_model(IrzError *error) {
  IrzModel *made;
  IrzPlan *plan;
  const IrzOverride override = {"probes[0].surface=no_such_surface"};
  IrzCode code = irz_plan_parse(PLATES, "p.yaml", 1, &override, &plan, error);
  if (code == IRZ_OK) code = irz_model_create(MPI_COMM_SELF, plan, NULL, &made, error);
  irz_plan_free(plan);
  return code;
}
static IrzCode bad_solve(IrzError *error) {
  IrzSummary found;
  return irz_model_solve(model, needles, &found, error);
}
static IrzCode bad_sample(IrzError *error) {
  uint8_t ablated[27];
  IrzPointGrid none = grid;
  none.spacing[1] = 0;
  return irz_model_sample_zone(model, &none, ablated, error);
}
static IrzCode bad_write(IrzError *error) {
  return irz_model_write(model, "/proc/no", &summary, error);
}
static IrzCode bad_output(IrzError *error) {
  return irz_model_check_output(plates, "/proc/no", error);
}
static IrzCode bad_file(IrzError *error) {
  return irz_file_write("/proc/no/text", "text\n", error);
}
static IrzCode bad_compare(IrzError *error) {
  IrzPlan *plan;
  const IrzOverride override = {"patient={compare: {labels: /no/such.nii}}"};
  IrzCode code = irz_plan_parse(PLATES, "p.yaml", 1, &override, &plan, error);
  if (code == IRZ_OK) code = irz_compare_check(plan, error);
  irz_plan_free(plan);
  return code;
}
static IrzCode good_needles(IrzError *error) {
  IrzPlan *plan;
  IrzNeedleChecks *checks = NULL;
  const IrzOverride override = {"patient={needles: {length: 150}}"};
  IrzCode code = irz_plan_parse(PLATES, "p.yaml", 1, &override, &plan, error);
  if (code == IRZ_OK) code = irz_needles_check(plan, NULL, &checks, error);
  irz_needles_free(checks);
  irz_plan_free(plan);
  return code;
}
static IrzCode no_needles(IrzError *error) {
  return irz_needles_check(needles, NULL, NULL, error);
}
static IrzCode bad_sweep(IrzError *error) {
  IrzSweep *made;
  return irz_sweep_parse("plan: p.yaml\nvary: {a: 3}\n", "s.yaml", PLATES, &made, error);
}
static IrzCode bad_sweep_read(IrzError *error) {
  IrzSweep *made;
  return irz_sweep_read(path("no such sweep"), &made, error);
}
static IrzCode bad_case(IrzError *error) {
  IrzPlan *plan;
  return irz_sweep_plan(sweep, 3, &plan, error);
}
static IrzCode bad_print(IrzError *error) {
  return irz_result_print(path("text"), stdout, error);
}
static IrzCode bad_number(IrzError *error) {
  double volume;
  return irz_summary_number(&summary, "zone.volume", &volume, error);
}
static IrzCode bad_labels(IrzError *error) {
  IrzLabelMap *map;
  IrzPlan *plan;
  const IrzOverride overrides[] = {{"anatomy={labels: /no/such.nii, map: {1: default}}"}};
  IrzCode code = irz_plan_parse(NEEDLES, "p.yaml", 1, overrides, &plan, error);
  if (code == IRZ_OK) code = irz_label_map_read(plan, &map, error);
  irz_plan_free(plan);
  return code;
}

static IrzCode bad_session_solve(IrzError *error) {
  IrzResult *found;
  IrzPlan *plan;
  const IrzOverride override = {"probes[0].surface=no_such_surface"};
  IrzCode code = irz_plan_parse(PLATES, "p.yaml", 1, &override, &plan, error);
  if (code == IRZ_OK) code = irz_session_solve(session, plan, &found, error);
  irz_plan_free(plan);
  return code;
}
static IrzCode bad_result_number(IrzError *error) {
  double volume;
  return irz_result_number(result, "zone.volume", &volume, error);
}
static IrzCode bad_json(IrzError *error) {
  char *json;
  return irz_plan_json(plates, "pulses[9].voltage", &json, error);
}
static IrzCode no_volumes(IrzError *error) {
  const double level = 5e4;
  return irz_result_volumes(result, 1, &level, NULL, error);
}
static IrzCode bad_result_sample(IrzError *error) {
  double value[2];
  return irz_result_sample(result, "temperature_peak_C", 2, points, value, error);
}
static IrzCode bad_label_map(IrzError *error) {
  uint8_t label[27];
  IrzVoxelGrid flat = voxels;
  flat.step[2][2] = 0;
  return irz_result_label_map(result, &flat, label, error);
}
static IrzCode bad_result_write(IrzError *error) {
  return irz_result_write(result, "/proc/no", error);
}

/* Calls without what they need: refused, never a crash. */

static IrzCode no_plan(IrzError *error) {
  IrzModel *made;
  return irz_model_create(MPI_COMM_SELF, NULL, NULL, &made, error);
}
static IrzCode no_model(IrzError *error) {
  IrzSummary found;
  return irz_model_solve(NULL, plates, &found, error);
}
static IrzCode no_summary(IrzError *error) {
  return irz_model_solve(model, plates, NULL, error);
}
static IrzCode no_text(IrzError *error) {
  IrzPlan *plan;
  return irz_plan_parse(NULL, "p.yaml", 0, NULL, &plan, error);
}
static IrzCode no_path(IrzError *error) {
  return irz_plan_read("p.yaml", 0, NULL, NULL, error);
}
static IrzCode no_sweep(IrzError *error) {
  IrzPlan *plan;
  return irz_sweep_plan(NULL, 1, &plan, error);
}
static IrzCode no_number(IrzError *error) {
  return irz_summary_number(&summary, "zone.volume_cm3", NULL, error);
}
static IrzCode no_session(IrzError *error) {
  IrzResult *found;
  return irz_session_solve(NULL, plates, &found, error);
}
static IrzCode no_session_plan(IrzError *error) {
  IrzResult *found;
  return irz_session_solve(session, NULL, &found, error);
}
static IrzCode no_points(IrzError *error) {
  double value;
  return irz_result_sample(result, "zone", 1, NULL, &value, error);
}
static IrzCode no_surface(IrzError *error) {
  return irz_result_surface(result, NULL, error);
}
static IrzCode no_result(IrzError *error) {
  double volume;
  return irz_result_number(NULL, "zone.volume_cm3", &volume, error);
}
static IrzCode empty_summary(IrzError *error) {
  IrzSummary nothing = {0};
  return irz_model_write(model, folder, &nothing, error);
}

static const struct {
  const char *name;
  IrzCode (*call)(IrzError *error);
  IrzCode wanted;
  int rounds; /* the quick ones a thousand times, those that build or write fewer */
} calls[] = {
    {"parse", good_parse, IRZ_OK, 1000},
    {"needles", good_needles, IRZ_OK, 1000},
    {"bad compare", bad_compare, IRZ_ERR_INPUT, 1000},
    {"read", good_read, IRZ_OK, 1000},
    {"mesh", good_mesh, IRZ_OK, 40},
    {"mesh check", good_mesh_check, IRZ_OK, 40},
    {"mesh write", good_mesh_write, IRZ_OK, 20},
    {"model", good_model, IRZ_OK, 40},
    {"solve", good_solve, IRZ_OK, 40},
    {"keep", good_keep, IRZ_OK, 1000},
    {"sample", good_sample, IRZ_OK, 40},
    {"write", good_write, IRZ_OK, 12},
    {"output", good_output, IRZ_OK, 40},
    {"file", good_file, IRZ_OK, 40},
    {"sweep", good_sweep, IRZ_OK, 1000},
    {"share", good_share, IRZ_OK, 1000},
    {"case", good_case, IRZ_OK, 1000},
    {"print", good_print, IRZ_OK, 40},
    {"number", good_number, IRZ_OK, 1000},
    {"start", good_start, IRZ_OK, 1000},
    {"session", good_session, IRZ_OK, 1000},
    {"session, solve", good_session_solve, IRZ_OK, 40},
    {"session, again", good_session_again, IRZ_OK, 1000},
    {"result, number", good_result_number, IRZ_OK, 1000},
    {"plan as JSON", good_json, IRZ_OK, 1000},
    {"result, volumes", good_volumes, IRZ_OK, 40},
    {"result, sample", good_result_sample, IRZ_OK, 40},
    {"result, surface", good_surface, IRZ_OK, 40},
    {"result, label map", good_label_map, IRZ_OK, 40},
    {"result, write", good_result_write, IRZ_OK, 12},
    {"bad session solve", bad_session_solve, IRZ_ERR_INPUT, 40},
    {"bad result number", bad_result_number, IRZ_ERR_PLAN, 1000},
    {"bad JSON", bad_json, IRZ_ERR_PLAN, 1000},
    {"no needles", no_needles, IRZ_ERR_PLAN, 1000},
    {"no volumes", no_volumes, IRZ_ERR_PLAN, 1000},
    {"bad result sample", bad_result_sample, IRZ_ERR_PLAN, 1000},
    {"bad label map", bad_label_map, IRZ_ERR_PLAN, 1000},
    {"bad result write", bad_result_write, IRZ_ERR_OUTPUT, 100},
    {"no session", no_session, IRZ_ERR_PLAN, 1000},
    {"no session plan", no_session_plan, IRZ_ERR_PLAN, 1000},
    {"no points", no_points, IRZ_ERR_PLAN, 1000},
    {"no surface", no_surface, IRZ_ERR_PLAN, 1000},
    {"no result", no_result, IRZ_ERR_PLAN, 1000},
    {"bad parse", bad_parse, IRZ_ERR_PLAN, 1000},
    {"bad parse, late", bad_parse_late, IRZ_ERR_PLAN, 1000},
    {"bad read", bad_read, IRZ_ERR_PLAN, 1000},
    {"bad mesh", bad_mesh, IRZ_ERR_INPUT, 1000},
    {"bad mesh check", bad_mesh_check, IRZ_ERR_INPUT, 40},
    {"bad mesh write", bad_mesh_write, IRZ_ERR_OUTPUT, 1000},
    {"bad generate", bad_generate, IRZ_ERR_PLAN, 100},
    {"bad model", bad_model, IRZ_ERR_INPUT, 40},
    {"bad solve", bad_solve, IRZ_ERR_PLAN, 1000},
    {"bad sample", bad_sample, IRZ_ERR_PLAN, 1000},
    {"bad write", bad_write, IRZ_ERR_OUTPUT, 100},
    {"bad output", bad_output, IRZ_ERR_OUTPUT, 100},
    {"bad file", bad_file, IRZ_ERR_OUTPUT, 1000},
    {"bad sweep", bad_sweep, IRZ_ERR_PLAN, 1000},
    {"bad sweep read", bad_sweep_read, IRZ_ERR_PLAN, 1000},
    {"bad case", bad_case, IRZ_ERR_PLAN, 1000},
    {"bad print", bad_print, IRZ_ERR_INPUT, 100},
    {"bad number", bad_number, IRZ_ERR_PLAN, 1000},
    {"bad labels", bad_labels, IRZ_ERR_INPUT, 1000},
    {"no plan", no_plan, IRZ_ERR_PLAN, 1000},
    {"no model", no_model, IRZ_ERR_PLAN, 1000},
    {"no summary", no_summary, IRZ_ERR_PLAN, 1000},
    {"no number", no_number, IRZ_ERR_PLAN, 1000},
    {"no text", no_text, IRZ_ERR_PLAN, 1000},
    {"no path", no_path, IRZ_ERR_PLAN, 1000},
    {"no sweep", no_sweep, IRZ_ERR_PLAN, 1000},
    {"empty summary", empty_summary, IRZ_ERR_PLAN, 1000},
};

/* One call with an error that an earlier call left. */
static void check(int i) {
  static const IrzCode stale[] = {IRZ_ERR_SOLVER, IRZ_ERR_STOPPED, IRZ_OK};
  for (int k = 0; k < 3; k++) {
    IrzError error = {.code = stale[k]};
    snprintf(error.text, sizeof error.text, "an old error");
    IrzCode code = calls[i].call(&error);
    PROMISE(code == calls[i].wanted, "%s returned %d: %s", calls[i].name, (int)code, error.text);
    PROMISE(error.code == code, "%s returned %d and left %d", calls[i].name, (int)code, (int)error.code);
    PROMISE(strstr(error.text, "an old error") == NULL, "%s left an old text", calls[i].name);
    PROMISE((error.text[0] != '\0') == (code != IRZ_OK), "%s: code %d, text \"%s\"", calls[i].name, (int)code,
            error.text);
  }
  PROMISE(calls[i].call(NULL) == calls[i].wanted, "%s without an IrzError", calls[i].name);
}

int main(int argc, char **argv) {
  folder = argc > 1 ? argv[1] : "fresh_error";
  empty_folder(folder);
  if (PetscInitialize(&argc, &argv, NULL, NULL) != 0) return 1;
  IrzError error = {0};
  IrzCode code = irz_plan_parse(PLATES, "p.yaml", 0, NULL, &plates, &error);
  if (code == IRZ_OK) code = irz_plan_parse(NEEDLES, "p.yaml", 0, NULL, &needles, &error);
  if (code == IRZ_OK) code = irz_mesh_read(IRZ_SOURCE_DIR "/meshes/parallel_plates.msh", 0, &mesh, &error);
  if (code == IRZ_OK) code = irz_model_create(MPI_COMM_SELF, plates, NULL, &model, &error);
  /* Before the first solve there is nothing to ask for. */
  PROMISE(irz_model_keep_start(model, &error) == IRZ_ERR_PLAN, "keep before solve");
  PROMISE(good_sample(&error) == IRZ_ERR_PLAN, "sample before solve");
  if (code == IRZ_OK) code = irz_model_solve(model, plates, &summary, &error);
  if (code == IRZ_OK) code = irz_model_write(model, folder, &summary, &error);
  if (code == IRZ_OK) code = irz_sweep_parse(sweep_text, "s.yaml", PLATES, &sweep, &error);
  if (code == IRZ_OK) code = irz_session_create(MPI_COMM_SELF, NULL, &session, &error);
  if (code == IRZ_OK) code = irz_session_solve(session, plates, &result, &error);
  PROMISE(code == IRZ_OK, "%s", error.text);
  /* sigma (V / 10 mm) x 4 cm2 */
  PROMISE(summary.pulses[0].current > 7.999999 && summary.pulses[0].current < 8.000001, "%.9g A",
          summary.pulses[0].current);
  for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
    size_t before = 0;
    for (int round = 0; round < calls[i].rounds; round++) {
      if (round == calls[i].rounds / 2) before = held(); /* what libraries set up once is there by now */
      check((int)i);
    }
    size_t after = held();
    /* The heap's own caches come and go by some thousand bytes. */
    PROMISE(after <= before + 16384, "%s: %zu bytes more after %d calls", calls[i].name, after - before,
            calls[i].rounds * 2);
  }
  irz_summary_clear(&summary);
  irz_sweep_free(sweep);
  irz_result_free(result);
  irz_session_free(session);
  irz_model_free(model);
  irz_mesh_free(mesh);
  irz_plan_free(needles);
  irz_plan_free(plates);
  PetscFinalize();
  return 0;
}
