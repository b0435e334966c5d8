/* What is on disk while a sweep runs, in DIR/journal:
     format                          how the rest is written
     sweep.yaml, plan.yaml, inputs   what the sweep was when it began
     lock, task-K-of-N.lock          who runs here; the kernel's locks on them count, not their presence
     task-K-of-N.group-G.log         a line per finished case: checksum, tab, fields separated by tabs
     task-K-of-N.group-G.maps        compressed samples of zones that the lines point into
   A line is written by one call after its map has reached the disk, and is flushed before the next case starts. A
   process killed at any moment leaves at most one torn line at the end, which its checksum gives away. Tabs, newlines
   and backslashes in texts are escaped. */
#include "base/memory.h"
#include "base/replace.h"
#include "plan/yaml.h"
#include "sweep/sweep.h"
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <irezone/result.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

enum {
  JOURNAL_FORMAT = 2,
  LOCK_TRIES = 20, // tenths of a second to wait for the processes of a killed run to end
};

static uint32_t checksum(const void *bytes, size_t size) {
  return (uint32_t)crc32(crc32(0, NULL, 0), bytes, (uInt)size);
}

uint64_t irz_case_hash(const IrzSweep *sweep, int number) {
  uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a */
  for (int j = 0; j < sweep->n_parameters; j++) {
    char value[IRZ_SWEEP_MAX_TEXT];
    irz_sweep_value(sweep, number, j, value, sizeof value);
    size_t size = strlen(value) + 1;
    for (size_t i = 0; i < size; i++) hash = (hash ^ (unsigned char)value[i]) * 0x100000001b3u;
  }
  return hash;
}

static IrzCode fail_output(const char *path, IrzError *error) {
  return irz_error_set(error, IRZ_ERR_OUTPUT, "%s: cannot be written: %s", path, strerror(errno));
}

/// DIR/journal/NAME
static IrzCode journal_path(const char *directory, const char *name, char path[IRZ_PATH_MAX], IrzError *error) {
  if (snprintf(path, IRZ_PATH_MAX, "%s/journal/%s", directory, name) < IRZ_PATH_MAX) return IRZ_OK;
  return irz_error_set(error, IRZ_ERR_OUTPUT, "%.60s...: the path is too long", directory);
}

/// Lock a descriptor, waiting a little. Returns 0, or an errno: EWOULDBLOCK if another process keeps it.
static int lock_wait(int descriptor, int how) {
  for (int i = 0;; i++) {
    if (flock(descriptor, how | LOCK_NB) == 0) return 0;
    if (errno == EINTR) continue;
    if (errno != EWOULDBLOCK || i == LOCK_TRIES) return errno;
    nanosleep(&(struct timespec){0, 100000000}, NULL);
  }
}

/// Open a lock file and lock it.
static IrzCode lock_file(const char *directory, const char *name, int how, int *descriptor, IrzError *error) {
  char path[IRZ_PATH_MAX];
  IRZ_TRY(journal_path(directory, name, path, error));
  *descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (*descriptor < 0) return fail_output(path, error);
  int number = lock_wait(*descriptor, how);
  if (number == 0) {
    if (how == LOCK_SH) return IRZ_OK;
    /* For the person who is refused. */
    char host[256] = "?", text[512];
    gethostname(host, sizeof host - 1);
    int length = snprintf(text, sizeof text, "process %ld on %s", (long)getpid(), host);
    if (ftruncate(*descriptor, 0) != 0 || pwrite(*descriptor, text, (size_t)length, 0) != length) {
      return fail_output(path, error);
    }
    return IRZ_OK;
  }
  char holder[256] = "";
  ssize_t length = pread(*descriptor, holder, sizeof holder - 1, 0);
  if (length <= 0) snprintf(holder, sizeof holder, "another process");
  close(*descriptor);
  *descriptor = -1;
  if (number == EWOULDBLOCK) {
    return irz_error_set(error, IRZ_ERR_PLAN,
                         "%s: a sweep is running in this folder (%s); wait for it, or choose "
                         "another folder with -o",
                         directory, holder);
  }
  return irz_error_set(error, IRZ_ERR_OUTPUT, "%s: cannot be locked: %s; choose a folder on a file system with locks",
                       path, strerror(number));
}

