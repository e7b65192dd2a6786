/* SPDX-License-Identifier: Apache-2.0 */
/* CSRs: made, read as people have them, and judged before anything is signed. */
#include <openssl/dsa.h>
#include <openssl/ec.h>
#include <openssl/rsa.h>

#include "tests/support/certificates.h"
#include "tests/unit/listeners/registry/issuer_stage.h"

static struct issuer_stage stage;

static void begin(void)
{
    stage_begin(&stage);
    X509_free(stage_make_ca(&stage, &(struct ca_wish){0}));
}

static void end(void)
{
    stage_end(&stage);
}

/* PEM, without a NUL. */
static char *pem_of(X509_REQ *request, size_t *ret_bytes)
{
    char *held = NULL;
    BIO *bio = BIO_new(BIO_s_mem());
    ck_assert_int_eq(PEM_write_bio_X509_REQ(bio, request), 1);
    *ret_bytes = (size_t)BIO_get_mem_data(bio, &held);
    char *text = malloc(*ret_bytes + 1);
    memcpy(text, held, *ret_bytes);
    text[*ret_bytes] = '\0';
    BIO_free(bio);
    return text;
}

static void expect_read(const char *text, X509_REQ *as)
{
    X509_REQ *read = request_read(text, strlen(text), &stage.err);
    ck_assert_msg(read != NULL, "%s", stage.err.text);
    ck_assert_int_eq(EVP_PKEY_eq(X509_REQ_get0_pubkey(read), X509_REQ_get0_pubkey(as)), 1);
    X509_REQ_free(read);
}

static void expect_unread(const char *text, size_t bytes, const char *words)
{
    stage.err = (struct error){""};
    ck_assert_ptr_null(request_read(text, bytes, &stage.err));
    stage_expect(&stage.err, words);
}

/* --- reading --------------------------------------------------------------------------------- */

/* "%" stands for each line's end. */
static char *with_lines_ending(const char *pem, const char *end, const char *before,
                               const char *after)
{
    char *text = malloc(4 * strlen(pem) + strlen(before) + strlen(after) + 1);
    char *to = stpcpy(text, before);
    for (; *pem; pem++) {
        if (*pem == '\n')
            to = stpcpy(to, end);
        else
            *to++ = *pem;
    }
    strcpy(to, after);
    return text;
}

START_TEST(it_is_read_as_people_have_it)
{
    static const struct {
        const char *end, *before, *after;
    } ways[] = {
        {"\n", "", ""},
        {"\r\n", "", ""},
        {"\r\n", "\xef\xbb\xbf", "\r\n\r\n"},
        {"\n\n", "\n\n  \n", "\n\t\n"},
        {" \n", "subject=CN = alice\n", "and some more text\n"},
    };
    size_t bytes = 0;
    X509_REQ *request = stage_plain_request();
    char *pem = pem_of(request, &bytes);
    char *text = with_lines_ending(pem, ways[_i].end, ways[_i].before, ways[_i].after);
    expect_read(text, request);
    free(text);
    free(pem);
    X509_REQ_free(request);
}
END_TEST

START_TEST(the_old_label_is_fine)
{
    size_t bytes = 0;
    X509_REQ *request = stage_plain_request();
    char *pem = pem_of(request, &bytes);
    char *body = strchr(pem, '\n');
    *strstr(body, "-----END") = '\0';
    char *text = malloc(bytes + 100);
    sprintf(text,
            "-----BEGIN NEW CERTIFICATE REQUEST-----%s-----END NEW CERTIFICATE REQUEST-----\n",
            body);
    expect_read(text, request);
    free(text);
    free(pem);
    X509_REQ_free(request);
}
END_TEST

START_TEST(what_is_no_csr_is_named)
{
    struct made *someone = made_ca("someone");
    char *certificate = made_certificate_pem(someone), *key = made_key_pem(someone);
    expect_unread("", 0, "the CSR: is empty");
    expect_unread(" \n\n", 3, "the text holds no PEM at all");
    expect_unread("hello", 5, "the text holds no PEM at all; a PEM certificate request");
    expect_unread(certificate, strlen(certificate), "the text holds a certificate; a PEM");
    expect_unread(key, strlen(key), "the text holds a private key; a PEM");
    ck_assert_ptr_null(strstr(stage.err.text, "BEGIN PRIVATE"));
    expect_unread("\x30\x82\x01\x01", 4,
                  "the text holds DER; a PEM certificate request is needed: openssl req "
                  "-inform DER");
    free(certificate);
    free(key);
    made_free(someone);
}
END_TEST

