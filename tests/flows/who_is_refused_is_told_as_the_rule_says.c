/* SPDX-License-Identifier: Apache-2.0 */
/*
 * refuse_with: an answer in the form that the client accepts, a page of the operator's own, another
 * place. Whatever the way, one name says why, in the answer, in both logs, and one id joins them.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/support/cast.h"
#include "tests/support/certificates.h"
#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/json_line.h"
#include "tests/support/stub_backend.h"

/* clang-format off */
#define SERVER "certificate = server.crt\ncertificate_key = server.key\n"
#define RULE(name, url, keys) "[rule " name "]\nlistener = web\nurl = " url "\n" keys "\n"
static const char ini[] =
    "[lb]\nworkers = 2\naccess_log = access.log\n\n"
    "[listener web]\naddress = 127.0.0.1:@web\n" SERVER
    "mutual_auth = require\nclient_ca = ca.crt\nrefuse_with = 403\n\n"
    RULE("plain", "/", "pool = app\n")
    RULE("page", "/page", "pool = app\nrefuse_with = page:pages/refused.html\n")
    RULE("away", "/away", "pool = app\nrefuse_with = redirect:https://$host/denied?why=$reason&from=$uri\n")
    RULE("partner", "/partner", "pool = app\nclient_ca = partner-ca.crt\n")
    RULE("denied", "/denied", "mutual_auth = off\nrespond = 200 Choose a certificate\n")
    RULE("closed", "/closed", "mutual_auth = off\nrespond = 503 Back at nine\n")
    RULE("nobody", "/nobody", "mutual_auth = off\npool = nobody\n")
    "[pool app]\nbackend = rs-1 127.0.0.1:@rs-1\nhealth_check = off\n\n"
    "[pool nobody]\nbackend = rs-0 127.0.0.1:@nobody\nhealth_check = off\n";

static const char page[] =
    "<!doctype html>\n<title>$host</title>\n<h1>$sentence</h1>\n<p>$advice</p>\n"
    "<code>$reason</code><i>$request_id</i><b>$$1</b>\n";
/* clang-format on */

struct house {
    struct scene scene;
    struct stub_backend backend;
};

static void write_page(struct house *house, const char *text)
{
    char *path = made_path(house->scene.folder.path, "pages/refused.html");
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs(text, file), 0);
    fclose(file);
    free(path);
}

static void open_house(struct house *house)
{
    scene_begin(&house->scene);
    cast_write(&house->scene);
    ck_assert_int_eq(mkdir(folder_file(&house->scene.folder, "pages"), 0700), 0);
    write_page(house, page);
    stub_start(&house->backend, "rs-1", NULL);
    scene_set_port(&house->scene, "rs-1", house->backend.port);
    scene_start(&house->scene, ini);
}

static void close_house(struct house *house)
{
    scene_end(&house->scene);
    stub_stop(&house->backend);
}

/* Ask over a connection of its own. who: NULL: without a certificate. fields: whole lines. */
static void ask(struct house *house, const char *who, const char *line, const char *fields,
                struct answer *answer)
{
    struct peer peer;
    struct text request = {0};
    char method[16] = "";
    sscanf(line, "%15s", method);
    text_add_format(&request, "%s HTTP/1.1\r\nHost: www.example.com\r\n%s\r\n", line, fields);
    ck_assert(
        peer_connect_tls(&peer, scene_port(&house->scene, "web"), WISH(&house->scene, .who = who)));
    ck_assert(peer_say(&peer, request.bytes));
    ck_assert(peer_read_answer(&peer, method, answer));
    peer_close(&peer);
    text_done(&request);
}

static void expect_field(const struct answer *answer, const char *name, const char *wanted)
{
    char value[512];
    ck_assert_msg(text_field(answer->head, name, value, sizeof value), "no %s in %s", name,
                  answer->head);
    ck_assert_msg(strcmp(value, wanted) == 0, "%s: %s instead of %s", name, value, wanted);
}

#define HTML "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n"
#define JSON "Accept: application/json, text/plain, */*\r\n"

/* --- the form ------------------------------------------------------------------------------ */

