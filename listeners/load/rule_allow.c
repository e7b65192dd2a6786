/* SPDX-License-Identifier: Apache-2.0 */
#include "listeners/load/rule_allow.h"

#include "lb/base/arena.h"
#include "lb/base/network.h"
#include "listeners/allow/allow_list.h"
#include "listeners/allow/name_pattern.h"
#include "listeners/load/network_list.h"
#include "listeners/rules/rule.h"

const struct allow_list *rule_allow_read(const struct rule_options *options, struct arena *arena,
                                         const char *file, struct problems *problems,
                                         bool *ret_is_wrong)
{
    const struct option_list *lines = &options->allow_client;
    struct name_pattern *patterns = arena_alloc(arena, (lines->count + 1) * sizeof *patterns);
    unsigned count = 0;
    for (unsigned i = 0; i < lines->count; i++) {
        struct error err = {0};
        if (name_pattern_parse(&patterns[count], lines->items[i], arena, &err)) {
            if (name_pattern_is_lone_star(&patterns[count]))
                problems_warn(
                    problems, file, lines->lines[i],
                    "allow_client = issuer:* fits only CAs whose name has one part, such "
                    "as CN=Example CA: \"*\" stands for one; write issuer:*,* for names of "
                    "two, and so on, or the names themselves");
            count++;
            continue;
        }
        problems_add(problems, file, lines->lines[i], "%s", err.text);
        *ret_is_wrong = true;
    }
    return count > 0 ? allow_list_make(patterns, count, arena) : NULL;
}

const struct network_set *rule_exempt_read(const struct rule_options *options, struct arena *arena,
                                           const char *file, struct problems *problems,
                                           bool *ret_is_wrong)
{
    if (options->exempt_from.count == 0)
        return NULL;
    struct network_list networks =
        network_list_read(&options->exempt_from, "exempt_from", arena, file, problems);
    *ret_is_wrong |= networks.wrong_count > 0;
    for (size_t i = 0; i < networks.count; i++) {
        char written[NETWORK_TEXT_BYTES];
        if (networks.items[i].prefix_bits == 0)
            problems_warn(problems, file, networks.lines[i],
                          "exempt_from = %s exempts everyone: nobody needs a certificate; name the "
                          "networks, or say mutual_auth = request",
                          network_write(&networks.items[i], written));
    }
    struct network_set *set = arena_alloc(arena, sizeof *set);
    network_set_make(set, networks.items, networks.count, arena);
    return set;
}
