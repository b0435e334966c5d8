/* Needles from markups: places, names and lengths, in either frame, unit and format, and carried to another scan. */
#include "nrrd_file.h"

#define PULSES "pulses: {pairs: all, field: 1000}\ntissues: {default: {preset: liver}}\n"
#define POINT(label, x, y, z) "{\"id\":\"1\",\"label\":\"" label "\",\"position\":[" #x "," #y "," #z "]}"
#define MARKUP(type, more, points) "{\"type\":\"" type "\"," more "\"controlPoints\":[" points "]}"
#define FILE_OF(markups)                                                                                               \
  "{\"@schema\":\"https://raw.githubusercontent.com/slicer/slicer/master/Modules/Loadable/Markups/Resources/Schema/"   \
  "markups-schema-v1.0.3.json#\",\"markups\":[" markups "]}"

/// Read a plan that must be right.
static IrzPlan *read_right(const char *text, int n_set, const IrzOverride *set) {
  IrzPlan *plan;
  IrzError error = {.code = IRZ_OK};
  if (irz_plan_parse(text, "plan.yaml", n_set, set, &plan, &error) != IRZ_OK) fail_msg("%s", error.text);
  return plan;
}

/// A probe of the plan, mm in RAS.
static void expect_probe(const IrzPlan *plan, int p, const char *name, double x, double y, double z, double dx,
                         double dy, double dz, double length) {
  const IrzProbe *probe = &plan->probes[p];
  const double tip[3] = {x, y, z}, direction[3] = {dx, dy, dz};
  assert_string_equal(probe->name, name);
  for (int k = 0; k < 3; k++) {
    assert_near(1e3 * probe->tip[k], tip[k], 1e-9);
    assert_near(probe->direction[k], direction[k], 1e-12);
  }
  assert_near(1e3 * probe->length, length, 1e-9);
}

/* Files with the needles A, tip (10, -5, -10) and entry (10, -5, 140) in RAS, and B, 20 mm to its left. */
static const struct {
  const char *name, *text, *warning;
} files[] = {
    {"lines.mrk.json",
     FILE_OF(MARKUP("Line", "\"name\":\"A\",\"coordinateSystem\":\"LPS\",\"coordinateUnits\":\"mm\",",
                    POINT("A-tip", -10, 5, -10) "," POINT(
                        "A-entry", -10, 5, 140)) "," MARKUP("Line", "\"name\":\"B\",",
                                                            POINT("x", 10, 5, -10) "," POINT("y", 10, 5, 140))),
     NULL},
    {"ras.mrk.json",
     FILE_OF(MARKUP("Line", "\"coordinateSystem\":\"RAS\",\"coordinateUnits\":[\"mm\",\"UCUM\",\"millimeter\"],",
                    POINT("A-1", 10, -5, -10) "," POINT(
                        "A-2", 10, -5, 140)) "," MARKUP("Line", "\"coordinateSystem\":\"RAS\",",
                                                        POINT("B", -10, -5, -10) "," POINT("B entry", -10, -5, 140))),
     NULL},
    {"um.mrk.json",
     FILE_OF(MARKUP("Line", "\"name\":\"A\",\"coordinateUnits\":\"um\",",
                    POINT("", -10000, 5000, -10000) "," POINT(
                        "", -10000, 5000, 140000)) "," MARKUP("Line", "\"name\":\"B\",",
                                                              POINT("", 10, 5, -10) "," POINT("", 10, 5, 140))),
     "its coordinates are in um and are converted to mm"},
    {"points.mrk.json",
     FILE_OF(MARKUP(
         "Fiducial", "",
         "{\"label\":\"new\",\"position\":[0,0,0],\"positionStatus\":\"preview\"}," POINT("A", -10, 5, -10) "," POINT(
             "A", -10, 5, 140) "," POINT("B-tip", 10, 5,
                                         -10) "," POINT("B-entry", 10, 5,
                                                        140) ",{\"label\":\"later\",\"position\":[],\"positionStatus\":"
                                                             "\"undefined\"}") "," MARKUP("ROI", "", "")),
     "has not been placed (positionStatus: preview) and is left out"},
    {"points.fcsv",
     "\xef\xbb\xbf# Markups fiducial file version = 4.11\n# CoordinateSystem = LPS\n"
     "# columns = id,x,y,z,ow,ox,oy,oz,vis,sel,lock,label,desc,associatedNodeID\n"
     "1,-10,5,-10,0,0,0,1,1,1,0,A,,\r\n2,-10,5,140,0,0,0,1,1,1,0,A,,\n3,10,5,-10,0,0,0,1,1,1,0,\"B\",\"a, b\",\n"
     "4,10,5,140,0,0,0,1,1,1,0,B,,\n",
     NULL},
    {"old.fcsv",
     "# Markups fiducial file version = 4.6\n# CoordinateSystem = 0\n"
     "1,10,-5,-10,0,0,0,1,1,1,0,A,,\n2,10,-5,140,0,0,0,1,1,1,0,A,,\n3,-10,-5,-10,0,0,0,1,1,1,0,B,,\n"
     "4,-10,-5,140,0,0,0,1,1,1,0,B,,\n",
     NULL},
    {"nowhere.fcsv",
     "1,-10,5,-10,0,0,0,1,1,1,0,A,,\n2,-10,5,140,0,0,0,1,1,1,0,A,,\n3,10,5,-10,0,0,0,1,1,1,0,B,,\n"
     "4,10,5,140,0,0,0,1,1,1,0,B,,\n",
     "does not state its CoordinateSystem, which is taken for LPS"},
};

