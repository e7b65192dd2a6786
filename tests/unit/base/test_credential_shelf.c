/* SPDX-License-Identifier: Apache-2.0 */
/* Many credentials: what is wrong with one is said as of a single one, and none is decoded twice.
 */
#include "lb/base/credential_shelf.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#include "lb/base/certificate.h"
#include "lb/base/error.h"
#include "lb/base/key_reader.h"
#include "tests/support/certificates.h"
#include "tests/support/check_main.h"
#include "tests/support/folder.h"
#include "tests/support/text.h"

struct files {
    struct folder folder;
    struct made *ca;
    struct made *server;
    struct credential_shelf *shelf;
};

static void files_open(struct files *files)
{
    folder_make(&files->folder);
    files->ca = made_ca("Test CA");
    files->server = made_server(files->ca, "www.example.com");
    made_write(files->server, files->folder.path, "good");
    files->shelf = credential_shelf_new(100, NULL);
}

static void files_close(struct files *files)
{
    credential_shelf_free(files->shelf);
    made_free(files->server);
    made_free(files->ca);
    folder_remove(&files->folder);
}

static struct credential *take(const struct files *files, const char *certificate, const char *key,
                               struct error *err)
{
    return credential_shelf_take(files->shelf, folder_file(&files->folder, certificate),
                                 folder_file(&files->folder, key), err);
}

static struct credential *check_takes(const struct files *files, const char *certificate,
                                      const char *key)
{
    struct error err = {{0}};
    struct credential *credential = take(files, certificate, key, &err);
    ck_assert_msg(credential != NULL, "%s", err.text);
    ck_assert_uint_eq(ERR_peek_error(), 0);
    return credential;
}

/* What the shelf says must hold `words`, and be what is said of a credential by itself. */
static void check_fails(const struct files *files, const char *certificate, const char *key,
                        const char *words)
{
    struct error err = {{0}}, alone = {{0}};
    ck_assert_msg(!take(files, certificate, key, &err), "%s and %s were taken", certificate, key);
    ck_assert_msg(strstr(err.text, words) != NULL, "\"%s\" is not in: %s", words, err.text);
    ck_assert_uint_eq(ERR_peek_error(), 0);
    ck_assert_ptr_null(credential_load(folder_file(&files->folder, certificate),
                                       folder_file(&files->folder, key), &alone));
    ck_assert_str_eq(err.text, alone.text);
}

static void write_locked(const struct files *files)
{
    BIO *bio = BIO_new_file(folder_file(&files->folder, "locked.key"), "w");
    ck_assert_int_eq(PEM_write_bio_PKCS8PrivateKey(bio, files->server->key, EVP_aes_128_cbc(),
                                                   "secret", 6, NULL, NULL),
                     1);
    BIO_free(bio);
    bio = BIO_new_file(folder_file(&files->folder, "old.key"), "w");
    ck_assert_int_eq(
        PEM_write_bio_PrivateKey_traditional(bio, files->server->key, EVP_aes_128_cbc(),
                                             (const unsigned char *)"secret", 6, NULL, NULL),
        1);
    BIO_free(bio);
}

static void write_damaged(const struct files *files)
{
    char *key = made_key_pem(files->server);
    char *certificate = made_certificate_pem(files->server);
    folder_write(&files->folder, "text", "just a text\n");
    certificate[strlen(certificate) / 2] = '*';
    folder_write(&files->folder, "damaged.crt", certificate);
    key[strlen(key) / 2] = '*';
    folder_write(&files->folder, "damaged.key", key);
    folder_write(&files->folder, "no.key",
                 "-----BEGIN PRIVATE KEY-----\nMAMCAQE=\n-----END PRIVATE KEY-----\n");
    folder_write(&files->folder, "odd.key",
                 "-----BEGIN ODD PRIVATE KEY-----\nMAMCAQE=\n-----END ODD PRIVATE KEY-----\n");
    free(key);
    free(certificate);
}

