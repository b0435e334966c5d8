/* Files that appear whole or not at all: written under a temporary name beside the final one, flushed, renamed. Every
   file that irezone writes goes through here, except the journals of sweeps, which grow. */
#ifndef IREZONE_BASE_REPLACE_H
#define IREZONE_BASE_REPLACE_H

#include <irezone/error.h>
#include <irezone/plan.h>
#include <stdio.h>
#include <sys/types.h>

/// A file on its way to its final name.
typedef struct {
  char path[IRZ_PATH_MAX];           ///< final name
  char temporary[IRZ_PATH_MAX + 16]; ///< name until then; "" if there is none
  int descriptor;                    ///< open for reading and writing, or -1
  int reason;                        ///< errno of the first write that failed, or 0
  off_t limit;                       ///< largest size that the process may write; beyond it SIGXFSZ would end it
  off_t end;                         ///< where the stream goes on
  off_t reserved;                    ///< bytes asked for in advance
  FILE *stream;                      ///< from irz_replace_stream(), or NULL
} IrzReplace;

/// Create the temporary file, with the permissions a new file would have.
/// @param[out] file   the file; on failure nothing is left behind
/// @param[in]  path   final name; what stands there now must be a regular file, if anything
/// @param[out] error  names the file and the reason
/// @return IRZ_OK or IRZ_ERR_OUTPUT
IrzCode irz_replace_begin(IrzReplace *file, const char *path, IrzError *error);

/// Reserve space, as far as the file system can, so that a full disk is met before the work rather than after it. A
/// lack is remembered as a failed write is.
void irz_replace_reserve(IrzReplace *file, off_t bytes);

/// Write at an offset. A failure is remembered, and nothing is written after it; irz_replace_commit() reports it.
void irz_replace_write(IrzReplace *file, const void *bytes, size_t size, off_t offset);

/// A stream that appends to the file; it belongs to the file.
IrzCode irz_replace_stream(IrzReplace *file, FILE **stream, IrzError *error);

/// Flush the file to disk and give it its final name. If that or any write before has failed, the file is removed, and
/// what had its name before stays.
IrzCode irz_replace_commit(IrzReplace *file, IrzError *error);

/// Remove the temporary file. Harmless after a commit or a failure.
void irz_replace_abandon(IrzReplace *file);

/// Make a folder with those above it, where they are missing.
/// @return IRZ_OK, or IRZ_ERR_OUTPUT with the folder that is none or cannot be made
IrzCode irz_folder_make(const char *path, IrzError *error);

/// Find out whether files could be made in a folder, before the work for them is done. Leaves no trace: a folder that
/// is missing is made and removed again.
/// @param[in] names, n_names  names the files will have in the folder
IrzCode irz_folder_probe(const char *folder, int n_names, const char *const *names, IrzError *error);

#endif
