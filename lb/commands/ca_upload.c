/* SPDX-License-Identifier: Apache-2.0 */
/* Only certificates leave this process: a key in the same file stays here. */
#include "lb/commands/ca_upload.h"

#include <ctype.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lb/base/certificate.h"
#include "lb/commands/arguments.h"
#include "lb/commands/certificate_files.h"
#include "lb/commands/commands.h"
#include "lb/commands/members.h"
#include "lb/commands/registry_client.h"
#include "lb/commands/reply.h"
#include "lb/commands/word.h"

static const char verb[] = "ca upload";

enum { UPLOAD_NAME };

const struct argument_option ca_upload_options[] = {
    [UPLOAD_NAME] = {"name", "NAME",
                     "what client_ca = registry:NAME and lb ca call it: letters, digits, \".\", "
                     "\"_\"\nand \"-\" (unset: made of its common name)",
                     ARGUMENT_ONCE},
    {0},
};

bool ca_name_from(const char *common_name, char ret_name[CA_NAME_BYTES + 1])
{
    size_t length = 0;
    for (; *common_name && length < CA_NAME_BYTES; common_name++) {
        unsigned char byte = (unsigned char)*common_name;
        bool is_fine = isascii(byte) && (isalnum(byte) || strchr("._-", byte));
        if (is_fine)
            ret_name[length++] = (char)byte;
        else if (length > 0 && ret_name[length - 1] != '-')
            ret_name[length++] = '-';
    }
    while (length > 0 && ret_name[length - 1] == '-')
        length--;
    ret_name[length] = '\0';
    return length > 0 && strcasecmp(ret_name, BUILTIN_CA_NAME) != 0;
}

static bool has_signed_another(STACK_OF(X509) * certificates, int index)
{
    for (int i = 0; i < sk_X509_num(certificates); i++)
        if (i != index && X509_check_issued(sk_X509_value(certificates, index),
                                            sk_X509_value(certificates, i)) == X509_V_OK)
            return true;
    return false;
}

X509 *ca_lowest(STACK_OF(X509) * certificates)
{
    for (int i = 0; i < sk_X509_num(certificates); i++)
        if (!has_signed_another(certificates, i))
            return sk_X509_value(certificates, i);
    return NULL;
}

/* --- reading -------------------------------------------------------------------------------- */

struct reading {
    STACK_OF(X509) * certificates;
    struct error err;
};

static bool keep(void *arg, X509 *certificate, const struct file_place *place)
{
    struct reading *reading = arg;
    (void)place;
    if (!X509_up_ref(certificate) || sk_X509_push(reading->certificates, certificate) <= 0)
        error_out_of_memory();
    return sk_X509_num(reading->certificates) <= CHAIN_CAS_MOST;
}

static bool refuse(void *arg, const struct file_place *place, const char *reason)
{
    struct reading *reading = arg;
    char where[PLACE_BYTES];
    error_set(&reading->err, "%.300s: %.200s", file_place_text(place, where), reason);
    return false;
}

static char *pem_of(STACK_OF(X509) * certificates)
{
    char *all = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&all, &length);
    for (int i = 0; out && i < sk_X509_num(certificates); i++) {
        char *pem = certificate_pem_text(sk_X509_value(certificates, i));
        if (!pem)
            error_out_of_memory();
        fputs(pem, out);
        free(pem);
    }
    if (!out || fclose(out) != 0)
        error_out_of_memory();
    return all;
}

static bool find_name(STACK_OF(X509) * certificates, char name[CA_NAME_BYTES + 1])
{
    size_t length;
    X509 *ca = ca_lowest(certificates);
    char *common_name =
        ca ? certificate_field_text(X509_get_subject_name(ca), NID_commonName, &length) : NULL;
    bool good = common_name && ca_name_from(common_name, name);
    free(common_name);
    return good;
}

/* --- the verb ------------------------------------------------------------------------------- */

static int upload(const struct arguments *arguments, const char *name, const char *pem)
{
    struct registry_client client;
    int status = registry_client_open(&client, verb, arguments);
    if (status == COMMAND_DONE) {
        json_t *body = json_pack("{s:s, s:s}", "name", name, "pem", pem);
        json_t *answer = registry_client_get(&client, "POST", "/v1/cas", body);
        if (answer && !reply_write_json(arguments->on, answer)) {
            const json_t *ca = json_object_get(answer, "ca");
            printf("%s: %s (id %s), %s%s\n", member_is(answer, "renewed") ? "renewed" : "uploaded",
                   member_text_or_dash(ca, "name"), member_text_or_dash(ca, "id"),
                   member_text_or_dash(ca, "subject"),
                   reply_is_not_in_force(answer) ? " (NOT IN FORCE)" : "");
        }
        reply_tell_warnings(verb, answer);
        status = answer ? reply_tell_in_force(verb, answer) : COMMAND_FAILED;
        json_decref(answer);
        json_decref(body);
    }
    registry_client_done(&client);
    return status;
}

static int upload_read(const struct arguments *arguments, const struct reading *reading)
{
    const char *said = arguments_value(arguments, UPLOAD_NAME);
    char made[CA_NAME_BYTES + 1];
    if (reading->err.text[0]) {
        fprintf(stderr, "lb %s: %s\n", verb, reading->err.text);
        return COMMAND_FAILED;
    }
    if (!said && !find_name(reading->certificates, made))
        return command_misused(verb, "no name can be made of its common name: say --name NAME");
    char *pem = pem_of(reading->certificates);
    int status = upload(arguments, said ? said : made, pem);
    free(pem);
    return status;
}

int ca_upload_command(int argc, char **argv)
{
    static const struct argument_form form = {verb, ARGUMENT_ONE_LB | ARGUMENT_JSON,
                                              ca_upload_options, 1};
    struct arguments arguments;
    struct reading reading = {0};
    if (!arguments_parse(&arguments, &form, argc, argv))
        return COMMAND_MISUSED;
    if (arguments.word_count < 1)
        return command_misused(verb, "say which file: lb ca upload FILE");
    if (!word_is_text(verb, "--name", arguments_value(&arguments, UPLOAD_NAME)))
        return COMMAND_MISUSED;
    reading.certificates = sk_X509_new_null();
    if (!reading.certificates)
        error_out_of_memory();
    const struct certificate_visitor visitor = {keep, refuse, &reading};
    certificate_files_walk(arguments.words, 1, &visitor);
    int status = upload_read(&arguments, &reading);
    sk_X509_pop_free(reading.certificates, X509_free);
    return status;
}
