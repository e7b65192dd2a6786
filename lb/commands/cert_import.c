/* SPDX-License-Identifier: Apache-2.0 */
/* As many certificates a call as its body may hold; each call is whole or not at all. */
#include <errno.h>
#include <limits.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lb/base/certificate.h"
#include "lb/base/utf8.h"
#include "lb/commands/arguments.h"
#include "lb/commands/cert_parts.h"
#include "lb/commands/certificate_files.h"
#include "lb/commands/client_ids.h"
#include "lb/commands/commands.h"
#include "lb/commands/members.h"
#include "lb/commands/registry_client.h"
#include "lb/commands/table.h"
#include "lb/commands/word.h"

static const char verb[] = "cert import";

enum { CLIENT_IDS, ACTIVATE };

// clang-format off
const struct argument_option cert_import_options[] = {
    [CLIENT_IDS] = {"client-ids", "CSV", "a file of lines SERIAL,CLIENT-ID (unset: all are called by their\n"
                    "common names)", ARGUMENT_ONCE},
    [ACTIVATE] = {"activate", "yes|no", "no: they may pass when they are activated (unset: yes)", ARGUMENT_ONCE},
    {0},
};
// clang-format on

const char cert_import_details[] =
    "Files and folders as lb cert register takes them, but as many at once as the disk can write:\n"
    "signups_per_second does not count. What is registered already stays as it is, so that an "
    "import\n"
    "that was broken off may simply be done again. Exit status 1 when one was refused.\n";

enum {
    CALL_BYTES = 7 * 1024 * 1024, /* of certificates; lb takes 8 MiB with what is around them */
    CALL_CERTIFICATES = 10000,
    SOURCE_BYTES = 201, /* lb takes one less, and needs no more: two paths */
    PATH_SHOWN_BYTES = 98,
    FAULTS_SHOWN = 20, /* of broken files; lb tells the first ones of a call, too */
};

struct importing {
    struct registry_client client;
    struct arguments arguments;
    struct chain_cas cas;
    struct client_ids ids;
    bool activate;
    bool has_failed; /* a call did: nothing more is tried */
    bool on_terminal;
    json_t *batch;
    size_t batch_bytes;
    struct file_place *places; /* of the batch; paths are owned */
    char *path;                /* the last one, for those that follow in the same file */
    long long added, present, bad, shown;
};

/* --- telling -------------------------------------------------------------------------------- */

static void tell_fault(struct importing *importing, const char *where, const char *reason)
{
    if (importing->shown++ < FAULTS_SHOWN)
        fprintf(stderr, "%slb %s: %s: %s\n", importing->on_terminal ? "\r\033[K" : "", verb, where,
                reason);
}

static bool count_wrong(void *arg, const struct file_place *place, const char *reason)
{
    struct importing *importing = arg;
    char where[PLACE_BYTES];
    tell_fault(importing, file_place_text(place, where), reason);
    importing->bad++;
    return true;
}

static void tell_progress(const struct importing *importing)
{
    char number[NUMBER_BYTES];
    if (importing->on_terminal)
        fprintf(stderr, "\r%s certificates …",
                number_text(importing->added + importing->present + importing->bad, number));
}

static void take_counts(struct importing *importing, const json_t *answer)
{
    const json_t *faults = json_object_get(answer, "faults"), *fault;
    size_t count = json_array_size(importing->batch);
    importing->added += member_number(answer, "added");
    importing->present += member_number(answer, "present");
    importing->bad += member_number(answer, "bad");
    for (size_t i = 0; (fault = json_array_get(faults, i)); i++) {
        char where[PLACE_BYTES] = "?";
        size_t index = (size_t)member_number(fault, "index");
        if (index < count)
            file_place_text(&importing->places[index], where);
        tell_fault(importing, where, member_text_or_dash(fault, "text"));
    }
}

/* --- calls ---------------------------------------------------------------------------------- */

/* A path as one line of UTF-8; of a long one the end, which says more. */
static void put_path(const char *path, char into[PATH_SHOWN_BYTES])
{
    size_t used = 0, length = strlen(path);
    if (length >= PATH_SHOWN_BYTES) {
        used = (size_t)snprintf(into, PATH_SHOWN_BYTES, "…");
        path += length + used + 1 - PATH_SHOWN_BYTES;
        while (((unsigned char)*path & 0xc0) == 0x80)
            path++;
    }
    for (size_t left = strlen(path), step; left > 0; path += step, left -= step) {
        step = utf8_length(path, left);
        bool is_shown = step > 0 && (unsigned char)*path >= 0x20 && *path != 0x7f;
        step = step > 0 ? step : 1;
        memcpy(into + used, is_shown ? path : "?", is_shown ? step : 1);
        used += is_shown ? step : 1;
    }
    into[used] = '\0';
}

/* Where a batch came from, for the audit log: its file, or its first and its last. */
static void write_source(const struct importing *importing, char into[SOURCE_BYTES])
{
    char first[PATH_SHOWN_BYTES], last[PATH_SHOWN_BYTES];
    put_path(importing->places[0].path, first);
    put_path(importing->places[json_array_size(importing->batch) - 1].path, last);
    snprintf(into, SOURCE_BYTES, "%s%s%s", first, strcmp(first, last) == 0 ? "" : " to ",
             strcmp(first, last) == 0 ? "" : last);
}

