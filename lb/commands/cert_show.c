/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lb/commands/arguments.h"
#include "lb/commands/call_path.h"
#include "lb/commands/cert_parts.h"
#include "lb/commands/cert_view.h"
#include "lb/commands/commands.h"
#include "lb/commands/members.h"
#include "lb/commands/out_file.h"
#include "lb/commands/registry_client.h"
#include "lb/commands/reply.h"
#include "lb/commands/table.h"
#include "lb/commands/word.h"

enum { CA, PEM };

// clang-format off
const struct argument_option cert_show_options[] = {
    [CA] = {"ca", "CA", "its CA, where several have this serial number", ARGUMENT_ONCE},
    [PEM] = {"pem", NULL, "the certificate, for openssl and the like, and nothing else", ARGUMENT_ONCE},
    {0},
};

enum { OUT = 1 };

const struct argument_option cert_export_options[] = {
    [CA] = {"ca", "CA", "its CA, where several have this serial number", ARGUMENT_ONCE},
    [OUT] = {"out", "FILE", "a new file (unset: stdout)", ARGUMENT_ONCE},
    {0},
};
// clang-format on

/* NULL with the exit status: it was told. */
static json_t *ask(const char *verb, const struct arguments *arguments, int *ret_status)
{
    struct registry_client client;
    struct call_path path = {0};
    json_t *answer = NULL;
    *ret_status = COMMAND_MISUSED;
    if (arguments->word_count < 1) {
        command_misused(verb, "say which certificate: its serial number");
        return NULL;
    }
    if (!word_is_serial(verb, arguments->words[0]))
        return NULL;
    *ret_status = registry_client_open(&client, verb, arguments);
    if (*ret_status == COMMAND_DONE) {
        call_path_add(&path, "/v1/certificates/");
        call_path_part(&path, arguments->words[0]);
        call_path_query(&path, "ca", arguments_value(arguments, CA));
        answer = registry_client_get(&client, "GET", path.text, NULL);
        *ret_status = answer ? COMMAND_DONE : COMMAND_FAILED;
    }
    call_path_done(&path);
    registry_client_done(&client);
    return answer;
}

int cert_show(int argc, char **argv)
{
    static const struct argument_form form = {"cert show", ARGUMENT_ONE_LB | ARGUMENT_JSON,
                                              cert_show_options, 1};
    struct arguments arguments;
    int status;
    if (!arguments_parse(&arguments, &form, argc, argv))
        return COMMAND_MISUSED;
    json_t *answer = ask(form.verb, &arguments, &status);
    if (!answer)
        return status;
    if (arguments_has(&arguments, PEM))
        fputs(member_text_or_dash(answer, "pem"), stdout);
    else if (!reply_write_json(arguments.on, answer))
        cert_view_show(answer, (int64_t)time(NULL), tint_is_wanted(), stdout);
    json_decref(answer);
    return status;
}

static int write_pem(const char *verb, const char *pem, const char *path)
{
    struct out_file file = {0};
    struct error err;
    if (!path) {
        fputs(pem, stdout);
        return COMMAND_DONE;
    }
    bool good =
        out_file_open(&file, path, 0644, &err) && out_file_write(&file, pem, strlen(pem), &err);
    out_file_done(&file);
    if (!good)
        fprintf(stderr, "lb %s: %s\n", verb, err.text);
    return good ? COMMAND_DONE : COMMAND_FAILED;
}

int cert_export(int argc, char **argv)
{
    static const struct argument_form form = {"cert export", ARGUMENT_ONE_LB, cert_export_options,
                                              1};
    struct arguments arguments;
    int status;
    if (!arguments_parse(&arguments, &form, argc, argv))
        return COMMAND_MISUSED;
    json_t *answer = ask(form.verb, &arguments, &status);
    if (answer)
        status = write_pem(form.verb, member_text_or_dash(answer, "pem"),
                           arguments_value(&arguments, OUT));
    json_decref(answer);
    return status;
}
