/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTPS mutual authentication as an operator sets it up, from `openssl genrsa` to `curl --cert`:
 * certificates exactly as those commands make them (X.509 v1, no SAN), both methods (one
 * certificate for the listener, one for each rule), rs-1 and rs-2 behind.
 */
#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/cast.h"
#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/process.h"
#include "tests/support/stub_backend.h"

/* clang-format off */
/* Steps 1 to 3. $1: the folder, $2: the domain. -subj and -passout answer what the commands would ask. */
static const char steps[] =
    "make() { mkdir \"$1\"; cd \"$1\";\n"
    "openssl genrsa -out ca.key 2048\n"
    "openssl req -new -key ca.key -out ca.csr -subj \"/O=Story/CN=CA of $2\"\n"
    "openssl x509 -req -in ca.csr -out ca.crt -signkey ca.key -days 3650\n"
    "openssl genrsa -out server.key 2048\n"
    "openssl req -new -key server.key -out server.csr -subj \"/O=Story/CN=$2\"\n"
    "openssl x509 -req -in server.csr -out server.crt -CA ca.crt -CAkey ca.key -CAcreateserial -days 3650\n"
    "openssl genrsa -out client.key 2048\n"
    "openssl req -new -key client.key -out client.csr -subj \"/O=Story/CN=client of $2\"\n"
    "openssl x509 -req -in client.csr -out client.crt -CA ca.crt -CAkey ca.key -CAcreateserial -days 3650\n"
    "openssl pkcs12 -export -clcerts -in client.crt -inkey client.key -out client.p12 -passout pass:import\n"
    /* As lb advises where openssl has made no CA of it (from 3.2 on): what it has signed stays good. */
    "openssl x509 -in ca.crt -noout -text | grep -q 'Version: 1 ' ||\n"
    "openssl req -x509 -in ca.csr -key ca.key -days 3650 -out ca.crt\n"
    "cd ..; }\n"
    "make www www.example.com\nmake api api.example.com\n";

static const char ini[] =
    /* Method 1: SNI off. */
    "[listener plain]\naddress = 127.0.0.1:@plain\nprotocol = https\nsni = off\n"
    "certificate = www/server.crt\ncertificate_key = www/server.key\n"
    "mutual_auth = require\nclient_ca = www/ca.crt\n\n"
    "[rule plain-www]\nlistener = plain\ndomain = www.example.com\nurl = /\npool = app\n\n"
    /* Method 2: SNI on. */
    "[listener named]\naddress = 127.0.0.1:@named\nprotocol = https\nsni = on\nmutual_auth = require\n\n"
    "[rule named-www]\nlistener = named\ndomain = www.example.com\nurl = /\npool = app\n"
    "certificate = www/server.crt\ncertificate_key = www/server.key\nclient_ca = www/ca.crt\n\n"
    "[rule named-api]\nlistener = named\ndomain = api.example.com\nurl = /\npool = app\n"
    "certificate = api/server.crt\ncertificate_key = api/server.key\nclient_ca = api/ca.crt\n\n"
    /* What both are compared with: only the client looks at a certificate. */
    "[listener one-way]\naddress = 127.0.0.1:@one-way\n"
    "certificate = www/server.crt\ncertificate_key = www/server.key\n\n"
    "[rule one-way]\nlistener = one-way\npool = app\n\n"
    "[pool app]\nprotocol = http\nbalance = round-robin\n"
    "backend = rs-1 127.0.0.1:@rs-1 weight=10\nbackend = rs-2 127.0.0.1:@rs-2 weight=10\n";
/* clang-format on */

struct steps {
    struct scene scene;
    struct stub_backend backends[2];
};

/* RSA keys take their time: made once for all tests, which copy them. */
static struct folder made;

static void make_certificates(void)
{
    folder_make(&made);
    process_shell(made.path, steps);
}

static void remove_certificates(void)
{
    folder_remove(&made);
}

static void steps_begin(struct steps *story)
{
    struct text script = {0};
    scene_begin(&story->scene);
    text_add_format(&script, "cp -R '%s'/www '%s'/api .", made.path, made.path);
    process_shell(story->scene.folder.path, script.bytes);
    text_done(&script);
    stub_start(&story->backends[0], "rs-1", NULL);
    stub_start(&story->backends[1], "rs-2", NULL);
    scene_set_port(&story->scene, "rs-1", story->backends[0].port);
    scene_set_port(&story->scene, "rs-2", story->backends[1].port);
    scene_start(&story->scene, ini);
}

static void steps_end(struct steps *story)
{
    scene_end(&story->scene);
    stub_stop(&story->backends[0]);
    stub_stop(&story->backends[1]);
}

/* --- step 8 with libcurl ------------------------------------------------------------------- */

struct call {
    const char *listener;
    const char *host;   /* as in the URL */
    const char *folder; /* --cacert, and --cert and --key unless … */
    const char *p12;    /* … the certificate is in a PKCS #12 file of it, or … */
    bool anonymous;     /* … there is none */
    bool any_name;      /* the URL has an address, the certificate a name */
};

