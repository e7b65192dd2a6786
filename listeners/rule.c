/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of [rule NAME] as a table, and those whose words have a meaning of their own. */
#include "listeners/rule.h"

#include <string.h>

static const struct option rows[] = {
#define OPTION(...) OPTION_ROW(struct rule_options, __VA_ARGS__)
#include "listeners/rule_options.def"
#undef OPTION
    {0},
};

const struct option_table rule_option_table = {
    .section = "rule",
    .named = true,
    .summary = "domain and URL that a pool serves, and how clients prove who they are there",
    .bytes = sizeof(struct rule_options),
    .options = rows,
};

bool rule_client_headers(const struct rule_options *options, unsigned *ret_presets,
                         struct error *err)
{
    unsigned presets = 0;
    bool is_off = false;
    for (unsigned i = 0; i < options->client_headers.count; i++) {
        const char *word = options->client_headers.items[i];
        if (strcmp(word, "off") == 0)
            is_off = true;
        else if (strcmp(word, "nginx") == 0)
            presets |= CLIENT_HEADERS_NGINX;
        else
            return error_set(err, "\"%s\" is no value for client_headers: write off or nginx",
                             word);
    }
    if (is_off && presets != 0)
        return error_set(err, "client_headers has \"off\" beside another word: write one of them");
    *ret_presets = presets;
    return true;
}
