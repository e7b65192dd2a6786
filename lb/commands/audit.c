/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/commands/audit.h"

#include <stdio.h>

#include "lb/commands/arguments.h"
#include "lb/commands/call_path.h"
#include "lb/commands/cert_view.h"
#include "lb/commands/commands.h"
#include "lb/commands/members.h"
#include "lb/commands/registry_client.h"
#include "lb/commands/reply.h"
#include "lb/commands/table.h"
#include "lb/commands/word.h"

static const char verb[] = "audit";

enum { SERIAL, CA, LIMIT, BEFORE };

// clang-format off
const struct argument_option audit_options[] = {
    [SERIAL] = {"serial", "SERIAL", "of this serial number, deleted or not, of any CA", ARGUMENT_ONCE},
    [CA] = {"ca", "CA", "of this CA and its certificates", ARGUMENT_ONCE},
    [LIMIT] = {"limit", "N", "at most so many, 1 to 1000 (unset: 100)", ARGUMENT_ONCE},
    [BEFORE] = {"before", "ID", "those before a page that said so", ARGUMENT_ONCE},
    {0},
};
// clang-format on

const char audit_details[] =
    "Every change of CAs and certificates, the newest first: who made it (the user of the process "
    "that\n"
    "spoke to lb, or that wrote the store itself), what it was, and what was before.\n";

enum { CHANGES_MOST = 1000 };

static bool check(const struct arguments *arguments)
{
    const char *limit = arguments_value(arguments, LIMIT);
    const char *serial = arguments_value(arguments, SERIAL);
    unsigned number;
    return (!limit || word_is_number(verb, "--limit", limit, 1, CHANGES_MOST, &number)) &&
           (!serial || word_is_serial(verb, serial));
}

static json_t *ask(struct registry_client *client, const struct arguments *arguments)
{
    struct call_path path = {0};
    call_path_add(&path, "/v1/audit");
    for (unsigned i = 0; audit_options[i].name; i++)
        call_path_query(&path, audit_options[i].name, arguments_value(arguments, i));
    json_t *answer = registry_client_get(client, "GET", path.text, NULL);
    call_path_done(&path);
    return answer;
}

static void show(const json_t *answer, bool is_of_some)
{
    const json_t *changes = json_object_get(answer, "changes");
    if (json_array_size(changes) == 0)
        puts(is_of_some ? "The log has nothing of it." : "Nothing was changed yet.");
    else
        cert_view_changes(changes, true, tint_is_wanted(), stdout);
    if (member_number(answer, "next") > 0)
        printf("There are more: --before %lld\n", member_number(answer, "next"));
}

int command_audit(int argc, char **argv)
{
    static const struct argument_form form = {verb, ARGUMENT_ONE_LB | ARGUMENT_JSON, audit_options,
                                              0};
    struct arguments arguments;
    struct registry_client client;
    if (!arguments_parse(&arguments, &form, argc, argv) || !check(&arguments))
        return COMMAND_MISUSED;
    int status = registry_client_open(&client, verb, &arguments);
    json_t *answer = status == COMMAND_DONE ? ask(&client, &arguments) : NULL;
    if (status == COMMAND_DONE && !answer)
        status = COMMAND_FAILED;
    if (answer && !reply_write_json(arguments.on, answer))
        show(answer, arguments.said_count > 0);
    json_decref(answer);
    registry_client_done(&client);
    return status;
}
