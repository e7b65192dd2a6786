/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guide for mutual authentication, step by step, with its own openssl commands: a CA, a server
 * and a client certificate, both ways to configure a listener, two backends, and libcurl as the
 * client of step 8. The files are also tried as people paste them: with CRLF, a BOM, blank lines,
 * without the last line break.
 */
#include <curl/curl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/process.h"
#include "tests/support/scene.h"
#include "tests/support/text.h"

#define REMADE "openssl req -x509 -in ca.csr -key ca.key -days 3650 -out ca.crt"

/* clang-format off */
static const char *const steps[] = {
    "openssl genrsa -out ca.key 2048",
    "openssl req -new -key ca.key -out ca.csr -subj '/O=Guide/CN=Guide CA'",
    "openssl x509 -req -in ca.csr -out ca.crt -signkey ca.key -days 3650",
    "openssl genrsa -out server.key 2048",
    "openssl req -new -key server.key -out server.csr -subj '/O=Guide/CN=www.example.com'",
    "openssl x509 -req -in server.csr -out server.crt -CA ca.crt -CAkey ca.key -CAcreateserial -days 3650",
    "openssl genrsa -out client.key 2048",
    "openssl req -new -key client.key -out client.csr -subj '/O=Guide/CN=guide client'",
    "openssl x509 -req -in client.csr -out client.crt -CA ca.crt -CAkey ca.key -CAcreateserial -days 3650",
    "openssl pkcs12 -export -clcerts -in client.crt -inkey client.key -out client.p12 -passout pass:guide",
    /* As lb advises where openssl has made no CA of it (from 3.2 on): what it has signed stays good. */
    ("openssl x509 -in ca.crt -noout -text | grep -q 'Version: 1 ' || " REMADE),
};

/* What people do to PEM files on the way to a form or an editor. */
static const char *const pastes[] = {
    ":",
    "sed -i 's/$/\\r/' ca.crt server.crt server.key",
    "for f in ca.crt server.crt server.key; do printf '\\357\\273\\277' | cat - $f > x && mv x $f; done",
    "for f in ca.crt server.crt server.key; do printf %s \"$(cat $f)\" > x && mv x $f; done",
    "for f in ca.crt server.crt server.key; do (printf '\\n\\n'; cat $f; printf '\\n \\n') > x && mv x $f; done",
};

static const char ini[] =
    "[listener off]\naddress = 127.0.0.1:@off\ncertificate = server.crt\ncertificate_key = server.key\n"
    "mutual_auth = require\nclient_ca = ca.crt\n\n"
    "[listener on]\naddress = 127.0.0.1:@on\nsni = on\n\n"
    "[rule off]\nlistener = off\ndomain = www.example.com\nurl = /\npool = app\n\n"
    "[rule on]\nlistener = on\ndomain = www.example.com\nurl = /\npool = app\n"
    "certificate = server.crt\ncertificate_key = server.key\nmutual_auth = require\nclient_ca = ca.crt\n\n"
    "[pool app]\nbalance = round-robin\nbackend = rs-1 127.0.0.1:@rs-1 weight=10\n"
    "backend = rs-2 127.0.0.1:@rs-2 weight=10\n";
/* clang-format on */

struct guide {
    struct scene scene;
    pid_t backends[2];
};

static bool listens(struct scene *scene, const char *name)
{
    char url[64];
    CURL *curl = curl_easy_init();
    snprintf(url, sizeof url, "http://127.0.0.1:%u/", scene_port(scene, name));
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    CURLcode code = curl_easy_perform(curl);
    curl_easy_cleanup(curl);
    return code == CURLE_OK;
}

static pid_t start_backend(struct scene *scene, const char *name)
{
    char address[32];
    snprintf(address, sizeof address, "127.0.0.1:%u", scene_port(scene, name));
    const char *argv[] = {process_lb(), "demo-backend", name, address, NULL};
    pid_t pid = process_start(argv, folder_file(&scene->folder, "backend.log"));
    eventually(listens(scene, name));
    return pid;
}

static void guide_begin(struct guide *guide, const char *paste)
{
    scene_begin(&guide->scene);
    for (unsigned i = 0; i < sizeof steps / sizeof steps[0]; i++)
        process_shell(guide->scene.folder.path, steps[i]);
    process_shell(guide->scene.folder.path, paste);
    guide->backends[0] = start_backend(&guide->scene, "rs-1");
    guide->backends[1] = start_backend(&guide->scene, "rs-2");
    scene_start(&guide->scene, ini);
}

static void guide_end(struct guide *guide)
{
    scene_end(&guide->scene);
    for (unsigned i = 0; i < 2; i++) {
        ck_assert_int_eq(kill(guide->backends[i], SIGTERM), 0);
        int status = process_wait(guide->backends[i]);
        ck_assert_msg(status == 0 || status == 128 + SIGTERM, "a demo backend ended with %d",
                      status);
    }
}

static size_t on_data(char *bytes, size_t size, size_t count, void *into)
{
    text_add(into, bytes, size * count);
    return size * count;
}

