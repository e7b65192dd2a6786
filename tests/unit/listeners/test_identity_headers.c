/* SPDX-License-Identifier: Apache-2.0 */
/* Which names only lb may say, and what it says. */
#include "listeners/identity_headers.h"

#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "listeners/identity.h"
#include "listeners/policy.h"
#include "tests/support/certificates.h"
#include "tests/support/check_main.h"
#include "tests/support/text.h"
#include "tests/support/tls_stage.h"

static const char *const known[] = {
    "Client-Cert",
    "Client-Cert-Chain",
    "Cf-Client-Cert-Der-Base64",
    "Cf-Client-Cert-Sha256",
    "Cf-Client-Cert-Der-Base64-Too-Large",
    "X-CERT-ISSUER-DN",
    "X-CERT-SUBJECT-DN",
    "X-CERT-ISSUER-DN-L",
    "X-CERT-SUBJECT-DN-L",
    "X-CERT-SERIAL",
    "X-CERT-FINGER",
    "X-CERT-VERIFY",
    "X-CERT-NOTBE",
    "X-CERT-NOTAF",
    "X-SSL-Client-Verify",
    "X-SSL-Client-S-DN",
    "X-SSL-Client-I-DN",
    "X-SSL-Client-Serial",
    "X-SSL-Client-Fingerprint",
    "X-SSL-Client-Cert",
    "X-SSL-Client-Cert-Too-Large",
    "X-Amzn-Mtls-Clientcert",
    "X-Amzn-Mtls-Clientcert-Serial-Number",
    "X-Amzn-Mtls-Clientcert-Issuer",
    "X-Amzn-Mtls-Clientcert-Subject",
    "X-Amzn-Mtls-Clientcert-Validity",
    "X-Amzn-Mtls-Clientcert-Leaf",
    "X-Forwarded-Client-Cert",
};

START_TEST(every_name_of_every_preset_is_known_in_any_spelling)
{
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        char name[64];
        for (int spelling = 0; spelling < 4; spelling++) {
            snprintf(name, sizeof name, "%s", known[i]);
            for (char *at = name; *at; at++) {
                if (*at == '-' && (spelling & 1))
                    *at = '_';
                if (spelling & 2)
                    *at = (char)(*at >= 'a' && *at <= 'z'   ? *at - 32
                                 : *at >= 'A' && *at <= 'Z' ? *at + 32
                                                            : *at);
            }
            ck_assert_msg(identity_header_is_known(slice_of(name)), "%s", name);
        }
    }
}
END_TEST

