/* A cube of 2 mm in 48 tetrahedra, written by hand in any form of Gmsh's format. */
#ifndef IREZONE_MESH_SAMPLE_H
#define IREZONE_MESH_SAMPLE_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/// Which form to write.
typedef struct {
  int version;    ///< 22 or 41
  bool binary;    ///<
  bool swap;      ///< the other byte order
  int size_bytes; ///< of a size_t in binary 4.1: 4 or 8
  bool ten_nodes; ///< edges on the top face are bent upwards by SAMPLE_BOW
  bool negative;  ///< negatively oriented tetrahedra
  bool gaps;      ///< node tags 1000000007 times the index, instead of 3 + 2 times the index
} SampleForm;

enum { SAMPLE_VERTICES = 27, SAMPLE_TETS = 48, SAMPLE_TRIANGLES = 16 };

/// mm, height by which the middles of the top's edges are raised
#define SAMPLE_BOW 0.05

/// A growing file in memory.
typedef struct {
  char *data;
  size_t size;
} SampleFile;

static void sample_put(SampleFile *file, const void *bytes, size_t size, bool swap) {
  file->data = realloc(file->data, file->size + size);
  for (size_t i = 0; i < size; i++) file->data[file->size + i] = ((const char *)bytes)[swap ? size - 1 - i : i];
  file->size += size;
}

static void sample_text(SampleFile *file, const char *text) {
  sample_put(file, text, strlen(text), false);
}

/// A number in the file's form: `int` (kind 'i'), `size_t` ('z') or double ('d').
static void sample_number(SampleFile *file, const SampleForm *form, char kind, double value) {
  if (!form->binary) {
    char text[40];
    snprintf(text, sizeof text, "%.17g ", value);
    sample_text(file, text);
  } else if (kind == 'd') {
    sample_put(file, &value, 8, form->swap);
  } else if (kind == 'i' || form->size_bytes == 4) {
    int number = (int)value;
    sample_put(file, &number, 4, form->swap);
  } else {
    long long number = (long long)value;
    sample_put(file, &number, 8, form->swap);
  }
}

/// Several numbers, and the end of the line in text.
static void sample_line(SampleFile *file, const SampleForm *form, const char *kinds, const double *values) {
  for (size_t i = 0; kinds[i] != '\0'; i++) sample_number(file, form, kinds[i], values[i]);
  if (!form->binary) sample_text(file, "\n");
}

/// The parts of the cube.
typedef struct {
  int n_nodes;
  double xyz[400][3];
  int n_tets;
  int tet[SAMPLE_TETS][10];
  int right[SAMPLE_TETS]; ///< in the half with x > 1
  int n_triangles;
  int triangle[SAMPLE_TRIANGLES][6];
  int top[SAMPLE_TRIANGLES];
} SampleCube;

/// Node in the middle of an edge.
static int sample_middle(SampleCube *cube, int a, int b) {
  double middle[3];
  for (int k = 0; k < 3; k++) middle[k] = 0.5 * (cube->xyz[a][k] + cube->xyz[b][k]);
  if (cube->xyz[a][2] == 2 && cube->xyz[b][2] == 2) middle[2] += SAMPLE_BOW;
  for (int i = SAMPLE_VERTICES; i < cube->n_nodes; i++) {
    if (memcmp(cube->xyz[i], middle, sizeof middle) == 0) return i;
  }
  memcpy(cube->xyz[cube->n_nodes], middle, sizeof middle);
  return cube->n_nodes++;
}

