/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/commands/certificate_files.h"

#include <dirent.h>
#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "lb/base/certificate.h"
#include "lb/base/limits.h"

static const char begin_line[] = "-----BEGIN CERTIFICATE-----";
static const char end_line[] = "-----END CERTIFICATE-----";

enum { BLOCK_BYTES = CLIENT_CHAIN_BYTES, PEM_BLOCK_BYTES = 2 * BLOCK_BYTES };

const char *file_place_text(const struct file_place *place, char into[PLACE_BYTES])
{
    if (place->line > 0)
        snprintf(into, PLACE_BYTES, "%.480s:%lu", place->path, place->line);
    else
        snprintf(into, PLACE_BYTES, "%.500s", place->path);
    return into;
}

/* --- one file ------------------------------------------------------------------------------- */

/* What is read of a file. */
struct reading {
    const struct certificate_visitor *visitor;
    struct file_place place; /* its line: of the block that is being read */
    FILE *file;
    unsigned long line;
    unsigned long blocks;
    bool holds_key;
    bool in_block;
    size_t length;
    char block[PEM_BLOCK_BYTES];
    char raw[PEM_BLOCK_BYTES]; /* a line; a longer one comes in pieces */
};

static bool say_wrong(const struct reading *reading, const char *reason)
{
    return reading->visitor->wrong(reading->visitor->arg, &reading->place, reason);
}

static bool give(const struct reading *reading, X509 *certificate)
{
    bool goes_on =
        certificate ? reading->visitor->found(reading->visitor->arg, certificate, &reading->place)
                    : say_wrong(reading, "this certificate is damaged: it cannot be decoded");
    X509_free(certificate);
    ERR_clear_error();
    return goes_on;
}

static bool give_block(struct reading *reading)
{
    BIO *bio = BIO_new_mem_buf(reading->block, (int)reading->length);
    if (!bio)
        error_out_of_memory();
    X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    BIO_free(bio);
    return give(reading, certificate);
}

/* Blanks around a line, its CR and a BOM go; a line that is left empty does not count. */
static char *tidy(char *line, size_t *ret_length)
{
    size_t length = strlen(line);
    if (strncmp(line, "\xef\xbb\xbf", 3) == 0) {
        line += 3;
        length -= 3;
    }
    while (length > 0 && strchr(" \t\r\n", line[length - 1]))
        length--;
    while (length > 0 && (*line == ' ' || *line == '\t')) {
        line++;
        length--;
    }
    line[length] = '\0';
    *ret_length = length;
    return line;
}

static bool begin_block(struct reading *reading)
{
    bool was_open = reading->in_block;
    bool goes_on = !was_open || say_wrong(reading, "this certificate has no end");
    reading->in_block = true;
    reading->length = 0;
    reading->blocks++;
    reading->place.line = reading->line;
    return goes_on;
}

static bool add_line(struct reading *reading, const char *line, size_t length)
{
    if (reading->length + length + 2 > sizeof reading->block) {
        reading->in_block = false;
        return say_wrong(reading, "this certificate is larger than any client may show");
    }
    memcpy(reading->block + reading->length, line, length);
    reading->length += length;
    reading->block[reading->length++] = '\n';
    if (strcmp(line, end_line) != 0)
        return true;
    reading->in_block = false;
    return give_block(reading);
}

static bool take_line(struct reading *reading, char *raw)
{
    size_t length;
    const char *line = tidy(raw, &length);
    reading->line++;
    if (strcmp(line, begin_line) == 0 && !begin_block(reading))
        return false;
    if (strstr(line, "PRIVATE KEY-----"))
        reading->holds_key = true;
    return !reading->in_block || length == 0 || add_line(reading, line, length);
}

static bool end_file(struct reading *reading)
{
    if (reading->in_block)
        return say_wrong(reading, "this certificate has no end");
    if (reading->blocks > 0)
        return true;
    reading->place.line = 0;
    return say_wrong(reading, reading->holds_key
                                  ? "holds a private key and no certificate"
                                  : "holds no certificate (-----BEGIN CERTIFICATE-----)");
}

static bool read_pem(struct reading *reading)
{
    bool goes_on = true;
    while (goes_on && fgets(reading->raw, sizeof reading->raw, reading->file))
        goes_on = take_line(reading, reading->raw);
    if (!goes_on)
        return false;
    return ferror(reading->file) ? say_wrong(reading, strerror(errno)) : end_file(reading);
}

/* One certificate, as DER has it: a SEQUENCE. */
static bool read_der(struct reading *reading)
{
    unsigned char *bytes = (unsigned char *)reading->block;
    size_t length = fread(bytes, 1, BLOCK_BYTES, reading->file);
    const unsigned char *at = bytes;
    X509 *certificate = d2i_X509(NULL, &at, (long)length);
    if (certificate && at != bytes + length) {
        X509_free(certificate);
        certificate = NULL;
    }
    return give(reading, certificate);
}

static bool is_der(FILE *file)
{
    int first = fgetc(file);
    ungetc(first, file);
    return first == 0x30;
}

