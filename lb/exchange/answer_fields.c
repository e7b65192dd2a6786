/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/exchange/answer_fields.h"

#include <time.h>

#include "lb/base/draft.h"
#include "lb/exchange/exchange.h"
#include "listeners/client.h"
#include "listeners/identity_headers.h"

static const char private_line[] = "Cache-Control: private\r\n";

static time_t wall_clock_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME_COARSE, &now); /* never a system call */
    return now.tv_sec;
}

/* The cookie's line is in `lines` already; all move into a buffer of their size. */
static bool add_identity(struct exchange *x, struct answer_fields *fields)
{
    const struct identity_headers identity =
        identity_headers_find(x->rule->client_headers.to_client, &x->rule->auth,
                              x->stream->client->handshake.identity, wall_clock_s());
    if (identity.is_lost)
        return false;
    size_t room = fields->lines.length + sizeof private_line + identity.bytes;
    fields->buffer = buffer_take(&x->all->context->buffers, room);
    if (!fields->buffer)
        return false;
    struct draft draft = draft_in(fields->buffer->data, fields->buffer->capacity);
    draft_put(&draft, fields->lines);
    draft_text(&draft, private_line);
    draft.used += identity_headers_put(&identity, draft.at + draft.used);
    fields->lines = (struct slice){draft.at, draft.used};
    return true;
}

bool answer_fields_make(struct exchange *x, struct answer_fields *fields)
{
    fields->buffer = NULL;
    fields->lines = persistence_cookie_give(x, fields->cookie);
    return !x->tells_client || add_identity(x, fields);
}

void answer_fields_done(struct exchange *x, struct answer_fields *fields)
{
    buffer_give(&x->all->context->buffers, &fields->buffer);
}

unsigned answer_fields_strip(const struct rule *rule, struct http_field *fields, unsigned count)
{
    unsigned left = 0;
    if (!rule->client_headers.guards_answers)
        return count;
    for (unsigned i = 0; i < count; i++) {
        bool is_taken =
            fields[i].known == HTTP_OTHER_FIELD && identity_header_is_known(fields[i].name);
        if (!is_taken)
            fields[left++] = fields[i];
    }
    return left;
}
