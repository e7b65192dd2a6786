/* SPDX-License-Identifier: Apache-2.0 */
/* Bundles: what is in them, and that other programs open them. */
#include <openssl/pkcs12.h>

#include "tests/support/certificates.h"
#include "tests/support/process.h"
#include "tests/unit/listeners/registry/issuer_stage.h"

#define NAME "Jürgens Gerät"
#define PASSWORD "Größenwahn 世界 𝄞"

static struct issuer_stage stage;
static struct made *ca, *alice;

static void begin(void)
{
    stage_begin(&stage);
    ca = made_ca("Test CA");
    alice = made_client(ca, "alice");
}

static void end(void)
{
    made_free(alice);
    made_free(ca);
    stage_end(&stage);
}

static unsigned char *write_bundle(const char *password, bool legacy, size_t *ret_bytes)
{
    unsigned char *der = pkcs12_write(alice->key, alice->certificate, ca->certificate, NAME,
                                      password, legacy, ret_bytes, &stage.err);
    ck_assert_msg(der != NULL, "%s", stage.err.text);
    return der;
}

/* FOLDER/it.p12, and its password in FOLDER/password. */
static void write_file(const char *password, bool legacy)
{
    size_t bytes = 0;
    unsigned char *der = write_bundle(password, legacy, &bytes);
    FILE *file = fopen(stage_file(&stage, "it.p12"), "wb");
    ck_assert_uint_eq(fwrite(der, 1, bytes, file), bytes);
    fclose(file);
    free(der);
    folder_write(&stage.folder, "password", password);
}

static void expect_has(const struct text *said, const char *words)
{
    ck_assert_msg(said->bytes && strstr(said->bytes, words), "\"%s\" is not in:\n%s", words,
                  said->bytes ? said->bytes : "");
}

/* 127: there is no such program. */
static int run(const char *command, struct text *said)
{
    char line[512];
    snprintf(line, sizeof line, "cd %s && { %s; } 2>&1", stage.folder.path, command);
    const char *const argv[] = {"/bin/sh", "-c", line, NULL};
    return process_run(argv, said);
}

START_TEST(key_certificate_and_ca_come_out_as_they_went_in)
{
    size_t bytes = 0;
    unsigned char *der = write_bundle(PASSWORD, _i, &bytes);
    const unsigned char *at = der;
    EVP_PKEY *key = NULL;
    X509 *certificate = NULL;
    STACK_OF(X509) *others = NULL;
    PKCS12 *bundle = d2i_PKCS12(NULL, &at, (long)bytes);
    ck_assert_ptr_nonnull(bundle);
    ck_assert_ptr_eq(at, der + bytes);
    ck_assert_int_eq(PKCS12_verify_mac(bundle, "wrong", -1), 0);
    ck_assert_int_eq(PKCS12_parse(bundle, PASSWORD, &key, &certificate, &others), 1);
    ck_assert_int_eq(EVP_PKEY_eq(key, alice->key), 1);
    ck_assert_int_eq(X509_cmp(certificate, alice->certificate), 0);
    ck_assert_int_eq(sk_X509_num(others), 1);
    ck_assert_int_eq(X509_cmp(sk_X509_value(others, 0), ca->certificate), 0);
    int length = 0;
    const unsigned char *name = X509_alias_get0(certificate, &length);
    ck_assert_int_eq(length, (int)strlen(NAME));
    ck_assert_mem_eq(name, NAME, strlen(NAME));
    sk_X509_pop_free(others, X509_free);
    X509_free(certificate);
    EVP_PKEY_free(key);
    PKCS12_free(bundle);
    free(der);
}
END_TEST

START_TEST(the_algorithms_are_the_ones_that_were_asked_for)
{
    struct text said = {0};
    write_file(PASSWORD, false);
    if (run("openssl version", &said) != 0)
        return; /* it is not there to ask */
    ck_assert_int_eq(run("openssl pkcs12 -in it.p12 -noout -info -passin file:password", &said), 0);
    expect_has(&said, "MAC: sha256, Iteration 100000");
    expect_has(&said, "PBES2, PBKDF2, AES-256-CBC, Iteration 100000, PRF hmacWithSHA256");
    ck_assert_ptr_null(strstr(said.bytes, "3-KeyTripleDES"));
    text_done(&said);
    ck_assert_int_eq(unlink(stage_file(&stage, "it.p12")), 0);
    said = (struct text){0};
    write_file(PASSWORD, true);
    ck_assert_int_eq(
        run("openssl pkcs12 -legacy -in it.p12 -noout -info -passin file:password", &said), 0);
    expect_has(&said, "MAC: sha1, Iteration 2048");
    expect_has(&said, "Shrouded Keybag: pbeWithSHA1And3-KeyTripleDES-CBC, Iteration 2048");
    expect_has(&said, "PKCS7 Encrypted data: pbeWithSHA1And3-KeyTripleDES-CBC, Iteration 2048");
    ck_assert_ptr_null(strstr(said.bytes, "RC2"));
    ck_assert_ptr_null(strstr(said.bytes, "PBES2"));
    /* 3DES needs no legacy provider. */
    ck_assert_int_eq(run("openssl pkcs12 -in it.p12 -nodes -passin file:password", &said), 0);
    expect_has(&said, "BEGIN PRIVATE KEY");
    text_done(&said);
}
END_TEST

/* Passwords with letters that the formats disagree about; what programs of the desktop take. */
static const char *const passwords[] = {"plain", "Größe", "Ключ", "世界"};
enum { PASSWORD_COUNT = sizeof passwords / sizeof *passwords };

