/* SPDX-License-Identifier: Apache-2.0 */
/* The TLS keys of a pool: what is refused, what is warned of, whom they make it, whom it asks for.
 */
#include "backends/tls/backend_tls.h"

#include <stdlib.h>
#include <string.h>

#include "tests/support/certificates.h"
#include "tests/support/check_main.h"
#include "tests/support/folder.h"
#include "tests/support/made_pool.h"

static struct folder folder;
static struct made_pool made;
static struct made *ca;

static void begin(void)
{
    folder_make(&folder);
    ca = made_ca("Backend CA");
    made_write(ca, folder.path, "ca");
    made_pool_begin(&made);
    made_pool_key(&made, "backend", "rs-1 192.0.2.7:8443"); /* line 2 */
}

static void end(void)
{
    made_pool_end(&made);
    made_free(ca);
    folder_remove(&folder);
}

static void key(const char *name, const char *value)
{
    made_pool_key(&made, name, value);
}

/* A key whose value is a file of the folder. */
static void file_key(const char *name, const char *file)
{
    key(name, folder_file(&folder, file));
}

static void write_client(const char *name, const struct certificate_wish *wish)
{
    struct made *client = made_certificate(wish);
    made_write(client, folder.path, name);
    made_free(client);
}

static void expect_problem(unsigned line, const char *words)
{
    if (made_pool_has_problem(&made, line, words))
        return;
    for (size_t i = 0; i < made.problems.count; i++)
        fprintf(stderr, "line %u: %s\n", made.problems.items[i].line, made.problems.items[i].text);
    ck_abort_msg("line %u does not say \"%s\"", line, words);
}

/* ---- what is loaded ---- */

START_TEST(without_https_there_is_no_tls_and_its_keys_have_no_effect)
{
    file_key("backend_ca", "ca.crt");
    key("backend_name", "rs.example.com");
    key("certificate", "nowhere.crt");
    key("certificate_key", "nowhere.key");
    ck_assert(made_pool_prepare(&made));
    ck_assert_ptr_null(made.pool.tls);
    ck_assert_str_eq(made.pool.link_identity, "");
    expect_problem(3, "backend_ca has no effect: pool app does not say protocol = https or h2s");
    expect_problem(4, "backend_name has no effect");
    expect_problem(5, "certificate has no effect");
    expect_problem(6, "certificate_key has no effect");
}
END_TEST

START_TEST(everything_that_is_right_is_taken_without_a_word)
{
    write_client("lb",
                 &(struct certificate_wish){.name = "lb", .issuer = ca, .usage = "clientAuth"});
    key("protocol", "https");
    file_key("backend_ca", "ca.crt");
    file_key("certificate", "lb.crt");
    file_key("certificate_key", "lb.key");
    key("backend_name", "[2001:DB8::1]");
    ck_assert(made_pool_prepare(&made));
    ck_assert_uint_eq(made.problems.count, 0);
    ck_assert_ptr_nonnull(made.pool.tls);
    ck_assert_uint_eq(strlen(made.pool.link_identity), 64);
}
END_TEST

START_TEST(files_that_cannot_be_read_are_told_at_their_lines)
{
    write_client("lb", &(struct certificate_wish){.name = "lb", .issuer = ca});
    key("protocol", "https");
    file_key("backend_ca", "ca.crt");
    file_key("backend_ca", "lb.key");
    file_key("backend_ca", "nowhere.crt");
    file_key("certificate", "nowhere.crt");
    file_key("certificate_key", "lb.key");
    ck_assert(!made_pool_prepare(&made));
    expect_problem(5, "lb.key: holds a private key; a PEM certificate");
    expect_problem(6, "nowhere.crt: cannot be opened: No such file");
    expect_problem(7, "nowhere.crt: cannot be opened: No such file");
    ck_assert_uint_eq(made.problems.count, 3);
    ck_assert_ptr_null(made.pool.tls);
}
END_TEST

START_TEST(a_certificate_needs_its_key)
{
    file_key("certificate", "ca.crt");
    key("protocol", "https");
    ck_assert(!made_pool_prepare(&made));
    expect_problem(3, "pool app has certificate but no certificate_key: add certificate_key");
}
END_TEST

START_TEST(a_key_needs_its_certificate)
{
    file_key("certificate_key", "ca.key");
    key("protocol", "https");
    ck_assert(!made_pool_prepare(&made));
    expect_problem(3, "pool app has certificate_key but no certificate: add certificate");
}
END_TEST

START_TEST(a_key_of_somebody_else_is_refused)
{
    write_client("lb", &(struct certificate_wish){.name = "lb", .issuer = ca});
    key("protocol", "https");
    file_key("certificate", "lb.crt");
    file_key("certificate_key", "ca.key");
    ck_assert(!made_pool_prepare(&made));
    expect_problem(4, "ca.key: the private key does not belong to the certificate");
}
END_TEST

