/* SPDX-License-Identifier: Apache-2.0 */
/* See issuer_files.h. The folder's owner decides what is in it, so what is theirs is trusted; but
 * nobody else's. */
#include "listeners/registry/issuer_files.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lb/base/certificate.h"
#include "lb/base/state_dir.h"
#include "lb/base/whole_file.h"
#include "listeners/registry/passphrase.h"

/* Of scrypt, which makes the cipher's key of the passphrase: 16 MiB and some 50 ms for each try. */
enum { SCRYPT_N = 16384, SCRYPT_R = 8, SCRYPT_P = 1 };

enum issuer_outcome issuer_folder_open(struct issuer_folder *folder,
                                       const struct issuer_place *place, bool make,
                                       struct error *err)
{
    size_t length = strlen(place->state_dir);
    struct stat status;
    bool is_missing = false;
    while (length > 1 && place->state_dir[length - 1] == '/')
        length--;
    *folder = (struct issuer_folder){.fd = -1, .passphrase_file = place->passphrase_file};
    if (length >= sizeof folder->path) {
        error_set(err, "state_dir is longer than %zu bytes", sizeof folder->path - 1);
        return ISSUER_FAILED;
    }
    memcpy(folder->path, place->state_dir, length);
    folder->fd = make ? state_dir_open_for_owner(folder->path, err)
                      : state_dir_look_for_owner(folder->path, &is_missing, err);
    if (folder->fd < 0)
        return is_missing ? ISSUER_MISSING : ISSUER_FAILED;
    if (fstat(folder->fd, &status) != 0) {
        error_set(err, "state_dir %s: %s", folder->path, strerror(errno));
        issuer_folder_close(folder);
        return ISSUER_FAILED;
    }
    folder->owner = status.st_uid;
    return ISSUER_DONE;
}

void issuer_folder_close(struct issuer_folder *folder)
{
    if (folder->fd >= 0)
        close(folder->fd);
    folder->fd = -1;
}

/* --- reading ------------------------------------------------------------------------------- */

/* A file of the CA, and the rights that nobody else may have. */
struct wanted {
    const char *name;
    mode_t forbidden;
    const char *consequence;
};

static const struct wanted wanted_certificate = {
    ISSUER_CERTIFICATE_NAME, S_IWGRP | S_IWOTH,
    "chmod 644 it, and look whether it is still the CA that you made"};
static const struct wanted wanted_key = {ISSUER_KEY_NAME, S_IRWXG | S_IRWXO,
                                         "chmod 600 it; if somebody did read it, they can make "
                                         "certificates of this CA: make another one "
                                         "in its place (lb ca create --replace)"};

static bool is_fine(const struct issuer_folder *folder, const struct wanted *wanted, int fd,
                    struct error *err)
{
    struct stat status;
    if (fstat(fd, &status) != 0)
        return error_set(err, "%s/%s: %s", folder->path, wanted->name, strerror(errno));
    if (!S_ISREG(status.st_mode))
        return error_set(err, "%s/%s is no file", folder->path, wanted->name);
    if (status.st_uid != 0 && status.st_uid != geteuid() && status.st_uid != folder->owner)
        return error_set(err,
                         "%s/%s belongs to another user (uid %u): give it to the owner of its "
                         "folder (chown), if it is what you put there",
                         folder->path, wanted->name, (unsigned)status.st_uid);
    if (status.st_mode & wanted->forbidden)
        return error_set(err, "%s/%s may be %s by others (mode %04o): %s", folder->path,
                         wanted->name, wanted->forbidden & S_IROTH ? "read or written" : "written",
                         (unsigned)(status.st_mode & 07777), wanted->consequence);
    return true;
}

/* path: for messages; PATH_MAX and the name's bytes. */
enum { FILE_PATH_BYTES = PATH_MAX + sizeof "/" ISSUER_CERTIFICATE_NAME };

static enum issuer_outcome read_text(const struct issuer_folder *folder,
                                     const struct wanted *wanted, char path[FILE_PATH_BYTES],
                                     struct pem *pem, struct error *err)
{
    snprintf(path, FILE_PATH_BYTES, "%s/%s", folder->path, wanted->name);
    int fd = openat(folder->fd, wanted->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0 && errno == ENOENT)
        return ISSUER_MISSING;
    if (fd < 0) {
        error_set(err, "%s cannot be opened: %s", path,
                  errno == ELOOP ? "it is a symbolic link; put the file itself there"
                                 : strerror(errno));
        return ISSUER_FAILED;
    }
    FILE *file = is_fine(folder, wanted, fd, err) ? fdopen(fd, "rb") : NULL;
    bool good = file && pem_read_stream(file, path, pem, err);
    if (file)
        fclose(file);
    else
        close(fd);
    return good ? ISSUER_DONE : ISSUER_FAILED;
}

