/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates for many names: each for its own host, signed by the CA, with a key of its own that
 * only its owner may read. */
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/support/bench_tool.h"
#include "tests/support/certificates.h"
#include "tests/support/check_main.h"
#include "tests/support/folder.h"
#include "tests/support/process.h"

enum { COUNT = 5 };

static int make_names(const struct folder *folder, const char *ca, const char *key,
                      const char *type, struct text *said)
{
    char *program = bench_tool("names");
    const char *argv[] = {program,
                          "--ca",
                          folder_file(folder, ca),
                          "--ca-key",
                          folder_file(folder, key),
                          "--folder",
                          folder_file(folder, "made"),
                          "--count",
                          "5",
                          "--type",
                          type,
                          NULL};
    int status = process_run(argv, said);
    free(program);
    return status;
}

static FILE *open_made(const struct folder *folder, unsigned number, const char *end)
{
    char name[32];
    snprintf(name, sizeof name, "made/%u.%s", number, end);
    FILE *file = fopen(folder_file(folder, name), "re");
    ck_assert_ptr_nonnull(file);
    return file;
}

/* The certificate of that number is good for its host alone; the caller frees its key. */
static EVP_PKEY *check_one(const struct folder *folder, const struct made *ca, unsigned number)
{
    char name[64];
    struct stat status;
    FILE *file = open_made(folder, number, "crt");
    X509 *certificate = PEM_read_X509(file, NULL, NULL, NULL);
    fclose(file);
    file = open_made(folder, number, "key");
    ck_assert_int_eq(fstat(fileno(file), &status), 0);
    ck_assert_uint_eq(status.st_mode & 0777, 0600);
    EVP_PKEY *key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
    fclose(file);
    ck_assert_ptr_nonnull(certificate);
    ck_assert_ptr_nonnull(key);
    ck_assert_int_eq(X509_check_private_key(certificate, key), 1);
    ck_assert_int_eq(X509_verify(certificate, ca->key), 1);
    for (unsigned i = 0; i < COUNT; i++) {
        snprintf(name, sizeof name, "n%u.example.com", i);
        ck_assert_int_eq(X509_check_host(certificate, name, 0, 0, NULL), i == number);
    }
    X509_free(certificate);
    return key;
}

START_TEST(each_name_has_a_certificate_and_a_key_of_its_own)
{
    static const char *const types[] = {"ec", "rsa"};
    static const int kinds[] = {EVP_PKEY_EC, EVP_PKEY_RSA};
    for (unsigned type = 0; type < 2; type++) {
        struct folder folder;
        struct made *ca = made_ca("Names CA");
        EVP_PKEY *keys[COUNT];
        folder_make(&folder);
        made_write(ca, folder.path, "ca");
        ck_assert_int_eq(make_names(&folder, "ca.crt", "ca.key", types[type], NULL), 0);
        for (unsigned i = 0; i < COUNT; i++) {
            keys[i] = check_one(&folder, ca, i);
            ck_assert_int_eq(EVP_PKEY_get_base_id(keys[i]), kinds[type]);
            for (unsigned other = 0; other < i; other++)
                ck_assert_int_ne(EVP_PKEY_eq(keys[i], keys[other]), 1);
        }
        for (unsigned i = 0; i < COUNT; i++)
            EVP_PKEY_free(keys[i]);
        made_free(ca);
        folder_remove(&folder);
    }
}
END_TEST

START_TEST(a_key_file_that_was_readable_for_all_is_replaced)
{
    struct folder folder;
    struct made *ca = made_ca("Names CA");
    folder_make(&folder);
    made_write(ca, folder.path, "ca");
    ck_assert_int_eq(mkdir(folder_file(&folder, "made"), 0755), 0);
    folder_write(&folder, "made/3.key", "old");
    ck_assert_int_eq(chmod(folder_file(&folder, "made/3.key"), 0666), 0);
    ck_assert_int_eq(make_names(&folder, "ca.crt", "ca.key", "ec", NULL), 0);
    EVP_PKEY_free(check_one(&folder, ca, 3));
    made_free(ca);
    folder_remove(&folder);
}
END_TEST

START_TEST(a_key_of_another_ca_signs_nothing)
{
    struct folder folder;
    struct text said = {0};
    struct made *ca = made_ca("Names CA");
    struct made *other = made_ca("Another CA");
    folder_make(&folder);
    made_write(ca, folder.path, "ca");
    made_write(other, folder.path, "other");
    ck_assert_int_eq(make_names(&folder, "ca.crt", "other.key", "ec", &said), 1);
    ck_assert_ptr_nonnull(strstr(said.bytes, "names: this is not the key of this CA\n"));
    text_done(&said);
    made_free(ca);
    made_free(other);
    folder_remove(&folder);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, each_name_has_a_certificate_and_a_key_of_its_own);
    tcase_add_test(tcase, a_key_file_that_was_readable_for_all_is_replaced);
    tcase_add_test(tcase, a_key_of_another_ca_signs_nothing);
}

CHECK_MAIN("names", add_tests)
