/* SPDX-License-Identifier: Apache-2.0 */
/* Which lists are taken, and what is said of the others. */
#include "listeners/crl/crl.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/support/check_main.h"
#include "tests/support/made_crl.h"

struct cast {
    struct made *ca;
    struct made *other;
    struct made *twin; /* of the same name as ca, with another key */
    struct made *alice;
    STACK_OF(X509) * issuers; /* ca and other */
};

static void cast_open(struct cast *cast)
{
    cast->ca = made_ca("CA");
    cast->other = made_ca("Other");
    cast->twin = made_ca("CA");
    cast->alice = made_client(cast->ca, "alice");
    cast->issuers = sk_X509_new_null();
    sk_X509_push(cast->issuers, cast->other->certificate);
    sk_X509_push(cast->issuers, cast->ca->certificate);
}

static void cast_close(struct cast *cast)
{
    made_free(cast->ca);
    made_free(cast->other);
    made_free(cast->twin);
    made_free(cast->alice);
    sk_X509_free(cast->issuers);
}

static enum crl_outcome parse(struct cast *cast, const struct crl_wish *wish, struct crl **ret,
                              struct error *err)
{
    size_t length;
    unsigned char *der = made_crl_der(wish, &length);
    enum crl_outcome outcome =
        crl_parse((struct slice){(const char *)der, length}, cast->issuers, ret, err);
    free(der);
    return outcome;
}

static void expect_fault(struct cast *cast, const struct crl_wish *wish, enum crl_outcome outcome,
                         const char *words)
{
    struct error err = {""};
    struct crl *crl;
    ck_assert_int_eq(parse(cast, wish, &crl, &err), outcome);
    ck_assert_ptr_null(crl);
    ck_assert_msg(strstr(err.text, words) != NULL, "\"%s\" is not in: %s", words, err.text);
}

static bool has(const struct crl *crl, const char *bytes, size_t length)
{
    return crl_serials_have(&crl->serials,
                            (struct crl_serial){(const unsigned char *)bytes, length});
}

START_TEST(a_good_list_is_taken_with_its_facts)
{
    struct cast cast;
    struct error err = {""};
    struct crl *crl;
    unsigned char key[CA_KEY_BYTES];
    cast_open(&cast);
    const struct crl_wish wish = {.issuer = cast.ca,
                                  .serials = {"01", "80", "FF00112233445566778899AABBCCDDEEFF0011"},
                                  .others = 100,
                                  .number = 300};
    ck_assert_int_eq(parse(&cast, &wish, &crl, &err), CRL_GOOD);
    ck_assert(ca_key_of(cast.ca->certificate, key));
    ck_assert_mem_eq(crl->ca_key, key, sizeof key);
    ck_assert_str_eq(crl->issuer, "CN=CA");
    ck_assert_str_eq(crl->number, "012C");
    ck_assert_uint_eq(crl->serials.count, 103);
    ck_assert(has(crl, "\x01", 1));
    ck_assert(has(crl, "\x00\x80", 2));
    ck_assert(!has(crl, "\x02", 1));
    ck_assert(crl_is_current(crl, time(NULL)));
    crl_unref(crl);
    cast_close(&cast);
}
END_TEST

START_TEST(a_list_without_entries_is_taken)
{
    struct cast cast;
    struct error err = {""};
    struct crl *crl;
    cast_open(&cast);
    ck_assert_int_eq(parse(&cast, &(struct crl_wish){.issuer = cast.ca}, &crl, &err), CRL_GOOD);
    ck_assert_uint_eq(crl->serials.count, 0);
    ck_assert_str_eq(crl->number, "");
    ck_assert(!has(crl, "\x01", 1));
    crl_unref(crl);
    cast_close(&cast);
}
END_TEST

START_TEST(lists_signed_with_any_usual_key_are_taken)
{
    static const enum made_key keys[] = {MADE_KEY_P256, MADE_KEY_P384, MADE_KEY_RSA_2048,
                                         MADE_KEY_ED25519};
    struct cast cast = {0};
    struct error err = {""};
    struct crl *crl;
    cast.ca =
        made_certificate(&(struct certificate_wish){.name = "CA", .ca = true, .key = keys[_i]});
    cast.issuers = sk_X509_new_null();
    sk_X509_push(cast.issuers, cast.ca->certificate);
    ck_assert_int_eq(parse(&cast, &(struct crl_wish){.issuer = cast.ca, .others = 3}, &crl, &err),
                     CRL_GOOD);
    ck_assert_uint_eq(crl->serials.count, 3);
    crl_unref(crl);
    cast_close(&cast);
}
END_TEST