START_TEST(names_of_others_are_left_alone)
{
    static const char *const others[] = {
        "",
        "X",
        "Host",
        "Cookie",
        "Content-Type",
        "Connection",
        "Client",
        "Client-Cer",
        "X-Forwarded-For",
        "X-Forwarded-Client",
        "X-SSL",
        "X-SSL-Clien",
        "X-Cert",
        "X-Certificate",
        "X-Amzn-Trace-Id",
        "Cf-Ray",
        "Cf-Connecting-Ip",
        "Cf-Client-Ip",
        "Cache-Control",
        "X-Request-Id",
        "XX-SSL-Client-Verify",
        "Y-CERT-SERIAL",
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        ck_assert_msg(!identity_header_is_known(slice_of(others[i])), "%s", others[i]);
}
END_TEST

struct cast {
    struct stage stage; /* for its CA sets */
    struct made *ca;
    struct policy policy;
    struct rule rule;
};

static void cast_open(struct cast *cast)
{
    stage_open(&cast->stage);
    cast->ca = made_ca("Client CA");
    cast->rule = (struct rule){.client_headers = CLIENT_HEADERS_NGINX};
    cast->rule.auth = (struct client_auth){.mode = AUTH_REQUEST,
                                           .ca_set = stage_ca_set(&cast->stage, cast->ca, NULL),
                                           .refuse_with = REFUSE_UNSET,
                                           .registration = REGISTRATION_OFF};
    const struct client_auth *rules[] = {&cast->rule.auth};
    ck_assert_int_eq(policy_make(&cast->policy, rules, 1), POLICY_FINE);
}

static void cast_close(struct cast *cast)
{
    policy_done(&cast->policy);
    made_free(cast->ca);
    stage_close(&cast->stage);
}

static struct identity *identify(const struct cast *cast, const struct made *made)
{
    static const unsigned char hash[32];
    STACK_OF(X509) *chain = sk_X509_new_null();
    sk_X509_push(chain, made->certificate);
    struct identity *identity = identity_new(&cast->policy, chain, hash, time(NULL));
    sk_X509_free(chain);
    return identity;
}

/* The fields as one text, freed by the caller; `room` is exact, so that a sanitizer sees a byte too
 * many. */
static char *fields(const struct cast *cast, struct identity *identity, time_t now, size_t room)
{
    char *into = malloc(room);
    char *text = calloc(1, room + 1);
    ck_assert(into && text);
    size_t length = identity_headers_write(&cast->rule, identity, now, into, room);
    ck_assert_uint_le(length, room);
    memcpy(text, into, length);
    free(into);
    return text;
}

/* Every line is a field of a known name and has nothing but printable ASCII. */
static void check_clean(const char *text)
{
    for (const char *line = text; *line;) {
        const char *end = strstr(line, "\r\n");
        const char *colon = strchr(line, ':');
        ck_assert(end && colon && colon < end && colon[1] == ' ');
        ck_assert(identity_header_is_known((struct slice){line, (size_t)(colon - line)}));
        for (const char *at = line; at < end; at++)
            ck_assert(*at >= 0x20 && *at < 0x7f);
        line = end + 2;
    }
}

/* The value of a field; text_field() wants a whole head. */
static const char *field(const char *text, const char *name)
{
    static char value[8192];
    char *head = NULL;
    ck_assert_int_gt(asprintf(&head, "GET / HTTP/1.1\r\n%s\r\n", text), 0);
    ck_assert_msg(text_field(head, name, value, sizeof value), "%s is missing in: %s", name, text);
    free(head);
    return value;
}

START_TEST(a_verified_client_is_described_as_nginx_would)
{
    struct cast cast;
    char expected[2 * 20 + 1];
    unsigned char digest[20];
    cast_open(&cast);
    struct made *made = made_certificate(&(struct certificate_wish){
        .name = "alice", .organization = "Example, Inc.", .issuer = cast.ca});
    struct identity *identity = identify(&cast, made);
    char *text = fields(&cast, identity, time(NULL), IDENTITY_HEADERS_MOST_BYTES);
    check_clean(text);
    ck_assert_str_eq(field(text, "X-SSL-Client-Verify"), "SUCCESS");
    ck_assert_str_eq(field(text, "X-SSL-Client-S-DN"), "CN=alice,O=Example\\, Inc.");
    ck_assert_str_eq(field(text, "X-SSL-Client-I-DN"), "CN=Client CA");
    ck_assert_str_eq(field(text, "X-SSL-Client-Serial"), identity->serial);
    X509_digest(made->certificate, EVP_sha1(), digest, NULL);
    for (int i = 0; i < 20; i++)
        snprintf(expected + 2 * i, 3, "%02x", digest[i]);
    ck_assert_str_eq(field(text, "X-SSL-Client-Fingerprint"), expected);
    ck_assert_uint_eq(text_count(text, "\r\n"), 6);
    free(text);
    identity_unref(identity);
    made_free(made);
    cast_close(&cast);
}
END_TEST

START_TEST(the_certificate_is_pem_again_when_it_is_unescaped)
{
    struct cast cast;
    char value[8192];
    cast_open(&cast);
    struct made *made = made_client(cast.ca, "alice");
    struct identity *identity = identify(&cast, made);
    char *text = fields(&cast, identity, time(NULL), IDENTITY_HEADERS_MOST_BYTES);
    snprintf(value, sizeof value, "%s", field(text, "X-SSL-Client-Cert"));
    char *to = value;
    for (const char *from = value; *from; to++) {
        unsigned byte = (unsigned char)*from++;
        ck_assert_ptr_null(strchr("+/= \n", (int)byte));
        if (byte == '%') {
            ck_assert_int_eq(sscanf(from, "%2X", &byte), 1);
            from += 2;
        }
        *to = (char)byte;
    }
    *to = '\0';
    char *pem = made_certificate_pem(made);
    ck_assert_str_eq(value, pem);
    free(pem);
    free(text);
    identity_unref(identity);
    made_free(made);
    cast_close(&cast);
}
END_TEST

START_TEST(nobody_is_named_before_he_is_verified)
{
    struct cast cast;
    cast_open(&cast);
    struct made *stranger = made_client(cast.stage.server_ca, "CN=admin");
    struct identity *identity = identify(&cast, stranger);
    char *text = fields(&cast, identity, time(NULL), IDENTITY_HEADERS_MOST_BYTES);
    ck_assert_str_eq(text, "X-SSL-Client-Verify: FAILED:untrusted\r\n");
    free(text);
    text = fields(&cast, NULL, time(NULL), IDENTITY_HEADERS_MOST_BYTES);
    ck_assert_str_eq(text, "X-SSL-Client-Verify: NONE\r\n");
    free(text);
    identity_unref(identity);
    made_free(stranger);
    cast_close(&cast);
}
END_TEST

START_TEST(a_client_that_expires_on_its_connection_is_named_no_longer)
{
    struct cast cast;
    cast_open(&cast);
    struct made *made = made_client(cast.ca, "alice");
    struct identity *identity = identify(&cast, made);
    char *text = fields(&cast, identity, identity->not_after - 1, IDENTITY_HEADERS_MOST_BYTES);
    ck_assert_ptr_nonnull(strstr(text, "CN=alice"));
    free(text);
    text = fields(&cast, identity, identity->not_after, IDENTITY_HEADERS_MOST_BYTES);
    ck_assert_str_eq(text, "X-SSL-Client-Verify: FAILED:expired\r\n");
    free(text);
    identity_unref(identity);
    made_free(made);
    cast_close(&cast);
}
END_TEST

START_TEST(names_cannot_smuggle_a_field)
{
    static const char *const names[] = {"a\r\nX-Admin: yes", "\xc3\xa9t\xc3\xa9", "tab\there",
                                        "\x7f\x01\x1b[2J"};
    struct cast cast;
    cast_open(&cast);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct made *made =
            made_certificate(&(struct certificate_wish){.name = names[i], .issuer = cast.ca});
        struct identity *identity = identify(&cast, made);
        char *text = fields(&cast, identity, time(NULL), IDENTITY_HEADERS_MOST_BYTES);
        check_clean(text);
        ck_assert_uint_eq(text_count(text, "\r\n"), 6);
        ck_assert_ptr_null(strstr(text, "\nX-Admin"));
        free(text);
        identity_unref(identity);
        made_free(made);
    }
    cast_close(&cast);
}
END_TEST

