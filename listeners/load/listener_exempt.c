/* SPDX-License-Identifier: Apache-2.0 */
/* exempt_from of the rules that require certificates. */
#include "listeners/load/listener_build.h"

void listener_build_exempt(struct listener_build *build, struct rule *rule)
{
    const struct rule_section *section = &build->sections[rule - build->listener->rules];
    if (rule->auth.mode == AUTH_REQUIRE)
        rule->auth.exempt = section->exempt;
    else if (section->exempt)
        LISTENER_WARN(build, rule->options->exempt_from.lines[0],
                      "exempt_from of rule %s has no effect: mutual_auth = request requires no "
                      "certificate of anybody",
                      rule->name);
}
