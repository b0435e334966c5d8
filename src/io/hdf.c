#include "io/hdf.h"
#include "base/input.h"
#include "io/hdf_driver.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/// The innermost entry is visited last and is the most specific one; an entry quoting errno beats all.
static herr_t visit(unsigned depth, const H5E_error2_t *entry, void *data) {
  (void)depth;
  IrzHdfWatch *watch = data;
  static const char quote[] = "error message = '";
  const char *text = entry->desc != NULL ? entry->desc : "", *message = strstr(text, quote);
  bool resource = entry->maj_num == H5E_RESOURCE;
  if ((resource && (entry->min_num == H5E_NOSPACE || entry->min_num == H5E_CANTALLOC)) ||
      strstr(text, "memory allocation failed") != NULL) {
    watch->no_memory = true;
  }
  if (message != NULL) {
    message += sizeof quote - 1;
    snprintf(watch->reason, sizeof watch->reason, "%.*s", (int)strcspn(message, "'"), message);
    return 1;
  }
  snprintf(watch->reason, sizeof watch->reason, "%s", text);
  return 0;
}

/// Called by HDF5 whenever one of its functions fails. The stack of errors is gone with the next call of any.
static herr_t remember(hid_t stack, void *data) {
  IrzHdfWatch *watch = data;
  if (watch->failed) return 0;
  watch->failed = true;
  H5Ewalk2(stack, H5E_WALK_DOWNWARD, visit, watch);
  return 0;
}

/// Starting HDF5, which comes first, needs nothing but memory.
static void watch_begin(IrzHdfWatch *watch) {
  *watch = (IrzHdfWatch){.reason = "HDF5 failed", .no_memory = H5open() < 0};
  H5Eget_auto2(H5E_DEFAULT, &watch->print, &watch->data);
  H5Eset_auto2(H5E_DEFAULT, remember, watch);
}

static void watch_end(const IrzHdfWatch *watch) {
  H5Eset_auto2(H5E_DEFAULT, watch->print, watch->data);
}

/// Turn what was watched into an error.
static IrzCode fail(const IrzHdfWatch *watch, const char *path, IrzCode code, const char *doing, IrzError *error) {
  if (watch->no_memory) {
    return irz_error_set(error, IRZ_ERR_MEMORY, "%s: cannot be %s: out of memory", path, doing);
  }
  return irz_error_set(error, code, "%s: cannot be %s: %s", path, doing, watch->reason);
}

IrzCode irz_hdf_begin(IrzHdfFile *file, const char *path, IrzError *error) {
  file->id = file->driver = H5I_INVALID_HID;
  IRZ_TRY(irz_replace_begin(&file->replace, path, error));
  watch_begin(&file->watch);
  file->id = irz_hdf_driver_create(&file->replace, &file->driver);
  return file->id >= 0 ? IRZ_OK : irz_hdf_finish(file, 1, error);
}

IrzCode irz_hdf_finish(IrzHdfFile *file, int bad, IrzError *error) {
  bad = irz_hdf_driver_close(file->id, file->driver) < 0 || bad;
  watch_end(&file->watch);
  /* If a write has failed, that is the cause, whatever HDF5 made of it. */
  if (!bad || file->replace.reason != 0) return irz_replace_commit(&file->replace, error);
  irz_replace_abandon(&file->replace);
  return fail(&file->watch, file->replace.path, IRZ_ERR_OUTPUT, "written", error);
}

IrzCode irz_hdf_open(IrzHdfInput *file, const char *path, IrzError *error) {
  *file = (IrzHdfInput){.id = H5I_INVALID_HID, .driver = H5I_INVALID_HID, .descriptor = -1};
  IRZ_TRY(irz_file_open(path, &file->descriptor, &file->size, error));
  watch_begin(&file->watch);
  file->id = irz_hdf_driver_open(file->descriptor, &file->driver);
  if (file->id >= 0) return IRZ_OK;
  irz_hdf_unreadable(file, path, error);
  irz_hdf_close(file);
  return error->code;
}

IrzCode irz_hdf_unreadable(const IrzHdfInput *file, const char *path, IrzError *error) {
  return fail(&file->watch, path, IRZ_ERR_INPUT, "read as a result", error);
}

void irz_hdf_close(IrzHdfInput *file) {
  if (file->descriptor < 0) return;
  irz_hdf_driver_close(file->id, file->driver);
  watch_end(&file->watch);
  close(file->descriptor);
  *file = (IrzHdfInput){.id = H5I_INVALID_HID, .driver = H5I_INVALID_HID, .descriptor = -1};
}

/// A string type of a fixed size.
static hid_t text_type(size_t size, H5T_cset_t encoding) {
  hid_t type = H5Tcopy(H5T_C_S1);
  if (H5Tset_size(type, size > 0 ? size : 1) >= 0 && H5Tset_strpad(type, H5T_STR_NULLPAD) >= 0 &&
      H5Tset_cset(type, encoding) >= 0) {
    return type;
  }
  if (type >= 0) H5Tclose(type);
  return H5I_INVALID_HID;
}

/// Create a dataset on a given space and with given properties, which are closed. It says nothing of when it was made,
/// so that the same results make the same files.
static hid_t create_dataset(hid_t place, const char *name, hid_t space, hid_t creation, hid_t type) {
  hid_t dataset = H5I_INVALID_HID;
  if (space >= 0 && H5Pset_obj_track_times(creation, 0) >= 0) {
    dataset = H5Dcreate2(place, name, type, space, H5P_DEFAULT, creation, H5P_DEFAULT);
  }
  if (creation >= 0) H5Pclose(creation);
  if (space >= 0) H5Sclose(space);
  return dataset;
}

