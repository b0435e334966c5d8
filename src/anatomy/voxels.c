/* Numbers as images store them. */
#include "anatomy/image.h"
#include <nifti1_io.h>

void irz_voxels_convert(int datatype, const void *stored, int n, double *value) {
#define CONVERT(type)                                                                                                  \
  for (int i = 0; i < n; i++) value[i] = (double)((const type *)stored)[i];                                            \
  break
  switch (datatype) {
  case DT_UINT8:
    CONVERT(uint8_t);
  case DT_INT8:
    CONVERT(int8_t);
  case DT_UINT16:
    CONVERT(uint16_t);
  case DT_INT16:
    CONVERT(int16_t);
  case DT_UINT32:
    CONVERT(uint32_t);
  case DT_INT32:
    CONVERT(int32_t);
  case DT_UINT64:
    CONVERT(uint64_t);
  case DT_INT64:
    CONVERT(int64_t);
  case DT_FLOAT32:
    CONVERT(float);
  case DT_FLOAT64:
    CONVERT(double);
  default:
    break;
  }
#undef CONVERT
}