static void formats(void **state) {
  (void)state;
  for (size_t f = 0; f < sizeof files / sizeof files[0]; f++) {
    char text[512];
    write_parts(files[f].name, files[f].text, NULL, 0);
    for (int lps = 0; lps < 2; lps++) { /* the plan's own frame does not matter */
      snprintf(text, sizeof text, "frame: %s\nprobes: {markups: %s, exposure: 15}\n" PULSES, lps ? "LPS" : "RAS",
               files[f].name);
      IrzPlan *plan = read_right(text, 0, NULL);
      assert_int_equal(plan->n_probes, 2);
      expect_probe(plan, 0, "A", 10, -5, -10, 0, 0, 1, 150);
      expect_probe(plan, 1, "B", -10, -5, -10, 0, 0, 1, 150);
      assert_near(plan->probes[1].exposure, 0.015, 1e-15);
      if (files[f].warning != NULL && !warned(plan, files[f].warning)) fail_msg("%s", files[f].name);
      /* The text has the probes themselves: it is the same plan without the files. */
      IrzPlan *again = read_right(irz_plan_text(plan), 0, NULL);
      expect_probe(again, 1, "B", -10, -5, -10, 0, 0, 1, 150);
      assert_string_equal(irz_plan_text(again), irz_plan_text(plan));
      irz_plan_free(again);
      irz_plan_free(plan);
    }
  }
}

static void several_files(void **state) {
  (void)state;
  write_parts("left.mrk.json", FILE_OF(MARKUP("Line", "", POINT("L-1", -10, 5, -10) "," POINT("L-2", -10, 5, 140))),
              NULL, 0);
  write_parts("right one.mrk.json", FILE_OF(MARKUP("Line", "", POINT("L-1", 10, 5, -10) "," POINT("L-2", 10, 5, 140))),
              NULL, 0);
  IrzPlan *plan =
      read_right("probes: {markups: [left.mrk.json, right one.mrk.json], tip: last, exposure: 20}\n" PULSES, 0, NULL);
  expect_probe(plan, 0, "left", 10, -5, 140, 0, 0, -1, 150); /* both are called L: by their files */
  expect_probe(plan, 1, "right_one", -10, -5, 140, 0, 0, -1, 150);
  assert_true(warned(plan, "they are called left, right_one"));
  irz_plan_free(plan);
}

