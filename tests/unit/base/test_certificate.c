/* SPDX-License-Identifier: Apache-2.0 */
/* PEM files as people really have them, and words for what is wrong with them. */
#include "lb/base/certificate.h"

#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#include "lb/base/error.h"
#include "lb/base/limits.h"
#include "tests/support/certificates.h"
#include "tests/support/check_main.h"
#include "tests/support/folder.h"
#include "tests/support/text.h"

struct files {
    struct folder folder;
    struct made *ca;
    struct made *server;
    char *certificate;
    char *key;
};

static void files_open(struct files *files)
{
    folder_make(&files->folder);
    files->ca = made_ca("Test CA");
    files->server = made_server(files->ca, "www.example.com");
    files->certificate = made_certificate_pem(files->server);
    files->key = made_key_pem(files->server);
    folder_write(&files->folder, "good.crt", files->certificate);
    folder_write(&files->folder, "good.key", files->key);
}

static void files_close(struct files *files)
{
    free(files->certificate);
    free(files->key);
    made_free(files->server);
    made_free(files->ca);
    folder_remove(&files->folder);
}

/* Load these two; what is said when that fails must hold `words` and the file's name. */
static void check_fails(const struct files *files, const char *certificate, const char *key,
                        const char *words)
{
    struct error err = {{0}};
    const char *certificate_path = folder_file(&files->folder, certificate);
    const char *key_path = folder_file(&files->folder, key);
    struct credential *credential = credential_load(certificate_path, key_path, &err);
    ck_assert_msg(credential == NULL, "%s and %s were loaded", certificate, key);
    ck_assert_msg(strstr(err.text, words) != NULL, "\"%s\" is not in: %s", words, err.text);
    ck_assert_msg(strstr(err.text, certificate_path) || strstr(err.text, key_path),
                  "no file in: %s", err.text);
}

static struct credential *check_loads(const struct files *files, const char *certificate,
                                      const char *key)
{
    struct error err = {{0}};
    struct credential *credential = credential_load(folder_file(&files->folder, certificate),
                                                    folder_file(&files->folder, key), &err);
    ck_assert_msg(credential != NULL, "%s", err.text);
    return credential;
}

START_TEST(a_certificate_and_its_key_are_loaded)
{
    struct files files;
    files_open(&files);
    struct credential *credential = check_loads(&files, "good.crt", "good.key");
    ck_assert_int_eq(X509_cmp(credential->certificate, files.server->certificate), 0);
    ck_assert_int_eq(sk_X509_num(credential->chain), 0);
    ck_assert_int_eq(credential->key_type, EVP_PKEY_EC);
    ck_assert_str_eq(credential->certificate_path, folder_file(&files.folder, "good.crt"));
    credential_free(credential);
    files_close(&files);
}
END_TEST

START_TEST(a_chain_keeps_its_order)
{
    struct files files;
    files_open(&files);
    struct made *one = made_intermediate(files.ca, "One");
    struct made *two = made_intermediate(one, "Two");
    struct made *server = made_server(two, "www.example.com");
    made_write(server, files.folder.path, "chain");
    struct credential *credential = check_loads(&files, "chain.crt", "chain.key");
    ck_assert_int_eq(sk_X509_num(credential->chain), 2);
    ck_assert_int_eq(X509_cmp(sk_X509_value(credential->chain, 0), two->certificate), 0);
    ck_assert_int_eq(X509_cmp(sk_X509_value(credential->chain, 1), one->certificate), 0);
    credential_free(credential);
    made_free(server);
    made_free(two);
    made_free(one);
    files_close(&files);
}
END_TEST

/* Every line end replaced; blank lines and blanks around lines added. */
static char *untidy(const char *pem, const char *before, const char *line_end)
{
    struct text text = {0};
    text_add_format(&text, "%s", before);
    for (const char *at = pem; *at; at++)
        if (*at == '\n')
            text_add_format(&text, "%s", line_end);
        else
            text_add(&text, at, 1);
    text_add(&text, "", 1);
    return text.bytes;
}

