/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/commands/status_view.h"

#include <string.h>
#include <time.h>

#include "lb/commands/status_clients_view.h"
#include "lb/commands/table.h"

struct view {
    const json_t *status;
    bool all;
    bool with_colour;
    FILE *out;
    time_t now_s; /* by lb's clock */
};

enum { DURATION_BYTES = 32 };

/* --- members -------------------------------------------------------------------------------- */

static const char *text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static const char *text_or_dash(const json_t *object, const char *key)
{
    const char *text = text_of(object, key);
    return text ? text : "-";
}

static long long number_of(const json_t *object, const char *key)
{
    return (long long)json_integer_value(json_object_get(object, key));
}

/* RFC 3339 in UTC; 0: there is none. */
static time_t time_of(const json_t *object, const char *key)
{
    struct tm when = {0};
    const char *text = text_of(object, key);
    return text && strptime(text, "%Y-%m-%dT%H:%M:%S", &when) ? timegm(&when) : 0;
}

/* --- durations ------------------------------------------------------------------------------- */

/* The two largest units: 3d 4h, 5m 12s, 9s. */
static const char *duration_text(long long seconds, char into[DURATION_BYTES])
{
    static const struct {
        long long seconds;
        char letter;
    } units[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};
    size_t i = 0;
    if (seconds < 0)
        seconds = 0;
    while (i < 3 && seconds < units[i].seconds)
        i++;
    int used =
        snprintf(into, DURATION_BYTES, "%lld%c", seconds / units[i].seconds, units[i].letter);
    if (i < 3)
        snprintf(into + used, DURATION_BYTES - (size_t)used, " %lld%c",
                 seconds % units[i].seconds / units[i + 1].seconds, units[i + 1].letter);
    return into;
}

/* "5m 12s" since then; "-": nobody knows since when. */
static const char *age_text(const struct view *view, const json_t *object, const char *key,
                            char into[DURATION_BYTES])
{
    time_t then_s = time_of(object, key);
    return then_s ? duration_text(view->now_s - then_s, into) : "-";
}

/* --- lb itself ------------------------------------------------------------------------------- */

static const char *plural(long long count)
{
    return count == 1 ? "" : "s";
}

static void write_lb(const struct view *view)
{
    const json_t *status = view->status;
    const json_t *config = json_object_get(status, "config");
    char age[DURATION_BYTES], clients[NUMBER_BYTES];
    long long workers = number_of(status, "workers"), client_count = number_of(status, "clients");
    fprintf(view->out, "lb %s, pid %lld, runs for %s, %lld worker%s, %s client%s\n",
            text_or_dash(status, "version"), number_of(status, "pid"),
            duration_text(number_of(status, "uptime_s"), age), workers, plural(workers),
            number_text(client_count, clients), plural(client_count));
    fprintf(view->out, "%s, in force for %s\n", text_or_dash(config, "file"),
            age_text(view, config, "loaded", age));
    if (!time_of(config, "reload_failed"))
        return;
    tint_begin(view->out, TINT_BAD, view->with_colour);
    fprintf(view->out, "The reload %s ago failed and changed nothing: %s",
            age_text(view, config, "reload_failed", age), text_or_dash(config, "reload_failure"));
    tint_end(view->out, TINT_BAD, view->with_colour);
    fputc('\n', view->out);
}

/* --- who is not well ------------------------------------------------------------------------- */

static enum tint state_tint(const char *state)
{
    if (strcmp(state, "down") == 0 || strcmp(state, "blocked") == 0)
        return TINT_BAD;
    return strcmp(state, "drained") == 0 || strcmp(state, "disabled") == 0 ? TINT_ODD : TINT_NONE;
}

static bool is_out(const json_t *backend)
{
    return state_tint(text_or_dash(backend, "state")) != TINT_NONE;
}

