/* SPDX-License-Identifier: Apache-2.0 */
/* The table of strange certificates, and the twists that make them so. */
#include "tests/support/strange.h"

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void must(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "tests/support/strange: cannot %s\n", what);
    ERR_print_errors_fp(stderr);
    abort();
}

/* Extensions, with any bytes for a value */

static void add_bytes(X509 *certificate, const char *oid, bool is_critical, const void *bytes,
                      size_t length)
{
    ASN1_OBJECT *kind = OBJ_txt2obj(oid, 0);
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    must(kind && value && ASN1_OCTET_STRING_set(value, bytes, (int)length), "fill an extension");
    X509_EXTENSION *extension = X509_EXTENSION_create_by_OBJ(NULL, kind, is_critical, value);
    must(extension && X509_add_ext(certificate, extension, -1), "add an extension");
    X509_EXTENSION_free(extension);
    ASN1_OCTET_STRING_free(value);
    ASN1_OBJECT_free(kind);
}

static void replace_bytes(X509 *certificate, int kind, const void *bytes, size_t length)
{
    int at = X509_get_ext_by_NID(certificate, kind, -1);
    if (at >= 0)
        X509_EXTENSION_free(X509_delete_ext(certificate, at));
    add_bytes(certificate, OBJ_nid2sn(kind), false, bytes, length);
}

/* A SEQUENCE that says it has more than there is. */
static const unsigned char cut_off[] = {0x30, 0x20, 0x01, 0x01, 0xff};

static void break_constraints(X509 *certificate)
{
    replace_bytes(certificate, NID_basic_constraints, cut_off, sizeof cut_off);
}

static void break_key_usage(X509 *certificate)
{
    replace_bytes(certificate, NID_key_usage, cut_off, sizeof cut_off);
}

static void break_usage(X509 *certificate)
{
    replace_bytes(certificate, NID_ext_key_usage, cut_off, sizeof cut_off);
}

static void break_names(X509 *certificate)
{
    replace_bytes(certificate, NID_subject_alt_name, cut_off, sizeof cut_off);
}

static void break_key_id(X509 *certificate)
{
    replace_bytes(certificate, NID_authority_key_identifier, cut_off, sizeof cut_off);
}

static void break_limits(X509 *certificate)
{
    replace_bytes(certificate, NID_name_constraints, cut_off, sizeof cut_off);
}

static void empty_usage(X509 *certificate)
{
    replace_bytes(certificate, NID_ext_key_usage, "", 0);
}

static void add_unknown_critical(X509 *certificate)
{
    add_bytes(certificate, "1.3.6.1.4.1.55555.2", true, "\x05\x00", 2);
}

static void add_unknown(X509 *certificate)
{
    add_bytes(certificate, "1.3.6.1.4.1.55555.2", false, "no DER at all", 13);
}

static void add_unknown_twice(X509 *certificate)
{
    add_unknown(certificate);
    add_unknown(certificate);
}

static const unsigned char client_usage[] = {0x30, 0x0a, 0x06, 0x08, 0x2b, 0x06,
                                             0x01, 0x05, 0x05, 0x07, 0x03, 0x02};

static void add_usage_twice(X509 *certificate)
{
    replace_bytes(certificate, NID_ext_key_usage, client_usage, sizeof client_usage);
    add_bytes(certificate, OBJ_nid2sn(NID_ext_key_usage), false, client_usage, sizeof client_usage);
}

/* One says that it is a CA, the other that it is none. */
static void add_two_constraints(X509 *certificate)
{
    replace_bytes(certificate, NID_basic_constraints, "\x30\x00", 2);
    add_bytes(certificate, OBJ_nid2sn(NID_basic_constraints), true, "\x30\x03\x01\x01\xff", 5);
}

static void add_thousands(X509 *certificate)
{
    for (unsigned i = 0; i < 1000; i++) {
        char oid[40];
        snprintf(oid, sizeof oid, "1.3.6.1.4.1.55555.%u", 1000 - i);
        add_bytes(certificate, oid, false, "\x05\x00", 2);
    }
}

