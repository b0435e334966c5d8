/* irezone serve: a process that stays. Requests and answers are JSON, one object a line. With several ranks rank 0
   reads and answers, and hands each request to the others. */
#include "cli/serve.h"
#include "cli/cli.h"
#include "cli/serve_answer.h"
#include "cli/serve_request.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* A request that waits. */
typedef struct Request Request;
struct Request {
  json_t *content; ///< an object; NULL: the line holds none, and `wrong` says why
  IrzError wrong;
  bool cancelled;
  Request *next;
};

/* The process. */
typedef struct {
  int rank;
  IrzLines lines;
  Request *first, **last; ///< requests that wait, in order
  Request *running;
  struct timespec begin; ///< of the running one
  IrzPlan *plan;         ///< what `set` starts from; NULL: none yet
  IrzSession *session;
  bool broken; ///< the standard output takes no more
} Server;

/* Answers */

/* Begin an answer; NULL if there is no memory. */
static FILE *begin(const json_t *id, char **text, size_t *size) {
  FILE *out = open_memstream(text, size);
  if (out == NULL) return NULL;
  fputs("{\"id\": ", out);
  irz_answer_value(out, id);
  return out;
}

/* End an answer and send it. */
static void send(Server *server, FILE *out, char **text, const size_t *size) {
  static const char lost[] =
      "{\"id\": null, \"ok\": false, \"code\": 6, \"error\": \"out of memory: for the answer\"}\n";
  bool whole = out != NULL;
  if (out != NULL) {
    fputs("}\n", out);
    whole = ferror(out) == 0;
    whole = fclose(out) == 0 && whole;
  }
  if (whole) {
    fwrite(*text, 1, *size, stdout);
  } else {
    fputs(lost, stdout);
  }
  if (fflush(stdout) != 0 || ferror(stdout) != 0) server->broken = true;
  free(*text);
  *text = NULL;
}

/* Answer with an error. */
static void refuse(Server *server, const json_t *id, const IrzError *error) {
  char *text = NULL;
  size_t size = 0;
  FILE *out = begin(id, &text, &size);
  if (out != NULL) {
    fprintf(out, ", \"ok\": false, \"code\": %d, \"error\": ", (int)error->code);
    irz_answer_text(out, error->text);
  }
  send(server, out, &text, &size);
}

/* Requests that come in */

static void request_free(Request *request) {
  if (request == NULL) return;
  json_decref(request->content);
  free(request);
}

/* Whether a request has an id; one that states none is answered, and found, with null. */
static bool has_id(const Request *request, const json_t *which) {
  if (request->content == NULL) return false;
  const json_t *id = json_object_get(request->content, "id");
  return id != NULL ? json_equal(id, which) != 0 : json_is_null(which);
}

/* Refuse a cancellation that asks for more, or that finds nothing. */
static void refuse_cancel(Server *server, const json_t *id, const json_t *which, bool alone) {
  IrzError error = {0};
  char *name = json_dumps(which, JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
  if (!alone) {
    irz_error_set(&error, IRZ_ERR_PLAN, "cancel: is a request of its own, which has no key but id beside it");
  } else {
    irz_error_set(&error, IRZ_ERR_PLAN, "cancel: no request with the id %.80s is waiting or running",
                  name != NULL ? name : "?");
  }
  free(name);
  refuse(server, id, &error);
}

/* Cancel a request that waits or runs. */
static void cancel(Server *server, const json_t *content) {
  const json_t *id = json_object_get(content, "id"), *which = json_object_get(content, "cancel");
  bool alone = json_object_size(content) == (id != NULL ? 2 : 1);
  Request *found = alone && server->running != NULL && has_id(server->running, which) ? server->running : NULL;
  for (Request *waiting = server->first; alone && waiting != NULL && found == NULL; waiting = waiting->next) {
    if (has_id(waiting, which)) found = waiting;
  }
  if (found == NULL) {
    refuse_cancel(server, id, which, alone);
    return;
  }
  found->cancelled = true;
  char *text = NULL;
  size_t size = 0;
  FILE *out = begin(id, &text, &size);
  if (out != NULL) fputs(", \"ok\": true", out);
  send(server, out, &text, &size);
}

/* Take a line: a cancellation acts at once, anything else waits for its turn. */
static void take(Server *server, IrzLineKind kind, const char *line) {
  if (kind == IRZ_LINE_WHOLE && strspn(line, " \t\r") == strlen(line)) return;
  Request *request = calloc(1, sizeof *request);
  IrzError lacking = {0};
  if (request == NULL) {
    irz_error_set(&lacking, IRZ_ERR_MEMORY, "out of memory: for a request");
    refuse(server, NULL, &lacking);
    return;
  }
  json_error_t wrong = {0};
  if (kind == IRZ_LINE_LOST) {
    irz_error_set(&request->wrong, IRZ_ERR_PLAN, "the line is longer than %zu bytes or holds a zero byte",
                  IRZ_LINE_MOST);
  } else {
    request->content = json_loads(line, JSON_REJECT_DUPLICATES, &wrong);
    if (request->content == NULL) {
      irz_error_set(&request->wrong, IRZ_ERR_PLAN, "the line is no JSON object: %s, at byte %d", wrong.text,
                    wrong.position);
    } else if (!json_is_object(request->content)) {
      json_decref(request->content);
      request->content = NULL;
      irz_error_set(&request->wrong, IRZ_ERR_PLAN, "the line is no JSON object: {\"id\": 1, ...}");
    }
  }
  if (request->content != NULL && json_object_get(request->content, "cancel") != NULL) {
    cancel(server, request->content);
    request_free(request);
    return;
  }
  *server->last = request;
  server->last = &request->next;
}

/* Take all lines that are there; if none waits already, wait for one.
   @return false: no more will come */
static bool listen(Server *server, bool wait) {
  for (;;) {
    char *line;
    IrzLineKind kind = irz_lines_next(&server->lines, wait && server->first == NULL, &line);
    if (kind == IRZ_LINE_WHOLE || kind == IRZ_LINE_LOST) take(server, kind, line);
    free(line);
    if (kind == IRZ_LINE_END) return false;
    if (kind == IRZ_LINE_NONE) return true;
  }
}

/* Called while a solve goes on, on rank 0. */
static bool progress(void *context, const char *stage, double fraction) {
  Server *server = context;
  listen(server, false);
  Request *running = server->running;
  if (running != NULL && json_is_true(json_object_get(running->content, "progress"))) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = begin(json_object_get(running->content, "id"), &text, &size);
    if (out != NULL) {
      fputs(", \"progress\": {\"stage\": ", out);
      irz_answer_text(out, stage);
      fprintf(out, ", \"done\": %.3g}", fraction);
    }
    send(server, out, &text, &size);
  }
  return !server->broken && (running == NULL || !running->cancelled);
}

