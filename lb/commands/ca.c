/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/commands/ca.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lb/commands/arguments.h"
#include "lb/commands/ca_upload.h"
#include "lb/commands/ca_view.h"
#include "lb/commands/call_path.h"
#include "lb/commands/commands.h"
#include "lb/commands/members.h"
#include "lb/commands/registry_client.h"
#include "lb/commands/reply.h"
#include "lb/commands/table.h"
#include "lb/commands/word.h"
#include "listeners/registry/issuer.h"

/* --- create --------------------------------------------------------------------------------- */

enum { CREATE_CN, CREATE_KEY, CREATE_DAYS, CREATE_REPLACE };

// clang-format off
static const struct argument_option create_options[] = {
    [CREATE_CN] = {"cn", "NAME", "its common name (unset: \"lb client CA\" and this machine's name)", ARGUMENT_ONCE},
    [CREATE_KEY] = {"key", "KIND", "p256 (unset), p384, rsa2048, rsa3072, rsa4096 or ed25519", ARGUMENT_ONCE},
    [CREATE_DAYS] = {"days", "N", "how long it is valid (unset: 3650)", ARGUMENT_ONCE},
    [CREATE_REPLACE] = {"replace", NULL, "in the place of the one that there is: its files are kept (ca.crt.old-DATE,\nca.key.old-DATE), and its certificates are of no use any more", ARGUMENT_ONCE},
    {0},
};
// clang-format on

static void tell_ca(const json_t *answer, const char *did)
{
    const json_t *ca = json_object_get(answer, "ca");
    printf("%s: %s (id %s), %s\n", did, member_text_or_dash(ca, "name"),
           member_text_or_dash(ca, "id"), member_text_or_dash(ca, "subject"));
}

static void tell_created(const char *verb, const json_t *answer)
{
    const char *did = member_is(answer, "adopted") ? "the built-in CA was there, and is taken over"
                      : member_is(answer, "replaced") ? "the built-in CA is another one now"
                                                      : "the built-in CA is made";
    tell_ca(answer, did);
    fflush(stdout);
    reply_tell_warnings(verb, answer);
}

static json_t *create_body(const char *verb, const struct arguments *arguments)
{
    const char *key = arguments_value(arguments, CREATE_KEY);
    const char *days = arguments_value(arguments, CREATE_DAYS);
    const char *name = arguments_value(arguments, CREATE_CN);
    unsigned count = ISSUER_CA_DAYS;
    if ((key && !word_is_key_kind(verb, key)) ||
        (days && !word_is_number(verb, "--days", days, 1, ISSUER_DAYS_MOST, &count)))
        return NULL;
    json_t *body = json_pack("{s:s*, s:s*, s:i, s:b}", "common_name", name, "key", key, "days",
                             (int)count, "replace", arguments_has(arguments, CREATE_REPLACE));
    if (!body)
        command_misused(verb, "--cn \"%s\" is no UTF-8 text", name);
    return body;
}

static int create_ca(int argc, char **argv)
{
    static const struct argument_form form = {"ca create", ARGUMENT_ONE_LB | ARGUMENT_JSON,
                                              create_options, 0};
    struct arguments arguments;
    struct registry_client client;
    if (!arguments_parse(&arguments, &form, argc, argv))
        return COMMAND_MISUSED;
    json_t *body = create_body(form.verb, &arguments);
    if (!body)
        return COMMAND_MISUSED;
    int status = registry_client_open(&client, form.verb, &arguments);
    if (status == COMMAND_DONE) {
        json_t *answer = registry_client_get(&client, "POST", "/v1/cas/builtin", body);
        if (answer && !reply_write_json(arguments.on, answer))
            tell_created(form.verb, answer);
        status = answer ? reply_tell_in_force(form.verb, answer) : COMMAND_FAILED;
        json_decref(answer);
    }
    registry_client_done(&client);
    json_decref(body);
    return status;
}

/* --- list and show -------------------------------------------------------------------------- */

static int list_cas(int argc, char **argv)
{
    static const struct argument_form form = {"ca list", ARGUMENT_ONE_LB | ARGUMENT_JSON, NULL, 0};
    struct arguments arguments;
    struct registry_client client;
    if (!arguments_parse(&arguments, &form, argc, argv))
        return COMMAND_MISUSED;
    int status = registry_client_open(&client, form.verb, &arguments);
    json_t *answer = NULL;
    if (status == COMMAND_DONE) {
        answer = registry_client_get(&client, "GET", "/v1/cas", NULL);
        status = answer ? COMMAND_DONE : COMMAND_FAILED;
    }
    if (answer && !reply_write_json(arguments.on, answer)) {
        if (json_array_size(json_object_get(answer, "cas")) > 0)
            ca_view_list(answer, (int64_t)time(NULL), tint_is_wanted(), stdout);
        else
            puts("There is no CA: lb ca create makes one, lb ca upload takes one of yours.");
    }
    json_decref(answer);
    registry_client_done(&client);
    return status;
}

