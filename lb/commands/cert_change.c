/* SPDX-License-Identifier: Apache-2.0 */
/* What a certificate may become: one call for each serial number, each told by itself. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lb/commands/arguments.h"
#include "lb/commands/call_path.h"
#include "lb/commands/cert_parts.h"
#include "lb/commands/commands.h"
#include "lb/commands/members.h"
#include "lb/commands/registry_client.h"
#include "lb/commands/word.h"

enum { CA, YES };

// clang-format off
const struct argument_option cert_change_options[] = {
    [CA] = {"ca", "CA", "its CA, where several have this serial number", ARGUMENT_ONCE},
    {0},
};

const struct argument_option cert_revoke_options[] = {
    [CA] = {"ca", "CA", "its CA, where several have this serial number", ARGUMENT_ONCE},
    [YES] = {"yes", NULL, "do not ask: it is meant", ARGUMENT_ONCE},
    {0},
};
// clang-format on

const char cert_revoke_details[] =
    "It cannot be undone: lb cert deactivate can. Each is asked for on the terminal; without one,\n"
    "--yes is needed. Open connections of its client are closed within a second.\n";

/* What is to be done. */
struct wish {
    const char *verb;
    const char *method;
    const char *rest; /* of the path */
    const char *did;  /* "is revoked" */
    json_t *body;     /* borrowed; NULL: none */
    bool confirm;     /* ask before */
};

struct changing {
    struct registry_client client;
    struct arguments arguments;
    const struct wish *wish;
    json_t *answers; /* with --json */
    bool has_failed;
};

static void serial_path(const struct changing *changing, const char *serial, const char *rest,
                        struct call_path *path)
{
    call_path_add(path, "/v1/certificates/");
    call_path_part(path, serial);
    call_path_add(path, rest);
    call_path_query(path, "ca", arguments_value(&changing->arguments, CA));
}

static void tell(struct changing *changing, json_t *answer)
{
    const json_t *certificate = json_object_get(answer, "certificate");
    bool was_so = json_is_false(json_object_get(answer, "changed"));
    const char *warning = member_text(answer, "warning");
    if (warning)
        fprintf(stderr, "lb %s: %s\n", changing->wish->verb, warning);
    if (changing->answers)
        json_array_append(changing->answers, answer);
    else
        printf("%s (%s) %s%s\n", member_text_or_dash(certificate, "serial"),
               member_text_or_dash(certificate, "subject"), changing->wish->did,
               was_so ? " already" : "");
}

/* --- are you sure? -------------------------------------------------------------------------- */

/* Does the line say yes, or the serial number? */
static bool reads_yes(const char *serial)
{
    char line[256];
    if (!fgets(line, sizeof line, stdin))
        return false;
    line[strcspn(line, "\r\n")] = '\0';
    return strcmp(line, "yes") == 0 || strcmp(line, serial) == 0;
}

static bool is_confirmed(struct changing *changing, const char *serial)
{
    struct call_path path = {0};
    serial_path(changing, serial, "", &path);
    json_t *answer = registry_client_get(&changing->client, "GET", path.text, NULL);
    call_path_done(&path);
    if (!answer)
        return false;
    const json_t *certificate = json_object_get(answer, "certificate");
    fprintf(stderr, "Revoke %s, %s? It cannot be undone. Type yes: ",
            member_text_or_dash(certificate, "serial"),
            member_text_or_dash(certificate, "subject"));
    fflush(stderr);
    bool good = reads_yes(member_text_or_dash(certificate, "serial"));
    json_decref(answer);
    if (!good)
        fprintf(stderr, "lb %s: %s was left as it is\n", changing->wish->verb, serial);
    return good;
}

/* --- the calls ------------------------------------------------------------------------------ */

static void change_one(struct changing *changing, const char *serial)
{
    struct call_path path = {0};
    if (changing->wish->confirm && !is_confirmed(changing, serial)) {
        changing->has_failed = true;
        return;
    }
    serial_path(changing, serial, changing->wish->rest, &path);
    json_t *answer = registry_client_get(&changing->client, changing->wish->method, path.text,
                                         changing->wish->body);
    call_path_done(&path);
    if (answer)
        tell(changing, answer);
    else
        changing->has_failed = true;
    json_decref(answer);
}