IrzCode irz_sweep_lock(const char *directory, int task, int n_tasks, IrzSweepLock *lock, IrzError *error) {
  *lock = (IrzSweepLock){-1, -1};
  char path[IRZ_PATH_MAX], name[64];
  IRZ_TRY(journal_path(directory, "", path, error));
  path[strlen(path) - 1] = '\0';
  IRZ_TRY(irz_folder_make(path, error));
  snprintf(name, sizeof name, "task-%04d-of-%04d.lock", task, n_tasks);
  /* Tasks share the folder, a whole sweep or a merge has it alone. */
  IrzCode code = lock_file(directory, "lock", n_tasks > 1 ? LOCK_SH : LOCK_EX, &lock->shared, error);
  if (code == IRZ_OK) code = lock_file(directory, name, LOCK_EX, &lock->own, error);
  if (code != IRZ_OK) irz_sweep_unlock(lock);
  return code;
}

void irz_sweep_unlock(IrzSweepLock *lock) {
  if (lock->own >= 0) close(lock->own);
  if (lock->shared >= 0) close(lock->shared);
  *lock = (IrzSweepLock){-1, -1};
}

/// Append a line for a file the results depend on: its name and checksum.
static IrzCode describe_input(const char *path, FILE *out, IrzError *error) {
  FILE *file = fopen(path, "rb");
  if (file == NULL) return IRZ_OK; /* the case that needs it says so */
  unsigned char *block;
  IrzCode code = irz_alloc(&block, 1 << 16, 1, error);
  uLong sum = crc32(0, NULL, 0);
  size_t got = 0;
  while (code == IRZ_OK && (got = fread(block, 1, 1 << 16, file)) > 0) sum = crc32(sum, block, (uInt)got);
  if (code == IRZ_OK) fprintf(out, "%s %08lx\n", path, sum);
  free(block);
  fclose(file);
  return code;
}

/// The mesh and the label map of the first case, with checksums.
static IrzCode describe_inputs(const IrzSweep *sweep, char **text, IrzError *error) {
  *text = NULL;
  IrzPlan *plan = NULL;
  IrzError ignored = {0};
  irz_sweep_plan(sweep, 1, &plan, &ignored);
  IrzText list;
  IrzCode code = irz_text_begin(&list, error);
  if (code == IRZ_OK) {
    if (plan != NULL && plan->mesh.file[0] != '\0') code = describe_input(plan->mesh.file, list.out, error);
    if (code == IRZ_OK && plan != NULL && plan->anatomy.labels[0] != '\0') {
      code = describe_input(plan->anatomy.labels, list.out, error);
    }
    IrzCode ended = irz_text_end(&list, text, code == IRZ_OK ? error : NULL);
    if (code == IRZ_OK) code = ended;
  }
  irz_plan_free(plan);
  if (code != IRZ_OK) {
    free(*text);
    *text = NULL;
  }
  return code;
}

/// Whether two YAML texts say the same: comments and layout do not count.
static bool same_yaml(const char *a, const char *b) {
  if (strcmp(a, b) == 0) return true;
  IrzYaml *x = NULL, *y = NULL;
  IrzError ignored = {0};
  char *u = NULL, *v = NULL;
  if (irz_yaml_parse(a, "", &x, &ignored) == IRZ_OK && irz_yaml_parse(b, "", &y, &ignored) == IRZ_OK) {
    u = irz_yaml_write(x);
    v = irz_yaml_write(y);
  }
  bool same = u != NULL && v != NULL && strcmp(u, v) == 0;
  free(u);
  free(v);
  irz_yaml_free(x);
  irz_yaml_free(y);
  return same;
}