/* "/v1/cas/NAME" and what follows. */
static void ca_path(struct call_path *path, const char *which, const char *rest)
{
    call_path_add(path, "/v1/cas/");
    call_path_part(path, which);
    call_path_add(path, rest);
}

static const struct argument_option show_options[] = {
    {"pem", NULL, "its certificate, for openssl and the like, and nothing else", ARGUMENT_ONCE},
    {0},
};

static int show_ca(int argc, char **argv)
{
    static const struct argument_form form = {"ca show", ARGUMENT_ONE_LB | ARGUMENT_JSON,
                                              show_options, 1};
    struct arguments arguments;
    struct registry_client client;
    struct call_path path = {0};
    if (!arguments_parse(&arguments, &form, argc, argv))
        return COMMAND_MISUSED;
    if (arguments.word_count < 1)
        return command_misused(form.verb, "say which CA: its name or id, as lb ca list shows them");
    int status = registry_client_open(&client, form.verb, &arguments);
    json_t *answer = NULL;
    if (status == COMMAND_DONE) {
        ca_path(&path, arguments.words[0], "");
        answer = registry_client_get(&client, "GET", path.text, NULL);
        status = answer ? COMMAND_DONE : COMMAND_FAILED;
    }
    const json_t *ca = json_object_get(answer, "ca");
    if (answer && arguments_has(&arguments, 0))
        fputs(member_text_or_dash(ca, "pem"), stdout);
    else if (answer && !reply_write_json(arguments.on, answer))
        ca_view_show(ca, (int64_t)time(NULL), stdout);
    json_decref(answer);
    call_path_done(&path);
    registry_client_done(&client);
    return status;
}

/* --- changes -------------------------------------------------------------------------------- */

/* What is to be done with a CA. */
struct ca_change {
    const char *method;
    const char *rest;   /* of the path */
    const char *did;    /* "is enabled" */
    const char *as_was; /* where nothing changed */
};

static int change(const char *verb, const struct arguments *arguments,
                  const struct ca_change *wanted, const json_t *body)
{
    struct registry_client client;
    struct call_path path = {0};
    int status = registry_client_open(&client, verb, arguments);
    if (status != COMMAND_DONE) {
        registry_client_done(&client);
        return status;
    }
    ca_path(&path, arguments->words[0], wanted->rest);
    json_t *answer = registry_client_get(&client, wanted->method, path.text, body);
    if (answer && !reply_write_json(arguments->on, answer)) {
        const json_t *ca = json_object_get(answer, "ca");
        const json_t *changed = json_object_get(answer, "changed");
        printf("%s %s", member_text_or_dash(ca, "name"),
               json_is_false(changed) ? wanted->as_was : wanted->did);
        if (body) {
            fputs(": ", stdout);
            ca_view_hosts(ca, stdout);
        }
        puts(reply_is_not_in_force(answer) ? " (NOT IN FORCE)" : "");
    }
    reply_tell_warnings(verb, answer);
    status = answer ? reply_tell_in_force(verb, answer) : COMMAND_FAILED;
    json_decref(answer);
    call_path_done(&path);
    registry_client_done(&client);
    return status;
}

static int change_one(const char *verb, const struct ca_change *wanted, int argc, char **argv)
{
    const struct argument_form form = {verb, ARGUMENT_ONE_LB | ARGUMENT_JSON, NULL, 1};
    struct arguments arguments;
    if (!arguments_parse(&arguments, &form, argc, argv))
        return COMMAND_MISUSED;
    if (arguments.word_count < 1)
        return command_misused(verb, "say which CA: its name or id, as lb ca list shows them");
    return change(verb, &arguments, wanted, NULL);
}

static int enable_ca(int argc, char **argv)
{
    static const struct ca_change wanted = {"POST", "/enable", "is enabled", "is enabled already"};
    return change_one("ca enable", &wanted, argc, argv);
}

static int disable_ca(int argc, char **argv)
{
    static const struct ca_change wanted = {
        "POST", "/disable", "is disabled: its clients are refused", "is disabled already"};
    return change_one("ca disable", &wanted, argc, argv);
}

static int delete_ca(int argc, char **argv)
{
    static const struct ca_change wanted = {"DELETE", "", "is deleted", "is deleted"};
    return change_one("ca delete", &wanted, argc, argv);
}

/* --- hosts ---------------------------------------------------------------------------------- */

static json_t *hosts_body(const char *verb, const struct arguments *arguments)
{
    json_t *hosts = json_array();
    for (int i = 1; i < arguments->word_count; i++) {
        if (json_array_append_new(hosts, json_string(arguments->words[i])) == 0)
            continue;
        command_misused(verb, "\"%s\" is no UTF-8 text", arguments->words[i]);
        json_decref(hosts);
        return NULL;
    }
    return json_pack("{s:o}", "hosts", hosts);
}

