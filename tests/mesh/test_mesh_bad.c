/* Bad files end with one clear line. Each case is a good file with one thing replaced. */
#include "mesh/msh_read.h"
#include "mesh_sample.h"
#include "testing.h"

static const char good22[] = "$MeshFormat\n2.2 0 8\n$EndMeshFormat\n"
                             "$PhysicalNames\n2\n2 1 \"metal\"\n3 2 \"liver\"\n$EndPhysicalNames\n"
                             "$Nodes\n5\n1 0 0 0\n2 1 0 0\n3 0 1 0\n4 0 0 1\n5 1 1 1\n$EndNodes\n"
                             "$Elements\n3\n1 2 2 1 1 1 2 3\n2 4 2 2 1 1 2 3 4\n3 4 2 2 1 2 5 3 4\n$EndElements\n";

static const char good41[] = "$MeshFormat\n4.1 0 8\n$EndMeshFormat\n"
                             "$PhysicalNames\n2\n2 1 \"metal\"\n3 2 \"liver\"\n$EndPhysicalNames\n"
                             "$Entities\n0 0 1 1\n6 0 0 0 1 1 0 1 1 0\n7 0 0 0 1 1 1 1 2 0\n$EndEntities\n"
                             "$Nodes\n1 5 1 5\n3 7 0 5\n1\n2\n3\n4\n5\n0 0 0\n1 0 0\n0 1 0\n0 0 1\n1 1 1\n$EndNodes\n"
                             "$Elements\n2 3 1 3\n2 6 2 1\n1 1 2 3\n3 7 4 2\n2 1 2 3 4\n3 2 5 3 4\n$EndElements\n";

static const char good10[] = "$MeshFormat\n2.2 0 8\n$EndMeshFormat\n"
                             "$Nodes\n10\n1 0 0 0\n2 1 0 0\n3 0 1 0\n4 0 0 1\n5 .5 0 0\n6 .5 .5 0\n7 0 .5 0\n8 0 0 .5\n"
                             "9 0 .5 .5\n10 .5 0 .5\n$EndNodes\n"
                             "$Elements\n1\n1 11 2 2 1 1 2 3 4 5 6 7 8 9 10\n$EndElements\n";

/// A bad file and what must be said of it.
typedef struct {
  const char *good;
  const char *find;    ///< text in the good file
  const char *replace; ///< what stands there instead
  const char *wanted;  ///< the whole message
} BadMesh;

#define ONLY " are not supported: tetrahedra of 4 or 10 nodes and triangles of 3 or 6 are"

