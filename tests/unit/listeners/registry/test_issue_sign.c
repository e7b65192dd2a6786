/* SPDX-License-Identifier: Apache-2.0 */
/* What is signed says what it shall, and nothing that a CSR smuggled in. */
#include <time.h>

#include "lb/base/certificate.h"
#include "tests/support/certificates.h"
#include "tests/unit/listeners/registry/issuer_stage.h"

static struct issuer_stage stage;
static X509 *ca;
static const struct ca_wish plain_ca;

static void begin(void)
{
    stage_begin(&stage);
    ca = stage_make_ca(&stage, &plain_ca);
}

static void end(void)
{
    X509_free(ca);
    stage_end(&stage);
}

static X509 *sign(X509_REQ *request, const struct issue_wish *wish)
{
    X509 *certificate = issue_sign(&stage.place, request, wish, &stage.err);
    ck_assert_msg(certificate != NULL, "%s", stage.err.text);
    ck_assert_int_eq(X509_verify(certificate, X509_get0_pubkey(ca)), 1);
    return certificate;
}

static void expect_refused(X509_REQ *request, const struct issue_wish *wish, const char *words)
{
    stage.err = (struct error){""};
    ck_assert_ptr_null(issue_sign(&stage.place, request, wish, &stage.err));
    stage_expect(&stage.err, words);
}

/* --- the profile ----------------------------------------------------------------------------- */

START_TEST(it_is_as_its_profile_says)
{
    bool is_critical = false;
    X509_REQ *request = stage_plain_request();
    time_t now = time(NULL);
    X509 *it = sign(request, &(struct issue_wish){.days = 365});
    ck_assert_int_eq(X509_get_version(it), X509_VERSION_3);
    ck_assert_str_eq(stage_extension(it, NID_basic_constraints, &is_critical), "CA:FALSE");
    ck_assert(is_critical);
    ck_assert_str_eq(stage_extension(it, NID_key_usage, &is_critical), "Digital Signature");
    ck_assert(is_critical);
    ck_assert_str_eq(stage_extension(it, NID_ext_key_usage, &is_critical),
                     "TLS Web Client Authentication");
    ck_assert(!is_critical);
    ck_assert_uint_eq(strlen(stage_extension(it, NID_subject_key_identifier, NULL)), 20 * 3 - 1);
    ck_assert_int_eq(
        ASN1_OCTET_STRING_cmp(X509_get0_authority_key_id(it), X509_get0_subject_key_id(ca)), 0);
    ck_assert_int_eq(X509_get_ext_count(it), 5);
    ck_assert_int_eq(X509_check_purpose(it, X509_PURPOSE_SSL_CLIENT, 0), 1);
    ck_assert_int_eq(X509_check_purpose(it, X509_PURPOSE_SSL_SERVER, 0), 0);
    ck_assert_int_eq(X509_get_signature_nid(it), NID_ecdsa_with_SHA256);
    ck_assert_int_eq(X509_NAME_cmp(X509_get_issuer_name(it), X509_get_subject_name(ca)), 0);
    ck_assert_int_eq(EVP_PKEY_eq(X509_get0_pubkey(it), X509_REQ_get0_pubkey(request)), 1);
    time_t begins = certificate_time(X509_get0_notBefore(it));
    time_t ends = certificate_time(X509_get0_notAfter(it));
    ck_assert_int_ge(begins, now - ISSUER_BACKDATED_S);
    ck_assert_int_le(begins, now);
    ck_assert_int_ge(ends, now + 365 * (time_t)STAGE_DAY_S);
    ck_assert_int_le(ends, now + 365 * (time_t)STAGE_DAY_S + 60);
    X509_free(it);
    X509_REQ_free(request);
}
END_TEST

START_TEST(serials_have_128_random_bits)
{
    enum { COUNT = 40, BITS = 128 };
    unsigned ones[BITS] = {0};
    X509_REQ *request = stage_plain_request();
    for (unsigned i = 0; i < COUNT; i++) {
        X509 *it = sign(request, &(struct issue_wish){.days = 1});
        BIGNUM *serial = ASN1_INTEGER_to_BN(X509_get0_serialNumber(it), NULL);
        ck_assert(!BN_is_negative(serial) && !BN_is_zero(serial));
        ck_assert_int_le(BN_num_bits(serial), BITS);
        for (int bit = 0; bit < BITS; bit++)
            ones[bit] += (unsigned)BN_is_bit_set(serial, bit);
        BN_free(serial);
        X509_free(it);
    }
    for (unsigned bit = 0; bit < BITS; bit++) /* each wrong once in 2^39 runs */
        ck_assert_msg(ones[bit] > 0 && ones[bit] < COUNT, "bit %u is always the same", bit);
    X509_REQ_free(request);
}
END_TEST

