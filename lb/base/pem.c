/* SPDX-License-Identifier: Apache-2.0 */
/* See pem.h. */
#include "lb/base/pem.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lb/base/error.h"
#include "lb/base/limits.h"

void pem_done(struct pem *pem)
{
    if (pem->text)
        OPENSSL_cleanse(pem->text, pem->length);
    free(pem->text);
    pem->text = NULL;
}

/* Drop a BOM, carriage returns, blank lines and blanks around lines, in place. An encrypted key of
 * the old kind needs its blank line, but those are refused anyway. */
static void pem_tidy(struct pem *pem)
{
    size_t from = pem->length >= 3 && memcmp(pem->text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    size_t to = 0;
    for (; from < pem->length; from++) {
        char byte = pem->text[from];
        bool at_start = to == 0 || pem->text[to - 1] == '\n';
        if (byte == '\r' || (at_start && (byte == '\n' || byte == ' ' || byte == '\t')))
            continue;
        while (byte == '\n' && (pem->text[to - 1] == ' ' || pem->text[to - 1] == '\t'))
            to--;
        pem->text[to++] = byte;
    }
    OPENSSL_cleanse(pem->text + to, pem->length - to);
    pem->length = to;
}

/* Into fresh memory of so many bytes; false: there is none, or the file cannot be read. */
static bool read_up_to(FILE *file, size_t room, struct pem *pem)
{
    pem->text = malloc(room);
    if (!pem->text)
        return false;
    pem->length = fread(pem->text, 1, room, file);
    return !ferror(file);
}

static bool read_all(FILE *file, const char *path, struct pem *pem, struct error *err)
{
    /* One byte more than allowed shows that there is more. */
    static const size_t most = CERTIFICATE_FILE_BYTES + 1;
    struct stat status;
    if (fstat(fileno(file), &status) != 0)
        return error_set(err, "%s: %s", path, strerror(errno));
    if (S_ISDIR(status.st_mode))
        return error_set(err, "%s: is a folder, not a PEM file", path);
    /* stdio's own copy would outlive the key. */
    setvbuf(file, NULL, _IONBF, 0);
    bool tells_size = S_ISREG(status.st_mode) && (uintmax_t)status.st_size < most;
    size_t room = tells_size ? (size_t)status.st_size + 1 : most;
    bool read = read_up_to(file, room, pem);
    if (read && pem->length == room && room < most) { /* it has grown, or says 0 as /proc does */
        pem_done(pem);
        rewind(file);
        read = read_up_to(file, most, pem);
    }
    if (!read)
        return pem->text ? error_set(err, "%s: cannot be read: %s", path, strerror(errno))
                         : error_set(err, "%s: out of memory", path);
    if (pem->length > CERTIFICATE_FILE_BYTES)
        return error_set(err, "%s: is larger than %d MiB, no PEM file of certificates is", path,
                         CERTIFICATE_FILE_BYTES / (1024 * 1024));
    if (pem->length == 0)
        return error_set(err, "%s: is empty", path);
    pem_tidy(pem);
    return true;
}

bool pem_read_stream(FILE *file, const char *path, struct pem *pem, struct error *err)
{
    *pem = (struct pem){0};
    bool read = read_all(file, path, pem, err);
    if (!read)
        pem_done(pem);
    return read;
}

bool pem_read(const char *path, struct pem *pem, struct error *err)
{
    *pem = (struct pem){0};
    FILE *file = fopen(path, "rbe");
    if (!file)
        return error_set(err, "%s: cannot be opened: %s", path, strerror(errno));
    bool read = pem_read_stream(file, path, pem, err);
    fclose(file);
    return read;
}

bool pem_copy(const char *text, size_t bytes, const char *what, struct pem *pem, struct error *err)
{
    *pem = (struct pem){0};
    if (bytes > CERTIFICATE_FILE_BYTES)
        return error_set(err, "%s: is larger than %d MiB, no PEM text of certificates is", what,
                         CERTIFICATE_FILE_BYTES / (1024 * 1024));
    if (bytes == 0)
        return error_set(err, "%s: is empty", what);
    pem->text = malloc(bytes);
    if (!pem->text)
        return error_set(err, "%s: out of memory", what);
    memcpy(pem->text, text, bytes);
    pem->length = bytes;
    pem_tidy(pem);
    return true;
}

bool pem_has(const struct pem *pem, const char *words)
{
    return memmem(pem->text, pem->length, words, strlen(words)) != NULL;
}

bool pem_is_der(const struct pem *pem)
{
    return pem->length > 0 && pem->text[0] == 0x30;
}

const char *pem_describe(const struct pem *pem)
{
    if (pem_has(pem, "CERTIFICATE REQUEST-----"))
        return "a certificate request (CSR)";
    if (pem_has(pem, "-----BEGIN CERTIFICATE-----") ||
        pem_has(pem, "-----BEGIN X509 CERTIFICATE-----"))
        return "a certificate";
    if (pem_has(pem, "TRUSTED CERTIFICATE-----"))
        return "a certificate in OpenSSL's own TRUSTED form";
    if (pem_has(pem, "PRIVATE KEY-----"))
        return "a private key";
    if (pem_has(pem, "PUBLIC KEY-----"))
        return "a public key";
    if (pem_has(pem, "X509 CRL-----"))
        return "a revocation list (CRL)";
    if (pem_has(pem, "PKCS7-----") || pem_has(pem, "CMS-----"))
        return "a PKCS #7 bundle (openssl pkcs7 -print_certs makes PEM of it)";
    if (pem_is_der(pem))
        return "DER (openssl x509 -inform DER, or openssl pkcs12, makes PEM of it)";
    return "no PEM at all";
}

bool pem_holds_key(const char *text, size_t bytes)
{
    static const char label[] = "PRIVATE KEY-----";
    return memmem(text, bytes, label, sizeof label - 1) != NULL;
}
