/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every certificate of tests/support/strange.c comes to the door, where refusals are alerts and
 * where they are pages: who RFC 5280 accepts is served, and his backend is told no more than it can
 * read; who it does not is refused under a name that the log has, too, in a line that is bounded.
 */
#include <stdlib.h>
#include <string.h>

#include "lb/base/limits.h"
#include "lb/base/utf8.h"
#include "tests/support/cast.h"
#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/process.h"
#include "tests/support/strange.h"
#include "tests/support/stub_backend.h"

/* clang-format off */
static const char ini[] =
    "[lb]\nworkers = 1\naccess_log = access.log\n\n"
    "[registry]\nauto_activate = yes\nsignups_per_second = 1000\n\n"
    "[listener alerts]\naddress = 127.0.0.1:@alerts\ncertificate = server.crt\ncertificate_key = server.key\n"
    "mutual_auth = require\nclient_ca = strange-ca.crt\nrefuse_with = alert\n\n"
    "[listener gentle]\naddress = 127.0.0.1:@gentle\ncertificate = server.crt\ncertificate_key = server.key\n"
    "mutual_auth = require\nclient_ca = strange-ca.crt\nrefuse_with = 403\n\n"
    "[listener signs]\naddress = 127.0.0.1:@signs\ncertificate = server.crt\ncertificate_key = server.key\n"
    "mutual_auth = require\nclient_ca = strange-ca.crt\nrefuse_with = 403\nclient_registration = auto\n\n"
    "[rule app]\nlistener = alerts\nlistener = gentle\nlistener = signs\npool = app\n"
    "client_headers = rfc9440 cloudflare x-cert nginx aws xfcc\n\n"
    "[pool app]\nbackend = rs-1 127.0.0.1:@rs-1\nhealth_check = off\n";
/* clang-format on */

struct town {
    struct scene scene;
    struct stub_backend backend;
    struct made *ca;
    int version;
};

static void town_begin(struct town *town, int index)
{
    *town = (struct town){.version = index == 0 ? TLS1_2_VERSION : TLS1_3_VERSION};
    scene_begin(&town->scene);
    cast_write(&town->scene);
    town->ca = made_ca("Strange CA");
    made_write(town->ca, town->scene.folder.path, "strange-ca");
    stub_start(&town->backend, "rs-1", NULL);
    scene_set_port(&town->scene, "rs-1", town->backend.port);
    scene_start(&town->scene, ini);
}

/* A line holds what it needs, and nothing that a terminal or another line could be made of. */
static void check_log(char *log)
{
    for (char *line = strtok(log, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        size_t length = strlen(line);
        ck_assert_msg(length < LOG_LINE_BYTES, "%zu bytes: %s", length, line);
        for (size_t i = 0; i < length; i++)
            ck_assert_msg(line[i] >= ' ' && line[i] < 0x7f, "byte %zu of: %s", i, line);
        bool is_refusal = strstr(line, ".refused ") != NULL && strstr(line, "subject=") != NULL;
        ck_assert_msg(!is_refusal || strstr(line, "sha256=") != NULL, "%s", line);
    }
    free(log);
}

static void town_end(struct town *town)
{
    check_log(scene_log(&town->scene));
    scene_end(&town->scene);
    stub_stop(&town->backend);
    made_free(town->ca);
}

static unsigned lines_with(struct town *town, const char *reason)
{
    char within[64];
    char last[64];
    snprintf(within, sizeof within, " reason=%s ", reason);
    snprintf(last, sizeof last, " reason=%s\n", reason);
    char *log = scene_log(&town->scene);
    unsigned count = text_count(log, within) + text_count(log, last);
    free(log);
    return count;
}

/* What the backend got: fields of printable ASCII, each once, and SUCCESS. */
static void check_told(const struct strange *strange, const char *head)
{
    char verified[16] = "";
    ck_assert(text_field(head, "X-SSL-Client-Verify", verified, sizeof verified));
    ck_assert_str_eq(verified, "SUCCESS");
    ck_assert_uint_eq(text_field_count(head, "X-SSL-Client-Verify"), 1);
    ck_assert_uint_eq(text_field_count(head, "X-CERT-VERIFY"), 1);
    for (const char *at = head; *at != '\0'; at++)
        ck_assert_msg((*at >= ' ' && *at < 0x7f) || *at == '\r' || *at == '\n', "%s: %s",
                      strange->name, head);
    const char *const once[] = {"X-SSL-Client-Serial", "X-CERT-SERIAL", "Client-Cert",
                                "X-Forwarded-Client-Cert"};
    for (unsigned i = 0; i < sizeof once / sizeof once[0]; i++) {
        char large[64];
        snprintf(large, sizeof large, "%s-Too-Large", once[i]);
        unsigned fields = text_field_count(head, once[i]) + text_field_count(head, large);
        ck_assert_msg(fields == 1, "%s: %u of %s in %s", strange->name, fields, once[i], head);
    }
}

/* The status; 0: no answer. A page must say `reason`. */
static unsigned come(struct town *town, const char *listener, const struct strange *strange,
                     const struct made *made, const char *reason)
{
    struct peer peer;
    struct answer answer = {0};
    unsigned status = 0;
    const struct tls_wish *wish = WISH(&town->scene, .version = town->version, .shows = made);
    if (peer_connect_tls(&peer, scene_port(&town->scene, listener), wish) &&
        peer_say(&peer, "GET /echo HTTP/1.1\r\nHost: www.example.com\r\n\r\n") &&
        peer_read_answer(&peer, "GET", &answer)) {
        status = answer.status;
        if (status == 200)
            check_told(strange, answer.body.bytes);
        else
            ck_assert_msg(strstr(answer.body.bytes, reason) != NULL, "%s: %s", strange->name,
                          answer.body.bytes);
    }
    answer_done(&answer);
    peer_close(&peer);
    return status;
}

static void expect_line(struct town *town, const struct strange *strange, const char *reason,
                        unsigned lines)
{
    long long end_ms = eventually_now_ms() + EVENTUALLY_MS;
    while (lines_with(town, reason) != lines) {
        ck_assert_msg(eventually_now_ms() < end_ms, "%s: no line says %s in: %s", strange->name,
                      reason, scene_log(&town->scene));
        eventually_pause();
    }
}

static void check(struct town *town, const struct strange *strange, const struct made *made,
                  bool is_gentle)
{
    enum refusal refusal =
        is_gentle && strange->ends_with != REFUSAL_NONE ? strange->ends_with : strange->refusal;
    unsigned wanted = refusal == REFUSAL_NONE                           ? 200
                      : is_gentle && strange->ends_with == REFUSAL_NONE ? 403
                                                                        : 0;
    unsigned before = lines_with(town, refusal_name(refusal));
    unsigned status =
        come(town, is_gentle ? "gentle" : "alerts", strange, made, refusal_name(refusal));
    ck_assert_msg(status == wanted, "%s: %u instead of %u", strange->name, status, wanted);
    if (refusal != REFUSAL_NONE)
        expect_line(town, strange, refusal_name(refusal), before + 1);
}

static void check_all(struct town *town, const struct strange *ones, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct made *made = strange_client(&ones[i], town->ca);
        check(town, &ones[i], made, false);
        check(town, &ones[i], made, true);
        made_free(made);
    }
}

