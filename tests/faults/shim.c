/* Makes one call to the system fail: LD_PRELOAD=shim.so IREZONE_FAULT=kind:N[:rank] irezone ...
   Kinds: memory, open, write, fsync, rename, mkdir, close (all of irezone's own code: what MPI does with its own files
   while it starts is not irezone's to report) and library-memory (allocations by any code). IREZONE_FAULT_ERRNO is what
   the call fails with (default EIO; memory: ENOMEM). IREZONE_FAULT=count:0 with IREZONE_FAULT_COUNT=FILE: none fails,
   and lines "kind rank number", how many calls of each kind were made, are appended there at the end.
   IREZONE_FAULT_TRACE: who makes the call that fails is printed. Only a program called irezone is touched. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { NONE, MEMORY, LIBRARY_MEMORY, OPEN, WRITE, FSYNC, RENAME, MKDIR, CLOSE, KINDS };
static const char *const names[KINDS] = {"",      "memory", "library-memory", "open", "write",
                                         "fsync", "rename", "mkdir",          "close"};
static int kind = NONE, failure = EIO;
static bool counting;
static long wanted, count[KINDS];
static uintptr_t own_low, own_high;

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *block, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

/* The program is the first object, and the only one whose allocations are its own: the library is linked into it. */
static int find_own(struct dl_phdr_info *info, size_t size, void *data) {
  (void)size;
  (void)data;
  for (int i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) *part = &info->dlpi_phdr[i];
    if (part->p_type != PT_LOAD || (part->p_flags & PF_X) == 0) continue;
    own_low = info->dlpi_addr + part->p_vaddr;
    own_high = own_low + part->p_memsz;
  }
  return 1;
}

static void start(void) {
  const char *what = getenv("IREZONE_FAULT"), *number = getenv("IREZONE_FAULT_ERRNO");
  if (what == NULL || strcmp(program_invocation_short_name, "irezone") != 0) return;
  const char *colon = strchr(what, ':');
  if (colon == NULL) return;
  const char *rank = strchr(colon + 1, ':'), *mine = getenv("OMPI_COMM_WORLD_RANK");
  if (rank != NULL && mine != NULL && atoi(rank + 1) != atoi(mine)) return;
  wanted = atol(colon + 1);
  if (number != NULL) failure = atoi(number);
  counting = strncmp(what, "count:", 6) == 0;
  dl_iterate_phdr(find_own, NULL);
  for (int i = 1; i < KINDS; i++) {
    if (strncmp(what, names[i], (size_t)(colon - what)) == 0 && names[i][colon - what] == '\0') kind = i;
  }
}

/* Before main() the libraries set themselves up, and there is nobody to report to. */
static int (*real_main)(int, char **, char **);

static int main_begins(int argc, char **argv, char **environment) {
  start();
  return real_main(argc, argv, environment);
}

int __libc_start_main(int (*main)(int, char **, char **), int argc, char **argv, void (*init)(void), void (*fini)(void),
                      void (*rtld_fini)(void), void *stack_end) {
  int (*start_main)(int (*)(int, char **, char **), int, char **, void (*)(void), void (*)(void), void (*)(void),
                    void *);
  *(void **)&start_main = dlsym(RTLD_NEXT, "__libc_start_main");
  real_main = main;
  return start_main(main_begins, argc, argv, init, fini, rtld_fini, stack_end);
}

static bool fails(int of, const void *caller) {
  const bool own = (uintptr_t)caller >= own_low && (uintptr_t)caller < own_high;
  if (counting) {
    if (of == MEMORY) __sync_add_and_fetch(&count[LIBRARY_MEMORY], 1);
    if (own) __sync_add_and_fetch(&count[of], 1);
    return false;
  }
  if (of == MEMORY && kind == LIBRARY_MEMORY) of = LIBRARY_MEMORY;
  if (of != kind || (of != LIBRARY_MEMORY && !own)) return false;
  if (__sync_add_and_fetch(&count[of], 1) != wanted) return false;
  if (getenv("IREZONE_FAULT_TRACE") != NULL) {
    void *calls[64];
    backtrace_symbols_fd(calls, backtrace(calls, 64), STDERR_FILENO);
  }
  errno = of == MEMORY || of == LIBRARY_MEMORY ? ENOMEM : failure;
  return true;
}

static void say_count(void) {
  const char *path = getenv("IREZONE_FAULT_COUNT");
  if (!counting || path == NULL) return;
  char text[1024];
  int length = 0;
  const char *rank = getenv("OMPI_COMM_WORLD_RANK");
  for (int i = 1; i < KINDS; i++) {
    length += snprintf(text + length, sizeof text - (size_t)length, "%s %s %ld\n", names[i], rank != NULL ? rank : "0",
                       count[i]);
  }
  long file = syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND, 0666);
  if (file >= 0) syscall(SYS_write, file, text, length);
}

