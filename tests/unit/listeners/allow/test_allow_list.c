/* SPDX-License-Identifier: Apache-2.0 */
/* Which certificates a list lets in: every name in them is looked at, each in its own place. */
#include "listeners/allow/allow_list.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lb/base/arena.h"
#include "lb/base/error.h"
#include "lb/base/limits.h"
#include "listeners/allow/name_pattern.h"
#include "listeners/identity.h"
#include "listeners/rules/policy.h"
#include "tests/support/certificates.h"
#include "tests/support/check_main.h"

static struct arena arena;
static struct made *ca;

/* --- memory ----------------------------------------------------------------------------------- */

static bool is_memory_short; /* OpenSSL's */

static void *lend(size_t bytes, const char *file, int line)
{
    (void)file;
    (void)line;
    return is_memory_short ? NULL : malloc(bytes);
}

static void *lend_more(void *memory, size_t bytes, const char *file, int line)
{
    (void)file;
    (void)line;
    return is_memory_short ? NULL : realloc(memory, bytes);
}

static void take_back(void *memory, const char *file, int line)
{
    (void)file;
    (void)line;
    free(memory);
}

/* --- stage ------------------------------------------------------------------------------------ */

static void begin(void)
{
    arena = (struct arena){0};
    ca = made_certificate(&(struct certificate_wish){
        .name = "Example CA, Inc", .organization = "Example", .ca = true});
}

static void end(void)
{
    made_free(ca);
    arena_done(&arena);
}

/* A list of the lines in `text`, separated by "\n". */
static const struct allow_list *list_of(const char *text)
{
    struct name_pattern patterns[64];
    unsigned count = 0;
    char *rest = NULL;
    for (char *line = strtok_r(arena_copy(&arena, text), "\n", &rest); line;
         line = strtok_r(NULL, "\n", &rest)) {
        struct error err = {0};
        ck_assert_msg(name_pattern_parse(&patterns[count++], line, &arena, &err), "%s", err.text);
    }
    return allow_list_make(patterns, count, &arena);
}

/* --- certificates ----------------------------------------------------------------------------- */

/* One field of the subject, or one alternative name, exactly as its bytes are. */
struct part {
    int nid;  /* of a field; 0: an alternative name */
    int type; /* V_ASN1_…; GEN_… */
    const char *bytes;
    int length; /* -1: up to the NUL */
};

static int length_of(const struct part *part)
{
    return part->length >= 0 ? part->length : (int)strlen(part->bytes);
}

static void add_alternative(GENERAL_NAMES *names, const struct part *part)
{
    GENERAL_NAME *name = GENERAL_NAME_new();
    ASN1_IA5STRING *text = ASN1_IA5STRING_new();
    ck_assert(ASN1_STRING_set(text, part->bytes, length_of(part)) == 1);
    GENERAL_NAME_set0_value(name, part->type, text);
    ck_assert(sk_GENERAL_NAME_push(names, name) > 0);
}

static void add_parts(X509 *leaf, const struct part *parts, unsigned count)
{
    X509_NAME *subject = X509_NAME_new();
    GENERAL_NAMES *names = GENERAL_NAMES_new();
    for (unsigned i = 0; i < count; i++) {
        if (parts[i].nid == 0)
            add_alternative(names, &parts[i]);
        else
            ck_assert(X509_NAME_add_entry_by_NID(subject, parts[i].nid, parts[i].type,
                                                 (const unsigned char *)parts[i].bytes,
                                                 length_of(&parts[i]), -1, 0) == 1);
    }
    ck_assert(X509_set_subject_name(leaf, subject) == 1);
    if (sk_GENERAL_NAME_num(names) > 0)
        ck_assert(X509_add1_ext_i2d(leaf, NID_subject_alt_name, names, 0, X509V3_ADD_APPEND) == 1);
    X509_NAME_free(subject);
    GENERAL_NAMES_free(names);
}

/* As it comes off the wire. */
static X509 *encoded(X509 *leaf)
{
    unsigned char *der = NULL;
    int bytes = i2d_re_X509_tbs(leaf, &der);
    OPENSSL_free(der);
    ck_assert_int_gt(bytes, 0);
    der = NULL;
    bytes = i2d_X509(leaf, &der);
    const unsigned char *at = der;
    X509 *read = d2i_X509(NULL, &at, bytes);
    ck_assert_ptr_nonnull(read);
    OPENSSL_free(der);
    return read;
}

