/* Requests of `irezone serve`: JSON, keys, changes of a plan, questions to its result. What has another plan than the
 * first is not solved, which would take too long; nothing is written or loaded. */
#include "cli/cli.h"
#include "cli/serve_request.h"
#include "fuzz.h"
#include <irezone/start.h>
#include <stdlib.h>
#include <string.h>
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#include <sanitizer/lsan_interface.h>
#define OTHERS_LEAK_BEGIN __lsan_disable()
#define OTHERS_LEAK_END __lsan_enable()
#endif
#endif
#ifndef OTHERS_LEAK_BEGIN
#define OTHERS_LEAK_BEGIN (void)0
#define OTHERS_LEAK_END (void)0
#endif

static const char text[] = "mesh: {size: 40, accuracy: 50, order: 1}\n"
                           "tissues: {default: {sigma: {law: constant, value: 0.2}, threshold: 500}}\n"
                           "array: {count: 2, spacing: 10, exposure: 10}\n"
                           "pulses: [{from: A, to: B, voltage: 1000, count: 10, width: 100, rate: 1}]\n";

/// A fuzzer is one rank: with nobody to agree.
IrzCode irz_cli_agree_on(int count, const char *const *what, const char *const *said, IrzError *error) {
  (void)count, (void)what, (void)said;
  return error->code;
}

/// Whether a request is about the first plan as it stands.
static bool is_of_first(const json_t *content) {
  return json_object_get(content, "set") == NULL && json_object_get(content, "plan") == NULL;
}

/// An answer must be what clients read: one line, and JSON with what begins it.
static void require_answer(char *answer, size_t size) {
  json_error_t wrong;
  char *whole = malloc(size + 16);
  fuzz_require(whole != NULL && memchr(answer, '\n', size) == NULL);
  int length = snprintf(whole, size + 16, "{\"ok\": true%s}", answer);
  json_t *json = json_loadb(whole, (size_t)length, 0, &wrong);
  fuzz_require(json != NULL);
  json_decref(json);
  free(whole);
}

/// Start, and solve the first plan. What MPI and Gmsh keep until the end is no leak of a request.
static void start(IrzPlan **first, IrzSession **session) {
  const IrzSessionOptions options = {.threads = 1};
  IrzResult *result;
  IrzError error = {0};
  OTHERS_LEAK_BEGIN;
  fuzz_require(irz_start(&error) == IRZ_OK && irz_plan_parse(text, "first.yaml", 0, NULL, first, &error) == IRZ_OK);
  fuzz_require(irz_session_create(MPI_COMM_SELF, &options, session, &error) == IRZ_OK);
  fuzz_require(irz_session_solve(*session, *first, &result, &error) == IRZ_OK);
  irz_result_free(result);
  OTHERS_LEAK_END;
}

void fuzz_one(const uint8_t *data, size_t size) {
  static IrzPlan *first;
  static IrzSession *session;
  IrzError error = {0};
  if (session == NULL) start(&first, &session);
  char *line = fuzz_text(data, size), *answer = NULL;
  json_t *content = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
  free(line);
  if (json_is_object(content) && json_object_get(content, "load") == NULL &&
      json_object_get(content, "write") == NULL) {
    size_t length = 0;
    FILE *out = open_memstream(&answer, &length);
    IrzPlan *base = NULL;
    fuzz_require(out != NULL && irz_plan_copy(first, &base, &error) == IRZ_OK);
    IrzCode code = irz_serve_request(is_of_first(content) ? session : NULL, &base, content, out, &error);
    fuzz_require(fclose(out) == 0 && base != NULL && code == error.code);
    if (code == IRZ_OK)
      require_answer(answer, length);
    else
      fuzz_require_error(code, &error);
    irz_plan_free(base);
  }
  free(answer);
  json_decref(content);
}
