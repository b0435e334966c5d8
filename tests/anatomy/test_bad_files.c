/* Files of a patient that must be refused, and what is to be doubted: one line, which names the plan's key or the file,
   and says what is wrong and what is allowed. */
#include "nrrd_file.h"

#define TISSUES "tissues: {default: {preset: liver}, a: {preset: liver}}\npulses: {pairs: all, field: 1000}\n"
#define PROBES "array: {count: 2, spacing: 20}\n"
#define MAP_OF(file) "anatomy: {labels: " file ", map: {1: a}}\n" PROBES TISSUES
#define NEEDLES_OF(more)                                                                                               \
  "probes: {markups: f.mrk.json" more "}\npulses: {pairs: all, field: 1000}\ntissues: {default: {preset: liver}}\n"
#define AXES "space: RAS\nsizes: 2 2 2\nspace directions: (1,0,0) (0,1,0) (0,0,1)\nspace origin: (0,0,0)\n"
#define NUMBERS "0 1 0 1 0 1 0 1\n"
#define HEAD "NRRD0004\ntype: uchar\ndimension: 3\nencoding: ascii\n"
#define LINE(points) "{\"markups\": [{\"type\": \"Line\", \"name\": \"A\", \"controlPoints\": [" points "]}]}"
#define POINTS(points) "{\"markups\": [{\"type\": \"Fiducial\", \"controlPoints\": [" points "]}]}"
#define AT(x, y, z) "{\"label\": \"p\", \"position\": [" x ", " y ", " z "]}"
#define TFM(name, parameters)                                                                                          \
  "#Insight Transform File V1.0\n#Transform 0\nTransform: " name "\nParameters: " parameters                           \
  "\nFixedParameters: 0 0 0\n"
#define TWO LINE(AT("0", "0", "0") "," AT("0", "0", "100"))

