/* SPDX-License-Identifier: Apache-2.0 */
/* Which names only lb may say, and what it says. */
#include "listeners/identity_headers.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/check_main.h"
#include "tests/support/teller.h"
#include "tests/support/text.h"

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
    /* of other proxies, and of what stands behind them */
    "X-Forwarded-Tls-Client-Cert",
    "X-Forwarded-Tls-Client-Cert-Info",
    "X-Forwarded-Clientcert-subjectdn",
    "X-Forwarded-Clientcert-clientverify",
    "X-Client-Cert",
    "X-Client-Cert-Leaf",
    "X-Client-Certificate",
    "X-ARR-ClientCert",
    "SSL-Client-Verify",
    "SSL_CLIENT_CERT",
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
        "Sec-Fetch-Site",
        "SSL-Clien",
        "X-Client-Id",
        "X-Arr-Log-Id",
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        ck_assert_msg(!identity_header_is_known(slice_of(others[i])), "%s", others[i]);
}
END_TEST

/* --- what is told -------------------------------------------------------------------------- */

/* One client called alice of Example, Inc., and all that is told of her. */
struct scene {
    struct teller teller;
    struct made *made;
    struct identity *identity;
};

static void scene_open(struct scene *scene, struct certificate_wish wish)
{
    teller_open(&scene->teller);
    wish.issuer = wish.issuer ? wish.issuer : scene->teller.ca;
    scene->made = made_certificate(&wish);
    scene->identity = teller_meets(&scene->teller, scene->made);
}

static void scene_close(struct scene *scene)
{
    identity_unref(scene->identity);
    made_free(scene->made);
    teller_close(&scene->teller);
}

static char *told(const struct scene *scene, const char *preset)
{
    return teller_tells(&scene->teller, preset, scene->identity, time(NULL));
}

static void expect(const char *text, const char *field, const char *value)
{
    ck_assert_msg(strcmp(teller_value(text, field), value) == 0, "%s: %s instead of %s", field,
                  teller_value(text, field), value);
}

static const struct certificate_wish alice = {.name = "alice", .organization = "Example, Inc."};

static const char *sha1_of(const X509 *certificate)
{
    static char text[2 * 20 + 1];
    unsigned char digest[20];
    ck_assert(X509_digest(certificate, EVP_sha1(), digest, NULL));
    for (int i = 0; i < 20; i++)
        snprintf(text + 2 * i, 3, "%02x", digest[i]);
    return text;
}

START_TEST(a_verified_client_is_described_as_nginx_would)
{
    struct scene scene;
    scene_open(&scene, alice);
    char *text = told(&scene, "nginx");
    expect(text, "X-SSL-Client-Verify", "SUCCESS");
    expect(text, "X-SSL-Client-S-DN", "CN=alice,O=Example\\, Inc.");
    expect(text, "X-SSL-Client-I-DN", "CN=Client CA");
    expect(text, "X-SSL-Client-Serial", scene.identity->serial);
    expect(text, "X-SSL-Client-Fingerprint", sha1_of(scene.made->certificate));
    free(text);
    scene_close(&scene);
}
END_TEST

START_TEST(the_nine_fields_of_x_cert_are_what_cloudflare_s_are)
{
    struct scene scene;
    scene_open(&scene, alice);
    /* 2018-12-02 19:39:00 and 2028-01-31 00:00:01 */
    scene.identity->not_before = 1543779540;
    time_t not_after = scene.identity->not_after;
    scene.identity->not_after = 1832889601;
    char *text = told(&scene, "x-cert");
    expect(text, "X-CERT-ISSUER-DN", "CN=Client CA");
    expect(text, "X-CERT-SUBJECT-DN", "CN=alice,O=Example\\, Inc.");
    expect(text, "X-CERT-ISSUER-DN-L", "/CN=Client CA");
    ck_assert(strcmp(teller_value(text, "X-CERT-SUBJECT-DN-L"), "/CN=alice/O=Example, Inc.") == 0 ||
              strcmp(teller_value(text, "X-CERT-SUBJECT-DN-L"), "/O=Example, Inc./CN=alice") == 0);
    expect(text, "X-CERT-SERIAL", scene.identity->serial);
    expect(text, "X-CERT-FINGER", sha1_of(scene.made->certificate));
    expect(text, "X-CERT-VERIFY", "SUCCESS");
    expect(text, "X-CERT-NOTBE", "Dec  2 19:39:00 2018 GMT");
    expect(text, "X-CERT-NOTAF", "Jan 31 00:00:01 2028 GMT");
    scene.identity->not_after = not_after;
    free(text);
    scene_close(&scene);
}
END_TEST