/* Also when thousands were fine before, by the same machinery. */
START_TEST(each_bad_file_is_named_as_if_it_were_alone)
{
    struct files files;
    files_open(&files);
    struct made *other = made_server(files.ca, "other.example.com");
    struct made *rsa =
        made_certificate(&(struct certificate_wish){.name = "rsa", .key = MADE_KEY_RSA_2048});
    made_write(other, files.folder.path, "other");
    made_write(rsa, files.folder.path, "rsa");
    made_write_bundle(files.folder.path, "wrong.crt", files.ca, files.server, NULL);
    write_locked(&files);
    write_damaged(&files);
    credential_free(check_takes(&files, "good.crt", "good.key"));
    for (int again = 0; again < 2; again++) {
        check_fails(&files, "nowhere", "good.key", "cannot be opened");
        check_fails(&files, "good.crt", "nowhere", "cannot be opened");
        check_fails(&files, "text", "nowhere", "no PEM at all");
        check_fails(&files, "damaged.crt", "good.key", "certificate 1 cannot be decoded");
        check_fails(&files, "good.crt", "text", "no PEM at all");
        check_fails(&files, "good.crt", "good.crt", "holds a certificate; a PEM private key");
        check_fails(&files, "good.crt", "damaged.key", "cannot be decoded; is it complete?");
        check_fails(&files, "good.crt", "no.key", "cannot be decoded; is it complete?");
        check_fails(&files, "good.crt", "odd.key", "cannot be decoded; is it complete?");
        check_fails(&files, "good.crt", "locked.key", "passphrase");
        check_fails(&files, "good.crt", "old.key", "passphrase");
        check_fails(&files, "good.crt", "other.key", "does not belong to the certificate");
        check_fails(&files, "good.crt", "rsa.key", "does not belong to the certificate");
        check_fails(&files, "rsa.crt", "good.key", "does not belong to the certificate");
        check_fails(&files, "wrong.crt", "good.key", "must come first");
        credential_free(check_takes(&files, "other.crt", "other.key"));
    }
    made_free(other);
    made_free(rsa);
    files_close(&files);
}
END_TEST

/* More kinds and forms than the machinery is kept for, each several times. */
START_TEST(keys_of_every_kind_and_form_are_told_apart)
{
    static const enum made_key kinds[] = {MADE_KEY_P256,    MADE_KEY_P384,  MADE_KEY_RSA_2048,
                                          MADE_KEY_ED25519, MADE_KEY_ED448, MADE_KEY_P256_EXPLICIT};
    enum { KINDS = sizeof kinds / sizeof *kinds };
    struct files files;
    struct made *made[KINDS];
    char name[16];
    files_open(&files);
    for (unsigned i = 0; i < KINDS; i++) {
        made[i] = made_certificate(&(struct certificate_wish){.name = "server", .key = kinds[i]});
        snprintf(name, sizeof name, "%u", i);
        made_write(made[i], files.folder.path, name);
    }
    struct key_reader *reader = key_reader_new();
    for (unsigned round = 0; round < 3 * KINDS; round++) {
        unsigned i = round * 5 % KINDS;
        struct pem pem;
        struct error err;
        snprintf(name, sizeof name, "%u.key", i);
        ck_assert(pem_read(folder_file(&files.folder, name), &pem, &err));
        EVP_PKEY *key = key_reader_read(reader, &pem, X509_get0_pubkey(made[i]->certificate));
        ck_assert_msg(key && EVP_PKEY_eq(key, made[i]->key) == 1, "key %u", i);
        EVP_PKEY_free(key);
        key = key_reader_read(reader, &pem, X509_get0_pubkey(made[(i + 2) % KINDS]->certificate));
        ck_assert_msg(!key || EVP_PKEY_eq(key, made[i]->key) == 1, "key %u as another", i);
        EVP_PKEY_free(key);
        ERR_clear_error();
        pem_done(&pem);
    }
    key_reader_free(reader);
    for (unsigned i = 0; i < KINDS; i++)
        made_free(made[i]);
    files_close(&files);
}
END_TEST

/* As `openssl ecparam -genkey` and `openssl genrsa -traditional` write them. */
START_TEST(keys_of_the_old_form_are_read_behind_their_parameters)
{
    struct files files;
    struct text text = {0};
    files_open(&files);
    BIO *bio = BIO_new(BIO_s_mem());
    char *bytes = NULL;
    ck_assert_int_eq(
        PEM_write_bio_PrivateKey_traditional(bio, files.server->key, NULL, NULL, 0, NULL, NULL), 1);
    long length = BIO_get_mem_data(bio, &bytes);
    text_add_format(&text,
                    "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n"
                    "-----END EC PARAMETERS-----\n%.*s",
                    (int)length, bytes);
    folder_write(&files.folder, "old.key", text.bytes);
    struct credential *credential = check_takes(&files, "good.crt", "old.key");
    ck_assert_int_eq(EVP_PKEY_eq(credential->key, files.server->key), 1);
    credential_free(credential);
    free(text.bytes);
    BIO_free(bio);
    files_close(&files);
}
END_TEST

