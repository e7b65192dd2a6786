/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/commands/explain_view.h"

#include <string.h>

#include "lb/commands/field_view.h"
#include "lb/commands/members.h"
#include "lb/commands/table.h"

struct view {
    const json_t *answer;
    bool with_colour;
    FILE *out;
};

static const json_t *part(const struct view *view, const char *key)
{
    return json_object_get(view->answer, key);
}

static bool is(const json_t *object, const char *key, const char *value)
{
    return strcmp(member_text_or_dash(object, key), value) == 0;
}

/* `before`, a text of the answer, `after`. */
static void put(const struct view *view, const char *before, const json_t *object, const char *key,
                const char *after)
{
    fputs(before, view->out);
    field_view_plain(view->out, member_text_or_dash(object, key));
    fputs(after, view->out);
}

/* Of what is very long, as a certificate in a field, only the beginning is read. */
static void put_start(const struct view *view, const char *before, const json_t *object,
                      const char *key)
{
    enum { SHOWN_BYTES = 100 };
    char cut[SHOWN_BYTES + 1];
    const char *value = member_text_or_dash(object, key);
    size_t length = strlen(value);
    snprintf(cut, sizeof cut, "%s", value);
    for (size_t at = SHOWN_BYTES; length > SHOWN_BYTES && at > 0; at--) {
        bool is_inside = ((unsigned char)value[at] & 0xc0) == 0x80;
        cut[at] = '\0';
        if (!is_inside)
            break;
    }
    fputs(before, view->out);
    field_view_plain(view->out, cut);
    if (length > SHOWN_BYTES)
        fprintf(view->out, "… (%zu bytes)", length);
}

enum { LIST_SHOWN_MOST = 16 };

static void put_list(const struct view *view, const json_t *list, const char *between)
{
    const json_t *item;
    size_t count = json_array_size(list);
    for (size_t i = 0; i < LIST_SHOWN_MOST && (item = json_array_get(list, i)); i++) {
        const char *text = json_string_value(item);
        fputs(i ? between : "", view->out);
        field_view_plain(view->out, text ? text : "-");
    }
    if (count > LIST_SHOWN_MOST)
        fprintf(view->out, "%s… (%zu)", between, count);
}

/* --- the decision --------------------------------------------------------------------------- */

static void write_told(const struct view *view)
{
    const json_t *told = part(view, "told");
    if (is(told, "by", "alert"))
        put(view, " (alert ", told, "alert", ")");
    else if (is(told, "by", "redirect"))
        put(view, " (redirect to ", told, "location", ")");
    else
        fprintf(view->out, " (%lld%s)", member_number(told, "status"),
                is(told, "by", "page") ? ", with a page" : "");
}

static void write_end(const struct view *view)
{
    const json_t *redirect = part(view, "redirect"), *respond = part(view, "respond");
    if (part(view, "pool"))
        put(view, " -> pool ", part(view, "pool"), "name", "");
    if (redirect) {
        fprintf(view->out, " -> %lld", member_number(redirect, "status"));
        put(view, " ", redirect, "location", "");
    }
    if (respond)
        fprintf(view->out, " -> lb answers %lld", member_number(respond, "status"));
    if (member_is(view->answer, "signs_up"))
        fputs(", once its certificate has registered itself", view->out);
}

/* "refused: revoked (403)" */
static void write_decision(const struct view *view)
{
    bool passes = is(view->answer, "result", "passes");
    tint_begin(view->out, passes ? TINT_NONE : TINT_BAD, view->with_colour);
    put(view, "", view->answer, "result", ": ");
    if (passes)
        put(view, "rule ", part(view, "rule"), "name", "");
    else if (is(view->answer, "result", "refused"))
        put(view, "", view->answer, "reason", "");
    else
        put(view, "it depends on ", view->answer, "reason", "");
    if (part(view, "told"))
        write_told(view);
    write_end(view);
    tint_end(view->out, passes ? TINT_NONE : TINT_BAD, view->with_colour);
    fputc('\n', view->out);
}