struct reply {
    CURLcode code;
    long status;
    struct text body;
};

static size_t on_body(char *bytes, size_t size, size_t count, void *to)
{
    text_add(to, bytes, size * count);
    return size * count;
}

static void set_file(CURL *curl, CURLoption option, struct steps *story, const struct call *call,
                     const char *file)
{
    char name[64];
    snprintf(name, sizeof name, "%s/%s", call->folder, file);
    ck_assert_int_eq(curl_easy_setopt(curl, option, folder_file(&story->scene.folder, name)),
                     CURLE_OK);
}

static void set_certificate(CURL *curl, struct steps *story, const struct call *call)
{
    if (call->p12 != NULL) {
        set_file(curl, CURLOPT_SSLCERT, story, call, call->p12);
        curl_easy_setopt(curl, CURLOPT_SSLCERTTYPE, "P12");
        curl_easy_setopt(curl, CURLOPT_KEYPASSWD, "import");
    } else if (!call->anonymous) {
        set_file(curl, CURLOPT_SSLCERT, story, call, "client.crt");
        set_file(curl, CURLOPT_SSLKEY, story, call, "client.key");
    }
    set_file(curl, CURLOPT_CAINFO, story, call, "ca.crt");
}

static CURL *call_begin(struct steps *story, const struct call *call)
{
    char url[128];
    CURL *curl = curl_easy_init();
    ck_assert_ptr_nonnull(curl);
    snprintf(url, sizeof url, "https://%s:%u/", call->host,
             scene_port(&story->scene, call->listener));
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, 20L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    if (call->any_name)
        curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
    set_certificate(curl, story, call);
    return curl;
}

/* The name resolves to this machine. */
static struct curl_slist *local_names(struct steps *story, const struct call *call)
{
    char name[128];
    snprintf(name, sizeof name, "%s:%u:127.0.0.1", call->host,
             scene_port(&story->scene, call->listener));
    return curl_slist_append(NULL, name);
}

static void perform(CURL *curl, struct reply *reply)
{
    *reply = (struct reply){0};
    text_add(&reply->body, "", 0);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &reply->body);
    reply->code = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &reply->status);
}

/* One run of `curl`; fails the test unless it is as it should be. */
static void expect_call(struct steps *story, const struct call *call, CURLcode code)
{
    struct reply reply;
    CURL *curl = call_begin(story, call);
    struct curl_slist *names = local_names(story, call);
    curl_easy_setopt(curl, CURLOPT_RESOLVE, names);
    perform(curl, &reply);
    ck_assert_msg(reply.code == code, "%s at %s: %s", call->host, call->listener,
                  curl_easy_strerror(reply.code));
    ck_assert_int_eq(reply.status, code == CURLE_OK ? 200 : 0);
    text_done(&reply.body);
    curl_slist_free_all(names);
    curl_easy_cleanup(curl);
}

START_TEST(curl_with_its_certificate_is_served_by_both_methods)
{
    static const struct call calls[] = {
        {.listener = "plain", .host = "www.example.com", .folder = "www"},
        {.listener = "named", .host = "www.example.com", .folder = "www"},
        {.listener = "named", .host = "api.example.com", .folder = "api"},
    };
    struct steps story;
    steps_begin(&story);
    for (unsigned i = 0; i < 3; i++)
        for (unsigned times = 0; times < 4; times++)
            expect_call(&story, &calls[i], CURLE_OK);
    ck_assert_uint_eq(atomic_load(&story.backends[0].requests), 6);
    ck_assert_uint_eq(atomic_load(&story.backends[1].requests), 6);
    steps_end(&story);
}
END_TEST

START_TEST(curl_refreshing_one_connection_sees_rs_1_and_rs_2_in_turn)
{
    const struct call call = {
        .listener = _i == 0 ? "plain" : "named", .host = "www.example.com", .folder = "www"};
    struct steps story;
    struct reply replies[8];
    steps_begin(&story);
    CURL *curl = call_begin(&story, &call);
    struct curl_slist *names = local_names(&story, &call);
    curl_easy_setopt(curl, CURLOPT_RESOLVE, names);
    for (unsigned i = 0; i < 8; i++) {
        long fresh = -1;
        perform(curl, &replies[i]);
        ck_assert_int_eq(replies[i].status, 200);
        curl_easy_getinfo(curl, CURLINFO_NUM_CONNECTS, &fresh);
        ck_assert_int_eq(fresh, i == 0 ? 1 : 0);
        ck_assert_msg(i < 2 || strcmp(replies[i].body.bytes, replies[i - 2].body.bytes) == 0,
                      "%u: %s", i, replies[i].body.bytes);
    }
    ck_assert_str_ne(replies[0].body.bytes, replies[1].body.bytes);
    for (unsigned i = 0; i < 8; i++)
        text_done(&replies[i].body);
    curl_slist_free_all(names);
    curl_easy_cleanup(curl);
    steps_end(&story);
}
END_TEST

