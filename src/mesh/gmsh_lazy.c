/* Finding Gmsh's functions; see gmsh_lazy.h. */
#define _GNU_SOURCE /* RTLD_DEEPBIND */
#define IRZ_GMSH_LAZY_NO_NAMES
#include "mesh/gmsh_lazy.h"
#include "base/memory.h"
#include <dlfcn.h>
#include <fcntl.h>
#include <irezone/plan.h>
#include <link.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

IrzGmshFunctions irz_gmsh;

/* A library looks for names among those that it brought along, not among the hundred behind PETSc first: 0.07 instead
 * of 0.20 s. The sanitizers' runtime, which takes the place of some names, forbids that. */
#if defined(IRZ_SANITIZED) || !defined(RTLD_DEEPBIND)
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

/* Whether the linker's reason is a lack of memory; its messages have no code. */
static bool lacks_memory(const char *reason) {
  static const char *const signs[] = {"failed to map", "annot map", "annot allocate", "annot create", "out of memory"};
  if (strstr(reason, "not permitted") != NULL) return false; /* a file system without programs */
  for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++) {
    if (strstr(reason, signs[i]) != NULL) return true;
  }
  return false;
}

/* Say what is wrong with the library, and what to do. */
static IrzCode refuse(const char *reason, IrzError *error) {
  return irz_error_set(
      error, IRZ_ERR_INPUT,
      "generating a mesh needs Gmsh's library, %s (Debian: apt install %s): %s; a mesh that is loaded, "
      "mesh.file, does without",
      IRZ_GMSH_LIBRARY, IRZ_GMSH_PACKAGE, reason);
}

/* Whether a file is shorter than its own header says; the linker would die of it. */
static bool is_cut_off(const char *path) {
  ElfW(Ehdr) header;
  struct stat status;
  bool cut = false;
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  if (fstat(file, &status) == 0 && pread(file, &header, sizeof header, 0) == (ssize_t)sizeof header &&
      memcmp(header.e_ident, ELFMAG, SELFMAG) == 0 && header.e_phentsize == sizeof(ElfW(Phdr))) {
    for (int i = 0; i < header.e_phnum && !cut; i++) {
      ElfW(Phdr) part;
      off_t at = (off_t)(header.e_phoff + (ElfW(Off))i * sizeof part);
      cut = pread(file, &part, sizeof part, at) != (ssize_t)sizeof part ||
            (part.p_type == PT_LOAD && part.p_offset + part.p_filesz > (ElfW(Off))status.st_size);
    }
  }
  close(file);
  return cut;
}

/* Look for the library where the linker will, as far as it tells: all but the folders of ld.so.conf. */
static IrzCode check_file(IrzError *error) {
  Dl_serinfo size, *folders = NULL;
  char path[IRZ_PATH_MAX], reason[IRZ_PATH_MAX + 32];
  void *self = dlopen(NULL, RTLD_LAZY);
  IrzCode code = IRZ_OK;
  if (self == NULL || dlinfo(self, RTLD_DI_SERINFOSIZE, &size) != 0) return IRZ_OK;
  IRZ_TRY(irz_alloc(&folders, 1, size.dls_size, error));
  if (dlinfo(self, RTLD_DI_SERINFOSIZE, folders) == 0 && dlinfo(self, RTLD_DI_SERINFO, folders) == 0) {
    for (unsigned i = 0; i < folders->dls_cnt; i++) {
      snprintf(path, sizeof path, "%s/%s", folders->dls_serpath[i].dls_name, IRZ_GMSH_LIBRARY);
      if (access(path, F_OK) != 0) continue;
      snprintf(reason, sizeof reason, "%s is incomplete", path);
      if (is_cut_off(path)) code = refuse(reason, error);
      break;
    }
  }
  free(folders);
  return code;
}

/* The name that a library has given itself; "" if it has none. A file may be called as another version. */
static const char *own_name(void *library) {
  struct link_map *map = NULL;
  const char *names = NULL;
  ElfW(Xword) offset = 0;
  bool named = false;
  if (dlinfo(library, RTLD_DI_LINKMAP, &map) != 0 || map == NULL) return "";
  for (const ElfW(Dyn) *entry = map->l_ld; entry->d_tag != DT_NULL; entry++) {
    if (entry->d_tag == DT_STRTAB) memcpy(&names, &entry->d_un.d_ptr, sizeof names); /* an address by now */
    if (entry->d_tag == DT_SONAME) offset = entry->d_un.d_val;
    named = named || entry->d_tag == DT_SONAME;
  }
  return named && names != NULL ? names + offset : "";
}

/* Gmsh is C++, and where it finds no memory its exception would end the process, as C cannot catch it. `operator new`
 * calls a handler before it throws: it leaves Gmsh with a jump. What Gmsh held is lost, and it is not used again. */
typedef void (*Handler)(void);
static Handler (*set_handler)(Handler); /* std::set_new_handler(); NULL: there is none of that name */
static _Thread_local jmp_buf *way_out;
static bool lost;

static void no_memory(void) {
  if (way_out != NULL) longjmp(*way_out, 1);
  set_handler(NULL); /* somebody else's thread: it gets its exception */
}

bool irz_gmsh_guard(void (*work)(void *context), void *context) {
  jmp_buf here;
  volatile bool done = false;
  Handler before = set_handler != NULL ? set_handler(no_memory) : NULL;
  way_out = &here;
  if (setjmp(here) == 0) {
    work(context);
    done = true;
  }
  way_out = NULL;
  if (set_handler != NULL) set_handler(before);
  lost = !done;
  return done;
}

/* Find the functions. */
static IrzCode find(void *library, IrzError *error) {
  char reason[128];
  const char *name = own_name(library);
  if (name[0] != '\0' && strcmp(name, IRZ_GMSH_LIBRARY) != 0) {
    snprintf(reason, sizeof reason, "the file of that name is %.40s, another version", name);
    return refuse(reason, error);
  }
  /* A data pointer may not be cast to a function pointer in ISO C; POSIX says that their bytes agree. */
#define FIND(name)                                                                                                     \
  {                                                                                                                    \
    void *found = dlsym(library, #name);                                                                               \
    if (found == NULL) return refuse("it has no function " #name, error);                                              \
    memcpy(&irz_gmsh.to_##name, &found, sizeof found);                                                                 \
  }
  IRZ_GMSH_FUNCTIONS(FIND)
#undef FIND
  void *handler = dlsym(library, "_ZSt15set_new_handlerPFvvE");
  memcpy(&set_handler, &handler, sizeof set_handler);
  return IRZ_OK;
}

IrzCode irz_gmsh_load(IrzError *error) {
  static bool loaded;
  if (lost) {
    return irz_error_set(error, IRZ_ERR_MEMORY,
                         "out of memory: Gmsh ran out of it before and makes no more meshes in this process");
  }
  if (loaded) return IRZ_OK;
  IRZ_TRY(check_file(error));
  open_from_below();
  void *library = dlopen(IRZ_GMSH_LIBRARY, OPEN_FLAGS);
  if (library == NULL) {
    const char *reason = dlerror();
    if (reason != NULL && !lacks_memory(reason)) return refuse(reason, error);
    return irz_error_set(error, IRZ_ERR_MEMORY, "out of memory: Gmsh's library, which makes the mesh, does not fit: %s",
                         reason != NULL ? reason : IRZ_GMSH_LIBRARY);
  }
  IrzCode code = find(library, error);
  loaded = code == IRZ_OK;
  if (!loaded) dlclose(library);
  return code;
}