static int change_hosts(const struct argument_form *form, const struct arguments *arguments,
                        const struct ca_change *wanted)
{
    json_t *body = hosts_body(form->verb, arguments);
    if (!body)
        return COMMAND_MISUSED;
    int status = change(form->verb, arguments, wanted, body);
    json_decref(body);
    return status;
}

static const struct argument_option bind_options[] = {
    {"replace", NULL, "these hosts and no others (unset: these beside those it is bound to)",
     ARGUMENT_ONCE},
    {0},
};

static int bind_hosts(int argc, char **argv)
{
    static const struct argument_form form = {"ca bind", ARGUMENT_ONE_LB | ARGUMENT_JSON,
                                              bind_options, INT_MAX};
    static const struct ca_change add = {"POST", "/hosts", "is bound to", "was bound already to"};
    static const struct ca_change replace = {"PUT", "/hosts", "is bound to",
                                             "was bound already to"};
    struct arguments arguments;
    if (!arguments_parse(&arguments, &form, argc, argv))
        return COMMAND_MISUSED;
    if (arguments.word_count < 2)
        return command_misused(form.verb, "say which CA, and to which hosts, as in lb ca bind corp "
                                          "www.example.com");
    return change_hosts(&form, &arguments, arguments_has(&arguments, 0) ? &replace : &add);
}

static int unbind_hosts(int argc, char **argv)
{
    static const struct argument_form form = {
        "ca unbind", ARGUMENT_ONE_LB | ARGUMENT_JSON | ARGUMENT_ALL, NULL, INT_MAX};
    static const struct ca_change some = {"DELETE", "/hosts", "is bound to",
                                          "was not bound to these; it is bound to"};
    static const struct ca_change all = {"PUT", "/hosts", "is bound to", "was bound already to"};
    struct arguments arguments;
    if (!arguments_parse(&arguments, &form, argc, argv))
        return COMMAND_MISUSED;
    bool is_all = (arguments.on & ARGUMENT_ALL) != 0;
    if (arguments.word_count < 1 || is_all != (arguments.word_count == 1))
        return command_misused(form.verb, "say which CA, and which hosts or --all, as in lb ca "
                                          "unbind corp www.example.com");
    return change_hosts(&form, &arguments, is_all ? &all : &some);
}

/* --- the verb ------------------------------------------------------------------------------- */

const char ca_details[] =
    "A rule trusts CAs that it names: client_ca = FILE, builtin, registry:NAME, or registry, "
    "which\n"
    "is every enabled CA that is bound to the rule's domain. With mutual_auth = when-bound it "
    "asks\n"
    "for a certificate where such a CA is bound, and not elsewhere. Changes take effect at once,\n"
    "without a reload.\n\n"
    "CA is a name or an id, as lb ca list shows them. HOST is written as rules write their domain\n"
    "(www.example.com, *.example.com, ~regex); \"*\" stands for rules without one. At most 50 a "
    "call.\n\n"
    "The built-in CA is made at first use; its key stays in state_dir (ca.key, 0600, encrypted "
    "with\n"
    "[registry] ca_passphrase_file). lb makes none by itself where one is known or half there: if "
    "the\n"
    "registry is lost, put a backup of it back, or lb ca create takes over the CA that is in "
    "state_dir;\n"
    "of machines that share a registry each has a copy of ca.crt and ca.key, or does not issue. To "
    "have\n"
    "another one (its key was read, or it ends), say lb ca create --replace.\n\n"
    "Where no lb runs, the same is done straight on the store of the INI file, which the file's "
    "user\n"
    "and root may do; lb ca bind and lb ca delete then need the INI file to be without errors.\n";

// clang-format off
const struct command ca_parts[] = {
    {"create", "[--cn NAME] [--key KIND] [--days N] [--replace] [--json]", "make the built-in CA now, instead of at its first use", "", create_ca, NULL, create_options},
    {"upload", "FILE [--name NAME] [--json]", "let the clients of a CA of yours come; again: its renewed certificate", "", ca_upload_command, NULL, ca_upload_options},
    {"list", "[--json]", "all CAs", "", list_cas, NULL, NULL},
    {"show", "CA [--pem] [--json]", "all that is known of a CA, and its hosts", "", show_ca, NULL, show_options},
    {"bind", "CA HOST... [--replace] [--json]", "the CA's clients may come to these hosts", "", bind_hosts, NULL, bind_options},
    {"unbind", "CA HOST...|--all [--json]", "and to these no more", "", unbind_hosts, NULL, NULL},
    {"enable", "CA [--json]", "let a disabled CA's clients come again", "", enable_ca, NULL, NULL},
    {"disable", "CA [--json]", "refuse all clients of a CA, at once", "", disable_ca, NULL, NULL},
    {"delete", "CA [--json]", "forget a CA that no host is bound to and no rule names", "", delete_ca, NULL, NULL},
    {0},
};
// clang-format on

int command_ca(int argc, char **argv)
{
    return command_run_part(argc, argv);
}