START_TEST(serials_are_hex_of_even_length_in_capitals)
{
    static const char *const fields[] = {"X-SSL-Client-Serial", "X-CERT-SERIAL",
                                         "X-Amzn-Mtls-Clientcert-Serial-Number"};
    struct scene scene;
    teller_open(&scene.teller);
    scene.made = made_client(scene.teller.ca, "alice");
    ck_assert(ASN1_INTEGER_set(X509_get_serialNumber(scene.made->certificate), 0xabc));
    ck_assert(X509_sign(scene.made->certificate, scene.teller.ca->key, EVP_sha256()));
    scene.identity = teller_meets(&scene.teller, scene.made);
    char *text = told(&scene, NULL);
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        expect(text, fields[i], "0ABC");
    free(text);
    scene_close(&scene);
}
END_TEST

START_TEST(aws_fields_are_what_a_load_balancer_of_aws_sends)
{
    struct scene scene;
    char leaf[8192];
    scene_open(&scene, alice);
    scene.identity->not_before = 1543779540;
    time_t not_after = scene.identity->not_after;
    scene.identity->not_after = 1832889601;
    char *text = told(&scene, "aws");
    expect(text, "X-Amzn-Mtls-Clientcert-Subject", "CN=alice,O=Example\\, Inc.");
    expect(text, "X-Amzn-Mtls-Clientcert-Issuer", "CN=Client CA");
    expect(text, "X-Amzn-Mtls-Clientcert-Validity",
           "NotBefore=2018-12-02T19:39:00Z;NotAfter=2028-01-31T00:00:01Z");
    snprintf(leaf, sizeof leaf, "%s", teller_value(text, "X-Amzn-Mtls-Clientcert-Leaf"));
    ck_assert_ptr_eq(strstr(leaf, "-----BEGIN%20CERTIFICATE-----%0A"), leaf);
    ck_assert_ptr_null(strstr(leaf, "%2B"));
    ck_assert_ptr_null(strstr(leaf, "%2F"));
    ck_assert_ptr_null(strstr(leaf, "%3D"));
    scene.identity->not_after = not_after;
    free(text);
    scene_close(&scene);
}
END_TEST

/* Undo percent-encoding in place. */
static void unescape(char *text)
{
    char *to = text;
    for (const char *from = text; *from; to++) {
        unsigned byte = (unsigned char)*from++;
        ck_assert_ptr_null(strchr(" \n\"", (int)byte));
        if (byte == '%') {
            ck_assert_int_eq(sscanf(from, "%2X", &byte), 1);
            from += 2;
        }
        *to = (char)byte;
    }
    *to = '\0';
}

START_TEST(a_certificate_is_pem_again_when_it_is_unescaped)
{
    static const char *const fields[] = {"X-SSL-Client-Cert", "X-Amzn-Mtls-Clientcert-Leaf"};
    struct scene scene;
    char value[8192];
    scene_open(&scene, alice);
    char *text = told(&scene, NULL);
    char *pem = made_certificate_pem(scene.made);
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        snprintf(value, sizeof value, "%s", teller_value(text, fields[i]));
        unescape(value);
        ck_assert_str_eq(value, pem);
    }
    free(pem);
    free(text);
    scene_close(&scene);
}
END_TEST

