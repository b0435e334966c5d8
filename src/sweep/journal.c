/* What is on disk while a sweep runs, in DIR/journal:
     format                          how the rest is written
     sweep.yaml, plan.yaml, inputs   what the sweep was when it began, or when it was last extended
     tasks                           how many tasks of a job array the cases are divided into
     lock, task-K-of-N.lock          who runs here; the kernel's locks on them count, not their presence
     task-K-of-N.group-G.log         a line per finished case: checksum, tab, fields separated by tabs
     task-K-of-N.group-G.maps        compressed samples of zones that the lines point into
   A line is written by one call after its map has reached the disk, and is flushed before the next case starts. A
   process killed at any moment leaves at most one torn line at the end, which its checksum gives away. Tabs, newlines
   and backslashes in texts are escaped. */
#include "base/memory.h"
#include "base/replace.h"
#include "plan/yaml.h"
#include "sweep/case.h"
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

/// Tenths of a second to wait for the processes of a killed run to end.
enum { LOCK_TRIES = 20 };

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

/// Order by hash, then by number.
static int by_hash(const void *a, const void *b) {
  const IrzIndexed *x = a, *y = b;
  if (x->hash != y->hash) return x->hash < y->hash ? -1 : 1;
  return (x->number > y->number) - (x->number < y->number);
}

IrzCode irz_case_index_make(const IrzSweep *sweep, IrzCaseIndex *index, IrzError *error) {
  *index = (IrzCaseIndex){0};
  IRZ_TRY(irz_alloc(&index->entry, (size_t)sweep->n_cases, sizeof *index->entry, error));
  index->n = sweep->n_cases;
  for (int i = 0; i < index->n; i++) index->entry[i] = (IrzIndexed){irz_case_hash(sweep, i + 1), i + 1};
  qsort(index->entry, (size_t)index->n, sizeof *index->entry, by_hash);
  return IRZ_OK;
}

int irz_case_index_find(const IrzCaseIndex *index, uint64_t hash) {
  int low = 0, high = index->n; /* the first entry that is not below lies in between */
  while (low < high) {
    int middle = low + (high - low) / 2;
    if (index->entry[middle].hash < hash)
      low = middle + 1;
    else
      high = middle;
  }
  return low < index->n && index->entry[low].hash == hash ? index->entry[low].number : 0;
}

void irz_case_index_clear(IrzCaseIndex *index) {
  free(index->entry);
  *index = (IrzCaseIndex){0};
}

static IrzCode fail_output(const char *path, IrzError *error) {
  return irz_error_set(error, IRZ_ERR_OUTPUT, "%s: cannot be written: %s", path, strerror(errno));
}

