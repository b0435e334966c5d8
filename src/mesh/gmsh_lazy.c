/* Finding Gmsh's functions; see gmsh_lazy.h. */
#define _GNU_SOURCE /* RTLD_DEEPBIND */
#define IRZ_GMSH_LAZY_NO_NAMES
#include "mesh/gmsh_lazy.h"
#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

IrzGmshFunctions irz_gmsh;

/* Gmsh looks for names among its own libraries first, not among the hundred behind PETSc: 0.07 instead of 0.20 s. The
 * sanitizers' runtime, which takes the place of some names, forbids that. */
#if defined(__SANITIZE_ADDRESS__) || !defined(RTLD_DEEPBIND)
#define OWN_NAMES_FIRST 0
#else
#define OWN_NAMES_FIRST RTLD_DEEPBIND
#endif

IrzCode irz_gmsh_load(IrzError *error) {
  static void *library = NULL;
  if (library != NULL) return IRZ_OK;
  void *opened = dlopen(IRZ_GMSH_LIBRARY, RTLD_LAZY | RTLD_LOCAL | OWN_NAMES_FIRST);
  if (opened == NULL) {
    return irz_error_set(error, IRZ_ERR_INPUT, "generating a mesh needs Gmsh's library: %s", dlerror());
  }
  /* A data pointer may not be cast to a function pointer in ISO C; POSIX says that their bytes agree. */
#define FIND(name)                                                                                                     \
  {                                                                                                                    \
    void *found = dlsym(opened, #name);                                                                                \
    if (found == NULL) {                                                                                               \
      return irz_error_set(error, IRZ_ERR_INPUT, "%s has no function %s: another version is needed", IRZ_GMSH_LIBRARY, \
                           #name);                                                                                     \
    }                                                                                                                  \
    memcpy(&irz_gmsh.to_##name, &found, sizeof found);                                                                 \
  }
  IRZ_GMSH_FUNCTIONS(FIND)
#undef FIND
  library = opened;
  return IRZ_OK;
}