/* Firefox, Thunderbird and Chrome on Linux. */
START_TEST(nss_imports_it)
{
    struct text said = {0};
    if (run("command -v pk12util certutil", &said) == 0) {
        write_file(passwords[_i / 2], _i % 2);
        folder_write(&stage.folder, "db-password", "");
        ck_assert_int_eq(run("mkdir db && certutil -N -d sql:db --empty-password", &said), 0);
        int status = run("pk12util -i it.p12 -d sql:db -w password -k db-password", &said);
        ck_assert_msg(status == 0, "%s", said.bytes);
        ck_assert_int_eq(run("certutil -L -d sql:db && certutil -K -d sql:db", &said), 0);
        expect_has(&said, NAME);
        expect_has(&said, "Test CA");
    }
    text_done(&said);
}
END_TEST

/* Java itself takes passwords of ASCII letters only, for any bundle. */
START_TEST(java_imports_it)
{
    struct text said = {0};
    if (run("command -v keytool", &said) == 0) {
        write_file(passwords[_i / 2], _i % 2);
        int status = run(
            "keytool -list -v -storetype PKCS12 -keystore it.p12 -storepass:file password", &said);
        ck_assert_msg(status == 0, "%s", said.bytes);
        expect_has(&said, "Entry type: PrivateKeyEntry");
        expect_has(&said, "Certificate chain length: 2");
        expect_has(&said, "Owner: CN=alice");
    }
    text_done(&said);
}
END_TEST

START_TEST(without_a_ca_it_is_not_in_it)
{
    size_t bytes = 0;
    unsigned char *der =
        pkcs12_write(alice->key, alice->certificate, NULL, "alice", "x", false, &bytes, &stage.err);
    const unsigned char *at = der;
    EVP_PKEY *key = NULL;
    X509 *certificate = NULL;
    STACK_OF(X509) *others = NULL;
    PKCS12 *bundle = d2i_PKCS12(NULL, &at, (long)bytes);
    ck_assert_int_eq(PKCS12_parse(bundle, "x", &key, &certificate, &others), 1);
    ck_assert_int_le(sk_X509_num(others), 0);
    sk_X509_pop_free(others, X509_free);
    X509_free(certificate);
    EVP_PKEY_free(key);
    PKCS12_free(bundle);
    free(der);
}
END_TEST

START_TEST(keys_of_every_kind_fit_in)
{
    struct made *other = made_ca("other");
    EVP_PKEY *key = stage_key((enum key_kind)_i);
    const struct certificate_wish wish = {.name = "bob", .issuer = other, .reuse_key = key};
    struct made *bob = made_certificate(&wish);
    for (int legacy = 0; legacy < 2; legacy++) {
        size_t bytes = 0;
        unsigned char *der = pkcs12_write(key, bob->certificate, other->certificate, "bob",
                                          "secret", legacy, &bytes, &stage.err);
        ck_assert_msg(der != NULL, "%s", stage.err.text);
        const unsigned char *at = der;
        EVP_PKEY *out = NULL;
        X509 *certificate = NULL;
        PKCS12 *bundle = d2i_PKCS12(NULL, &at, (long)bytes);
        ck_assert_int_eq(PKCS12_parse(bundle, "secret", &out, &certificate, NULL), 1);
        ck_assert_int_eq(EVP_PKEY_eq(out, key), 1);
        X509_free(certificate);
        EVP_PKEY_free(out);
        PKCS12_free(bundle);
        free(der);
    }
    made_free(bob);
    made_free(other);
    EVP_PKEY_free(key);
}
END_TEST

static void expect_refused(EVP_PKEY *key, const char *name, const char *password, const char *words)
{
    size_t bytes = 0;
    stage.err = (struct error){""};
    ck_assert_ptr_null(pkcs12_write(key, alice->certificate, ca->certificate, name, password, false,
                                    &bytes, &stage.err));
    stage_expect(&stage.err, words);
}

START_TEST(what_cannot_be_bundled_is_refused)
{
    char text[PKCS12_PASSWORD_BYTES + 2];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    expect_refused(ca->key, "alice", "secret", "the key does not belong to the certificate");
    expect_refused(alice->key, "alice", "", "the password of the bundle is empty");
    expect_refused(alice->key, "alice", "a\nb",
                   "the password of the bundle has a control character");
    expect_refused(alice->key, "alice", "\xff", "the password of the bundle is not UTF-8");
    expect_refused(alice->key, "alice", text,
                   "the password of the bundle is longer than 256 bytes");
    expect_refused(alice->key, "", "secret", "the name of the bundle is empty");
    expect_refused(alice->key, "\xc3", "secret", "the name of the bundle is not UTF-8");
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_loop_test(tcase, key_certificate_and_ca_come_out_as_they_went_in, 0, 2);
    tcase_add_test(tcase, the_algorithms_are_the_ones_that_were_asked_for);
    tcase_add_loop_test(tcase, nss_imports_it, 0, 2 * PASSWORD_COUNT);
    tcase_add_loop_test(tcase, java_imports_it, 0, 2);
    tcase_add_test(tcase, without_a_ca_it_is_not_in_it);
    tcase_add_loop_test(tcase, keys_of_every_kind_fit_in, 0, KEY_KIND_COUNT);
    tcase_add_test(tcase, what_cannot_be_bundled_is_refused);
}

CHECK_MAIN("pkcs12", add_tests)