IrzCode irz_journal_path(const char *directory, const char *name, char path[IRZ_PATH_MAX], IrzError *error) {
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
  IRZ_TRY(irz_journal_path(directory, name, path, error));
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
  IRZ_TRY(irz_journal_path(directory, "", path, error));
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
  IRZ_TRY(irz_journal_path(directory, name, journal->path, error));
  snprintf(name, sizeof name, "task-%04d-of-%04d.group-%05d.maps", task, n_tasks, group);
  IRZ_TRY(irz_journal_path(directory, name, journal->maps_path, error));
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
  for (int i = 0; i < irz_n_case_numbers; i++) {
    fprintf(out, "\t%.17g", irz_case_number_get(irz_case_number_at(i), r));
  }
  fprintf(out, "\t%lld\t%zu\t%08x\t", offset, r->map_size, map_sum);
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

/// Reading a directory's journals.
typedef struct {
  const IrzSweep *sweep;
  bool with_maps;
  IrzRecordVisit visit;
  void *context;
  IrzDamage *damage;  // or NULL
  double *values;     // [columns of the sweep] of the record that is being read
  IrzCaseIndex index; // made when a record has a number that is not its case's: the sweep has been extended since
} Reading;

/// The number that a recorded case has in the sweep as it is now; 0: none.
static IrzCode find_case(Reading *reading, int recorded, uint64_t hash, int *number, IrzError *error) {
  const IrzSweep *sweep = reading->sweep;
  *number = recorded;
  if (recorded >= 1 && recorded <= sweep->n_cases && irz_case_hash(sweep, recorded) == hash) return IRZ_OK;
  if (reading->index.n == 0) IRZ_TRY(irz_case_index_make(sweep, &reading->index, error));
  *number = irz_case_index_find(&reading->index, hash);
  return IRZ_OK;
}

/// Parse a line without its newline; false if it is torn, damaged or of another format. Changes the line, to which the
/// warnings of the record then point.
/// @param[out] hash    of the case
/// @param[out] values  [columns of the sweep] what the record's values point to
static bool parse_record(char *line, const IrzSweep *sweep, uint64_t *hash, double *values, Record *record) {
  enum { N_OTHERS = 9, N_MOST = 64 };
  const int n_fields = irz_n_case_numbers + N_OTHERS;
  char *tab = strchr(line, '\t');
  if (tab == NULL) return false;
  *tab = '\0';
  char *end, *rest = tab + 1;
  unsigned long sum = strtoul(line, &end, 16);
  if (*end != '\0' || end != line + 8 || sum != checksum(rest, strlen(rest))) return false;
  char *field[N_MOST];
  int n = 0;
  for (char *next; n < n_fields && (next = strsep(&rest, "\t")) != NULL;) field[n++] = next;
  if (n != n_fields || rest != NULL) return false;
  IrzCaseResult *r = &record->result;
  *record = (Record){0};
  r->number = atoi(field[0]);
  *hash = strtoull(field[1], NULL, 16);
  r->code = (IrzCode)atoi(field[2]);
  r->failed = r->code != IRZ_OK;
  unescape(field[3]);
  snprintf(r->status, sizeof r->status, "%s", field[3]);
  char **next_field = field + 4;
  for (int i = 0; i < irz_n_case_numbers; i++) {
    irz_case_number_set(irz_case_number_at(i), strtod(*next_field++, NULL), r);
  }
  record->offset = atoll(*next_field++);
  r->map_size = (size_t)strtoull(*next_field++, NULL, 10);
  record->map_sum = (uint32_t)strtoul(*next_field++, NULL, 16);
  if (!parse_values(*next_field++, sweep->n_columns, values)) return false;
  r->values = values;
  unescape(*next_field);
  r->warnings = **next_field != '\0' ? *next_field : NULL;
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

/// Hand on a record, unless its case is none of the sweep's.
/// @param[out] sound  false if its map is damaged
static IrzCode hand_on(Reading *reading, Record *record, uint64_t hash, FILE *maps, bool *sound, IrzError *error) {
  IrzCaseResult *r = &record->result;
  *sound = true;
  IRZ_TRY(find_case(reading, r->number, hash, &r->number, error));
  if (r->number == 0) return IRZ_OK;
  IrzCode code = IRZ_OK;
  if (reading->with_maps && r->map_size > 0) code = read_map(maps, record, sound, error);
  if (code == IRZ_OK && *sound) code = reading->visit(reading->context, r, error);
  free(r->map);
  return code;
}

/// Read the lines of an open journal.
static IrzCode read_lines(FILE *file, FILE *maps, const char *path, Reading *reading, IrzError *error) {
  char *line = NULL;
  size_t room = 0;
  ssize_t length;
  IrzCode code = IRZ_OK;
  errno = 0;
  for (int number = 1; code == IRZ_OK && (length = getline(&line, &room, file)) > 0; number++) {
    Record record = {0};
    uint64_t hash;
    bool whole = line[length - 1] == '\n', sound;
    if (whole) line[length - 1] = '\0';
    if (length == 1 && whole) continue; /* the end of a line that was cut off */
    if (!whole || memchr(line, '\0', (size_t)length - 1) != NULL ||
        !parse_record(line, reading->sweep, &hash, reading->values, &record)) {
      note_damage(reading->damage, path, number, whole ? "the record is damaged" : "the last record is cut off");
      continue;
    }
    code = hand_on(reading, &record, hash, maps, &sound, error);
    if (!sound) note_damage(reading->damage, path, number, "the samples of the zone are damaged");
  }
  if (code == IRZ_OK && errno == ENOMEM) code = irz_out_of_memory(0, error);
  if (code == IRZ_OK && ferror(file) != 0) {
    code = irz_error_set(error, IRZ_ERR_INPUT, "%s: cannot be read: %s", path, strerror(errno));
  }
  free(line);
  return code;
}

/// Refuse what is no file: opening a pipe would wait for whoever writes into it.
static IrzCode check_file(const char *path, IrzError *error) {
  struct stat status;
  if (stat(path, &status) != 0 || S_ISREG(status.st_mode)) return IRZ_OK; /* who opens it says why it cannot be */
  return irz_error_set(error, IRZ_ERR_INPUT, "%s: is not a regular file", path);
}

static IrzCode read_journal(const char *path, Reading *reading, IrzError *error) {
  IRZ_TRY(check_file(path, error));
  FILE *file = fopen(path, "re");
  if (file == NULL) return irz_error_set(error, IRZ_ERR_INPUT, "%s: cannot be read: %s", path, strerror(errno));
  char maps_path[IRZ_PATH_MAX];
  snprintf(maps_path, sizeof maps_path, "%.*smaps", (int)(strlen(path) - strlen("log")), path);
  IrzCode code = reading->with_maps ? check_file(maps_path, error) : IRZ_OK;
  FILE *maps = reading->with_maps && code == IRZ_OK ? fopen(maps_path, "rbe") : NULL;
  if (reading->with_maps && code == IRZ_OK && maps == NULL && errno != ENOENT) {
    code = irz_error_set(error, IRZ_ERR_INPUT, "%s: cannot be read: %s", maps_path, strerror(errno));
  }
  if (code == IRZ_OK) code = read_lines(file, maps, path, reading, error);
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
  IrzCode code = irz_journal_path(escaped, name, pattern, error);
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
  Reading reading = {.sweep = sweep, .with_maps = with_maps, .visit = visit, .context = context, .damage = damage};
  IrzCode code = irz_alloc(&reading.values, (size_t)sweep->n_columns, sizeof *reading.values, error);
  for (size_t i = 0; i < found.gl_pathc && code == IRZ_OK; i++) code = read_journal(found.gl_pathv[i], &reading, error);
  irz_case_index_clear(&reading.index);
  free(reading.values);
  globfree(&found);
  return code;
}

void irz_damage_report(const IrzDamage *damage, IrzSweepReport *report) {
  if (damage->n == 0) return;
  report->damaged = damage->n;
  snprintf(report->damage, sizeof report->damage, "%s", damage->first);
}

IrzCode irz_journal_has_records(const char *directory, bool *has, IrzError *error) {
  glob_t found = {0};
  *has = false;
  IRZ_TRY(find_journals(directory, "task-*.log", &found, error));
  for (size_t i = 0; i < found.gl_pathc; i++) {
    struct stat status;
    if (stat(found.gl_pathv[i], &status) == 0 && status.st_size > 0) *has = true;
  }
  globfree(&found);
  return IRZ_OK;
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
    int descriptor = open(found.gl_pathv[i], O_RDONLY | O_CLOEXEC | O_NONBLOCK);
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