START_TEST(a_ca_of_every_kind_signs_keys_of_every_kind)
{
    X509 *own = NULL;
    struct issuer_stage other;
    stage_begin(&other);
    own = stage_make_ca(&other, &(struct ca_wish){.key = (enum key_kind)_i});
    for (int kind = 0; kind < KEY_KIND_COUNT; kind++) {
        if (kind == KEY_RSA3072 || kind == KEY_RSA4096)
            continue; /* they take seconds, and differ in nothing from the smaller one */
        const struct issue_wish wish = {.common_name = "alice", .days = 1};
        EVP_PKEY *key = stage_key((enum key_kind)kind);
        X509_REQ *request = issue_request(key, &wish, &other.err);
        X509 *it = issue_sign(&other.place, request, &wish, &other.err);
        ck_assert_msg(it != NULL, "%s", other.err.text);
        ck_assert_int_eq(X509_verify(it, X509_get0_pubkey(own)), 1);
        ck_assert_int_eq(X509_check_private_key(it, key), 1);
        X509_free(it);
        X509_REQ_free(request);
        EVP_PKEY_free(key);
    }
    X509_free(own);
    stage_end(&other);
}
END_TEST

/* --- time ------------------------------------------------------------------------------------ */

START_TEST(it_never_outlives_the_ca)
{
    struct issuer_stage other;
    stage_begin(&other);
    X509 *own = stage_make_ca(&other, &(struct ca_wish){.days = 30});
    X509_REQ *request = stage_plain_request();
    ck_assert_ptr_null(
        issue_sign(&other.place, request, &(struct issue_wish){.days = 31}, &other.err));
    stage_expect(&other.err, "31 days would outlive the built-in CA, which ends at 20");
    const char *most = strstr(other.err.text, "at most ");
    ck_assert_ptr_nonnull(most);
    const struct issue_wish longest = {.days = (unsigned)atoi(most + strlen("at most "))};
    ck_assert(longest.days == 29 || longest.days == 30); /* 29: a second has passed */
    X509 *it = issue_sign(&other.place, request, &longest, &other.err);
    ck_assert_msg(it != NULL, "%s", other.err.text);
    ck_assert_int_le(ASN1_TIME_compare(X509_get0_notAfter(it), X509_get0_notAfter(own)), 0);
    ck_assert_int_ge(ASN1_TIME_compare(X509_get0_notBefore(it), X509_get0_notBefore(own)), 0);
    X509_free(it);
    X509_free(own);
    X509_REQ_free(request);
    stage_end(&other);
}
END_TEST

static void put_ca(const struct certificate_wish *wish)
{
    struct made *made = made_certificate(wish);
    made_write(made, stage.folder.path, "ca");
    ck_assert_int_eq(chmod(stage_file(&stage, "ca.crt"), 0644), 0);
    made_free(made);
}

START_TEST(a_ca_that_has_ended_or_not_begun_signs_nothing)
{
    X509_REQ *request = stage_plain_request();
    const struct issue_wish wish = {.days = 1};
    put_ca(&(struct certificate_wish){.name = "old",
                                      .ca = true,
                                      .from_s = -20 * (int64_t)MADE_DAY_S,
                                      .until_s = -10 * (int64_t)MADE_DAY_S});
    expect_refused(request, &wish, "the built-in CA ended at 20");
    put_ca(&(struct certificate_wish){.name = "young", .ca = true, .from_s = MADE_DAY_S});
    expect_refused(request, &wish, "the built-in CA begins only at 20");
    put_ca(&(struct certificate_wish){.name = "short", .ca = true, .until_s = 3600});
    expect_refused(request, &wish, "1 days would outlive the built-in CA");
    stage_expect(&stage.err, "at most 0");
    X509_REQ_free(request);
}
END_TEST

/* --- subject --------------------------------------------------------------------------------- */