/// Cut 2 x 2 x 2 cubes into six tetrahedra each along the diagonal.
static void sample_cut(SampleCube *cube, const SampleForm *form) {
  static const int order[6][3] = {{0, 1, 2}, {1, 2, 0}, {2, 0, 1}, {0, 2, 1}, {2, 1, 0}, {1, 0, 2}};
  /* Gmsh's manual: nodes 4 to 9 lie on the edges 01, 12, 20, 30, 32, 31. */
  static const int edge[6][2] = {{0, 1}, {1, 2}, {2, 0}, {3, 0}, {3, 2}, {3, 1}};
  memset(cube, 0, sizeof *cube);
  for (int i = 0; i < SAMPLE_VERTICES; i++) {
    cube->xyz[i][0] = i % 3;
    cube->xyz[i][1] = i / 3 % 3;
    cube->xyz[i][2] = i / 9;
  }
  cube->n_nodes = SAMPLE_VERTICES;
  const int step[3] = {1, 3, 9};
  for (int cell = 0; cell < 8; cell++) {
    int corner = cell % 2 + 3 * (cell / 2 % 2) + 9 * (cell / 4);
    for (int p = 0; p < 6; p++) {
      int *tet = cube->tet[cube->n_tets];
      tet[0] = corner;
      for (int k = 0; k < 3; k++) tet[k + 1] = tet[k] + step[order[p][k]];
      if ((p >= 3) != form->negative) { /* odd permutations are negative */
        int swapped = tet[1];
        tet[1] = tet[2];
        tet[2] = swapped;
      }
      cube->right[cube->n_tets++] = cell % 2;
      static const int face[4][3] = {{0, 1, 2}, {0, 1, 3}, {0, 2, 3}, {1, 2, 3}};
      for (int f = 0; f < 4; f++) {
        int v[3] = {tet[face[f][0]], tet[face[f][1]], tet[face[f][2]]};
        bool low = v[0] < 9 && v[1] < 9 && v[2] < 9, top = v[0] >= 18 && v[1] >= 18 && v[2] >= 18;
        if (!low && !top) continue;
        memcpy(cube->triangle[cube->n_triangles], v, sizeof v);
        cube->top[cube->n_triangles++] = top;
      }
    }
  }
  for (int i = 0; form->ten_nodes && i < cube->n_tets; i++) {
    for (int e = 0; e < 6; e++) {
      cube->tet[i][4 + e] = sample_middle(cube, cube->tet[i][edge[e][0]], cube->tet[i][edge[e][1]]);
    }
  }
  for (int i = 0; form->ten_nodes && i < cube->n_triangles; i++) {
    for (int e = 0; e < 3; e++) {
      cube->triangle[i][3 + e] = sample_middle(cube, cube->triangle[i][e], cube->triangle[i][(e + 1) % 3]);
    }
  }
}

