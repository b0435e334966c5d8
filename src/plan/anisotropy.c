/* `anisotropy` of a tissue: conductivity that depends on direction. */
#include "base/tensor.h"
#include "plan/parts.h"
#include <math.h>
#include <string.h>

/* Tensors whose principal conductivities differ more than this are taken for mistakes. */
#define MOST_RATIO 1e3

/* ratio along a direction, 1 across it. */
static IrzCode from_fibres(const IrzReader *reader, const IrzYaml *node, const char *path, IrzAnisotropyKeys *keys,
                           const IrzPreset *preset, double shape[6]) {
  char full[IRZ_KEY_PATH_MAX];
  double *f = keys->fibres, length = sqrt(f[0] * f[0] + f[1] * f[1] + f[2] * f[2]);
  irz_key_path(full, path, "fibres");
  if (!(length > 0)) return irz_reader_fail(reader, irz_yaml_get(node, "fibres"), full, "the direction is zero");
  if (isnan(keys->ratio) && preset != NULL && preset->fibre_ratio.value > 0) keys->ratio = preset->fibre_ratio.value;
  irz_key_path(full, path, "ratio");
  if (isnan(keys->ratio)) {
    return irz_reader_fail(reader, node, full, "missing: conductivity along the fibres over that across them");
  }
  for (int k = 0; k < 6; k++) shape[k] = k < 3;
  for (int d = 0; d < 3; d++) f[d] /= length;
  irz_tensor_add(shape, keys->ratio - 1, f, f);
  return IRZ_OK;
}

/* Six numbers. */
static IrzCode from_tensor(const IrzReader *reader, const IrzYaml *node, const char *path, double shape[6]) {
  int count;
  double low, high;
  IRZ_TRY(irz_reader_numbers(reader, &irz_key_tensor, node, path, 6, &count, shape));
  if (count != 6) {
    return irz_reader_fail(reader, node, path, "has %d numbers; it must be [xx, yy, zz, xy, yz, xz]", count);
  }
  irz_tensor_bounds(shape, &low, &high);
  if (!(low > 0 && high <= MOST_RATIO * low)) {
    return irz_reader_fail(reader, node, path,
                           "its principal values go from %.4g to %.4g; all must be above 0 and none more than %g "
                           "times another",
                           low, high, MOST_RATIO);
  }
  return IRZ_OK;
}

IrzCode irz_anisotropy_read(const IrzReader *reader, const IrzYaml *node, const char *path, const IrzPreset *preset,
                            IrzLaw *law) {
  char full[IRZ_KEY_PATH_MAX];
  IrzAnisotropyKeys keys = {.ratio = NAN};
  double shape[6] = {1, 1, 1, 0, 0, 0}, trace = 0, where = 0;
  IRZ_TRY(irz_reader_section(reader, &irz_section_anisotropy, node, node, path, false, &keys));
  bool fibres = irz_yaml_get(node, "fibres") != NULL;
  if (fibres && keys.tensor != NULL) return irz_reader_fail(reader, node, path, "state fibres or tensor, not both");
  if (!fibres && !isnan(keys.ratio)) {
    irz_key_path(full, path, "fibres");
    return irz_reader_fail(reader, node, full, "missing: direction of the fibres that have this ratio");
  }
  law->direction = keys.rise == 1 ? IRZ_LAW_ALONG : IRZ_LAW_SCALED;
  if (!fibres && keys.tensor == NULL && law->direction == IRZ_LAW_SCALED) {
    return irz_reader_fail(reader, node, path, "state fibres, tensor or rise: along-field");
  }
  irz_key_path(full, path, "tensor");
  if (fibres) IRZ_TRY(from_fibres(reader, node, path, &keys, preset, shape));
  if (keys.tensor != NULL) IRZ_TRY(from_tensor(reader, keys.tensor, full, shape));
  for (int d = 0; d < 3; d++) trace += shape[d];
  for (int k = 0; k < 6; k++) law->shape[k] = 3 * shape[k] / trace;
  if (irz_law_is_monotone(law, &where)) return IRZ_OK;
  if (law->direction == IRZ_LAW_ALONG) {
    return irz_reader_fail(reader, node, path,
                           "rise: along-field needs a conductivity that falls nowhere, but it falls at %.4g V/cm",
                           where / 100);
  }
  return irz_reader_fail(reader, node, path,
                         "the conductivity rises so steeply at %.4g V/cm that with this anisotropy the field would "
                         "not be unique; a gentler law, less anisotropy, or rise: along-field is needed",
                         where / 100);
}

void irz_anisotropy_to_ras(IrzPlan *plan) {
  if (plan->anatomy.frame != IRZ_FRAME_LPS) return;
  for (int i = 0; i < plan->n_tissues; i++) {
    double *shape = plan->tissues[i].sigma.shape;
    for (int k = 4; k < 6; k++) shape[k] = 0 - shape[k]; /* yz and xz; x and y turn around together */
  }
}
