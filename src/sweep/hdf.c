#include "sweep/hdf.h"
#include <string.h>

IrzCode irz_hdf_begin(IrzHdfFile *file, const char *path, IrzError *error) {
  IRZ_TRY(irz_replace_begin(&file->replace, path, error));
  file->silence = irz_hdf_silence();
  file->id = H5Fcreate(file->replace.temporary, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  return file->id >= 0 ? IRZ_OK : irz_hdf_finish(file, 1, error);
}

IrzCode irz_hdf_finish(IrzHdfFile *file, int bad, IrzError *error) {
  char reason[256];
  if (bad) irz_hdf_reason(reason, sizeof reason);
  if (file->id >= 0 && H5Fclose(file->id) < 0 && !bad) {
    irz_hdf_reason(reason, sizeof reason);
    bad = 1;
  }
  irz_hdf_restore(file->silence);
  if (!bad) return irz_replace_commit(&file->replace, error);
  irz_replace_abandon(&file->replace);
  return irz_error_set(error, IRZ_ERR_OUTPUT, "%s: cannot be written: %s", file->replace.path, reason);
}

/// A string type of a fixed size.
static hid_t text_type(size_t size) {
  hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, size > 0 ? size : 1);
  H5Tset_strpad(type, H5T_STR_NULLPAD);
  return type;
}

/// A dataset on a given space and with given properties, which are closed.
static int write_dataset(hid_t place, const char *name, hid_t space, hid_t creation, hid_t type, const void *data) {
  H5Pset_obj_track_times(creation, 0);
  hid_t dataset = H5Dcreate2(place, name, type, space, H5P_DEFAULT, creation, H5P_DEFAULT);
  herr_t status = dataset < 0 ? -1 : H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data);
  if (dataset >= 0 && H5Dclose(dataset) < 0) status = -1;
  H5Pclose(creation);
  H5Sclose(space);
  return status < 0 ? -1 : 0;
}

int irz_hdf_array(hid_t place, const char *name, int rank, const hsize_t *size, hid_t type, const void *data) {
  hid_t space = H5Screate_simple(rank, size, NULL), creation = H5Pcreate(H5P_DATASET_CREATE);
  hsize_t chunk[3], total = 1;
  for (int i = 0; i < rank; i++) {
    /* The last dimensions whole up to 64 k entries a chunk. */
    chunk[i] = size[i] > 0 ? size[i] : 1;
    total *= chunk[i];
  }
  for (int i = 0; i < rank; i++) {
    while (total > 65536 && chunk[i] > 1) {
      total /= chunk[i];
      chunk[i] = (chunk[i] + 1) / 2;
      total *= chunk[i];
    }
  }
  H5Pset_chunk(creation, rank, chunk);
  H5Pset_deflate(creation, 4);
  return write_dataset(place, name, space, creation, type, data);
}

int irz_hdf_text(hid_t place, const char *name, const char *text) {
  hid_t type = text_type(strlen(text));
  H5Tset_cset(type, H5T_CSET_UTF8);
  int result = write_dataset(place, name, H5Screate(H5S_SCALAR), H5Pcreate(H5P_DATASET_CREATE), type, text);
  H5Tclose(type);
  return result;
}

int irz_hdf_texts(hid_t place, const char *name, int n, const char *texts, size_t stride) {
  hid_t type = text_type(stride);
  H5Tset_cset(type, H5T_CSET_UTF8);
  int result = irz_hdf_array(place, name, 1, (hsize_t[]){(hsize_t)n}, type, texts);
  H5Tclose(type);
  return result;
}

/// Write an attribute on a given space, which is closed.
static int write_attribute(hid_t place, const char *name, hid_t space, hid_t type, const void *value) {
  hid_t attribute = H5Acreate2(place, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
  herr_t status = attribute < 0 ? -1 : H5Awrite(attribute, type, value);
  if (attribute >= 0) H5Aclose(attribute);
  H5Sclose(space);
  return status < 0 ? -1 : 0;
}

int irz_hdf_attribute(hid_t place, const char *name, int n, hid_t type, const void *value) {
  hid_t space = n == 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, (hsize_t[]){(hsize_t)n}, NULL);
  return write_attribute(place, name, space, type, value);
}

int irz_hdf_text_attribute(hid_t place, const char *name, const char *text) {
  hid_t type = text_type(strlen(text));
  int result = write_attribute(place, name, H5Screate(H5S_SCALAR), type, text);
  H5Tclose(type);
  return result;
}
