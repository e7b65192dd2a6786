/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/commands/registry_backup.h"

#include <stdio.h>
#include <stdlib.h>

#include "lb/base/option.h"
#include "lb/commands/arguments.h"
#include "lb/commands/commands.h"
#include "lb/commands/members.h"
#include "lb/commands/registry_client.h"
#include "lb/commands/reply.h"
#include "lb/commands/table.h"
#include "lb/commands/word.h"

const char registry_details[] =
    "A backup is one file, whole and consistent, made while lb goes on: all CAs, certificates and "
    "the\n"
    "audit log. It is for its owner alone (0600). lb writes it, so its user needs the right to, "
    "and "
    "no\n"
    "file is ever overwritten. The key of the built-in CA is not in it: keep a copy of ca.key and\n"
    "ca.crt of state_dir, and the passphrase, apart from it and safe.\n\n"
    "To restore one: stop lb; move the store away (var/registry.db, with registry.db-wal and\n"
    "registry.db-shm beside it); copy the backup to its place, as the user that lb runs as; start "
    "lb.\n"
    "What was changed after the backup is not in it: certificates that were revoked since are not\n"
    "revoked any more, so look into lb audit of the old store first.\n\n"
    "  lb registry backup /var/backups/lb-registry.db\n"
    "  cp --preserve=ownership /var/backups/lb-registry.db var/registry.db\n";

static int backup(int argc, char **argv)
{
    static const struct argument_form form = {"registry backup", ARGUMENT_ONE_LB | ARGUMENT_JSON,
                                              NULL, 1};
    struct arguments arguments;
    struct registry_client client;
    char number[NUMBER_BYTES];
    if (!arguments_parse(&arguments, &form, argc, argv))
        return COMMAND_MISUSED;
    if (arguments.word_count < 1)
        return command_misused(form.verb, "say where to: lb registry backup FILE");
    if (!word_is_text(form.verb, "FILE", arguments.words[0]))
        return COMMAND_MISUSED;
    int status = registry_client_open(&client, form.verb, &arguments);
    if (status == COMMAND_DONE) {
        /* lb has another working folder. */
        struct arena *arena = &client.admin.arena;
        const char *path = option_path(option_folder("x", arena), arguments.words[0], arena);
        json_t *body = json_pack("{s:s}", "path", path);
        json_t *answer = registry_client_get(&client, "POST", "/v1/registry/backup", body);
        if (answer && !reply_write_json(arguments.on, answer))
            printf("%s: %s bytes\n", member_text_or_dash(answer, "path"),
                   number_text(member_number(answer, "bytes"), number));
        status = answer ? COMMAND_DONE : COMMAND_FAILED;
        json_decref(answer);
        json_decref(body);
    }
    registry_client_done(&client);
    return status;
}

const struct command registry_parts[] = {
    {"backup", "FILE [--json]", "write a copy to FILE, while lb goes on", "", backup, NULL, NULL},
    {0},
};

int command_registry(int argc, char **argv)
{
    return command_run_part(argc, argv);
}
