/* Who solves which case. Rank 0 keeps the list; the first rank of every group asks it for one case at a time. On rank 0
   a thread answers the others while the main thread solves cases of its own; where MPI does not allow that, rank 0 only
   answers. Nobody waits in a busy loop, so that more ranks than cores do no harm. */
#include "base/entry.h"
#include "base/memory.h"
#include "sweep/sweep.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TAG_ASK = 1, TAG_ANSWER = 2, NONE = -1 };

/// What a group tells when it asks for a case. Sent as bytes: all ranks run the same program.
typedef struct {
  bool finished; // a case: the fields of `result` below
  bool stop;     // the group was asked to stop
  bool broken;   // the group cannot go on
  bool failed;
  int number;
  double volume, current, seconds;
  char status[256];
  char warnings[1024]; // as many as there is room for
} Ask;

/// A case to run; number 0: no more.
typedef struct {
  int number, start;
} Answer;

/// The list of cases.
typedef struct {
  pthread_mutex_t mutex;
  const IrzBatches *batches;
  const uint8_t *done;
  int *next;         // [n_batches] position in `order` to look at next
  int *left;         // [n_batches] cases not handed out
  int *holders;      // [n_batches] groups at work on it
  int *mesh_holders; // [n_batches] groups at work on a mesh
  int *held;         // [n_groups] batch a group is at work on, or NONE
  int first_open;    // no batch before it has cases left
  bool stop;
  const IrzScheduleWatch *watch;
} Coordinator;

/// Wait without using the processor.
static void doze(void) {
  nanosleep(&(struct timespec){0, 500000}, NULL);
}

static void coordinator_clear(Coordinator *c) {
  free(c->next);
  free(c->left);
  free(c->holders);
  free(c->mesh_holders);
  free(c->held);
  pthread_mutex_destroy(&c->mutex);
}

static IrzCode coordinator_init(Coordinator *c, const IrzBatches *batches, const uint8_t *done, int n_groups,
                                const IrzScheduleWatch *watch, IrzError *error) {
  *c = (Coordinator){.batches = batches, .done = done, .watch = watch};
  pthread_mutex_init(&c->mutex, NULL);
  size_t n = (size_t)batches->n_batches;
  IrzCode code = irz_alloc(&c->next, n, sizeof *c->next, error);
  if (code == IRZ_OK) code = irz_alloc(&c->left, n, sizeof *c->left, error);
  if (code == IRZ_OK) code = irz_alloc(&c->holders, n, sizeof *c->holders, error);
  if (code == IRZ_OK) code = irz_alloc(&c->mesh_holders, n, sizeof *c->mesh_holders, error);
  if (code == IRZ_OK) code = irz_alloc(&c->held, (size_t)n_groups, sizeof *c->held, error);
  if (code != IRZ_OK) {
    coordinator_clear(c);
    return code;
  }
  for (int g = 0; g < n_groups; g++) c->held[g] = NONE;
  for (int b = 0; b < batches->n_batches; b++) {
    c->next[b] = batches->first[b];
    for (int i = batches->first[b]; i < batches->first[b + 1]; i++) c->left[b] += !done[batches->order[i]];
  }
  return IRZ_OK;
}

/// The batch a group should take when its own is empty, or NONE.
static int choose_batch(Coordinator *c, int mine) {
  const IrzBatches *b = c->batches;
  while (c->first_open < b->n_batches && c->left[c->first_open] == 0) c->first_open++;
  if (mine != NONE) { /* batches of one mesh stand together */
    int first = mine, end = mine + 1;
    while (first > 0 && b->mesh[first - 1] == b->mesh[mine]) first--;
    while (end < b->n_batches && b->mesh[end] == b->mesh[mine]) end++;
    for (int i = first; i < end; i++) {
      if (c->left[i] > 0 && c->holders[i] == 0) return i;
    }
  }
  int free_batch = NONE;
  for (int i = c->first_open; i < b->n_batches; i++) {
    if (c->left[i] == 0 || c->holders[i] > 0) continue;
    if (c->mesh_holders[b->mesh[i]] == 0) return i;
    if (free_batch == NONE) free_batch = i;
  }
  if (free_batch != NONE) return free_batch;
  /* Help with the fullest batch. A single case on another mesh is done sooner by the group that has the mesh. */
  int best = NONE;
  for (int i = c->first_open; i < b->n_batches; i++) {
    bool same = mine != NONE && b->mesh[i] == b->mesh[mine];
    if (c->left[i] >= (same ? 1 : 2) && (best == NONE || c->left[i] > c->left[best])) best = i;
  }
  return best;
}

