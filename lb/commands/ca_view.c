/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/commands/ca_view.h"

#include <string.h>

#include "lb/commands/field_view.h"
#include "lb/commands/members.h"
#include "lb/commands/table.h"

static bool is_active(const json_t *ca)
{
    return strcmp(member_text_or_dash(ca, "status"), "active") == 0;
}

void ca_view_list(const json_t *answer, int64_t now_s, bool with_colour, FILE *out)
{
    static const struct table_column columns[] = {
        {"NAME", false},    {"ID", false},      {"STATUS", false}, {"HOSTS", true},
        {"EXPIRES", false}, {"SUBJECT", false}, {NULL, false}};
    struct table table = table_of(columns);
    const json_t *cas = json_object_get(answer, "cas"), *ca;
    char day[TIME_TEXT_BYTES];
    for (size_t i = 0; (ca = json_array_get(cas, i)); i++) {
        int64_t ends_s = member_time_s(ca, "not_after");
        table_text(&table, TINT_NONE, member_text(ca, "name"));
        table_text(&table, TINT_NONE, member_text(ca, "id"));
        table_text(&table, is_active(ca) ? TINT_NONE : TINT_ODD, member_text(ca, "status"));
        table_number(&table, (long long)json_array_size(json_object_get(ca, "hosts")));
        table_text(&table, ends_s && ends_s <= now_s ? TINT_BAD : TINT_NONE,
                   member_day_text(ca, "not_after", now_s, day));
        table_text(&table, TINT_NONE, member_text(ca, "subject"));
    }
    table_write(&table, out, with_colour);
}

void ca_view_hosts(const json_t *ca, FILE *out)
{
    const json_t *hosts = json_object_get(ca, "hosts"), *host;
    size_t i;
    for (i = 0; (host = json_array_get(hosts, i)); i++)
        fprintf(out, "%s%s", i ? ", " : "", json_string_value(host));
    if (i == 0)
        fputs("no host", out);
}

void ca_view_show(const json_t *ca, int64_t now_s, FILE *out)
{
    field_view_text(out, "name", ca, "name");
    field_view_text(out, "id", ca, "id");
    field_view_text(out, "status", ca, "status");
    field_view_text(out, "subject", ca, "subject");
    field_view_text(out, "serial number", ca, "serial");
    field_view_text(out, "SHA-256", ca, "sha256");
    field_view_time(out, "valid from", ca, "not_before");
    field_view_day(out, "expires", ca, "not_after", now_s);
    field_view_time(out, "created", ca, "created");
    field_view_time(out, "changed", ca, "updated");
    field_view_label(out, "bound to");
    ca_view_hosts(ca, out);
    fputc('\n', out);
}