hid_t irz_hdf_column(hid_t place, const char *name, hsize_t rows, hsize_t components, hid_t type) {
  const hsize_t extent[2] = {rows, components};
  hid_t space = H5Screate_simple(components == 1 ? 1 : 2, extent, NULL), creation = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_fill_time(creation, H5D_FILL_TIME_NEVER);
  H5Pset_alloc_time(creation, H5D_ALLOC_TIME_EARLY);
  return create_dataset(place, name, space, creation, type);
}

int irz_hdf_rows(hid_t dataset, hsize_t first, hsize_t count, hsize_t components, hid_t type, const void *data) {
  const hsize_t corner[2] = {first, 0}, extent[2] = {count, components};
  if (count == 0) return 0;
  hid_t in_file = H5Dget_space(dataset), in_memory = H5Screate_simple(components == 1 ? 1 : 2, extent, NULL);
  herr_t status = H5Sselect_hyperslab(in_file, H5S_SELECT_SET, corner, NULL, extent, NULL);
  if (status >= 0) status = H5Dwrite(dataset, type, in_memory, in_file, H5P_DEFAULT, data);
  if (in_memory >= 0) H5Sclose(in_memory);
  if (in_file >= 0) H5Sclose(in_file);
  return status < 0 ? -1 : 0;
}

/// Write a dataset on a given space and with given properties, which are closed.
static int write_dataset(hid_t place, const char *name, hid_t space, hid_t creation, hid_t type, const void *data) {
  hid_t dataset = create_dataset(place, name, space, creation, type);
  herr_t status = dataset < 0 ? -1 : H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data);
  if (dataset >= 0 && H5Dclose(dataset) < 0) status = -1;
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
  if (H5Pset_chunk(creation, rank, chunk) >= 0) H5Pset_deflate(creation, 4);
  return write_dataset(place, name, space, creation, type, data);
}

int irz_hdf_text(hid_t place, const char *name, const char *text) {
  hid_t type = text_type(strlen(text), H5T_CSET_UTF8);
  int result = write_dataset(place, name, H5Screate(H5S_SCALAR), H5Pcreate(H5P_DATASET_CREATE), type, text);
  if (type >= 0) H5Tclose(type);
  return result;
}

int irz_hdf_texts(hid_t place, const char *name, int n, const char *texts, size_t stride) {
  hid_t type = text_type(stride, H5T_CSET_UTF8);
  int result = irz_hdf_array(place, name, 1, (hsize_t[]){(hsize_t)n}, type, texts);
  if (type >= 0) H5Tclose(type);
  return result;
}

int irz_hdf_strings(hid_t place, const char *name, int n, const char *const *texts) {
  hid_t type = text_type(H5T_VARIABLE, H5T_CSET_UTF8), space = H5Screate_simple(1, (hsize_t[]){(hsize_t)n}, NULL);
  int result = write_dataset(place, name, space, H5Pcreate(H5P_DATASET_CREATE), type, texts);
  if (type >= 0) H5Tclose(type);
  return result;
}

int irz_hdf_ascii_strings(hid_t place, const char *name, int n, const char *const *texts) {
  size_t size = 0, used = 0;
  for (int i = 0; i < n; i++) size += strlen(texts[i]) + 1;
  char *copy = malloc(size + 1);
  const char **list = malloc(((size_t)n + 1) * sizeof *list);
  int result = -1;
  if (copy != NULL && list != NULL) {
    for (int i = 0; i < n; i++) {
      list[i] = copy + used;
      for (const char *c = texts[i]; *c != '\0'; c++) copy[used++] = (unsigned char)*c < 0x80 ? *c : '?';
      copy[used++] = '\0';
    }
    hid_t type = text_type(H5T_VARIABLE, H5T_CSET_ASCII), space = H5Screate_simple(1, (hsize_t[]){(hsize_t)n}, NULL);
    result = write_dataset(place, name, space, H5Pcreate(H5P_DATASET_CREATE), type, (const void *)list);
    if (type >= 0) H5Tclose(type);
  }
  free((void *)list);
  free(copy);
  return result;
}

/// Write an attribute on a given space, which is closed.
static int write_attribute(hid_t place, const char *name, hid_t space, hid_t type, const void *value) {
  hid_t attribute = H5Acreate2(place, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
  herr_t status = attribute < 0 ? -1 : H5Awrite(attribute, type, value);
  if (attribute >= 0 && H5Aclose(attribute) < 0) status = -1;
  if (space >= 0) H5Sclose(space);
  return status < 0 ? -1 : 0;
}

int irz_hdf_attribute(hid_t place, const char *name, int n, hid_t type, const void *value) {
  hid_t space = n == 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, (hsize_t[]){(hsize_t)n}, NULL);
  return write_attribute(place, name, space, type, value);
}

int irz_hdf_text_attribute(hid_t place, const char *name, const char *text) {
  hid_t type = text_type(strlen(text), H5T_CSET_ASCII);
  int result = write_attribute(place, name, H5Screate(H5S_SCALAR), type, text);
  if (type >= 0) H5Tclose(type);
  return result;
}
