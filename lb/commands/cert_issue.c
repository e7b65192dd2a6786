/* SPDX-License-Identifier: Apache-2.0 */
/* The key is made in this process and never leaves it but for the files it is written to: lb gets a
 * CSR. */
#include <errno.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lb/base/arena.h"
#include "lb/base/pem.h"
#include "lb/commands/arguments.h"
#include "lb/commands/cert_parts.h"
#include "lb/commands/commands.h"
#include "lb/commands/issue_output.h"
#include "lb/commands/members.h"
#include "lb/commands/registry_client.h"
#include "lb/commands/word.h"
#include "listeners/registry/issuer.h"

static const char verb[] = "cert issue";

// clang-format off
enum {
    CN, OU, O, C, ST, L, DNS, URI, EMAIL, DAYS, KEY, CSR, OUT, KEY_OUT, P12, LEGACY, PASSWORD_FILE,
    CLIENT_ID, ACTIVATE, OPTION_COUNT
};

const struct argument_option cert_issue_options[] = {
    [CN] = {"cn", "NAME", "common name: whose it is (needed, unless the CSR has one)", ARGUMENT_ONCE},
    [OU] = {"ou", "UNIT", "organizational unit", ARGUMENT_ONCE},
    [O] = {"o", "NAME", "organization", ARGUMENT_ONCE},
    [C] = {"c", "CC", "country, two letters", ARGUMENT_ONCE},
    [ST] = {"st", "NAME", "state or province", ARGUMENT_ONCE},
    [L] = {"l", "NAME", "locality", ARGUMENT_ONCE},
    [DNS] = {"dns", "NAME", "alternative name; may be repeated, as the two below", ARGUMENT_REPEATED},
    [URI] = {"uri", "URI", "", ARGUMENT_REPEATED},
    [EMAIL] = {"email", "ADDRESS", "", ARGUMENT_REPEATED},
    [DAYS] = {"days", "N", "how long it is valid (unset: 365), never longer than the CA", ARGUMENT_ONCE},
    [KEY] = {"key", "KIND", "p256 (unset), p384, rsa2048, rsa3072, rsa4096 or ed25519", ARGUMENT_ONCE},
    [CSR] = {"csr", "FILE", "sign this request: its key stays where it is; subject and names are\n"
             "its own but for what is said here", ARGUMENT_ONCE},
    [OUT] = {"out", "FILE", "the certificate as PEM, and its key behind it unless that goes\n"
             "elsewhere", ARGUMENT_ONCE},
    [KEY_OUT] = {"key-out", "FILE", "the key as PEM", ARGUMENT_ONCE},
    [P12] = {"p12", "FILE", "certificate, key and CA for browsers and phones, under a password\n"
             "that is asked for", ARGUMENT_ONCE},
    [LEGACY] = {"legacy", NULL, "write the .p12 as macOS and iOS, and Windows before 10 1709 and\n"
                "Server 2019, can read it (3DES, SHA-1); others take the better one", ARGUMENT_ONCE},
    [PASSWORD_FILE] = {"password-file", "FILE", "its first line is the password of the .p12", ARGUMENT_ONCE},
    [CLIENT_ID] = {"client-id", "ID", "what the client is called (unset: by its common name)", ARGUMENT_ONCE},
    [ACTIVATE] = {"activate", "yes|no", "no: it may pass when it is activated (unset: yes)", ARGUMENT_ONCE},
    {0},
};
// clang-format on

const char cert_issue_details[] =
    "Without --out and --p12 certificate and key go to stdout, once: the key is kept nowhere.\n"
    "Files with a key are for their owner alone (0600). Nothing is ever overwritten, and nothing "
    "is\n"
    "issued unless all files can be written.\n\n"
    "  lb cert issue --cn alice --p12 alice.p12\n"
    "  lb cert issue --cn meter-7 --ou field --days 90 --key rsa4096 --out meter-7.pem\n"
    "  lb cert issue --csr meter-7.csr --out meter-7.crt\n";

/* What is issued to whom. */
struct issuing {
    struct arguments arguments;
    struct arena arena;
    struct issue_wish wish;
    const char *names[ISSUE_NAMES_MOST];
    enum key_kind kind;
    bool activate;
    EVP_PKEY *key; /* NULL: a CSR was given */
    char *request; /* PEM */
    struct issue_output output;
};

static const char *said(const struct issuing *issuing, unsigned option)
{
    return arguments_value(&issuing->arguments, option);
}

/* --- the wish ------------------------------------------------------------------------------- */