static long long count_out(const json_t *backends)
{
    size_t i;
    const json_t *backend;
    long long count = 0;
    for (i = 0; (backend = json_array_get(backends, i)); i++)
        count += is_out(backend);
    return count;
}

static void write_more(const struct view *view, long long more, const char *noun)
{
    char number[NUMBER_BYTES];
    if (more > 0)
        fprintf(view->out, "  … and %s more %s: lb status --all shows them\n",
                number_text(more, number), noun);
}

/* "5", "5/200" where there is a limit. */
static void add_active(struct table *table, const json_t *backend)
{
    char active[NUMBER_BYTES], most[NUMBER_BYTES], both[2 * NUMBER_BYTES];
    long long limit = number_of(backend, "max_connections");
    number_text(number_of(backend, "active"), active);
    snprintf(both, sizeof both, "%s/%s", active, number_text(limit, most));
    table_text(table, TINT_NONE, limit > 0 ? both : active);
}

/* "3 exchanges in a row failed, 7s to go" */
static const char *reason_text(const json_t *backend, char *into, size_t room)
{
    const char *reason = text_or_dash(backend, "reason");
    char left[DURATION_BYTES];
    long long blocked_ms = number_of(backend, "blocked_ms");
    if (blocked_ms <= 0)
        return reason;
    snprintf(into, room, "%s, %s to go", reason, duration_text((blocked_ms + 999) / 1000, left));
    return into;
}

static void add_out(const struct view *view, struct table *table, const json_t *pool,
                    const json_t *backend)
{
    const char *state = text_or_dash(backend, "state");
    char name[256], reason[128], age[DURATION_BYTES];
    snprintf(name, sizeof name, "%s/%s", text_or_dash(pool, "name"), text_or_dash(backend, "name"));
    table_text(table, TINT_NONE, name);
    table_text(table, state_tint(state), state);
    table_text(table, TINT_NONE, age_text(view, backend, "since", age));
    add_active(table, backend);
    table_text(table, TINT_NONE, reason_text(backend, reason, sizeof reason));
}

static void list_out(const struct view *view, long long count)
{
    static const struct table_column columns[] = {{"BACKEND", false}, {"STATE", false},
                                                  {"FOR", false},     {"ACTIVE", true},
                                                  {"REASON", false},  {NULL, false}};
    struct table table = table_of(columns);
    long long shown = 0;
    size_t i, k;
    const json_t *pool, *backend;
    for (i = 0; (pool = json_array_get(json_object_get(view->status, "pools"), i)); i++) {
        for (k = 0; (backend = json_array_get(json_object_get(pool, "backends"), k)); k++) {
            if (!is_out(backend) || (shown >= STATUS_VIEW_ROWS && !view->all))
                continue;
            add_out(view, &table, pool, backend);
            shown++;
        }
    }
    table_write(&table, view->out, view->with_colour);
    write_more(view, count - shown, "backends");
}

static void write_health(const struct view *view)
{
    long long out = 0, all = 0;
    size_t i;
    const json_t *pool;
    for (i = 0; (pool = json_array_get(json_object_get(view->status, "pools"), i)); i++) {
        out += count_out(json_object_get(pool, "backends"));
        all += (long long)json_array_size(json_object_get(pool, "backends"));
    }
    fputc('\n', view->out);
    if (out == 0) {
        fprintf(view->out, "No backend is out: %lld get%s requests\n", all, all == 1 ? "s" : "");
        return;
    }
    tint_begin(view->out, TINT_BAD, view->with_colour);
    fprintf(view->out, "%lld of %lld backend%s %s out", out, all, plural(all),
            out == 1 ? "is" : "are");
    tint_end(view->out, TINT_BAD, view->with_colour);
    fputc('\n', view->out);
    list_out(view, out);
}

/* --- listeners and rules --------------------------------------------------------------------- */