/// Length of the line that begins at `text`, at most `most`.
static int line_length(const char *text, int most) {
  int length = (int)strcspn(text, "\n");
  return length < most ? length : most;
}

/// Say where two texts begin to differ.
static IrzCode fail_changed(const char *directory, const char *file, const char *before, const char *now,
                            IrzError *error) {
  int line = 1;
  while (true) {
    size_t a = strcspn(before, "\n"), b = strcspn(now, "\n");
    if (a != b || memcmp(before, now, a) != 0 || before[a] == '\0' || now[b] == '\0') break;
    before += a + 1;
    now += b + 1;
    line++;
  }
  return irz_error_set(error, IRZ_ERR_PLAN,
                       "%s:%d: has changed since the sweep in %s began: \"%.*s\" was \"%.*s\"; restore it to go on, or "
                       "start anew in another folder",
                       file, line, directory, line_length(now, 120), now, line_length(before, 120), before);
}

/// Compare one stored text with the present one, or store it.
static IrzCode identify_one(const char *directory, const char *name, const char *file, const char *text, bool yaml,
                            IrzError *error) {
  char path[IRZ_PATH_MAX];
  IRZ_TRY(journal_path(directory, name, path, error));
  if (access(path, F_OK) != 0) return irz_file_write(path, text, error);
  char *before;
  IRZ_TRY(irz_yaml_load(path, &before, error));
  bool same = yaml ? same_yaml(before, text) : strcmp(before, text) == 0;
  IrzCode code = same ? IRZ_OK : fail_changed(directory, file, before, text, error);
  free(before);
  return code;
}

/// Refuse a folder whose journal is written in another way; say how, in a new one.
static IrzCode identify_format(const char *directory, IrzError *error) {
  char path[IRZ_PATH_MAX], begun[IRZ_PATH_MAX], *text;
  IRZ_TRY(journal_path(directory, "format", path, error));
  IRZ_TRY(journal_path(directory, "sweep.yaml", begun, error));
  int number = 1; /* that one said nothing */
  if (access(path, F_OK) == 0) {
    IRZ_TRY(irz_yaml_load(path, &text, error));
    number = atoi(text);
    free(text);
  } else if (access(begun, F_OK) != 0) {
    char wanted[32];
    snprintf(wanted, sizeof wanted, "%d\n", JOURNAL_FORMAT);
    return irz_file_write(path, wanted, error);
  }
  if (number == JOURNAL_FORMAT) return IRZ_OK;
  return irz_error_set(
      error, IRZ_ERR_PLAN,
      "%s: was begun by %s irezone, whose journal has format %d and not %d: finish it with that one, or "
      "start anew in another folder",
      directory, number < JOURNAL_FORMAT ? "an older" : "a newer", number, JOURNAL_FORMAT);
}

IrzCode irz_sweep_identify(const char *directory, const IrzSweep *sweep, IrzError *error) {
  IRZ_TRY(identify_format(directory, error));
  IRZ_TRY(identify_one(directory, "sweep.yaml", sweep->file, sweep->text, true, error));
  IRZ_TRY(identify_one(directory, "plan.yaml", sweep->plan_file, sweep->plan_text, true, error));
  char *inputs;
  IRZ_TRY(describe_inputs(sweep, &inputs, error));
  IrzCode code = identify_one(directory, "inputs", "input files (name, checksum)", inputs, false, error);
  free(inputs);
  return code;
}

/// Write all bytes.
static IrzCode write_all(int descriptor, const char *path, const void *bytes, size_t size, IrzError *error) {
  const char *next = bytes;
  while (size > 0) {
    ssize_t written = write(descriptor, next, size);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return fail_output(path, error);
    next += written;
    size -= (size_t)written;
  }
  return IRZ_OK;
}