START_TEST(two_csrs_are_refused)
{
    size_t bytes = 0;
    X509_REQ *request = stage_plain_request();
    char *pem = pem_of(request, &bytes);
    char *text = malloc(2 * bytes + 1);
    sprintf(text, "%s%s", pem, pem);
    expect_unread(text, 2 * bytes, "the text holds more than one CSR");
    free(text);
    free(pem);
    X509_REQ_free(request);
}
END_TEST

START_TEST(a_csr_that_is_too_large_is_refused)
{
    size_t bytes = REQUEST_BYTES + 1;
    char *text = malloc(bytes);
    memset(text, 'A', bytes);
    expect_unread(text, bytes, "the CSR is larger than 64 KiB");
    free(text);
}
END_TEST

START_TEST(half_a_csr_is_refused)
{
    size_t bytes = 0;
    X509_REQ *request = stage_plain_request();
    char *pem = pem_of(request, &bytes);
    for (size_t cut = 1; cut + 2 < bytes; cut++) { /* the last dash and the line's end may go */
        X509_REQ *read = request_read(pem, cut, &stage.err);
        ck_assert_msg(read == NULL, "read of the first %zu of %zu bytes", cut, bytes);
        ck_assert_str_ne(stage.err.text, "");
    }
    free(pem);
    X509_REQ_free(request);
}
END_TEST

/* --- broken input ---------------------------------------------------------------------------- */

