/* Without Gmsh's library a plan that needs a mesh fails with one line, time and again, and the session goes on: plans
   with a mesh of their own are solved. LD_LIBRARY_PATH leads to a library of that name that is none. */
#define _GNU_SOURCE /* nftw */
#include "api.h"
#include <irezone/session.h>
#include <irezone/start.h>
#include <string.h>

int main(int argc, char **argv) {
  IrzError error = {0};
  IrzPlan *plates, *needles;
  IrzSession *session;
  IrzResult *result;
  (void)argc;
  (void)argv;
  PROMISE(irz_start(&error) == IRZ_OK, "%s", error.text);
  PROMISE(irz_plan_parse(PLATES, "plates", 0, NULL, &plates, &error) == IRZ_OK, "%s", error.text);
  PROMISE(irz_plan_parse(NEEDLES, "needles", 0, NULL, &needles, &error) == IRZ_OK, "%s", error.text);
  PROMISE(irz_session_create(MPI_COMM_SELF, NULL, &session, &error) == IRZ_OK, "%s", error.text);
  for (int i = 0; i < 3; i++) {
    PROMISE(irz_session_solve(session, needles, &result, &error) == IRZ_ERR_INPUT && result == NULL, "%s", error.text);
    PROMISE(strstr(error.text, "Gmsh") != NULL && strchr(error.text, '\n') == NULL, "%s", error.text);
    PROMISE(irz_session_solve(session, plates, &result, &error) == IRZ_OK, "%s", error.text);
    irz_result_free(result);
  }
  irz_session_free(session);
  irz_plan_free(plates);
  irz_plan_free(needles);
  irz_stop();
  return 0;
}
