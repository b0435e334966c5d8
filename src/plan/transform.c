/* Linear transforms as ITK writes them (.tfm, .txt): see src/plan/markups.h. */
#include "base/number.h"
#include "base/utf8.h"
#include "plan/markups.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#define MOST_STRETCH 1e-4 /* deviation from a rotation that is taken for rounding */

/* What a file states. */
typedef struct {
  int n_transforms;
  bool known;
  char name[64];
  double parameters[12], centre[3];
  int n_parameters, n_centre;
} Stated;

/* Numbers with blanks between. */
static IrzCode read_numbers(const IrzMarkupPlace *place, const char *key, char *text, int most, double *numbers,
                            int *n) {
  *n = 0;
  for (char *c = text; *(c += strspn(c, " \t\r")) != '\0';) {
    char *word = c;
    c += strcspn(c, " \t\r");
    if (*c != '\0') *c++ = '\0';
    if (*n == most || !irz_number_read(word, &numbers[*n])) {
      return irz_markup_fail(place, "%s: %d numbers are wanted", key, most);
    }
    ++*n;
  }
  return IRZ_OK;
}

/* One line. */
static IrzCode read_line(const IrzMarkupPlace *place, char *line, Stated *stated) {
  static const char *const known[] = {"AffineTransform_double_3_3", "MatrixOffsetTransformBase_double_3_3",
                                      "AffineTransform_float_3_3", "MatrixOffsetTransformBase_float_3_3"};
  char *value = strchr(line, ':');
  if (line[0] == '#' || value == NULL) return IRZ_OK;
  *value++ = '\0';
  value += strspn(value, " \t");
  if (strcmp(line, "Transform") == 0) {
    stated->n_transforms++;
    snprintf(stated->name, sizeof stated->name, "%s", value);
    irz_utf8_clean(stated->name);
    for (size_t k = 0; k < sizeof known / sizeof known[0]; k++) {
      if (strcmp(stated->name, known[k]) == 0) stated->known = true;
    }
  } else if (strcmp(line, "Parameters") == 0 && stated->known) {
    return read_numbers(place, "Parameters", value, 12, stated->parameters, &stated->n_parameters);
  } else if (strcmp(line, "FixedParameters") == 0 && stated->known) {
    return read_numbers(place, "FixedParameters", value, 3, stated->centre, &stated->n_centre);
  }
  return IRZ_OK;
}

/* Refuse what is not there or not rigid. */
static IrzCode check(const IrzMarkupPlace *place, const Stated *stated, double a[3][3]) {
  if (stated->n_transforms == 0) {
    return irz_markup_fail(place, "is no transform in ITK's text format (#Insight Transform File V1.0)");
  }
  if (stated->n_transforms > 1 || !stated->known) {
    return irz_markup_fail(place,
                           "%s \"%s\"; one AffineTransform_double_3_3 or MatrixOffsetTransformBase_double_3_3 is "
                           "wanted: save it from Slicer as a linear transform",
                           stated->n_transforms > 1 ? "has several transforms, the last one" : "has the transform",
                           stated->name);
  }
  if (stated->n_parameters != 12 || (stated->n_centre != 3 && stated->n_centre != 0)) {
    return irz_markup_fail(place, "has %d Parameters and %d FixedParameters; 12 and 3 are wanted", stated->n_parameters,
                           stated->n_centre);
  }
  double worst = 0;
  for (int i = 0; i < 3; i++) {
    for (int j = 0; j < 3; j++) {
      double product = 0;
      for (int k = 0; k < 3; k++) product += a[k][i] * a[k][j];
      worst = fmax(worst, fabs(product - (i == j)));
    }
  }
  double determinant = a[0][0] * (a[1][1] * a[2][2] - a[1][2] * a[2][1]) -
                       a[0][1] * (a[1][0] * a[2][2] - a[1][2] * a[2][0]) +
                       a[0][2] * (a[1][0] * a[2][1] - a[1][1] * a[2][0]);
  if (worst <= MOST_STRETCH && determinant > 0) return IRZ_OK;
  return irz_markup_fail(
      place, "is not rigid: it %s; a needle can only be turned and moved, so a rigid registration is wanted",
      determinant > 0 ? "scales or shears" : "mirrors or flattens");
}

IrzCode irz_transform_read(IrzMarkupPlace *place, char *text, IrzRigid *rigid) {
  Stated stated = {.n_transforms = 0};
  for (char *next = text; next != NULL && *next != '\0';) {
    char *line = next;
    next = strchr(line, '\n');
    if (next != NULL) *next++ = '\0';
    place->line++;
    line[strcspn(line, "\r")] = '\0';
    IRZ_TRY(read_line(place, line, &stated));
  }
  place->line = 0;
  double a[3][3];
  for (int k = 0; k < 9; k++) a[k / 3][k % 3] = stated.parameters[k];
  IRZ_TRY(check(place, &stated, a));
  /* The file, in LPS: y = a (x - centre) + t + centre. Its inverse: x = a' (y - centre - t) + centre; in RAS two signs
     change. */
  static const double sign[3] = {-1, -1, 1};
  for (int i = 0; i < 3; i++) {
    rigid->b[i] = stated.centre[i];
    for (int j = 0; j < 3; j++) {
      rigid->a[i][j] = sign[i] * sign[j] * a[j][i];
      rigid->b[i] -= a[j][i] * (stated.centre[j] + stated.parameters[9 + j]);
    }
    rigid->b[i] *= sign[i];
  }
  return IRZ_OK;
}