static bool is_one_ca(STACK_OF(X509) * found, const char *path, struct error *err)
{
    if (sk_X509_num(found) != 1)
        return error_set(err, "%s holds %d certificates; it has to be the built-in CA alone", path,
                         sk_X509_num(found));
    X509 *ca = sk_X509_value(found, 0);
    ERR_set_mark();
    bool is_ca = X509_check_ca(ca) == 1 && (X509_get_key_usage(ca) & KU_KEY_CERT_SIGN) != 0;
    ERR_pop_to_mark();
    return is_ca || error_set(err,
                              "%s is not a CA's certificate (basicConstraints CA:TRUE, keyUsage "
                              "keyCertSign)",
                              path);
}

enum issuer_outcome issuer_folder_certificate(const struct issuer_folder *folder, X509 **ret_ca,
                                              struct error *err)
{
    struct pem pem;
    char path[FILE_PATH_BYTES];
    enum issuer_outcome outcome = read_text(folder, &wanted_certificate, path, &pem, err);
    if (outcome != ISSUER_DONE)
        return outcome;
    STACK_OF(X509) *found = certificates_read(pem.text, pem.length, path, err);
    pem_done(&pem);
    if (!found)
        return ISSUER_FAILED;
    bool good = is_one_ca(found, path, err);
    if (good)
        *ret_ca = sk_X509_shift(found);
    sk_X509_pop_free(found, X509_free);
    return good ? ISSUER_DONE : ISSUER_FAILED;
}

/* --- the key ------------------------------------------------------------------------------- */

struct asked {
    const struct passphrase *passphrase; /* NULL: there is none */
    bool was_asked;
};

static int on_passphrase(char *into, int room, int writing, void *arg)
{
    struct asked *asked = arg;
    (void)writing;
    asked->was_asked = true;
    if (!asked->passphrase || asked->passphrase->length > (size_t)room)
        return -1;
    memcpy(into, asked->passphrase->bytes, asked->passphrase->length);
    return (int)asked->passphrase->length;
}

static bool explain_key(const struct issuer_folder *folder, const struct asked *asked,
                        const struct pem *pem, const char *path, struct error *err)
{
    if (!pem_has(pem, "PRIVATE KEY-----"))
        return error_set(err, "%s holds %s; it has to be the key of the built-in CA", path,
                         pem_describe(pem));
    if (asked->was_asked && !asked->passphrase)
        return error_set(err,
                         "%s has a passphrase: say where it is, ca_passphrase_file = FILE in "
                         "[registry]",
                         path);
    if (asked->was_asked)
        return error_set(err, "the passphrase in %s is not the one of %s", folder->passphrase_file,
                         path);
    if (pem_has(pem, "Proc-Type: 4,ENCRYPTED"))
        return error_set(err,
                         "%s is encrypted in an old way: write it anew (openssl pkcs8 -topk8 "
                         "-scrypt -in %s -out NEW)",
                         path, path);
    return error_set(err, "%s: the key cannot be decoded; put back a copy", path);
}

/* A key that is open although its passphrase is said is not what somebody believes it to be. */
static bool is_as_closed_as_said(const struct issuer_folder *folder, const struct asked *asked,
                                 const char *path, struct error *err)
{
    return asked->was_asked || !asked->passphrase ||
           error_set(err,
                     "%s is not encrypted, although ca_passphrase_file = %s: encrypt it (openssl "
                     "pkcs8 -topk8 -scrypt -in %s -out NEW), or leave that key out",
                     path, folder->passphrase_file, path);
}

static EVP_PKEY *parse_key(const struct issuer_folder *folder, struct asked *asked,
                           const struct pem *pem, const char *path, struct error *err)
{
    BIO *bio = BIO_new_mem_buf(pem->text, (int)pem->length);
    ERR_set_mark();
    EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, on_passphrase, asked) : NULL;
    ERR_pop_to_mark();
    BIO_free(bio);
    if (!key)
        explain_key(folder, asked, pem, path, err);
    else if (!is_as_closed_as_said(folder, asked, path, err)) {
        EVP_PKEY_free(key);
        key = NULL;
    }
    return key;
}