IrzCode irz_journal_open(const char *directory, int task, int n_tasks, int group, IrzJournal *journal,
                         IrzError *error) {
  *journal = (IrzJournal){.records = -1, .maps = -1};
  char name[128];
  snprintf(name, sizeof name, "task-%04d-of-%04d.group-%05d.log", task, n_tasks, group);
  IRZ_TRY(journal_path(directory, name, journal->path, error));
  snprintf(name, sizeof name, "task-%04d-of-%04d.group-%05d.maps", task, n_tasks, group);
  IRZ_TRY(journal_path(directory, name, journal->maps_path, error));
  int how = O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC;
  journal->records = open(journal->path, how, 0666);
  journal->maps = open(journal->maps_path, how, 0666);
  if (journal->records < 0 || journal->maps < 0) {
    fail_output(journal->path, error);
    irz_journal_close(journal);
    return error->code;
  }
  int number = lock_wait(journal->records, LOCK_EX);
  if (number != 0) {
    irz_journal_close(journal);
    return irz_error_set(error, IRZ_ERR_PLAN, "%s: cannot be locked: %s; is a process of a killed sweep still running?",
                         journal->path, strerror(number));
  }
  char last = '\n';
  off_t end = lseek(journal->records, 0, SEEK_END);
  if (end > 0 && pread(journal->records, &last, 1, end - 1) == 1 && last != '\n') {
    IrzCode code = write_all(journal->records, journal->path, "\n", 1, error);
    if (code != IRZ_OK) {
      irz_journal_close(journal);
      return code;
    }
    end++;
  }
  journal->records_end = end;
  journal->maps_end = lseek(journal->maps, 0, SEEK_END);
  return IRZ_OK;
}

void irz_journal_close(IrzJournal *journal) {
  if (journal->records >= 0) close(journal->records);
  if (journal->maps >= 0) close(journal->maps);
  journal->records = journal->maps = -1;
}

/// Print a text without tabs, newlines and backslashes of its own.
static void print_escaped(FILE *out, const char *text) {
  static const char special[] = "\\\t\n\r", letter[] = "\\tnr";
  for (const char *c = text; *c != '\0'; c++) {
    const char *found = strchr(special, *c);
    if (found != NULL) fputc('\\', out);
    fputc(found != NULL ? letter[found - special] : *c, out);
  }
}

/// Undo print_escaped(), in place.
static void unescape(char *text) {
  char *out = text;
  for (const char *c = text; *c != '\0'; c++) {
    bool escaped = *c == '\\' && c[1] != '\0';
    if (escaped) c++;
    *out++ = !escaped ? *c : *c == 't' ? '\t' : *c == 'n' ? '\n' : *c == 'r' ? '\r' : *c;
  }
  *out = '\0';
}

/// The fields of a record.
static IrzCode print_record(const IrzSweep *sweep, const IrzCaseResult *r, long long offset, uint32_t map_sum,
                            char **fields, IrzError *error) {
  IrzText text;
  IRZ_TRY(irz_text_begin(&text, error));
  FILE *out = text.out;
  fprintf(out, "%d\t%016llx\t%d\t", r->number, (unsigned long long)irz_case_hash(sweep, r->number),
          r->failed ? (int)r->code : 0);
  print_escaped(out, r->status);
  const double number[] = {r->volume,    r->volume_error, r->current,     r->extent[0],
                           r->extent[1], r->extent[2],    r->largest_part};
  for (size_t i = 0; i < sizeof number / sizeof number[0]; i++) fprintf(out, "\t%.17g", number[i]);
  fprintf(out, "\t%d\t%d\t%d\t%d\t%.6g\t%lld\t%zu\t%08x\t", r->n_parts, r->touches_outer, r->newton_iterations,
          r->linear_iterations, r->seconds, offset, r->map_size, map_sum);
  for (int k = 0; k < sweep->n_columns; k++) {
    fprintf(out, "%s%.17g", k > 0 ? " " : "", r->values != NULL ? r->values[k] : NAN);
  }
  fputc('\t', out);
  if (r->warnings != NULL) print_escaped(out, r->warnings);
  return irz_text_end(&text, fields, error);
}