static struct identity *identity_of(const struct part *parts, unsigned count)
{
    static const unsigned char hash[32];
    const struct policy nothing = {.set_count = 0};
    struct made *made = made_client(ca, "nobody");
    add_parts(made->certificate, parts, count);
    STACK_OF(X509) *chain = sk_X509_new_null();
    sk_X509_push(chain, encoded(made->certificate));
    struct identity *identity = identity_new(&nothing, chain, hash, time(NULL));
    ck_assert_ptr_nonnull(identity);
    sk_X509_pop_free(chain, X509_free);
    made_free(made);
    return identity;
}

/* --- kinds ------------------------------------------------------------------------------------ */

static const struct part everything[] = {
    {NID_commonName, V_ASN1_UTF8STRING, "alice", -1},
    {NID_commonName, V_ASN1_PRINTABLESTRING, "second", -1},
    {NID_organizationalUnitName, V_ASN1_UTF8STRING, "Sales", -1},
    {NID_organizationalUnitName, V_ASN1_UTF8STRING,
     "Field \xc3\xbc"
     "ber",
     -1},
    {NID_organizationName, V_ASN1_UTF8STRING, "Acme", -1},
    {0, GEN_DNS, "A.Example.com", -1},
    {0, GEN_DNS, "b.example.com", -1},
    {0, GEN_URI, "spiffe://td/ns/web", -1},
    {0, GEN_EMAIL, "alice@Example.com", -1},
};
enum { EVERYTHING = sizeof everything / sizeof *everything };

static const struct {
    const char *lines;
    bool is_on;
} cases[] = {
    {"cn:alice", true},
    {"cn:second", true},
    {"cn:Sales", false},
    {"cn:Acme", false},
    {"cn:a.example.com", false},
    {"ou:Sales", true},
    {"ou:Field *", true},
    {"ou:alice", false},
    {"ou:Acme", false},
    {"dns:a.example.com", true},
    {"dns:*.example.com", true},
    {"dns:alice", false},
    {"dns:spiffe", false},
    {"uri:spiffe://td/ns/*", true},
    {"uri:*@example.com", false},
    {"email:alice@example.com", true},
    {"email:*@example.com", true},
    {"issuer:CN=Example CA\\, Inc,O=Example", true},
    {"issuer:CN=Example CA*,O=Example", true},
    {"issuer:CN=Example CA*", false},
    {"issuer:CN=alice", false},
    {"client-id:alice", true},
    {"client-id:al*", true},
    {"client-id:second", false},
    {"cn:nobody\ncn:noone\nou:Sales", true},
    {"cn:nobody\ncn:n*\nou:Marketing\ndns:c.example.com", false},
};

START_TEST(every_name_of_a_certificate_is_looked_at_in_its_own_place)
{
    struct identity *identity = identity_of(everything, EVERYTHING);
    const struct allow_list *list = list_of(cases[_i].lines);
    for (int round = 0; round < 3; round++) /* found, then remembered */
        ck_assert_msg(allow_list_has(list, identity) == cases[_i].is_on, "%s", cases[_i].lines);
    identity_unref(identity);
}
END_TEST

START_TEST(a_certificate_and_a_key_are_known_by_their_digests)
{
    struct identity *identity = identity_of(everything, EVERYTHING);
    struct identity *other = identity_of(everything, EVERYTHING);
    unsigned char digest[32], *der = NULL;
    char line[128] = "spki:";
    int bytes = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(identity->leaf), &der);
    ck_assert(EVP_Digest(der, (size_t)bytes, digest, NULL, EVP_sha256(), NULL) == 1);
    OPENSSL_free(der);
    for (size_t i = 0; i < 32; i++)
        sprintf(line + 5 + 3 * i, "%02X:", digest[i]);
    line[5 + 95] = '\0';
    const struct allow_list *by_key = list_of(line);
    ck_assert(allow_list_has(by_key, identity));
    ck_assert(!allow_list_has(by_key, other));
    const struct allow_list *by_certificate =
        list_of(arena_format(&arena, "sha256:%s", identity->sha256));
    ck_assert(allow_list_has(by_certificate, identity));
    ck_assert(!allow_list_has(by_certificate, other));
    identity_unref(identity);
    identity_unref(other);
}
END_TEST