/* The certificate that `text` begins with, as base64 of its DER of `length` characters. */
static void expect_der(const char *text, size_t length, X509 *certificate)
{
    unsigned char der[8192];
    unsigned char *own = NULL;
    int own_length = i2d_X509(certificate, &own);
    ck_assert_uint_eq(length % 4, 0);
    int count = EVP_DecodeBlock(der, (const unsigned char *)text, (int)length);
    ck_assert_int_ge(count, own_length);
    ck_assert_int_lt(count - own_length, 3); /* padding counts there */
    ck_assert_mem_eq(der, own, (size_t)own_length);
    OPENSSL_free(own);
}

START_TEST(cloudflare_s_fields_are_der_and_sha256)
{
    struct scene scene;
    scene_open(&scene, alice);
    char *text = told(&scene, "cloudflare");
    expect(text, "Cf-Client-Cert-Sha256", scene.identity->sha256);
    const char *der = teller_value(text, "Cf-Client-Cert-Der-Base64");
    expect_der(der, strlen(der), scene.made->certificate);
    free(text);
    scene_close(&scene);
}
END_TEST

/* --- chains -------------------------------------------------------------------------------- */

/* alice, whose intermediate stands between her and the CA, and a stranger's certificate that she
 * puts behind it. */
static struct made *made_with_intermediate(const struct teller *teller, struct made **intermediate,
                                           struct made *stuffed)
{
    *intermediate = made_intermediate(teller->ca, "Intermediate");
    struct made *made = made_client(*intermediate, "alice");
    ck_assert(X509_add_cert(made->chain, stuffed->certificate, X509_ADD_FLAG_UP_REF));
    return made;
}

START_TEST(a_chain_is_what_verified_the_client_and_not_what_it_sent)
{
    struct scene scene;
    struct made *intermediate = NULL;
    teller_open(&scene.teller);
    struct made *stuffed = made_client(scene.teller.stage.server_ca, "admin");
    scene.made = made_with_intermediate(&scene.teller, &intermediate, stuffed);
    scene.identity = teller_meets(&scene.teller, scene.made);
    ck_assert_int_gt(sk_X509_num(scene.identity->chain), 2);
    char *text = told(&scene, "rfc9440");
    const char *leaf = teller_value(text, "Client-Cert");
    ck_assert(leaf[0] == ':' && leaf[strlen(leaf) - 1] == ':');
    expect_der(leaf + 1, strlen(leaf) - 2, scene.made->certificate);
    /* ":intermediate:, :anchor:" */
    const char *chain = teller_value(text, "Client-Cert-Chain");
    const char *middle = strstr(chain, ":, :");
    ck_assert_ptr_nonnull(middle);
    ck_assert_ptr_null(strstr(middle + 4, ", "));
    expect_der(chain + 1, (size_t)(middle - chain - 1), intermediate->certificate);
    expect_der(middle + 4, strlen(middle + 4) - 1, scene.teller.ca->certificate);
    free(text);
    made_free(intermediate);
    made_free(stuffed);
    scene_close(&scene);
}
END_TEST

/* A v1 certificate that signed itself is a CA, and may be its own client. */
START_TEST(a_certificate_that_is_its_own_anchor_has_no_chain)
{
    struct teller teller;
    teller_open(&teller);
    struct made *made = made_certificate(&(struct certificate_wish){.name = "self", .v1 = true});
    teller.auth.ca_set = stage_ca_set(&teller.stage, made, NULL);
    const struct client_auth *rules[] = {&teller.auth};
    policy_done(&teller.policy);
    memset(&teller.policy, 0, sizeof teller.policy);
    ck_assert_int_eq(policy_make(&teller.policy, rules, 1), POLICY_FINE);
    struct identity *identity = teller_meets(&teller, made);
    char *text = teller_tells(&teller, "rfc9440", identity, time(NULL));
    ck_assert_uint_eq(text_count(text, "\r\n"), 1);
    ck_assert_ptr_eq(strstr(text, "Client-Cert: :"), text);
    free(text);
    identity_unref(identity);
    made_free(made);
    teller_close(&teller);
}
END_TEST