/// Notice that a file was removed, replaced or shortened by somebody else: nobody would find what is written.
static IrzCode check_untouched(int descriptor, const char *path, off_t end, IrzError *error) {
  struct stat own, named;
  if (fstat(descriptor, &own) != 0) return fail_output(path, error);
  const char *what = NULL;
  if (stat(path, &named) != 0) {
    what = "removed";
  } else if (own.st_dev != named.st_dev || own.st_ino != named.st_ino) {
    what = "replaced";
  } else if (own.st_size != end) {
    what = own.st_size < end ? "shortened" : "written to by somebody else";
  }
  if (what == NULL) return IRZ_OK;
  return irz_error_set(error, IRZ_ERR_OUTPUT, "%s: was %s while the sweep ran", path, what);
}

IrzCode irz_journal_append(IrzJournal *journal, const IrzSweep *sweep, const IrzCaseResult *result, IrzError *error) {
  off_t offset = 0;
  uint32_t map_sum = 0;
  if (result->map != NULL) {
    offset = journal->maps_end;
    IRZ_TRY(check_untouched(journal->maps, journal->maps_path, offset, error));
    map_sum = checksum(result->map, result->map_size);
    IRZ_TRY(write_all(journal->maps, journal->maps_path, result->map, result->map_size, error));
    journal->maps_end += (off_t)result->map_size;
    if (fsync(journal->maps) != 0) return fail_output(journal->maps_path, error);
  }
  char *fields = NULL, *line = NULL;
  IRZ_TRY(print_record(sweep, result, offset, map_sum, &fields, error));
  size_t room = strlen(fields) + 16;
  IrzCode code = irz_alloc(&line, room, 1, error);
  if (code == IRZ_OK) {
    int total = snprintf(line, room, "%08x\t%s\n", checksum(fields, strlen(fields)), fields);
    code = check_untouched(journal->records, journal->path, journal->records_end, error);
    if (code == IRZ_OK) code = write_all(journal->records, journal->path, line, (size_t)total, error);
    journal->records_end += total;
  }
  free(line);
  free(fields);
  IRZ_TRY(code);
  if (fdatasync(journal->records) != 0) return fail_output(journal->path, error);
  return check_untouched(journal->records, journal->path, journal->records_end, error);
}

/// A record with where its map lies.
typedef struct {
  IrzCaseResult result;
  long long offset;
  uint32_t map_sum;
} Record;

/// Parse the numbers of the sweep's own columns into `values`; false if they are not as many.
static bool parse_values(char *text, int n, double *values) {
  for (int k = 0; k < n; k++) {
    char *end;
    values[k] = strtod(text, &end);
    if (end == text || *end != (k + 1 < n ? ' ' : '\0')) return false;
    text = end + (k + 1 < n);
  }
  return n > 0 || *text == '\0';
}