/* curl --cert client.crt --key client.key --cacert ca.crt https://www.example.com:PORT/ */
static CURLcode ask(struct guide *guide, const char *listener, bool with_certificate,
                    struct text *page)
{
    char url[128];
    char resolve[128];
    unsigned port = scene_port(&guide->scene, listener);
    CURL *curl = curl_easy_init();
    snprintf(url, sizeof url, "https://www.example.com:%u/", port);
    snprintf(resolve, sizeof resolve, "www.example.com:%u:127.0.0.1", port);
    struct curl_slist *addresses = curl_slist_append(NULL, resolve);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_RESOLVE, addresses);
    curl_easy_setopt(curl, CURLOPT_CAINFO, folder_file(&guide->scene.folder, "ca.crt"));
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, 20L);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_data);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, page);
    if (with_certificate) {
        curl_easy_setopt(curl, CURLOPT_SSLCERT, folder_file(&guide->scene.folder, "client.crt"));
        curl_easy_setopt(curl, CURLOPT_SSLKEY, folder_file(&guide->scene.folder, "client.key"));
    }
    text_add(page, "", 0);
    CURLcode code = curl_easy_perform(curl);
    curl_easy_cleanup(curl);
    curl_slist_free_all(addresses);
    return code;
}

static void expect_alternation(struct guide *guide, const char *listener)
{
    const char *last = "";
    for (unsigned i = 0; i < 8; i++) {
        struct text page = {0};
        CURLcode code = ask(guide, listener, true, &page);
        ck_assert_msg(code == CURLE_OK, "%s: %s", listener, curl_easy_strerror(code));
        const char *name = strstr(page.bytes, "rs-1") != NULL ? "rs-1" : "rs-2";
        ck_assert_ptr_nonnull(strstr(page.bytes, name));
        ck_assert_str_ne(name, last);
        last = name;
        text_done(&page);
    }
}

static void expect_refusal(struct guide *guide, const char *listener)
{
    struct text page = {0};
    CURLcode code = ask(guide, listener, false, &page);
    ck_assert_msg(code == CURLE_RECV_ERROR || code == CURLE_SSL_CONNECT_ERROR ||
                      code == CURLE_SEND_ERROR,
                  "%d %s", (int)code, page.bytes);
    ck_assert_uint_eq(page.length, 0);
    text_done(&page);
}

START_TEST(its_certificates_work_with_both_methods_and_the_backends_alternate)
{
    struct guide guide;
    guide_begin(&guide, pastes[0]);
    expect_alternation(&guide, "off");
    expect_alternation(&guide, "on");
    guide_end(&guide);
}
END_TEST

START_TEST(a_client_without_its_certificate_is_refused_by_both_methods)
{
    struct guide guide;
    guide_begin(&guide, pastes[0]);
    expect_refusal(&guide, "off");
    expect_refusal(&guide, "on");
    eventually(
        scene_log_has(&guide.scene, "client.refused", "reason=missing", "listener=off", NULL));
    eventually(
        scene_log_has(&guide.scene, "client.refused", "reason=missing", "listener=on", NULL));
    guide_end(&guide);
}
END_TEST

START_TEST(files_work_as_people_paste_them)
{
    struct guide guide;
    guide_begin(&guide, pastes[_i]);
    /* The client's own copy of ca.crt must be one that OpenSSL reads. */
    process_shell(guide.scene.folder.path, REMADE);
    struct text page = {0};
    ck_assert_int_eq(ask(&guide, "off", true, &page), CURLE_OK);
    ck_assert_int_eq(ask(&guide, "on", true, &page), CURLE_OK);
    text_done(&page);
    guide_end(&guide);
}
END_TEST

/* As openssl 3.2 and later make the CA, whatever openssl is here. */
START_TEST(a_ca_that_does_not_say_so_is_no_ca_and_lb_says_how_to_mend_it)
{
    struct guide guide;
    struct text said = {0};
    guide_begin(&guide, pastes[0]);
    process_shell(
        guide.scene.folder.path,
        "printf 'subjectKeyIdentifier=hash\n' > id; openssl x509 -req -in ca.csr -out ca.crt "
        "-signkey ca.key -days 3650 -extfile id 2>/dev/null");
    const char *argv[] = {process_lb(), "check", "-c", folder_file(&guide.scene.folder, "lb.ini"),
                          NULL};
    ck_assert_int_eq(process_run(argv, &said), 1);
    ck_assert_msg(strstr(said.bytes, "CN=Guide CA,O=Guide is no CA certificate; it has no "
                                     "basicConstraints CA:TRUE") &&
                      strstr(said.bytes, REMADE),
                  "%s", said.bytes);
    text_drop(&said, said.length);
    process_shell(guide.scene.folder.path, REMADE);
    ck_assert_msg(process_run(argv, &said) == 0, "%s", said.bytes);
    ck_assert(scene_reload(&guide.scene, ini));
    expect_alternation(&guide, "off");
    text_done(&said);
    guide_end(&guide);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, its_certificates_work_with_both_methods_and_the_backends_alternate);
    tcase_add_test(tcase, a_client_without_its_certificate_is_refused_by_both_methods);
    tcase_add_test(tcase, a_ca_that_does_not_say_so_is_no_ca_and_lb_says_how_to_mend_it);
    tcase_add_loop_test(tcase, files_work_as_people_paste_them, 1,
                        sizeof pastes / sizeof pastes[0]);
}

CHECK_MAIN("the guide works as written", add_tests)
