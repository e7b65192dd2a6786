/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/exchange/persistence_cookie.h"

#include <time.h>

#include "backends/persistence/persistence.h"
#include "backends/persistence/pool_persistence.h"
#include "lb/base/draft.h"
#include "lb/exchange/exchange.h"
#include "listeners/client.h"

static uint64_t wall_clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME_COARSE, &now); /* never a system call */
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* --- Cookie -------------------------------------------------------------------------------- */

/* One walk over a request's cookies. */
struct search {
    const struct pool *pool;
    struct slice name;
    uint64_t now_ms;
    unsigned looked_at;
    bool is_due;
};

static struct slice trimmed(struct slice text)
{
    while (text.length > 0 && (text.at[0] == ' ' || text.at[0] == '\t'))
        text = (struct slice){text.at + 1, text.length - 1};
    while (text.length > 0 && (text.at[text.length - 1] == ' ' || text.at[text.length - 1] == '\t'))
        text.length--;
    return text;
}

/* "name=value", blanks around it. */
static const struct backend *find_in_pair(struct search *search, struct slice pair)
{
    pair = trimmed(pair);
    size_t value_at = search->name.length + 1;
    if (pair.length != value_at + PERSISTENCE_TOKEN_CHARS || pair.at[value_at - 1] != '=' ||
        memcmp(pair.at, search->name.at, search->name.length) != 0 ||
        search->looked_at == PERSISTENCE_COOKIES_MOST)
        return NULL;
    search->looked_at++;
    struct slice token = {pair.at + value_at, PERSISTENCE_TOKEN_CHARS};
    return pool_persistence_find(search->pool, token, search->now_ms, &search->is_due);
}

static const struct backend *find_in_field(struct search *search, struct slice value)
{
    const struct backend *found = NULL;
    while (value.length > 0 && !found) {
        const char *end = memchr(value.at, ';', value.length);
        size_t length = end ? (size_t)(end - value.at) : value.length;
        found = find_in_pair(search, (struct slice){value.at, length});
        length += end != NULL;
        value = (struct slice){value.at + length, value.length - length};
    }
    return found;
}

const struct backend *persistence_cookie_find(const struct pool *pool,
                                              const struct http_request *request, uint64_t now_ms,
                                              bool *ret_is_due)
{
    struct search search = {
        .pool = pool, .name = slice_of(pool->options->persistence_cookie), .now_ms = now_ms};
    for (unsigned i = 0; i < request->field_count; i++) {
        const struct http_field *field = &request->fields[i];
        const struct backend *found =
            field->known == HTTP_COOKIE ? find_in_field(&search, field->value) : NULL;
        if (found) {
            *ret_is_due = search.is_due;
            return found;
        }
    }
    return NULL;
}

void persistence_cookie_wish(struct exchange *x, const struct http_request *request)
{
    bool is_due = false;
    if (!x->pool->persistence)
        return;
    x->choice.wanted = persistence_cookie_find(x->pool, request, wall_clock_ms(), &is_due);
    x->persistent = is_due ? NULL : x->choice.wanted;
}

/* --- Set-Cookie ---------------------------------------------------------------------------- */

struct slice persistence_cookie_line(const struct pool *pool, const struct backend *backend,
                                     bool is_https, uint64_t now_ms,
                                     char line[PERSISTENCE_COOKIE_LINE_BYTES])
{
    char token[PERSISTENCE_TOKEN_CHARS];
    struct draft draft = draft_in(line, PERSISTENCE_COOKIE_LINE_BYTES);
    if (!pool_persistence_token(pool, backend, now_ms, token))
        return (struct slice){line, 0};
    draft_text(&draft, "Set-Cookie: ");
    draft_text(&draft, pool->options->persistence_cookie);
    draft_text(&draft, "=");
    draft_put(&draft, (struct slice){token, sizeof token});
    draft_text(&draft, "; Path=/; Max-Age=");
    draft_number(&draft, persistence_kept_s(pool->options->session_persistence_timeout), 1);
    draft_text(&draft, "; HttpOnly; SameSite=Lax");
    draft_text(&draft, is_https ? "; Secure\r\n" : "\r\n");
    return (struct slice){line, draft.fits ? draft.used : 0};
}

struct slice persistence_cookie_give(const struct exchange *x,
                                     char line[PERSISTENCE_COOKIE_LINE_BYTES])
{
    if (!x->pool->persistence || x->backend == x->persistent)
        return (struct slice){NULL, 0};
    return persistence_cookie_line(x->pool, x->backend, x->stream->client->connection.ssl != NULL,
                                   wall_clock_ms(), line);
}