enum issuer_outcome issuer_folder_key(const struct issuer_folder *folder, EVP_PKEY **ret_key,
                                      struct error *err)
{
    struct pem pem;
    struct passphrase passphrase;
    struct asked asked = {NULL, false};
    char path[FILE_PATH_BYTES];
    enum issuer_outcome outcome = read_text(folder, &wanted_key, path, &pem, err);
    if (outcome != ISSUER_DONE)
        return outcome;
    bool good = true;
    if (folder->passphrase_file) {
        good = passphrase_read(folder->passphrase_file, &passphrase, err);
        asked.passphrase = &passphrase;
    }
    *ret_key = good ? parse_key(folder, &asked, &pem, path, err) : NULL;
    if (folder->passphrase_file)
        passphrase_done(&passphrase);
    pem_done(&pem);
    return *ret_key ? ISSUER_DONE : ISSUER_FAILED;
}

/* --- making -------------------------------------------------------------------------------- */

static enum issuer_outcome put(const struct issuer_folder *folder, const char *name, mode_t mode,
                               BIO *text, struct error *err)
{
    char *bytes = NULL;
    long length = BIO_get_mem_data(text, &bytes);
    const struct whole_file file = {folder->fd, name, mode};
    switch (whole_file_make(&file, bytes, (size_t)length)) {
    case WHOLE_FILE_MADE:
        return ISSUER_DONE;
    case WHOLE_FILE_EXISTS:
        return ISSUER_EXISTS;
    case WHOLE_FILE_FAILED:
        break;
    }
    error_set(err, "%s/%s cannot be made: %s", folder->path, name, strerror(errno));
    return ISSUER_FAILED;
}

enum issuer_outcome issuer_folder_put_certificate(const struct issuer_folder *folder, X509 *ca,
                                                  struct error *err)
{
    enum issuer_outcome outcome = ISSUER_FAILED;
    BIO *text = BIO_new(BIO_s_mem());
    if (text && PEM_write_bio_X509(text, ca) == 1)
        outcome = put(folder, ISSUER_CERTIFICATE_NAME, 0644, text, err);
    else
        error_set(err, "out of memory");
    BIO_free(text);
    return outcome;
}

/* PBES2 (RFC 8018) of AES-256 and scrypt. */
static bool write_encrypted(BIO *text, const EVP_PKEY *key, const struct passphrase *passphrase)
{
    X509_ALGOR *how =
        PKCS5_pbe2_set_scrypt(EVP_aes_256_cbc(), NULL, 0, NULL, SCRYPT_N, SCRYPT_R, SCRYPT_P);
    PKCS8_PRIV_KEY_INFO *plain = EVP_PKEY2PKCS8(key);
    X509_SIG *sealed = NULL;
    if (how && plain)
        sealed = PKCS8_set0_pbe(passphrase->bytes, (int)passphrase->length, plain, how);
    bool good = sealed && PEM_write_bio_PKCS8(text, sealed) == 1;
    if (!sealed)
        X509_ALGOR_free(how); /* else it is the sealed one's */
    PKCS8_PRIV_KEY_INFO_free(plain);
    X509_SIG_free(sealed);
    return good;
}

enum issuer_outcome issuer_folder_put_key(const struct issuer_folder *folder, const EVP_PKEY *key,
                                          struct error *err)
{
    struct passphrase passphrase;
    enum issuer_outcome outcome = ISSUER_FAILED;
    bool encrypt = folder->passphrase_file != NULL;
    if (encrypt && !passphrase_read(folder->passphrase_file, &passphrase, err))
        return ISSUER_FAILED;
    BIO *text = BIO_new(BIO_s_mem()); /* it cleanses what it held */
    bool good = text && (encrypt ? write_encrypted(text, key, &passphrase)
                                 : PEM_write_bio_PrivateKey(text, key, NULL, NULL, 0, NULL, NULL));
    if (encrypt)
        passphrase_done(&passphrase);
    if (good)
        outcome = put(folder, ISSUER_KEY_NAME, 0600, text, err);
    else
        error_set(err, "the key of the built-in CA cannot be %s: out of memory",
                  encrypt ? "encrypted" : "written");
    BIO_free(text);
    return outcome;
}