static void add_thousand_names(X509 *certificate)
{
    GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
    for (unsigned i = 0; i < 1000; i++) {
        char text[32];
        snprintf(text, sizeof text, "d%u.example.com", i);
        GENERAL_NAME *name = a2i_GENERAL_NAME(NULL, NULL, NULL, GEN_DNS, text, 0);
        must(name && sk_GENERAL_NAME_push(names, name) > 0, "name a certificate");
    }
    must(X509_add1_ext_i2d(certificate, NID_subject_alt_name, names, 0, 0) == 1, "add names");
    GENERAL_NAMES_free(names);
}

static void add_no_names(X509 *certificate)
{
    add_bytes(certificate, OBJ_nid2sn(NID_subject_alt_name), true, "\x30\x00", 2);
}

static void be_a_ca(X509 *certificate)
{
    replace_bytes(certificate, NID_basic_constraints, "\x30\x03\x01\x01\xff", 5);
}

/* Serials */

static void set_serial(X509 *certificate, const void *bytes, size_t length, bool is_negative)
{
    BIGNUM *number = BN_bin2bn(bytes, (int)length, NULL);
    must(number != NULL, "set a serial");
    BN_set_negative(number, is_negative);
    must(BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != NULL, "set a serial");
    BN_free(number);
}

static void be_negative(X509 *certificate)
{
    set_serial(certificate, "\x05", 1, true);
}

static void be_zero(X509 *certificate)
{
    set_serial(certificate, "", 1, false);
}

static void be_long(X509 *certificate)
{
    set_serial(certificate,
               "\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11"
               "\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11",
               30, false);
}

static void be_endless(X509 *certificate)
{
    unsigned char bytes[8000];
    memset(bytes, 0x77, sizeof bytes);
    set_serial(certificate, bytes, sizeof bytes, false);
}

/* Times */

static void set_time(X509 *certificate, int set(X509 *, const ASN1_TIME *), int type,
                     const char *text)
{
    ASN1_TIME *time = ASN1_STRING_type_new(type);
    must(time && ASN1_STRING_set(time, text, (int)strlen(text)) == 1 && set(certificate, time) == 1,
         "set a time");
    ASN1_STRING_free(time);
}

static void end_never(X509 *certificate)
{
    set_time(certificate, X509_set1_notAfter, V_ASN1_GENERALIZEDTIME, "99991231235959Z");
}

static void begin_1950(X509 *certificate)
{
    set_time(certificate, X509_set1_notBefore, V_ASN1_UTCTIME, "500101000000Z");
}

static void end_1950(X509 *certificate)
{
    begin_1950(certificate);
    set_time(certificate, X509_set1_notAfter, V_ASN1_UTCTIME, "500102000000Z");
}

static void end_2049(X509 *certificate)
{
    set_time(certificate, X509_set1_notAfter, V_ASN1_UTCTIME, "491231235959Z");
}

static void end_before_1970(X509 *certificate)
{
    set_time(certificate, X509_set1_notAfter, V_ASN1_UTCTIME, "691231235959Z");
}

static void end_no_time(X509 *certificate)
{
    set_time(certificate, X509_set1_notAfter, V_ASN1_UTCTIME, "tomorrow1200Z");
}

static void end_nowhere(X509 *certificate)
{
    set_time(certificate, X509_set1_notAfter, V_ASN1_UTCTIME, "401231235959+0100");
}

static void begin_no_time(X509 *certificate)
{
    set_time(certificate, X509_set1_notBefore, V_ASN1_GENERALIZEDTIME, "20261301000000Z");
}

/* Names */

static void add_field(X509 *certificate, int kind, int type, const void *bytes, size_t length)
{
    X509_NAME *name = X509_NAME_dup(X509_get_subject_name(certificate));
    must(name && X509_NAME_add_entry_by_NID(name, kind, type, bytes, (int)length, -1, 0) == 1 &&
             X509_set_subject_name(certificate, name) == 1,
         "add to a name");
    X509_NAME_free(name);
}

static void have_large_name(X509 *certificate, size_t bytes)
{
    char *filling = malloc(bytes);
    must(filling != NULL, "fill a name");
    memset(filling, 'x', bytes);
    add_field(certificate, NID_organizationName, V_ASN1_UTF8STRING, filling, bytes);
    free(filling);
}