/* RFC 9440 2.3: Client-Cert-Chain must not be there without Client-Cert; that it is too large is
 * said only where it is. */
static const struct {
    unsigned leaf_bytes, ca_bytes;
    const char *told;
} oversizes[] = {
    {9000, 0, "Client-Cert-Too-Large: 1\r\n"},
    {9000, 14000, "Client-Cert-Too-Large: 1\r\nClient-Cert-Chain-Too-Large: 1\r\n"},
    {0, 14000, "Client-Cert-Chain-Too-Large: 1\r\n"},
};

START_TEST(each_field_has_its_own_size_and_no_chain_stands_alone)
{
    struct scene scene;
    teller_open(&scene.teller);
    struct made *intermediate =
        made_certificate(&(struct certificate_wish){.name = "Intermediate",
                                                    .issuer = scene.teller.ca,
                                                    .ca = true,
                                                    .padding_bytes = oversizes[_i].ca_bytes});
    scene.made =
        made_certificate(&(struct certificate_wish){.name = "alice",
                                                    .issuer = intermediate,
                                                    .usage = "clientAuth",
                                                    .padding_bytes = oversizes[_i].leaf_bytes});
    scene.identity = teller_meets(&scene.teller, scene.made);
    char *text = told(&scene, "rfc9440");
    const char *behind_leaf = text;
    if (oversizes[_i].leaf_bytes == 0) {
        ck_assert_ptr_eq(strstr(text, "Client-Cert: :"), text);
        behind_leaf = strstr(text, "\r\n") + 2;
    }
    ck_assert_str_eq(behind_leaf, oversizes[_i].told);
    free(text);
    made_free(intermediate);
    scene_close(&scene);
}
END_TEST

/* Other CAs of another rule verify by another chain; what does not tell it is shared. */
START_TEST(each_ca_set_has_the_chain_that_it_verified)
{
    struct teller teller;
    teller_open(&teller);
    struct made *intermediate = made_intermediate(teller.ca, "Intermediate");
    struct made *made = made_client(intermediate, "alice");
    struct client_auth other = teller.auth;
    other.ca_set = stage_ca_set_like(&teller.stage, intermediate, 4, true);
    const struct client_auth *rules[] = {&teller.auth, &other};
    policy_done(&teller.policy);
    memset(&teller.policy, 0, sizeof teller.policy);
    ck_assert_int_eq(policy_make(&teller.policy, rules, 2), POLICY_FINE);
    struct identity *identity = teller_meets(&teller, made);
    unsigned rfc9440 = teller_preset("rfc9440");
    unsigned aws = teller_preset("aws");
    time_t now = time(NULL);
    struct identity_headers longer = identity_headers_find(rfc9440, &teller.auth, identity, now);
    struct identity_headers shorter = identity_headers_find(rfc9440, &other, identity, now);
    ck_assert_uint_gt(longer.bytes, shorter.bytes);
    longer = identity_headers_find(aws, &teller.auth, identity, now);
    shorter = identity_headers_find(aws, &other, identity, now);
    ck_assert_ptr_eq(longer.texts[0].at, shorter.texts[0].at);
    identity_unref(identity);
    made_free(made);
    made_free(intermediate);
    teller_close(&teller);
}
END_TEST

/* --- xfcc ---------------------------------------------------------------------------------- */

static char *xfcc_of(struct scene *scene, const struct odd_names *names)
{
    teller_open(&scene->teller);
    scene->made = made_client(scene->teller.ca, "plain");
    odd_names_give(scene->made, scene->teller.ca, names);
    scene->identity = teller_meets(&scene->teller, scene->made);
    char *text = told(scene, "xfcc");
    char *value = strdup(teller_value(text, "X-Forwarded-Client-Cert"));
    free(text);
    return value;
}

