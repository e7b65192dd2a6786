/* SPDX-License-Identifier: Apache-2.0 */
/* Every example of docs/API.md, line by line at a shell prompt, against a running lb. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/cast.h"
#include "tests/support/check_main.h"
#include "tests/support/process.h"
#include "tests/support/scene.h"

enum { FUNCTION, CAS, ISSUE, REGISTER, FIND, AUDIT, EXPLAIN, BLOCKS };

/* clang-format off */
static const char ini[] =
    "[listener web]\naddress = 127.0.0.1:@web\ncertificate = server.crt\ncertificate_key = server.key\n\n"
    "[rule www]\nlistener = web\ndomain = www.example.com\nrespond = 200\nmutual_auth = require\nclient_ca = builtin\n\n"
    "[rule all]\nlistener = web\ndomain = *.example.com\nrespond = 200\n";

static const char files[] =
    "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout CA.key -out CA.crt -days 30 -subj '/O=IoV/CN=IoV CA' 2> openssl.log && "
    "openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout client.key -out client.csr -subj /CN=SN0001 2>> openssl.log && "
    "openssl x509 -req -in client.csr -CA CA.crt -CAkey CA.key -CAcreateserial -out client.crt -days 20 -sha256 2>> openssl.log";

static const char find_alice[] =
    "lb 'http://lb/v1/certificates?cn=alice' | jq -r '.certificates[0].serial'";
/* clang-format on */

static struct scene scene;
static char *manual;
static char *blocks[BLOCKS]; /* what stands between ``` and ```, within the manual */
static char serial[64] = "0A1B2C";

static bool is_possible(void)
{
    bool is_there =
        system("for i in curl jq openssl; do command -v $i || exit 1; done > /dev/null") == 0;
    if (!is_there)
        fprintf(stderr, "curl, jq or openssl is missing\n");
    return is_there;
}

static void read_manual(void)
{
    char path[4096];
    const char *source = getenv("LB_SOURCE");
    snprintf(path, sizeof path, "%s/docs/API.md", source ? source : ".");
    FILE *file = fopen(path, "r");
    ck_assert_msg(file, "%s cannot be read", path);
    manual = calloc(1, 64 * 1024);
    ck_assert_uint_gt(fread(manual, 1, 64 * 1024 - 1, file), 1000);
    fclose(file);
    char *at = manual;
    for (int i = 0; i < BLOCKS; i++) {
        at = strstr(at, "\n```\n");
        ck_assert_msg(at, "there are %d examples: %d are expected", i, BLOCKS);
        blocks[i] = at + 5;
        at = strstr(blocks[i], "\n```\n");
        ck_assert_ptr_nonnull(at);
        at[1] = '\0';
        at += 5;
    }
    ck_assert_ptr_null(strstr(at, "\n```\n"));
}

/* What the manual has for everybody, as it is here. */
static void add_line(struct text *script, const char *line, size_t length)
{
    static const char backups[] = "/var/backups";
    for (const char *end = line + length; line < end;) {
        if (strncmp(line, "0A1B2C", 6) == 0) {
            text_add_format(script, "%s", serial);
            line += 6;
        } else if (strncmp(line, backups, sizeof backups - 1) == 0) {
            text_add_format(script, "%s", scene.folder.path);
            line += sizeof backups - 1;
        } else {
            text_add(script, line++, 1);
        }
    }
}

/* One line; what it says is the caller's. */
static void run(const char *line, size_t length, struct text *said)
{
    struct text script = {0};
    text_add_format(&script, "cd '%s'\n%s\n", scene.folder.path, blocks[FUNCTION]);
    add_line(&script, line, length);
    const char *argv[] = {"/bin/sh", "-c", script.bytes, NULL};
    int status = process_run(argv, said);
    text_add(said, "", 0);
    ck_assert_msg(status == 0 && !strstr(said->bytes, "\"error\""),
                  "%.*s\nended with %d and said\n%s", (int)length, line, status, said->bytes);
    text_done(&script);
}

static void run_block(int block)
{
    for (const char *line = blocks[block]; *line; line += *line == '\n') {
        struct text said = {0};
        size_t length = strcspn(line, "\n");
        run(line, length, &said);
        text_done(&said);
        line += length;
    }
}

static void run_first_line(int block)
{
    struct text said = {0};
    run(blocks[block], strcspn(blocks[block], "\n"), &said);
    text_done(&said);
}