static const struct {
    const char *who, *line;
    unsigned status;
    const char *reason;
} refusals[] = {
    {NULL, "GET /", 403, "missing"},
    {"bob", "POST /x", 403, "untrusted"},
    {"alice", "GET /partner", 403, "untrusted"},
    {"alice", "GET /a%2f..%2fpartner", 400, "ambiguous-path"},
    {NULL, "GET /nobody", 502, "backend-failed"},
};

static void expect_forms(struct house *house, const char *who, const char *line, unsigned status,
                         const char *reason)
{
    struct answer answer;
    ask(house, who, line, "Accept: */*\r\n", &answer);
    ck_assert_uint_eq(answer.status, status);
    expect_field(&answer, "Content-Type", "text/plain; charset=utf-8");
    expect_field(&answer, "X-LB-Reason", reason);
    expect_field(&answer, "Vary", "Accept");
    expect_field(&answer, "Cache-Control", "no-store");
    ck_assert_msg(strstr(answer.body.bytes, reason), "%s", answer.body.bytes);
    answer_done(&answer);
    ask(house, who, line, HTML, &answer);
    ck_assert_uint_eq(answer.status, status);
    expect_field(&answer, "Content-Type", "text/html; charset=utf-8");
    expect_field(&answer, "X-LB-Reason", reason);
    ck_assert_ptr_nonnull(strstr(answer.head, "\r\nContent-Security-Policy: default-src 'none';"));
    ck_assert_ptr_nonnull(strstr(answer.body.bytes, "<h2>What to do</h2>"));
    answer_done(&answer);
    ask(house, who, line, JSON, &answer);
    ck_assert_uint_eq(answer.status, status);
    expect_field(&answer, "Content-Type", "application/json");
    json_t *root = json_loads(answer.body.bytes, 0, NULL);
    ck_assert_msg(root, "%s", answer.body.bytes);
    ck_assert_int_eq(json_integer_value(json_object_get(root, "status")), status);
    ck_assert_str_eq(json_string_value(json_object_get(root, "error")), reason);
    ck_assert_uint_gt(json_string_length(json_object_get(root, "message")), 10);
    ck_assert_uint_gt(json_string_length(json_object_get(root, "advice")), 10);
    json_decref(root);
    answer_done(&answer);
}

START_TEST(an_answer_has_the_form_that_the_client_accepts)
{
    struct house house;
    open_house(&house);
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
        expect_forms(&house, refusals[i].who, refusals[i].line, refusals[i].status,
                     refusals[i].reason);
    close_house(&house);
}
END_TEST

START_TEST(head_has_the_fields_and_no_body)
{
    static const char *const accepts[] = {"", HTML, JSON};
    static const char *const paths[] = {"GET /", "GET /page"};
    struct house house;
    open_house(&house);
    for (size_t i = 0; i < 6; i++) {
        struct answer answer, head;
        char line[32], length[32];
        ask(&house, NULL, paths[i / 3], accepts[i % 3], &answer);
        snprintf(line, sizeof line, "HEAD%s", paths[i / 3] + 3);
        ask(&house, NULL, line, accepts[i % 3], &head);
        ck_assert_uint_eq(head.status, 403);
        ck_assert_uint_eq(head.body.length, 0);
        snprintf(length, sizeof length, "%zu", answer.body.length);
        expect_field(&head, "Content-Length", length);
        expect_field(&head, "X-LB-Reason", "missing");
        answer_done(&answer);
        answer_done(&head);
    }
    close_house(&house);
}
END_TEST

struct search {
    const char *id;
    const char *reason;
    const char *status;
    unsigned found;
};

static void match_line(const struct json_line *line, void *story)
{
    struct search *search = story;
    if (strcmp(json_line_get(line, "request_id"), search->id) != 0)
        return;
    ck_assert_str_eq(json_line_get(line, "reason"), search->reason);
    ck_assert_str_eq(json_line_get(line, "status"), search->status);
    search->found++;
}

/* --- gRPC ---------------------------------------------------------------------------------- */