/* --- names that are not what they seem ----------------------------------------------------------
 */

static const struct part odd[] = {
    {NID_commonName, V_ASN1_UTF8STRING, "alice\0", 6},
    {NID_commonName, V_ASN1_UTF8STRING, "alice\0.evil.org", 15},
    {NID_commonName, V_ASN1_IA5STRING, "alice\0", 6},
    {NID_commonName, V_ASN1_BMPSTRING, "\0a\0l\0i\0c\0e", 10},
    {NID_commonName, V_ASN1_UNIVERSALSTRING, "\0\0\0a\0\0\0l\0\0\0i\0\0\0c\0\0\0e", 20},
    {NID_commonName, V_ASN1_T61STRING, "alice", 5},
    {NID_commonName, V_ASN1_UTF8STRING, "alice\n", 6},
    {NID_commonName, V_ASN1_IA5STRING, "alice\xe9", 6},
    {NID_commonName, V_ASN1_UTF8STRING, "alice\xe2\x80\x8f", 8},
    {NID_organizationalUnitName, V_ASN1_BMPSTRING, "\0a\0l\0i\0c\0e", 10},
    {0, GEN_DNS, "alice\0", 6},
    {0, GEN_DNS, "alice\0.evil.org", 15},
    {0, GEN_DNS, "alice\xc3\xa9", 7},
    {0, GEN_DNS, "alice\n", 6},
    {0, GEN_DNS, "", 0},
    {0, GEN_URI, "alice:\0", 7},
    {0, GEN_EMAIL, "alice@\0evil.org", 15},
    {0, GEN_EMAIL, "alice@x\xc3\xa9.org", -1},
};

START_TEST(nul_bytes_control_bytes_and_odd_encodings_fit_nothing)
{
    const struct allow_list *list = list_of("cn:*\nou:*\ndns:*\nuri:*\nemail:*@*\nclient-id:*\n"
                                            "cn:alice\nou:alice\ndns:alice\nclient-id:alice");
    struct identity *identity = identity_of(&odd[_i], 1);
    ck_assert_msg(!allow_list_has(list, identity), "%d", _i);
    identity_unref(identity);
}
END_TEST

START_TEST(an_odd_name_does_not_hide_a_good_one)
{
    const struct part parts[] = {odd[0], odd[3], {NID_commonName, V_ASN1_UTF8STRING, "bob", -1}};
    struct identity *identity = identity_of(parts, 3);
    ck_assert(allow_list_has(list_of("cn:bob"), identity));
    ck_assert(!allow_list_has(list_of("cn:alice*"), identity));
    ck_assert(!allow_list_has(list_of("client-id:bob"), identity)); /* the first is its id */
    identity_unref(identity);
}
END_TEST

START_TEST(of_a_thousand_names_the_first_are_looked_at)
{
    static struct part parts[1000];
    for (unsigned i = 0; i < 1000; i++)
        parts[i] = (struct part){0, GEN_DNS, arena_format(&arena, "h%u.example.com", i), -1};
    struct identity *identity = identity_of(parts, 1000);
    ck_assert(allow_list_has(list_of("dns:h0.example.com"), identity));
    ck_assert(allow_list_has(
        list_of(arena_format(&arena, "dns:h%d.example.com", ALLOWED_NAMES_MOST - 1)), identity));
    ck_assert(!allow_list_has(
        list_of(arena_format(&arena, "dns:h%d.example.com", ALLOWED_NAMES_MOST)), identity));
    identity_unref(identity);
}
END_TEST

/* --- lists ------------------------------------------------------------------------------------ */

START_TEST(lists_are_equal_that_say_the_same)
{
    const struct allow_list *one = list_of("cn:alice\ndns:*.example.com\nou:Sales");
    ck_assert(allow_list_equal(one, list_of("ou:Sales\ncn:alice\ndns:*.EXAMPLE.com\ncn:alice")));
    ck_assert(!allow_list_equal(one, list_of("cn:alice\ndns:*.example.com")));
    ck_assert(!allow_list_equal(list_of("cn:alice"), list_of("ou:alice")));
    ck_assert(!allow_list_equal(list_of("cn:a*"), list_of("cn:a\\*")));
    ck_assert(!allow_list_equal(one, NULL));
    ck_assert(!allow_list_equal(NULL, one));
    ck_assert(allow_list_equal(NULL, NULL));
}
END_TEST