static void join(const json_t *list, char *into, size_t room)
{
    size_t i, used = 0;
    const json_t *item;
    into[0] = '\0';
    for (i = 0; (item = json_array_get(list, i)); i++) {
        const char *text = json_string_value(item), *comma = i ? ", " : "";
        if (used < room)
            used += (size_t)snprintf(into + used, room - used, "%s%s", comma, text ? text : "-");
    }
}

static void write_listeners(const struct view *view)
{
    static const struct table_column columns[] = {
        {"LISTENER", false}, {"ADDRESS", false},  {"PROTOCOL", false},
        {"CLIENTS", true},   {"OF HTTP/2", true}, {"REQUESTS", true},
        {"OF HTTP/2", true}, {"RULES", true},     {NULL, false}};
    struct table table = table_of(columns);
    char addresses[256];
    size_t i;
    const json_t *listener;
    for (i = 0; (listener = json_array_get(json_object_get(view->status, "listeners"), i)); i++) {
        join(json_object_get(listener, "addresses"), addresses, sizeof addresses);
        table_text(&table, TINT_NONE, text_of(listener, "name"));
        table_text(&table, TINT_NONE, addresses);
        table_text(&table, TINT_NONE, text_of(listener, "protocol"));
        const json_t *http2 = json_object_get(listener, "http2");
        table_number(&table, number_of(listener, "clients"));
        table_number(&table, number_of(http2, "connections"));
        table_number(&table, number_of(listener, "requests"));
        table_number(&table, number_of(http2, "requests"));
        table_number(&table, number_of(listener, "rules"));
    }
    fputc('\n', view->out);
    table_write(&table, view->out, view->with_colour);
}

/* What becomes of a request: a pool, a redirect or an answer of lb's own. */
static void destination(const json_t *rule, char *into, size_t room)
{
    const char *pool = text_of(rule, "pool"), *redirect = text_of(rule, "redirect");
    if (pool)
        snprintf(into, room, "pool %s", pool);
    else if (redirect)
        snprintf(into, room, "redirect %s", redirect);
    else
        snprintf(into, room, "respond %s", text_or_dash(rule, "respond"));
}

static void add_rule(struct table *table, const json_t *rule)
{
    char listeners[256], to[256];
    const char *domain = text_of(rule, "domain");
    join(json_object_get(rule, "listeners"), listeners, sizeof listeners);
    destination(rule, to, sizeof to);
    table_text(table, TINT_NONE, text_of(rule, "name"));
    table_text(table, TINT_NONE, listeners);
    table_text(table, TINT_NONE, domain ? domain : "(any)");
    table_text(table, TINT_NONE, text_of(rule, "url"));
    table_text(table, TINT_NONE, to);
    table_text(table, TINT_NONE, text_of(rule, "mutual_auth"));
}

static void write_rules(const struct view *view)
{
    static const struct table_column columns[] = {
        {"RULE", false}, {"LISTENER", false},           {"DOMAIN", false}, {"URL", false},
        {"TO", false},   {"CLIENT CERTIFICATE", false}, {NULL, false}};
    struct table table = table_of(columns);
    const json_t *rules = json_object_get(view->status, "rules"), *rule;
    size_t i, shown = 0;
    for (i = 0; (rule = json_array_get(rules, i)); i++) {
        if (shown == STATUS_VIEW_ROWS && !view->all)
            break;
        add_rule(&table, rule);
        shown++;
    }
    fputc('\n', view->out);
    table_write(&table, view->out, view->with_colour);
    write_more(view, number_of(view->status, "rule_count") - (long long)shown, "rules");
}

/* --- pools ----------------------------------------------------------------------------------- */

/* "10", "10 (40%)" where it starts slowly. */
static void add_weight(struct table *table, const json_t *backend)
{
    char weight[NUMBER_BYTES], both[2 * NUMBER_BYTES];
    long long share = number_of(backend, "share");
    number_text(number_of(backend, "weight"), weight);
    snprintf(both, sizeof both, "%s (%lld%%)", weight, share);
    table_text(table, TINT_NONE, share > 0 && share < 100 ? both : weight);
}