void _exit(int status) {
  say_count();
  syscall(SYS_exit_group, status);
  __builtin_unreachable();
}

#define CALLER __builtin_return_address(0)
#define REAL(name)                                                                                                     \
  static __typeof__(name) *real;                                                                                       \
  if (real == NULL) *(void **)&real = dlsym(RTLD_NEXT, #name)

void *malloc(size_t size) {
  return fails(MEMORY, CALLER) ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size) {
  return fails(MEMORY, CALLER) ? NULL : __libc_calloc(n, size);
}

void *realloc(void *block, size_t size) {
  return size > 0 && fails(MEMORY, CALLER) ? NULL : __libc_realloc(block, size);
}

int posix_memalign(void **block, size_t alignment, size_t size) {
  if (fails(MEMORY, CALLER)) return ENOMEM;
  *block = __libc_memalign(alignment, size);
  return *block != NULL ? 0 : ENOMEM;
}

void *aligned_alloc(size_t alignment, size_t size) {
  return fails(MEMORY, CALLER) ? NULL : __libc_memalign(alignment, size);
}

char *strdup(const char *text) {
  size_t size = strlen(text) + 1;
  char *copy = fails(MEMORY, CALLER) ? NULL : __libc_malloc(size);
  return copy != NULL ? memcpy(copy, text, size) : NULL;
}

FILE *open_memstream(char **text, size_t *size) {
  if (fails(MEMORY, CALLER)) return NULL;
  REAL(open_memstream);
  return real(text, size);
}

FILE *fopencookie(void *cookie, const char *mode, cookie_io_functions_t functions) {
  if (fails(MEMORY, CALLER)) return NULL;
  REAL(fopencookie);
  return real(cookie, mode, functions);
}

ssize_t pwrite64(int file, const void *bytes, size_t size, off64_t offset) {
  if (fails(WRITE, CALLER)) return -1;
  REAL(pwrite64);
  return real(file, bytes, size, offset);
}

ssize_t pwrite(int file, const void *bytes, size_t size, off_t offset) {
  return pwrite64(file, bytes, size, offset);
}

ssize_t write(int file, const void *bytes, size_t size) {
  struct stat status;
  if (fstat(file, &status) == 0 && S_ISREG(status.st_mode) && file > 2 && fails(WRITE, CALLER)) return -1;
  REAL(write);
  return real(file, bytes, size);
}

int fsync(int file) {
  if (fails(FSYNC, CALLER)) return -1;
  REAL(fsync);
  return real(file);
}

int fdatasync(int file) {
  if (fails(FSYNC, CALLER)) return -1;
  REAL(fdatasync);
  return real(file);
}

int rename(const char *from, const char *to) {
  if (fails(RENAME, CALLER)) return -1;
  REAL(rename);
  return real(from, to);
}

int mkdir(const char *path, mode_t mode) {
  if (fails(MKDIR, CALLER)) return -1;
  REAL(mkdir);
  return real(path, mode);
}

/* The descriptor is closed all the same, as the kernel does. */
int close(int file) {
  REAL(close);
  struct stat status;
  bool counts =
      (file == 1 || (file > 2 && fstat(file, &status) == 0 && S_ISREG(status.st_mode))) && fails(CLOSE, CALLER);
  int result = real(file);
  if (!counts) return result;
  errno = failure;
  return -1;
}

/* Reading from the system's own folders is not irezone's business with files. */
static bool open_fails(const char *path, const void *caller) {
  for (size_t i = 0; i < 3; i++) {
    static const char *const system[] = {"/dev", "/proc", "/sys"};
    if (strncmp(path, system[i], strlen(system[i])) == 0) return false;
  }
  return fails(OPEN, caller);
}

#define OPEN_LIKE(name)                                                                                                \
  int name(const char *path, int flags, ...) {                                                                         \
    va_list more;                                                                                                      \
    va_start(more, flags);                                                                                             \
    unsigned mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(more, unsigned) : 0;                                 \
    va_end(more);                                                                                                      \
    if (open_fails(path, CALLER)) return -1;                                                                           \
    REAL(name);                                                                                                        \
    return real(path, flags, mode);                                                                                    \
  }
OPEN_LIKE(open)
OPEN_LIKE(open64)

#define FOPEN_LIKE(name)                                                                                               \
  FILE *name(const char *path, const char *mode) {                                                                     \
    if (open_fails(path, CALLER)) return NULL;                                                                         \
    REAL(name);                                                                                                        \
    return real(path, mode);                                                                                           \
  }
FOPEN_LIKE(fopen)
FOPEN_LIKE(fopen64)
