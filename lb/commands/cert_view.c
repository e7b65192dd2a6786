/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/commands/cert_view.h"

#include <string.h>

#include "lb/commands/field_view.h"
#include "lb/commands/members.h"
#include "lb/commands/table.h"

static enum tint status_tint(const char *status)
{
    if (strcmp(status, "ACTIVATED") == 0)
        return TINT_NONE;
    return strcmp(status, "REVOKED") == 0 ? TINT_BAD : TINT_ODD;
}

/* A CA's name, or its id where the name is gone. */
static const char *ca_of(const json_t *certificate)
{
    const char *name = member_text(certificate, "ca_name");
    return name && *name ? name : member_text_or_dash(certificate, "ca");
}

static void add_certificate(struct table *table, const json_t *certificate, int64_t now_s)
{
    const char *status = member_text_or_dash(certificate, "status");
    int64_t ends_s = member_time_s(certificate, "not_after");
    char day[TIME_TEXT_BYTES];
    table_text(table, TINT_NONE, member_text(certificate, "serial"));
    table_text(table, status_tint(status), status);
    table_text(table, TINT_NONE, member_text_or_dash(certificate, "common_name"));
    table_text(table, TINT_NONE, member_text_or_dash(certificate, "unit"));
    table_text(table, TINT_NONE, member_text_or_dash(certificate, "client_id"));
    table_text(table, TINT_NONE, ca_of(certificate));
    table_text(table, TINT_NONE, member_text(certificate, "source"));
    table_text(table, ends_s && ends_s <= now_s ? TINT_BAD : TINT_NONE,
               member_day_text(certificate, "not_after", now_s, day));
}

void cert_view_list(const json_t *answer, int64_t now_s, bool with_colour, FILE *out)
{
    static const struct table_column columns[] = {
        {"SERIAL", false}, {"STATUS", false},    {"COMMON NAME", false},
        {"UNIT", false},   {"CLIENT ID", false}, {"CA", false},
        {"SOURCE", false}, {"EXPIRES", false},   {NULL, false}};
    struct table table = table_of(columns);
    const json_t *certificates = json_object_get(answer, "certificates"), *certificate;
    for (size_t i = 0; (certificate = json_array_get(certificates, i)); i++)
        add_certificate(&table, certificate, now_s);
    table_write(&table, out, with_colour);
}

/* --- changes -------------------------------------------------------------------------------- */

enum {
    STATE_BYTES = 64,
    FINGERPRINT_DIGITS = 64,      /* SHA-256 */
    FINGERPRINT_SHOWN_DIGITS = 16 /* as many as an id of a CA has */
};

static bool is_fingerprint(const char *text)
{
    return strspn(text, "0123456789abcdefABCDEF") == FINGERPRINT_DIGITS &&
           text[FINGERPRINT_DIGITS] == '\0';
}

/* "…" in the place of what is there and behind it. */
static void cut_at(char text[STATE_BYTES + 1], size_t at)
{
    while (at > 0 && ((unsigned char)text[at] & 0xc0) == 0x80)
        at--;
    snprintf(text + at, STATE_BYTES + 1 - at, "…");
}

/* A word, or the values of a short JSON text: "ACTIVATED, manual, meter-7". Cut where it is long.
 */
static void state_text(const char *state, char into[STATE_BYTES + 1])
{
    json_t *json = state ? json_loads(state, 0, NULL) : NULL;
    const char *key;
    json_t *value;
    size_t used = 0;
    snprintf(into, STATE_BYTES + 1, "%s", state ? state : "");
    json_object_foreach(json, key, value)
    {
        const char *text = json_string_value(value);
        if (text && *text && used < STATE_BYTES)
            used += (size_t)snprintf(into + used, STATE_BYTES + 1 - used, "%s%s", used ? ", " : "",
                                     text);
    }
    json_decref(json);
    if (state && is_fingerprint(state))
        cut_at(into, FINGERPRINT_SHOWN_DIGITS);
    else if (strlen(into) == STATE_BYTES)
        cut_at(into, STATE_BYTES - sizeof "…");
}

/* "REGISTERED -> ACTIVATED": what was, what is. */
static void add_effect(struct table *table, const json_t *change)
{
    char both[2 * STATE_BYTES + 8], before[STATE_BYTES + 1], after[STATE_BYTES + 1];
    state_text(member_text(change, "before"), before);
    state_text(member_text(change, "after"), after);
    snprintf(both, sizeof both, "%s%s%s", before, *before && *after ? " -> " : "", after);
    table_text(table, TINT_NONE, *both ? both : "-");
}