static void add_backend(const struct view *view, struct table *table, const json_t *backend)
{
    const char *state = text_or_dash(backend, "state");
    char age[DURATION_BYTES];
    table_text(table, TINT_NONE, text_of(backend, "name"));
    table_text(table, TINT_NONE, text_of(backend, "address"));
    table_text(table, state_tint(state), state);
    table_text(table, TINT_NONE, age_text(view, backend, "since", age));
    add_weight(table, backend);
    add_active(table, backend);
    table_number(table, number_of(backend, "served"));
    table_number(table, number_of(backend, "failed"));
}

/* First those that are out. */
static void list_backends(const struct view *view, const json_t *backends)
{
    static const struct table_column columns[] = {
        {"BACKEND", false}, {"ADDRESS", false}, {"STATE", false}, {"FOR", false}, {"WEIGHT", true},
        {"ACTIVE", true},   {"SERVED", true},   {"FAILED", true}, {NULL, false}};
    struct table table = table_of(columns);
    size_t i, shown = 0;
    const json_t *backend;
    for (int out = 1; out >= 0; out--) {
        for (i = 0; (backend = json_array_get(backends, i)); i++) {
            if (is_out(backend) != out || (shown >= STATUS_VIEW_ROWS && !view->all))
                continue;
            add_backend(view, &table, backend);
            shown++;
        }
    }
    table_write(&table, view->out, view->with_colour);
    write_more(view, (long long)(json_array_size(backends) - shown), "backends");
}

static void write_use(const struct view *view, const json_t *pool)
{
    const json_t *backends = json_object_get(pool, "backends");
    const char *state = text_or_dash(pool, "state");
    long long all = (long long)json_array_size(backends);
    if (strcmp(state, "all-down") == 0)
        fprintf(view->out, ", none of %lld backend%s is up: all that are not drained are tried",
                all, plural(all));
    else if (strcmp(state, "down") == 0)
        fprintf(view->out, ", none of %lld backend%s is in use: requests get 503", all,
                plural(all));
    else
        fprintf(view->out, ", %lld of %lld backend%s in use", all - count_out(backends), all,
                plural(all));
}

static void write_pool(const struct view *view, const json_t *pool)
{
    long long waiting = number_of(pool, "waiting");
    const char *persistence = text_or_dash(pool, "session_persistence");
    fprintf(view->out, "\nPool %s: %s, %s, health check %s", text_or_dash(pool, "name"),
            text_or_dash(pool, "protocol"), text_or_dash(pool, "balance"),
            text_or_dash(pool, "health_check"));
    if (strcmp(persistence, "off") != 0)
        fprintf(view->out, ", clients stick by %s", persistence);
    write_use(view, pool);
    if (waiting > 0 || json_is_true(json_object_get(pool, "has_queue")))
        fprintf(view->out, ", %lld request%s waiting", waiting, waiting == 1 ? " is" : "s are");
    fputc('\n', view->out);
    list_backends(view, json_object_get(pool, "backends"));
}

void status_view_write(const json_t *status, bool all, bool with_colour, FILE *out)
{
    const struct view view = {.status = status,
                              .all = all,
                              .with_colour = with_colour,
                              .out = out,
                              .now_s = time_of(status, "now")};
    const json_t *pools = json_object_get(status, "pools"), *pool;
    size_t i;
    write_lb(&view);
    write_health(&view);
    write_listeners(&view);
    write_rules(&view);
    status_clients_view_write(status, all, with_colour, out);
    for (i = 0; (pool = json_array_get(pools, i)); i++) {
        if (i == STATUS_VIEW_ROWS && !all)
            break;
        write_pool(&view, pool);
    }
    fputs(i < json_array_size(pools) ? "\n" : "", out);
    write_more(&view, (long long)(json_array_size(pools) - i), "pools");
}