static void names_of_points(void **state) {
  (void)state;
  /* As Slicer labels a list of points, and as the file of a planner does, which joined three lists. */
  write_parts("f.mrk.json",
              FILE_OF(MARKUP("Fiducial", "",
                             POINT("F-1", 0, 0, 0) "," POINT("F-2", 0, 0, 100) "," POINT("F-3", 20, 0, 0) "," POINT(
                                 "F-4", 20, 0, 100))),
              NULL, 0);
  IrzPlan *plan = read_right("probes: {markups: f.mrk.json, exposure: 20}\n" PULSES, 0, NULL);
  assert_string_equal(plan->probes[0].name, "F-1");
  assert_string_equal(plan->probes[1].name, "F-3");
  irz_plan_free(plan);
  write_parts("e.mrk.json",
              FILE_OF(MARKUP("Fiducial", "",
                             POINT("E-1", 0, 0, 0) "," POINT("E-2", 0, 0, 100) "," POINT("E-1", 20, 0, 0) "," POINT(
                                 "E-2", 20, 0, 100))),
              NULL, 0);
  plan = read_right("probes: {markups: e.mrk.json, exposure: 20}\n" PULSES, 0, NULL);
  assert_string_equal(plan->probes[0].name, "E_1");
  assert_string_equal(plan->probes[1].name, "E_2");
  irz_plan_free(plan);
  plan = read_right("probes: {markups: f.mrk.json, only: [F-3, F-1]}\npulses: [{from: F-3, to: F-1, voltage: 1000}]\n"
                    "tissues: {default: {preset: liver}}\n",
                    0, NULL);
  assert_string_equal(plan->probes[0].name, "F-3");
  irz_plan_free(plan);
}

static void changed_one_by_one(void **state) {
  static const IrzOverride set[] = {{"probes[0].tip=[-10, 5, -12]"}, {"probes.exposure=10"}, {"frame=LPS"}};
  IrzError error;
  double number;
  (void)state;
  write_parts("lines.mrk.json", files[0].text, NULL, 0);
  static const char text[] = "probes: {markups: lines.mrk.json, exposure: 15}\n" PULSES;
  IrzPlan *plan = read_right(text, 3, set); /* the frame counts for the tip that is stated, whichever comes first */
  expect_probe(plan, 0, "A", 10, -5, -12, 0, 0, 1, 150);
  expect_probe(plan, 1, "B", -10, -5, -10, 0, 0, 1, 150);
  assert_near(plan->probes[1].exposure, 0.01, 1e-15);
  irz_plan_free(plan);
  plan = read_right(text, 0, NULL);
  assert_int_equal(irz_plan_number(plan, "probes[1].tip[0]", &number, &error), IRZ_OK);
  assert_near(number, -10, 1e-12);
  assert_int_equal(irz_plan_set(plan, "probes.exposure", "12", &error), IRZ_OK);
  assert_int_equal(irz_plan_set(plan, "probes[1].tip", "[-12, -5, -10]", &error), IRZ_OK);
  expect_probe(plan, 1, "B", -12, -5, -10, 0, 0, 1, 150);
  expect_probe(plan, 0, "A", 10, -5, -10, 0, 0, 1, 150);
  assert_near(plan->probes[0].exposure, 0.012, 1e-15);
  irz_plan_free(plan);
}

/* A scan that lies turned by 90 degrees about z and moved by (1, 2, 3), in LPS: points p of the first are at
   R p + (1, 2, 3) in the second. Its file has the inverse: R' (q - (1, 2, 3)), stated with a centre. */