static void have_large_subject(X509 *certificate)
{
    have_large_name(certificate, 20 * 1000);
}

static void have_huge_subject(X509 *certificate)
{
    have_large_name(certificate, 100 * 1000);
}

static void have_many_fields(X509 *certificate)
{
    for (unsigned i = 0; i < 1000; i++)
        add_field(certificate, NID_organizationalUnitName, V_ASN1_PRINTABLESTRING, "unit", 4);
}

static void have_nul(X509 *certificate)
{
    add_field(certificate, NID_commonName, V_ASN1_UTF8STRING, "admin\0.example.com", 18);
}

static void have_controls(X509 *certificate)
{
    add_field(certificate, NID_organizationName, V_ASN1_IA5STRING,
              "a\r\nX-SSL-Client-Verify: SUCCESS\r\n\x1b[2J\x7f", 37);
}

static void have_wide_text(X509 *certificate)
{
    add_field(certificate, NID_organizationName, V_ASN1_BMPSTRING, "\x4e\x2d\x65\x87", 4);
}

static void have_bits(X509 *certificate)
{
    add_field(certificate, NID_organizationName, V_ASN1_BIT_STRING, "\x01\x02\x03", 3);
}

/* Keys */

/* There is no call that sets what is no key: so it is put into its place. */
static void set_key(X509 *certificate, const char *algorithm, const void *bytes, size_t length)
{
    X509_PUBKEY *key = (X509_PUBKEY *)X509_get_X509_PUBKEY(certificate);
    unsigned char *copy = OPENSSL_memdup(bytes, length);
    must(copy && X509_PUBKEY_set0_param(key, OBJ_txt2obj(algorithm, 0), V_ASN1_NULL, NULL, copy,
                                        (int)length) == 1,
         "set a key");
}

static void have_unknown_key(X509 *certificate)
{
    set_key(certificate, "1.3.6.1.4.1.55555.3", "no key that anybody knows", 25);
}

static void have_broken_key(X509 *certificate)
{
    set_key(certificate, "rsaEncryption", "\x30\x82\x01\x0a\x02", 5);
}

/* RSAPublicKey with a modulus of so many bytes and this exponent. */
static void have_rsa(X509 *certificate, size_t modulus_bytes, const char *exponent, size_t length)
{
    static unsigned char der[3000];
    size_t inside = modulus_bytes + 5 + 2 + length;
    unsigned char *at = der;
    const unsigned char begin[] = {0x30,
                                   0x82,
                                   (unsigned char)(inside >> 8),
                                   (unsigned char)inside,
                                   0x02,
                                   0x82,
                                   (unsigned char)((modulus_bytes + 1) >> 8),
                                   (unsigned char)(modulus_bytes + 1),
                                   0x00};
    memcpy(at, begin, sizeof begin);
    at += sizeof begin;
    memset(at, 0xb5, modulus_bytes); /* odd, and its highest bit is set */
    at += modulus_bytes;
    *at++ = 0x02;
    *at++ = (unsigned char)length;
    memcpy(at, exponent, length);
    set_key(certificate, "rsaEncryption", der, (size_t)(at - der) + length);
}

static void have_exponent_one(X509 *certificate)
{
    have_rsa(certificate, 256, "\x01", 1);
}

static void have_even_exponent(X509 *certificate)
{
    have_rsa(certificate, 256, "\x01\x00\x00", 3);
}

static void have_giant_key(X509 *certificate)
{
    have_rsa(certificate, 2048, "\x00\xff\xff\xff\xff\xff\xff\xff\xff", 9);
}

#define CLIENT .name = "odd", .usage = "clientAuth"
#define GOOD REFUSAL_NONE, REFUSAL_NONE, REFUSAL_NONE
#define BAD(name) REFUSAL_##name, REFUSAL_##name, REFUSAL_NONE
/* OpenSSL cannot go on without a key; as an issuer it is nobody's. */
#define KEYLESS REFUSAL_WEAK_KEY, REFUSAL_UNTRUSTED, REFUSAL_WEAK_KEY
#define UNREADABLE REFUSAL_MALFORMED, REFUSAL_MALFORMED, REFUSAL_MALFORMED
/* Nobody can sign with it, so the client signs with another one. */
#define UNFIT REFUSAL_WEAK_KEY, REFUSAL_UNTRUSTED, REFUSAL_BAD_SIGNATURE