static void write_words(const struct view *view)
{
    const char *advice = member_text(view->answer, "advice");
    if (member_text(view->answer, "sentence")) {
        field_view_label(view->out,
                         is(part(view, "told"), "by", "alert") ? "means" : "client reads");
        put(view, "", view->answer, "sentence", advice ? " " : "\n");
        if (advice)
            put(view, "", view->answer, "advice", "\n");
    }
    if (member_text(view->answer, "operator"))
        field_view_text(view->out, "to change it", view->answer, "operator");
}

/* --- the way there -------------------------------------------------------------------------- */

static void write_certificate(const struct view *view)
{
    const json_t *certificate = part(view, "certificate");
    char time[TIME_TEXT_BYTES];
    field_view_label(view->out, "certificate");
    if (!certificate) {
        fputs("none\n", view->out);
        return;
    }
    put_start(view, "", certificate, "subject");
    put_start(view, ", of ", certificate, "issuer");
    put(view, ", serial ", certificate, "serial", "");
    fprintf(view->out, ", until %s%s\n", member_time_text(certificate, "not_after", time),
            member_is(certificate, "is_shown") ? "" : "; the handshake does not ask for it");
}

static void write_listener(const struct view *view)
{
    const json_t *listener = part(view, "listener");
    const json_t *also = json_object_get(listener, "also");
    field_view_label(view->out, "listener");
    put(view, "", listener, "name", "");
    put(view, " (", listener, "protocol", " ");
    put_list(view, json_object_get(listener, "addresses"), " ");
    fputs(json_array_size(also) > 0 ? "); as well: " : ")", view->out);
    put_list(view, also, ", ");
    fputc('\n', view->out);
}

static const char *chosen_by(const json_t *handshake)
{
    static const struct {
        const char *word;
        const char *words;
    } ways[] = {{"sni", "by its SNI"},
                {"unknown-sni", "as no rule has its SNI"},
                {"no-sni", "as it asks for no name"},
                {"sni-off", "one for all, sni = off"}};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        if (is(handshake, "chosen_by", ways[i].word))
            return ways[i].words;
    return "";
}

static void write_asks(const struct view *view, const json_t *handshake)
{
    const json_t *names = json_object_get(handshake, "ca_names");
    if (!member_is(handshake, "asks")) {
        fputs("; asks for no certificate\n", view->out);
        return;
    }
    fprintf(view->out, "; asks for a certificate, %s\n",
            member_is(handshake, "alerts") ? "refuses by alert" : "its rules refuse");
    field_view_label(view->out, "  of the CAs");
    put_list(view, names, "; ");
    fputs(json_array_size(names) > 0 ? "\n" : "(none named)\n", view->out);
}

static void write_handshake(const struct view *view)
{
    const json_t *handshake = part(view, "handshake"), *host = part(view, "host");
    if (handshake) {
        field_view_label(view->out, "handshake");
        if (member_text(handshake, "domain")) {
            put(view, "domain ", handshake, "domain", "");
            fprintf(view->out, " (%s)", chosen_by(handshake));
            write_asks(view, handshake);
        } else {
            put(view, "no domain ", part(view, "request"), "sni", ": unknown_sni = reject\n");
        }
    }
    if (!host || (handshake && is(handshake, "domain", member_text_or_dash(host, "domain"))))
        return;
    field_view_label(view->out, "host");
    put(view, "domain ", host, "domain",
        member_is(host, "is_settled") ? "\n" : ": asks for something else (421)\n");
}

static void write_rule(const struct view *view)
{
    const json_t *rule = part(view, "rule");
    if (!rule)
        return;
    field_view_label(view->out, "rule");
    put(view, "", rule, "name", "");
    put(view, " (", rule, "file", "");
    fprintf(view->out, ":%lld)", member_number(rule, "line"));
    put(view, ": url ", rule, "url", "");
    put(view, ", by ", rule, "match", "");
    put(view, "; mutual_auth = ", rule, "mutual_auth",
        member_is(rule, "is_exempt") ? ", of which its address is exempt\n" : "\n");
}

/* --- the rule's questions -------------------------------------------------------------------- */

static enum tint tint_of(const json_t *check)
{
    if (is(check, "result", "good") || is(check, "result", "exempt"))
        return TINT_NONE;
    if (is(check, "result", "not-asked") || is(check, "result", "not-reached"))
        return TINT_FAINT;
    return TINT_BAD;
}

