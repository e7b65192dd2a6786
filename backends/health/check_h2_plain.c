/* SPDX-License-Identifier: Apache-2.0 */
/* What h2 and h2s checks ask: the same as http and https, judged by the same codes. */
#include "backends/health/check_h2.h"
#include "backends/health/check_http.h"

static void compose(const struct check_run *run, struct check_h2_request *request)
{
    request->method = check_http_method(run->pool) == HTTP_HEAD ? "HEAD" : "GET";
    request->path = run->pool->options->health_check_path;
    request->fields[0] = (struct check_h2_field){"accept", "*/*"};
    request->field_count = 1;
}

static void judge(struct check_run *run, const struct check_answer *answer)
{
    check_http_judge(run, answer->status);
}

const struct check_h2_kind check_h2_plain = {compose, judge, false};
