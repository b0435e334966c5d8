/* Where a NIfTI-1 image lies; see nifti_affine.h. The standard (nifti1.h) has two transforms from voxels to mm: the
   sform, any affine, and the qform, a rotation with the voxels' edges in pixdim. Files may have both, and then nibabel,
   FSL and others take the sform, but programs built on ITK may take the qform. */
#include "anatomy/nifti_affine.h"
#include "anatomy/image.h"
#include "anatomy/voxel.h"

#include "base/vector.h"
#include <math.h>
#include <string.h>

#define SAME_PLACE 1e-4 // m, by which two transforms may differ unsaid ...
#define SAME_SHARE 0.05 // ... and as a share of the shortest voxel edge, whichever is less
#define SAME_EDGE 0.01  // relative difference of an edge and its pixdim that is not worth a word

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
  bool mirrored = irz_voxel_determinant(own[0]) * irz_voxel_determinant(other[0]) < 0;
  irz_plan_warn(plan,
                "%s:%d: anatomy.labels: %s: its two transforms differ: the %s places the image up to %.3g mm away from "
                "the %s%s. The %s is taken; Slicer, ITK-SNAP and others may take the %s, and needles placed there "
                "would lie elsewhere. Choose with anatomy.transform: sform or qform",
                plan->file, plan->anatomy.line, irz_path_from_here(plan->anatomy.labels), transform_names[left],
                1e3 * apart, transform_names[taken], mirrored ? ", mirrored" : "", transform_names[taken],
                transform_names[left]);
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

IrzCode irz_nifti_affine(IrzPlan *plan, const nifti_1_header *h, IrzLabelMap *map, IrzError *error) {
  const char *path = irz_path_from_here(plan->anatomy.labels);
  IrzTransform which;
  if (length_unit(h) == 0) {
    return irz_error_set(error, IRZ_ERR_INPUT, "%s: xyzt_units is %d; mm, m or micrometres are wanted", path,
                         h->xyzt_units);
  }
  IRZ_TRY(choose(plan, h, &which, error));
  get_transform(h, which, map->to_world);
  char what[32], unit[64];
  snprintf(what, sizeof what, "affine (%s)", transform_names[which]);
  snprintf(unit, sizeof unit, "xyzt_units is %d (%s)", h->xyzt_units & 7, unit_name(h));
  IRZ_TRY(irz_grid_finish(plan, map, what, unit, error));
  warn_of_other(plan, h, map, which);
  if (which == IRZ_TRANSFORM_SFORM) warn_of_edges(plan, h, map);
  return IRZ_OK;
}