START_TEST(pem_as_people_have_it_is_read)
{
    static const struct {
        const char *before;
        const char *line_end;
    } habits[] = {
        {"", "\r\n"},
        {"\xef\xbb\xbf", "\n"},
        {"\xef\xbb\xbf", "\r\n"},
        {"\n\n  \n", "\n"},
        {"", "\n\n"},
        {"", "  \r\n\t\r\n"},
        {"subject=CN = www.example.com\nissuer=CN = Test CA\n", "\n"},
        {"", "\n  "},
    };
    struct files files;
    files_open(&files);
    char *certificate = untidy(files.certificate, habits[_i].before, habits[_i].line_end);
    char *key = untidy(files.key, habits[_i].before, habits[_i].line_end);
    folder_write(&files.folder, "untidy.crt", certificate);
    folder_write(&files.folder, "untidy.key", key);
    credential_free(check_loads(&files, "untidy.crt", "untidy.key"));
    free(certificate);
    free(key);
    files_close(&files);
}
END_TEST

START_TEST(certificate_and_key_may_share_a_file_and_need_no_final_newline)
{
    struct files files;
    struct text both = {0};
    files_open(&files);
    text_add_format(&both, "%s%s", files.key, files.certificate);
    both.bytes[both.length - 1] = '\0';
    folder_write(&files.folder, "both.pem", both.bytes);
    credential_free(check_loads(&files, "both.pem", "both.pem"));
    free(both.bytes);
    files_close(&files);
}
END_TEST

START_TEST(keys_of_every_form_are_read)
{
    static const enum made_key kinds[] = {MADE_KEY_P256, MADE_KEY_P384, MADE_KEY_RSA_2048,
                                          MADE_KEY_ED25519};
    static const int types[] = {EVP_PKEY_EC, EVP_PKEY_EC, EVP_PKEY_RSA, EVP_PKEY_ED25519};
    struct files files;
    files_open(&files);
    struct made *made =
        made_certificate(&(struct certificate_wish){.name = "server", .key = kinds[_i]});
    made_write(made, files.folder.path, "kind");
    struct credential *credential = check_loads(&files, "kind.crt", "kind.key");
    ck_assert_int_eq(credential->key_type, types[_i]);
    credential_free(credential);
    /* As `openssl genrsa -traditional` and `openssl ecparam -genkey` write them. */
    if (types[_i] != EVP_PKEY_ED25519) {
        BIO *bio = BIO_new_file(folder_file(&files.folder, "old.key"), "w");
        ck_assert_int_eq(
            PEM_write_bio_PrivateKey_traditional(bio, made->key, NULL, NULL, 0, NULL, NULL), 1);
        BIO_free(bio);
        credential_free(check_loads(&files, "kind.crt", "old.key"));
    }
    made_free(made);
    files_close(&files);
}
END_TEST

START_TEST(a_file_that_cannot_be_used_is_named_with_what_it_holds)
{
    struct files files;
    files_open(&files);
    folder_write(&files.folder, "empty", "");
    folder_write(&files.folder, "text", "just a text\n");
    folder_write(&files.folder, "csr",
                 "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n");
    folder_write(&files.folder, "p7", "-----BEGIN PKCS7-----\nAAAA\n-----END PKCS7-----\n");
    folder_write(&files.folder, "public",
                 "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n");
    folder_write(&files.folder, "der", "\x30\x82\x01\x0a");
    check_fails(&files, "nowhere", "good.key", "cannot be opened");
    check_fails(&files, "good.crt", "nowhere", "cannot be opened");
    check_fails(&files, ".", "good.key", "is a folder");
    check_fails(&files, "empty", "good.key", "is empty");
    check_fails(&files, "text", "good.key", "no PEM at all");
    check_fails(&files, "good.key", "good.key", "holds a private key");
    check_fails(&files, "csr", "good.key", "certificate request");
    check_fails(&files, "p7", "good.key", "PKCS #7");
    check_fails(&files, "der", "good.key", "DER");
    check_fails(&files, "good.crt", "good.crt", "holds a certificate; a PEM private key");
    check_fails(&files, "good.crt", "public", "holds a public key");
    check_fails(&files, "good.crt", "text", "no PEM at all");
    files_close(&files);
}
END_TEST

