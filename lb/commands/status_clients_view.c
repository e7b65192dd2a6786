/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/commands/status_clients_view.h"

#include <string.h>

#include "lb/commands/members.h"
#include "lb/commands/status_revocation_view.h"
#include "lb/commands/status_view.h"
#include "lb/commands/table.h"

enum { DAY_S = 24 * 60 * 60, REMARK_BYTES = 192 };

static size_t shown_of(const json_t *list, bool all)
{
    size_t count = json_array_size(list);
    return all || count < STATUS_VIEW_ROWS ? count : STATUS_VIEW_ROWS;
}

static void write_more(const json_t *list, size_t shown, const char *noun, FILE *out)
{
    size_t count = json_array_size(list);
    if (shown < count)
        fprintf(out, "  … and %zu more %s: lb status --all shows them\n", count - shown, noun);
}

/* --- client CAs ------------------------------------------------------------------------------ */

static bool is(const char *text, const char *word)
{
    return text && strcmp(text, word) == 0;
}

/* "2026-11-12" of the later of both; "-". */
static void unused_since(const json_t *ca, char into[TIME_TEXT_BYTES])
{
    enum { DAY_END = 10 };
    const char *key = member_time_s(ca, "last_seen") ? "last_seen" : "counted_since";
    const char *text = member_time_text(ca, key, into);
    if (text == into)
        into[DAY_END] = '\0';
    else
        snprintf(into, TIME_TEXT_BYTES, "%s", text);
}

/* What to make of it. */
static enum tint remark(const json_t *ca, char into[REMARK_BYTES])
{
    const char *removal = member_text(ca, "removal");
    long long idle_days = member_number(ca, "idle_s") / DAY_S;
    char since[TIME_TEXT_BYTES];
    snprintf(into, REMARK_BYTES, "%s", is(removal, "only") ? "the only one" : "in use");
    if (!member_is(ca, "in_client_ca")) {
        snprintf(into, REMARK_BYTES, "not in client_ca: below one that is, or was there");
    } else if (is(removal, "safe")) {
        unused_since(ca, since);
        snprintf(into, REMARK_BYTES, "unused since %s (%lld days of counting): safe to remove",
                 since, idle_days);
        return TINT_ODD;
    } else if (is(removal, "silent")) {
        snprintf(into, REMARK_BYTES, "no client of any CA for %lld days", idle_days);
    } else if (is(removal, "early")) {
        snprintf(into, REMARK_BYTES, "no client in %lld day%s of counting", idle_days,
                 idle_days == 1 ? "" : "s");
    } else if (is(removal, "unknown")) {
        snprintf(into, REMARK_BYTES, "not counted: there are too many CAs");
    }
    return TINT_NONE;
}

static enum tint end_tint(const json_t *ca, int64_t now_s)
{
    int64_t ends_s = member_time_s(ca, "expires");
    if (!ends_s || ends_s - now_s > 30 * (int64_t)DAY_S)
        return TINT_NONE;
    return ends_s - now_s > 7 * (int64_t)DAY_S ? TINT_ODD : TINT_BAD;
}

static void add_ca(struct table *table, const json_t *ca, int64_t now_s)
{
    char seen[TIME_TEXT_BYTES], ends[TIME_TEXT_BYTES], text[REMARK_BYTES];
    const char *domain = member_text(ca, "domain");
    enum tint tint = remark(ca, text);
    table_text(table, TINT_NONE, member_text_or_dash(ca, "subject"));
    table_text(table, TINT_NONE, member_text_or_dash(ca, "listener"));
    table_text(table, TINT_NONE, domain ? domain : "(any)");
    table_number(table, member_number(ca, "handshakes"));
    table_text(table, TINT_NONE,
               member_time_s(ca, "last_seen") ? member_time_text(ca, "last_seen", seen) : "never");
    table_text(table, end_tint(ca, now_s), member_day_text(ca, "expires", now_s, ends));
    table_text(table, tint, text);
}

static void write_cas(const json_t *status, bool all, bool with_colour, FILE *out)
{
    static const struct table_column columns[] = {
        {"CLIENT CA", false}, {"LISTENER", false}, {"DOMAIN", false}, {"HANDSHAKES", true},
        {"LAST SEEN", false}, {"EXPIRES", false},  {"REMARK", false}, {NULL, false}};
    const json_t *cas = json_object_get(status, "client_cas");
    size_t shown = shown_of(cas, all);
    struct table table = table_of(columns);
    if (shown == 0)
        return;
    for (size_t i = 0; i < shown; i++)
        add_ca(&table, json_array_get(cas, i), member_time_s(status, "now"));
    fputc('\n', out);
    table_write(&table, out, with_colour);
    write_more(cas, shown, "client CAs", out);
}

/* --- refusals -------------------------------------------------------------------------------- */

static void write_refusals(const json_t *status, bool all, bool with_colour, FILE *out)
{
    static const struct table_column columns[] = {{"REFUSED FOR", false},
                                                  {"LISTENER", false},
                                                  {"WHERE", false},
                                                  {"TIMES", true},
                                                  {NULL, false}};
    const json_t *refusals = json_object_get(status, "refusals");
    size_t shown = shown_of(refusals, all);
    struct table table = table_of(columns);
    if (shown == 0)
        return;
    for (size_t i = 0; i < shown; i++) {
        const json_t *refusal = json_array_get(refusals, i);
        table_text(&table, TINT_NONE, member_text_or_dash(refusal, "reason"));
        table_text(&table, TINT_NONE, member_text_or_dash(refusal, "listener"));
        table_text(&table, TINT_NONE, member_text_or_dash(refusal, "where"));
        table_number(&table, member_number(refusal, "count"));
    }
    fputc('\n', out);
    table_write(&table, out, with_colour);
    write_more(refusals, shown, "reasons", out);
}

void status_clients_view_write(const json_t *status, bool all, bool with_colour, FILE *out)
{
    write_cas(status, all, with_colour, out);
    write_refusals(status, all, with_colour, out);
    status_revocation_view_write(status, all, with_colour, out);
}