// clang-format off
const struct strange strange_ones[] = {
    /* 4.1.2.2: at most 20 octets, positive; be graceful with those that are not. */
    {"negative-serial", GOOD, {CLIENT, .twist = be_negative}},
    {"zero-serial", GOOD, {CLIENT, .twist = be_zero}},
    {"long-serial", GOOD, {CLIENT, .twist = be_long}},
    {"endless-serial", GOOD, {CLIENT, .twist = be_endless}},
    /* 4.2: unknown critical ones are refused, others are not looked at, and none comes twice. */
    {"critical-unknown", BAD(UNSUPPORTED), {CLIENT, .twist = add_unknown_critical}},
    {"unknown", GOOD, {CLIENT, .twist = add_unknown}},
    {"unknown-twice", BAD(MALFORMED), {CLIENT, .twist = add_unknown_twice}},
    {"usage-twice", BAD(MALFORMED), {CLIENT, .twist = add_usage_twice}},
    {"constraints-twice", BAD(MALFORMED), {CLIENT, .twist = add_two_constraints}},
    {"thousand-extensions", GOOD, {CLIENT, .twist = add_thousands}},
    {"broken-constraints", BAD(MALFORMED), {CLIENT, .twist = break_constraints}},
    {"broken-key-usage", BAD(MALFORMED), {CLIENT, .twist = break_key_usage}},
    {"broken-usage", BAD(MALFORMED), {CLIENT, .twist = break_usage}},
    {"empty-usage", BAD(MALFORMED), {CLIENT, .twist = empty_usage}},
    {"broken-names", BAD(MALFORMED), {CLIENT, .twist = break_names}},
    {"broken-key-id", BAD(MALFORMED), {CLIENT, .twist = break_key_id}},
    {"broken-name-constraints", BAD(MALFORMED), {CLIENT, .twist = break_limits}},
    {"version-1-with-extensions", BAD(MALFORMED), {CLIENT, .claims_v1 = true}},
    /* 4.1.2.5: UTCTime's 50 is 1950, its 49 is 2049; 9999 is for ever; both end in Z. */
    {"never-ends", GOOD, {CLIENT, .twist = end_never}},
    {"since-1950", GOOD, {CLIENT, .twist = begin_1950}},
    {"until-2049", GOOD, {CLIENT, .twist = end_2049}},
    {"until-1950", BAD(EXPIRED), {CLIENT, .twist = end_1950}},
    {"until-1969", BAD(EXPIRED), {CLIENT, .twist = end_before_1970}},
    {"ends-before-it-begins", BAD(EXPIRED), {CLIENT, .from_s = -3600, .until_s = -7200}},
    {"begins-after-its-end", BAD(NOT_YET_VALID), {CLIENT, .from_s = 7200, .until_s = 3600}},
    {"until-tomorrow", BAD(MALFORMED), {CLIENT, .twist = end_no_time}},
    {"until-elsewhere", BAD(MALFORMED), {CLIENT, .twist = end_nowhere}},
    {"since-month-13", BAD(MALFORMED), {CLIENT, .twist = begin_no_time}},
    /* 4.1.2.6: names of any characters are names; an empty one is none. */
    {"large-subject", GOOD, {CLIENT, .twist = have_large_subject}},
    {"huge-subject", REFUSAL_TOO_LARGE, REFUSAL_TOO_LARGE, REFUSAL_TOO_LARGE, {CLIENT, .twist = have_huge_subject}},
    {"many-fields", GOOD, {CLIENT, .twist = have_many_fields}},
    {"no-subject", GOOD, {.usage = "clientAuth"}},
    {"no-subject-but-a-name", GOOD, {.usage = "clientAuth", .names = "DNS:odd.example.com"}},
    {"nul-in-name", GOOD, {.usage = "clientAuth", .twist = have_nul}},
    {"controls-in-name", GOOD, {CLIENT, .twist = have_controls}},
    {"bmp", GOOD, {CLIENT, .twist = have_wide_text}},
    {"bits-for-a-name", GOOD, {CLIENT, .twist = have_bits}},
    {"thousand-names", GOOD, {CLIENT, .twist = add_thousand_names}},
    {"no-names", GOOD, {CLIENT, .twist = add_no_names}},
    /* Keys and signatures. */
    {"unknown-key", KEYLESS, {CLIENT, .unread = true, .twist = have_unknown_key}},
    {"broken-key", KEYLESS, {CLIENT, .unread = true, .twist = have_broken_key}},
    {"rsa-exponent-1", UNFIT, {CLIENT, .unread = true, .twist = have_exponent_one}},
    {"rsa-even-exponent", UNFIT, {CLIENT, .unread = true, .twist = have_even_exponent}},
    {"rsa-16384", REFUSAL_TOO_LARGE, REFUSAL_UNTRUSTED, REFUSAL_TOO_LARGE, {CLIENT, .unread = true, .twist = have_giant_key}},
    {"explicit-curve", BAD(MALFORMED), {CLIENT, .key = MADE_KEY_P256_EXPLICIT}},
    {"sha1", BAD(WEAK_KEY), {CLIENT, .sha1 = true}},
    {"ed25519", GOOD, {CLIENT, .key = MADE_KEY_ED25519}},
    {"ed448", GOOD, {CLIENT, .key = MADE_KEY_ED448}},
    {"signing-ca", REFUSAL_WRONG_PURPOSE, REFUSAL_NONE, REFUSAL_NONE, {CLIENT, .ca = true}},
    {"ca", GOOD, {CLIENT, .twist = be_a_ca}},
};
// clang-format on
const unsigned strange_count = sizeof strange_ones / sizeof strange_ones[0];