/* "clients.crl 12 of CN=CA, until 2026-12-01 10:00:00" */
static void write_lists(const struct view *view, const json_t *check)
{
    const json_t *lists = json_object_get(check, "lists"), *list;
    char time[TIME_TEXT_BYTES];
    for (size_t i = 0; (list = json_array_get(lists, i)); i++) {
        put(view, i ? "; " : ": ", list, "file", "");
        if (member_text(list, "number"))
            put(view, " number ", list, "number", "");
        if (member_text(list, "issuer"))
            put(view, " of ", list, "issuer", "");
        if (member_text(list, "next_update"))
            fprintf(view->out, ", until %s", member_time_text(list, "next_update", time));
        if (member_text(list, "failure"))
            put(view, ", but: ", list, "failure", "");
    }
}

static void write_check(const struct view *view, const json_t *check)
{
    char label[32], time[TIME_TEXT_BYTES];
    snprintf(label, sizeof label, "  %.20s", member_text_or_dash(check, "check"));
    field_view_label(view->out, label);
    tint_begin(view->out, tint_of(check), view->with_colour);
    put(view, "", check, "result", "");
    tint_end(view->out, tint_of(check), view->with_colour);
    if (json_object_get(check, "chain")) {
        fputs(": ", view->out);
        put_list(view, json_object_get(check, "chain"), " <- ");
        fprintf(view->out, ", until %s", member_time_text(check, "valid_until", time));
    }
    write_lists(view, check);
    if (member_text(check, "detail"))
        put(view, ": ", check, "detail", "");
    if (member_text(check, "pattern"))
        put(view, ": ", check, "pattern", "");
    if (member_text(check, "at"))
        put(view, " (", check, "at", ")");
    fputc('\n', view->out);
}

static void write_checks(const struct view *view)
{
    const json_t *checks = part(view, "checks"), *check;
    if (json_array_size(checks) == 0 || is(part(view, "rule"), "mutual_auth", "off"))
        return;
    fputs("  its questions\n", view->out);
    for (size_t i = 0; (check = json_array_get(checks, i)); i++)
        write_check(view, check);
}

/* --- where it ends -------------------------------------------------------------------------- */

static void write_access(const struct view *view)
{
    const json_t *access = part(view, "access");
    if (!access)
        return;
    field_view_label(view->out, "access");
    put(view, "[access ", access, "name", "]");
    fprintf(view->out, " (line %lld)", member_number(access, "line"));
    put(view, ": ", access, "action", "\n");
}

/* "rs-1 10.0.0.1:8081 up, …" */
static void write_pool(const struct view *view)
{
    const json_t *pool = part(view, "pool"), *backends = json_object_get(pool, "backends"),
                 *backend;
    if (!pool)
        return;
    field_view_label(view->out, "pool");
    put(view, "", pool, "name", "");
    for (size_t i = 0; (backend = json_array_get(backends, i)) && i < 8; i++) {
        put(view, i ? ", " : ": ", backend, "name", "");
        put(view, " ", backend, "address", "");
        if (member_text(backend, "state"))
            put(view, " ", backend, "state", "");
    }
    fputs(json_array_size(backends) > 8 ? ", …\n" : "\n", view->out);
}

static void write_fields(const struct view *view, const char *key, const char *label)
{
    const json_t *fields = part(view, key), *field;
    for (size_t i = 0; (field = json_array_get(fields, i)); i++) {
        field_view_label(view->out, i ? "" : label);
        put(view, "", field, "name", ": ");
        put_start(view, "", field, "value");
        fputc('\n', view->out);
    }
}

void explain_view_write(const json_t *answer, bool with_colour, FILE *out)
{
    const struct view view = {answer, with_colour, out};
    write_decision(&view);
    write_words(&view);
    write_certificate(&view);
    write_listener(&view);
    write_handshake(&view);
    write_rule(&view);
    write_checks(&view);
    write_access(&view);
    write_pool(&view);
    write_fields(&view, "backend_fields", "backend gets");
    write_fields(&view, "client_fields", "client gets");
    if (member_is(answer, "fields_first_only"))
        fputs("  (who the client is stands in the first request and answer of a connection "
              "alone)\n",
              out);
}