static int change_all(struct changing *changing, int serial_count)
{
    int status =
        registry_client_open(&changing->client, changing->wish->verb, &changing->arguments);
    if (changing->arguments.on & ARGUMENT_JSON)
        changing->answers = json_array();
    for (int i = 0; status == COMMAND_DONE && i < serial_count; i++)
        change_one(changing, changing->arguments.words[i]);
    if (status == COMMAND_DONE && changing->answers) {
        json_dumpf(changing->answers, stdout, JSON_INDENT(2));
        putchar('\n');
    }
    json_decref(changing->answers);
    registry_client_done(&changing->client);
    return status == COMMAND_DONE && changing->has_failed ? COMMAND_FAILED : status;
}

static int check_serials(const char *verb, const struct arguments *arguments, int count)
{
    if (count < 1)
        return command_misused(verb, "say which certificate: its serial number");
    for (int i = 0; i < count; i++)
        if (!word_is_serial(verb, arguments->words[i]))
            return COMMAND_MISUSED;
    return COMMAND_DONE;
}

static int change_serials(const struct wish *wish, int argc, char **argv)
{
    const struct argument_form form = {wish->verb, ARGUMENT_ONE_LB | ARGUMENT_JSON,
                                       cert_change_options, INT_MAX};
    struct changing changing = {.wish = wish};
    if (!arguments_parse(&changing.arguments, &form, argc, argv))
        return COMMAND_MISUSED;
    int status = check_serials(wish->verb, &changing.arguments, changing.arguments.word_count);
    return status == COMMAND_DONE ? change_all(&changing, changing.arguments.word_count) : status;
}

/* --- the verbs ------------------------------------------------------------------------------ */

int cert_activate(int argc, char **argv)
{
    static const struct wish wish = {
        .verb = "cert activate", .method = "POST", .rest = "/activate", .did = "is activated"};
    return change_serials(&wish, argc, argv);
}

int cert_deactivate(int argc, char **argv)
{
    static const struct wish wish = {.verb = "cert deactivate",
                                     .method = "POST",
                                     .rest = "/deactivate",
                                     .did = "is deactivated"};
    return change_serials(&wish, argc, argv);
}

int cert_delete(int argc, char **argv)
{
    static const struct wish wish = {
        .verb = "cert delete", .method = "DELETE", .rest = "", .did = "is deleted"};
    return change_serials(&wish, argc, argv);
}

int cert_revoke(int argc, char **argv)
{
    struct wish wish = {
        .verb = "cert revoke", .method = "POST", .rest = "/revoke", .did = "is revoked"};
    const struct argument_form form = {wish.verb, ARGUMENT_ONE_LB | ARGUMENT_JSON,
                                       cert_revoke_options, INT_MAX};
    struct changing changing = {.wish = &wish};
    if (!arguments_parse(&changing.arguments, &form, argc, argv))
        return COMMAND_MISUSED;
    int status = check_serials(wish.verb, &changing.arguments, changing.arguments.word_count);
    if (status != COMMAND_DONE)
        return status;
    wish.confirm = !arguments_has(&changing.arguments, YES);
    if (wish.confirm && !isatty(STDIN_FILENO)) {
        fprintf(stderr,
                "lb %s: it cannot be undone, and there is no terminal to ask: say --yes if it is "
                "meant; lb cert deactivate can be undone\n",
                wish.verb);
        return COMMAND_FAILED;
    }
    wish.body = json_pack("{s:b}", "confirm", 1);
    status = change_all(&changing, changing.arguments.word_count);
    json_decref(wish.body);
    return status;
}

int cert_client_id(int argc, char **argv)
{
    struct wish wish = {.verb = "cert client-id",
                        .method = "PUT",
                        .rest = "/client-id",
                        .did = "has its client id"};
    const struct argument_form form = {wish.verb, ARGUMENT_ONE_LB | ARGUMENT_JSON,
                                       cert_change_options, 2};
    struct changing changing = {.wish = &wish};
    if (!arguments_parse(&changing.arguments, &form, argc, argv))
        return COMMAND_MISUSED;
    if (changing.arguments.word_count < 2)
        return command_misused(wish.verb, "say which certificate, and what its client is called, "
                                          "as in lb cert client-id 0A1B2C meter-7");
    const char *id = changing.arguments.words[1];
    int status = check_serials(wish.verb, &changing.arguments, 1);
    if (status != COMMAND_DONE || !word_is_text(wish.verb, "the client id", id))
        return COMMAND_MISUSED;
    wish.body = json_pack("{s:s}", "client_id", id);
    status = change_all(&changing, 1);
    json_decref(wish.body);
    return status;
}