/* f.nrrd, f.mrk.json or t.tfm, by what it begins with; `wanted` is all of the line but what is in front of it. */
static const struct {
  const char *file, *text, *plan, *wanted;
} rows[] = {
    /* label maps */
    {"f.nrrd", "NRRD0009\n" AXES "\n", MAP_OF("f.nrrd"),
     "f.nrrd:1: header: is \"NRRD0009\"; NRRD0001 to NRRD0005 are known"},
    {"f.nrrd", HEAD AXES "no colon\n\n" NUMBERS, MAP_OF("f.nrrd"),
     "f.nrrd:9: header: is \"no colon\"; \"field: value\" or \"key:=value\" is wanted"},
    {"f.nrrd", HEAD AXES NUMBERS, MAP_OF("f.nrrd"), "f.nrrd:9: header: is \"0 1 0 1 0 1 0 1\""},
    {"f.nrrd", HEAD AXES, MAP_OF("f.nrrd"), "no empty line ends the header, and it names no data file"},
    {"f.nrrd", "NRRD0004\ntype: uchar\ndimension: 3\n" AXES "\n", MAP_OF("f.nrrd"),
     "f.nrrd: the header has no field \"encoding\""},
    {"f.nrrd", "NRRD0004\ndimension: 3\nencoding: raw\n" AXES "\n", MAP_OF("f.nrrd"),
     "f.nrrd: the header has no field \"type\""},
    {"f.nrrd", "NRRD0004\ntype: short\ndimension: 3\nencoding: raw\n" AXES "\n0123456789abcdef", MAP_OF("f.nrrd"),
     "f.nrrd: the header has no field \"endian\", which numbers of 2 bytes need"},
    {"f.nrrd", "NRRD0004\ntype: block\ndimension: 3\n\n", MAP_OF("f.nrrd"),
     "f.nrrd:2: type: is \"block\"; a label map has integers of 8 to 64 bits, float or double"},
    {"f.nrrd", "NRRD0004\nencoding: hex\n\n", MAP_OF("f.nrrd"),
     "f.nrrd:2: encoding: is \"hex\"; raw, gzip, bzip2 or ascii is wanted"},
    {"f.nrrd", "NRRD0004\nendian: middle\n\n", MAP_OF("f.nrrd"),
     "f.nrrd:2: endian: is \"middle\"; little or big is wanted"},
    {"f.nrrd", "NRRD0004\nspace: scanner-xyz\n\n", MAP_OF("f.nrrd"),
     "f.nrrd:2: space: is \"scanner-xyz\"; it does not say where the patient's left is"},
    {"f.nrrd", "NRRD0004\nspace units: \"inch\" \"inch\" \"inch\"\n\n", MAP_OF("f.nrrd"),
     "f.nrrd:2: space units: is \"\"inch\" \"inch\" \"inch\"\"; mm, cm, m or um is wanted"},
    {"f.nrrd", "NRRD0004\nsizes: 2 0 2\n\n", MAP_OF("f.nrrd"),
     "f.nrrd:2: sizes: is \"2 0 2\"; each must be at least 1"},
    {"f.nrrd", HEAD "sizes: 2 2\nspace directions: (1,0,0) (0,1,0) (0,0,1)\n\n", MAP_OF("f.nrrd"),
     "f.nrrd: sizes: has 2 numbers; dimension is 3"},
    {"f.nrrd", HEAD "sizes: 2 2 2\nspace directions: (1,0,0) (0,1,0)\n\n", MAP_OF("f.nrrd"),
     "f.nrrd: space directions: has 2; dimension is 3"},
    {"f.nrrd", HEAD "sizes: 2 2 2\nspace directions: (1,0,0) (0,1) (0,0,1)\n\n", MAP_OF("f.nrrd"),
     "f.nrrd:6: space directions: is"},
    {"f.nrrd", HEAD "space: RAS\nsizes: 2 2 2\n\n" NUMBERS, MAP_OF("f.nrrd"),
     "the header has neither \"space directions\" nor \"spacings\""},
    {"f.nrrd",
     HEAD "space: RAS\nsizes: 2 2 2\nspace origin: (0,0,0)\nspace directions: (1,0,0) (0,1,0) (1,1,0)\n\n" NUMBERS,
     MAP_OF("f.nrrd"), "f.nrrd: the header (space directions) is singular: the voxels have no volume"},
    {"f.nrrd",
     HEAD "space: RAS\nsizes: 2 2 2\nspace origin: (0,nan,0)\nspace directions: (1,0,0) (0,1,0) (0,0,1)\n\n" NUMBERS,
     MAP_OF("f.nrrd"), "has a number that is not finite"},
    {"f.nrrd", HEAD "space: RAS\nsizes: 2 2 2\nspace directions: (1,0,0) (0,1,0) (0,0,1e5)\n\n" NUMBERS,
     MAP_OF("f.nrrd"),
     "voxels of 100000 mm along axis 3; 0.001 to 1000 mm are allowed (space units are not stated, so mm)"},
    {"f.nrrd", HEAD AXES "\n0 1 0 1", MAP_OF("f.nrrd"), "f.nrrd: the file is cut off, or its sizes are wrong"},
    {"f.nrrd", HEAD AXES "\n0 1 0 1 0 1 0 x\n", MAP_OF("f.nrrd"),
     "f.nrrd: there is something in the data that is no number"},
    {"f.nrrd", "NRRD0004\ntype: float\ndimension: 3\nencoding: ascii\n" AXES "\n0 1 0 1 0 1 0 1.5\n", MAP_OF("f.nrrd"),
     "f.nrrd: voxel (1, 1, 1) is 1.5; a label map has only whole numbers"},
    {"f.nrrd",
     "NRRD0004\ntype: float\ndimension: 4\nencoding: raw\nsizes: 2 2 2 5\nspace directions: (1,0,0) (0,1,0) (0,0,1) "
     "none\n\n",
     MAP_OF("f.nrrd"),
     "f.nrrd: 5 numbers along axis 4; a label map has three axes of space and, before them, at most one of up to 4096 "
     "layers"},
    {"f.nrrd",
     "NRRD0004\ntype: uchar\ndimension: 3\nencoding: raw\nsizes: 99999999 99999999 99999999\nspacings: 1 1 1\n\n",
     MAP_OF("f.nrrd"), "f.nrrd: 99999999 x 99999999 x 99999999 voxels; at most 2147483647 are allowed"},
    {"f.nrrd",
     "NRRD0004\ntype: uchar\ndimension: 3\nencoding: gzip\nspace: RAS\nsizes: 1000 1000 1000\nspacings: 1 1 1\n\nabc",
     MAP_OF("f.nrrd"),
     "f.nrrd: the file is cut off, or its sizes are wrong: 3 bytes of data are too few for 1000000000 bytes of voxels"},
    {"f.nrrd",
     "NRRD0004\ntype: uchar\ndimension: 3\nencoding: gzip\nspace: RAS\nsizes: 2 2 2\nspacings: 1 1 1\n\nabcdefghij",
     MAP_OF("f.nrrd"), "f.nrrd: the compressed data are damaged"},
    {"f.nrrd",
     "NRRD0004\ntype: uchar\ndimension: 3\nencoding: bz2\nspace: RAS\nsizes: 2 2 2\nspacings: 1 1 1\n\nabcdefghij",
     MAP_OF("f.nrrd"), "f.nrrd: the compressed data are damaged"},
    {"f.nrrd", HEAD AXES "byte skip: -1\n\n" NUMBERS, MAP_OF("f.nrrd"),
     "byte skip: is -1, which goes together with encoding: raw only"},
    {"f.nrrd", HEAD AXES "line skip: 9\n\n" NUMBERS, MAP_OF("f.nrrd"),
     "line skip: the file has fewer than 9 lines before its data"},
    {"f.nrrd", HEAD AXES "data file: nix.raw\n", MAP_OF("f.nrrd"),
     "f.nrrd: data file: nix.raw: cannot be opened: No such file or directory"},
    {"f.nrrd", HEAD AXES "data file: /dev/zero\n", MAP_OF("f.nrrd"),
     "f.nrrd: data file: /dev/zero: is not a regular file"},
    {"f.nrrd", HEAD AXES "data file: slice%03d.raw 1 4 1\n", MAP_OF("f.nrrd"),
     "f.nrrd:9: data file: is \"slice%03d.raw 1 4 1\"; the voxels must be in one file"},
    {"f.nrrd",
     "NRRD0004\ntype: uchar\ndimension: 4\nencoding: ascii\nsizes: 2 2 2 1\nspace: RAS\nspace directions: none (1,0,0) "
     "(0,1,0) (0,0,1)\nSegment0_ID:=s\nSegment0_Name:=liver\nSegment0_Layer:=5\n\n" NUMBERS,
     MAP_OF("f.nrrd"), "f.nrrd: segment 0 (liver) is in layer 5; the file has layers 0 to 1"},
    {"f.nrrd", "NRRD0004\nSegment0_LabelValue:=one\n\n", MAP_OF("f.nrrd"),
     "f.nrrd:2: Segment0_LabelValue: is \"one\"; a whole number of -2147483648 to 2147483647 is wanted"},
    {"f.nrrd",
     "NRRD0004\ntype: uchar\ndimension: 4\nencoding: ascii\nsizes: 3 2 2 2\nkinds: RGB-color domain domain "
     "domain\nspace directions: none (1,0,0) (0,1,0) (0,0,1)\n\n" NUMBERS,
     MAP_OF("f.nrrd"), "f.nrrd: 3 numbers along axis 1 (RGB-color); a label map has three axes of space"},
    /* labels and their names */
    {"f.nrrd", HEAD AXES "Segment0_ID:=s\nSegment0_Name:=tumour\n\n" NUMBERS,
     "anatomy: {labels: f.nrrd, map: {tumor: a}}\n" PROBES TISSUES,
     "plan.yaml:1: anatomy.map.tumor: f.nrrd has no label of this name; did you mean \"tumour\"? It has tumour"},
    {"f.nrrd", HEAD AXES "\n" NUMBERS, "anatomy: {labels: f.nrrd, map: {liver: a}}\n" PROBES TISSUES,
     "plan.yaml:1: anatomy.map.liver: f.nrrd has no names of labels; state its number, or a file of names as "
     "anatomy.names"},
    {"f.nrrd",
     HEAD AXES "Segment0_ID:=s\nSegment0_Name:=x\nSegment1_ID:=t\nSegment1_Name:=x\nSegment1_LabelValue:=2\n\n" NUMBERS,
     "anatomy: {labels: f.nrrd, map: {x: a}}\n" PROBES TISSUES,
     "plan.yaml:1: anatomy.map.x: two labels have this name: numbers 1 and 2; state the number of the one that is "
     "meant"},
    {"f.nrrd", HEAD AXES "Segment0_ID:=s\nSegment0_Name:=x\n\n" NUMBERS,
     "anatomy: {labels: f.nrrd, map: {x: a, 1: a}}\n" PROBES TISSUES,
     "plan.yaml:1: anatomy.map.1: label 1 is stated twice: by its number and as \"x\""},
    {"f.nrrd", HEAD AXES "\n" NUMBERS, "anatomy: {labels: f.nrrd, names: nix.txt, map: {1: a}}\n" PROBES TISSUES,
     "nix.txt: cannot be opened: No such file or directory"},
    {"f.nrrd", HEAD AXES "\n" NUMBERS, "anatomy: {labels: f.nrrd, names: f.nrrd, map: {1: a}}\n" PROBES TISSUES,
     "f.nrrd:1: is no line of an ITK-SNAP label description"},
    {"n.txt", "1 255 0 0 1 1 1 \"x\"\n1 0 255 0 1 1 1 \"y\"\n",
     "anatomy: {labels: good.nrrd, names: n.txt, map: {1: a}}\n" PROBES TISSUES, "n.txt:2: label 1 is stated twice"},
    {"n.txt", "1 liver 300 0 0 255\n", "anatomy: {labels: good.nrrd, names: n.txt, map: {1: a}}\n" PROBES TISSUES,
     "n.txt:1: is no line of an ITK-SNAP label description (index R G B A 1 1 \"name\") or of a Slicer colour table "
     "(index name R G B A), colours 0 to 255"},
    /* markups */
    {"g.json", "", NEEDLES_OF(""),
     "plan.yaml:1: probes.markups: f.mrk.json: cannot be opened: No such file or directory"},
    {"f.mrk.json", "{\"markups\": [\n}", NEEDLES_OF(""),
     "plan.yaml:1: probes.markups: f.mrk.json:2: is no JSON: unexpected token near '}'"},
    {"f.mrk.json", LINE(AT("NaN", "0", "0") "," AT("0", "0", "1")), NEEDLES_OF(""),
     "f.mrk.json:1: is no JSON: invalid token near 'NaN'"},
    {"f.mrk.json", "{\"nodes\": []}", NEEDLES_OF(""),
     "f.mrk.json: has no list \"markups\": it is no file of Slicer's markups"},
    {"f.mrk.json", "{\"markups\": []}", NEEDLES_OF(""),
     "f.mrk.json: has no needles: markups of type Line, or pairs of Fiducial points, are wanted"},
    {"f.mrk.json", "{\"markups\": [{\"type\": \"ROI\"}]}", NEEDLES_OF(""), "f.mrk.json: has no needles"},
    {"f.mrk.json", LINE(""), NEEDLES_OF(""), "f.mrk.json: markup 1: has no points; a needle has two, tip and entry"},
    {"f.mrk.json", LINE(AT("0", "0", "0")), NEEDLES_OF(""),
     "f.mrk.json: markup 1: is a line of 1 point; a needle has two, tip and entry"},
    {"f.mrk.json", LINE(AT("0", "0", "0") "," AT("0", "0", "0")), NEEDLES_OF(""),
     "markup 1: points 1 and 2 are at the same place, so that the needle has no direction"},
    {"f.mrk.json", POINTS(AT("0", "0", "0") "," AT("0", "0", "9") "," AT("0", "9", "0")), NEEDLES_OF(""),
     "f.mrk.json: markup 1: has 3 points; needles are pairs of points, tip and entry one after the other"},
    {"f.mrk.json", POINTS(AT("0", "0", "0") ",{\"positionStatus\": \"undefined\"}," AT("0", "0", "9")), NEEDLES_OF(""),
     "markup 1: point 1 would make a needle with point 3, but between them are points that have not been placed"},
    {"f.mrk.json", LINE(AT("0", "0", "0") ",{\"position\": [1, 2]}"), NEEDLES_OF(""),
     "f.mrk.json: markups[0].controlPoints[1].position: has not three numbers; it must be [x, y, z]"},
    {"f.mrk.json", LINE(AT("0", "0", "\"z\"") "," AT("0", "0", "0")), NEEDLES_OF(""),
     "markups[0].controlPoints[0].position: has something that is no number; it must be [x, y, z]"},
    {"f.mrk.json", "{\"markups\": [{\"type\": \"Line\", \"coordinateUnits\": \"inch\"}]}", NEEDLES_OF(""),
     "markups[0].coordinateUnits: is \"inch\"; it must be mm, um, cm or m"},
    {"f.mrk.json", "{\"markups\": [{\"type\": \"Line\", \"coordinateSystem\": \"IJK\"}]}", NEEDLES_OF(""),
     "markups[0].coordinateSystem: is \"IJK\"; it must be LPS or RAS"},
    {"f.fcsv", "# CoordinateSystem = LPS\n1,0,nan,0\n", "probes: {markups: f.fcsv}\n" TISSUES,
     "probes.markups: f.fcsv:2: y: is no number"},
    {"f.fcsv", "# CoordinateSystem = 5\n", "probes: {markups: f.fcsv}\n" TISSUES,
     "probes.markups: f.fcsv:1: CoordinateSystem: is \"5\"; it must be LPS, RAS, 0 (RAS) or 1 (LPS)"},
    {"f.mrk.json", TWO, NEEDLES_OF(", tip: entry"), "plan.yaml:1: probes.tip: is \"entry\"; it must be first or last"},
    {"f.mrk.json", TWO, NEEDLES_OF(", only: [B]"),
     "plan.yaml:1: probes.only: the markups have no needle \"B\"; there are A"},
    {"f.mrk.json", TWO, NEEDLES_OF(", exposure: 0"), "plan.yaml:1: probes.exposure: 0 mm is outside 0.1 to 500 mm"},
    {"f.mrk.json", TWO, "probes: {exposure: 20}\n" TISSUES,
     "plan.yaml:1: probes.markups: missing: file or list of files"},
    {"f.mrk.json", TWO, "probes: {name: A, tip: [0, 0, 0]}\n" TISSUES,
     "plan.yaml:1: probes: is one probe; it must be a list of 1 to 6 of them, or {markups: FILE}"},
    {"f.mrk.json", TWO, "probes: {markups: []}\n" TISSUES, "plan.yaml:1: probes.markups: is empty; files are wanted"},
    /* transforms */
    {"t.tfm", "rubbish", "probes: {markups: good.mrk.json, transform: t.tfm}\n" TISSUES,
     "plan.yaml:1: probes.transform: t.tfm: is no transform in ITK's text format"},
    {"t.tfm", TFM("BSplineTransform_double_3_3", "0"), "probes: {markups: good.mrk.json, transform: t.tfm}\n" TISSUES,
     "t.tfm: has the transform \"BSplineTransform_double_3_3\"; one AffineTransform_double_3_3"},
    {"t.tfm", TFM("AffineTransform_double_3_3", "1.01 0 0 0 1 0 0 0 1 0 0 0"),
     "probes: {markups: good.mrk.json, transform: t.tfm}\n" TISSUES, "t.tfm: is not rigid: it scales or shears"},
    {"t.tfm", TFM("AffineTransform_double_3_3", "-1 0 0 0 1 0 0 0 1 0 0 0"),
     "probes: {markups: good.mrk.json, transform: t.tfm}\n" TISSUES, "t.tfm: is not rigid: it mirrors or flattens"},
    {"t.tfm", TFM("AffineTransform_double_3_3", "1 0 0 0 1 0 0 0 1 0 nan 0"),
     "probes: {markups: good.mrk.json, transform: t.tfm}\n" TISSUES, "t.tfm:4: Parameters: 12 numbers are wanted"},
};

