/* SPDX-License-Identifier: Apache-2.0 */
/* allow_client of the rules that ask for certificates. */
#include "listeners/load/listener_build.h"

void listener_build_allow(struct listener_build *build, struct rule *rule)
{
    const struct rule_section *section = &build->sections[rule - build->listener->rules];
    rule->auth.allow = section->allow;
    if (rule->options->allow_client.count > 0 && rule->auth.mode == AUTH_REQUEST)
        LISTENER_WARN(build, rule->options->allow_client.lines[0],
                      "allow_client of rule %s keeps only those out who show a certificate: "
                      "mutual_auth = request lets pass who shows none; say mutual_auth = require "
                      "if only these may come in",
                      rule->name);
}
