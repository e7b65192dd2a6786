/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of [rule NAME] as a table, and those whose words have a meaning of their own. */
#include "listeners/rules/rule.h"

#include <stdio.h>
#include <string.h>

#include "lb/base/nearest.h"
#include "listeners/identity_headers/identity_preset.h"

static const struct option rows[] = {
#define OPTION(...) OPTION_ROW(struct rule_options, __VA_ARGS__)
#include "listeners/rules/rule_options.def"
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

/* "aws, cloudflare, nginx, …": every word but off. */
static void list_presets(char *into, size_t room)
{
    size_t used = 0;
    for (unsigned i = 0; identity_presets[i] && used < room; i++)
        used += (size_t)snprintf(into + used, room - used, "%s%s", i ? ", " : "",
                                 identity_presets[i]->name);
}

static bool unknown_preset(const char *word, struct error *err)
{
    char names[128] = "";
    struct nearest nearest = nearest_to(word);
    nearest_offer(&nearest, "off");
    for (unsigned i = 0; identity_presets[i]; i++)
        nearest_offer(&nearest, identity_presets[i]->name);
    list_presets(names, sizeof names);
    return error_set(err,
                     "\"%s\" is no value for client_headers%s%s%s: write off, or one or more of "
                     "%s, with blanks between",
                     word, nearest.best ? " (did you mean " : "", nearest.best ? nearest.best : "",
                     nearest.best ? "?)" : "", names);
}

bool rule_client_headers(const struct rule_options *options, unsigned *ret_presets,
                         struct error *err)
{
    unsigned presets = 0;
    bool is_off = false;
    for (unsigned i = 0; i < options->client_headers.count; i++) {
        const char *word = options->client_headers.items[i];
        int index = identity_preset_index(word);
        if (index >= 0)
            presets |= 1U << index;
        else if (strcmp(word, "off") == 0)
            is_off = true;
        else
            return unknown_preset(word, err);
    }
    if (is_off && presets != 0)
        return error_set(err, "client_headers has \"off\" beside another word: write off alone, or "
                              "the presets without it");
    *ret_presets = presets;
    return true;
}

/* The presets whose fields must not stand in answers. */
static unsigned for_requests_only(unsigned presets)
{
    unsigned only = 0;
    for (unsigned i = 0; identity_presets[i]; i++)
        if (identity_presets[i]->is_requests_only)
            only |= presets & 1U << i;
    return only;
}

static const char *name_of_first(unsigned presets)
{
    unsigned i = 0;
    while (!(presets & 1U << i))
        i++;
    return identity_presets[i]->name;
}

bool rule_client_headers_to(const struct rule_options *options, unsigned presets,
                            struct client_headers *ret_headers, struct error *err)
{
    bool to_backend = options->client_headers_to != CLIENT_HEADERS_TO_CLIENT;
    bool to_client = options->client_headers_to != CLIENT_HEADERS_TO_BACKEND;
    unsigned requests_only = for_requests_only(presets);
    if (requests_only && to_client && (!to_backend || presets == requests_only))
        return error_set(err,
                         "client_headers_to = %s: the fields of preset %s may stand in requests "
                         "only; write client_headers_to = backend, or both with another preset "
                         "beside it",
                         to_backend ? "both" : "client", name_of_first(requests_only));
    *ret_headers = (struct client_headers){
        .to_backend = to_backend ? presets : 0,
        .to_client = to_client ? presets & ~requests_only : 0,
        .first_only = options->client_headers_when == CLIENT_HEADERS_FIRST,
        .guards_answers = to_client && presets != 0,
    };
    return true;
}