START_TEST(all_of_a_wish_is_in_it)
{
    X509_REQ *request = stage_plain_request();
    const struct issue_wish wish = {.common_name = "Jürgen & 世界",
                                    .unit = "ops",
                                    .organization = "Example",
                                    .country = "de",
                                    .state = "Bayern",
                                    .locality = "München",
                                    .days = 1};
    X509 *it = sign(request, &wish);
    char *name = certificate_name_text(X509_get_subject_name(it));
    ck_assert_msg(strstr(name, "CN=Jürgen & 世界"), "%s", name);
    ck_assert_msg(strstr(name, "OU=ops"), "%s", name);
    ck_assert_msg(strstr(name, "O=Example"), "%s", name);
    ck_assert_msg(strstr(name, "L=München"), "%s", name);
    ck_assert_msg(strstr(name, "ST=Bayern"), "%s", name);
    ck_assert_msg(strstr(name, "C=DE"), "%s", name);
    ck_assert_int_eq(X509_NAME_entry_count(X509_get_subject_name(it)), 6);
    free(name);
    X509_free(it);
    X509_REQ_free(request);
}
END_TEST

START_TEST(a_wish_stands_in_the_place_of_the_same_field_of_the_csr)
{
    X509_REQ *request = stage_request(&(struct issue_wish){
        .common_name = "alice", .organization = "Old", .unit = "theirs", .country = "FR"});
    X509 *it = sign(request, &(struct issue_wish){.unit = "ours", .locality = "Ulm", .days = 1});
    ck_assert_str_eq(stage_name(X509_get_subject_name(it)), "/C=FR/O=Old/OU=ours/CN=alice/L=Ulm");
    X509_free(it);
    X509_REQ_free(request);
}
END_TEST

/* A CSR with a subject that no wish could have. */
static X509_REQ *odd_request(int nid, int type, const char *text, int bytes, unsigned count)
{
    EVP_PKEY *key = stage_key(KEY_P256);
    X509_REQ *request = X509_REQ_new();
    X509_NAME *name = X509_NAME_new();
    ck_assert_int_eq(X509_REQ_set_version(request, X509_REQ_VERSION_1), 1);
    for (unsigned i = 0; i < count; i++) {
        X509_NAME_ENTRY *entry =
            X509_NAME_ENTRY_create_by_NID(NULL, nid, type, (const unsigned char *)text, bytes);
        ck_assert_int_eq(X509_NAME_add_entry(name, entry, -1, 0), 1);
        X509_NAME_ENTRY_free(entry);
    }
    ck_assert_int_eq(X509_REQ_set_subject_name(request, name), 1);
    ck_assert_int_eq(X509_REQ_set_pubkey(request, key), 1);
    ck_assert_int_gt(X509_REQ_sign(request, key, EVP_sha256()), 0);
    X509_NAME_free(name);
    EVP_PKEY_free(key);
    return request;
}

static const char long_text[] =
    "this text has exactly one hundred and twenty-nine characters, which "
    "is more than any field has room for, as it may have 128 at most";
_Static_assert(sizeof long_text - 1 > 128 && sizeof long_text - 1 < 140, "just too long");

static const struct {
    int nid, type;
    const char *text;
    int bytes;
    unsigned count;
    const char *says;
} odd_subjects[] = {
    {NID_commonName, V_ASN1_UTF8STRING, "a\0b", 3, 1,
     "the CSR's commonName: character 2 is a control character"},
    {NID_commonName, V_ASN1_UTF8STRING, "a\nX-SSL: b", 10, 1,
     "the CSR's commonName: character 2 is a control character"},
    {NID_commonName, V_ASN1_UTF8STRING, "\xc2\x85", 2, 1,
     "the CSR's commonName: character 1 is a control character"},
    {NID_commonName, V_ASN1_UTF8STRING, "", 0, 1, "the CSR's commonName is empty"},
    {NID_commonName, V_ASN1_UTF8STRING, long_text, 65, 1,
     "the CSR's commonName has 65 characters; certificates have room for 64"},
    {NID_serialNumber, V_ASN1_UTF8STRING, long_text, 129, 1,
     "the CSR's serialNumber has 129 characters"},
    {NID_commonName, V_ASN1_BIT_STRING, "odd", 3, 1, "the CSR's commonName is no text"},
    {NID_organizationName, V_ASN1_UTF8STRING, "Example", 7, 1, "there is no common name"},
    {NID_organizationalUnitName, V_ASN1_UTF8STRING, "x", 1, 33,
     "the CSR's subject has 33 fields; at most 32 are taken"},
    {NID_commonName, V_ASN1_UTF8STRING, "x", 1, 0, "there is no common name"},
};

