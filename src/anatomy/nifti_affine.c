/* Where a NIfTI-1 image lies; see nifti_affine.h. The standard (nifti1.h) has two transforms from voxels to mm: the
   sform, any affine, and the qform, a rotation with the voxels' edges in pixdim. Files may have both, and then nibabel,
   FSL and others take the sform, but programs built on ITK may take the qform. */
#include "anatomy/nifti_affine.h"

#include "base/vector.h"
#include <math.h>
#include <string.h>

#define MIN_EDGE 1e-6        // m, shortest voxel edge that is not taken for a mistake
#define MAX_EDGE 1.0         // m, longest one
#define MIN_DETERMINANT 1e-6 // of the axes' unit vectors; below it they span no volume
#define SAME_PLACE 1e-4      // m, by which two transforms may differ unsaid ...
#define SAME_SHARE 0.05      // ... and as a share of the shortest voxel edge, whichever is less
#define SAME_EDGE 0.01       // relative difference of an edge and its pixdim that is not worth a word
#define SKEW 0.01            // cosine of the angle between two axes above which they are called skewed
#define SMALLEST_IMAGE 5e-3  // m, longest edge of an image below which its units are doubted
#define LARGEST_IMAGE 3.0    // m, and above which

/// Names of the transforms, by IrzTransform.
static const char *const transform_names[] = {"sform", "qform"};

/// Length of a unit of the header, m; 0 if it is none of length.
static double length_unit(const nifti_1_header *h) {
  switch (h->xyzt_units & 7) {
  case NIFTI_UNITS_UNKNOWN: // in practice mm
  case NIFTI_UNITS_MM:
    return 1e-3;
  case NIFTI_UNITS_METER:
    return 1;
  case NIFTI_UNITS_MICRON:
    return 1e-6;
  default:
    return 0;
  }
}

/// What the unit is called.
static const char *unit_name(const nifti_1_header *h) {
  switch (h->xyzt_units & 7) {
  case NIFTI_UNITS_MM:
    return "mm";
  case NIFTI_UNITS_METER:
    return "m";
  case NIFTI_UNITS_MICRON:
    return "micrometres";
  default:
    return "not stated, so mm";
  }
}

/// One of the two transforms, in m.
static void get_transform(const nifti_1_header *h, IrzTransform which, double world[3][4]) {
  double unit = length_unit(h);
  if (which == IRZ_TRANSFORM_SFORM) {
    for (int e = 0; e < 4; e++) {
      world[0][e] = (double)h->srow_x[e] * unit;
      world[1][e] = (double)h->srow_y[e] * unit;
      world[2][e] = (double)h->srow_z[e] * unit;
    }
    return;
  }
  mat44 m = nifti_quatern_to_mat44(h->quatern_b, h->quatern_c, h->quatern_d, h->qoffset_x, h->qoffset_y, h->qoffset_z,
                                   h->pixdim[1], h->pixdim[2], h->pixdim[3], h->pixdim[0]);
  for (int d = 0; d < 3; d++) {
    for (int e = 0; e < 4; e++) world[d][e] = (double)m.m[d][e] * unit;
  }
}

/// Determinant of the axes of a transform.
static double determinant(double world[3][4]) {
  double axis[3][3], cross[3];
  for (int e = 0; e < 3; e++) {
    for (int d = 0; d < 3; d++) axis[e][d] = world[d][e];
  }
  irz_cross(axis[0], axis[1], cross);
  return irz_dot(cross, axis[2]);
}

/// Whether the header has a qform whose voxels have edges.
static bool has_qform(const nifti_1_header *h) {
  return h->qform_code > 0 && h->pixdim[1] > 0 && h->pixdim[2] > 0 && h->pixdim[3] > 0;
}

/// How far two transforms place the corners of an image apart, at most, m.
static double largest_difference(const int size[3], double a[3][4], double b[3][4]) {
  double largest = 0;
  for (int corner = 0; corner < 8; corner++) {
    double apart[3];
    for (int d = 0; d < 3; d++) {
      apart[d] = a[d][3] - b[d][3];
      for (int e = 0; e < 3; e++) apart[d] += (a[d][e] - b[d][e]) * (corner >> e & 1 ? size[e] - 0.5 : -0.5);
    }
    largest = fmax(largest, sqrt(irz_dot(apart, apart)));
  }
  return largest;
}

