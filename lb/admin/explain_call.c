/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/admin/explain_call.h"

#include <time.h>

#include "lb/admin/admin.h"
#include "lb/admin/api.h"
#include "lb/base/error.h"
#include "lb/explain/explanation.h"
#include "lb/explain/explanation_json.h"

void explain_call_post(struct api_request *request)
{
    struct admin_host *host = request->api->host;
    const struct explainer explainer = {
        .config = host->config(host),
        .is_live = true,
        .now = time(NULL),
    };
    struct json_writer writer = {0};
    struct error err = {""};
    switch (explanation_answer(&explainer, request->json, &writer, &err)) {
    case EXPLANATION_GIVEN:
        api_answer(request, 200, &writer);
        return;
    case EXPLANATION_BAD_QUESTION:
        api_refuse(request, 400, "bad-input", "%s", err.text);
        break;
    case EXPLANATION_NO_MEMORY:
        api_refuse(request, 503, "out-of-memory", "out of memory");
        break;
    }
    writer_done(&writer);
}