static bool add_names(struct issuing *issuing, unsigned option)
{
    const char *values[ARGUMENTS_SAID_MOST];
    unsigned count = arguments_values(&issuing->arguments, option, values, ARGUMENTS_SAID_MOST);
    for (unsigned i = 0; i < count; i++) {
        if (issuing->wish.name_count == ISSUE_NAMES_MOST) {
            command_misused(verb, "a certificate has at most %d alternative names",
                            ISSUE_NAMES_MOST);
            return false;
        }
        issuing->names[issuing->wish.name_count++] =
            arena_format(&issuing->arena, "%s:%s", cert_issue_options[option].name, values[i]);
    }
    return true;
}

static bool read_wish(struct issuing *issuing)
{
    const char *days = said(issuing, DAYS), *activate = said(issuing, ACTIVATE);
    const char *key = said(issuing, KEY);
    issuing->wish = (struct issue_wish){
        .common_name = said(issuing, CN),
        .unit = said(issuing, OU),
        .organization = said(issuing, O),
        .country = said(issuing, C),
        .state = said(issuing, ST),
        .locality = said(issuing, L),
        .names = issuing->names,
        .days = ISSUE_DAYS,
    };
    issuing->activate = true;
    if (key && word_is_key_kind(verb, key))
        key_kind_parse(key, &issuing->kind);
    else if (key)
        return false;
    return (!days ||
            word_is_number(verb, "--days", days, 1, ISSUER_DAYS_MOST, &issuing->wish.days)) &&
           (!activate || word_is_switch(verb, "--activate", activate, &issuing->activate)) &&
           add_names(issuing, DNS) && add_names(issuing, URI) && add_names(issuing, EMAIL);
}

/* Every text goes into JSON. */
static bool is_text(const struct issuing *issuing)
{
    for (unsigned i = 0; i < issuing->arguments.said_count; i++) {
        char option[32];
        snprintf(option, sizeof option, "--%s",
                 cert_issue_options[issuing->arguments.said[i].option].name);
        if (!word_is_text(verb, option, issuing->arguments.said[i].value))
            return false;
    }
    return true;
}

/* Options that stand in each other's way. returns COMMAND_DONE or COMMAND_MISUSED */
static int check_options(const struct issuing *issuing)
{
    static const unsigned of_key[] = {KEY, KEY_OUT, P12};
    for (size_t i = 0; said(issuing, CSR) && i < sizeof of_key / sizeof *of_key; i++)
        if (said(issuing, of_key[i]))
            return command_misused(verb,
                                   "--csr and --%s do not go together: who made the CSR has "
                                   "the key",
                                   cert_issue_options[of_key[i]].name);
    if (!said(issuing, CSR) && !said(issuing, CN))
        return command_misused(verb, "say whose it is: --cn NAME");
    if (!said(issuing, P12) && arguments_has(&issuing->arguments, LEGACY))
        return command_misused(verb, "--legacy is a form of --p12 FILE");
    if (!said(issuing, P12) && said(issuing, PASSWORD_FILE))
        return command_misused(verb,
                               "--password-file is for --p12 FILE: nothing else is encrypted");
    return COMMAND_DONE;
}

/* --- the request ---------------------------------------------------------------------------- */

static char *request_text(X509_REQ *request)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *bytes, *text = NULL;
    if (bio && PEM_write_bio_X509_REQ(bio, request) == 1) {
        long length = BIO_get_mem_data(bio, &bytes);
        text = strndup(bytes, (size_t)length);
    }
    BIO_free(bio);
    return text;
}

static X509_REQ *read_request(const char *path, struct error *err)
{
    struct pem pem = {0};
    struct error wrong;
    if (!pem_read(path, &pem, err))
        return NULL;
    X509_REQ *request = request_read(pem.text, pem.length, &wrong);
    if (!request)
        error_set(err, "%.200s: %.300s", path, wrong.text);
    pem_done(&pem);
    return request;
}

static X509_REQ *make_request(struct issuing *issuing, struct error *err)
{
    if (!issue_check(&issuing->wish, err))
        return NULL;
    issuing->key = key_make(issuing->kind);
    if (!issuing->key) {
        error_set(err, "the key could not be made: out of memory");
        return NULL;
    }
    return issue_request(issuing->key, &issuing->wish, err);
}

static bool prepare(struct issuing *issuing, struct error *err)
{
    const char *csr = said(issuing, CSR);
    X509_REQ *request = csr ? read_request(csr, err) : make_request(issuing, err);
    if (!request)
        return false;
    issuing->request = request_text(request);
    X509_REQ_free(request);
    return issuing->request || error_set(err, "out of memory");
}

/* --- the call ------------------------------------------------------------------------------- */