START_TEST(a_value_that_is_too_large_is_only_announced)
{
    struct cast cast;
    cast_open(&cast);
    struct made *made = made_certificate(
        &(struct certificate_wish){.name = "large", .issuer = cast.ca, .padding_bytes = 20000});
    struct identity *identity = identify(&cast, made);
    char *text = fields(&cast, identity, time(NULL), IDENTITY_HEADERS_MOST_BYTES);
    check_clean(text);
    ck_assert_ptr_nonnull(strstr(text, "X-SSL-Client-Cert-Too-Large: 1\r\n"));
    ck_assert_ptr_nonnull(strstr(text, "X-SSL-Client-S-DN: CN=large\r\n"));
    ck_assert_ptr_null(strstr(text, "X-SSL-Client-Cert:"));
    free(text);
    identity_unref(identity);
    made_free(made);
    cast_close(&cast);
}
END_TEST

START_TEST(no_room_is_never_overrun)
{
    struct cast cast;
    cast_open(&cast);
    struct made *made = made_client(cast.ca, "alice");
    struct identity *identity = identify(&cast, made);
    for (size_t room = 1; room < 2000; room += 13) {
        char *text = fields(&cast, identity, time(NULL), room);
        check_clean(text);
        free(text);
    }
    char nothing = 'x';
    ck_assert_uint_eq(identity_headers_write(&cast.rule, identity, time(NULL), &nothing, 0), 0);
    identity_unref(identity);
    made_free(made);
    cast_close(&cast);
}
END_TEST

START_TEST(a_rule_that_forwards_nothing_writes_nothing)
{
    struct cast cast;
    char into[256];
    cast_open(&cast);
    cast.rule.client_headers = 0;
    ck_assert_uint_eq(identity_headers_write(&cast.rule, NULL, time(NULL), into, sizeof into), 0);
    cast_close(&cast);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, every_name_of_every_preset_is_known_in_any_spelling);
    tcase_add_test(tcase, names_of_others_are_left_alone);
    tcase_add_test(tcase, a_verified_client_is_described_as_nginx_would);
    tcase_add_test(tcase, the_certificate_is_pem_again_when_it_is_unescaped);
    tcase_add_test(tcase, nobody_is_named_before_he_is_verified);
    tcase_add_test(tcase, a_client_that_expires_on_its_connection_is_named_no_longer);
    tcase_add_test(tcase, names_cannot_smuggle_a_field);
    tcase_add_test(tcase, a_value_that_is_too_large_is_only_announced);
    tcase_add_test(tcase, no_room_is_never_overrun);
    tcase_add_test(tcase, a_rule_that_forwards_nothing_writes_nothing);
}

CHECK_MAIN("identity_headers", add_tests)