/// Write the cube: regions "left" (tag 10) and "right" (20), surfaces "low" (1) and a nameless one (2) on top, a line
/// element, a node nothing uses, sections of no interest.
static SampleFile sample_write(const SampleForm *form) {
  static SampleCube cube;
  sample_cut(&cube, form);
  SampleFile file = {0};
  const int spread = form->gaps ? 1000000 : 2;
#define TAG(node) (3 + (double)(node)*spread)
#define LINE(kinds, ...) sample_line(&file, form, kinds, (const double[]){__VA_ARGS__})
  char text[200];
  snprintf(text, sizeof text, "$Comments\nby hand: $Nodes\n$EndComments\n$MeshFormat\n%s %d %d\n",
           form->version == 22 ? "2.2" : "4.1", form->binary, form->version == 22 ? 8 : form->size_bytes);
  sample_text(&file, text);
  if (form->binary) sample_number(&file, form, 'i', 1);
  if (form->binary) sample_text(&file, "\n");
  sample_text(&file, "$EndMeshFormat\n$PhysicalNames\n4\n1 7 \"a line\"\n2 1 \"low\"\n3 10 \"left\"\n3 20 \"right\"\n"
                     "$EndPhysicalNames\n");
  const int triangle_nodes = form->ten_nodes ? 6 : 3, tet_nodes = form->ten_nodes ? 10 : 4;
  const int triangle_type = form->ten_nodes ? 9 : 2, tet_type = form->ten_nodes ? 11 : 4;
  const int n_nodes = cube.n_nodes + 1, n_elements = 1 + SAMPLE_TRIANGLES + SAMPLE_TETS;
  int number = 1;
  if (form->version == 41) {
    sample_text(&file, "$Entities\n");
    LINE("zzzz", 1, 0, 2, 2);
    LINE("idddz", 1, 0, 0, 0, 0);
    for (int i = 1; i <= 2; i++) LINE("iddddddziz", i, 0, 0, 0, 2, 2, 2, 1, i, 0);
    for (int i = 1; i <= 2; i++) LINE("iddddddzizi", i, 0, 0, 0, 2, 2, 2, 1, 10 * i, 1, -1);
    sample_text(&file, "\n$EndEntities\n$Nodes\n");
    LINE("zzzz", 2, n_nodes, 1, TAG(n_nodes));
    LINE("iiiz", 2, 1, 1, 1); /* parametric: two more coordinates */
    LINE("z", TAG(n_nodes - 1));
    LINE("ddddd", 9, 9, 9, 0.5, 0.5);
    LINE("iiiz", 3, 1, 0, n_nodes - 1);
    for (int i = 0; i < cube.n_nodes; i++) LINE("z", TAG(i));
    for (int i = 0; i < cube.n_nodes; i++) LINE("ddd", cube.xyz[i][0], cube.xyz[i][1], cube.xyz[i][2]);
    sample_text(&file, "\n$EndNodes\n$Elements\n");
    LINE("zzzz", 5, n_elements, 1, n_elements);
    LINE("iiiz", 1, 1, 1, 1);
    LINE("zzz", number++, TAG(0), TAG(1));
  } else {
    snprintf(text, sizeof text, "$Nodes\n%d\n", n_nodes);
    sample_text(&file, text);
    LINE("iddd", TAG(n_nodes - 1), 9, 9, 9);
    for (int i = 0; i < cube.n_nodes; i++) LINE("iddd", TAG(i), cube.xyz[i][0], cube.xyz[i][1], cube.xyz[i][2]);
    snprintf(text, sizeof text, "\n$EndNodes\n$Elements\n%d\n", n_elements);
    sample_text(&file, text);
    if (form->binary) LINE("iii", 1, 1, 2);
    if (form->binary) {
      LINE("iiiii", number++, 7, 1, TAG(0), TAG(1));
    } else {
      LINE("iiiiiii", number++, 1, 2, 7, 1, TAG(0), TAG(1));
    }
  }
  for (int dimension = 2; dimension <= 3; dimension++) {
    const int type = dimension == 2 ? triangle_type : tet_type, nodes = dimension == 2 ? triangle_nodes : tet_nodes;
    const int count = dimension == 2 ? SAMPLE_TRIANGLES : SAMPLE_TETS;
    for (int group = 0; group < 2; group++) {
      if (form->version == 41) LINE("iiiz", dimension, group + 1, type, count / 2);
      if (form->version == 22 && form->binary) LINE("iii", type, count / 2, 2);
      for (int i = 0; i < count; i++) {
        if ((dimension == 2 ? cube.top[i] : cube.right[i]) != group) continue;
        const int physical = dimension == 2 ? group + 1 : 10 * (group + 1);
        sample_number(&file, form, form->version == 41 ? 'z' : 'i', number++);
        if (form->version == 22) {
          if (!form->binary) sample_number(&file, form, 'i', type);
          if (!form->binary) sample_number(&file, form, 'i', 2);
          sample_number(&file, form, 'i', physical);
          sample_number(&file, form, 'i', 1);
        }
        for (int k = 0; k < nodes; k++) {
          int node = dimension == 2 ? cube.triangle[i][k] : cube.tet[i][k];
          sample_number(&file, form, form->version == 41 ? 'z' : 'i', TAG(node));
        }
        if (!form->binary) sample_text(&file, "\n");
      }
    }
  }
  sample_text(&file, "\n$EndElements\n$NodeData\n1\n\"$Elements\"\n$EndNodeData\n");
#undef TAG
#undef LINE
  return file;
}

#endif
