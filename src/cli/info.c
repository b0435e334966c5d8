/* irezone info: describe a mesh or a result. */
#include "cli/cli.h"
#include <errno.h>
#include <fcntl.h>
#include <irezone/mesh.h>
#include <irezone/result.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Describe a mesh. */
static IrzCode mesh_info(const char *path, IrzError *error) {
  IrzMesh *mesh;
  IRZ_TRY(irz_mesh_read(path, 0, &mesh, error));
  IrzCode code = irz_mesh_print(mesh, stdout, error);
  irz_mesh_free(mesh);
  return code;
}

/* Read the first bytes of a file. A pipe or a device, which could wait for ever, is refused. */
static IrzCode read_start(const char *path, char start[16], size_t *length, IrzError *error) {
  int file = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  struct stat status;
  ssize_t got = file >= 0 && fstat(file, &status) == 0 ? 0 : -1;
  bool regular = got == 0 && S_ISREG(status.st_mode);
  if (regular) got = read(file, start, 16);
  int reason = errno;
  if (file >= 0) close(file);
  if (got < 0) return irz_error_set(error, IRZ_ERR_INPUT, "%s: cannot be read: %s", path, strerror(reason));
  if (!regular) return irz_error_set(error, IRZ_ERR_INPUT, "%s: is not a regular file", path);
  *length = (size_t)got;
  return IRZ_OK;
}

/* What a file is, is told by its first bytes; its name does not matter. */
static IrzCode info(const IrzArguments *arguments, IrzError *error) {
  static const char hdf5[8] = {(char)0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};
  static const char gmsh[11] = "$MeshFormat";
  const char *path = arguments->operands[0];
  char start[16] = "";
  size_t length = 0;
  IRZ_TRY(read_start(path, start, &length, error));
  if (length >= sizeof hdf5 && memcmp(start, hdf5, sizeof hdf5) == 0) return irz_result_print(path, stdout, error);
  size_t name = strlen(path);
  bool msh = name > 4 && strcmp(path + name - 4, ".msh") == 0;
  if (msh || (length >= sizeof gmsh && memcmp(start, gmsh, sizeof gmsh) == 0)) return mesh_info(path, error);
  return irz_error_set(error, IRZ_ERR_INPUT, "%s: is neither a Gmsh mesh (.msh) nor a result (.hdf)", path);
}

static const IrzOption options[] = {IRZ_OPTION_END};

const IrzCommand irz_command_info = {
    .name = "info",
    .usage = "FILE",
    .summary = "describe a mesh (.msh) or a result (.hdf)",
    .help = "A mesh: its regions and surfaces, size, and the quality of its tetrahedra; its unit is taken as mm.\n"
            "A result: its arrays with their ranges, and the summary stored in it.\n",
    .options = options,
    .operand = "msh hdf",
    .operand_is_file = true,
    .least_operands = 1,
    .most_operands = 1,
    .run = info,
};
