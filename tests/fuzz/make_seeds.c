/* Write the seeds of the fuzzing corpus: the sample cube in every form of Gmsh's format. */
#include "../mesh/mesh_sample.h"

/// usage: make_seeds FOLDER
int main(int argc, char **argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
    return 2;
  }
  for (int bits = 0; bits < 24; bits++) {
    SampleForm form = {.version = bits & 1 ? 41 : 22,
                       .binary = (bits & 2) != 0,
                       .ten_nodes = (bits & 4) != 0,
                       .swap = bits / 8 == 1,
                       .gaps = bits / 8 == 2,
                       .size_bytes = bits / 8 == 2 ? 4 : 8};
    SampleFile sample = sample_write(&form);
    char path[4096];
    snprintf(path, sizeof path, "%s/seed_%02d.msh", argv[1], bits);
    FILE *file = fopen(path, "wb");
    if (file == NULL || fwrite(sample.data, 1, sample.size, file) != sample.size || fclose(file) != 0) {
      fprintf(stderr, "%s: cannot be written\n", path);
      return 1;
    }
    free(sample.data);
  }
  return 0;
}