/* What stands behind the certificates; before them the hash is checked. */
static const char *names_in(const struct scene *scene, const char *value)
{
    char hash[80];
    snprintf(hash, sizeof hash, "Hash=%s;Cert=\"-----BEGIN", scene->identity->sha256);
    ck_assert_ptr_eq(strstr(value, hash), value);
    const char *chain = strstr(value, "\";Chain=\"");
    ck_assert_ptr_nonnull(chain);
    const char *subject = strstr(chain + 9, "\";Subject=\"");
    ck_assert_ptr_nonnull(subject);
    return subject + 2;
}

/* A reader that knows quotes, and that a backslash in them keeps the next byte; the number of
 * elements, and of pairs in `ret_pairs`. */
static unsigned read_xfcc(const char *value, unsigned *ret_pairs)
{
    unsigned elements = 1;
    unsigned pairs = 1;
    bool is_quoted = false;
    for (const char *at = value; *at; at++) {
        if (*at == '"')
            is_quoted = !is_quoted;
        else if (is_quoted && *at == '\\')
            at += at[1] != '\0';
        else if (!is_quoted && *at == ',')
            elements++;
        else if (!is_quoted && *at == ';')
            pairs++;
    }
    ck_assert(!is_quoted);
    *ret_pairs = pairs;
    return elements;
}

#define BYTES(text) text, sizeof(text) - 1

static const struct {
    struct odd_names names;
    const char *says; /* from Subject on */
    unsigned pairs;
} elements[] = {
    {{BYTES("alice"), BYTES("spiffe://td/alice"), BYTES("a.test"), 2},
     "Subject=\"CN=alice\";URI=spiffe://td/alice;DNS=a.test;DNS=a.test",
     7},
    {{BYTES("a\"b"), BYTES("x:a?b=c;d,e"), NULL, 0, 0},
     "Subject=\"CN=a\\22b\";URI=\"x:a?b=c;d,e\"",
     5},
    {{BYTES("a\\"), BYTES("x:a\"b"), BYTES("a\";Hash=0"), 0}, "Subject=\"CN=a\\5C\"", 4},
    {{BYTES("a,b;c"), BYTES("x:a\0b"), BYTES("a.test\0.evil"), 0}, "Subject=\"CN=a\\2Cb\\3Bc\"", 4},
    {{BYTES("a\\\",Hash=0"), NULL, 0, NULL, 0, 0}, "Subject=\"CN=a\\5C\\22\\2CHash=0\"", 4},
    {{BYTES("\0"), BYTES(""), BYTES(""), 0}, "Subject=\"CN=\\00\"", 4},
    {{NULL, 0, BYTES("spiffe://td/x"), BYTES("*.test"), 0},
     "Subject=\"\";URI=spiffe://td/x;DNS=*.test",
     6},
};

START_TEST(xfcc_is_one_element_whatever_stands_in_the_certificate)
{
    struct scene scene;
    unsigned pairs = 0;
    char *value = xfcc_of(&scene, &elements[_i].names);
    ck_assert_str_eq(names_in(&scene, value), elements[_i].says);
    ck_assert_uint_eq(read_xfcc(value, &pairs), 1);
    ck_assert_uint_eq(pairs, elements[_i].pairs);
    /* Nor for a reader who knows of no escapes. */
    ck_assert_ptr_null(strstr(value, "\\\""));
    free(value);
    scene_close(&scene);
}
END_TEST

/* --- how much ------------------------------------------------------------------------------ */

START_TEST(a_value_that_is_too_large_is_only_announced)
{
    struct scene scene;
    scene_open(&scene, (struct certificate_wish){.name = "large", .padding_bytes = 20000});
    char *text = told(&scene, "nginx");
    ck_assert_ptr_nonnull(strstr(text, "X-SSL-Client-Cert-Too-Large: 1\r\n"));
    ck_assert_ptr_nonnull(strstr(text, "X-SSL-Client-S-DN: CN=large\r\n"));
    ck_assert_ptr_null(strstr(text, "X-SSL-Client-Cert:"));
    free(text);
    scene_close(&scene);
}
END_TEST