static json_t *names_of(const struct issue_wish *wish)
{
    json_t *names = json_array();
    for (unsigned i = 0; i < wish->name_count; i++)
        json_array_append_new(names, json_string(wish->names[i]));
    return names;
}

static json_t *body_of(const struct issuing *issuing)
{
    const struct issue_wish *wish = &issuing->wish;
    json_t *names = wish->name_count > 0 ? names_of(wish) : NULL;
    return json_pack("{s:s, s:i, s:b, s:s*, s:s*, s:s*, s:s*, s:s*, s:s*, s:s*, s:o*}", "csr",
                     issuing->request, "days", (int)wish->days, "activate", (int)issuing->activate,
                     "common_name", wish->common_name, "unit", wish->unit, "organization",
                     wish->organization, "country", wish->country, "state", wish->state, "locality",
                     wish->locality, "client_id", said(issuing, CLIENT_ID), "names", names);
}

static void tell(const struct issuing *issuing, const json_t *answer)
{
    const json_t *certificate = json_object_get(answer, "certificate");
    const struct issue_output *output = &issuing->output;
    bool is_shown = !output->out_path && !output->p12_path;
    FILE *out = is_shown || output->as_json ? stderr : stdout;
    char day[TIME_TEXT_BYTES];
    const char *warning = member_text(answer, "warning");
    fprintf(
        out, "issued %s to %s, %s, valid until %s\n", member_text_or_dash(certificate, "serial"),
        member_text_or_dash(certificate, "common_name"), member_text_or_dash(certificate, "status"),
        member_time_text(certificate, "not_after", day));
    if (output->has_key && !output->key_path && is_shown)
        fprintf(stderr, "lb %s: this was the only time that the key is shown: it is kept nowhere\n",
                verb);
    if (warning)
        fprintf(stderr, "lb %s: %s\n", verb, warning);
}

static int issue(struct issuing *issuing, struct registry_client *client)
{
    json_t *body = body_of(issuing);
    if (!body)
        return registry_client_tell(client, "out of memory");
    struct error err;
    json_t *answer = registry_client_get(client, "POST", "/v1/certificates", body);
    json_decref(body);
    if (!answer)
        return COMMAND_FAILED;
    int status = COMMAND_DONE;
    if (issue_output_write(&issuing->output, answer, issuing->key, &err)) {
        tell(issuing, answer);
    } else {
        const char *serial = member_text_or_dash(json_object_get(answer, "certificate"), "serial");
        fprintf(stderr,
                "lb %s: certificate %s was issued, but %s; lb cert revoke %s takes it back\n", verb,
                serial, err.text, serial);
        status = COMMAND_FAILED;
    }
    json_decref(answer);
    return status;
}

static bool find_password(struct issuing *issuing, struct error *err)
{
    struct issue_output *output = &issuing->output;
    const char *file = said(issuing, PASSWORD_FILE);
    if (!output->p12_path)
        return true;
    return file ? password_read(&output->password, file, err)
                : password_ask(&output->password, output->p12_path, err);
}

static int run(struct issuing *issuing)
{
    struct registry_client client;
    struct error err = {""};
    int status = registry_client_open(&client, verb, &issuing->arguments);
    if (status == COMMAND_DONE && !(find_password(issuing, &err) && prepare(issuing, &err) &&
                                    issue_output_open(&issuing->output, &err)))
        status = registry_client_tell(&client, err.text);
    if (status == COMMAND_DONE)
        status = issue(issuing, &client);
    issue_output_done(&issuing->output);
    registry_client_done(&client);
    return status;
}

int cert_issue(int argc, char **argv)
{
    static const struct argument_form form = {verb, ARGUMENT_ONE_LB | ARGUMENT_JSON,
                                              cert_issue_options, 0};
    struct issuing issuing = {.kind = KEY_P256};
    if (!arguments_parse(&issuing.arguments, &form, argc, argv))
        return COMMAND_MISUSED;
    int status = check_options(&issuing);
    if (status == COMMAND_DONE && (!is_text(&issuing) || !read_wish(&issuing)))
        status = COMMAND_MISUSED;
    issuing.output = (struct issue_output){
        .out_path = said(&issuing, OUT),
        .key_path = said(&issuing, KEY_OUT),
        .p12_path = said(&issuing, P12),
        .is_legacy = arguments_has(&issuing.arguments, LEGACY),
        .has_key = !said(&issuing, CSR),
        .as_json = (issuing.arguments.on & ARGUMENT_JSON) != 0,
    };
    if (status == COMMAND_DONE)
        status = run(&issuing);
    EVP_PKEY_free(issuing.key);
    free(issuing.request);
    arena_done(&issuing.arena);
    return status;
}