START_TEST(a_certificate_that_openssl_would_not_show_is_refused_at_once)
{
    write_client(
        "weak", &(struct certificate_wish){.name = "weak", .issuer = ca, .key = MADE_KEY_RSA_1024});
    key("protocol", "https");
    file_key("certificate", "weak.crt");
    file_key("certificate_key", "weak.key");
    ck_assert(!made_pool_prepare(&made));
    expect_problem(4, "weak.crt: ee key too small");
}
END_TEST

START_TEST(what_runs_but_will_not_help_is_warned_of)
{
    write_client("old-ca", &(struct certificate_wish){
                               .name = "Old CA", .ca = true, .from_s = -9, .until_s = -5});
    write_client(
        "server",
        &(struct certificate_wish){
            .name = "lb", .issuer = ca, .usage = "serverAuth", .from_s = -9, .until_s = -5});
    key("protocol", "https");
    file_key("backend_ca", "old-ca.crt");
    file_key("certificate", "server.crt");
    file_key("certificate_key", "server.key");
    ck_assert(made_pool_prepare(&made));
    expect_problem(4, "old-ca.crt: CN=Old CA has expired");
    expect_problem(5, "server.crt: CN=lb has expired");
    expect_problem(5, "server.crt: is not meant for clients");
}
END_TEST

static const char *const bad_names[] = {"two words", "a..b", ".a", "host:8443", "a/b", "[::1", "ä"};

START_TEST(a_backend_name_that_is_no_name_is_refused)
{
    key("protocol", "https");
    key("backend_name", bad_names[_i]);
    ck_assert(!made_pool_prepare(&made));
    expect_problem(4, "is neither a host name nor an IP address: write one of them without a port");
}
END_TEST

/* ---- the system's CAs ---- */

START_TEST(a_system_without_cas_is_warned_of)
{
    struct folder empty;
    folder_make(&empty);
    setenv("SSL_CERT_DIR", empty.path, 1);
    setenv("SSL_CERT_FILE", "/nowhere.pem", 1);
    key("protocol", "https");
    ck_assert(made_pool_prepare(&made));
    expect_problem(3, "this system has no CA certificates");
    folder_remove(&empty);
}
END_TEST

START_TEST(the_system_s_cas_need_not_be_named)
{
    setenv("SSL_CERT_FILE", folder_file(&folder, "ca.crt"), 1);
    key("protocol", "https");
    ck_assert(made_pool_prepare(&made));
    ck_assert_uint_eq(made.problems.count, 0);
}
END_TEST

/* ---- identity ---- */

/* The identity of a pool with these keys; NULL: left out. Freed by the caller. */
static char *identity_of(const char *ca_file, const char *name, const char *certificate)
{
    struct made_pool other;
    made_pool_begin(&other);
    made_pool_key(&other, "backend", "rs-1 192.0.2.7:8443");
    made_pool_key(&other, "protocol", "https");
    made_pool_key(&other, "backend_ca", folder_file(&folder, ca_file));
    if (name)
        made_pool_key(&other, "backend_name", name);
    if (certificate) {
        char file[64];
        snprintf(file, sizeof file, "%s.crt", certificate);
        made_pool_key(&other, "certificate", folder_file(&folder, file));
        snprintf(file, sizeof file, "%s.key", certificate);
        made_pool_key(&other, "certificate_key", folder_file(&folder, file));
    }
    ck_assert(made_pool_prepare(&other));
    char *identity = strdup(other.pool.link_identity);
    made_pool_end(&other);
    return identity;
}

START_TEST(the_identity_changes_with_all_that_decides_whom_a_link_trusts)
{
    struct made *other_ca = made_ca("Other CA");
    char *identities[5];
    made_write(other_ca, folder.path, "other-ca");
    made_free(other_ca);
    write_client("lb", &(struct certificate_wish){.name = "lb", .issuer = ca});
    write_client("lb-2", &(struct certificate_wish){.name = "lb", .issuer = ca});
    identities[0] = identity_of("ca.crt", NULL, NULL);
    identities[1] = identity_of("other-ca.crt", NULL, NULL);
    identities[2] = identity_of("ca.crt", "rs.example.com", NULL);
    identities[3] = identity_of("ca.crt", NULL, "lb");
    identities[4] = identity_of("ca.crt", NULL, "lb-2");
    for (unsigned i = 0; i < 5; i++)
        for (unsigned k = 0; k < i; k++)
            ck_assert_str_ne(identities[i], identities[k]);
    for (unsigned i = 0; i < 5; i++)
        free(identities[i]);
}
END_TEST

START_TEST(the_identity_is_that_of_the_content_not_of_the_file)
{
    made_write(ca, folder.path, "copy");
    char *one = identity_of("ca.crt", "RS.example.com.", NULL);
    char *other = identity_of("copy.crt", "rs.example.com", NULL);
    ck_assert_str_eq(one, other);
    free(one);
    free(other);
}
END_TEST

/* ---- names ---- */

