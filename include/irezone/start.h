/// @file
/// Starting and stopping what the library stands on.
#ifndef IREZONE_START_H
#define IREZONE_START_H

#include <irezone/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Start MPI and PETSc unless the host has done so. Plans, label maps and meshes need neither; models, sessions and
/// sweeps do. Calls may be nested: each needs its irz_stop(). Signals, locale and floating-point state are as they were
/// on return. MPI cannot be started again once it has ended: a host that stops and starts again starts MPI itself.
/// Threads may use the library one at a time, which needs MPI_THREAD_SERIALIZED; a host that starts MPI sees to that.
/// Collective among the processes of a launcher.
/// @return IRZ_OK, IRZ_ERR_MEMORY, or IRZ_ERR_SOLVER if one of them does not start
IRZ_API IrzCode irz_start(IrzError *error);

/// End what irz_start() has started, once it has been called as often as that. Sessions, models and results must be
/// freed before. What MPI has added to the environment is removed. Collective.
IRZ_API void irz_stop(void);

/// The library's version, as in "0.2.0".
IRZ_API const char *irz_version(void);

#ifdef __cplusplus
}
#endif
#endif