static void transforms(void **state) {
  static const char *const names[] = {"AffineTransform_double_3_3", "MatrixOffsetTransformBase_double_3_3"};
  (void)state;
  write_parts("lines.mrk.json", files[0].text, NULL, 0);
  for (int n = 0; n < 2; n++) {
    char text[512];
    /* R = [0 -1 0; 1 0 0; 0 0 1], R' = [0 1 0; -1 0 0; 0 0 1]; R'(q - c) + t + c with c = (10, 0, 0) must be
       R' q - R'(1,2,3), so t = R' c - c - R'(1,2,3) = (0,-10,0) - (10,0,0) - (2,-1,3) = (-12, -9, -3). */
    snprintf(text, sizeof text,
             "#Insight Transform File V1.0\n#Transform 0\nTransform: %s\nParameters: 0 1 0 -1 0 0 0 0 1 -12 -9 -3\n"
             "FixedParameters: 10 0 0\n",
             names[n]);
    write_parts("move.tfm", text, NULL, 0);
    IrzPlan *plan =
        read_right("probes: {markups: lines.mrk.json, exposure: 15, transform: move.tfm}\n" PULSES, 0, NULL);
    /* A is at (-10, 5, -10) in LPS: R A = (-5, -10, -10), moved (-4, -8, -7); in RAS (4, 8, -7). */
    expect_probe(plan, 0, "A", 4, 8, -7, 0, 0, 1, 150);
    /* B, (10, 5, -10): (-5, 10, -10), (-4, 12, -7), in RAS (4, -12, -7) */
    expect_probe(plan, 1, "B", 4, -12, -7, 0, 0, 1, 150);
    irz_plan_free(plan);
  }
}

/* The file of a planner, and the landmarks of an atlas; see the README beside them. */
static void real_files(void **state) {
  IrzError error;
  IrzPlan *plan;
  (void)state;
  if (access(IRZ_SOURCE_DIR "/../shared/real/markups/ablation_endpoints.mrk.json", R_OK) != 0) {
    print_message("skipped: ../shared/real/markups is missing\n");
    skip();
  }
  plan = read_right("probes: {markups: " IRZ_SOURCE_DIR "/../shared/real/markups/ablation_endpoints.mrk.json, only: "
                    "[Endpoints_1, Endpoints_3], exposure: 20}\n" PULSES,
                    0, NULL);
  assert_near(1e3 * plan->probes[0].tip[0], -101.76579925650557, 1e-9);
  assert_near(1e3 * plan->probes[0].tip[1], -5.808550185873614, 1e-9);
  assert_near(1e3 * plan->probes[1].tip[2], -18, 1e-9);
  /* |(13.94 - 91.08, 72.26 + 9.53, 0)| */
  assert_near(1e3 * plan->probes[1].length,
              hypot(13.940520446096656 - 91.07806691449815, 72.25836431226766 + 9.526022304832708), 1e-9);
  irz_plan_free(plan);
  static const char atlas[] = IRZ_SOURCE_DIR "/../shared/real/markups/afids_tpl-MNI152NLin2009cAsym.mrk.json";
  char text[1024];
  snprintf(text, sizeof text, "probes: {markups: %s, only: [\"1\", \"5\"]}\n" PULSES, atlas);
  plan = read_right(text, 0, NULL);
  assert_near(1e3 * plan->probes[0].tip[1], 2.93275, 1e-9); /* RAS in the file, too */
  irz_plan_free(plan);
  snprintf(text, sizeof text, "probes: {markups: %s}\n" PULSES, atlas);
  assert_int_equal(irz_plan_parse(text, "plan.yaml", 0, NULL, &plan, &error), IRZ_ERR_PLAN);
  assert_non_null(
      strstr(error.text, "makes 16 needles; at most 6 are allowed: choose some by name, as in only: [1, 3"));
}

int main(void) {
  char folder[64], command[96];
  enter_folder(folder);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(formats),         cmocka_unit_test(several_files),
      cmocka_unit_test(names_of_points), cmocka_unit_test(changed_one_by_one),
      cmocka_unit_test(transforms),      cmocka_unit_test(real_files),
  };
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  snprintf(command, sizeof command, "rm -r %s", folder);
  return system(command) == 0 ? failed : 1;
}
