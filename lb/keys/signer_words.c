/* SPDX-License-Identifier: Apache-2.0 */
/* See signer_words.h. Keys are no JSON: jansson would leave copies of them in its memory. */
#include "lb/keys/signer_words.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lb/base/certificate.h"

enum { HEAD_BYTES = 80, PART_COUNT = 3 };

static const char *const works[] = {
    [SIGNER_SIGN] = "sign", [SIGNER_MAKE_CA] = "make-ca", [SIGNER_TRY_CA] = "try-ca"};
static const char *const outcomes[] = {[ISSUER_DONE] = "done",
                                       [ISSUER_MISSING] = "missing",
                                       [ISSUER_EXISTS] = "exists",
                                       [ISSUER_FAILED] = "failed"};
enum {
    OUTCOME_COUNT = sizeof outcomes / sizeof *outcomes,
    WORK_COUNT = sizeof works / sizeof *works
};

/* --- orders -------------------------------------------------------------------------------- */

/* A NULL is left out. */
static bool put(json_t *root, const char *key, const char *text)
{
    return !text || json_object_set_new(root, key, json_string(text)) == 0;
}

static bool put_number(json_t *root, const char *key, unsigned number)
{
    return json_object_set_new(root, key, json_integer(number)) == 0;
}

static bool put_names(json_t *root, const struct issue_wish *wish)
{
    json_t *names = json_array();
    bool good = names != NULL;
    for (unsigned i = 0; good && i < wish->name_count; i++)
        good = json_array_append_new(names, json_string(wish->names[i])) == 0;
    if (good)
        return json_object_set_new(root, "names", names) == 0;
    json_decref(names);
    return false;
}

static bool put_wish(json_t *root, const struct issue_wish *wish)
{
    return put(root, "common_name", wish->common_name) && put(root, "unit", wish->unit) &&
           put(root, "organization", wish->organization) && put(root, "country", wish->country) &&
           put(root, "state", wish->state) && put(root, "locality", wish->locality) &&
           put_names(root, wish) && put_number(root, "days", wish->days);
}

static bool put_known(json_t *root, const X509 *known)
{
    if (!known)
        return true;
    char *pem = certificate_pem_text(known);
    bool good = pem && put(root, "known", pem);
    free(pem);
    return good;
}

static bool put_work(json_t *root, const struct signer_job *job)
{
    switch (job->work) {
    case SIGNER_SIGN:
        return put(root, "csr", job->csr) && put_wish(root, &job->wish);
    case SIGNER_MAKE_CA:
        return put(root, "common_name", job->ca_wish.common_name) &&
               put_number(root, "days", job->ca_wish.days) &&
               json_object_set_new(root, "replace", json_boolean(job->ca_wish.replace)) == 0 &&
               put_known(root, job->ca_wish.known);
    case SIGNER_TRY_CA:
        return true;
    }
    return false;
}

char *signer_job_write(const struct signer_job *job)
{
    char *text = NULL;
    json_t *root = json_object();
    if (root && put(root, "work", works[job->work]) &&
        put(root, "state_dir", job->place.state_dir) &&
        put(root, "passphrase_file", job->place.passphrase_file) &&
        put(root, "key", key_kind_name(job->key)) && put_work(root, job))
        text = json_dumps(root, JSON_COMPACT);
    json_decref(root);
    return text;
}

static const char *get(const json_t *root, const char *key)
{
    return json_string_value(json_object_get(root, key));
}

static unsigned get_number(const json_t *root, const char *key)
{
    json_int_t number = json_integer_value(json_object_get(root, key));
    return number > 0 && number <= UINT32_MAX ? (unsigned)number : 0;
}

static bool get_names(struct signer_order_read *read)
{
    const json_t *names = json_object_get(read->root, "names");
    size_t count = json_array_size(names);
    if (count > ISSUE_NAMES_MOST)
        return false;
    for (size_t i = 0; i < count; i++) {
        read->names[i] = json_string_value(json_array_get(names, i));
        if (!read->names[i])
            return false;
    }
    read->job.wish.names = read->names;
    read->job.wish.name_count = (unsigned)count;
    return true;
}

static bool get_wish(struct signer_order_read *read)
{
    const json_t *root = read->root;
    read->job.csr = get(root, "csr");
    read->job.wish = (struct issue_wish){
        .common_name = get(root, "common_name"),
        .unit = get(root, "unit"),
        .organization = get(root, "organization"),
        .country = get(root, "country"),
        .state = get(root, "state"),
        .locality = get(root, "locality"),
        .days = get_number(root, "days"),
    };
    return get_names(read);
}

static bool get_ca_wish(struct signer_order_read *read)
{
    const json_t *root = read->root;
    const char *known = get(root, "known");
    struct error err;
    STACK_OF(X509) *found =
        known ? certificates_read(known, strlen(known), "the order", &err) : NULL;
    if (found)
        read->known = sk_X509_shift(found);
    sk_X509_pop_free(found, X509_free);
    read->job.ca_wish = (struct ca_wish){
        .common_name = get(root, "common_name"),
        .key = read->job.key,
        .days = get_number(root, "days"),
        .replace = json_is_true(json_object_get(root, "replace")),
        .known = read->known,
    };
    return !known || read->known;
}

static bool get_work(struct signer_order_read *read)
{
    const char *work = get(read->root, "work");
    unsigned i = 0;
    while (i < WORK_COUNT && (!work || strcmp(work, works[i]) != 0))
        i++;
    if (i == WORK_COUNT)
        return false;
    read->job.work = (enum signer_work)i;
    switch (read->job.work) {
    case SIGNER_SIGN:
        return get_wish(read);
    case SIGNER_MAKE_CA:
        return get_ca_wish(read);
    case SIGNER_TRY_CA:
        return true;
    }
    return false;
}