/// Read the plan of a row as `irezone check` does.
static IrzCode check(const char *text, IrzPlan **plan, IrzError *error) {
  memset(error, 0, sizeof *error);
  *plan = NULL;
  IrzCode code = irz_plan_parse(text, "plan.yaml", 0, NULL, plan, error);
  return code == IRZ_OK ? irz_plan_check_files(*plan, NULL, NULL, error) : code;
}

static void refused(void **state) {
  int wrong = 0;
  (void)state;
  for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
    IrzPlan *plan;
    IrzError error;
    unlink("f.mrk.json");
    write_parts(rows[r].file, rows[r].text, NULL, 0);
    IrzCode code = check(rows[r].plan, &plan, &error);
    irz_plan_free(plan);
    bool right = (code == IRZ_ERR_PLAN || code == IRZ_ERR_INPUT) && strstr(error.text, rows[r].wanted) != NULL &&
                 strchr(error.text, '\n') == NULL;
    if (right) continue;
    print_error("row %zu: \"%s\", not \"%s\"\n", r, error.text, rows[r].wanted);
    wrong++;
  }
  assert_int_equal(wrong, 0);
}

static void cut_off_gzip(void **state) {
  static const char header[] = "NRRD0004\ntype: uchar\ndimension: 3\nencoding: gzip\nspace: RAS\nsizes: 20 20 "
                               "20\nspacings: 1 1 1\nspace origin: (0,0,0)\n\n";
  unsigned char voxels[8000], packed[9000];
  (void)state;
  for (size_t v = 0; v < sizeof voxels; v++) voxels[v] = (unsigned char)(v * v % 251 % 2);
  size_t size = gzip_bytes(voxels, sizeof voxels, packed, sizeof packed);
  for (size_t cut = 0; cut <= size; cut += cut < size - 20 ? 97 : 1) {
    IrzPlan *plan;
    IrzError error;
    write_parts("cut.nrrd", header, packed, cut);
    IrzCode code = check(MAP_OF("cut.nrrd"), &plan, &error);
    irz_plan_free(plan);
    assert_int_equal(code, cut == size ? IRZ_OK : IRZ_ERR_INPUT);
    if (cut < size && strstr(error.text, "cut.nrrd: the file is cut off") == NULL) fail_msg("%zu: %s", cut, error.text);
  }
  packed[size - 6] ^= 1; /* the checksum */
  IrzPlan *plan;
  IrzError error;
  write_parts("cut.nrrd", header, packed, size);
  assert_int_equal(check(MAP_OF("cut.nrrd"), &plan, &error), IRZ_ERR_INPUT);
  assert_non_null(strstr(error.text, "the compressed data are damaged"));
  irz_plan_free(plan);
}