START_TEST(more_lists_than_an_identity_remembers_are_each_asked_right)
{
    struct identity *identity = identity_of(everything, EVERYTHING);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 4 * IDENTITY_ALLOWED; i++) {
            const char *lines =
                arena_format(&arena, "cn:%s\nou:%d\nclient-id:x%d*", i % 3 ? "alice" : "bob", i, i);
            ck_assert_int_eq(allow_list_has(list_of(lines), identity), i % 3 != 0);
        }
    }
    identity_unref(identity);
}
END_TEST

START_TEST(who_was_not_looked_at_for_lack_of_memory_is_looked_at_the_next_time)
{
    static const char *const lines[] = {"dns:b.example.com", "(key)",
                                        "cn:none\nuri:spiffe://td/ns/*"};
    struct identity *identity = identity_of(everything, EVERYTHING);
    unsigned char digest[32], *der = NULL;
    char key[3 * sizeof digest];
    int bytes = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(identity->leaf), &der);
    ck_assert(EVP_Digest(der, (size_t)bytes, digest, NULL, EVP_sha256(), NULL) == 1);
    OPENSSL_free(der);
    for (size_t i = 0; i < sizeof digest; i++)
        sprintf(key + 2 * i, "%02x", digest[i]);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        const struct allow_list *list = list_of(
            strcmp(lines[i], "(key)") == 0 ? arena_format(&arena, "spki:%s", key) : lines[i]);
        is_memory_short = true;
        ck_assert(!allow_list_has(list, identity));
        ck_assert(!allow_list_has(list, identity));
        is_memory_short = false;
        ck_assert_msg(allow_list_has(list, identity), "%s", lines[i]);
        is_memory_short = true; /* remembered */
        ck_assert(allow_list_has(list, identity));
        is_memory_short = false;
    }
    identity_unref(identity);
}
END_TEST

struct crowd {
    struct identity *identity;
    const struct allow_list *on, *off;
    bool is_right;
};

static void *ask_often(void *arg)
{
    struct crowd *crowd = arg;
    crowd->is_right = true;
    for (int i = 0; i < 2000; i++)
        crowd->is_right &= allow_list_has(crowd->on, crowd->identity) &&
                           !allow_list_has(crowd->off, crowd->identity);
    return NULL;
}

START_TEST(many_threads_may_ask_about_one_identity)
{
    struct crowd crowd[8];
    pthread_t threads[8];
    struct identity *identity = identity_of(everything, EVERYTHING);
    for (int i = 0; i < 8; i++) {
        const char *lines = arena_format(&arena, "ou:none%d\nclient-id:n*%d", i, i);
        crowd[i] = (struct crowd){identity, list_of(i % 2 ? "dns:b.example.com" : "client-id:a*"),
                                  list_of(lines), false};
        ck_assert_int_eq(pthread_create(&threads[i], NULL, ask_often, &crowd[i]), 0);
    }
    for (int i = 0; i < 8; i++) {
        pthread_join(threads[i], NULL);
        ck_assert(crowd[i].is_right);
    }
    identity_unref(identity);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_loop_test(tcase, every_name_of_a_certificate_is_looked_at_in_its_own_place, 0,
                        sizeof cases / sizeof *cases);
    tcase_add_test(tcase, a_certificate_and_a_key_are_known_by_their_digests);
    tcase_add_loop_test(tcase, nul_bytes_control_bytes_and_odd_encodings_fit_nothing, 0,
                        sizeof odd / sizeof *odd);
    tcase_add_test(tcase, an_odd_name_does_not_hide_a_good_one);
    tcase_add_test(tcase, of_a_thousand_names_the_first_are_looked_at);
    tcase_add_test(tcase, lists_are_equal_that_say_the_same);
    tcase_add_test(tcase, more_lists_than_an_identity_remembers_are_each_asked_right);
    tcase_add_test(tcase, who_was_not_looked_at_for_lack_of_memory_is_looked_at_the_next_time);
    tcase_add_test(tcase, many_threads_may_ask_about_one_identity);
}

int main(void)
{
    if (CRYPTO_set_mem_functions(lend, lend_more, take_back) != 1)
        return EXIT_FAILURE; /* OpenSSL has memory already */
    return check_run("allow_list", add_tests, 60);
}
