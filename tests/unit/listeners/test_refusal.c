/* SPDX-License-Identifier: Apache-2.0 */
/* One vocabulary: every refusal has its name, its words and its alert; OpenSSL's results map to
 * them and back to alerts; README.md tells the same. */
#include "listeners/refusal.h"

#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/certificates.h"
#include "tests/support/check_main.h"
#include "tests/support/config_folder.h"

/* What a TLS 1.3 client gets. For those that never end a handshake by this way it only matters that
 * none could be taken for another's: handshake_failure. */
static const struct {
    const char *name;
    int alert;
    const char *alert_name;
} wanted[REFUSAL_COUNT] = {
    [REFUSAL_NONE] = {"none", -1, NULL},
    [REFUSAL_MISSING] = {"missing", SSL_AD_HANDSHAKE_FAILURE, NULL}, /* OpenSSL's own: see flows */
    [REFUSAL_UNTRUSTED] = {"untrusted", SSL_AD_UNKNOWN_CA, "unknown_ca"},
    [REFUSAL_EXPIRED] = {"expired", SSL_AD_CERTIFICATE_EXPIRED, "certificate_expired"},
    [REFUSAL_NOT_YET_VALID] = {"not-yet-valid", SSL_AD_BAD_CERTIFICATE, "bad_certificate"},
    [REFUSAL_BAD_SIGNATURE] = {"bad-signature", SSL_AD_BAD_CERTIFICATE, "bad_certificate"},
    [REFUSAL_WRONG_PURPOSE] = {"wrong-purpose", SSL_AD_UNSUPPORTED_CERTIFICATE,
                               "unsupported_certificate"},
    [REFUSAL_CHAIN_TOO_LONG] = {"chain-too-long", SSL_AD_UNKNOWN_CA, "unknown_ca"},
    [REFUSAL_TOO_LARGE] = {"too-large", SSL_AD_HANDSHAKE_FAILURE, NULL}, /* OpenSSL's own */
    [REFUSAL_WEAK_KEY] = {"weak-key", SSL_AD_BAD_CERTIFICATE, "bad_certificate"},
    [REFUSAL_MALFORMED] = {"malformed", SSL_AD_BAD_CERTIFICATE, "bad_certificate"},
    [REFUSAL_UNSUPPORTED] = {"unsupported-extension", SSL_AD_UNSUPPORTED_CERTIFICATE,
                             "unsupported_certificate"},
    [REFUSAL_CRL_REVOKED] = {"crl-revoked", SSL_AD_CERTIFICATE_REVOKED, "certificate_revoked"},
    [REFUSAL_CRL_EXPIRED] = {"crl-expired", SSL_AD_BAD_CERTIFICATE, "bad_certificate"},
    [REFUSAL_CRL_MISSING] = {"crl-missing", SSL_AD_BAD_CERTIFICATE, "bad_certificate"},
    [REFUSAL_OCSP_REVOKED] = {"ocsp-revoked", SSL_AD_CERTIFICATE_REVOKED, "certificate_revoked"},
    [REFUSAL_OCSP_UNAVAILABLE] = {"ocsp-unavailable", SSL_AD_HANDSHAKE_FAILURE, NULL},
    [REFUSAL_NOT_REGISTERED] = {"not-registered", SSL_AD_HANDSHAKE_FAILURE, "handshake_failure"},
    [REFUSAL_NOT_ACTIVATED] = {"not-activated", SSL_AD_HANDSHAKE_FAILURE, "handshake_failure"},
    [REFUSAL_REVOKED] = {"revoked", SSL_AD_CERTIFICATE_REVOKED, "certificate_revoked"},
    [REFUSAL_CA_DISABLED] = {"ca-disabled", SSL_AD_HANDSHAKE_FAILURE, "handshake_failure"},
    [REFUSAL_SIGNUP_LIMIT] = {"signup-limit", SSL_AD_HANDSHAKE_FAILURE, NULL},
    [REFUSAL_NOT_ALLOWED] = {"not-allowed", SSL_AD_HANDSHAKE_FAILURE, "handshake_failure"},
    [REFUSAL_BLOCKED] = {"blocked", SSL_AD_HANDSHAKE_FAILURE, NULL},
    [REFUSAL_HOST_MISMATCH] = {"host-mismatch", SSL_AD_HANDSHAKE_FAILURE, NULL},
    [REFUSAL_UNKNOWN_NAME] = {"unknown-name", SSL_AD_HANDSHAKE_FAILURE, NULL},
    [REFUSAL_PROXY_HEADER_MISSING] = {"proxy-header-missing", SSL_AD_HANDSHAKE_FAILURE, NULL},
    [REFUSAL_PROXY_HEADER_BAD] = {"proxy-header-bad", SSL_AD_HANDSHAKE_FAILURE, NULL},
    [REFUSAL_PROXY_HEADER_LATE] = {"proxy-header-late", SSL_AD_HANDSHAKE_FAILURE, NULL},
    [REFUSAL_MAX_CLIENTS] = {"max-clients", SSL_AD_HANDSHAKE_FAILURE, NULL},
};