static void endless_header(void **state) {
  size_t size = 5000000;
  char *text = malloc(size + 1);
  IrzPlan *plan;
  IrzError error;
  (void)state;
  for (size_t i = 0; i < size; i++) text[i] = i % 50 == 49 ? '\n' : '#';
  text[size] = '\0';
  memcpy(text, "NRRD0004\n", 9);
  write_parts("f.nrrd", text, NULL, 0);
  free(text);
  assert_int_equal(check(MAP_OF("f.nrrd"), &plan, &error), IRZ_ERR_INPUT);
  assert_non_null(strstr(error.text, "f.nrrd: the header is longer than 4194304 bytes; is this a NRRD file?"));
  irz_plan_free(plan);
}

/* A needle that is nowhere near the image: it may have been moved in Slicer by a transform that the file does not say.
 */
static void beside_the_image(void **state) {
  IrzPlan *plan;
  IrzError error;
  (void)state;
  write_parts("f.mrk.json",
              "{\"markups\": [{\"type\": \"Line\", \"name\": \"A\", \"controlPoints\": [" AT("500", "0", "0") "," AT(
                  "500", "0",
                  "99") "]}, {\"type\": \"Line\", \"name\": \"B\", \"controlPoints\": [" AT("520", "0",
                                                                                            "0") "," AT("520", "0",
                                                                                                        "99") "]}]}",
              NULL, 0);
  assert_int_equal(
      check("anatomy: {labels: good.nrrd, map: {1: a}}\nprobes: {markups: f.mrk.json}\n" TISSUES, &plan, &error),
      IRZ_OK);
  assert_true(warned(plan, "lie outside the image"));
  assert_true(warned(plan, "Does a transform apply to the markups in Slicer? Harden it before saving them"));
  irz_plan_free(plan);
}

int main(void) {
  char folder[64], command[96];
  enter_folder(folder);
  write_parts("good.nrrd", HEAD AXES "\n" NUMBERS, NULL, 0);
  write_parts("good.mrk.json", TWO, NULL, 0);
  const struct CMUnitTest tests[] = {cmocka_unit_test(refused), cmocka_unit_test(cut_off_gzip),
                                     cmocka_unit_test(endless_header), cmocka_unit_test(beside_the_image)};
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  snprintf(command, sizeof command, "rm -r %s", folder);
  return system(command) == 0 ? failed : 1;
}