/* A page and a redirect are nothing for such a client; the logs tell of HTTP. */
static const struct {
    const char *who, *line;
    const char *status, *code, *message; /* of the access log, of gRPC */
    const char *reason;                  /* NULL: none */
    const char *logged;                  /* as the reason, where that is more exact; else NULL */
} calls[] = {
    {NULL, "POST /", "403", "7", "403 missing: ", "missing", NULL},
    {"bob", "POST /page", "403", "7", "403 untrusted: ", "untrusted", NULL},
    {NULL, "POST /away", "403", "7", "403 missing: ", "missing", NULL},
    {"alice", "POST /a%2f..%2fpartner", "400", "13", "400 ambiguous-path: ", "ambiguous-path",
     NULL},
    {NULL, "POST /nobody", "502", "14", "502 backend-failed: ", "backend-failed",
     "refused: Connection refused"},
    {NULL, "POST /closed", "503", "14", "503 Service Unavailable: Back at nine (request ", NULL,
     "respond"},
};

START_TEST(clients_of_grpc_are_told_in_its_words)
{
    struct house house;
    struct answer answer;
    char message[512], id[33];
    open_house(&house);
    ask(&house, calls[_i].who, calls[_i].line, HTML "Content-Type: application/grpc\r\n", &answer);
    ck_assert_uint_eq(answer.status, 200);
    expect_field(&answer, "Content-Type", "application/grpc");
    expect_field(&answer, "Content-Length", "0");
    expect_field(&answer, "grpc-status", calls[_i].code);
    ck_assert(text_field(answer.head, "grpc-message", message, sizeof message));
    ck_assert_msg(strstr(message, calls[_i].message) == message, "%s", message);
    ck_assert_int_eq(sscanf(strstr(message, "(request "), "(request %32[0-9a-f])", id), 1);
    if (calls[_i].reason)
        expect_field(&answer, "X-LB-Reason", calls[_i].reason);
    eventually(scene_access_lines(&house.scene, id) == 1);
    char *log = scene_access_log(&house.scene);
    struct search search = {id, calls[_i].logged ? calls[_i].logged : calls[_i].reason,
                            calls[_i].status, 0};
    json_lines_visit(log, match_line, &search);
    ck_assert_uint_eq(search.found, 1);
    free(log);
    answer_done(&answer);
    close_house(&house);
}
END_TEST

/* --- one name, one id ---------------------------------------------------------------------- */

START_TEST(answer_log_and_access_log_have_one_reason_and_one_id)
{
    struct house house;
    struct answer answer;
    open_house(&house);
    ask(&house, "bob", "GET /", JSON, &answer);
    json_t *root = json_loads(answer.body.bytes, 0, NULL);
    const char *id = json_string_value(json_object_get(root, "request_id"));
    ck_assert_ptr_nonnull(id);
    ck_assert_uint_eq(strlen(id), 32);
    char said[64];
    snprintf(said, sizeof said, "request_id=%s", id);
    eventually(scene_log_has(&house.scene, "request.refused", "rule=plain", "reason=untrusted",
                             "status=403", said, "serial=", "sha256=", "depth=0",
                             "subject=\"CN=bob\"", "issuer=", "host=www.example.com", NULL));
    eventually(scene_access_lines(&house.scene, id) == 1);
    char *log = scene_access_log(&house.scene);
    struct search search = {id, "untrusted", "403", 0};
    json_lines_visit(log, match_line, &search);
    ck_assert_uint_eq(search.found, 1);
    free(log);
    json_decref(root);
    answer_done(&answer);
    close_house(&house);
}
END_TEST

START_TEST(an_id_that_the_client_brought_is_the_one_that_it_gets_back)
{
    struct house house;
    struct answer answer;
    open_house(&house);
    ask(&house, NULL, "GET /", JSON "X-Request-Id: my-own.1\r\n", &answer);
    ck_assert_ptr_nonnull(strstr(answer.body.bytes, "\"request_id\":\"my-own.1\""));
    answer_done(&answer);
    ask(&house, NULL, "GET /", HTML "X-Request-Id: <script>\r\n", &answer);
    ck_assert_ptr_null(strstr(answer.body.bytes, "script"));
    answer_done(&answer);
    eventually(scene_log_has(&house.scene, "request.refused", "request_id=my-own.1", NULL));
    close_house(&house);
}
END_TEST

