/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/commands/reply.h"

#include <stdio.h>

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

int reply_tell_in_force(const char *verb, const json_t *answer)
{
    const json_t *in_force = json_object_get(answer, "in_force");
    if (!json_is_false(in_force))
        return COMMAND_DONE;
    const char *why = member_text(json_array_get(json_object_get(answer, "problems"), 0), "text");
    fprintf(stderr,
            "lb %s: it is in the registry, but the running lb could not load its config "
            "with it, and goes on as before: %s\n",
            verb, why ? why : "its log says why");
    return COMMAND_FAILED;
}
