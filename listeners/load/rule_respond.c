/* SPDX-License-Identifier: Apache-2.0 */
/* Which statuses an operator may choose: those that mean something without a field that only a
 * backend could know. */
#include "listeners/load/rule_respond.h"

#include <string.h>

static bool status_check(const char *text, unsigned status, struct error *err)
{
    if (status / 100 == 3)
        return error_set(err,
                         "respond \"%s\": %u sends clients elsewhere; write \"redirect = URL\" and "
                         "redirect_status",
                         text, status);
    if (status < 200 || status > 599 || status == 205 || status == 206)
        return error_set(err,
                         "respond \"%s\": %u is no status that lb can answer with; write 200, 204, "
                         "403, 404, 410, 503 or another one from 200 to 599",
                         text, status);
    return true;
}

const struct respond *rule_respond_parse(const char *text, struct arena *arena, struct error *err)
{
    static const char blanks[] = " \t";
    size_t digits = strspn(text, "0123456789");
    const char *sentence = text + digits + strspn(text + digits, blanks);
    if (digits != 3 || (text[digits] && !strchr(blanks, text[digits]))) {
        error_set(
            err,
            "respond \"%s\" does not begin with a status of three digits: write it like \"404\" "
            "or \"503 Back at noon\"",
            text);
        return NULL;
    }
    unsigned status = (unsigned)((text[0] - '0') * 100 + (text[1] - '0') * 10 + (text[2] - '0'));
    if (!status_check(text, status, err))
        return NULL;
    if (status == 204 && *sentence) {
        error_set(err, "respond \"%s\": 204 has no body; leave the sentence out, or write 200",
                  text);
        return NULL;
    }
    struct respond *respond = arena_alloc(arena, sizeof *respond);
    *respond = (struct respond){status, *sentence ? arena_copy(arena, sentence) : NULL};
    return respond;
}
