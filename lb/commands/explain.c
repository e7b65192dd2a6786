/* SPDX-License-Identifier: Apache-2.0 */
/* The question is the same JSON wherever it is answered: by the running lb, or in this process. */
#include "lb/commands/explain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lb/commands/arguments.h"
#include "lb/commands/call_path.h"
#include "lb/commands/commands.h"
#include "lb/commands/explain_certificate.h"
#include "lb/commands/explain_local.h"
#include "lb/commands/explain_view.h"
#include "lb/commands/members.h"
#include "lb/commands/registry_client.h"
#include "lb/commands/reply.h"
#include "lb/commands/table.h"
#include "lb/commands/word.h"
#include "lb/server/privileges.h"

static const char verb[] = "explain";

enum { CERT, CHAIN, SERIAL, CA, HOST, URL, METHOD, SNI, NO_SNI, FROM, LISTENER, LIVE };

// clang-format off
const struct argument_option explain_options[] = {
    [CERT] = {"cert", "FILE", "the client's certificate, and behind it what else it sends; PEM, DER or\n"
              "PKCS #12 (unset: it shows none)", ARGUMENT_ONCE},
    [CHAIN] = {"chain", "FILE", "PEM: what the client sends behind its own certificate", ARGUMENT_ONCE},
    [SERIAL] = {"serial", "SERIAL", "instead of --cert: a certificate of the registry, as the log names it", ARGUMENT_ONCE},
    [CA] = {"ca", "CA", "of --serial, where several CAs have it", ARGUMENT_ONCE},
    [HOST] = {"host", "HOST", "the Host of the request, perhaps with a port", ARGUMENT_ONCE},
    [URL] = {"url", "URL", "path and query (unset: /), or a whole one: https://HOST:PORT/PATH", ARGUMENT_ONCE},
    [METHOD] = {"method", "METHOD", "of the request (unset: GET)", ARGUMENT_ONCE},
    [SNI] = {"sni", "NAME", "what the client asks for in its handshake (unset: the host)", ARGUMENT_ONCE},
    [NO_SNI] = {"no-sni", NULL, "it asks for no name in its handshake", ARGUMENT_ONCE},
    [FROM] = {"from", "ADDRESS", "where it comes from, for exempt_from and X-Forwarded-For", ARGUMENT_ONCE},
    [LISTENER] = {"listener", "NAME", "where it comes to (unset: the first listener of this port whose rules\n"
                  "name the host)", ARGUMENT_ONCE},
    [LIVE] = {"live", NULL, "ask the running lb: the config in force, its registry, its backends", ARGUMENT_ONCE},
    {0},
};
// clang-format on

const char explain_details[] =
    "Nothing is sent to any backend, and nothing is changed: the handshake and the request are "
    "thought\n"
    "through by the code that decides about every client. Without --live it goes by FILE as it is "
    "now\n"
    "and by the registry's store; private keys in the files are not read.\n\n"
    "Exit status: 0 the request passes, 3 the client is refused, 4 it depends on what could not "
    "be\n"
    "asked, 1 it could not be found out, 2 wrong usage.\n\n"
    "  lb explain -c lb.ini --cert client.crt --url https://www.example.com:8443/orders\n"
    "  lb explain -c lb.ini --live --serial 0A1B2C --host www.example.com\n";

/* --- the question --------------------------------------------------------------------------- */

static int told(const char *text)
{
    fprintf(stderr, "lb %s: %s\n", verb, text);
    return COMMAND_FAILED;
}

static int put_text(json_t *question, const char *member, const char *text)
{
    if (!text || json_object_set_new(question, member, json_string(text)) == 0)
        return COMMAND_DONE;
    return told("out of memory");
}

/* What was registered under the serial. */
static int put_registered(json_t *question, const struct arguments *arguments)
{
    struct registry_client client;
    struct call_path path = {0};
    int status = registry_client_open(&client, verb, arguments);
    if (status == COMMAND_DONE) {
        call_path_add(&path, "/v1/certificates/");
        call_path_part(&path, arguments_value(arguments, SERIAL));
        call_path_query(&path, "ca", arguments_value(arguments, CA));
        json_t *answer = registry_client_get(&client, "GET", path.text, NULL);
        status = answer ? put_text(question, "pem", member_text(answer, "pem")) : COMMAND_FAILED;
        json_decref(answer);
    }
    call_path_done(&path);
    registry_client_done(&client);
    return status;
}

