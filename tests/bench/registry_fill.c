/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes a registry of any size: a CA that is bound to a host, the certificates that are shown in
 * the benchmark, and as many others as are asked for. Those are rows only, put straight through the
 * store's interface: nobody has their keys, but their texts, times and sizes are those of a fleet.
 *
 * The one program of the benchmark that links the product: what a store holds is the product's
 * affair.
 */
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "lb/base/certificate.h"
#include "lb/base/timestamp.h"
#include "listeners/registry/cas.h"
#include "listeners/registry/certificates.h"
#include "listeners/registry/store.h"
#include "tests/bench/argument.h"

enum {
    ROWS_A_COMMIT = 20000,
    CERTIFICATES_MOST = 64,
    FILE_BYTES_MOST = 65536,
    DAY_S = 86400,
    YEAR_DAYS = 365,
    UNITS = 200,
    TEXT_BYTES = 128,
    UNIT_BYTES = 32,
    SERIAL_BYTES = 16,
    SIGNATURE_BYTES = 64, /* at the end of a certificate: what differs most between two */
};

static const char usage[] =
    "usage: registry_fill --store sqlite:FILE --ca FILE --name NAME --host HOST --count N\n"
    "                     [--certificate FILE]...\n"
    "Makes a registry with this CA, bound to the host, and N certificates: those of the files,\n"
    "registered and activated, and made-up ones.\n";

struct fill {
    const char *store;
    const char *ca;
    const char *name;
    const char *host;
    unsigned long count;
    const char *certificates[CERTIFICATES_MOST];
    unsigned certificate_count;
    struct actor actor;
    struct ledger *ledger;
    struct ca_record like; /* id and subject of the CA */
    uint64_t random;
    unsigned char *der; /* of a real one: the made-up ones are as long */
    size_t der_bytes;
};