static const BadMesh bad[] = {
    {good22, good22, "", "bad.msh:1: not a Gmsh mesh: the file is empty"},
    {good22, "$MeshFormat\n2.2", "solid\n2.2", "bad.msh:1: not a Gmsh mesh: no $MeshFormat"},
    {good22, "$MeshFormat\n2.2 0 8\n$EndMeshFormat\n", "",
     "bad.msh:1: not a Gmsh mesh of version 2.2 or 4.1: no $MeshFormat before $PhysicalNames"},
    {good22, "2.2 0 8", "4.0 0 8",
     "bad.msh:2: MSH version 4 is not supported: 2.2 and 4.1 are (gmsh OLD.msh -save -format msh41 -o NEW.msh "
     "converts)"},
    {good22, "2.2 0 8", "1 0 8",
     "bad.msh:2: MSH version 1 is not supported: 2.2 and 4.1 are (gmsh OLD.msh -save -format msh41 -o NEW.msh "
     "converts)"},
    {good22, "2.2 0 8", "two 0 8", "bad.msh:2: expected the version of the format, found 'two'"},
    {good22, "2.2 0 8", "2.2 0 4", "bad.msh:2: data size 4 is not supported: 8 is"},
    {good22, "2.2 0 8", "2.2 7 8", "bad.msh:2: file type 7 is outside 0 to 1"},
    {good22, "\"metal\"", "metal", "bad.msh:6: expected a name in double quotes, found 'metal'"},
    {good22, "\"metal\"", "\"metal", "bad.msh:6: the name has no closing quote"},
    {good22, "\"metal\"", "\"\"", "bad.msh:6: a physical name of 0 bytes: 1 to 63 are allowed"},
    {good22, "\"metal\"", "\"\xe4\"", "bad.msh:6: the physical name is not printable UTF-8 text"},
    {good22, "$PhysicalNames\n2", "$PhysicalNames\n3",
     "bad.msh:8: expected dimension of a physical name, found '$EndPhysicalNames'"},
    {good22, "$Nodes\n5", "$Nodes\n6", "bad.msh:16: expected a node number, found '$EndNodes'"},
    {good22, "$Nodes\n5", "$Nodes\n4", "bad.msh:15: expected $EndNodes, found '5'"},
    {good22, "$Nodes\n5", "$Nodes\n-5", "bad.msh:10: number of nodes -5 is outside 0 to 9223372036854775807"},
    {good22, "$Nodes\n5", "$Nodes\nfive", "bad.msh:10: expected number of nodes, found 'five'"},
    {good22, "$Nodes\n5", "$Nodes\n999999999999",
     "bad.msh:10: 999999999999 nodes are announced, more than the rest of the file can hold"},
    {good22, "4 0 0 1\n", "4 0 nan 1\n",
     "bad.msh:14: node 4: coordinate nan is not within the 1e+06 m that are allowed"},
    {good22, "4 0 0 1\n", "4 0 0 inf\n",
     "bad.msh:14: node 4: coordinate inf is not within the 1e+06 m that are allowed"},
    {good22, "4 0 0 1\n", "4 0 0 1e300\n",
     "bad.msh:14: node 4: coordinate 1e+300 is not within the 1e+06 m that are allowed"},
    {good22, "4 0 0 1\n", "4 0 0\n", "bad.msh:14: expected a coordinate, found the end of the line"},
    {good22, "4 0 0 1\n", "4 0 0 1 1\n", "bad.msh:14: expected the end of the line, found '1'"},
    {good22, "4 0 0 1\n", "4 0,0 0 1\n", "bad.msh:14: expected a coordinate, found '0,0'"},
    {good22, "4 0 0 1\n", "3 0 0 1\n", "bad.msh:10: node 3 occurs twice"},
    {good22, "4 0 0 1\n", "0 0 0 1\n", "bad.msh:14: node number 0 is not positive"},
    {good22, "4 0 0 1\n", "4 0 0 0\n",
     "bad.msh: tetrahedron 2 at (0, 0, 0) mm is degenerate: volume 0 mm3, longest edge 1.41 mm"},
    {good22, "$Elements\n3", "$Elements\n4", "bad.msh:22: expected an element number, found '$EndElements'"},
    {good22, "$Elements\n3", "$Elements\n2", "bad.msh:21: expected $EndElements, found '3'"},
    {good22, "$Elements\n3", "$Elements\n9223372036854775807",
     "bad.msh:18: expected number of elements, found '9223372036854775807'"},
    {good22, "$Elements\n3", "$Elements\n123456789",
     "bad.msh:18: 123456789 elements are announced, more than the rest of the file can hold"},
    {good22, "1 2 3 4\n", "1 2 3 6\n", "bad.msh:20: element 2: there is no node 6"},
    {good22, "1 2 3 4\n", "1 2 3 -4\n", "bad.msh:20: element 2: there is no node -4"},
    {good22, "1 2 3 4\n", "1 2 3\n", "bad.msh:20: expected a node number, found the end of the line"},
    {good22, "1 2 3 4\n", "1 2 3 3\n",
     "bad.msh: tetrahedron 2 at (0, 0, 0) mm is degenerate: volume 0 mm3, longest edge 1.41 mm"},
    {good22, "3 4 2 2 1 2 5 3 4", "3 4 2 2 1 2 1 3 4", "bad.msh: tetrahedra 2 and 3 have the same corners"},
    {good22, "3 4 2 2 1 2 5 3 4", "3 3 2 2 1 2 5 3 4", "bad.msh:21: quadrilaterals" ONLY},
    {good22, "3 4 2 2 1 2 5 3 4", "3 5 2 2 1 2 5 3 4", "bad.msh:21: hexahedra" ONLY},
    {good22, "3 4 2 2 1 2 5 3 4", "3 6 2 2 1 2 5 3 4", "bad.msh:21: prisms" ONLY},
    {good22, "3 4 2 2 1 2 5 3 4", "3 7 2 2 1 2 5 3 4", "bad.msh:21: pyramids" ONLY},
    {good22, "3 4 2 2 1 2 5 3 4", "3 29 2 2 1 2 5 3 4", "bad.msh:21: tetrahedra of order 3" ONLY},
    {good22, "3 4 2 2 1 2 5 3 4", "3 999 2 2 1 2 5 3 4",
     "bad.msh:21: element type 999 is not supported: tetrahedra of 4 or 10 nodes and triangles of 3 or 6 are"},
    {good22, "1 2 2 1 1 1 2 3", "1 2 2 1 1 1 2 5",
     "bad.msh: triangle 1 of surface 'metal' is not a face of any tetrahedron"},
    {good22, "2 4 2 2 1 1 2 3 4\n", "2 15 2 2 1 1\n",
     "bad.msh: triangle 1 of surface 'metal' is not a face of any tetrahedron"},
    {good22, "2 4 2 2 1 1 2 3 4\n3 4 2 2 1 2 5 3 4", "2 15 2 2 1 1\n3 15 2 2 1 1",
     "bad.msh: there are no tetrahedra in it"},
    {good22, "$EndElements\n", "", "bad.msh:22: expected $EndElements, found the end of the file"},
    {good22, "$EndElements\n", "$EndElements\n$Nodes\n", "bad.msh:24: a second section $Nodes"},
    {good22, "$EndElements\n", "$EndElements\n$Periodic\n1\n", "bad.msh:23: section $Periodic has no end"},
    {good22, "$EndElements\n", "$EndElements\nrubbish\n",
     "bad.msh:23: expected a section that begins with $, found 'rubbish'"},
    {good22, "$EndNodes\n", "$EndNodes\n$EndNodes\n", "bad.msh:17: expected the start of a section, found '$EndNodes'"},
    {good22, "$Nodes\n5\n1 0 0 0\n2 1 0 0\n3 0 1 0\n4 0 0 1\n5 1 1 1\n$EndNodes\n", "",
     "bad.msh:10: $Elements before $Nodes"},
    {good41, "$Elements\n2 3 1 3\n2 6 2 1\n1 1 2 3\n3 7 4 2\n2 1 2 3 4\n3 2 5 3 4\n$EndElements\n", "",
     "bad.msh:28: the file ends without $Elements"},
    {good41, "$Nodes\n1 5", "$Nodes\n1 6", "bad.msh:27: 6 nodes are announced, but the blocks hold 5"},
    {good41, "$Nodes\n1 5", "$Nodes\n1 4", "bad.msh:16: number of nodes in the block 5 is outside 0 to 4"},
    {good41, "3 7 0 5", "3 7 0 9999", "bad.msh:16: number of nodes in the block 9999 is outside 0 to 5"},
    {good41, "3 7 0 5", "3 7 2 5", "bad.msh:16: parametric 2 is outside 0 to 1"},
    {good41, "3 7 0 5", "5 7 0 5", "bad.msh:16: entity dimension 5 is outside 0 to 3"},
    {good41, "3 7 0 5", "3 7 1 5", "bad.msh:22: expected a coordinate, found the end of the line"},
    {good41, "\n4\n5\n", "\n4\n4\n", "bad.msh:15: node 4 occurs twice"},
    {good41, "$Elements\n2 3", "$Elements\n2 4", "bad.msh:35: 4 elements are announced, but the blocks hold 3"},
    {good41, "$Elements\n2 3", "$Elements\n2 2", "bad.msh:32: number of elements in the block 2 is outside 0 to 1"},
    {good41, "3 7 4 2\n", "3 7 5 2\n", "bad.msh:32: hexahedra" ONLY},
    {good41, "3 7 4 2\n", "2 7 4 2\n", "bad.msh:32: tetrahedra on an entity of dimension 2"},
    {good41, "3 2 5 3 4\n", "3 2 5 3 40\n", "bad.msh:34: element 3: there is no node 40"},
    {good41, "7 0 0 0 1 1 1 1 2 0", "7 0 0 0 1 1 1 1", "bad.msh:12: expected physical tag, found the end of the line"},
    {good41, "0 0 1 1\n6", "0 0 1 8888888888\n6",
     "bad.msh:10: number of entities 8888888888 is outside 0 to 2147483647"},
    {good41, "0 0 1 1\n6", "0 0 1 88888888\n6", "bad.msh:13: expected entity tag, found '$EndEntities'"},
    {good10, "10 .5 0 .5\n", "10 -3 0 .5\n",
     "bad.msh: the curved tetrahedron 1 at (0, 0, 0) mm is folded: its Jacobian is not positive everywhere"},
    {good10, "$Elements\n1\n", "$Elements\n2\n9 4 0 1 4 3 20\n", "bad.msh:19: element 9: there is no node 20"},
    {good10, "8 9 10\n", "8 9\n", "bad.msh:19: expected a node number, found the end of the line"},
};