START_TEST(what_does_not_fit_is_not_written_at_all)
{
    struct scene scene;
    scene_open(&scene, alice);
    struct rule rule = {.auth = scene.teller.auth,
                        .client_headers.to_backend = teller_all_presets()};
    char *all = told(&scene, NULL);
    size_t length = strlen(all);
    char *into = malloc(length);
    time_t now = time(NULL);
    ck_assert_uint_eq(identity_headers_write(&rule, scene.identity, now, into, length - 1), 0);
    ck_assert_uint_eq(identity_headers_write(&rule, scene.identity, now, into, 0), 0);
    ck_assert_uint_eq(identity_headers_write(&rule, scene.identity, now, into, length), length);
    ck_assert_mem_eq(into, all, length);
    rule.client_headers.to_backend = 0;
    ck_assert_uint_eq(identity_headers_write(&rule, scene.identity, now, into, length), 0);
    free(into);
    free(all);
    scene_close(&scene);
}
END_TEST

/* --- many at once -------------------------------------------------------------------------- */

enum { THREADS = 8 };

struct worker {
    pthread_t thread;
    const struct scene *scene;
    struct identity_headers found;
};

static void *find(void *argument)
{
    struct worker *worker = argument;
    worker->found = identity_headers_find(teller_all_presets(), &worker->scene->teller.auth,
                                          worker->scene->identity, time(NULL));
    return NULL;
}

START_TEST(workers_that_meet_an_identity_at_once_share_one_rendering)
{
    struct scene scene;
    struct worker workers[THREADS];
    scene_open(&scene, alice);
    for (int i = 0; i < THREADS; i++) {
        workers[i].scene = &scene;
        ck_assert_int_eq(pthread_create(&workers[i].thread, NULL, find, &workers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_join(workers[i].thread, NULL), 0);
    for (int i = 1; i < THREADS; i++)
        for (unsigned text = 0; text < workers[0].found.text_count; text++)
            ck_assert_ptr_eq(workers[i].found.texts[text].at, workers[0].found.texts[text].at);
    scene_close(&scene);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, every_name_of_every_preset_is_known_in_any_spelling);
    tcase_add_test(tcase, names_of_others_are_left_alone);
    tcase_add_test(tcase, a_verified_client_is_described_as_nginx_would);
    tcase_add_test(tcase, the_nine_fields_of_x_cert_are_what_cloudflare_s_are);
    tcase_add_test(tcase, serials_are_hex_of_even_length_in_capitals);
    tcase_add_test(tcase, aws_fields_are_what_a_load_balancer_of_aws_sends);
    tcase_add_test(tcase, a_certificate_is_pem_again_when_it_is_unescaped);
    tcase_add_test(tcase, cloudflare_s_fields_are_der_and_sha256);
    tcase_add_test(tcase, a_chain_is_what_verified_the_client_and_not_what_it_sent);
    tcase_add_test(tcase, a_certificate_that_is_its_own_anchor_has_no_chain);
    tcase_add_loop_test(tcase, each_field_has_its_own_size_and_no_chain_stands_alone, 0,
                        sizeof oversizes / sizeof *oversizes);
    tcase_add_test(tcase, each_ca_set_has_the_chain_that_it_verified);
    tcase_add_loop_test(tcase, xfcc_is_one_element_whatever_stands_in_the_certificate, 0,
                        sizeof elements / sizeof *elements);
    tcase_add_test(tcase, a_value_that_is_too_large_is_only_announced);
    tcase_add_test(tcase, what_does_not_fit_is_not_written_at_all);
    tcase_add_test(tcase, workers_that_meet_an_identity_at_once_share_one_rendering);
}

CHECK_MAIN("identity_headers", add_tests)