/// Say so if the transform that is not taken places the image elsewhere. A plan that chooses has been told.
static void warn_of_other(IrzPlan *plan, const nifti_1_header *h, const IrzLabelMap *map, IrzTransform taken) {
  if (plan->anatomy.transform_stated || h->sform_code <= 0 || !has_qform(h)) return;
  double own[3][4], other[3][4];
  IrzTransform left = taken == IRZ_TRANSFORM_SFORM ? IRZ_TRANSFORM_QFORM : IRZ_TRANSFORM_SFORM;
  get_transform(h, taken, own);
  get_transform(h, left, other);
  double apart = largest_difference(map->size, own, other);
  double edge = fmin(map->spacing[0], fmin(map->spacing[1], map->spacing[2]));
  if (apart <= fmin(SAME_PLACE, SAME_SHARE * edge)) return;
  bool mirrored = determinant(own) * determinant(other) < 0;
  irz_plan_warn(plan,
                "%s:%d: anatomy.labels: %s: its two transforms differ: the %s places the image up to %.3g mm away from "
                "the %s%s. The %s is taken; Slicer, ITK-SNAP and others may take the %s, and needles placed there "
                "would lie elsewhere. Choose with anatomy.transform: sform or qform",
                plan->file, plan->anatomy.line, irz_path_from_here(plan->anatomy.labels), transform_names[left],
                1e3 * apart, transform_names[taken], mirrored ? ", mirrored" : "", transform_names[taken],
                transform_names[left]);
}

/// Say so if the axes are not at right angles.
static void warn_of_skew(IrzPlan *plan, const IrzLabelMap *map) {
  double worst = 0;
  for (int e = 0; e < 3; e++) {
    int f = (e + 1) % 3;
    double cosine = 0;
    for (int d = 0; d < 3; d++)
      cosine += map->to_world[d][e] * map->to_world[d][f] / (map->spacing[e] * map->spacing[f]);
    worst = fmax(worst, fabs(cosine));
  }
  if (worst <= SKEW) return;
  irz_plan_warn(plan,
                "%s:%d: anatomy.labels: %s: the axes of the image are skewed, %.3g degrees out of square: Slicer and "
                "others place it as if they were not. Resample it to a straight grid",
                plan->file, plan->anatomy.line, irz_path_from_here(plan->anatomy.labels),
                asin(fmin(worst, 1)) * 180 / acos(-1));
}

/// Say so if the voxels' edges are not those of pixdim.
static void warn_of_edges(IrzPlan *plan, const nifti_1_header *h, const IrzLabelMap *map) {
  double unit = length_unit(h);
  for (int e = 0; e < 3; e++) {
    double stated = (double)h->pixdim[e + 1] * unit;
    if (!(stated > 0) || fabs(map->spacing[e] - stated) <= SAME_EDGE * stated) continue;
    irz_plan_warn(plan,
                  "%s:%d: anatomy.labels: %s: the sform makes voxels of %.4g x %.4g x %.4g mm, but pixdim says %.4g x "
                  "%.4g x %.4g mm: one of them is wrong; the sform is taken",
                  plan->file, plan->anatomy.line, irz_path_from_here(plan->anatomy.labels), 1e3 * map->spacing[0],
                  1e3 * map->spacing[1], 1e3 * map->spacing[2], 1e3 * unit * (double)h->pixdim[1],
                  1e3 * unit * (double)h->pixdim[2], 1e3 * unit * (double)h->pixdim[3]);
    return;
  }
}

/// Say so if the image is no image of a body.
static void warn_of_size(IrzPlan *plan, const nifti_1_header *h, const IrzLabelMap *map) {
  double longest = 0;
  for (int e = 0; e < 3; e++) longest = fmax(longest, map->size[e] * map->spacing[e]);
  if (longest >= SMALLEST_IMAGE && longest <= LARGEST_IMAGE) return;
  irz_plan_warn(plan,
                "%s:%d: anatomy.labels: %s: the image measures %.4g x %.4g x %.4g mm, too %s for a patient: is its "
                "unit right? xyzt_units is %d (%s)",
                plan->file, plan->anatomy.line, irz_path_from_here(plan->anatomy.labels),
                1e3 * map->size[0] * map->spacing[0], 1e3 * map->size[1] * map->spacing[1],
                1e3 * map->size[2] * map->spacing[2], longest < SMALLEST_IMAGE ? "small" : "large", h->xyzt_units & 7,
                unit_name(h));
}