START_TEST(a_key_with_a_passphrase_is_named_so_and_nobody_is_asked_for_it)
{
    struct files files;
    files_open(&files);
    BIO *bio = BIO_new_file(folder_file(&files.folder, "locked.key"), "w");
    ck_assert_int_eq(PEM_write_bio_PKCS8PrivateKey(bio, files.server->key, EVP_aes_128_cbc(),
                                                   "secret", 6, NULL, NULL),
                     1);
    BIO_free(bio);
    bio = BIO_new_file(folder_file(&files.folder, "old.key"), "w");
    ck_assert_int_eq(PEM_write_bio_PrivateKey_traditional(bio, files.server->key, EVP_aes_128_cbc(),
                                                          (const unsigned char *)"secret", 6, NULL,
                                                          NULL),
                     1);
    BIO_free(bio);
    check_fails(&files, "good.crt", "locked.key", "passphrase");
    check_fails(&files, "good.crt", "old.key", "passphrase");
    files_close(&files);
}
END_TEST

START_TEST(a_key_of_another_certificate_is_refused)
{
    struct files files;
    files_open(&files);
    struct made *other = made_server(files.ca, "other.example.com");
    struct made *rsa =
        made_certificate(&(struct certificate_wish){.name = "rsa", .key = MADE_KEY_RSA_2048});
    made_write(other, files.folder.path, "other");
    made_write(rsa, files.folder.path, "rsa");
    check_fails(&files, "good.crt", "other.key", "does not belong to the certificate");
    check_fails(&files, "good.crt", "rsa.key", "does not belong to the certificate");
    made_free(other);
    made_free(rsa);
    files_close(&files);
}
END_TEST

START_TEST(a_chain_in_the_wrong_order_is_named_so)
{
    struct files files;
    files_open(&files);
    made_write_bundle(files.folder.path, "wrong.crt", files.ca, files.server, NULL);
    check_fails(&files, "wrong.crt", "good.key", "must come first");
    files_close(&files);
}
END_TEST

START_TEST(a_damaged_certificate_is_counted)
{
    struct files files;
    struct error err = {{0}};
    struct text text = {0};
    files_open(&files);
    text_add_format(&text, "%s%s", files.certificate, files.certificate);
    /* In the middle of the second one's base64. */
    text.bytes[text.length * 3 / 4] = '*';
    text_add(&text, "", 1);
    folder_write(&files.folder, "damaged.crt", text.bytes);
    ck_assert_ptr_null(certificates_load(folder_file(&files.folder, "damaged.crt"), &err));
    ck_assert_msg(strstr(err.text, "certificate 2 cannot be decoded"), "%s", err.text);
    /* Cut off in the middle, as a bad copy does. */
    text.bytes[text.length / 4] = '\0';
    folder_write(&files.folder, "cut.crt", text.bytes);
    ck_assert_ptr_null(certificates_load(folder_file(&files.folder, "cut.crt"), &err));
    ck_assert_msg(strstr(err.text, "certificate 1 cannot be decoded"), "%s", err.text);
    free(text.bytes);
    files_close(&files);
}
END_TEST

START_TEST(a_file_without_end_is_refused)
{
    struct error err = {{0}};
    ck_assert_ptr_null(certificates_load("/dev/zero", &err));
    ck_assert_msg(strstr(err.text, "larger than 4 MiB"), "%s", err.text);
}
END_TEST

/* Words */

static void check_name(const char *common_name, const char *organization, const char *expected)
{
    struct made *made = made_certificate(
        &(struct certificate_wish){.name = common_name, .organization = organization});
    char *text = certificate_name_text(X509_get_subject_name(made->certificate));
    ck_assert_str_eq(text, expected);
    free(text);
    made_free(made);
}

START_TEST(names_are_written_as_rfc_2253_has_them)
{
    check_name("alice", "Example, Inc.", "CN=alice,O=Example\\, Inc.");
    check_name("Zo\xc3\xab \xe2\x82\xac", NULL, "CN=Zo\xc3\xab \xe2\x82\xac");
    check_name("a\r\nInjected: yes", NULL, "CN=a\\0D\\0AInjected: yes");
    check_name("+\"<>;\\", NULL, "CN=\\+\\\"\\<\\>\\;\\\\");
    check_name(NULL, NULL, "");
}
END_TEST

START_TEST(long_names_are_cut_between_characters)
{
    X509_NAME *name = X509_NAME_new();
    /* 64 characters, the most a name part may have by its standard; 20 of them. */
    for (int i = 0; i < 20; i++) {
        char part[64 * 2 + 1];
        for (int j = 0; j < 64; j++)
            memcpy(part + 2 * j, "\xc3\xab", 3);
        ck_assert_int_eq(
            X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8, (unsigned char *)part, -1, -1, 0),
            1);
    }
    char *text = certificate_name_text(name);
    ck_assert_uint_le(strlen(text), CERTIFICATE_NAME_BYTES);
    ck_assert_uint_gt(strlen(text), CERTIFICATE_NAME_BYTES - 4);
    ck_assert_int_ne((unsigned char)text[strlen(text) - 1], 0xc3);
    free(text);
    X509_NAME_free(name);
}
END_TEST

