/* A session: models that are kept for later plans; see irezone/session.h. */
#include "model/session.h"
#include "base/entry.h"
#include "base/memory.h"
#include <stdlib.h>
#include <string.h>

/// Meshes that are kept if nobody says how many.
enum { USUAL_ROOM = 4 };

/// Let go of a session, which its last user ends. Collective.
static void release(IrzSession *session) {
  if (session == NULL || --session->users > 0) return;
  free(session->kept);
  if (session->comm != MPI_COMM_NULL) MPI_Comm_free(&session->comm);
  free(session);
}

void irz_result_free(IrzResult *result) {
  IRZ_ENTER_ALONE_QUIETLY;
  if (result == NULL || --result->users > 0) return;
  irz_summary_clear(&result->summary);
  irz_plan_free(result->stated);
  irz_solution_free(result->found);
  irz_stage_free(result->stage);
  irz_model_free(result->model);
  release(result->session);
  free(result);
}

/// Make a session and whatever needs no others.
static IrzCode make(const IrzStageOptions *options, int room, IrzSession **session, IrzError *error) {
  IrzSession *made;
  IRZ_TRY(irz_alloc(&made, 1, sizeof *made, error));
  *session = made;
  made->users = 1;
  made->comm = MPI_COMM_NULL;
  made->options = *options;
  made->room = room;
  return irz_alloc(&made->kept, (size_t)made->room, sizeof *made->kept, error);
}

IrzCode irz_session_make(MPI_Comm comm, const IrzStageOptions *options, int room, IrzSession **session,
                         IrzError *error) {
  *session = NULL;
  make(options, room, session, error);
  IrzCode code = irz_error_agree(comm, error);
  if (code == IRZ_OK && MPI_Comm_dup(comm, &(*session)->comm) != MPI_SUCCESS) {
    code = irz_error_set(error, IRZ_ERR_SOLVER, "MPI could not duplicate the communicator");
  }
  if (code != IRZ_OK) {
    release(*session);
    *session = NULL;
  }
  return code;
}

IrzCode irz_session_create(MPI_Comm comm, const IrzSessionOptions *options, IrzSession **session, IrzError *error) {
  IRZ_ENTER_ALONE(error);
  IRZ_NEED(session != NULL);
  static const IrzSessionOptions standard = {0};
  if (options == NULL) options = &standard;
  const IrzStageOptions own = {.threads = options->threads,
                               .refine = options->refine,
                               .once = options->once,
                               .levels = !options->once,
                               .progress = options->progress,
                               .context = options->context};
  int room = options->geometries > 0 ? options->geometries : options->once ? 1 : USUAL_ROOM;
  return irz_session_make(comm, &own, room, session, error);
}

/// Let go of a model that is kept, and what it found.
static void drop(IrzKept *kept) {
  irz_result_free(kept->last);
  irz_model_free(kept->model);
  irz_key_clear(&kept->key);
  *kept = (IrzKept){0};
}

void irz_session_forget(IrzSession *session) {
  IRZ_ENTER_ALONE_QUIETLY;
  if (session == NULL) return;
  while (session->n > 0) drop(&session->kept[--session->n]);
  irz_anatomy_free(session->anatomy);
  session->anatomy = NULL;
}

void irz_session_free(IrzSession *session) {
  IRZ_ENTER_ALONE_QUIETLY;
  if (session == NULL) return;
  irz_session_forget(session);
  release(session);
}

/// Whether what was found about a model's files is said as it would be for a plan: it names the plan's file.
static bool says_the_same(const IrzModel *model, const IrzPlan *plan) {
  const IrzPlan *own = model->stage[0]->geometry;
  return own->n_warnings == model->n_stated || strcmp(own->file, plan->file) == 0;
}

/// Put an entry behind the others.
static IrzKept *move_last(IrzSession *session, int at) {
  IrzKept moved = session->kept[at];
  size_t behind = (size_t)(session->n - 1 - at);
  memmove(session->kept + at, session->kept + at + 1, behind * sizeof moved);
  session->kept[session->n - 1] = moved;
  return &session->kept[session->n - 1];
}

