/* What a session holds, and its results. */
#ifndef IREZONE_MODEL_SESSION_H
#define IREZONE_MODEL_SESSION_H

#include "model/model.h"
#include <irezone/session.h>

/// A model that is kept, and what it found last.
typedef struct {
  IrzKey key; ///< IRZ_KEY_SESSION of the plan that it was made for
  IrzModel *model;
  IrzResult *last; ///< NULL: none
} IrzKept;

struct IrzSession {
  int users;     ///< the host, and results
  MPI_Comm comm; ///< its own
  IrzStageOptions options;
  int room, n;
  IrzKept *kept; ///< [room], n of them, the one that was used last at the end
};

struct IrzResult {
  int users;
  IrzSession *session;
  IrzModel *model;
  IrzStage *stage;
  IrzSolution *found;
  IrzPlan *stated; ///< the plan that was given
  IrzSummary summary;
};

/// Find or make the model that serves a plan; it becomes the one that was used last. Of the others the one that was not
/// used for longest is let go if there is no room. Collective.
/// @param[out] kept  belongs to the session
IrzCode irz_session_serve(IrzSession *session, const IrzPlan *plan, IrzKept **kept, IrzError *error);

#endif