static double seconds_since(const struct timespec *begin) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)(now.tv_sec - begin->tv_sec) + 1e-9 * (double)(now.tv_nsec - begin->tv_nsec);
}

/* Answer a request. Collective. */
static void answer(Server *server, Request *request) {
  IrzError error = {0};
  struct timespec begun;
  clock_gettime(CLOCK_MONOTONIC, &begun);
  char *text = NULL;
  size_t size = 0;
  const json_t *id = json_object_get(request->content, "id");
  FILE *out = server->rank == 0 ? begin(id, &text, &size) : NULL;
  if (server->rank == 0 && out == NULL) irz_error_set(&error, IRZ_ERR_MEMORY, "out of memory: for the answer");
  if (out != NULL) fputs(", \"ok\": true", out);
  server->running = request;
  IrzCode code = irz_error_agree(MPI_COMM_WORLD, &error);
  if (code == IRZ_OK) {
    code = irz_serve_request(server->session, &server->plan, request->content, out, &error);
  }
  server->running = NULL;
  if (server->rank != 0) return;
  if (code == IRZ_OK) {
    fprintf(out, ", \"seconds\": %.6g", seconds_since(&begun));
    send(server, out, &text, &size);
    return;
  }
  if (out != NULL) fclose(out);
  free(text);
  refuse(server, id, &error);
}

/* Rank 0 hands a request to the others; NULL: there will be no more. */
static void hand_out(const json_t *content) {
  int size;
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  if (size == 1) return;
  char *text = content != NULL ? json_dumps(content, JSON_ENCODE_ANY) : NULL;
  long length = text != NULL ? (long)strlen(text) : 0;
  irz_cli_broadcast(&length, sizeof length);
  if (length > 0) irz_cli_broadcast(text, (size_t)length);
  free(text);
}

/* A rank that cannot even take a request ends, and its launcher ends the others. */
static _Noreturn void give_up(void) {
  fputs("irezone: out of memory: for a request\n", stderr);
  _exit(IRZ_ERR_MEMORY);
}

/* The others take it.
   @return NULL: there will be no more */
static Request *take_out(void) {
  long length = 0;
  irz_cli_broadcast(&length, sizeof length);
  if (length == 0) return NULL;
  Request *request = calloc(1, sizeof *request);
  char *text = malloc((size_t)length + 1);
  if (request == NULL || text == NULL) give_up();
  irz_cli_broadcast(text, (size_t)length);
  text[length] = '\0';
  request->content = json_loads(text, JSON_DECODE_ANY, NULL);
  free(text);
  if (request->content == NULL) give_up();
  return request;
}