START_TEST(each_is_served_or_refused_under_its_name)
{
    struct town town;
    town_begin(&town, _i);
    check_all(&town, strange_ones, strange_count);
    town_end(&town);
}
END_TEST

START_TEST(what_is_no_certificate_ends_the_handshake_under_its_name)
{
    struct town town;
    town_begin(&town, _i);
    check_all(&town, undecodable_ones, undecodable_count);
    ck_assert_uint_eq(atomic_load(&town.backend.requests), 0);
    town_end(&town);
}
END_TEST

/* `lb WORDS`, which must succeed; what it says must not control a terminal. */
static void command(struct town *town, struct text *said, const char *const *words)
{
    const char *argv[12] = {process_lb()};
    unsigned count = 1;
    for (; words[count - 1] != NULL; count++)
        argv[count] = words[count - 1];
    argv[count++] = "-c";
    argv[count] = folder_file(&town->scene.folder, "lb.ini");
    int status = process_run(argv, said);
    ck_assert_msg(status == 0, "%s %s: %s", words[0], words[1], said->bytes);
    for (size_t at = 0; at < said->length;) {
        size_t step = utf8_length(said->bytes + at, said->length - at);
        ck_assert_msg(step > 0 &&
                          (said->bytes[at] == '\n' || !utf8_is_hidden(said->bytes + at, step)),
                      "byte %zu of: %s", at, said->bytes);
        at += step;
    }
}

static void trust_for_registration(struct town *town)
{
    char file[256];
    struct text said = {0};
    snprintf(file, sizeof file, "%s", folder_file(&town->scene.folder, "strange-ca.crt"));
    command(town, &said, (const char *const[]){"ca", "upload", file, "--name", "strange", NULL});
    text_done(&said);
}

static void check_listed(struct town *town, unsigned count)
{
    struct text said = {0};
    command(town, &said, (const char *const[]){"cert", "list", "--limit", "1000", "--json", NULL});
    ck_assert_uint_eq(text_count(said.bytes, "\"sha256\""), count);
    text_drop(&said, said.length);
    command(town, &said, (const char *const[]){"cert", "list", "--limit", "1000", NULL});
    text_done(&said);
}

/* Registered by itself, or told that it is not: the registry takes no serial of more bytes than its
 * rows have and no name with a NUL. The second time it is answered as the first. */
static unsigned sign_up(struct town *town, const struct strange *strange)
{
    struct made *made = strange_client(strange, town->ca);
    unsigned first = come(town, "signs", strange, made, "not-registered");
    unsigned second = come(town, "signs", strange, made, "not-registered");
    ck_assert_msg((first == 200 || first == 403) && first == second, "%s: %u, then %u",
                  strange->name, first, second);
    made_free(made);
    return first;
}

START_TEST(whoever_is_accepted_is_registered_or_told_that_it_is_not)
{
    struct town town;
    unsigned registered = 0;
    unsigned refused = 0;
    town_begin(&town, _i);
    trust_for_registration(&town);
    for (unsigned i = 0; i < strange_count; i++) {
        if (strange_ones[i].refusal != REFUSAL_NONE || strange_ones[i].ends_with != REFUSAL_NONE)
            continue;
        if (sign_up(&town, &strange_ones[i]) == 200)
            registered++;
        else
            refused++;
    }
    ck_assert_uint_gt(registered, 3 * refused);
    check_listed(&town, registered);
    town_end(&town);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, each_is_served_or_refused_under_its_name, 0, 2);
    tcase_add_loop_test(tcase, what_is_no_certificate_ends_the_handshake_under_its_name, 0, 2);
    tcase_add_loop_test(tcase, whoever_is_accepted_is_registered_or_told_that_it_is_not, 0, 2);
}

CHECK_MAIN("strange certificates are named and harm nobody", add_tests)