/// Parse a line without its newline; false if it is torn, damaged or of another sweep. Changes the line, to which the
/// warnings of the record then point.
/// @param[out] values  [columns of the sweep] what the record's values point to
static bool parse_record(char *line, const IrzSweep *sweep, double *values, Record *record) {
  enum { N_FIELDS = 21 };
  char *tab = strchr(line, '\t');
  if (tab == NULL) return false;
  *tab = '\0';
  char *end, *rest = tab + 1;
  unsigned long sum = strtoul(line, &end, 16);
  if (*end != '\0' || end != line + 8 || sum != checksum(rest, strlen(rest))) return false;
  char *field[N_FIELDS];
  int n = 0;
  for (char *next; n < N_FIELDS && (next = strsep(&rest, "\t")) != NULL;) field[n++] = next;
  if (n != N_FIELDS || rest != NULL) return false;
  IrzCaseResult *r = &record->result;
  *record = (Record){0};
  r->number = atoi(field[0]);
  if (r->number < 1 || r->number > sweep->n_cases) return false;
  if (strtoull(field[1], NULL, 16) != irz_case_hash(sweep, r->number)) return false;
  r->code = (IrzCode)atoi(field[2]);
  r->failed = r->code != IRZ_OK;
  unescape(field[3]);
  snprintf(r->status, sizeof r->status, "%s", field[3]);
  double *number[] = {&r->volume,    &r->volume_error, &r->current,     &r->extent[0],
                      &r->extent[1], &r->extent[2],    &r->largest_part};
  for (int i = 0; i < 7; i++) *number[i] = strtod(field[4 + i], NULL);
  r->n_parts = atoi(field[11]);
  r->touches_outer = atoi(field[12]) != 0;
  r->newton_iterations = atoi(field[13]);
  r->linear_iterations = atoi(field[14]);
  r->seconds = strtod(field[15], NULL);
  record->offset = atoll(field[16]);
  r->map_size = (size_t)strtoull(field[17], NULL, 10);
  record->map_sum = (uint32_t)strtoul(field[18], NULL, 16);
  if (!parse_values(field[19], sweep->n_columns, values)) return false;
  r->values = values;
  unescape(field[20]);
  r->warnings = field[20][0] != '\0' ? field[20] : NULL;
  return true;
}

/// Read the map of a record from the file beside its journal.
/// @param[out] sound  false if it is not what was written
static IrzCode read_map(FILE *maps, Record *record, bool *sound, IrzError *error) {
  IrzCaseResult *r = &record->result;
  struct stat status;
  *sound = false;
  if (maps == NULL || fstat(fileno(maps), &status) != 0 || r->map_size > (size_t)status.st_size) return IRZ_OK;
  IRZ_TRY(irz_alloc(&r->map, r->map_size, 1, error));
  *sound = fseeko(maps, record->offset, SEEK_SET) == 0 && fread(r->map, 1, r->map_size, maps) == r->map_size &&
           checksum(r->map, r->map_size) == record->map_sum;
  return IRZ_OK;
}

/// Remember what could not be used.
static void note_damage(IrzDamage *damage, const char *path, int line, const char *what) {
  if (damage == NULL || damage->n++ > 0) return;
  snprintf(damage->first, sizeof damage->first, "%.300s:%d: %s", path, line, what);
}

/// Read the lines of an open journal.
static IrzCode read_lines(FILE *file, bool with_maps, FILE *maps, const char *path, const IrzSweep *sweep,
                          double *values, IrzRecordVisit visit, void *context, IrzDamage *damage, IrzError *error) {
  char *line = NULL;
  size_t room = 0;
  ssize_t length;
  IrzCode code = IRZ_OK;
  errno = 0;
  for (int number = 1; code == IRZ_OK && (length = getline(&line, &room, file)) > 0; number++) {
    Record record = {0};
    bool whole = line[length - 1] == '\n', sound = true;
    if (whole) line[length - 1] = '\0';
    if (length == 1 && whole) continue; /* the end of a line that was cut off */
    if (!whole || memchr(line, '\0', (size_t)length - 1) != NULL || !parse_record(line, sweep, values, &record)) {
      note_damage(damage, path, number, whole ? "the record is damaged" : "the last record is cut off");
      continue;
    }
    if (with_maps && record.result.map_size > 0) code = read_map(maps, &record, &sound, error);
    if (!sound) note_damage(damage, path, number, "the samples of the zone are damaged");
    if (code == IRZ_OK && sound) code = visit(context, &record.result, error);
    free(record.result.map);
  }
  if (code == IRZ_OK && errno == ENOMEM) code = irz_out_of_memory(0, error);
  if (code == IRZ_OK && ferror(file) != 0) {
    code = irz_error_set(error, IRZ_ERR_INPUT, "%s: cannot be read: %s", path, strerror(errno));
  }
  free(line);
  return code;
}