static int put_certificate(json_t *question, const struct arguments *arguments)
{
    struct error err = {""};
    const char *file = arguments_value(arguments, CERT);
    if (arguments_has(arguments, SERIAL))
        return put_registered(question, arguments);
    if (!file)
        return COMMAND_DONE;
    char *pem = explain_certificate_read(file, arguments_value(arguments, CHAIN), &err);
    int status = pem ? put_text(question, "pem", pem) : told(err.text);
    free(pem);
    return status;
}

static int put_words(json_t *question, const struct arguments *arguments)
{
    static const struct {
        unsigned option;
        const char *member;
    } texts[] = {{HOST, "host"}, {URL, "url"},   {METHOD, "method"},
                 {SNI, "sni"},   {FROM, "from"}, {LISTENER, "listener"}};
    char option[32];
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const char *text = arguments_value(arguments, texts[i].option);
        snprintf(option, sizeof option, "--%s", texts[i].member);
        if (!word_is_text(verb, option, text))
            return COMMAND_MISUSED;
        if (put_text(question, texts[i].member, text) != COMMAND_DONE)
            return COMMAND_FAILED;
    }
    if (arguments_has(arguments, NO_SNI))
        json_object_set_new(question, "no_sni", json_true());
    return put_certificate(question, arguments);
}

/* --- the answer ----------------------------------------------------------------------------- */

static json_t *ask_lb(const struct admin_client *client, const json_t *question)
{
    struct admin_reply reply = {0};
    struct error err = {""};
    char *body = json_dumps(question, JSON_COMPACT);
    if (!body) {
        told("out of memory");
        return NULL;
    }
    const struct admin_call call = {.method = "POST",
                                    .path = "/v1/explain",
                                    .body = body,
                                    .body_bytes = strlen(body),
                                    .timeout_ms = ADMIN_CLIENT_ASK_MS};
    enum admin_outcome outcome = admin_client_call(client, &call, &reply, &err);
    free(body);
    if (outcome == ADMIN_ANSWERED && reply.status == 200)
        return reply.json;
    told(outcome == ADMIN_ANSWERED ? admin_reply_error(&reply) : err.text);
    json_decref(reply.json);
    return NULL;
}

static int answer_status(const json_t *answer)
{
    const char *result = member_text_or_dash(answer, "result");
    if (strcmp(result, "passes") == 0)
        return COMMAND_DONE;
    return strcmp(result, "refused") == 0 ? EXPLAIN_REFUSED : EXPLAIN_UNDECIDED;
}

static int ask(const struct arguments *arguments, const json_t *question)
{
    struct admin_client client;
    bool is_live = arguments_has(arguments, LIVE);
    json_t *answer = NULL;
    int status = is_live ? admin_client_open(&client, verb, arguments)
                         : admin_client_find(&client, verb, arguments);
    if (status == COMMAND_DONE) {
        answer = is_live ? ask_lb(&client, question) : explain_local(client.file, question);
        status = answer ? answer_status(answer) : COMMAND_FAILED;
    }
    if (answer && !reply_write_json(arguments->on, answer))
        explain_view_write(answer, tint_is_wanted(), stdout);
    json_decref(answer);
    admin_client_done(&client);
    return status;
}

static bool is_sound(const struct arguments *arguments)
{
    if (arguments->admin && !arguments_has(arguments, LIVE))
        command_misused(verb, "--admin is for --live; without it, say -c FILE");
    else if (arguments_has(arguments, CERT) && arguments_has(arguments, SERIAL))
        command_misused(verb, "--cert and --serial both say which certificate: one is enough");
    else if (arguments_has(arguments, CHAIN) && !arguments_has(arguments, CERT))
        command_misused(verb, "--chain is what stands behind the certificate of --cert FILE");
    else if (arguments_has(arguments, CA) && !arguments_has(arguments, SERIAL))
        command_misused(verb, "--ca is for --serial");
    else if (!arguments_has(arguments, HOST) && !arguments_has(arguments, URL))
        command_misused(verb, "say what is asked for: --host www.example.com --url /path, or --url "
                              "https://www.example.com/path");
    else
        return !arguments_has(arguments, SERIAL) ||
               word_is_serial(verb, arguments_value(arguments, SERIAL));
    return false;
}

int command_explain_client(int argc, char **argv)
{
    static const struct argument_form form = {verb, ARGUMENT_ONE_LB | ARGUMENT_JSON,
                                              explain_options, 0};
    struct arguments arguments;
    if (!arguments_parse(&arguments, &form, argc, argv) || !is_sound(&arguments))
        return COMMAND_MISUSED;
    privileges_guard_secrets(); /* the client's key may stand in its file */
    json_t *question = json_object();
    int status = question ? put_words(question, &arguments) : told("out of memory");
    if (status == COMMAND_DONE)
        status = ask(&arguments, question);
    json_decref(question);
    return status;
}