static const struct {
    const char *host;
    const char *name;
} names[] = {
    {"www.example.com", "www.example.com"},
    {"WWW.Example.COM:8443", "www.example.com"},
    {"www.example.com.", "www.example.com"},
    {"www.example.com.:443", "www.example.com"},
    {"192.0.2.1:80", "192.0.2.1"},
    {"[2001:db8::1]", "2001:db8::1"},
    {"[2001:DB8::1]:8443", "2001:db8::1"},
    {"", "192.0.2.7"}, /* nobody asked: the backend's own address */
};

static const char *name_for(const char *host, char into[BACKEND_TLS_NAME_BYTES])
{
    struct error err = {""};
    struct backend_tls_context *context = backend_tls_context_new(&made.pool, &err);
    ck_assert_msg(context != NULL, "%s", err.text);
    const char *name = backend_tls_name(context, made.pool.backends, slice_of(host), into);
    backend_tls_context_free(context);
    return name;
}

START_TEST(the_host_asked_for_is_the_name)
{
    char text[BACKEND_TLS_NAME_BYTES];
    key("protocol", "https");
    file_key("backend_ca", "ca.crt");
    ck_assert(made_pool_prepare(&made));
    ck_assert_str_eq(name_for(names[_i].host, text), names[_i].name);
}
END_TEST

START_TEST(backend_name_is_the_name_whatever_was_asked_for)
{
    char text[BACKEND_TLS_NAME_BYTES];
    key("protocol", "https");
    file_key("backend_ca", "ca.crt");
    key("backend_name", "RS.example.com");
    ck_assert(made_pool_prepare(&made));
    ck_assert_str_eq(name_for("www.example.com", text), "rs.example.com");
}
END_TEST

START_TEST(a_name_is_asked_for_an_address_is_not)
{
    struct error err = {""};
    key("protocol", "https");
    file_key("backend_ca", "ca.crt");
    ck_assert(made_pool_prepare(&made));
    struct backend_tls_context *context = backend_tls_context_new(&made.pool, &err);
    SSL *named = backend_tls_ssl_new(context, "www.example.com", NULL, NULL);
    SSL *addressed = backend_tls_ssl_new(context, "2001:db8::1", NULL, NULL);
    backend_tls_context_free(context);
    ck_assert_str_eq(SSL_get_servername(named, TLSEXT_NAMETYPE_host_name), "www.example.com");
    ck_assert_ptr_null(SSL_get_servername(addressed, TLSEXT_NAMETYPE_host_name));
    ck_assert_int_eq(SSL_get_verify_mode(named), SSL_VERIFY_PEER);
    ck_assert_int_eq(SSL_get_verify_mode(addressed), SSL_VERIFY_PEER);
    SSL_free(named);
    SSL_free(addressed);
}
END_TEST

START_TEST(an_empty_name_would_be_verified_against_nothing_and_makes_no_connection)
{
    struct error err = {""};
    key("protocol", "https");
    file_key("backend_ca", "ca.crt");
    ck_assert(made_pool_prepare(&made));
    struct backend_tls_context *context = backend_tls_context_new(&made.pool, &err);
    ck_assert_ptr_null(backend_tls_ssl_new(context, "", NULL, NULL));
    backend_tls_context_free(context);
}
END_TEST

#define COUNT(list) ((int)(sizeof(list) / sizeof *(list)))

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, without_https_there_is_no_tls_and_its_keys_have_no_effect);
    tcase_add_test(tcase, everything_that_is_right_is_taken_without_a_word);
    tcase_add_test(tcase, files_that_cannot_be_read_are_told_at_their_lines);
    tcase_add_test(tcase, a_certificate_needs_its_key);
    tcase_add_test(tcase, a_key_needs_its_certificate);
    tcase_add_test(tcase, a_key_of_somebody_else_is_refused);
    tcase_add_test(tcase, a_certificate_that_openssl_would_not_show_is_refused_at_once);
    tcase_add_test(tcase, what_runs_but_will_not_help_is_warned_of);
    tcase_add_loop_test(tcase, a_backend_name_that_is_no_name_is_refused, 0, COUNT(bad_names));
    tcase_add_test(tcase, a_system_without_cas_is_warned_of);
    tcase_add_test(tcase, the_system_s_cas_need_not_be_named);
    tcase_add_test(tcase, the_identity_changes_with_all_that_decides_whom_a_link_trusts);
    tcase_add_test(tcase, the_identity_is_that_of_the_content_not_of_the_file);
    tcase_add_loop_test(tcase, the_host_asked_for_is_the_name, 0, COUNT(names));
    tcase_add_test(tcase, backend_name_is_the_name_whatever_was_asked_for);
    tcase_add_test(tcase, a_name_is_asked_for_an_address_is_not);
    tcase_add_test(tcase, an_empty_name_would_be_verified_against_nothing_and_makes_no_connection);
}

CHECK_MAIN("backend_tls", add_tests)
