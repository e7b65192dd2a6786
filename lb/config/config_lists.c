/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/config/config_lists.h"

#include <string.h>

#include "lb/config/config_sections.h"
#include "listeners/listener.h"
#include "listeners/rules/rule.h"

/* Other lines of the key have values. */
static const char more_lines[] = "the lines beside it stand; leave this one out";

static void warn_of_repeats(const struct option_list *crls, const char *file,
                            struct problems *problems)
{
    for (unsigned i = 0; i < crls->count; i++) {
        unsigned first = 0;
        while (strcmp(crls->items[first], crls->items[i]) != 0)
            first++;
        if (first < i)
            problems_warn(problems, file, crls->lines[i],
                          "client_crl %s is named in line %u already: once is enough",
                          crls->items[i], crls->lines[first]);
    }
}

/* An empty allow_client must not look as if it kept anybody out. */
static void check_allow_client(const struct option_list *list, const char *file,
                               struct problems *problems)
{
    if (list->empty_line)
        problems_add(problems, file, list->empty_line,
                     "allow_client has no value: %s, or name whom it lets in, as in allow_client "
                     "= cn:alice",
                     list->count > 0 ? more_lines
                                     : "it would let everybody pass; leave the line out");
}

void config_lists_check_rule(const struct config_section *rule, const char *file,
                             struct problems *problems)
{
    const struct rule_options *options = rule->options;
    const struct option_list *exempt = &options->exempt_from;
    const struct option_list *crls = &options->client_crl;
    check_allow_client(&options->allow_client, file, problems);
    if (exempt->empty_line)
        problems_warn(problems, file, exempt->empty_line, "exempt_from of rule %s has no value: %s",
                      rule->name,
                      exempt->count > 0 ? more_lines
                                        : "nobody is exempt, as without it; leave the line out");
    if (crls->empty_line)
        problems_warn(problems, file, crls->empty_line, "client_crl of rule %s has no value: %s",
                      rule->name,
                      crls->count > 0 ? more_lines
                                      : "the rule goes by those of its listener, if it names any; "
                                        "name a file, or leave the line out");
    warn_of_repeats(crls, file, problems);
}

void config_lists_check_listener(const struct config_section *listener, const char *file,
                                 struct problems *problems)
{
    const struct listener_options *options = listener->options;
    const struct option_list *crls = &options->client_crl;
    if (crls->empty_line)
        problems_warn(problems, file, crls->empty_line,
                      "client_crl of listener %s has no value: %s", listener->name,
                      crls->count > 0
                          ? more_lines
                          : "no revocation list is asked, but where a rule names its own; name a "
                            "file, or leave the line out");
    warn_of_repeats(crls, file, problems);
}
