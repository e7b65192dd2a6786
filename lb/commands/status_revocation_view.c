/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/commands/status_revocation_view.h"

#include <string.h>

#include "lb/commands/members.h"
#include "lb/commands/status_view.h"
#include "lb/commands/table.h"

enum { REMARK_BYTES = 640, SOON_S = 24 * 60 * 60 };

/* The worst first. */
enum rank { RANK_MISSING, RANK_BAD, RANK_ODD, RANK_GOOD };

static bool is(const char *text, const char *word)
{
    return text && strcmp(text, word) == 0;
}

/* A CA without a list has no file. */
static enum rank rank_of(const json_t *crl, int64_t now_s)
{
    const char *state = member_text(crl, "state");
    int64_t ends_s = member_time_s(crl, "next_update");
    if (!member_text(crl, "file"))
        return is(member_text(crl, "policy"), "soft") ? RANK_BAD : RANK_MISSING;
    if (member_text(crl, "failure") || is(state, "expired") || is(state, "none"))
        return RANK_BAD;
    return is(state, "not-yet-valid") || (ends_s != 0 && ends_s - now_s < SOON_S) ? RANK_ODD
                                                                                  : RANK_GOOD;
}

static enum tint tint_of(enum rank rank)
{
    switch (rank) {
    case RANK_MISSING:
    case RANK_BAD:
        return TINT_BAD;
    case RANK_ODD:
        return TINT_ODD;
    case RANK_GOOD:
        break;
    }
    return TINT_NONE;
}

/* What to make of it. */
static void remark(const json_t *crl, char into[REMARK_BYTES])
{
    const char *state = member_text(crl, "state"), *failure = member_text(crl, "failure");
    char failed[TIME_TEXT_BYTES];
    if (!member_text(crl, "file"))
        snprintf(into, REMARK_BYTES, "there is no list, listener %s: %s",
                 member_text_or_dash(crl, "listener"),
                 is(member_text(crl, "policy"), "soft") ? "nobody knows whom this CA has revoked"
                                                        : "its clients are refused (crl-missing)");
    else if (failure)
        snprintf(into, REMARK_BYTES, "%s since %s: %s",
                 is(state, "none") ? "not taken" : "the file was not taken",
                 member_time_text(crl, "failed", failed), failure);
    else if (is(state, "expired"))
        snprintf(into, REMARK_BYTES, "out of date");
    else if (is(state, "not-yet-valid"))
        snprintf(into, REMARK_BYTES, "not valid yet");
    else
        snprintf(into, REMARK_BYTES, "%s", is(state, "none") ? "none of its lists is used" : "");
}

static void add_crl(struct table *table, const json_t *crl, enum rank rank, int64_t now_s)
{
    char ends[TIME_TEXT_BYTES], loaded[TIME_TEXT_BYTES], text[REMARK_BYTES];
    const char *issuer = member_text(crl, "issuer");
    remark(crl, text);
    table_text(table, TINT_NONE, issuer);
    table_text(table, TINT_NONE, member_text(crl, "file"));
    table_text(table, TINT_NONE, member_text(crl, "number"));
    if (issuer && member_text(crl, "file"))
        table_number(table, member_number(crl, "entries"));
    else
        table_text(table, TINT_NONE, NULL);
    table_text(table, TINT_NONE, member_time_text(crl, "this_update", loaded));
    table_text(table, tint_of(rank), member_day_text(crl, "next_update", now_s, ends));
    table_text(table, TINT_NONE, member_time_text(crl, "loaded", loaded));
    table_text(table, tint_of(rank), text);
}

static size_t add_ranked(struct table *table, const json_t *list, enum rank rank, int64_t now_s,
                         size_t most)
{
    size_t added = 0;
    for (size_t i = 0; i < json_array_size(list) && added < most; i++) {
        const json_t *crl = json_array_get(list, i);
        if (rank_of(crl, now_s) != rank)
            continue;
        add_crl(table, crl, rank, now_s);
        added++;
    }
    return added;
}

static void write_crls(const json_t *status, bool all, bool with_colour, FILE *out)
{
    static const struct table_column columns[] = {{"REVOCATION LIST OF", false},
                                                  {"FILE", false},
                                                  {"NUMBER", false},
                                                  {"ENTRIES", true},
                                                  {"MADE", false},
                                                  {"NEXT UPDATE", false},
                                                  {"IN FORCE SINCE", false},
                                                  {"REMARK", false},
                                                  {NULL, false}};
    const json_t *crls = json_object_get(status, "crls");
    const json_t *lists = json_object_get(crls, "lists"),
                 *missing = json_object_get(crls, "missing");
    size_t count = json_array_size(lists) + json_array_size(missing), shown = 0;
    size_t most = all ? count : STATUS_VIEW_ROWS;
    int64_t now_s = member_time_s(status, "now");
    struct table table = table_of(columns);
    if (count == 0)
        return;
    for (enum rank rank = RANK_MISSING; rank <= RANK_GOOD; rank++) {
        shown += add_ranked(&table, missing, rank, now_s, most - shown);
        shown += add_ranked(&table, lists, rank, now_s, most - shown);
    }
    fputc('\n', out);
    table_write(&table, out, with_colour);
    if (shown < count)
        fprintf(out, "  … and %zu more revocation lists: lb status --all shows them\n",
                count - shown);
}

static void write_ocsp(const json_t *status, FILE *out)
{
    const json_t *ocsp = json_object_get(status, "ocsp");
    static const char *const results[] = {"good", "revoked", "unknown", "failed"};
    long long counts[4], all = 0, remembered = member_number(ocsp, "remembered");
    for (int i = 0; i < 4; i++)
        all += counts[i] = member_number(ocsp, results[i]);
    if (all + remembered == 0)
        return;
    fprintf(out,
            "\nOCSP: asked %lld time%s: %lld good, %lld revoked, %lld unknown, %lld without an "
            "answer; %lld answer%s remembered\n",
            all, all == 1 ? "" : "s", counts[0], counts[1], counts[2], counts[3], remembered,
            remembered == 1 ? "" : "s");
}

void status_revocation_view_write(const json_t *status, bool all, bool with_colour, FILE *out)
{
    write_crls(status, all, with_colour, out);
    write_ocsp(status, out);
}
