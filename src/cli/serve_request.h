/* What a request of `irezone serve` asks for. */
#ifndef IREZONE_CLI_SERVE_REQUEST_H
#define IREZONE_CLI_SERVE_REQUEST_H

#include <irezone/session.h>
#include <jansson.h>
#include <stdio.h>

/// Do what a request asks for. Collective.
/// @param[in,out] base     plan that `set` starts from, or NULL; replaced if the request says `keep`
/// @param[in]     content  the request, an object
/// @param[in,out] out      the answer behind its id; NULL: another rank writes it
/// @return any code; the answer is then of no use
IrzCode irz_serve_request(IrzSession *session, IrzPlan **base, const json_t *content, FILE *out, IrzError *error);

#endif
