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
  int n_made;          ///< models that it has made or tried to
  IrzAnatomy *anatomy; ///< the label map that was used last, or NULL
  IrzKept *kept;       ///< [room], n of them, the one that was used last at the end
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

/// Begin a session with the options of its stages. Collective.
/// @param[in] room  models to keep
IrzCode irz_session_make(MPI_Comm comm, const IrzStageOptions *options, int room, IrzSession **session,
                         IrzError *error);

/// Find or make the model that serves a plan; it becomes the one that was used last. Of the others the one that was not
/// used for longest is let go if there is no room. Collective.
/// @param[out] kept  belongs to the session
IrzCode irz_session_serve(IrzSession *session, const IrzPlan *plan, IrzKept **kept, IrzError *error);

#endif
