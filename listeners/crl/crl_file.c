/* SPDX-License-Identifier: Apache-2.0 */
#include "listeners/crl/crl_file.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lb/base/pem.h"

/* --- stamps ---------------------------------------------------------------------------------- */

struct crl_stamp crl_stamp_of(const struct stat *status)
{
    return (struct crl_stamp){.device = status->st_dev,
                              .inode = status->st_ino,
                              .bytes = status->st_size,
                              .modified = status->st_mtim,
                              .changed = status->st_ctim};
}

static bool same_time(const struct timespec *one, const struct timespec *other)
{
    return one->tv_sec == other->tv_sec && one->tv_nsec == other->tv_nsec;
}

bool crl_stamp_equal(const struct crl_stamp *one, const struct crl_stamp *other)
{
    return one->device == other->device && one->inode == other->inode &&
           one->bytes == other->bytes && same_time(&one->modified, &other->modified) &&
           same_time(&one->changed, &other->changed);
}

bool crl_file_look(const char *path, struct crl_stamp *ret, struct error *err)
{
    struct stat status;
    if (stat(path, &status) != 0)
        return error_set(err, "%s: cannot be opened: %s", path, strerror(errno));
    *ret = crl_stamp_of(&status);
    return true;
}

/* --- counting -------------------------------------------------------------------------------- */

struct crl_file *crl_file_ref(struct crl_file *file)
{
    atomic_fetch_add_explicit(&file->references, 1, memory_order_relaxed);
    return file;
}

void crl_file_unref(struct crl_file *file)
{
    if (!file || atomic_fetch_sub_explicit(&file->references, 1, memory_order_acq_rel) > 1)
        return;
    for (unsigned i = 0; i < file->count; i++)
        crl_unref(file->lists[i]);
    free(file);
}

/* --- bytes ----------------------------------------------------------------------------------- */

/* A file in memory. */
struct content {
    char *bytes;
    size_t length;
    struct crl_stamp stamp;
};

static bool check_kind(const struct stat *status, const char *path, struct error *err)
{
    if (!S_ISREG(status->st_mode))
        return error_set(err, "%s: is a %s, not a file", path,
                         S_ISDIR(status->st_mode) ? "folder" : "device or pipe");
    if (status->st_size > CRL_FILE_BYTES)
        return error_set(err,
                         "%s: is larger than %d MiB, which is the most lb reads of a file of "
                         "revocation lists",
                         path, CRL_FILE_BYTES / (1024 * 1024));
    return status->st_size > 0 || error_set(err, "%s: is empty", path);
}

/* One byte more than it had shows that it grows. */
static bool read_bytes(int fd, const char *path, struct content *content, struct error *err)
{
    size_t wanted = (size_t)content->stamp.bytes;
    content->bytes = malloc(wanted + 1);
    if (!content->bytes)
        return error_set(err, "%s: out of memory", path);
    while (content->length <= wanted) {
        ssize_t got = read(fd, content->bytes + content->length, wanted + 1 - content->length);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_set(err, "%s: cannot be read: %s", path, strerror(errno));
        if (got == 0)
            break;
        content->length += (size_t)got;
    }
    return content->length == wanted || error_set(err, "%s: was changed while it was read", path);
}

static bool read_open(int fd, const char *path, struct content *content, struct error *err)
{
    struct stat status;
    if (fstat(fd, &status) != 0)
        return error_set(err, "%s: %s", path, strerror(errno));
    content->stamp = crl_stamp_of(&status);
    return check_kind(&status, path, err) && read_bytes(fd, path, content, err);
}

static bool read_content(const char *path, struct content *content, struct error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe must not hold us */
    if (fd < 0)
        return error_set(err, "%s: cannot be opened: %s", path, strerror(errno));
    bool good = read_open(fd, path, content, err);
    close(fd);
    return good;
}

/* --- lists ----------------------------------------------------------------------------------- */

struct reading {
    struct crl_file *file;
    const char *path;
    STACK_OF(X509) * issuers;
    struct error *err;
};

