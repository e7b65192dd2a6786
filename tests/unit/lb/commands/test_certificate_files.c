/* SPDX-License-Identifier: Apache-2.0 */
/* Files as people have them: one certificate or thousands, with what else is in them. */
#include "lb/commands/certificate_files.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lb/base/certificate.h"
#include "tests/support/certificates.h"
#include "tests/support/check_main.h"
#include "tests/support/folder.h"
#include "tests/support/text.h"

static struct folder folder;
static struct made *root, *middle, *alice, *bob;
static struct text told; /* "+name@file:line " and "-file:line reason; " */

static void begin(void)
{
    folder_make(&folder);
    root = made_ca("root");
    middle = made_intermediate(root, "middle");
    alice = made_client(middle, "alice");
    bob = made_client(root, "bob");
    told = (struct text){0};
    text_add(&told, "", 0);
}

static void end(void)
{
    made_free(root);
    made_free(middle);
    made_free(alice);
    made_free(bob);
    text_done(&told);
    folder_remove(&folder);
}

static const char *short_place(const struct file_place *place)
{
    static char text[PLACE_BYTES];
    file_place_text(place, text);
    return text + strlen(folder.path) + (strlen(place->path) > strlen(folder.path) ? 1 : 0);
}

static bool found(void *arg, X509 *certificate, const struct file_place *place)
{
    size_t length;
    (void)arg;
    char *name =
        certificate_field_text(X509_get_subject_name(certificate), NID_commonName, &length);
    text_add_format(&told, "+%s@%s ", name, short_place(place));
    free(name);
    return true;
}

static bool wrong(void *arg, const struct file_place *place, const char *reason)
{
    (void)arg;
    text_add_format(&told, "-%s %s; ", short_place(place), reason);
    return true;
}

static void walk(const char *file)
{
    const struct certificate_visitor visitor = {found, wrong, NULL};
    char *path = made_path(folder.path, file);
    certificate_files_walk(&path, 1, &visitor);
    free(path);
}

static unsigned lines_of(const char *text)
{
    return text_count(text, "\n");
}

START_TEST(each_certificate_of_a_file_is_found_with_its_line)
{
    struct text file = {0};
    char *first = made_certificate_pem(alice), *second = made_certificate_pem(bob);
    char *key = made_key_pem(alice), expected[128];
    text_add_format(&file, "\xef\xbb\xbfsome words\n%s%s\n\n%s", first, key, second);
    folder_write(&folder, "all.pem", file.bytes);
    walk("all.pem");
    snprintf(expected, sizeof expected, "+alice@all.pem:2 +bob@all.pem:%u ",
             1 + lines_of(first) + lines_of(key) + 2 + 1);
    ck_assert_str_eq(told.bytes, expected);
    text_done(&file);
    free(first);
    free(second);
    free(key);
}
END_TEST

START_TEST(carriage_returns_blanks_and_blank_lines_do_no_harm)
{
    struct text file = {0};
    char *pem = made_certificate_pem(alice);
    for (const char *at = pem; *at; at++)
        if (*at == '\n')
            text_add(&file, " \r\n\r\n\t", 6);
        else
            text_add(&file, at, 1);
    folder_write(&folder, "odd.pem", file.bytes);
    walk("odd.pem");
    ck_assert_str_eq(told.bytes, "+alice@odd.pem:1 ");
    text_done(&file);
    free(pem);
}
END_TEST