__attribute__((noreturn, format(printf, 1, 2))) static void give_up(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("registry_fill: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(1);
}

static void check(bool good, const struct error *err)
{
    if (!good)
        give_up("%s", err->text);
}

/* --- what is asked for ---------------------------------------------------------------------- */

static void read_option(struct fill *fill, int key, const char *text)
{
    if (key == 's')
        fill->store = text;
    else if (key == 'a')
        fill->ca = text;
    else if (key == 'n')
        fill->name = text;
    else if (key == 'h')
        fill->host = text;
    else if (key == 'c')
        fill->count = argument_number("--count", text, 1, 100000000);
    else if (fill->certificate_count < CERTIFICATES_MOST)
        fill->certificates[fill->certificate_count++] = text;
}

static void read_options(struct fill *fill, int argc, char **argv)
{
    static const struct option options[] = {
        {"store", required_argument, NULL, 's'},
        {"ca", required_argument, NULL, 'a'},
        {"name", required_argument, NULL, 'n'},
        {"host", required_argument, NULL, 'h'},
        {"count", required_argument, NULL, 'c'},
        {"certificate", required_argument, NULL, 'f'},
        {NULL, 0, NULL, 0},
    };
    int key;
    bool good = true;
    while ((key = getopt_long(argc, argv, "", options, NULL)) != -1) {
        good = good && key != '?';
        read_option(fill, key, optarg);
    }
    if (good && optind == argc && fill->store && fill->ca && fill->name && fill->host &&
        fill->certificate_count > 0 && fill->count >= fill->certificate_count)
        return;
    fputs(usage, stderr);
    exit(2);
}

/* --- what is real --------------------------------------------------------------------------- */

static char *file_text(const char *path, size_t *ret_bytes)
{
    char *text = calloc(1, FILE_BYTES_MOST);
    FILE *file = fopen(path, "re");
    if (!file || !text)
        give_up("%s: cannot be read", path);
    *ret_bytes = fread(text, 1, FILE_BYTES_MOST - 1, file);
    fclose(file);
    return text;
}

static void put_ca(struct fill *fill)
{
    struct error err = {""};
    struct ca_result result = {0};
    size_t bytes = 0;
    char *pem = file_text(fill->ca, &bytes);
    check(ca_upload(fill->ledger, fill->name, pem, bytes, 32, &fill->actor, &result, &err) ==
              CHANGE_MADE,
          &err);
    free(pem);
    memcpy(fill->like.id, result.record.id, sizeof fill->like.id);
    fill->like.subject = strdup(result.record.subject);
    ca_result_done(&result);
    check(ca_bind(fill->ledger, fill->name, CA_BIND_REPLACE, &fill->host, 1, NULL, &fill->actor,
                  &result, &err) == CHANGE_MADE,
          &err);
    ca_result_done(&result);
}

static void put_real(struct fill *fill, const char *path)
{
    struct error err = {""};
    struct certificate_result result = {0};
    size_t bytes = 0;
    char *pem = file_text(path, &bytes);
    STACK_OF(X509) *read = certificates_read(pem, bytes, path, &err);
    check(read, &err);
    const struct registration registration = {
        .certificate = sk_X509_value(read, 0), .activate = true, .source = SOURCE_MANUAL};
    check(certificate_register(fill->ledger, &registration, &fill->actor, &result, &err) ==
              CHANGE_MADE,
          &err);
    if (!fill->der) {
        fill->der_bytes = result.record.der_bytes;
        fill->der = malloc(fill->der_bytes);
        if (!fill->der || fill->der_bytes < SIGNATURE_BYTES)
            give_up("%s: too short", path);
        memcpy(fill->der, result.record.der, fill->der_bytes);
    }
    certificate_result_done(&result);
    sk_X509_pop_free(read, X509_free);
    free(pem);
}

/* --- what is made up ------------------------------------------------------------------------ */

/* splitmix64: the same rows in every run. */
static uint64_t draw(struct fill *fill)
{
    uint64_t z = fill->random += 0x9e3779b97f4a7c15U;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
}

static unsigned draw_below(struct fill *fill, unsigned limit)
{
    return (unsigned)(draw(fill) % limit);
}

static void draw_bytes(struct fill *fill, unsigned char *into, size_t bytes)
{
    for (size_t i = 0; i < bytes; i += sizeof(uint64_t)) {
        uint64_t drawn = draw(fill);
        memcpy(into + i, &drawn, bytes - i < sizeof drawn ? bytes - i : sizeof drawn);
    }
}

static void write_hex(const unsigned char *bytes, size_t count, const char *digits, char *into)
{
    for (size_t i = 0; i < count; i++) {
        into[2 * i] = digits[bytes[i] >> 4];
        into[2 * i + 1] = digits[bytes[i] & 15];
    }
    into[2 * count] = '\0';
}

/* Of a fleet that has been growing for two years: nearly all may pass. */
static void draw_state(struct fill *fill, struct certificate_record *record)
{
    static const enum certificate_source sources[] = {SOURCE_IMPORTED, SOURCE_IMPORTED,
                                                      SOURCE_MANUAL, SOURCE_AUTO};
    unsigned percent = draw_below(fill, 100);
    int64_t now_s = fill->actor.now_ms / 1000;
    record->status = percent < 94   ? CERTIFICATE_ACTIVATED
                     : percent < 96 ? CERTIFICATE_NOT_ACTIVATED
                     : percent < 98 ? CERTIFICATE_REGISTERED
                                    : CERTIFICATE_REVOKED;
    record->source = sources[draw_below(fill, 4)];
    record->not_before_s = now_s - (int64_t)draw_below(fill, 2 * YEAR_DAYS) * DAY_S;
    record->not_after_s =
        record->not_before_s + (int64_t)(1 + draw_below(fill, 3)) * YEAR_DAYS * DAY_S;
    record->created_ms = record->updated_ms = record->not_before_s * 1000 + 1;
    record->activated_ms = record->status == CERTIFICATE_REGISTERED ? 0 : record->created_ms;
    record->deactivated_ms =
        record->status == CERTIFICATE_NOT_ACTIVATED ? record->created_ms + 1000 : 0;
}

static void put_made_up(struct fill *fill, unsigned long number)
{
    char serial[2 * SERIAL_BYTES + 1], name[TEXT_BYTES], unit[UNIT_BYTES], client_id[TEXT_BYTES],
        subject[3 * TEXT_BYTES];
    unsigned char random[32];
    struct error err = {""};
    struct certificate_record record = {.serial = serial,
                                        .subject = subject,
                                        .issuer = fill->like.subject,
                                        .common_name = name,
                                        .unit = unit,
                                        .client_id = client_id,
                                        .der = fill->der,
                                        .der_bytes = fill->der_bytes};
    draw_state(fill, &record);
    draw_bytes(fill, record.key, sizeof record.key);
    draw_bytes(fill, record.tbs, sizeof record.tbs);
    draw_bytes(fill, fill->der + fill->der_bytes - SIGNATURE_BYTES, SIGNATURE_BYTES);
    draw_bytes(fill, random, sizeof random);
    random[0] =
        (unsigned char)((random[0] & 0x3f) | 0x40); /* a serial is positive, no zeros lead */
    write_hex(random, sizeof random, "0123456789abcdef", record.sha256);
    write_hex(random, SERIAL_BYTES, "0123456789ABCDEF", serial);
    memcpy(record.ca, fill->like.id, sizeof record.ca);
    snprintf(unit, sizeof unit, "plant-%03u", draw_below(fill, UNITS));
    snprintf(name, sizeof name, "device-%07lu.%s.example.com", number, unit);
    client_id[0] = '\0'; /* of every second one: its common name stands for it */
    if (number % 2)
        snprintf(client_id, sizeof client_id, "SN%07lu", number);
    snprintf(subject, sizeof subject, "CN=%s,OU=%s,O=Bench,C=DE", name, unit);
    check(fill->ledger->store->add_certificate(fill->ledger, &record, &err) == STORE_DONE, &err);
}

static void put_fleet(struct fill *fill)
{
    const struct store *store = fill->ledger->store;
    struct error err = {""};
    for (unsigned long number = fill->certificate_count; number < fill->count;) {
        unsigned long end =
            number + ROWS_A_COMMIT < fill->count ? number + ROWS_A_COMMIT : fill->count;
        check(store->begin(fill->ledger, &err) == STORE_DONE, &err);
        for (; number < end; number++)
            put_made_up(fill, number);
        check(store->commit(fill->ledger, &err) == STORE_DONE, &err);
    }
}

int main(int argc, char **argv)
{
    struct fill fill = {.actor = {"the benchmark", timestamp_now_ms()}, .random = 4711};
    struct error err = {""};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    read_options(&fill, argc, argv);
    int64_t began_ms = timestamp_monotonic_ms();
    check(ledger_open(&fill.ledger, fill.store, STORE_MAKE, &err) == STORE_DONE, &err);
    put_ca(&fill);
    for (unsigned i = 0; i < fill.certificate_count; i++)
        put_real(&fill, fill.certificates[i]);
    put_fleet(&fill);
    ledger_close(fill.ledger);
    printf("{\"count\": %lu, \"seconds\": %.1f}\n", fill.count,
           (double)(timestamp_monotonic_ms() - began_ms) / 1000);
    free(fill.der);
    free((char *)fill.like.subject);
    return 0;
}
