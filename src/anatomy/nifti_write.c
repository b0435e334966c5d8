/* NIfTI-1 images; see image_write.h. */
#include "anatomy/gzip_write.h"
#include "anatomy/image_write.h"
#include "base/replace.h"
#include <math.h>
#include <nifti1_io.h>
#include <stdint.h>
#include <string.h>

bool irz_nifti_holds(const IrzVoxelGrid *grid) {
  return grid->size[0] <= INT16_MAX && grid->size[1] <= INT16_MAX && grid->size[2] <= INT16_MAX;
}

/// Fill the header. Floats and 16-bit integers are written as this machine has them; readers know the order from the
/// first number.
static void fill_header(const IrzVoxels *voxels, int datatype, const char *what, nifti_1_header *header) {
  const IrzVoxelGrid *grid = voxels->grid;
  float *const row[3] = {header->srow_x, header->srow_y, header->srow_z};
  mat44 place = {{{0}}};
  memset(header, 0, sizeof *header);
  header->sizeof_hdr = (int)sizeof *header;
  header->dim[0] = 3;
  for (int a = 0; a < 3; a++) header->dim[a + 1] = (short)grid->size[a];
  for (int a = 4; a < 8; a++) header->dim[a] = 1;
  header->datatype = (short)datatype;
  header->bitpix = datatype == DT_FLOAT32 ? 32 : 8;
  header->vox_offset = (float)(sizeof *header + 4);
  header->scl_slope = 1;
  header->xyzt_units = NIFTI_UNITS_MM;
  header->qform_code = header->sform_code = NIFTI_XFORM_SCANNER_ANAT;
  snprintf(header->descrip, sizeof header->descrip, "%s", what);
  memcpy(header->magic, "n+1", 4);
  for (int d = 0; d < 3; d++) {
    for (int a = 0; a < 3; a++) place.m[d][a] = (float)(1e3 * grid->step[a][d]);
    place.m[d][3] = (float)(1e3 * grid->origin[d]);
    memcpy(row[d], place.m[d], sizeof place.m[d]);
  }
  place.m[3][3] = 1;
  nifti_mat44_to_quatern(place, &header->quatern_b, &header->quatern_c, &header->quatern_d, &header->qoffset_x,
                         &header->qoffset_y, &header->qoffset_z, &header->pixdim[1], &header->pixdim[2],
                         &header->pixdim[3], &header->pixdim[0]);
}

IrzCode irz_nifti_write(const char *path, const IrzVoxels *voxels, uint8_t mask, uint8_t least, const char *what,
                        int threads, IrzError *error) {
  const IrzSegment only = {.mask = mask, .least = least};
  const IrzVoxelBytes bytes = {.voxels = voxels, .n_segments = voxels->byte != NULL ? 1 : 0, .segments = &only};
  nifti_1_header header;
  char head[sizeof header + 4] = {0}; /* no extension follows */
  fill_header(voxels, voxels->byte != NULL ? DT_UINT8 : DT_FLOAT32, what, &header);
  memcpy(head, &header, sizeof header);
  const IrzGzipSource source = {.head = head,
                                .n_head = sizeof head,
                                .size = irz_voxel_bytes_size(&bytes),
                                .make = irz_voxel_bytes,
                                .context = &bytes};
  IrzReplace file;
  FILE *out;
  IRZ_TRY(irz_replace_begin(&file, path, error));
  IRZ_TRY(irz_replace_stream(&file, &out, error));
  IrzCode code = irz_gzip_write(out, &source, threads, error);
  if (code != IRZ_OK) irz_replace_abandon(&file);
  return code != IRZ_OK ? code : irz_replace_commit(&file, error);
}