/* Read and answer until the input ends. */
static IrzCode talk(Server *server, IrzError *error) {
  bool more = true;
  while (!server->broken) {
    if (more) more = listen(server, true);
    Request *request = server->first;
    if (request == NULL && !more) break;
    if (request == NULL) continue;
    server->first = request->next;
    if (server->first == NULL) server->last = &server->first;
    const json_t *id = json_object_get(request->content, "id");
    if (request->content == NULL) {
      refuse(server, NULL, &request->wrong);
    } else if (request->cancelled) {
      irz_error_set(&request->wrong, IRZ_ERR_CANCELLED, "cancelled");
      refuse(server, id, &request->wrong);
    } else {
      hand_out(request->content);
      answer(server, request);
    }
    request_free(request);
  }
  hand_out(NULL);
  if (!server->broken) return IRZ_OK;
  return irz_error_set(error, IRZ_ERR_OUTPUT, "the standard output could not be written");
}

/* The other ranks. */
static void follow(Server *server) {
  for (Request *request = take_out(); request != NULL; request = take_out()) {
    answer(server, request);
    request_free(request);
  }
}

static IrzCode serve(const IrzArguments *arguments, IrzError *error) {
  Server server = {0};
  server.last = &server.first;
  IrzSessionOptions options = {.progress = progress, .context = &server, .refine = true};
  IRZ_TRY(irz_argument_number(arguments, "--threads", 1, 1024, 0, &options.threads, error));
  if (arguments->n_operands > 0) {
    IRZ_TRY(irz_cli_plan(arguments, &server.plan, error));
  } else if (irz_argument(arguments, "--set") != NULL) {
    return irz_error_set(error, IRZ_ERR_PLAN, "serve: --set needs a plan");
  }
  irz_signals_catch("what it was asked is not answered");
  IrzCode code = irz_cli_start(arguments, error);
  if (code == IRZ_OK) {
    MPI_Comm_rank(MPI_COMM_WORLD, &server.rank);
    code = irz_cli_agree(false, error);
    if (code == IRZ_OK) code = irz_session_create(MPI_COMM_WORLD, &options, &server.session, error);
    if (code == IRZ_OK && server.rank == 0) code = talk(&server, error);
    if (code == IRZ_OK && server.rank != 0) follow(&server);
    irz_session_free(server.session);
    irz_cli_stop();
  }
  for (Request *next; server.first != NULL; server.first = next) {
    next = server.first->next;
    request_free(server.first);
  }
  irz_lines_clear(&server.lines);
  irz_plan_free(server.plan);
  return code;
}

static const IrzOption options[] = {IRZ_OPTION_SET, IRZ_OPTION_THREADS, IRZ_OPTION_END};

const IrzCommand irz_command_serve = {
    .name = "serve",
    .usage = "[PLAN.yaml] [--set key.path=value]... [--threads N] [-- PETSc options]",
    .summary = "answer one question after another about a plan: JSON in, JSON out",
    .help =
        "Reads requests from the standard input and answers on the standard output, one JSON object a line, until the\n"
        "input ends. What can be used again, as the mesh of needles that stay, is. It never ends because of a "
        "request.\n"
        "\n"
        "  {\"id\": 1, \"set\": {\"pulses[0].voltage\": 2500}}\n"
        "  {\"id\": 1, \"ok\": true, \"summary\": {...}, \"warnings\": [], \"seconds\": 0.06}\n"
        "  {\"id\": 2, \"ok\": false, \"code\": 2, \"error\": \"plan.yaml: ...\"}\n"
        "\n"
        "  id          any value; comes back with the answer\n"
        "  set         values by key path, all at once; null removes a key. They count from the plan as started\n"
        "  keep        true: they also count for the requests that follow\n"
        "  load, plan  a plan file, or a plan as an object, instead of the one it was started with; paths in an "
        "object\n"
        "              count from folder, or from the current one\n"
        "  want        a list of what comes back: summary (if not stated), zone (the surface: points_mm and "
        "triangles),\n"
        "              histogram (volume of each region by its field), plan (as an object), check (the plan and its\n"
        "              files are checked); plan and check alone solve nothing\n"
        "  sample      {\"points_mm\": [[x, y, z], ...]}: field, potentials and zone there; \"quantities\": [...] "
        "chooses\n"
        "  get         a list of key paths; the plan's values come back as values\n"
        "  write       a folder: the results are written there as `irezone run` does\n"
        "  progress    true: lines {\"id\": 1, \"progress\": {\"stage\": \"solve\", \"done\": 0.5}} come before the "
        "answer\n"
        "  cancel      id of a request that waits or runs (null: one without id), which ends with code 7. This is a\n"
        "              request of its own, answered at once; all others are answered in the order they came in\n"
        "\n"
        "Codes are the exit statuses of `irezone run`, and 7 for what was cancelled. Numbers that do not exist, as "
        "the\n"
        "field inside a needle, are null. A line has at most 64 MiB. Under mpiexec the ranks solve together, and rank "
        "0\n"
        "reads and answers.\n",
    .options = options,
    .operand = "yaml",
    .operand_is_file = true,
    .least_operands = 0,
    .most_operands = 1,
    .takes_petsc = true,
    .collective = true,
    .run = serve,
};