START_TEST(the_p12_file_that_browsers_import_opens_the_door)
{
    struct steps story;
    steps_begin(&story);
    expect_call(
        &story,
        &(struct call){
            .listener = "plain", .host = "www.example.com", .folder = "www", .p12 = "client.p12"},
        CURLE_OK);
    steps_end(&story);
}
END_TEST

START_TEST(without_a_name_the_address_and_port_lead_to_the_default_rule)
{
    struct steps story;
    steps_begin(&story);
    for (unsigned i = 0; i < 2; i++)
        expect_call(&story,
                    &(struct call){.listener = i == 0 ? "plain" : "named",
                                   .host = "127.0.0.1",
                                   .folder = "www",
                                   .any_name = true},
                    CURLE_OK);
    steps_end(&story);
}
END_TEST

START_TEST(one_way_authentication_serves_whoever_trusts_the_server)
{
    struct steps story;
    steps_begin(&story);
    struct call call = {
        .listener = "one-way", .host = "www.example.com", .folder = "www", .anonymous = true};
    expect_call(&story, &call, CURLE_OK);
    call.anonymous = false; /* a certificate that nobody asks for does no harm */
    expect_call(&story, &call, CURLE_OK);
    call.folder = "api"; /* does not trust this server */
    expect_call(&story, &call, CURLE_PEER_FAILED_VERIFICATION);
    steps_end(&story);
}
END_TEST

/* --- the same, byte by byte ---------------------------------------------------------------- */

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

static void expect_turns(struct peer *peer, const char *host)
{
    char first[16];
    char second[16];
    char body[16];
    ck_assert_uint_eq(peer_get(peer, host, "/", first, sizeof first), 200);
    ck_assert_uint_eq(peer_get(peer, host, "/", second, sizeof second), 200);
    ck_assert_str_ne(first, second);
    for (unsigned i = 0; i < 10; i++) {
        ck_assert_uint_eq(peer_get(peer, host, "/", body, sizeof body), 200);
        ck_assert_str_eq(body, i % 2 == 0 ? first : second);
    }
}

START_TEST(every_version_alternates_on_one_keep_alive_connection)
{
    static const struct {
        const char *listener;
        const char *sni;
    } doors[] = {{"plain", "www.example.com"},
                 {"plain", NULL},
                 {"named", "www.example.com"},
                 {"named", NULL},
                 {"one-way", NULL}};
    struct steps story;
    steps_begin(&story);
    for (unsigned i = 0; i < sizeof doors / sizeof doors[0]; i++) {
        struct peer peer;
        const struct tls_wish *wish =
            WISH(&story.scene, .version = versions[_i], .sni = doors[i].sni, .who = "www/client",
                 .trust = "www/ca");
        ck_assert(peer_connect_tls(&peer, scene_port(&story.scene, doors[i].listener), wish));
        expect_turns(&peer, "www.example.com");
        peer_close(&peer);
    }
    steps_end(&story);
}
END_TEST

/* true: shaken hands and answered. */
static bool is_served(struct steps *story, const char *listener, const struct tls_wish *wish)
{
    struct peer peer;
    bool served = peer_connect_tls(&peer, scene_port(&story->scene, listener), wish) &&
                  peer_get(&peer, wish->sni, "/", NULL, 0) == 200;
    peer_close(&peer);
    return served;
}

START_TEST(only_the_certificates_of_its_own_ca_open_a_door)
{
    static const char *const guests[] = {NULL, "www/client", "api/client"};
    struct steps story;
    steps_begin(&story);
    for (unsigned i = 0; i < 3; i++) {
        struct tls_wish wish = *WISH(&story.scene, .version = versions[_i], .who = guests[i],
                                     .sni = "www.example.com");
        ck_assert_int_eq(is_served(&story, "plain", &wish), i == 1);
        ck_assert_int_eq(is_served(&story, "named", &wish), i == 1);
        wish.sni = "api.example.com";
        ck_assert_int_eq(is_served(&story, "named", &wish), i == 2);
    }
    eventually(scene_log_has(&story.scene, "client.refused", "reason=missing", NULL));
    eventually(scene_log_has(&story.scene, "client.refused", "reason=untrusted", "CA of", NULL));
    steps_end(&story);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_unchecked_fixture(tcase, make_certificates, remove_certificates);
    tcase_add_test(tcase, curl_with_its_certificate_is_served_by_both_methods);
    tcase_add_loop_test(tcase, curl_refreshing_one_connection_sees_rs_1_and_rs_2_in_turn, 0, 2);
    tcase_add_test(tcase, the_p12_file_that_browsers_import_opens_the_door);
    tcase_add_test(tcase, without_a_name_the_address_and_port_lead_to_the_default_rule);
    tcase_add_test(tcase, one_way_authentication_serves_whoever_trusts_the_server);
    tcase_add_loop_test(tcase, every_version_alternates_on_one_keep_alive_connection, 0, 2);
    tcase_add_loop_test(tcase, only_the_certificates_of_its_own_ca_open_a_door, 0, 2);
}

CHECK_MAIN("mutual authentication works step by step", add_tests)