START_TEST(der_is_found)
{
    unsigned char *der = NULL;
    int length = i2d_X509(alice->certificate, &der);
    FILE *file = fopen(folder_file(&folder, "alice.der"), "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(der, 1, (size_t)length, file), (size_t)length);
    fclose(file);
    OPENSSL_free(der);
    walk("alice.der");
    ck_assert_str_eq(told.bytes, "+alice@alice.der ");
}
END_TEST

static const struct {
    const char *text;
    const char *says;
} bad[] = {
    {"", "-bad.pem holds no certificate (-----BEGIN CERTIFICATE-----); "},
    {"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
     "-bad.pem holds a private key and no certificate; "},
    {"\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
     "-bad.pem:2 this certificate is damaged: it cannot be decoded; "},
    {"-----BEGIN CERTIFICATE-----\nAAAA\n", "-bad.pem:1 this certificate has no end; "},
    {"-----BEGIN CERTIFICATE-----\nAAAA\n-----BEGIN CERTIFICATE-----\n",
     "-bad.pem:3 this certificate has no end; "},
    {"0\x82", "-bad.pem this certificate is damaged: it cannot be decoded; "},
};

START_TEST(what_is_damaged_is_told_with_its_place)
{
    folder_write(&folder, "bad.pem", bad[_i].text);
    walk("bad.pem");
    ck_assert_msg(strstr(told.bytes, bad[_i].says), "%s", told.bytes);
    ck_assert_ptr_null(strchr(told.bytes, '+'));
}
END_TEST

START_TEST(a_certificate_that_never_ends_is_bounded)
{
    struct text file = {0};
    text_add_format(&file, "-----BEGIN CERTIFICATE-----\n");
    for (unsigned i = 0; i < 3000; i++)
        text_add_format(&file, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n");
    char *pem = made_certificate_pem(alice);
    text_add_format(&file, "-----END CERTIFICATE-----\n%s", pem);
    folder_write(&folder, "long.pem", file.bytes);
    walk("long.pem");
    ck_assert_str_eq(told.bytes, "-long.pem:1 this certificate is larger than any client may show; "
                                 "+alice@long.pem:3003 ");
    text_done(&file);
    free(pem);
}
END_TEST

START_TEST(of_a_folder_the_certificates_are_read_in_order)
{
    char *first = made_certificate_pem(alice), *second = made_certificate_pem(bob);
    folder_write(&folder, "b.crt", first);
    folder_write(&folder, "a.CER", second);
    folder_write(&folder, "c.key", first);
    folder_write(&folder, ".pem", first);
    ck_assert_int_eq(mkdir(folder_file(&folder, "d"), 0700), 0);
    walk("");
    ck_assert_str_eq(told.bytes, "+bob@/a.CER:1 +alice@/b.crt:1 ");
    text_drop(&told, told.length);
    walk("d");
    ck_assert_str_eq(told.bytes, "-d holds no file named *.pem, *.crt, *.cer or *.der; ");
    text_drop(&told, told.length);
    walk("none");
    ck_assert_str_eq(told.bytes, "-none No such file or directory; ");
    free(first);
    free(second);
}
END_TEST

START_TEST(the_cas_between_go_with_their_certificate_wherever_they_stand)
{
    struct chain_cas cas = {0};
    struct error err;
    char *leaf = made_certificate_pem(alice), *ca = made_certificate_pem(middle);
    char *top = made_certificate_pem(root), *other = made_certificate_pem(bob);
    struct text expected = {0};
    folder_write(&folder, "a.pem", leaf);
    struct text file = {0};
    text_add_format(&file, "%s%s%s%s", other, ca, top, ca);
    folder_write(&folder, "z.pem", file.bytes);
    char *paths[] = {folder.path};
    ck_assert(certificate_files_chains(paths, 1, &cas, &err));
    ck_assert_int_eq(sk_X509_num(cas.cas), 2);
    char *chain = chain_pem(&cas, alice->certificate);
    text_add_format(&expected, "%s%s%s", leaf, ca, top);
    ck_assert_str_eq(chain, expected.bytes);
    free(chain);
    chain = chain_pem(&cas, root->certificate);
    ck_assert_str_eq(chain, top);
    free(chain);
    chain_cas_done(&cas);
    text_done(&file);
    text_done(&expected);
    free(leaf);
    free(ca);
    free(top);
    free(other);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, each_certificate_of_a_file_is_found_with_its_line);
    tcase_add_test(tcase, carriage_returns_blanks_and_blank_lines_do_no_harm);
    tcase_add_test(tcase, der_is_found);
    tcase_add_loop_test(tcase, what_is_damaged_is_told_with_its_place, 0, sizeof bad / sizeof *bad);
    tcase_add_test(tcase, a_certificate_that_never_ends_is_bounded);
    tcase_add_test(tcase, of_a_folder_the_certificates_are_read_in_order);
    tcase_add_test(tcase, the_cas_between_go_with_their_certificate_wherever_they_stand);
}

CHECK_MAIN("certificate files", add_tests)