/* xorshift: the same in every run. */
static uint32_t next(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

static X509_REQ *rich_request(void)
{
    static const char *const names[] = {"dns:a.example", "uri:spiffe://a/b", "email:a@example.com",
                                        "ip:192.0.2.7"};
    return stage_request(&(struct issue_wish){.common_name = "alice",
                                              .unit = "ops",
                                              .organization = "Example",
                                              .country = "DE",
                                              .names = names,
                                              .name_count = 4});
}

/* Whatever becomes of it, it is one message or a certificate. */
static bool try(const char *pem, size_t bytes)
{
    stage.err = (struct error){""};
    X509_REQ *request = request_read(pem, bytes, &stage.err);
    X509 *it = request
                   ? issue_sign(&stage.place, request, &(struct issue_wish){.days = 1}, &stage.err)
                   : NULL;
    if (!it)
        ck_assert_str_ne(stage.err.text, "");
    ck_assert_ptr_null(strchr(stage.err.text, '\n'));
    X509_free(it);
    X509_REQ_free(request);
    return it != NULL;
}

START_TEST(broken_text_is_one_message)
{
    enum { ROUNDS = 3000 };
    uint32_t state = 2463534242u + (uint32_t)_i;
    size_t bytes = 0;
    X509_REQ *request = rich_request();
    char *pem = pem_of(request, &bytes), *broken = malloc(bytes);
    for (unsigned i = 0; i < ROUNDS; i++) {
        memcpy(broken, pem, bytes);
        for (uint32_t changes = next(&state) % 4 + 1; changes > 0; changes--)
            broken[next(&state) % bytes] = (char)next(&state);
        try(broken, next(&state) % 8 ? bytes : next(&state) % bytes + 1);
    }
    free(broken);
    free(pem);
    X509_REQ_free(request);
}
END_TEST

/* A bit of the DER: never the certificate that was asked for, since the signature is of all of it.
 */
START_TEST(a_csr_with_a_wrong_bit_is_never_signed)
{
    unsigned char *der = NULL;
    X509_REQ *request = rich_request();
    int length = i2d_X509_REQ(request, &der);
    for (int bit = 0; bit < length * 8; bit += 3) {
        der[bit / 8] ^= (unsigned char)(1 << (bit % 8));
        BIO *bio = BIO_new(BIO_s_mem());
        char *text = NULL;
        ck_assert_int_gt(PEM_write_bio(bio, PEM_STRING_X509_REQ, "", der, length), 0);
        long bytes = BIO_get_mem_data(bio, &text);
        ck_assert_msg(!try(text, (size_t)bytes), "bit %d", bit);
        BIO_free(bio);
        der[bit / 8] ^= (unsigned char)(1 << (bit % 8));
    }
    OPENSSL_free(der);
    X509_REQ_free(request);
}
END_TEST

/* --- judging --------------------------------------------------------------------------------- */

static X509_REQ *request_of(EVP_PKEY *key, const EVP_MD *digest)
{
    X509_REQ *request = stage_csr("alice");
    ck_assert_int_eq(X509_REQ_set_pubkey(request, key), 1);
    ck_assert_int_gt(X509_REQ_sign(request, key, digest), 0);
    return request;
}

static void expect_refused(X509_REQ *request, const char *words)
{
    stage.err = (struct error){""};
    ck_assert_ptr_null(
        issue_sign(&stage.place, request, &(struct issue_wish){.days = 1}, &stage.err));
    stage_expect(&stage.err, words);
    X509_REQ_free(request);
}

static void expect_key_refused(EVP_PKEY *key, const EVP_MD *digest, const char *words)
{
    ck_assert_ptr_nonnull(key);
    expect_refused(request_of(key, digest), words);
    EVP_PKEY_free(key);
}

START_TEST(weak_and_odd_keys_are_refused)
{
    expect_key_refused(EVP_RSA_gen(1024), EVP_sha256(),
                       "the CSR's RSA key has 1024 bits, which is too weak: at least 2048");
    expect_key_refused(EVP_EC_gen("secp256k1"), EVP_sha256(),
                       "the CSR's key is on the curve secp256k1: P-256, P-384 and P-521");
    expect_key_refused(EVP_EC_gen("P-192"), EVP_sha256(),
                       "the CSR's key is on the curve prime192v1");
    expect_key_refused(EVP_PKEY_Q_keygen(NULL, NULL, "ED448"), NULL,
                       "the CSR's key is of the kind ED448: RSA from 2048 bits");
}
END_TEST

START_TEST(good_keys_are_signed)
{
    static const char *const kinds[] = {"P-256", "P-384", "P-521", "RSA", "ED25519"};
    EVP_PKEY *key = kinds[_i][0] == 'P'   ? EVP_EC_gen(kinds[_i])
                    : kinds[_i][0] == 'R' ? EVP_RSA_gen(2048)
                                          : EVP_PKEY_Q_keygen(NULL, NULL, kinds[_i]);
    X509_REQ *request = request_of(key, kinds[_i][0] == 'E' ? NULL : EVP_sha256());
    X509 *it = issue_sign(&stage.place, request, &(struct issue_wish){.days = 1}, &stage.err);
    ck_assert_msg(it != NULL, "%s", stage.err.text);
    X509_free(it);
    X509_REQ_free(request);
    EVP_PKEY_free(key);
}
END_TEST

START_TEST(a_csr_for_somebody_elses_key_is_refused)
{
    EVP_PKEY *mine = stage_key(KEY_P256), *theirs = stage_key(KEY_P256);
    X509_REQ *request = request_of(mine, EVP_sha256());
    ck_assert_int_eq(X509_REQ_set_pubkey(request, theirs), 1);
    expect_refused(request, "the CSR is not signed by its own key");
    EVP_PKEY_free(mine);
    EVP_PKEY_free(theirs);
}
END_TEST

START_TEST(a_csr_is_made_with_what_it_shall_say)
{
    const struct issue_wish wish = {.common_name = "Jürgen", .country = "de"};
    EVP_PKEY *key = stage_key((enum key_kind)_i);
    X509_REQ *request = issue_request(key, &wish, &stage.err);
    ck_assert_msg(request != NULL, "%s", stage.err.text);
    ck_assert_int_eq(X509_REQ_verify(request, key), 1);
    ck_assert_int_eq(X509_REQ_get_version(request), X509_REQ_VERSION_1);
    ck_assert_str_eq(stage_name(X509_REQ_get_subject_name(request)), "/C=DE/CN=J\\xC3\\xBCrgen");
    ck_assert_int_eq(X509_REQ_get_attr_count(request), 0);
    X509_REQ_free(request);
    ck_assert_ptr_null(issue_request(key, &(struct issue_wish){.unit = "ops"}, &stage.err));
    stage_expect(&stage.err, "there is no common name: say who the certificate is for");
    ck_assert_ptr_null(issue_request(key, &(struct issue_wish){.common_name = ""}, &stage.err));
    stage_expect(&stage.err, "common name is empty");
    EVP_PKEY_free(key);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_loop_test(tcase, it_is_read_as_people_have_it, 0, 5);
    tcase_add_test(tcase, the_old_label_is_fine);
    tcase_add_test(tcase, what_is_no_csr_is_named);
    tcase_add_test(tcase, two_csrs_are_refused);
    tcase_add_test(tcase, a_csr_that_is_too_large_is_refused);
    tcase_add_test(tcase, half_a_csr_is_refused);
    tcase_add_loop_test(tcase, broken_text_is_one_message, 0, 3);
    tcase_add_test(tcase, a_csr_with_a_wrong_bit_is_never_signed);
    tcase_add_test(tcase, weak_and_odd_keys_are_refused);
    tcase_add_loop_test(tcase, good_keys_are_signed, 0, 5);
    tcase_add_test(tcase, a_csr_for_somebody_elses_key_is_refused);
    tcase_add_loop_test(tcase, a_csr_is_made_with_what_it_shall_say, 0, KEY_KIND_COUNT);
}

CHECK_MAIN("issue request", add_tests)