START_TEST(names_are_as_documented)
{
    for (int i = 0; i < REFUSAL_COUNT; i++) {
        ck_assert_msg(wanted[i].name, "refusal %d (%s) is missing here", i,
                      refusal_name((enum refusal)i));
        ck_assert_str_eq(refusal_name((enum refusal)i), wanted[i].name);
    }
}
END_TEST

START_TEST(no_two_refusals_share_a_name_and_each_is_one_short_word)
{
    for (int i = 0; i < REFUSAL_COUNT; i++) {
        const char *name = refusal_name((enum refusal)i);
        ck_assert_uint_eq(strspn(name, "abcdefghijklmnopqrstuvwxyz-"), strlen(name));
        ck_assert_uint_le(strlen(name), REFUSAL_NAME_MOST);
        for (int j = 0; j < i; j++)
            ck_assert_str_ne(name, refusal_name((enum refusal)j));
    }
}
END_TEST

static void check_words(const char *words, int refusal)
{
    const char *name = wanted[refusal].name;
    ck_assert_msg(words && strlen(words) > 10, "%s has no words", name);
    ck_assert_msg(strlen(words) <= REFUSAL_WORDS_MOST, "%s: too long: %s", name, words);
    ck_assert_msg(words[strlen(words) - 1] == '.', "%s is no sentence: %s", name, words);
    for (const char *at = words; *at; at++)
        ck_assert_msg(*at >= ' ' && *at < 0x7f, "%s: control or non-ASCII: %s", name, words);
}

START_TEST(every_refusal_has_a_sentence_and_an_advice)
{
    for (int i = 0; i < REFUSAL_COUNT; i++) {
        check_words(refusal_sentence((enum refusal)i), i);
        check_words(refusal_advice((enum refusal)i), i);
        ck_assert_str_ne(refusal_sentence((enum refusal)i), refusal_advice((enum refusal)i));
    }
}
END_TEST

/* To a client, revoked is revoked; whoever has to know by whom has the name. */
static bool may_share(int one, int other)
{
    return one == REFUSAL_OCSP_REVOKED && other == REFUSAL_CRL_REVOKED;
}

START_TEST(every_refusal_has_a_sentence_of_its_own)
{
    for (int i = 0; i < REFUSAL_COUNT; i++)
        for (int j = 0; j < i; j++)
            if (!may_share(i, j))
                ck_assert_str_ne(refusal_sentence((enum refusal)i),
                                 refusal_sentence((enum refusal)j));
}
END_TEST

/* --- alerts -------------------------------------------------------------------------------- */

static int refuse_all(X509_STORE_CTX *context, void *refusal)
{
    X509_STORE_CTX_set_error(context, refusal_x509_error(*(enum refusal *)refusal));
    return 0;
}

static void note_alert(const SSL *ssl, int where, int value)
{
    if ((where & SSL_CB_READ_ALERT) == SSL_CB_READ_ALERT)
        *(int *)SSL_get_app_data(ssl) = value & 0xff;
}

static SSL *make_side(SSL_CTX *context, const struct made *made, BIO *bio)
{
    ck_assert_int_eq(SSL_CTX_use_certificate(context, made->certificate), 1);
    ck_assert_int_eq(SSL_CTX_use_PrivateKey(context, made->key), 1);
    SSL *ssl = SSL_new(context);
    SSL_set_bio(ssl, bio, bio);
    SSL_CTX_free(context);
    return ssl;
}

/* What a client is told in a handshake whose verification ends with the refusal; -1: nothing. */
static int alert_of(enum refusal refusal, const struct made *made)
{
    BIO *server_end, *client_end;
    int alert = -1;
    char byte;
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    SSL_CTX_set_cert_verify_callback(context, refuse_all, &refusal);
    ck_assert_int_eq(BIO_new_bio_pair(&server_end, 0, &client_end, 0), 1);
    SSL *server = make_side(context, made, server_end);
    SSL *client = make_side(SSL_CTX_new(TLS_client_method()), made, client_end);
    SSL_set_app_data(client, &alert);
    SSL_set_info_callback(client, note_alert);
    SSL_set_connect_state(client);
    SSL_set_accept_state(server);
    for (int turn = 0; turn < 4 && alert < 0; turn++) {
        SSL_read(client, &byte, 1);
        SSL_do_handshake(server);
    }
    SSL_read(client, &byte, 1);
    SSL_free(client);
    SSL_free(server);
    return alert;
}

