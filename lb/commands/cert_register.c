/* SPDX-License-Identifier: Apache-2.0 */
/* One call for each certificate, at the pace that signups_per_second allows. */
#include <limits.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lb/commands/arguments.h"
#include "lb/commands/cert_parts.h"
#include "lb/commands/certificate_files.h"
#include "lb/commands/commands.h"
#include "lb/commands/members.h"
#include "lb/commands/registry_client.h"
#include "lb/commands/word.h"

static const char verb[] = "cert register";

enum { CA, CLIENT_ID, ACTIVATE };

// clang-format off
const struct argument_option cert_register_options[] = {
    [CA] = {"ca", "CA", "refuse certificates of any other CA (unset: any that is registered)", ARGUMENT_ONCE},
    [CLIENT_ID] = {"client-id", "ID", "what the client is called (unset: by its common name); for one\n"
                   "certificate alone", ARGUMENT_ONCE},
    [ACTIVATE] = {"activate", "yes|no", "no: it may pass when it is activated (unset: yes)", ARGUMENT_ONCE},
    {0},
};
// clang-format on

const char cert_register_details[] =
    "Files are PEM with one certificate or many, or DER; of a folder it takes *.pem, *.crt, *.cer "
    "and\n"
    "*.der. CAs among them are no clients: they stand between the clients and a registered CA.\n"
    "Their own CA has to be there: lb ca upload.\n\n"
    "At most [registry] signups_per_second are registered in a second; more of them are waited "
    "for.\n"
    "lb cert import takes whole fleets without that limit. Exit status 1 when one was refused.\n";

enum { PAUSE_MS = 250 };

struct registering {
    struct registry_client client;
    struct arguments arguments;
    struct chain_cas cas;
    bool activate;
    bool is_paced; /* it was said that it is */
    unsigned long done, failed;
    json_t *answers; /* with --json: of those that were registered */
};

static const char *said(const struct registering *registering, unsigned option)
{
    return arguments_value(&registering->arguments, option);
}

static bool tell_wrong(void *arg, const struct file_place *place, const char *reason)
{
    struct registering *registering = arg;
    char where[PLACE_BYTES];
    fprintf(stderr, "lb %s: %s: %s\n", verb, file_place_text(place, where), reason);
    registering->failed++;
    return true;
}

static void tell_done(struct registering *registering, json_t *answer)
{
    const json_t *certificate = json_object_get(answer, "certificate");
    const char *warning = member_text(answer, "warning");
    registering->done++;
    if (warning)
        fprintf(stderr, "lb %s: %s\n", verb, warning);
    if (registering->answers)
        json_array_append(registering->answers, answer);
    else
        printf("%s  %s  %s\n", member_text_or_dash(certificate, "serial"),
               member_text_or_dash(certificate, "status"),
               member_text_or_dash(certificate, "subject"));
}

static void pause_a_little(struct registering *registering)
{
    if (!registering->is_paced)
        fprintf(stderr, "lb %s: paced to signups_per_second; lb cert import does not wait\n", verb);
    registering->is_paced = true;
    nanosleep(&(struct timespec){.tv_nsec = PAUSE_MS * 1000000L}, NULL);
}

/* false: nobody can be asked; it was told. */
static bool register_one(struct registering *registering, const json_t *body,
                         const struct file_place *place)
{
    struct error err = {""};
    for (;;) {
        struct admin_reply reply = {0};
        if (!registry_client_ask(&registering->client, "POST", "/v1/certificates/register", body,
                                 &reply, &err)) {
            tell_wrong(registering, place, err.text);
            return false;
        }
        if (reply.status == 201)
            tell_done(registering, reply.json);
        else if (reply.status != 429)
            tell_wrong(registering, place, admin_reply_error(&reply));
        bool is_late = reply.status == 429;
        bool has_store = reply.status != 503;
        json_decref(reply.json);
        if (!is_late)
            return has_store;
        pause_a_little(registering);
    }
}

