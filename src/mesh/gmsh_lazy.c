/* Finding Gmsh's functions; see gmsh_lazy.h. */
#define _GNU_SOURCE /* RTLD_DEEPBIND */
#define IRZ_GMSH_LAZY_NO_NAMES
#include "mesh/gmsh_lazy.h"
#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

IrzGmshFunctions irz_gmsh;

/* A library looks for names among those that it brought along, not among the hundred behind PETSc first: 0.07 instead
 * of 0.20 s. The sanitizers' runtime, which takes the place of some names, forbids that. */
#if defined(__SANITIZE_ADDRESS__) || !defined(RTLD_DEEPBIND)
#define OWN_NAMES_FIRST 0
#else
#define OWN_NAMES_FIRST RTLD_DEEPBIND
#endif

#define OPEN_FLAGS (RTLD_LAZY | RTLD_LOCAL | OWN_NAMES_FIRST)

/* What Gmsh brings along, 184 libraries, would all look through that whole list. Opened before it, from the bottom up,
 * each has only what it stands on itself to look through: two thirds of the time. One that is not found here any more,
 * because Gmsh is another than at compile time, is of no account: Gmsh brings its own. */
static void open_from_below(void) {
#if OWN_NAMES_FIRST != 0
  static const char *const needed[] = {IRZ_GMSH_NEEDED};
  for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++) (void)dlopen(needed[i], OPEN_FLAGS);
#endif
}

IrzCode irz_gmsh_load(IrzError *error) {
  static void *library = NULL;
  if (library != NULL) return IRZ_OK;
  open_from_below();
  void *opened = dlopen(IRZ_GMSH_LIBRARY, OPEN_FLAGS);
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