START_TEST(an_odd_subject_is_refused)
{
    X509_REQ *request =
        odd_request(odd_subjects[_i].nid, odd_subjects[_i].type, odd_subjects[_i].text,
                    odd_subjects[_i].bytes, odd_subjects[_i].count);
    expect_refused(request, &(struct issue_wish){.days = 1}, odd_subjects[_i].says);
    X509_REQ_free(request);
}
END_TEST

static const struct {
    struct issue_wish wish;
    const char *says;
} bad_wishes[] = {
    {{.days = 0}, "0 days: a certificate may have 1 to 36500"},
    {{.days = 36501}, "36501 days: a certificate may have 1 to 36500"},
    {{.common_name = "", .days = 1}, "common name is empty"},
    {{.unit = "", .days = 1}, "unit is empty"},
    {{.common_name = "a\x7f", .days = 1}, "common name: character 2 is a control character"},
    {{.common_name = "a\xc2\x9f", .days = 1}, "common name: character 2 is a control character"},
    {{.common_name = "\xed\xa0\x80", .days = 1}, "common name: byte 1 is not UTF-8"},
    {{.organization = long_text, .days = 1}, "characters; certificates have room for 64"},
    {{.locality = long_text, .days = 1}, "characters; certificates have room for 128"},
    {{.country = "Germany", .days = 1}, "country is two letters of ISO 3166, such as DE"},
    {{.country = "D", .days = 1}, "country is two letters"},
    {{.country = "D1", .days = 1}, "country is two letters"},
};

START_TEST(a_wish_that_cannot_be_granted_is_refused)
{
    X509_REQ *request = stage_plain_request();
    ck_assert(!issue_check(&bad_wishes[_i].wish, &stage.err));
    stage_expect(&stage.err, bad_wishes[_i].says);
    expect_refused(request, &bad_wishes[_i].wish, bad_wishes[_i].says);
    X509_REQ_free(request);
}
END_TEST

START_TEST(sixty_four_characters_are_counted_not_bytes)
{
    char name[64 * 4 + 1] = "";
    for (unsigned i = 0; i < 64; i++)
        strcat(name, "𝄞");
    X509_REQ *request = stage_plain_request();
    X509 *it = sign(request, &(struct issue_wish){.common_name = name, .days = 1});
    size_t bytes = 0;
    char *text = certificate_field_text(X509_get_subject_name(it), NID_commonName, &bytes);
    ck_assert_str_eq(text, name);
    free(text);
    X509_free(it);
    X509_REQ_free(request);
}
END_TEST

/* --- alternative names ----------------------------------------------------------------------- */

START_TEST(alternative_names_of_all_four_kinds_are_taken)
{
    static const char *const names[] = {
        "dns:host.example.com",    "DNS:*.example.com", "uri:spiffe://example.com/device/7",
        "email:ops+7@example.com", "ip:192.0.2.7",      "ip:2001:db8::7"};
    static const char expected[] =
        "DNS:host.example.com, DNS:*.example.com, URI:spiffe://example.com/device/7, "
        "email:ops+7@example.com, IP Address:192.0.2.7, IP Address:2001:DB8:0:0:0:0:0:7";
    bool is_critical = true;
    const struct issue_wish wish = {
        .common_name = "alice", .names = names, .name_count = 6, .days = 1};
    X509_REQ *plain = stage_plain_request(), *asking = stage_request(&wish);
    X509 *by_wish = sign(plain, &wish), *by_csr = sign(asking, &(struct issue_wish){.days = 1});
    ck_assert_str_eq(stage_extension(by_wish, NID_subject_alt_name, &is_critical), expected);
    ck_assert(!is_critical);
    ck_assert_str_eq(stage_extension(by_csr, NID_subject_alt_name, NULL), expected);
    const struct issue_wish other = {.names = names, .name_count = 1, .days = 1};
    X509 *of_both = sign(asking, &other);
    ck_assert_str_eq(stage_extension(of_both, NID_subject_alt_name, NULL), "DNS:host.example.com");
    X509_free(by_wish);
    X509_free(by_csr);
    X509_free(of_both);
    X509_REQ_free(plain);
    X509_REQ_free(asking);
}
END_TEST