START_TEST(what_is_no_good_is_refused_by_name)
{
    struct cast cast;
    cast_open(&cast);
    const struct {
        struct crl_wish wish;
        enum crl_outcome outcome;
        const char *words;
    } cases[] = {
        {{.issuer = cast.alice}, CRL_UNKNOWN_ISSUER, "add the certificate of that CA to client_ca"},
        {{.issuer = cast.twin}, CRL_UNKNOWN_ISSUER, "another key"},
        {{.issuer = cast.ca, .signer = cast.other}, CRL_BAD, "signature is wrong"},
        {{.issuer = cast.ca, .broken_signature = true}, CRL_BAD, "signature is wrong"},
        {{.issuer = cast.ca, .sha1 = true}, CRL_BAD, "SHA1, which is too weak"},
        {{.issuer = cast.ca, .is_delta = true}, CRL_BAD, "delta list"},
        {{.issuer = cast.ca, .is_indirect = true}, CRL_BAD, "indirect list"},
        {{.issuer = cast.ca, .others = 2, .has_other_issuer = true}, CRL_BAD, "indirect list"},
        {{.issuer = cast.ca, .has_unknown = true}, CRL_BAD, "1.3.6.1.4.1.99999.1"},
        {{.issuer = cast.ca, .others = 2, .has_unknown_in_entry = true}, CRL_BAD, "critical"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_fault(&cast, &cases[i].wish, cases[i].outcome, cases[i].words);
    cast_close(&cast);
}
END_TEST

START_TEST(a_list_says_whom_it_covers)
{
    struct cast cast;
    struct error err = {""};
    struct crl *crl;
    cast_open(&cast);
    const struct {
        struct crl_wish wish;
        bool users, cas, is_of_point;
    } rows[] = {
        {{.issuer = cast.ca}, true, true, false},
        {{.issuer = cast.ca, .is_of_users = true}, true, false, false},
        {{.issuer = cast.ca, .is_of_cas = true}, false, true, false},
        {{.issuer = cast.ca, .is_of_one_point = true}, true, true, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ck_assert_int_eq(parse(&cast, &rows[i].wish, &crl, &err), CRL_GOOD);
        ck_assert_int_eq(crl_covers(crl, false), rows[i].users);
        ck_assert_int_eq(crl_covers(crl, true), rows[i].cas);
        ck_assert_int_eq(crl->is_of_point, rows[i].is_of_point);
        crl_unref(crl);
    }
    cast_close(&cast);
}
END_TEST

START_TEST(a_ca_that_may_not_sign_lists_is_not_believed)
{
    struct cast cast;
    cast_open(&cast);
    struct made *leaf = made_certificate(&(struct certificate_wish){
        .name = "No lists", .issuer = cast.ca, .ca = true, .no_lists = true});
    sk_X509_push(cast.issuers, leaf->certificate);
    expect_fault(&cast, &(struct crl_wish){.issuer = leaf}, CRL_BAD, "cRLSign");
    made_free(leaf);
    cast_close(&cast);
}
END_TEST

/* Each byte less, and some of each byte changed: refused, and no harm done. */
START_TEST(no_part_of_a_list_is_taken_for_a_list)
{
    struct cast cast;
    struct error err;
    struct crl *crl;
    size_t length;
    cast_open(&cast);
    unsigned char *der =
        made_crl_der(&(struct crl_wish){.issuer = cast.ca, .others = 3, .number = 1}, &length);
    for (size_t i = 0; i < length; i++) {
        char *part = malloc(i + 1); /* its exact size, for the sanitizer */
        memcpy(part, der, i);
        ck_assert_int_eq(crl_parse((struct slice){part, i}, cast.issuers, &crl, &err), CRL_BAD);
        free(part);
        der[i] ^= (unsigned char)(1 + i % 255);
        ck_assert_int_ne(
            crl_parse((struct slice){(const char *)der, length}, cast.issuers, &crl, &err),
            CRL_GOOD);
        der[i] ^= (unsigned char)(1 + i % 255);
    }
    free(der);
    cast_close(&cast);
}
END_TEST

START_TEST(time_and_age_are_told)
{
    struct cast cast;
    struct error err = {""};
    struct crl *one;
    struct crl *two;
    time_t now = time(NULL);
    cast_open(&cast);
    ck_assert_int_eq(parse(&cast,
                           &(struct crl_wish){.issuer = cast.ca,
                                              .number = 255,
                                              .from_s = -MADE_DAY_S,
                                              .until_s = 7 * MADE_DAY_S},
                           &one, &err),
                     CRL_GOOD);
    ck_assert_int_eq(parse(&cast,
                           &(struct crl_wish){.issuer = cast.ca,
                                              .number = 256,
                                              .from_s = -2 * MADE_DAY_S,
                                              .until_s = MADE_CRL_ENDLESS},
                           &two, &err),
                     CRL_GOOD);
    ck_assert(crl_is_older(one, two));
    ck_assert(!crl_is_older(two, one));
    ck_assert(!crl_is_older(one, one));
    ck_assert(!crl_is_current(one, now - MADE_DAY_S - CRL_CLOCK_SKEW_S - 60));
    ck_assert(crl_is_current(one, now - MADE_DAY_S - CRL_CLOCK_SKEW_S + 60));
    ck_assert(crl_is_current(one, one->next_update - 1));
    ck_assert(!crl_is_current(one, one->next_update));
    ck_assert(crl_is_current(two, now + 10000 * (time_t)MADE_DAY_S));
    ck_assert(!crl_ends_soon(one, now));
    ck_assert(crl_ends_soon(one, one->next_update - MADE_DAY_S));
    ck_assert(!crl_ends_soon(two, now));
    crl_unref(one);
    crl_unref(two);
    cast_close(&cast);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, a_good_list_is_taken_with_its_facts);
    tcase_add_test(tcase, a_list_without_entries_is_taken);
    tcase_add_loop_test(tcase, lists_signed_with_any_usual_key_are_taken, 0, 4);
    tcase_add_test(tcase, what_is_no_good_is_refused_by_name);
    tcase_add_test(tcase, a_list_says_whom_it_covers);
    tcase_add_test(tcase, a_ca_that_may_not_sign_lists_is_not_believed);
    tcase_add_test(tcase, no_part_of_a_list_is_taken_for_a_list);
    tcase_add_test(tcase, time_and_age_are_told);
}

CHECK_MAIN("crl", add_tests)
