/* An image of labels while it is read: where it lies, what it calls its labels, and its voxels one after the other. A
   reader for each format fills it; src/anatomy/label_map.c makes regions of the voxels. */
#ifndef IREZONE_ANATOMY_IMAGE_H
#define IREZONE_ANATOMY_IMAGE_H

#include "plan/plan.h"
#include <irezone/anatomy.h>

#define IRZ_IMAGE_PIECE 65536           ///< numbers converted at a time
#define IRZ_IMAGE_MAX_VOXELS 2147483647 ///< voxels in an image; MPI counts with int
#define IRZ_DEFLATE_MOST 1032.0         ///< bytes that one byte of a deflate stream can stand for at most

/// An open image.
typedef struct IrzImage IrzImage;
struct IrzImage {
  const char *path; ///< as it is named to a person
  int size[3];      ///< voxels along i, j, k
  int layers;       ///< numbers at a voxel: more than one where segments may overlap
  int n_labels;
  IrzLabelInfo *labels; ///< [n_labels] what the file says of its labels
  void *format;         ///< the reader's own
  /// Read the next numbers, [n][layers], of n voxels; no more than IRZ_IMAGE_PIECE in all.
  IrzCode (*next)(IrzImage *image, int n, double *value, IrzError *error);
  /// After the last voxel: whether the file ends as it should.
  IrzCode (*end)(IrzImage *image, IrzError *error);
  void (*close)(IrzImage *image);
};

/// Open a NIfTI-1 image and place it.
/// @param[in,out] plan   names the file and chooses between two transforms; gets warnings
/// @param[out]    map    its grid
/// @param[out]    image  to be closed, also on failure
IrzCode irz_nifti_open(IrzPlan *plan, IrzLabelMap *map, IrzImage *image, IrzError *error);

/// The same for NRRD, and for segmentations of 3D Slicer, which are NRRD with names.
IrzCode irz_nrrd_open(IrzPlan *plan, IrzLabelMap *map, IrzImage *image, IrzError *error);

/// Append a label to what is known of an image; beyond 65536 they are left out.
IrzCode irz_image_add_label(IrzImage *image, const IrzLabelInfo *label, IrzError *error);

/// Read names from the extensions of a NIfTI image: any that has a <LabelTable>, as TotalSegmentator writes it.
/// @param[in] bytes  [size] what is between the header and the voxels, its first four bytes included
IrzCode irz_nifti_names(IrzImage *image, const char *bytes, size_t size, bool swapped, IrzError *error);

/// Read the file that `anatomy.names` gives: an ITK-SNAP label description or a colour table of 3D Slicer. What it says
/// takes the place of what the image says.
IrzCode irz_names_read(const IrzPlan *plan, IrzImage *image, IrzError *error);

/// Convert stored numbers, in this machine's byte order, to doubles.
/// @param[in] datatype  of niftilib: DT_UINT8 and its kind
void irz_voxels_convert(int datatype, const void *stored, int n, double *value);

/// Check a map's to_world and size, and set its inverse and its voxels' edges. Warns the plan of skewed voxels and of
/// sizes that no image of a body has.
/// @param[in] what  the part of the file that places it, as "affine (sform)"
/// @param[in] unit  what the file says of its unit, as "xyzt_units is 2 (mm)"
/// @return IRZ_OK or IRZ_ERR_INPUT
IrzCode irz_grid_finish(IrzPlan *plan, IrzLabelMap *map, const char *what, const char *unit, IrzError *error);

#endif