/// Parse and expect a complaint of one line.
static void expect_bad(const char *data, size_t size, const char *wanted) {
  char *copy = malloc(size > 0 ? size : 1); /* so that the sanitizers see a read behind the end */
  memcpy(copy, data, size);
  IrzMesh *mesh = (IrzMesh *)&mesh;
  IrzError error = {0};
  IrzCode code = irz_msh_parse(copy, size, "bad.msh", 0, &mesh, &error);
  free(copy);
  if (code == IRZ_OK) fail_msg("a bad file was accepted; wanted: %s", wanted != NULL ? wanted : "an error");
  assert_null(mesh);
  assert_int_equal(code, IRZ_ERR_INPUT);
  if (wanted != NULL) assert_string_equal(error.text, wanted);
  assert_true(strncmp(error.text, "bad.msh:", 8) == 0);
  assert_null(strchr(error.text, '\n'));
}

/// The good files are good.
static void test_good(void **state) {
  (void)state;
  const char *const good[] = {good22, good41, good10};
  for (int i = 0; i < 3; i++) {
    IrzMesh *mesh;
    IrzError error = {0};
    if (irz_msh_parse(good[i], strlen(good[i]), "good.msh", 0, &mesh, &error) != IRZ_OK) fail_msg("%s", error.text);
    assert_int_equal(mesh->n_tets, i == 2 ? 1 : 2);
    assert_int_equal(mesh->n_curved, 0);
    irz_mesh_free(mesh);
  }
}