static bool take(void *arg, X509 *certificate, const struct file_place *place)
{
    struct registering *registering = arg;
    if (X509_check_ca(certificate) > 0)
        return true;
    char *pem = chain_pem(&registering->cas, certificate);
    json_t *body = pem ? json_pack("{s:s, s:b, s:s*, s:s*}", "pem", pem, "activate",
                                   (int)registering->activate, "ca", said(registering, CA),
                                   "client_id", said(registering, CLIENT_ID))
                       : NULL;
    if (!body)
        error_out_of_memory();
    bool goes_on = register_one(registering, body, place);
    json_decref(body);
    free(pem);
    return goes_on;
}

/* How many clients are there? More than one cannot all have the same id. */
static bool count_client(void *arg, X509 *certificate, const struct file_place *place)
{
    unsigned *count = arg;
    (void)place;
    *count += X509_check_ca(certificate) <= 0;
    return *count < 2;
}

static bool ignore(void *arg, const struct file_place *place, const char *reason)
{
    (void)arg;
    (void)place;
    (void)reason;
    return true;
}

static int check_client_id(const struct registering *registering)
{
    unsigned count = 0;
    const struct certificate_visitor visitor = {count_client, ignore, &count};
    if (!said(registering, CLIENT_ID))
        return COMMAND_DONE;
    certificate_files_walk(registering->arguments.words, registering->arguments.word_count,
                           &visitor);
    return count < 2 ? COMMAND_DONE
                     : command_misused(verb, "--client-id is for one certificate: here are more; "
                                             "lb cert client-id names each");
}

static int tell_all(struct registering *registering)
{
    if (registering->done + registering->failed == 0) {
        fprintf(stderr, "lb %s: there are only CAs: lb ca upload takes those\n", verb);
        return COMMAND_FAILED;
    }
    if (registering->answers) {
        json_t *all = json_pack("{s:O, s:I}", "registered", registering->answers, "failed",
                                (json_int_t)registering->failed);
        json_dumpf(all, stdout, JSON_INDENT(2));
        putchar('\n');
        json_decref(all);
    } else if (registering->done + registering->failed > 1) {
        printf("%lu registered, %lu refused\n", registering->done, registering->failed);
    }
    return registering->failed == 0 ? COMMAND_DONE : COMMAND_FAILED;
}

static int run(struct registering *registering)
{
    struct error err;
    const struct certificate_visitor visitor = {take, tell_wrong, registering};
    char *const *paths = registering->arguments.words;
    int count = registering->arguments.word_count;
    int status = registry_client_open(&registering->client, verb, &registering->arguments);
    if (status == COMMAND_DONE && !certificate_files_chains(paths, count, &registering->cas, &err))
        status = registry_client_tell(&registering->client, err.text);
    if (status == COMMAND_DONE) {
        certificate_files_walk(paths, count, &visitor);
        status = tell_all(registering);
    }
    chain_cas_done(&registering->cas);
    registry_client_done(&registering->client);
    return status;
}

int cert_register(int argc, char **argv)
{
    static const struct argument_form form = {verb, ARGUMENT_ONE_LB | ARGUMENT_JSON,
                                              cert_register_options, INT_MAX};
    struct registering registering = {.activate = true};
    if (!arguments_parse(&registering.arguments, &form, argc, argv))
        return COMMAND_MISUSED;
    const char *activate = said(&registering, ACTIVATE);
    if (registering.arguments.word_count < 1)
        return command_misused(verb, "say which files or folders: lb cert register FILE");
    if (activate && !word_is_switch(verb, "--activate", activate, &registering.activate))
        return COMMAND_MISUSED;
    if (!word_is_text(verb, "--client-id", said(&registering, CLIENT_ID)) ||
        !word_is_text(verb, "--ca", said(&registering, CA)))
        return COMMAND_MISUSED;
    int status = check_client_id(&registering);
    if (registering.arguments.on & ARGUMENT_JSON)
        registering.answers = json_array();
    if (status == COMMAND_DONE)
        status = run(&registering);
    json_decref(registering.answers);
    return status;
}