static bool add_list(const struct reading *reading, struct slice der)
{
    struct crl_file *file = reading->file;
    struct error why = {""};
    struct crl *crl = NULL;
    if (file->count == CRL_FILE_LISTS_MOST)
        return error_set(reading->err, "%s: holds more than %d lists; divide it into several files",
                         reading->path, CRL_FILE_LISTS_MOST);
    switch (crl_parse(der, reading->issuers, &crl, &why)) {
    case CRL_GOOD:
        file->lists[file->count++] = crl;
        return true;
    case CRL_UNKNOWN_ISSUER:
        if (file->left_out_count++ == 0)
            memcpy(file->left_out, why.text, sizeof file->left_out);
        return true;
    case CRL_BAD:
        break;
    }
    return error_set(reading->err, "%s: %s", reading->path, why.text);
}

/* Base64 with whatever line ends people have. NULL: it is none, or out of memory. */
static unsigned char *decode(struct slice text, size_t *ret_length)
{
    EVP_ENCODE_CTX *context = EVP_ENCODE_CTX_new();
    unsigned char *bytes = malloc(text.length / 4 * 3 + 64);
    int length = 0;
    int rest = 0;
    bool good = context && bytes;
    if (good) {
        EVP_DecodeInit(context);
        good = EVP_DecodeUpdate(context, bytes, &length, (const unsigned char *)text.at,
                                (int)text.length) >= 0 &&
               EVP_DecodeFinal(context, bytes + length, &rest) >= 0;
    }
    EVP_ENCODE_CTX_free(context);
    *ret_length = (size_t)length + (size_t)rest;
    if (good)
        return bytes;
    free(bytes);
    return NULL;
}

static bool add_block(const struct reading *reading, struct slice text)
{
    size_t length;
    unsigned char *der = decode(text, &length);
    if (!der)
        return error_set(reading->err, "%s: list %u of the file is no Base64", reading->path,
                         reading->file->count + reading->file->left_out_count + 1);
    bool good = add_list(reading, (struct slice){(const char *)der, length});
    free(der);
    return good;
}

#define BEGIN_LIST "-----BEGIN X509 CRL-----"
#define END_LIST "-----END X509 CRL-----"

static const char *find(struct slice text, const char *words)
{
    return memmem(text.at, text.length, words, strlen(words));
}

static bool add_blocks(const struct reading *reading, struct slice text)
{
    const char *end = text.at + text.length;
    for (const char *at; (at = find(text, BEGIN_LIST));) {
        at += sizeof BEGIN_LIST - 1;
        struct slice rest = {at, (size_t)(end - at)};
        const char *stop = find(rest, END_LIST);
        if (!stop)
            return error_set(reading->err,
                             "%s: is cut off: a list begins and has no line " END_LIST,
                             reading->path);
        if (!add_block(reading, (struct slice){at, (size_t)(stop - at)}))
            return false;
        stop += sizeof END_LIST - 1;
        text = (struct slice){stop, (size_t)(end - stop)};
    }
    return true;
}

static bool add_all(const struct reading *reading, const struct content *content)
{
    struct slice all = {content->bytes, content->length};
    const struct pem pem = {content->bytes, content->length};
    if (find(all, BEGIN_LIST))
        return add_blocks(reading, all);
    if (pem_is_der(&pem))
        return add_list(reading, all);
    return error_set(reading->err,
                     "%s: is no revocation list: it holds %s; PEM (" BEGIN_LIST ") or DER is read",
                     reading->path, pem_describe(&pem));
}

static struct crl_file *file_of(const struct content *content, const struct reading *wish,
                                time_t now)
{
    struct reading reading = *wish;
    struct crl_file *file = calloc(1, sizeof *file);
    if (!file) {
        error_set(reading.err, "%s: out of memory", reading.path);
        return NULL;
    }
    atomic_init(&file->references, 1);
    file->stamp = content->stamp;
    file->loaded_at = now;
    reading.file = file;
    if (EVP_Digest(content->bytes, content->length, file->digest, NULL, EVP_sha256(), NULL) == 1 &&
        add_all(&reading, content))
        return file;
    crl_file_unref(file);
    return NULL;
}

struct crl_file *crl_file_read(const char *path, STACK_OF(X509) * issuers, time_t now,
                               struct error *err)
{
    struct content content = {0};
    struct crl_file *file = NULL;
    const struct reading reading = {.path = path, .issuers = issuers, .err = err};
    if (read_content(path, &content, err))
        file = file_of(&content, &reading, now);
    free(content.bytes);
    return file;
}
