/* SPDX-License-Identifier: Apache-2.0 */
/* The OCSP responder that comes with OpenSSL, with its text file of what was issued and revoked: lb
 * asks it as it asks any other, and with a delegated signer. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lb/base/certificate.h"
#include "tests/support/cast.h"
#include "tests/support/certificates.h"
#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/port.h"
#include "tests/support/process.h"
#include "tests/support/stub_backend.h"

/* clang-format off */
static const char ini[] =
    "[lb]\nworkers = 1\naccess_log = access.log\n\n"
    "[listener web]\naddress = 127.0.0.1:@web\ncertificate = server.crt\ncertificate_key = server.key\n"
    "mutual_auth = require\nclient_ca = fleet.crt\nrefuse_with = 403\n"
    "client_ocsp = hard\nclient_ocsp_responder = http://127.0.0.1:@ocsp/\n\n"
    "[rule all]\nlistener = web\npool = app\n\n"
    "[pool app]\nbackend = rs-1 127.0.0.1:@rs-1\nhealth_check = off\n";
/* clang-format on */

static bool has_openssl(void)
{
    if (system("openssl version >/dev/null 2>&1") == 0)
        return true;
    fprintf(stderr, "skipped: there is no openssl command\n");
    return false;
}

struct story {
    struct scene scene;
    struct stub_backend backend;
    struct made *ca;
    struct text index; /* the responder's list: status, end, revoked, serial, file, name */
    unsigned port;
    pid_t responder;
};

static void issue(struct story *story, const char *name, const char *status)
{
    struct made *client = made_client(story->ca, name);
    char *serial = certificate_serial_text(client->certificate);
    made_write(client, story->scene.folder.path, name);
    if (status)
        text_add_format(&story->index, "%s\t491231235959Z\t%s\t%s\tunknown\t/CN=%s\n", status,
                        status[0] == 'R' ? "250101000000Z" : "", serial, name);
    free(serial);
    made_free(client);
}

/* signer: who signs the answers. */
static void start_responder(struct story *story, const char *signer)
{
    const char *folder = story->scene.folder.path;
    char command[2048];
    const char *const argv[] = {"/bin/sh", "-c", command, NULL};
    folder_write(&story->scene.folder, "index.txt", story->index.bytes);
    snprintf(command, sizeof command,
             "cd '%s' && exec openssl ocsp -port %u -index index.txt -CA fleet.crt -rsigner %s.crt "
             "-rkey %s.key -nmin 5",
             folder, story->port, signer, signer);
    story->responder = process_start(argv, folder_file(&story->scene.folder, "responder.log"));
}

static void story_begin(struct story *story, const char *signer)
{
    *story = (struct story){.port = port_reserve()};
    scene_begin(&story->scene);
    cast_write(&story->scene);
    story->ca = made_ca("Fleet CA");
    made_write(story->ca, story->scene.folder.path, "fleet");
    struct made *delegate = made_certificate(&(struct certificate_wish){
        .name = "Fleet OCSP", .issuer = story->ca, .usage = "OCSPSigning"});
    made_write(delegate, story->scene.folder.path, "delegate");
    made_free(delegate);
    issue(story, "good", "V");
    issue(story, "revoked", "R");
    issue(story, "unlisted", NULL);
    stub_start(&story->backend, "rs-1", stub_answer_by_name);
    scene_set_port(&story->scene, "rs-1", story->backend.port);
    scene_set_port(&story->scene, "ocsp", story->port);
    start_responder(story, signer);
    scene_start(&story->scene, ini);
}

static void story_end(struct story *story)
{
    kill(story->responder, SIGTERM);
    process_wait(story->responder);
    scene_end(&story->scene);
    stub_stop(&story->backend);
    text_done(&story->index);
    made_free(story->ca);
}

/* Asked by its log: it takes a connection that says nothing for its next client. */
static bool is_listening(const struct story *story)
{
    char *log = folder_read(&story->scene.folder, "responder.log");
    bool is_open = strstr(log, "waiting for OCSP client connections");
    free(log);
    return is_open;
}

static unsigned come(struct story *story, const char *name, const char *reason)
{
    struct peer peer;
    struct answer answer = {0};
    ck_assert(peer_connect_tls(&peer, scene_port(&story->scene, "web"),
                               WISH(&story->scene, .who = name)));
    ck_assert(peer_say(&peer, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
    ck_assert(peer_read_answer(&peer, "GET", &answer));
    unsigned status = answer.status;
    if (reason)
        ck_assert_msg(strstr(answer.body.bytes, reason), "%s", answer.body.bytes);
    answer_done(&answer);
    peer_close(&peer);
    return status;
}

static const char *const signers[] = {"fleet", "delegate"};

START_TEST(it_says_good_revoked_and_unknown)
{
    struct story story;
    story_begin(&story, signers[_i]);
    eventually(is_listening(&story));
    for (int round = 0; round < 2; round++) {
        ck_assert_uint_eq(come(&story, "good", NULL), 200);
        ck_assert_uint_eq(come(&story, "revoked", "ocsp-revoked"), 403);
        ck_assert_uint_eq(come(&story, "unlisted", "ocsp-unavailable"), 403);
    }
    eventually(scene_log_has(&story.scene, "ocsp.failed", "CN=unlisted", "does not know", NULL));
    story_end(&story);
}
END_TEST

START_TEST(a_signer_without_the_right_to_is_not_believed)
{
    struct story story;
    story_begin(&story, "good"); /* a client of the CA signs */
    eventually(is_listening(&story));
    ck_assert_uint_eq(come(&story, "good", "ocsp-unavailable"), 403);
    eventually(scene_log_has(&story.scene, "ocsp.failed", "not signed by the CA", NULL));
    story_end(&story);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, it_says_good_revoked_and_unknown, 0, 2);
    tcase_add_test(tcase, a_signer_without_the_right_to_is_not_believed);
}

CHECK_MAIN_WHERE("the openssl responder is understood", add_tests, has_openssl)