/// Choose the transform: the plan's, or the other one if the image has only that.
static IrzCode choose(const IrzPlan *plan, const nifti_1_header *h, IrzTransform *which, IrzError *error) {
  const char *path = irz_path_from_here(plan->anatomy.labels);
  *which = plan->anatomy.transform;
  if (h->sform_code <= 0 && h->qform_code <= 0) {
    return irz_error_set(error, IRZ_ERR_INPUT,
                         "%s: neither sform nor qform says where the image lies (both codes are 0); one of them is "
                         "wanted: save it from a program that knows, such as 3D Slicer",
                         path);
  }
  bool has[2] = {h->sform_code > 0, h->qform_code > 0};
  if (!has[*which]) {
    if (plan->anatomy.transform_stated) {
      return irz_error_set(error, IRZ_ERR_INPUT, "%s: has no %s, which anatomy.transform asks for; it has a %s", path,
                           transform_names[*which], transform_names[1 - *which]);
    }
    *which = (IrzTransform)(1 - (int)*which);
  }
  for (int d = 1; d <= 3 && *which == IRZ_TRANSFORM_QFORM; d++) {
    if (h->pixdim[d] > 0) continue;
    return irz_error_set(error, IRZ_ERR_INPUT, "%s: pixdim[%d] is %g; more than 0 is wanted", path, d,
                         (double)h->pixdim[d]);
  }
  return IRZ_OK;
}

/// The inverse of a map's affine. Row d of it is the cross product of the two other columns over the determinant.
static void invert(IrzLabelMap *map) {
  double(*a)[4] = map->to_world, whole = determinant(a);
  for (int d = 0; d < 3; d++) {
    int e = (d + 1) % 3, f = (d + 2) % 3;
    double *row = map->to_voxel[d];
    for (int c = 0; c < 3; c++) {
      int p = (c + 1) % 3, q = (c + 2) % 3;
      row[c] = (a[p][e] * a[q][f] - a[q][e] * a[p][f]) / whole;
    }
    row[3] = -(row[0] * a[0][3] + row[1] * a[1][3] + row[2] * a[2][3]);
  }
}

IrzCode irz_nifti_affine(IrzPlan *plan, const nifti_1_header *h, IrzLabelMap *map, IrzError *error) {
  const char *path = irz_path_from_here(plan->anatomy.labels);
  IrzTransform which;
  if (length_unit(h) == 0) {
    return irz_error_set(error, IRZ_ERR_INPUT, "%s: xyzt_units is %d; mm, m or micrometres are wanted", path,
                         h->xyzt_units);
  }
  IRZ_TRY(choose(plan, h, &which, error));
  get_transform(h, which, map->to_world);
  for (int d = 0; d < 3; d++) {
    for (int e = 0; e < 4; e++) {
      if (isfinite(map->to_world[d][e])) continue;
      return irz_error_set(error, IRZ_ERR_INPUT, "%s: the affine (%s) has a number that is not finite", path,
                           transform_names[which]);
    }
  }
  for (int e = 0; e < 3; e++) {
    map->spacing[e] = hypot(hypot(map->to_world[0][e], map->to_world[1][e]), map->to_world[2][e]);
    if (map->spacing[e] >= MIN_EDGE && map->spacing[e] <= MAX_EDGE) continue;
    return irz_error_set(error, IRZ_ERR_INPUT,
                         "%s: voxels of %g mm along axis %d; 0.001 to 1000 mm are allowed (the image's unit is %s)",
                         path, map->spacing[e] * 1e3, e + 1, unit_name(h));
  }
  if (!(fabs(determinant(map->to_world)) > MIN_DETERMINANT * map->spacing[0] * map->spacing[1] * map->spacing[2])) {
    return irz_error_set(error, IRZ_ERR_INPUT, "%s: the affine (%s) is singular: the voxels have no volume", path,
                         transform_names[which]);
  }
  invert(map);
  warn_of_other(plan, h, map, which);
  warn_of_skew(plan, map);
  if (which == IRZ_TRANSFORM_SFORM) warn_of_edges(plan, h, map);
  warn_of_size(plan, h, map);
  return IRZ_OK;
}