/// One thing wrong.
static void test_bad(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    char text[2000];
    const char *found = strstr(bad[i].good, bad[i].find);
    assert_non_null(found);
    snprintf(text, sizeof text, "%.*s%s%s", (int)(found - bad[i].good), bad[i].good, bad[i].replace,
             found + strlen(bad[i].find));
    expect_bad(text, strlen(text), bad[i].wanted);
  }
}

/// Every beginning of a file that is not the whole of it is refused, in every form.
static void test_truncated(void **state) {
  (void)state;
  for (int bits = 0; bits < 8; bits++) {
    SampleForm form = {
        .version = bits & 1 ? 41 : 22, .binary = (bits & 2) != 0, .size_bytes = 8, .ten_nodes = bits >= 4};
    SampleFile file = sample_write(&form);
    const char *end = NULL;
    for (size_t i = 0; i + 12 <= file.size; i++) {
      if (memcmp(file.data + i, "$EndElements", 12) == 0) end = file.data + i + 12;
    }
    assert_non_null(end);
    for (size_t size = 0; size < (size_t)(end - file.data); size++) expect_bad(file.data, size, NULL);
    free(file.data);
  }
}

/// Find text in a file with zeros in it.
static char *find_text(SampleFile *file, const char *text) {
  size_t length = strlen(text);
  for (size_t i = 0; i + length <= file->size; i++) {
    if (memcmp(file->data + i, text, length) == 0) return file->data + i;
  }
  fail_msg("there is no %s", text);
  return NULL;
}

/// Binary files with wild numbers: never a crash, never a mesh with the counts of rubbish.
static void test_binary_rubbish(void **state) {
  (void)state;
  srand(7);
  for (int bits = 0; bits < 2; bits++) {
    SampleForm form = {.version = bits != 0 ? 41 : 22, .binary = true, .size_bytes = 8};
    SampleFile file = sample_write(&form);
    const char *start = find_text(&file, "$EndPhysicalNames");
    char *damaged = malloc(file.size);
    for (int round = 0; round < 3000; round++) {
      memcpy(damaged, file.data, file.size);
      size_t first = (size_t)(start - file.data) + 18;
      for (int k = 0; k < 1 + round % 4; k++) {
        size_t at = first + (size_t)rand() % (file.size - first);
        damaged[at] = (char)(rand() % 3 == 0 ? 0xff : rand() % 256);
      }
      IrzMesh *mesh;
      IrzError error = {0};
      IrzCode code = irz_msh_parse(damaged, file.size, "bad.msh", 0, &mesh, &error);
      assert_true(code == IRZ_OK || code == IRZ_ERR_INPUT);
      assert_true((code == IRZ_OK) == (mesh != NULL));
      if (mesh != NULL) assert_true(mesh->n_tets <= SAMPLE_TETS && mesh->n_vertices <= SAMPLE_VERTICES + 1);
      irz_mesh_free(mesh);
    }
    free(damaged);
    free(file.data);
  }
  /* The byte order mark. */
  SampleForm form = {.version = 22, .binary = true};
  SampleFile file = sample_write(&form);
  char *mark = find_text(&file, "2.2 1 8\n") + 8;
  *mark = 5;
  expect_bad(file.data, file.size, "bad.msh: byte 59: the byte order mark is neither 1 nor 1 swapped");
  free(file.data);
}

/// Files that are not there, or are not files.
static void test_no_file(void **state) {
  (void)state;
  IrzMesh *mesh;
  IrzError error = {0};
  assert_int_equal(irz_mesh_read("no_such.msh", 0, &mesh, &error), IRZ_ERR_INPUT);
  assert_string_equal(error.text, "no_such.msh: cannot be opened: No such file or directory");
  assert_int_equal(irz_mesh_read(".", 0, &mesh, &error), IRZ_ERR_INPUT);
  assert_string_equal(error.text, ".: is not a regular file");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_good), cmocka_unit_test(test_bad),
                                     cmocka_unit_test(test_truncated), cmocka_unit_test(test_binary_rubbish),
                                     cmocka_unit_test(test_no_file)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
