/* SPDX-License-Identifier: Apache-2.0 */
/* The work itself: in the process that `lb sign` is, or in a command's. */
#include <errno.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lb/keys/signer_words.h"

/* --- the work ------------------------------------------------------------------------------ */

/* The key's own CSR proves that the wish is all there is of it. */
static X509_REQ *make_request(const struct signer_order *order, struct signer_answer *answer,
                              struct error *err)
{
    EVP_PKEY *key = key_make(order->key);
    X509_REQ *request = key ? issue_request(key, order->wish, err) : NULL;
    if (!key)
        error_set(err, "a key of kind %s cannot be made: out of memory", key_kind_name(order->key));
    if (request) {
        answer->private_key = key_pem_text(key);
        if (!answer->private_key) {
            error_set(err, "the new key cannot be written: out of memory");
            X509_REQ_free(request);
            request = NULL;
        }
    }
    EVP_PKEY_free(key);
    return request;
}

bool signer_sign_here(const struct signer_order *order, struct signer_answer *answer,
                      struct error *err)
{
    struct signer_answer made = {0};
    if (!issue_check(order->wish, err))
        return false;
    X509_REQ *request = order->csr ? request_read(order->csr, order->csr_bytes, err)
                                   : make_request(order, &made, err);
    if (request)
        made.certificate = issue_sign(order->place, request, order->wish, err);
    X509_REQ_free(request);
    bool good = made.certificate != NULL;
    if (good && issuer_read(order->place, &made.ca, err) != ISSUER_DONE)
        good = made.ca || error_set(err, "the built-in CA was removed meanwhile: make it anew");
    if (good)
        *answer = made;
    else
        signer_answer_done(&made);
    return good;
}

void signer_answer_done(struct signer_answer *answer)
{
    X509_free(answer->certificate);
    X509_free(answer->ca);
    if (answer->private_key)
        OPENSSL_cleanse(answer->private_key, strlen(answer->private_key));
    free(answer->private_key);
    *answer = (struct signer_answer){0};
}

static void carry_out(const struct signer_job *job, struct signer_result *result)
{
    switch (job->work) {
    case SIGNER_SIGN: {
        const struct signer_order order = {&job->place, job->csr, job->csr ? strlen(job->csr) : 0,
                                           job->key, &job->wish};
        bool good = signer_sign_here(&order, &result->answer, &result->err);
        result->outcome = good ? ISSUER_DONE : ISSUER_FAILED;
        break;
    }
    case SIGNER_MAKE_CA:
        result->outcome = issuer_make(&job->place, &job->ca_wish, &result->answer.ca, &result->err);
        break;
    case SIGNER_TRY_CA:
        result->outcome = issuer_try(&job->place, &result->err);
        break;
    }
}

/* --- the process --------------------------------------------------------------------------- */

/* Until the other end has said all. The result is for free(). */
static char *read_all(int in, size_t *ret_bytes, struct error *err)
{
    char *bytes = malloc(SIGNER_ORDER_BYTES + 1);
    size_t got = 0;
    ssize_t more = 1;
    while (bytes && more != 0 && got <= SIGNER_ORDER_BYTES) {
        more = read(in, bytes + got, SIGNER_ORDER_BYTES + 1 - got);
        if (more < 0 && errno != EINTR)
            break;
        got += more > 0 ? (size_t)more : 0;
    }
    *ret_bytes = got;
    if (bytes && more == 0 && got > 0 && got <= SIGNER_ORDER_BYTES)
        return bytes;
    if (!bytes)
        error_set(err, "out of memory");
    else if (more < 0)
        error_set(err, "the order cannot be read: %s", strerror(errno));
    else
        error_set(err, "the order is %s", got == 0 ? "empty" : "too long");
    free(bytes);
    return NULL;
}

static bool write_all(int out, const char *bytes, size_t count, struct error *err)
{
    for (size_t put = 0; put < count;) {
        ssize_t more = write(out, bytes + put, count - put);
        if (more < 0 && errno != EINTR)
            return error_set(err, "the answer cannot be written: %s", strerror(errno));
        put += more > 0 ? (size_t)more : 0;
    }
    return true;
}

static bool answer(const struct signer_result *result, int out, struct error *err)
{
    size_t count = 0;
    char *bytes = signer_result_write(result, &count);
    if (!bytes)
        return error_set(err, "out of memory");
    bool good = write_all(out, bytes, count, err);
    OPENSSL_cleanse(bytes, count);
    free(bytes);
    return good;
}

bool signer_serve(int in, int out, struct error *err)
{
    struct signer_order_read read;
    struct signer_result result = {.outcome = ISSUER_FAILED};
    size_t bytes = 0;
    char *text = read_all(in, &bytes, err);
    if (!text)
        return false;
    if (signer_order_parse(&read, text, bytes, &result.err))
        carry_out(&read.job, &result);
    bool good = answer(&result, out, err);
    signer_result_done(&result);
    signer_order_read_done(&read);
    free(text);
    return good;
}
