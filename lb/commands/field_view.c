/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/commands/field_view.h"

#include <stdlib.h>
#include <string.h>

#include "lb/base/error.h"
#include "lb/base/utf8.h"
#include "lb/commands/members.h"

enum { LABEL_COLUMNS = 16 };

void field_view_label(FILE *out, const char *label)
{
    fprintf(out, "  %-*s ", LABEL_COLUMNS, label);
}

void field_view_plain(FILE *out, const char *text)
{
    char *copy = strdup(text);
    if (!copy)
        error_out_of_memory();
    utf8_cover_hidden(copy);
    fputs(copy, out);
    free(copy);
}

void field_view_text(FILE *out, const char *label, const json_t *object, const char *key)
{
    field_view_label(out, label);
    field_view_plain(out, member_text_or_dash(object, key));
    fputc('\n', out);
}

void field_view_time(FILE *out, const char *label, const json_t *object, const char *key)
{
    char time[TIME_TEXT_BYTES];
    field_view_label(out, label);
    fprintf(out, "%s\n", member_time_text(object, key, time));
}

void field_view_day(FILE *out, const char *label, const json_t *object, const char *key,
                    int64_t now_s)
{
    char time[TIME_TEXT_BYTES], day[TIME_TEXT_BYTES];
    const char *whole = member_time_text(object, key, time);
    const char *comma = member_day_text(object, key, now_s, day);
    field_view_label(out, label);
    while (*comma && *comma != ',')
        comma++;
    fprintf(out, "%s%s\n", whole, comma);
}