/// Take what a group reports, and choose its next case.
static Answer coordinator_serve(Coordinator *c, int group, Ask *ask) {
  const IrzBatches *b = c->batches;
  Answer answer = {0, 0};
  pthread_mutex_lock(&c->mutex);
  if (ask->finished && c->watch != NULL) {
    IrzCaseResult result = {.number = ask->number,
                            .failed = ask->failed,
                            .volume = ask->volume,
                            .current = ask->current,
                            .seconds = ask->seconds,
                            .warnings = ask->warnings};
    snprintf(result.status, sizeof result.status, "%s", ask->status);
    c->watch->finished(c->watch->context, &result);
  }
  if (ask->stop || ask->broken) c->stop = true;
  int mine = c->held[group];
  if (!c->stop && (mine == NONE || c->left[mine] == 0)) {
    int chosen = choose_batch(c, mine);
    if (mine != NONE) {
      c->holders[mine]--;
      c->mesh_holders[b->mesh[mine]]--;
    }
    if (chosen != NONE) {
      c->holders[chosen]++;
      c->mesh_holders[b->mesh[chosen]]++;
    }
    c->held[group] = mine = chosen;
  }
  if (!c->stop && mine != NONE) {
    while (c->done[b->order[c->next[mine]]]) c->next[mine]++;
    answer = (Answer){b->order[c->next[mine]++], b->order[b->first[mine]]};
    c->left[mine]--;
  }
  pthread_mutex_unlock(&c->mutex);
  return answer;
}

/// Answering the other groups.
typedef struct {
  Coordinator *coordinator;
  MPI_Comm comm;
  int ranks_per_group, n_asking;
} Desk;

/// Answer until every other group has been told that there is no more.
static void *desk_run(void *pointer) {
  IRZ_ENTER_QUIETLY;
  Desk *desk = pointer;
  while (desk->n_asking > 0) {
    int waiting;
    MPI_Status status;
    MPI_Iprobe(MPI_ANY_SOURCE, TAG_ASK, desk->comm, &waiting, &status);
    if (!waiting) {
      doze();
      continue;
    }
    Ask ask;
    MPI_Recv(&ask, sizeof ask, MPI_BYTE, status.MPI_SOURCE, TAG_ASK, desk->comm, MPI_STATUS_IGNORE);
    Answer answer = coordinator_serve(desk->coordinator, status.MPI_SOURCE / desk->ranks_per_group, &ask);
    MPI_Send(&answer, sizeof answer, MPI_BYTE, status.MPI_SOURCE, TAG_ANSWER, desk->comm);
    if (answer.number == 0) desk->n_asking--;
  }
  return NULL;
}

/// Ask for a case over MPI.
static Answer ask_remote(MPI_Comm comm, const Ask *ask) {
  Answer answer;
  MPI_Request request;
  MPI_Irecv(&answer, sizeof answer, MPI_BYTE, 0, TAG_ANSWER, comm, &request);
  MPI_Send(ask, sizeof *ask, MPI_BYTE, 0, TAG_ASK, comm);
  int arrived = 0;
  while (true) {
    MPI_Test(&request, &arrived, MPI_STATUS_IGNORE);
    if (arrived) return answer;
    doze();
  }
}

/// What a rank needs to solve cases.
typedef struct {
  MPI_Comm comm, group;
  Coordinator *coordinator; // rank 0, else NULL
  const IrzSweep *sweep;
  const volatile sig_atomic_t *stop;
  const IrzCaseRunner *runner;
  IrzJournal *journal;
} Worker;