static bool walk_file(const char *path, const struct certificate_visitor *visitor)
{
    struct reading *reading = calloc(1, sizeof *reading);
    if (!reading)
        error_out_of_memory();
    reading->visitor = visitor;
    reading->place.path = path;
    reading->file = fopen(path, "rbe");
    bool goes_on;
    if (!reading->file)
        goes_on = say_wrong(reading, strerror(errno));
    else
        goes_on = is_der(reading->file) ? read_der(reading) : read_pem(reading);
    if (reading->file)
        fclose(reading->file);
    free(reading);
    return goes_on;
}

/* --- many ----------------------------------------------------------------------------------- */

static int is_certificate_file(const struct dirent *entry)
{
    static const char *const ends[] = {".pem", ".crt", ".cer", ".der"};
    const char *dot = strrchr(entry->d_name, '.');
    for (size_t i = 0; dot && dot != entry->d_name && i < sizeof ends / sizeof *ends; i++)
        if (strcasecmp(dot, ends[i]) == 0)
            return 1;
    return 0;
}

static bool walk_folder(const char *folder, const struct certificate_visitor *visitor)
{
    const struct file_place place = {.path = folder};
    struct dirent **entries = NULL;
    bool goes_on = true;
    int count = scandir(folder, &entries, is_certificate_file, alphasort);
    if (count < 0)
        return visitor->wrong(visitor->arg, &place, strerror(errno));
    for (int i = 0; i < count; i++) {
        char *path;
        if (asprintf(&path, "%s/%s", folder, entries[i]->d_name) < 0)
            error_out_of_memory();
        goes_on = goes_on && walk_file(path, visitor);
        free(path);
        free(entries[i]);
    }
    free(entries);
    if (count == 0)
        return visitor->wrong(visitor->arg, &place,
                              "holds no file named *.pem, *.crt, *.cer or *.der");
    return goes_on;
}

void certificate_files_walk(char *const *paths, int path_count,
                            const struct certificate_visitor *visitor)
{
    struct stat status;
    bool goes_on = true;
    for (int i = 0; i < path_count && goes_on; i++) {
        if (stat(paths[i], &status) == 0 && S_ISDIR(status.st_mode))
            goes_on = walk_folder(paths[i], visitor);
        else
            goes_on = walk_file(paths[i], visitor);
    }
}

/* --- chains --------------------------------------------------------------------------------- */

static bool is_there(const struct chain_cas *cas, const X509 *certificate)
{
    for (int i = 0; i < sk_X509_num(cas->cas); i++)
        if (X509_cmp(sk_X509_value(cas->cas, i), certificate) == 0)
            return true;
    return false;
}

static bool keep_ca(void *arg, X509 *certificate, const struct file_place *place)
{
    struct chain_cas *cas = arg;
    (void)place;
    if (X509_check_ca(certificate) <= 0 || is_there(cas, certificate))
        return true;
    if (!X509_up_ref(certificate) || sk_X509_push(cas->cas, certificate) <= 0)
        error_out_of_memory();
    return sk_X509_num(cas->cas) <= CHAIN_CAS_MOST;
}

static bool ignore(void *arg, const struct file_place *place, const char *reason)
{
    (void)arg;
    (void)place;
    (void)reason;
    return true;
}

bool certificate_files_chains(char *const *paths, int path_count, struct chain_cas *ret_cas,
                              struct error *err)
{
    const struct certificate_visitor visitor = {keep_ca, ignore, ret_cas};
    ret_cas->cas = sk_X509_new_null();
    if (!ret_cas->cas)
        error_out_of_memory();
    certificate_files_walk(paths, path_count, &visitor);
    if (sk_X509_num(ret_cas->cas) <= CHAIN_CAS_MOST)
        return true;
    return error_set(err, "there are more than %d different CAs among the certificates",
                     CHAIN_CAS_MOST);
}

void chain_cas_done(struct chain_cas *cas)
{
    sk_X509_pop_free(cas->cas, X509_free);
    cas->cas = NULL;
}

/* Lent; NULL: it is not there, or the certificate signed itself. */
static X509 *issuer_of(const struct chain_cas *cas, X509 *certificate)
{
    if (X509_check_issued(certificate, certificate) == X509_V_OK)
        return NULL;
    for (int i = 0; i < sk_X509_num(cas->cas); i++)
        if (X509_check_issued(sk_X509_value(cas->cas, i), certificate) == X509_V_OK)
            return sk_X509_value(cas->cas, i);
    return NULL;
}

char *chain_pem(const struct chain_cas *cas, X509 *certificate)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *bytes, *text = NULL;
    bool good = bio && PEM_write_bio_X509(bio, certificate);
    X509 *at = issuer_of(cas, certificate);
    for (int i = 0; good && at && i < CHAIN_LENGTH_MOST; i++) {
        good = PEM_write_bio_X509(bio, at) == 1;
        at = issuer_of(cas, at);
    }
    if (good) {
        long length = BIO_get_mem_data(bio, &bytes);
        text = strndup(bytes, (size_t)length);
    }
    BIO_free(bio);
    ERR_clear_error();
    return text;
}