static void check_serial(const char *hex, const char *expected)
{
    X509 *certificate = X509_new();
    BIGNUM *number = NULL;
    BN_hex2bn(&number, hex);
    BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));
    char *text = certificate_serial_text(certificate);
    ck_assert_str_eq(text, expected);
    free(text);
    BN_free(number);
    X509_free(certificate);
}

/* A terminal obeys the one, and the other turns what stands behind it round. */
START_TEST(what_is_hidden_from_people_is_escaped_in_names)
{
    struct made *made = made_certificate(&(struct certificate_wish){.name = "a\xc2\x9b"
                                                                            "b",
                                                                    .organization = "\xe2\x80\xae"
                                                                                    "evil K\xc3\xbc"
                                                                                    "che"});
    char *name = certificate_name_text(X509_get_subject_name(made->certificate));
    ck_assert_ptr_nonnull(strstr(name, "CN=a\\C2\\9Bb"));
    ck_assert_ptr_nonnull(strstr(name, "O=\\E2\\80\\AEevil K\xc3\xbc"
                                       "che"));
    free(name);
    made_free(made);
}
END_TEST

START_TEST(serials_are_upper_case_hex_of_even_length)
{
    check_serial("1", "01");
    check_serial("0", "00");
    check_serial("abc", "0ABC");
    check_serial("ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00",
                 "FF00FF00FF00FF00FF00FF00FF00FF00FF00FF00");
    check_serial("-7f", "-7F");
}
END_TEST

START_TEST(fingerprints_are_lower_case_hex)
{
    unsigned char digest[32];
    char expected[65];
    struct made *made = made_ca("Test CA");
    char *text = certificate_sha256_text(made->certificate);
    X509_digest(made->certificate, EVP_sha256(), digest, NULL);
    for (int i = 0; i < 32; i++)
        snprintf(expected + 2 * i, 3, "%02x", digest[i]);
    ck_assert_str_eq(text, expected);
    free(text);
    made_free(made);
}
END_TEST

START_TEST(times_of_both_forms_are_read)
{
    ASN1_TIME *time = ASN1_TIME_new();
    ASN1_TIME_set_string(time, "700101000001Z");
    ck_assert_int_eq(certificate_time(time), 1);
    ASN1_TIME_set_string(time, "20500101000000Z");
    ck_assert_int_eq(certificate_time(time), 2524608000);
    ASN1_TIME_set_string(time, "99991231235959Z");
    ck_assert_int_eq(certificate_time(time), 253402300799);
    ASN1_TIME_free(time);
    ck_assert_int_eq(certificate_time(NULL), -1);
}
END_TEST

static STACK_OF(X509) * read_text(const char *text, struct error *err)
{
    return certificates_read(text, strlen(text), "the PEM text", err);
}

START_TEST(certificates_are_read_from_a_text_as_from_a_file)
{
    struct error err = {{0}};
    struct made *made = made_ca("Test CA");
    char *pem = made_certificate_pem(made);
    struct text twice = {0};
    text_add_format(&twice, "\xef\xbb\xbf\r\n%s\n \n%s", pem, pem);
    STACK_OF(X509) *certificates = read_text(twice.bytes, &err);
    ck_assert_msg(certificates != NULL, "%s", err.text);
    ck_assert_int_eq(sk_X509_num(certificates), 2);
    ck_assert_int_eq(X509_cmp(sk_X509_value(certificates, 1), made->certificate), 0);
    sk_X509_pop_free(certificates, X509_free);
    char *again = certificate_pem_text(made->certificate);
    ck_assert_str_eq(again, pem);
    free(again);
    text_done(&twice);
    free(pem);
    made_free(made);
}
END_TEST

