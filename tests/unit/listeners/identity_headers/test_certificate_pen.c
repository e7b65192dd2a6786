/* SPDX-License-Identifier: Apache-2.0 */
/* Names in their three forms, with whatever a CA may have put into them. */
#include "listeners/identity_headers/certificate_pen.h"

#include <openssl/objects.h>
#include <stdlib.h>
#include <string.h>

#include "listeners/identity_headers/field_pen.h"
#include "tests/support/check_main.h"

#define BYTES(text) text, sizeof(text) - 1

static const struct {
    const char *value; /* of the common name, behind O=Org */
    size_t bytes;
    const char *forms[3]; /* as of enum certificate_name_form */
} names[] = {
    {BYTES("alice"), {"CN=alice,O=Org", "CN=alice,O=Org", "/O=Org/CN=alice"}},
    {BYTES("a, b"), {"CN=a\\, b,O=Org", "CN=a\\2C b,O=Org", "/O=Org/CN=a, b"}},
    {BYTES("a/O=Evil"), {"CN=a/O=Evil,O=Org", "CN=a/O=Evil,O=Org", "/O=Org/CN=a\\x2FO=Evil"}},
    {BYTES("a\"b"), {"CN=a\\\"b,O=Org", "CN=a\\22b,O=Org", "/O=Org/CN=a\"b"}},
    {BYTES("a\\"), {"CN=a\\\\,O=Org", "CN=a\\5C,O=Org", "/O=Org/CN=a\\x5C"}},
    {BYTES("\\2C"), {"CN=\\\\2C,O=Org", "CN=\\5C2C,O=Org", "/O=Org/CN=\\x5C2C"}},
    {BYTES("a\0b"), {"CN=a\\00b,O=Org", "CN=a\\00b,O=Org", "/O=Org/CN=a\\x00b"}},
    {BYTES("a\r\nB: c"),
     {"CN=a\\0D\\0AB: c,O=Org", "CN=a\\0D\\0AB: c,O=Org", "/O=Org/CN=a\\x0D\\x0AB: c"}},
    {BYTES("\xc3\xa9"), {"CN=\\C3\\A9,O=Org", "CN=\\C3\\A9,O=Org", "/O=Org/CN=\\xC3\\xA9"}},
    {BYTES(" #;+<> "),
     {"CN=\\ #\\;\\+\\<\\>\\ ,O=Org", "CN=\\20#\\3B\\2B\\3C\\3E\\20,O=Org", "/O=Org/CN= #;+<> "}},
};
enum { NAME_COUNT = sizeof names / sizeof *names };

static X509_NAME *name_of(const char *value, size_t bytes)
{
    X509_NAME *name = X509_NAME_new();
    ck_assert(X509_NAME_add_entry_by_NID(name, NID_organizationName, V_ASN1_UTF8STRING,
                                         (const unsigned char *)"Org", 3, -1, 0));
    ck_assert(X509_NAME_add_entry_by_NID(name, NID_commonName, V_ASN1_UTF8STRING,
                                         (const unsigned char *)value, (int)bytes, -1, 0));
    return name;
}

static char *written(const X509_NAME *name, enum certificate_name_form form)
{
    struct field_pen pen = {0};
    field_pen_begin(&pen, "Name", 1000);
    certificate_pen_name(&pen, name, form);
    ck_assert(!pen.is_spoiled);
    char *text = strndup(pen.text + pen.value_at, pen.used - pen.value_at);
    free(pen.text);
    return text;
}

START_TEST(a_name_has_three_forms_and_none_can_be_taken_for_another_name)
{
    X509_NAME *name = name_of(names[_i].value, names[_i].bytes);
    for (int form = 0; form < 3; form++) {
        char *text = written(name, (enum certificate_name_form)form);
        ck_assert_str_eq(text, names[_i].forms[form]);
        free(text);
    }
    X509_NAME_free(name);
}
END_TEST

START_TEST(types_without_a_short_name_are_numbers_in_the_legacy_form)
{
    X509_NAME *name = X509_NAME_new();
    ASN1_OBJECT *type = OBJ_txt2obj("1.2.3.4.5", 1);
    ck_assert(X509_NAME_add_entry_by_OBJ(name, type, V_ASN1_UTF8STRING, (const unsigned char *)"x",
                                         1, -1, 0));
    char *text = written(name, CERTIFICATE_NAME_LEGACY);
    ck_assert_str_eq(text, "/1.2.3.4.5=x");
    free(text);
    ASN1_OBJECT_free(type);
    X509_NAME_free(name);
}
END_TEST

START_TEST(an_empty_name_is_empty_in_every_form)
{
    X509_NAME *name = X509_NAME_new();
    char *text = written(name, (enum certificate_name_form)_i);
    ck_assert_str_eq(text, "");
    free(text);
    X509_NAME_free(name);
}
END_TEST

START_TEST(text_of_two_bytes_a_character_is_read_as_such)
{
    X509_NAME *name = X509_NAME_new();
    ck_assert(X509_NAME_add_entry_by_NID(name, NID_commonName, V_ASN1_BMPSTRING,
                                         (const unsigned char *)"\0a\0/", 4, -1, 0));
    char *text = written(name, CERTIFICATE_NAME_LEGACY);
    ck_assert_str_eq(text, "/CN=a\\x2F");
    free(text);
    X509_NAME_free(name);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, a_name_has_three_forms_and_none_can_be_taken_for_another_name, 0,
                        NAME_COUNT);
    tcase_add_test(tcase, types_without_a_short_name_are_numbers_in_the_legacy_form);
    tcase_add_loop_test(tcase, an_empty_name_is_empty_in_every_form, 0, 3);
    tcase_add_test(tcase, text_of_two_bytes_a_character_is_read_as_such);
}

CHECK_MAIN("certificate_pen", add_tests)