static IrzCode read_journal(const char *path, const IrzSweep *sweep, bool with_maps, IrzRecordVisit visit,
                            void *context, IrzDamage *damage, IrzError *error) {
  FILE *file = fopen(path, "re");
  if (file == NULL) return irz_error_set(error, IRZ_ERR_INPUT, "%s: cannot be read: %s", path, strerror(errno));
  char maps_path[IRZ_PATH_MAX];
  snprintf(maps_path, sizeof maps_path, "%.*smaps", (int)(strlen(path) - strlen("log")), path);
  double *values = NULL;
  IrzCode code = irz_alloc(&values, (size_t)sweep->n_columns, sizeof *values, error);
  FILE *maps = with_maps ? fopen(maps_path, "rbe") : NULL;
  if (code == IRZ_OK && with_maps && maps == NULL && errno != ENOENT) {
    code = irz_error_set(error, IRZ_ERR_INPUT, "%s: cannot be read: %s", maps_path, strerror(errno));
  }
  if (code == IRZ_OK) code = read_lines(file, with_maps, maps, path, sweep, values, visit, context, damage, error);
  free(values);
  if (maps != NULL) fclose(maps);
  fclose(file);
  return code;
}

/// Names of a directory's journals that match a pattern, sorted.
static IrzCode find_journals(const char *directory, const char *name, glob_t *found, IrzError *error) {
  char pattern[IRZ_PATH_MAX], *escaped;
  /* The directory may contain characters that glob would take for its own. */
  IRZ_TRY(irz_alloc(&escaped, 2 * strlen(directory) + 1, 1, error));
  char *out = escaped;
  for (const char *c = directory; *c != '\0'; c++) {
    if (strchr("*?[]\\", *c) != NULL) *out++ = '\\';
    *out++ = *c;
  }
  IrzCode code = journal_path(escaped, name, pattern, error);
  free(escaped);
  if (code != IRZ_OK) return code;
  int result = glob(pattern, 0, NULL, found);
  if (result == 0 || result == GLOB_NOMATCH) return IRZ_OK;
  globfree(found);
  if (result == GLOB_NOSPACE) return irz_out_of_memory(0, error);
  return irz_error_set(error, IRZ_ERR_INPUT, "%s/journal: cannot be read", directory);
}

IrzCode irz_journal_read(const char *directory, const IrzSweep *sweep, bool with_maps, IrzRecordVisit visit,
                         void *context, IrzDamage *damage, IrzError *error) {
  glob_t found = {0};
  IRZ_TRY(find_journals(directory, "task-*.log", &found, error));
  IrzCode code = IRZ_OK;
  for (size_t i = 0; i < found.gl_pathc && code == IRZ_OK; i++) {
    code = read_journal(found.gl_pathv[i], sweep, with_maps, visit, context, damage, error);
  }
  globfree(&found);
  return code;
}

void irz_damage_report(const IrzDamage *damage, IrzSweepReport *report) {
  if (damage->n == 0) return;
  report->damaged = damage->n;
  snprintf(report->damage, sizeof report->damage, "%s", damage->first);
}

IrzCode irz_journal_check_free(const char *directory, int task, int n_tasks, IrzError *error) {
  char name[64];
  if (n_tasks > 1) {
    snprintf(name, sizeof name, "task-%04d-of-%04d.group-*.log", task, n_tasks);
  } else {
    snprintf(name, sizeof name, "task-*.log");
  }
  glob_t found = {0};
  IRZ_TRY(find_journals(directory, name, &found, error));
  IrzCode code = IRZ_OK;
  for (size_t i = 0; i < found.gl_pathc && code == IRZ_OK; i++) {
    int descriptor = open(found.gl_pathv[i], O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) continue;
    if (lock_wait(descriptor, LOCK_SH) == EWOULDBLOCK) {
      code = irz_error_set(error, IRZ_ERR_PLAN,
                           "%s: a process of an earlier sweep is still running in this folder (it holds %s)", directory,
                           found.gl_pathv[i]);
    }
    close(descriptor);
  }
  globfree(&found);
  return code;
}