START_TEST(every_refusal_of_a_handshake_has_its_alert)
{
    struct made *made = made_client(NULL, "anybody");
    for (int i = REFUSAL_NONE + 1; i < REFUSAL_COUNT; i++) {
        int alert = alert_of((enum refusal)i, made);
        ck_assert_msg(alert == wanted[i].alert, "%s: alert %d instead of %d", wanted[i].name, alert,
                      wanted[i].alert);
    }
    made_free(made);
}
END_TEST

/* --- OpenSSL's results ---------------------------------------------------------------------- */

START_TEST(only_ok_is_no_refusal)
{
    ck_assert_int_eq(refusal_of_x509(X509_V_OK), REFUSAL_NONE);
    for (int error = 1; error < 200; error++)
        ck_assert_int_ne(refusal_of_x509(error), REFUSAL_NONE);
    ck_assert_int_ne(refusal_of_x509(-1), REFUSAL_NONE);
}
END_TEST

START_TEST(no_refusal_is_told_to_openssl_as_ok)
{
    ck_assert_int_eq(refusal_x509_error(REFUSAL_NONE), X509_V_OK);
    for (int i = REFUSAL_NONE + 1; i < REFUSAL_COUNT; i++)
        ck_assert_int_ne(refusal_x509_error((enum refusal)i), X509_V_OK);
}
END_TEST

START_TEST(a_refusal_found_by_verification_survives_the_way_back)
{
    static const enum refusal found[] = {REFUSAL_UNTRUSTED,      REFUSAL_EXPIRED,
                                         REFUSAL_NOT_YET_VALID,  REFUSAL_WRONG_PURPOSE,
                                         REFUSAL_CHAIN_TOO_LONG, REFUSAL_WEAK_KEY};
    for (size_t i = 0; i < sizeof found / sizeof *found; i++)
        ck_assert_int_eq(refusal_of_x509(refusal_x509_error(found[i])), found[i]);
}
END_TEST

/* --- README.md ------------------------------------------------------------------------------ */

static int refusal_named(const char *name, size_t length)
{
    for (int i = REFUSAL_NONE + 1; i < REFUSAL_COUNT; i++)
        if (strlen(wanted[i].name) == length && strncmp(wanted[i].name, name, length) == 0)
            return i;
    return REFUSAL_NONE;
}

/* "| `expired` | or one of its chain has expired | certificate_expired |" */
static void check_row(char *row)
{
    size_t length = strcspn(row + 3, "`");
    int refusal = refusal_named(row + 3, length);
    ck_assert_msg(refusal != REFUSAL_NONE, "README.md has a refusal that there is not: %s", row);
    char *alert = strchr(row + 3 + length, '|');
    alert = alert ? strchr(alert + 1, '|') : NULL;
    ck_assert_msg(alert, "no alert in the row: %s", row);
    if (wanted[refusal].alert_name)
        ck_assert_msg(strstr(alert, wanted[refusal].alert_name), "README.md: %s gets %s", row,
                      wanted[refusal].alert_name);
}

START_TEST(the_table_of_the_manual_says_the_same)
{
    char *readme = config_folder_source_read("README.md");
    char *table = strstr(readme, "\n| reason | the client's certificate | alert |\n");
    unsigned rows = 0;
    ck_assert_ptr_nonnull(table);
    char *end = strstr(table, "\n\n");
    ck_assert_ptr_nonnull(end);
    *end = '\0';
    for (char *row = strtok(table, "\n"); row; row = strtok(NULL, "\n")) {
        if (strncmp(row, "| `", 3) != 0)
            continue;
        check_row(row);
        rows++;
    }
    ck_assert_uint_gt(rows, 10);
    free(readme);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, names_are_as_documented);
    tcase_add_test(tcase, no_two_refusals_share_a_name_and_each_is_one_short_word);
    tcase_add_test(tcase, every_refusal_has_a_sentence_and_an_advice);
    tcase_add_test(tcase, every_refusal_has_a_sentence_of_its_own);
    tcase_add_test(tcase, every_refusal_of_a_handshake_has_its_alert);
    tcase_add_test(tcase, only_ok_is_no_refusal);
    tcase_add_test(tcase, no_refusal_is_told_to_openssl_as_ok);
    tcase_add_test(tcase, a_refusal_found_by_verification_survives_the_way_back);
    tcase_add_test(tcase, the_table_of_the_manual_says_the_same);
}

CHECK_MAIN("refusal", add_tests)