struct made *strange_client(const struct strange *strange, const struct made *ca)
{
    struct certificate_wish wish = strange->wish;
    wish.issuer = ca;
    return made_certificate(&wish);
}

struct made *strange_descendant(const struct strange *strange, const struct made *ca)
{
    struct certificate_wish wish = strange->wish;
    wish.issuer = ca;
    wish.ca = true;
    struct made *issuer = made_certificate(&wish);
    struct made *client = made_client(issuer, "descendant");
    made_free(issuer);
    return client;
}

/* Certificates that cannot be decoded */

static void begin_as_octets(X509 *certificate)
{
    set_time(certificate, X509_set1_notBefore, V_ASN1_OCTET_STRING, "250101000000Z");
}

/* OpenSSL makes no such names: what stands for them is replaced in their encoding. */
static void replace_name(X509 *certificate, int type, const char *good, const char *bad,
                         size_t length)
{
    const unsigned char *der = NULL;
    size_t bytes = 0;
    add_field(certificate, NID_organizationName, type, good, length);
    must(X509_NAME_get0_der(X509_get_subject_name(certificate), &der, &bytes) == 1,
         "encode a name");
    void *at = memmem(der, bytes, good, length);
    must(at != NULL, "find what to replace");
    memcpy(at, bad, length);
}

static void have_broken_utf8(X509 *certificate)
{
    replace_name(certificate, V_ASN1_UTF8STRING, "abcdef", "\xff\xfe\xc0\x80\xe2\x82", 6);
}

static void have_surrogates(X509 *certificate)
{
    replace_name(certificate, V_ASN1_BMPSTRING, "abcdef", "\xd8\x00\x00\x41\xdc\x00", 6);
}

static void have_no_characters(X509 *certificate)
{
    replace_name(certificate, V_ASN1_UNIVERSALSTRING, "\0\0\0a\0\0\0b",
                 "\x7f\xff\xff\xff\x00\x11\x00\x00", 8);
}

// clang-format off
const struct strange undecodable_ones[] = {
    {"octets-for-a-time", UNREADABLE, {CLIENT, .unread = true, .twist = begin_as_octets}},
    {"broken-utf8", UNREADABLE, {CLIENT, .unread = true, .twist = have_broken_utf8}},
    {"bmp-surrogates", UNREADABLE, {CLIENT, .unread = true, .twist = have_surrogates}},
    {"universal-no-characters", UNREADABLE, {CLIENT, .unread = true, .twist = have_no_characters}},
};
// clang-format on
const unsigned undecodable_count = sizeof undecodable_ones / sizeof undecodable_ones[0];