void cert_view_changes(const json_t *changes, bool with_subject, bool with_colour, FILE *out)
{
    static const struct table_column columns[] = {
        {"WHEN", false},   {"WHAT", false},    {"EFFECT", false}, {"WHO", false},
        {"SERIAL", false}, {"SUBJECT", false}, {NULL, false}};
    static const struct table_column short_columns[] = {
        {"WHEN", false}, {"WHAT", false}, {"EFFECT", false}, {"WHO", false}, {NULL, false}};
    struct table table = table_of(with_subject ? columns : short_columns);
    const json_t *change;
    char time[TIME_TEXT_BYTES];
    for (size_t i = 0; (change = json_array_get(changes, i)); i++) {
        table_text(&table, TINT_NONE, member_time_text(change, "at", time));
        table_text(&table, TINT_NONE, member_text(change, "action"));
        add_effect(&table, change);
        table_text(&table, TINT_NONE, member_text_or_dash(change, "who"));
        if (!with_subject)
            continue;
        table_text(&table, TINT_NONE, member_text_or_dash(change, "serial"));
        table_text(&table, TINT_NONE, member_text_or_dash(change, "subject"));
    }
    table_write(&table, out, with_colour);
}

/* --- one ------------------------------------------------------------------------------------ */

static void write_clients(const json_t *answer, bool with_colour, FILE *out)
{
    static const struct table_column columns[] = {{"CLIENT", false}, {"LISTENER", false},
                                                  {"SINCE", false},  {"REQUESTS", true},
                                                  {"FOR", false},    {NULL, false}};
    const json_t *clients = json_object_get(answer, "clients"), *client;
    struct table table = table_of(columns);
    size_t shown = json_array_size(clients);
    long long all = member_number(answer, "client_count");
    char time[TIME_TEXT_BYTES], from[128];
    fprintf(out, "\n%s\n", shown ? "Connected:" : "Nobody is connected with it.");
    if (shown == 0)
        return;
    for (size_t i = 0; (client = json_array_get(clients, i)); i++) {
        snprintf(from, sizeof from, "%.100s port %lld", member_text_or_dash(client, "address"),
                 member_number(client, "port"));
        table_text(&table, TINT_NONE, from);
        table_text(&table, TINT_NONE, member_text(client, "listener"));
        table_text(&table, TINT_NONE, member_time_text(client, "since", time));
        table_number(&table, member_number(client, "requests"));
        table_text(&table, TINT_NONE, member_text_or_dash(client, "sni"));
    }
    table_write(&table, out, with_colour);
    if (all > (long long)shown)
        fprintf(out, "  … and %lld more\n", all - (long long)shown);
}

static void write_fields(const json_t *answer, int64_t now_s, FILE *out)
{
    const json_t *certificate = json_object_get(answer, "certificate");
    field_view_text(out, "serial number", certificate, "serial");
    field_view_text(out, "status", certificate, "status");
    field_view_text(out, "common name", certificate, "common_name");
    field_view_text(out, "unit", certificate, "unit");
    field_view_text(out, "client id", certificate, "client_id");
    field_view_label(out, "CA");
    fprintf(out, "%s (id %s)\n", ca_of(certificate), member_text_or_dash(certificate, "ca"));
    field_view_text(out, "source", certificate, "source");
    field_view_text(out, "subject", certificate, "subject");
    field_view_text(out, "issuer", certificate, "issuer");
    field_view_text(out, "signed with", answer, "signature_algorithm");
    field_view_text(out, "SHA-256", certificate, "sha256");
    field_view_time(out, "valid from", certificate, "not_before");
    field_view_day(out, "expires", certificate, "not_after", now_s);
    field_view_time(out, "registered", certificate, "created");
    field_view_time(out, "changed", certificate, "updated");
    field_view_time(out, "activated", certificate, "activated");
    field_view_time(out, "deactivated", certificate, "deactivated");
    field_view_time(out, "last seen", answer, "last_seen");
}

void cert_view_show(const json_t *answer, int64_t now_s, bool with_colour, FILE *out)
{
    const json_t *history = json_object_get(answer, "history");
    write_fields(answer, now_s, out);
    if (json_array_size(history) > 0) {
        fputs("\nHistory:\n", out);
        cert_view_changes(history, false, with_colour, out);
    }
    write_clients(answer, with_colour, out);
}