/// Run one case and make it durable. `ask` is filled on the group's first rank.
static IrzCode work_case(const Worker *worker, bool leads, Answer answer, Ask *ask, IrzError *error) {
  IrzCaseResult result = {.number = answer.number};
  worker->runner->run(worker->runner->context, answer.number, answer.start, &result, error);
  if (error->code == IRZ_OK && leads) irz_journal_append(worker->journal, worker->sweep, &result, error);
  if (leads) {
    *ask = (Ask){.finished = error->code == IRZ_OK,
                 .failed = result.failed,
                 .number = result.number,
                 .volume = result.volume,
                 .current = result.current,
                 .seconds = result.seconds};
    snprintf(ask->status, sizeof ask->status, "%.255s", result.status);
    snprintf(ask->warnings, sizeof ask->warnings, "%.1023s", result.warnings != NULL ? result.warnings : "");
  }
  irz_case_result_clear(&result);
  return irz_error_agree(worker->group, error);
}

/// Solve cases until there are no more.
static IrzCode work(const Worker *worker, IrzError *error) {
  int rank;
  MPI_Comm_rank(worker->group, &rank);
  bool leads = rank == 0;
  Ask ask = {0};
  while (true) {
    int stop = worker->stop != NULL && *worker->stop, stop_any = 0;
    MPI_Reduce(&stop, &stop_any, 1, MPI_INT, MPI_MAX, 0, worker->group);
    Answer answer = {0, 0};
    if (leads) {
      ask.stop = stop_any;
      ask.broken = error->code != IRZ_OK;
      answer = worker->coordinator != NULL ? coordinator_serve(worker->coordinator, 0, &ask)
                                           : ask_remote(worker->comm, &ask);
    }
    MPI_Bcast(&answer, sizeof answer, MPI_BYTE, 0, worker->group);
    if (answer.number == 0) return error->code;
    memset(&ask, 0, sizeof ask);
    work_case(worker, leads, answer, &ask, error);
  }
}

void irz_quiet_barrier(MPI_Comm comm) {
  MPI_Request request;
  MPI_Ibarrier(comm, &request);
  int passed = 0;
  while (true) {
    MPI_Test(&request, &passed, MPI_STATUS_IGNORE);
    if (passed) return;
    doze();
  }
}

IrzCode irz_schedule(MPI_Comm comm, MPI_Comm group, const IrzSweep *sweep, const IrzBatches *batches,
                     const uint8_t *done, const IrzSweepOptions *options, const IrzCaseRunner *runner,
                     IrzJournal *journal, const IrzScheduleWatch *watch, bool *stopped, IrzError *error) {
  int rank, size, group_size, threads;
  MPI_Comm_rank(comm, &rank);
  MPI_Comm_size(comm, &size);
  MPI_Comm_size(group, &group_size);
  MPI_Query_thread(&threads);
  int n_groups = size / group_size;
  bool apart = n_groups > 1 && (options->coordinator_only || threads < MPI_THREAD_MULTIPLE);
  Coordinator coordinator;
  if (rank == 0) coordinator_init(&coordinator, batches, done, n_groups, watch, error);
  IRZ_TRY(irz_error_agree(comm, error));

  MPI_Comm desk_comm; /* the thread's messages must not meet anybody else's */
  MPI_Comm_dup(comm, &desk_comm);
  Worker worker = {.comm = desk_comm,
                   .group = group,
                   .coordinator = rank == 0 ? &coordinator : NULL,
                   .sweep = sweep,
                   .stop = options->stop,
                   .runner = runner,
                   .journal = journal};
  Desk desk = {&coordinator, desk_comm, group_size, n_groups - 1};
  pthread_t thread;
  bool threaded = false;
  if (rank == 0 && n_groups > 1 && !apart) {
    threaded = pthread_create(&thread, NULL, desk_run, &desk) == 0;
    if (!threaded) coordinator.stop = true; /* ends the others, below */
  }
  bool idle = apart && rank < group_size;
  if (!idle) work(&worker, error);
  if (threaded) {
    pthread_join(thread, NULL);
  } else if (rank == 0 && n_groups > 1) {
    desk_run(&desk);
    if (!apart) irz_error_set(error, IRZ_ERR_SOLVER, "cannot start a thread to hand out cases");
  }
  irz_quiet_barrier(comm);
  MPI_Comm_free(&desk_comm);
  int any = rank == 0 && coordinator.stop;
  MPI_Bcast(&any, 1, MPI_INT, 0, comm);
  *stopped = any;
  if (rank == 0) coordinator_clear(&coordinator);
  return irz_error_agree(comm, error);
}