static bool flush_batch(struct importing *importing)
{
    char source[SOURCE_BYTES];
    if (json_array_size(importing->batch) == 0)
        return true;
    write_source(importing, source);
    json_t *body = json_pack("{s:O, s:b, s:s}", "certificates", importing->batch, "activate",
                             (int)importing->activate, "source_text", source);
    json_t *answer =
        body ? registry_client_get(&importing->client, "POST", "/v1/certificates/import", body)
             : NULL;
    json_decref(body);
    importing->has_failed = !answer;
    if (answer)
        take_counts(importing, answer);
    json_decref(answer);
    json_array_clear(importing->batch);
    importing->batch_bytes = 0;
    tell_progress(importing);
    return !importing->has_failed;
}

/* Places of one batch are mostly of one file: its path is kept once. */
static const char *keep_path(struct importing *importing, const char *path)
{
    if (importing->path && strcmp(importing->path, path) == 0)
        return importing->path;
    importing->path = arena_copy(&importing->client.admin.arena, path);
    return importing->path;
}

static const char *client_id_of(struct importing *importing, const X509 *certificate)
{
    if (importing->ids.count == 0)
        return NULL;
    char *serial = certificate_serial_text(certificate);
    const char *id = serial ? client_ids_take(&importing->ids, serial) : NULL;
    free(serial);
    return id;
}

static bool take(void *arg, X509 *certificate, const struct file_place *place)
{
    struct importing *importing = arg;
    if (X509_check_ca(certificate) > 0)
        return true;
    char *pem = chain_pem(&importing->cas, certificate);
    json_t *item = pem ? json_pack("{s:s, s:s*}", "pem", pem, "client_id",
                                   client_id_of(importing, certificate))
                       : NULL;
    if (!item)
        error_out_of_memory();
    size_t bytes = strlen(pem) + strlen(pem) / 32; /* each line's end takes one more */
    free(pem);
    if ((importing->batch_bytes + bytes > CALL_BYTES ||
         json_array_size(importing->batch) == CALL_CERTIFICATES) &&
        !flush_batch(importing)) {
        json_decref(item);
        return false;
    }
    importing->places[json_array_size(importing->batch)] =
        (struct file_place){keep_path(importing, place->path), place->line};
    json_array_append_new(importing->batch, item);
    importing->batch_bytes += bytes;
    return true;
}

/* --- the verb ------------------------------------------------------------------------------- */

static void write_summary(const struct importing *importing)
{
    char added[NUMBER_BYTES], present[NUMBER_BYTES], bad[NUMBER_BYTES];
    size_t left = client_ids_left(&importing->ids);
    if (importing->arguments.on & ARGUMENT_JSON) {
        printf("{\"added\": %lld, \"present\": %lld, \"bad\": %lld}\n", importing->added,
               importing->present, importing->bad);
        return;
    }
    printf("%s imported, %s there already, %s refused%s\n", number_text(importing->added, added),
           number_text(importing->present, present), number_text(importing->bad, bad),
           importing->has_failed ? ", and the rest was not tried" : "");
    if (left > 0)
        fprintf(stderr, "lb %s: of no certificate among these: %zu client id%s\n", verb, left,
                left == 1 ? "" : "s");
}

static int import_all(struct importing *importing)
{
    const struct certificate_visitor visitor = {take, count_wrong, importing};
    certificate_files_walk(importing->arguments.words, importing->arguments.word_count, &visitor);
    if (!importing->has_failed)
        flush_batch(importing);
    if (importing->on_terminal)
        fputs("\r\033[K", stderr);
    if (importing->shown > FAULTS_SHOWN)
        fprintf(stderr, "lb %s: … and more: %lld were refused\n", verb, importing->bad);
    write_summary(importing);
    return importing->has_failed || importing->bad > 0 ? COMMAND_FAILED : COMMAND_DONE;
}

static int run(struct importing *importing)
{
    struct error err;
    const char *csv = arguments_value(&importing->arguments, CLIENT_IDS);
    int status = registry_client_open(&importing->client, verb, &importing->arguments);
    importing->on_terminal = isatty(STDERR_FILENO);
    importing->batch = json_array();
    importing->places = calloc(CALL_CERTIFICATES, sizeof *importing->places);
    if (!importing->places)
        error_out_of_memory();
    if (status == COMMAND_DONE &&
        !((!csv || client_ids_read(&importing->ids, csv, &err)) &&
          certificate_files_chains(importing->arguments.words, importing->arguments.word_count,
                                   &importing->cas, &err)))
        status = registry_client_tell(&importing->client, err.text);
    if (status == COMMAND_DONE)
        status = import_all(importing);
    json_decref(importing->batch);
    free(importing->places);
    client_ids_done(&importing->ids);
    chain_cas_done(&importing->cas);
    registry_client_done(&importing->client);
    return status;
}

int cert_import(int argc, char **argv)
{
    static const struct argument_form form = {verb, ARGUMENT_ONE_LB | ARGUMENT_JSON,
                                              cert_import_options, INT_MAX};
    struct importing importing = {.activate = true};
    if (!arguments_parse(&importing.arguments, &form, argc, argv))
        return COMMAND_MISUSED;
    const char *activate = arguments_value(&importing.arguments, ACTIVATE);
    if (importing.arguments.word_count < 1)
        return command_misused(verb, "say which files or folders: lb cert import FOLDER");
    if (activate && !word_is_switch(verb, "--activate", activate, &importing.activate))
        return COMMAND_MISUSED;
    return run(&importing);
}