START_TEST(a_long_name_pushes_nothing_that_matters_off_the_line)
{
    struct house house;
    struct answer answer;
    char organization[65], fields[600];
    open_house(&house);
    memset(organization, 1, sizeof organization - 1); /* four bytes each, where it is shown */
    organization[sizeof organization - 1] = '\0';
    struct made *ca = made_certificate(&(struct certificate_wish){
        .name = "\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1", .organization = organization, .ca = true});
    struct made *guest = made_certificate(&(struct certificate_wish){
        .name = "\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2\2", .organization = organization, .issuer = ca});
    made_write(guest, house.scene.folder.path, "guest");
    snprintf(fields, sizeof fields, "X-Request-Id: %0128d\r\n", 7);
    ask(&house, "guest", "GET /", fields, &answer);
    ck_assert_uint_eq(answer.status, 403);
    eventually(scene_log_has(&house.scene, "request.refused", "reason=untrusted",
                             "sha256=", "serial=", "depth=0", "subject=", NULL));
    answer_done(&answer);
    made_free(guest);
    made_free(ca);
    close_house(&house);
}
END_TEST

/* --- a page of one's own ------------------------------------------------------------------- */

START_TEST(a_page_is_filled_in_and_told_as_403)
{
    struct house house;
    struct answer answer;
    open_house(&house);
    ask(&house, "bob", "GET /page/x", "Accept: */*\r\n", &answer);
    ck_assert_uint_eq(answer.status, 403);
    expect_field(&answer, "Content-Type", "text/html; charset=utf-8");
    expect_field(&answer, "Cache-Control", "no-store");
    expect_field(&answer, "Vary", "Accept");
    expect_field(&answer, "X-LB-Reason", "untrusted");
    ck_assert_ptr_nonnull(strstr(answer.body.bytes, "<title>www.example.com</title>"));
    ck_assert_ptr_nonnull(strstr(
        answer.body.bytes, "<h1>Your certificate does not come from a CA that is trusted here.</h1>"
                           "\n<p>Use a certificate that"));
    ck_assert_ptr_nonnull(strstr(answer.body.bytes, "<code>untrusted</code><i>"));
    ck_assert_ptr_nonnull(strstr(answer.body.bytes, "</i><b>$1</b>\n"));
    answer_done(&answer);
    ask(&house, "bob", "GET /page", JSON, &answer);
    ck_assert_uint_eq(answer.status, 403);
    expect_field(&answer, "Content-Type", "application/json");
    answer_done(&answer);
    ask(&house, "alice", "GET /page", HTML, &answer);
    ck_assert_uint_eq(answer.status, 200);
    answer_done(&answer);
    close_house(&house);
}
END_TEST

START_TEST(no_host_puts_markup_into_a_page)
{
    struct house house;
    struct peer peer;
    struct answer answer;
    open_house(&house);
    ck_assert(
        peer_connect_tls(&peer, scene_port(&house.scene, "web"), WISH(&house.scene, .who = NULL)));
    ck_assert(peer_say(&peer, "GET /page HTTP/1.1\r\nHost: a'b&c.test\r\n\r\n"));
    ck_assert(peer_read_answer(&peer, "GET", &answer));
    if (answer.status == 403)
        ck_assert_ptr_nonnull(strstr(answer.body.bytes, "<title>a&#39;b&amp;c.test</title>"));
    else
        ck_assert_uint_eq(answer.status, 400);
    ck_assert_ptr_null(strstr(answer.body.bytes, "a'b&c.test"));
    answer_done(&answer);
    peer_close(&peer);
    close_house(&house);
}
END_TEST

static bool page_has(struct house *house, const char *words)
{
    struct answer answer;
    ask(house, NULL, "GET /page", "", &answer);
    bool is_there = answer.status == 403 && strstr(answer.body.bytes, words);
    answer_done(&answer);
    return is_there;
}

