/* Files that appear whole or not at all: written under a temporary name beside the final one, flushed, renamed. */
#ifndef IREZONE_IO_REPLACE_H
#define IREZONE_IO_REPLACE_H

#include <irezone/error.h>
#include <irezone/plan.h>

/// A file on its way to its final name.
typedef struct {
  char path[IRZ_PATH_MAX];           ///< final name
  char temporary[IRZ_PATH_MAX + 16]; ///< name until then; "" if there is none
  int descriptor;                    ///< open for writing, or -1
} IrzReplace;

/// Create the temporary file, with the permissions a new file would have.
/// @param[out] file   the file; on failure nothing is left behind
/// @param[in]  path   final name
/// @param[out] error  names the file and the reason
/// @return IRZ_OK or IRZ_ERR_OUTPUT
IrzCode irz_replace_begin(IrzReplace *file, const char *path, IrzError *error);

/// Flush the file to disk and give it its final name. On failure it is removed.
IrzCode irz_replace_commit(IrzReplace *file, IrzError *error);

/// Remove the temporary file. Harmless after a commit or a failure.
void irz_replace_abandon(IrzReplace *file);

#endif