/// Look for a model that serves a plan; all ranks take what rank 0 finds, which sees the files.
/// @return its place, or -1
static int look_for(const IrzSession *session, const IrzPlan *plan, const IrzKey *key) {
  int at = session->n - 1;
  while (at >= 0 && !(irz_key_equal(&session->kept[at].key, key) && says_the_same(session->kept[at].model, plan))) at--;
  MPI_Bcast(&at, 1, MPI_INT, 0, session->comm);
  return at;
}

IrzCode irz_session_serve(IrzSession *session, const IrzPlan *plan, IrzKept **kept, IrzError *error) {
  IrzKey key;
  irz_key_make(plan, IRZ_KEY_SESSION, &key, error);
  if (irz_error_agree(session->comm, error) != IRZ_OK) {
    irz_key_clear(&key);
    return error->code;
  }
  int at = look_for(session, plan, &key);
  if (at >= 0) {
    irz_key_clear(&key);
    *kept = move_last(session, at);
    return IRZ_OK;
  }
  if (session->n == session->room) {
    drop(move_last(session, 0));
    session->n--;
  }
  IrzModel *model;
  session->n_made++;
  if (irz_model_make(session->comm, plan, &session->options, session->anatomy, NULL, &model, error) != IRZ_OK) {
    irz_key_clear(&key);
    return error->code;
  }
  if (model->anatomy != NULL) {
    model->anatomy->users++;
    irz_anatomy_free(session->anatomy);
    session->anatomy = model->anatomy;
  }
  session->kept[session->n] = (IrzKept){.key = key, .model = model};
  *kept = &session->kept[session->n++];
  return IRZ_OK;
}

/// Whether a result is that of a plan: the same keys and values, and the same warnings.
static bool is_result_of(const IrzResult *result, const IrzPlan *plan) {
  const IrzPlan *own = result->stated;
  if (strcmp(own->text, plan->text) != 0 || strcmp(own->file, plan->file) != 0) return false;
  if (own->n_warnings != plan->n_warnings) return false;
  for (int i = 0; i < plan->n_warnings; i++) {
    if (strcmp(own->warnings[i], plan->warnings[i]) != 0) return false;
  }
  return true;
}

/// Make a result of what a model has just found; it takes the summary over.
static IrzCode make_result(IrzSession *session, IrzModel *model, const IrzPlan *plan, IrzSummary *summary,
                           IrzResult **result, IrzError *error) {
  IrzResult *made = NULL;
  irz_alloc(&made, 1, sizeof *made, error);
  if (error->code == IRZ_OK) irz_plan_copy(plan, &made->stated, error);
  if (irz_error_agree(session->comm, error) != IRZ_OK) {
    free(made);
    irz_summary_clear(summary);
    return error->code;
  }
  made->users = 1;
  made->session = session;
  made->model = model;
  made->stage = model->answer[0];
  made->found = made->stage->found;
  made->session->users++;
  made->model->users++;
  made->stage->users++;
  made->found->users++;
  made->summary = *summary;
  *result = made;
  return IRZ_OK;
}

IrzCode irz_session_solve(IrzSession *session, const IrzPlan *plan, IrzResult **result, IrzError *error) {
  IRZ_ENTER_ALONE(error);
  IRZ_NEED(session != NULL && plan != NULL && result != NULL);
  IrzKept *kept;
  IrzSummary summary;
  *result = NULL;
  irz_plan_check(plan, error);
  IRZ_TRY(irz_error_agree(session->comm, error));
  IRZ_TRY(irz_session_serve(session, plan, &kept, error));
  int same = kept->last != NULL && is_result_of(kept->last, plan);
  MPI_Bcast(&same, 1, MPI_INT, 0, session->comm);
  if (!same) {
    irz_result_free(kept->last); /* if nobody else has it the solve takes its place */
    kept->last = NULL;
    IrzCode code = irz_model_solve(kept->model, plan, &summary, error);
    if (code == IRZ_OK) code = make_result(session, kept->model, plan, &summary, &kept->last, error);
    if (code != IRZ_OK) {
      irz_model_reset(kept->model); /* nothing of the failure must reach the next plan */
      return code;
    }
  }
  kept->last->users++;
  *result = kept->last;
  return IRZ_OK;
}