bool signer_order_parse(struct signer_order_read *read, const char *text, size_t bytes,
                        struct error *err)
{
    json_error_t why;
    *read = (struct signer_order_read){.root = json_loadb(text, bytes, 0, &why)};
    if (!read->root)
        return error_set(err, "the order is no JSON: %s", why.text);
    const char *key = get(read->root, "key");
    read->job.place =
        (struct issuer_place){get(read->root, "state_dir"), get(read->root, "passphrase_file")};
    return (read->job.place.state_dir && key && key_kind_parse(key, &read->job.key) &&
            get_work(read)) ||
           error_set(err, "the order is not one of this lb");
}

void signer_order_read_done(struct signer_order_read *read)
{
    json_decref(read->root);
    X509_free(read->known);
    *read = (struct signer_order_read){0};
}

/* --- answers ------------------------------------------------------------------------------- */

struct part {
    const char *bytes;
    size_t count;
};

/* In the order of the head. */
struct parts {
    struct part part[PART_COUNT];
};

static bool add_certificate(struct part *part, X509 *certificate, unsigned char **ret_der)
{
    int length = certificate ? i2d_X509(certificate, ret_der) : 0;
    *part = (struct part){(const char *)*ret_der, length > 0 ? (size_t)length : 0};
    return length >= 0;
}

static char *join(const struct parts *parts, enum issuer_outcome outcome, size_t *ret_bytes)
{
    char head[HEAD_BYTES];
    const struct part *part = parts->part;
    int length = snprintf(head, sizeof head, "%s %zu %zu %zu\n", outcomes[outcome], part[0].count,
                          part[1].count, part[2].count);
    size_t at = (size_t)length;
    char *bytes = malloc(at + part[0].count + part[1].count + part[2].count);
    if (!bytes)
        return NULL;
    memcpy(bytes, head, at);
    for (unsigned i = 0; i < PART_COUNT; at += part[i].count, i++)
        if (part[i].count > 0)
            memcpy(bytes + at, part[i].bytes, part[i].count);
    *ret_bytes = at;
    return bytes;
}

char *signer_result_write(const struct signer_result *result, size_t *ret_bytes)
{
    unsigned char *certificate = NULL, *ca = NULL;
    char *bytes = NULL;
    struct parts parts = {{{0}}};
    const char *key = result->answer.private_key;
    bool good = add_certificate(&parts.part[0], result->answer.certificate, &certificate) &&
                add_certificate(&parts.part[1], result->answer.ca, &ca);
    if (key)
        parts.part[2] = (struct part){key, strlen(key)};
    if (result->outcome == ISSUER_FAILED)
        parts = (struct parts){{{result->err.text, strlen(result->err.text)}}};
    if (good)
        bytes = join(&parts, result->outcome, ret_bytes);
    OPENSSL_free(certificate);
    OPENSSL_free(ca);
    return bytes;
}

/* "done 812 640 241\n". */
static bool split(const char *bytes, size_t count, enum issuer_outcome *ret_outcome,
                  struct parts *parts)
{
    char head[HEAD_BYTES];
    char word[16];
    int used = 0;
    const char *end = memchr(bytes, '\n', count);
    if (!end || (size_t)(end - bytes) >= sizeof head)
        return false;
    memcpy(head, bytes, (size_t)(end - bytes));
    head[end - bytes] = '\0';
    struct part *part = parts->part;
    if (sscanf(head, "%15s %zu %zu %zu%n", word, &part[0].count, &part[1].count, &part[2].count,
               &used) != PART_COUNT + 1 ||
        head[used] != '\0')
        return false;
    const char *at = end + 1;
    size_t left = count - (size_t)(at - bytes);
    for (unsigned i = 0; i < PART_COUNT; i++) {
        if (part[i].count > left)
            return false;
        part[i].bytes = at;
        at += part[i].count;
        left -= part[i].count;
    }
    for (int i = 0; i < OUTCOME_COUNT; i++) {
        if (strcmp(word, outcomes[i]) == 0) {
            *ret_outcome = (enum issuer_outcome)i;
            return left == 0;
        }
    }
    return false;
}

/* A part that is empty is fine, and no certificate. */
static bool take_certificate(const struct part *part, X509 **ret_certificate)
{
    const unsigned char *at = (const unsigned char *)part->bytes;
    if (part->count == 0)
        return true;
    *ret_certificate = d2i_X509(NULL, &at, (long)part->count);
    return *ret_certificate && at == (const unsigned char *)part->bytes + part->count;
}

bool signer_result_parse(struct signer_result *result, const char *bytes, size_t count)
{
    struct parts parts;
    const struct part *part = parts.part;
    if (!split(bytes, count, &result->outcome, &parts))
        return false;
    if (result->outcome == ISSUER_FAILED) {
        error_set(&result->err, "%.*s", (int)part[0].count, part[0].bytes);
        return true;
    }
    if (!take_certificate(&part[0], &result->answer.certificate) ||
        !take_certificate(&part[1], &result->answer.ca))
        return false;
    if (part[2].count > 0)
        result->answer.private_key = strndup(part[2].bytes, part[2].count);
    return part[2].count == 0 || result->answer.private_key;
}

void signer_result_done(struct signer_result *result)
{
    signer_answer_done(&result->answer);
}