static const struct {
    const char *name;
    const char *says;
} bad_names[] = {
    {"", "alternative name 1 has to begin with dns:, uri:, email: or ip:"},
    {"host.example.com", "alternative name 1 has to begin with dns:"},
    {"dns:", "alternative name 1 is not a host name"},
    {"dns:two words", "alternative name 1 is not a host name"},
    {"dns:.example.com", "alternative name 1 is not a host name"},
    {"dns:example..com", "alternative name 1 is not a host name"},
    {"dns:example.com.", "alternative name 1 is not a host name"},
    {"dns:-a.example.com", "alternative name 1 is not a host name"},
    {"dns:a.*.example.com", "alternative name 1 is not a host name"},
    {"dns:*.", "alternative name 1 is not a host name"},
    {"dns:münchen.example", "alternative name 1 is not a host name"},
    {"dns:a123456789012345678901234567890123456789012345678901234567890123.example",
     "alternative name 1 is not a host name"},
    {"uri:", "alternative name 1 is not a URI with its scheme"},
    {"uri:example.com/a", "alternative name 1 is not a URI with its scheme"},
    {"uri:://example.com", "alternative name 1 is not a URI with its scheme"},
    {"uri:1a:b", "alternative name 1 is not a URI with its scheme"},
    {"uri:a:", "alternative name 1 is not a URI with its scheme"},
    {"uri:http://a b", "alternative name 1 is not a URI with its scheme"},
    {"uri:http://a\nb", "alternative name 1 is not a URI with its scheme"},
    {"email:", "alternative name 1 is not an address such as email:"},
    {"email:ops", "alternative name 1 is not an address such as email:"},
    {"email:@example.com", "alternative name 1 is not an address such as email:"},
    {"email:a@b@example.com", "alternative name 1 is not an address such as email:"},
    {"email:a b@example.com", "alternative name 1 is not an address such as email:"},
    {"email:ops@", "alternative name 1 is not an address such as email:"},
    {"email:jürgen@example.com", "alternative name 1 is not an address such as email:"},
    {"ip:", "alternative name 1 is not an IPv4 or IPv6 address"},
    {"ip:10.0.0.0/8", "alternative name 1 is not an IPv4 or IPv6 address"},
    {"ip:10.0.0.256", "alternative name 1 is not an IPv4 or IPv6 address"},
    {"ip:[::1]", "alternative name 1 is not an IPv4 or IPv6 address"},
    {"ip:fe80::1%eth0", "alternative name 1 is not an IPv4 or IPv6 address"},
};

START_TEST(an_alternative_name_that_is_none_is_refused)
{
    const char *const names[] = {bad_names[_i].name};
    const struct issue_wish wish = {
        .common_name = "alice", .names = names, .name_count = 1, .days = 1};
    ck_assert(!issue_check(&wish, &stage.err));
    stage_expect(&stage.err, bad_names[_i].says);
    EVP_PKEY *key = stage_key(KEY_P256);
    ck_assert_ptr_null(issue_request(key, &wish, &stage.err));
    EVP_PKEY_free(key);
}
END_TEST

START_TEST(more_than_fifty_names_are_refused)
{
    const char *names[ISSUE_NAMES_MOST + 1];
    for (unsigned i = 0; i <= ISSUE_NAMES_MOST; i++)
        names[i] = "dns:a.example";
    struct issue_wish wish = {
        .common_name = "alice", .names = names, .name_count = ISSUE_NAMES_MOST, .days = 1};
    ck_assert_msg(issue_check(&wish, &stage.err), "%s", stage.err.text);
    wish.name_count++;
    ck_assert(!issue_check(&wish, &stage.err));
    stage_expect(&stage.err, "51 alternative names are too many: at most 50");
}
END_TEST

/* A CSR that asks for what the text says, in OpenSSL's words; twice where that is asked for. */
static X509_REQ *asking_request(int nid, const char *value, unsigned times)
{
    EVP_PKEY *key = stage_key(KEY_P256);
    X509_REQ *request = stage_csr("mallory");
    STACK_OF(X509_EXTENSION) *extensions = sk_X509_EXTENSION_new_null();
    for (unsigned i = 0; i < times; i++) {
        X509V3_CTX context;
        X509V3_set_ctx(&context, NULL, NULL, request, NULL, 0);
        X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
        ck_assert_ptr_nonnull(extension);
        sk_X509_EXTENSION_push(extensions, extension);
    }
    ck_assert_int_eq(X509_REQ_add_extensions(request, extensions), 1);
    ck_assert_int_eq(X509_REQ_set_pubkey(request, key), 1);
    ck_assert_int_gt(X509_REQ_sign(request, key, EVP_sha256()), 0);
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
    EVP_PKEY_free(key);
    return request;
}

