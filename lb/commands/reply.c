/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/commands/reply.h"

#include <stdio.h>
#include <string.h>

#include "lb/commands/arguments.h"
#include "lb/commands/commands.h"
#include "lb/commands/members.h"

bool reply_write_json(unsigned on, const json_t *answer)
{
    if (!(on & ARGUMENT_JSON))
        return false;
    json_dumpf(answer, stdout, JSON_INDENT(2));
    putchar('\n');
    return true;
}

void reply_tell_warnings(const char *verb, const json_t *answer)
{
    const json_t *warnings = json_object_get(answer, "warnings"), *warning;
    for (size_t i = 0; (warning = json_array_get(warnings, i)); i++)
        if (json_is_string(warning))
            fprintf(stderr, "lb %s: warning: %s\n", verb, json_string_value(warning));
}

bool reply_is_not_in_force(const json_t *answer)
{
    return json_is_false(json_object_get(answer, "in_force"));
}

/* Warnings did not keep it from being loaded. */
static unsigned tell_errors(const json_t *problems)
{
    const json_t *problem;
    unsigned told = 0;
    for (size_t i = 0; (problem = json_array_get(problems, i)); i++) {
        long long line = json_integer_value(json_object_get(problem, "line"));
        if (strcmp(member_text_or_dash(problem, "severity"), "error") != 0)
            continue;
        fputs(member_text_or_dash(problem, "file"), stderr);
        if (line > 0)
            fprintf(stderr, ":%lld", line);
        fprintf(stderr, ": error: %s\n", member_text_or_dash(problem, "text"));
        told++;
    }
    return told;
}

int reply_tell_in_force(const char *verb, const json_t *answer)
{
    if (!reply_is_not_in_force(answer))
        return COMMAND_DONE;
    fprintf(stderr,
            "lb %s: NOT IN FORCE: it is kept in the registry, but the running lb could not load "
            "its config with it, and serves as before. Put this right, then lb reload:\n",
            verb);
    if (tell_errors(json_object_get(answer, "problems")) == 0)
        fputs("its log says why\n", stderr);
    return COMMAND_FAILED;
}