/* The status of her request; 0: the handshake failed. */
static unsigned alice_gets(void)
{
    struct peer peer;
    unsigned status = 0;
    if (peer_connect_tls(&peer, scene_port(&scene, "web"),
                         WISH(&scene, .sni = "www.example.com", .who = "alice")) &&
        peer_say(&peer, "GET / HTTP/1.1\r\nHost: www.example.com\r\nConnection: close\r\n\r\n")) {
        peer_receive_all(&peer);
        text_add(&peer.inbox, "", 1);
        sscanf(peer.inbox.bytes, "HTTP/1.1 %u ", &status);
    }
    peer_close(&peer);
    return status;
}

START_TEST(every_example_of_the_manual_works)
{
    struct text said = {0};
    read_manual();
    scene_begin(&scene);
    cast_write(&scene);
    process_shell(scene.folder.path, files);
    scene_start(&scene, ini);
    run_block(CAS);
    run_first_line(CAS); /* the CA was deleted at the end */
    run_block(ISSUE);
    ck_assert_uint_eq(alice_gets(), 200);
    run(find_alice, strlen(find_alice), &said);
    snprintf(serial, sizeof serial, "%.*s", (int)strcspn(said.bytes, "\n"), said.bytes);
    text_done(&said);
    run_block(REGISTER);
    run_block(FIND);
    ck_assert_uint_eq(alice_gets(), 403);
    run_block(AUDIT);
    run_block(EXPLAIN);
    ck_assert(scene_log_has(&scene, "registry.certificate-revoked", "CN=alice", NULL));
    char *log = scene_log(&scene);
    ck_assert_ptr_null(strstr(log, "PRIVATE KEY"));
    free(log);
    scene_end(&scene);
    free(manual);
}
END_TEST

/* clang-format off */
static const struct {
    const char *method, *path, *body;
    unsigned status;
    const char *reason;
} refused[] = {
    {"POST", "/v1/explain", "{\"host\":", 400, "no-json"},
    {"POST", "/v1/explain", "{\"host\":\"x\",\"hosts\":1}", 400, "bad-input"},
    {"GET", "/v1/status?x=1", "", 400, "bad-input"},
    {"GET", "/v1/cas?x=1", "", 400, "bad-input"},
    {"GET", "/v1/cas/nobody", "", 404, "unknown"},
    {"GET", "/v1/state", "", 404, "no-such-path"},
    {"GET", "/v1/backends/app/rs-1", "", 404, "no-such-pool"},
    {"DELETE", "/v1/status", "", 405, "wrong-method"},
    {"POST", "/v1/reload", "{}", 413, "too-large"},
};
/* clang-format on */

/* Is there a row of the manual's table with this reason and this status? It stands behind the first
 * example. */
static bool is_in_table(const char *reason, unsigned status)
{
    char number[16];
    char cells[2][128];
    const char *row =
        strstr(blocks[FUNCTION] + strlen(blocks[FUNCTION]) + 1, "| reason | status |");
    ck_assert_ptr_nonnull(row);
    snprintf(number, sizeof number, "%u", status);
    for (; *row == '|'; row += strcspn(row, "\n") + 1)
        if (sscanf(row, "| %127[^|] | %127[^|] |", cells[0], cells[1]) == 2 &&
            strstr(cells[0], reason) && strstr(cells[1], number))
            return true;
    return false;
}

START_TEST(every_refusal_is_in_the_manuals_table)
{
    read_manual();
    scene_begin(&scene);
    cast_write(&scene);
    scene_start(&scene, ini);
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct text line = {0};
        struct text said = {0};
        char expected[64];
        text_add_format(&line,
                        "cd '%s' && curl -sS --unix-socket var/admin.sock -X %s -d '%s' -w "
                        "'%%{http_code}' 'http://lb%s'",
                        scene.folder.path, refused[i].method, refused[i].body, refused[i].path);
        const char *argv[] = {"/bin/sh", "-c", line.bytes, NULL};
        ck_assert_int_eq(process_run(argv, &said), 0);
        text_add(&said, "", 0);
        snprintf(expected, sizeof expected, "\"reason\":\"%s\"", refused[i].reason);
        ck_assert_msg(strstr(said.bytes, expected), "%s: %s", refused[i].path, said.bytes);
        snprintf(expected, sizeof expected, "\n%u", refused[i].status);
        ck_assert_msg(strstr(said.bytes, expected), "%s: %s", refused[i].path, said.bytes);
        ck_assert_msg(is_in_table(refused[i].reason, refused[i].status), "%s %u is not there",
                      refused[i].reason, refused[i].status);
        text_done(&line);
        text_done(&said);
    }
    scene_end(&scene);
    free(manual);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, every_example_of_the_manual_works);
    tcase_add_test(tcase, every_refusal_is_in_the_manuals_table);
}

CHECK_MAIN_WHERE("the api", add_tests, is_possible)
