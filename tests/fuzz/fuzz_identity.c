/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as the certificates of a client: one DER behind the other, its own first. The last one
 * is trusted, so that a certificate which OpenSSL can read may also be verified. Besides memory
 * errors this finds: clients that are verified and refused at once, keys of nobody, words that are
 * too long or that control a terminal, log lines that are cut in the wrong place, and identity
 * fields that a backend could read as something else.
 */
#include <openssl/err.h>

#include "lb/base/certificate.h"
#include "lb/base/error.h"
#include "lb/base/limits.h"
#include "lb/base/log.h"
#include "lb/base/utf8.h"
#include "listeners/allow/identity_names.h"
#include "listeners/identity.h"
#include "listeners/identity_headers.h"
#include "listeners/rules/policy.h"
#include "listeners/tls/handshake.h"
#include "tests/fuzz/expect.h"

/* 2026-12-01: a clock of its own, so that what was found is found again. */
enum { NOW_S = 1796083200, CHAIN_MOST = 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

static STACK_OF(X509) * read_chain(const uint8_t *data, size_t length)
{
    STACK_OF(X509) *chain = sk_X509_new_null();
    const unsigned char *at = data;
    while (at < data + length && sk_X509_num(chain) < CHAIN_MOST) {
        X509 *next = d2i_X509(NULL, &at, (long)(data + length - at));
        if (!next)
            break;
        EXPECT(sk_X509_push(chain, next) > 0);
    }
    ERR_clear_error(); /* what does not decode ends the handshake */
    return chain;
}

static struct ca_set *trust(X509 *anchor)
{
    struct problems problems = {0};
    const struct ca_set_extra extra = {.certificates = &anchor, .count = 1};
    struct ca_set *set = ca_set_load(NULL, NULL, 0, &extra, 4, true, "lb.ini", &problems);
    problems_done(&problems);
    return set;
}

/* What people and terminals are shown. */
static void expect_words(const char *text)
{
    size_t length = strlen(text);
    EXPECT(length <= CERTIFICATE_NAME_BYTES);
    for (size_t at = 0; at < length;) {
        size_t step = utf8_length(text + at, length - at);
        EXPECT(step > 0 && !utf8_is_hidden(text + at, step));
        at += step;
    }
}

static void expect_serial(const char *serial)
{
    const char *digits = serial + (serial[0] == '-');
    size_t length = strlen(digits);
    EXPECT(length > 0 && length % 2 == 0 && strspn(digits, "0123456789ABCDEF") == length);
}

static void expect_described(struct identity *identity)
{
    struct handshake handshake = {.identity = identity};
    struct log_line line;
    expect_words(identity->subject);
    expect_words(identity->issuer);
    expect_serial(identity->serial);
    EXPECT(strlen(identity->sha256) == 64);
    log_begin(&line, LOG_LEVEL_WARN, "client.refused");
    handshake_describe(&handshake, NULL, &line);
    EXPECT(line.used < LOG_LINE_BYTES);
    EXPECT(memmem(line.text, line.used, identity->sha256, 64) != NULL);
    for (size_t i = 0; i < line.used; i++)
        EXPECT(line.text[i] >= ' ' && line.text[i] < 0x7f);
}

/* Lines of a known name and printable ASCII, and nothing else. */
static void expect_fields(const char *text, size_t length)
{
    while (length > 0) {
        const char *end = memmem(text, length, "\r\n", 2);
        EXPECT(end != NULL);
        const char *colon = memchr(text, ':', (size_t)(end - text));
        EXPECT(colon != NULL && colon + 1 < end && colon[1] == ' ');
        EXPECT(identity_header_is_known((struct slice){text, (size_t)(colon - text)}));
        for (const char *at = colon + 1; at < end; at++)
            EXPECT(*at >= ' ' && *at < 0x7f);
        length -= (size_t)(end + 2 - text);
        text = end + 2;
    }
}

static void expect_told(const struct client_auth *rule, struct identity *identity)
{
    for (unsigned preset = 0; identity_presets[preset]; preset++) {
        struct identity_headers headers =
            identity_headers_find(1u << preset, rule, identity, NOW_S);
        EXPECT(headers.bytes <= IDENTITY_HEADERS_MOST_BYTES && !headers.is_lost);
        char *text = malloc(headers.bytes > 0 ? headers.bytes : 1);
        EXPECT(text != NULL);
        size_t written = identity_headers_put(&headers, text);
        EXPECT(written <= headers.bytes);
        expect_fields(text, written);
        free(text);
    }
}

static bool expect_name(const void *asker, enum name_kind kind, struct slice name)
{
    (void)asker;
    (void)kind;
    EXPECT(name.length > 0 && memchr(name.at, '\0', name.length) == NULL);
    return false;
}

static void expect_judged(const struct client_auth *rule, struct identity *identity)
{
    const struct visitor visitor = {.identity = identity, .now = NOW_S};
    const struct ca_set_result *result = &identity->results[0];
    bool is_verified = result->refusal == REFUSAL_NONE;
    EXPECT(identity_is_verified(identity) == is_verified && identity->has_key == is_verified);
    EXPECT(is_verified == (result->x509_error == X509_V_OK));
    EXPECT(is_verified == (result->ca_count > 0));
    EXPECT(is_verified == (policy_judge(rule, NULL, &visitor).refusal == REFUSAL_NONE));
    EXPECT(!is_verified ||
           (identity_valid_until(identity) >= NOW_S && certificate_is_well_formed(identity->leaf)));
    EXPECT(result->depth >= 0 && result->depth <= CHAIN_MOST);
    identity_names_find(identity, ~0u, expect_name, NULL);
}

static void try_chain(STACK_OF(X509) * chain, X509 *anchor)
{
    const unsigned char hash[32] = {0};
    struct ca_set *set = trust(anchor);
    if (!set)
        return;
    const struct client_auth rule = {.mode = AUTH_REQUIRE,
                                     .ca_set = set,
                                     .refuse_with = REFUSE_403,
                                     .registration = REGISTRATION_OFF};
    const struct client_auth *rules[] = {&rule};
    struct policy policy;
    EXPECT(policy_make(&policy, rules, 1) == POLICY_FINE);
    struct identity *identity = identity_new(&policy, chain, hash, NOW_S);
    EXPECT(identity != NULL);
    expect_judged(&rule, identity);
    expect_described(identity);
    expect_told(&rule, identity);
    identity_unref(identity);
    policy_done(&policy);
    ca_set_free(set);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    if (length > CLIENT_CHAIN_BYTES)
        return 0;
    STACK_OF(X509) *chain = read_chain(data, length);
    if (sk_X509_num(chain) > 0)
        try_chain(chain, sk_X509_value(chain, sk_X509_num(chain) - 1));
    sk_X509_pop_free(chain, X509_free);
    EXPECT(ERR_peek_error() == 0);
    return 0;
}