START_TEST(a_text_without_certificates_says_what_it_holds)
{
    struct error err = {{0}};
    struct made *made = made_ca("Test CA");
    char *key = made_key_pem(made);
    ck_assert_ptr_null(read_text(key, &err));
    ck_assert_str_eq(err.text, "the PEM text: holds a private key; a PEM certificate (-----BEGIN "
                               "CERTIFICATE-----) is needed");
    ck_assert(pem_holds_key(key, strlen(key)));
    ck_assert(!pem_holds_key("PRIVATE KEY", 11));
    ck_assert_ptr_null(read_text("", &err));
    ck_assert_str_eq(err.text, "the PEM text: is empty");
    ck_assert_ptr_null(certificates_read(key, CERTIFICATE_FILE_BYTES + 1, "it", &err));
    ck_assert_str_eq(err.text, "it: is larger than 4 MiB, no PEM text of certificates is");
    free(key);
    made_free(made);
}
END_TEST

START_TEST(the_first_field_of_a_kind_is_utf8_and_may_hold_nul)
{
    X509_NAME *name = X509_NAME_new();
    size_t bytes = 0;
    ck_assert_ptr_null(certificate_field_text(name, NID_commonName, &bytes));
    const unsigned char latin[] = "J\xfcrg\0x";
    X509_NAME_add_entry_by_NID(name, NID_commonName, V_ASN1_T61STRING, latin, 6, -1, 0);
    X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_ASC, (const unsigned char *)"two", 3,
                               -1, 0);
    char *text = certificate_field_text(name, NID_commonName, &bytes);
    ck_assert_uint_eq(bytes, 7);
    ck_assert_mem_eq(text, "J\xc3\xbcrg\0x", 8);
    free(text);
    X509_NAME_free(name);
}
END_TEST

START_TEST(a_chain_ends_at_the_very_second_where_it_is_nearest_to_the_anchor)
{
    struct made *ca =
        made_certificate(&(struct certificate_wish){.name = "ca", .ca = true, .until_s = 5000});
    struct made *leaf =
        made_certificate(&(struct certificate_wish){.name = "leaf", .issuer = ca, .until_s = 4000});
    STACK_OF(X509) *chain = sk_X509_new_null();
    sk_X509_push(chain, leaf->certificate);
    sk_X509_push(chain, ca->certificate);
    time_t leaf_end = certificate_time(X509_get0_notAfter(leaf->certificate));
    time_t ca_end = certificate_time(X509_get0_notAfter(ca->certificate));
    ck_assert_int_eq(certificates_ended(chain, leaf_end - 1), -1);
    ck_assert_int_eq(certificates_ended(chain, leaf_end), 0);
    ck_assert_int_eq(certificates_ended(chain, ca_end - 1), 0);
    ck_assert_int_eq(certificates_ended(chain, ca_end), 1);
    sk_X509_free(chain);
    made_free(leaf);
    made_free(ca);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, a_certificate_and_its_key_are_loaded);
    tcase_add_test(tcase, a_chain_keeps_its_order);
    tcase_add_loop_test(tcase, pem_as_people_have_it_is_read, 0, 8);
    tcase_add_test(tcase, certificate_and_key_may_share_a_file_and_need_no_final_newline);
    tcase_add_loop_test(tcase, keys_of_every_form_are_read, 0, 4);
    tcase_add_test(tcase, a_file_that_cannot_be_used_is_named_with_what_it_holds);
    tcase_add_test(tcase, a_key_with_a_passphrase_is_named_so_and_nobody_is_asked_for_it);
    tcase_add_test(tcase, a_key_of_another_certificate_is_refused);
    tcase_add_test(tcase, a_chain_in_the_wrong_order_is_named_so);
    tcase_add_test(tcase, a_damaged_certificate_is_counted);
    tcase_add_test(tcase, a_file_without_end_is_refused);
    tcase_add_test(tcase, names_are_written_as_rfc_2253_has_them);
    tcase_add_test(tcase, long_names_are_cut_between_characters);
    tcase_add_test(tcase, what_is_hidden_from_people_is_escaped_in_names);
    tcase_add_test(tcase, serials_are_upper_case_hex_of_even_length);
    tcase_add_test(tcase, fingerprints_are_lower_case_hex);
    tcase_add_test(tcase, times_of_both_forms_are_read);
    tcase_add_test(tcase, a_chain_ends_at_the_very_second_where_it_is_nearest_to_the_anchor);
    tcase_add_test(tcase, certificates_are_read_from_a_text_as_from_a_file);
    tcase_add_test(tcase, a_text_without_certificates_says_what_it_holds);
    tcase_add_test(tcase, the_first_field_of_a_kind_is_utf8_and_may_hold_nul);
}

CHECK_MAIN("certificate", add_tests)