START_TEST(the_same_files_are_one_credential)
{
    struct files files;
    files_open(&files);
    struct credential *one = check_takes(&files, "good.crt", "good.key");
    ck_assert_ptr_eq(check_takes(&files, "good.crt", "good.key"), one);
    credential_free(one);
    credential_free(one);
    files_close(&files);
}
END_TEST

/* A shelf after another, as a reload makes it. */
static struct credential_shelf *go_on(struct files *files)
{
    struct credential_shelf *before = files->shelf;
    credential_shelf_settle(before);
    files->shelf = credential_shelf_new(100, before);
    return before;
}

START_TEST(what_has_not_changed_is_not_decoded_again)
{
    struct files files;
    files_open(&files);
    struct credential *one = check_takes(&files, "good.crt", "good.key");
    struct credential_shelf *before = go_on(&files);
    ck_assert_ptr_eq(check_takes(&files, "good.crt", "good.key"), one);
    credential_free(one);
    credential_free(one);
    credential_shelf_settle(files.shelf);
    credential_shelf_free(before);
    /* The one before is gone; what was taken from it is not. */
    before = go_on(&files);
    struct credential *still = check_takes(&files, "good.crt", "good.key");
    ck_assert_int_eq(X509_cmp(still->certificate, files.server->certificate), 0);
    credential_free(still);
    credential_shelf_free(before);
    files_close(&files);
}
END_TEST

START_TEST(what_has_changed_is_found_whatever_its_size_and_time)
{
    struct files files;
    files_open(&files);
    struct credential *one = check_takes(&files, "good.crt", "good.key");
    struct credential_shelf *before = go_on(&files);
    struct made *renewed = made_certificate(&(struct certificate_wish){
        .name = "www.example.com", .issuer = files.ca, .reuse_key = files.server->key});
    made_write(renewed, files.folder.path, "good"); /* the same key, another certificate */
    struct credential *two = check_takes(&files, "good.crt", "good.key");
    ck_assert_ptr_ne(two, one);
    ck_assert_int_eq(X509_cmp(two->certificate, renewed->certificate), 0);
    ck_assert_int_eq(X509_cmp(one->certificate, files.server->certificate), 0);
    credential_free(one);
    credential_free(two);
    credential_shelf_free(before);
    made_free(renewed);
    files_close(&files);
}
END_TEST

/* Nothing of the config before stands in for it. */
START_TEST(a_file_that_has_become_bad_is_told)
{
    struct files files;
    files_open(&files);
    credential_free(check_takes(&files, "good.crt", "good.key"));
    struct credential_shelf *before = go_on(&files);
    struct made *other = made_server(files.ca, "other.example.com");
    char *key = made_key_pem(other);
    folder_write(&files.folder, "good.key", key);
    check_fails(&files, "good.crt", "good.key", "does not belong to the certificate");
    folder_write(&files.folder, "good.key", "");
    check_fails(&files, "good.crt", "good.key", "is empty");
    free(key);
    made_free(other);
    credential_shelf_free(before);
    files_close(&files);
}
END_TEST

static void add_tests(TCase *cases)
{
    tcase_add_test(cases, each_bad_file_is_named_as_if_it_were_alone);
    tcase_add_test(cases, keys_of_every_kind_and_form_are_told_apart);
    tcase_add_test(cases, keys_of_the_old_form_are_read_behind_their_parameters);
    tcase_add_test(cases, the_same_files_are_one_credential);
    tcase_add_test(cases, what_has_not_changed_is_not_decoded_again);
    tcase_add_test(cases, what_has_changed_is_found_whatever_its_size_and_time);
    tcase_add_test(cases, a_file_that_has_become_bad_is_told);
}

CHECK_MAIN("credential_shelf", add_tests)