static const struct {
    int nid;
    const char *value;
} smuggled[] = {
    {NID_basic_constraints, "critical,CA:TRUE"},         {NID_key_usage, "critical,keyCertSign"},
    {NID_ext_key_usage, "serverAuth,codeSigning"},       {NID_netscape_comment, "trust me"},
    {NID_name_constraints, "permitted;DNS:example.com"},
};

START_TEST(nothing_else_of_a_csr_is_taken)
{
    X509_REQ *request = asking_request(smuggled[_i].nid, smuggled[_i].value, 1);
    X509 *it = sign(request, &(struct issue_wish){.days = 1});
    ck_assert_str_eq(stage_extension(it, NID_basic_constraints, NULL), "CA:FALSE");
    ck_assert_str_eq(stage_extension(it, NID_key_usage, NULL), "Digital Signature");
    ck_assert_str_eq(stage_extension(it, NID_ext_key_usage, NULL), "TLS Web Client Authentication");
    ck_assert_int_eq(X509_get_ext_count(it), 5);
    ck_assert_int_eq(X509_check_ca(it), 0);
    X509_free(it);
    X509_REQ_free(request);
}
END_TEST

static const struct {
    const char *value;
    unsigned times;
    const char *says;
} odd_names[] = {
    {"otherName:1.3.6.1.4.1.311.20.2.3;UTF8:admin@example.com", 1,
     "alternative name 1 of the CSR is of a kind that is not signed: only DNS, URI, email and IP"},
    {"RID:1.2.3.4", 1, "alternative name 1 of the CSR is of a kind that is not signed"},
    {"DNS:fine.example,DNS:not fine", 1, "alternative name 2 of the CSR is not a host name"},
    {"URI:no-scheme", 1, "alternative name 1 of the CSR is not a URI"},
    {"email:nobody", 1, "alternative name 1 of the CSR is not an address such as email:"},
    {"DNS:a.example", 2, "the CSR's alternative names are there twice"},
};

START_TEST(odd_names_of_a_csr_are_refused)
{
    X509_REQ *request =
        asking_request(NID_subject_alt_name, odd_names[_i].value, odd_names[_i].times);
    expect_refused(request, &(struct issue_wish){.days = 1}, odd_names[_i].says);
    static const char *const names[] = {"dns:ours.example"};
    X509 *it = sign(request, &(struct issue_wish){.names = names, .name_count = 1, .days = 1});
    ck_assert_str_eq(stage_extension(it, NID_subject_alt_name, NULL), "DNS:ours.example");
    X509_free(it);
    X509_REQ_free(request);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, it_is_as_its_profile_says);
    tcase_add_test(tcase, serials_have_128_random_bits);
    tcase_add_loop_test(tcase, a_ca_of_every_kind_signs_keys_of_every_kind, 0, KEY_KIND_COUNT);
    tcase_add_test(tcase, it_never_outlives_the_ca);
    tcase_add_test(tcase, a_ca_that_has_ended_or_not_begun_signs_nothing);
    tcase_add_test(tcase, all_of_a_wish_is_in_it);
    tcase_add_test(tcase, a_wish_stands_in_the_place_of_the_same_field_of_the_csr);
    tcase_add_loop_test(tcase, an_odd_subject_is_refused, 0,
                        sizeof odd_subjects / sizeof *odd_subjects);
    tcase_add_loop_test(tcase, a_wish_that_cannot_be_granted_is_refused, 0,
                        sizeof bad_wishes / sizeof *bad_wishes);
    tcase_add_test(tcase, sixty_four_characters_are_counted_not_bytes);
    tcase_add_test(tcase, alternative_names_of_all_four_kinds_are_taken);
    tcase_add_loop_test(tcase, an_alternative_name_that_is_none_is_refused, 0,
                        sizeof bad_names / sizeof *bad_names);
    tcase_add_test(tcase, more_than_fifty_names_are_refused);
    tcase_add_loop_test(tcase, nothing_else_of_a_csr_is_taken, 0,
                        sizeof smuggled / sizeof *smuggled);
    tcase_add_loop_test(tcase, odd_names_of_a_csr_are_refused, 0,
                        sizeof odd_names / sizeof *odd_names);
}

CHECK_MAIN("issue sign", add_tests)