START_TEST(a_reload_reads_the_page_again_and_a_broken_one_changes_nothing)
{
    struct house house;
    open_house(&house);
    ck_assert(page_has(&house, "<code>missing</code>"));
    write_page(&house, "<p>New: $reason</p>");
    ck_assert(page_has(&house, "<code>missing</code>"));
    ck_assert(scene_reload(&house.scene, ini));
    eventually(page_has(&house, "<p>New: missing</p>"));
    write_page(&house, "<p>\n$resaon\n</p>");
    ck_assert(!scene_reload(&house.scene, ini));
    eventually(
        scene_log_has(&house.scene, "refused.html", "line=2", "did you mean $reason?", NULL));
    ck_assert(page_has(&house, "<p>New: missing</p>"));
    close_house(&house);
}
END_TEST

/* --- another place ------------------------------------------------------------------------- */

START_TEST(who_is_refused_is_sent_where_the_rule_says)
{
    static const struct {
        const char *line;
        unsigned status;
    } asks[] = {{"GET /away?x=y", 302},
                {"HEAD /away?x=y", 302},
                {"POST /away?x=y", 303},
                {"DELETE /away?x=y", 303}};
    struct house house;
    open_house(&house);
    for (size_t i = 0; i < sizeof asks / sizeof *asks; i++) {
        struct answer answer;
        ask(&house, NULL, asks[i].line, HTML, &answer);
        ck_assert_uint_eq(answer.status, asks[i].status);
        expect_field(&answer, "Location",
                     "https://www.example.com/denied?why=missing&from=%2Faway%3Fx%3Dy");
        expect_field(&answer, "Cache-Control", "no-store");
        expect_field(&answer, "X-LB-Reason", "missing");
        answer_done(&answer);
    }
    eventually(scene_log_has(&house.scene, "request.refused", "rule=away", "reason=missing",
                             "status=303", NULL));
    eventually(scene_access_lines(&house.scene, "\"status\":302") == 2);
    eventually(scene_access_lines(&house.scene, "\"status\":303") == 2);
    close_house(&house);
}
END_TEST

START_TEST(without_a_host_there_is_nowhere_to_send_anybody)
{
    struct house house;
    struct peer peer;
    struct answer answer;
    open_house(&house);
    ck_assert(
        peer_connect_tls(&peer, scene_port(&house.scene, "web"), WISH(&house.scene, .who = NULL)));
    ck_assert(peer_say(&peer, "GET /away HTTP/1.0\r\n\r\n"));
    ck_assert(peer_read_answer(&peer, "GET", &answer));
    ck_assert_uint_eq(answer.status, 403);
    expect_field(&answer, "X-LB-Reason", "missing");
    ck_assert_ptr_null(strstr(answer.head, "Location"));
    answer_done(&answer);
    peer_close(&peer);
    eventually(scene_access_lines(&house.scene, "\"status\":403") == 1);
    close_house(&house);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, an_answer_has_the_form_that_the_client_accepts);
    tcase_add_test(tcase, head_has_the_fields_and_no_body);
    tcase_add_test(tcase, answer_log_and_access_log_have_one_reason_and_one_id);
    tcase_add_test(tcase, an_id_that_the_client_brought_is_the_one_that_it_gets_back);
    tcase_add_test(tcase, a_long_name_pushes_nothing_that_matters_off_the_line);
    tcase_add_loop_test(tcase, clients_of_grpc_are_told_in_its_words, 0,
                        sizeof calls / sizeof *calls);
    tcase_add_test(tcase, a_page_is_filled_in_and_told_as_403);
    tcase_add_test(tcase, no_host_puts_markup_into_a_page);
    tcase_add_test(tcase, a_reload_reads_the_page_again_and_a_broken_one_changes_nothing);
    tcase_add_test(tcase, who_is_refused_is_sent_where_the_rule_says);
    tcase_add_http1_test(tcase, without_a_host_there_is_nowhere_to_send_anybody);
}

CHECK_MAIN("who is refused is told as the rule says", add_tests)
