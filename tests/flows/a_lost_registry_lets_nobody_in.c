/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The built-in CA is in two places: its files, and the registry. Where one of them is lost lb says
 * so, and makes or takes over nothing by itself: who was revoked would be let in again, or two
 * machines would have a CA each that the other one does not know.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/cast.h"
#include "tests/support/check_main.h"
#include "tests/support/process.h"

/* clang-format off */
#define REST \
    "[listener web]\naddress = 127.0.0.1:@web\ncertificate = server.crt\n" \
    "certificate_key = server.key\nmutual_auth = require\nclient_ca = builtin\n\n" \
    "[rule www]\nlistener = web\nrespond = 204\n"
static const char alone[] = "[lb]\nworkers = 2\naccess_log = off\n" REST;
/* Two that share a store, with a state_dir each. */
static const char first[] =
    "[lb]\nworkers = 2\naccess_log = off\nstate_dir = one\n[admin]\naddress = off\n"
    "[registry]\nstore = sqlite:shared.db\n" REST;
static const char second[] =
    "[lb]\nworkers = 2\naccess_log = off\nstate_dir = two\n[admin]\naddress = off\n"
    "[registry]\nstore = sqlite:shared.db\n" REST;
/* clang-format on */

struct desk {
    struct scene scene;
    struct text said;
};

static void desk_open(struct desk *desk)
{
    *desk = (struct desk){0};
    scene_begin(&desk->scene);
    cast_write(&desk->scene);
}

static void desk_close(struct desk *desk)
{
    text_done(&desk->said);
    scene_end(&desk->scene);
}

/* What a shell's line in the scene's folder says, and how it ends. $LB is the program. */
static void expect(struct desk *desk, int status, const char *says, const char *line)
{
    struct text script = {0};
    text_add_format(&script, "cd '%s'; LB='%s'; %s", desk->scene.folder.path, process_lb(), line);
    const char *argv[] = {"/bin/sh", "-c", script.bytes, NULL};
    text_done(&desk->said);
    int ended = process_run(argv, &desk->said);
    ck_assert_msg(ended == status && (!*says || strstr(desk->said.bytes, says)),
                  "`%s` ended with %d: %s", line, ended, desk->said.bytes);
    text_done(&script);
}

static void start(struct desk *desk, const char *ini)
{
    unlink(folder_file(&desk->scene.folder, "lb.log"));
    scene_start(&desk->scene, ini);
}

/* The status of an answer; 0: the handshake or the connection ended it. */
static unsigned visit(struct desk *desk, const char *who)
{
    struct peer peer;
    unsigned status = 0;
    if (peer_connect_tls(&peer, scene_port(&desk->scene, "web"),
                         WISH(&desk->scene, .sni = "www.example.com", .who = who)))
        status = peer_get(&peer, "www.example.com", "/", NULL, 0);
    peer_close(&peer);
    return status;
}

static bool is_there(struct desk *desk, const char *file)
{
    return access(folder_file(&desk->scene.folder, file), F_OK) == 0;
}

static const char lost[] = "/ca.crt is the built-in CA of a registry that is not there any more";

START_TEST(who_was_revoked_stays_out_when_the_registry_is_lost)
{
    struct desk desk;
    desk_open(&desk);
    start(&desk, alone);
    expect(&desk, 0, "", "$LB cert issue --cn x --out x.crt --key-out x.key");
    expect(&desk, 0, "", "$LB cert issue --cn y --out y.crt --key-out y.key");
    expect(&desk, 0, "",
           "$LB cert revoke $(openssl x509 -noout -serial -in y.crt | cut -d= -f2) --yes");
    ck_assert_uint_eq(visit(&desk, "x"), 204);
    ck_assert_uint_eq(visit(&desk, "y"), 0);
    expect(&desk, 0, "", "$LB registry backup \"$PWD/copy.db\"");
    scene_stop(&desk.scene);
    expect(&desk, 0, "", "rm var/registry.db*");
    expect(&desk, 1, lost, "$LB run -c lb.ini");
    expect(&desk, 1, lost, "$LB check -c lb.ini");
    expect(&desk, 1, lost, "$LB cert issue -c lb.ini --cn z --out z.crt --key-out z.key");
    ck_assert(!is_there(&desk, "var/registry.db"));
    expect(&desk, 0, "", "cp copy.db var/registry.db");
    start(&desk, alone);
    ck_assert_uint_eq(visit(&desk, "x"), 204);
    ck_assert_uint_eq(visit(&desk, "y"), 0);
    desk_close(&desk);
}
END_TEST

START_TEST(it_begins_anew_where_somebody_says_so)
{
    struct desk desk;
    desk_open(&desk);
    scene_write_ini(&desk.scene, "lb.ini", alone);
    expect(&desk, 0, "the built-in CA is made", "$LB ca create -c lb.ini");
    expect(&desk, 0, "", "rm var/registry.db*");
    expect(&desk, 0, "the built-in CA was there, and is taken over", "$LB ca create -c lb.ini");
    ck_assert_ptr_nonnull(strstr(desk.said.bytes, "those that were revoked included"));
    expect(&desk, 0, "ca.adopt", "$LB audit -c lb.ini");
    expect(&desk, 0, "", "$LB check -c lb.ini");
    start(&desk, alone);
    expect(&desk, 0, "", "$LB cert issue --cn x --out x.crt --key-out x.key");
    ck_assert_uint_eq(visit(&desk, "x"), 204);
    desk_close(&desk);
}
END_TEST

/* Only one of them has the key, until somebody copies it. */
START_TEST(of_two_that_share_a_registry_one_makes_the_ca)
{
    static const char away[] = "is known, but ca.crt and ca.key are not in";
    struct desk desk;
    desk_open(&desk);
    scene_write_ini(&desk.scene, "one.ini", first);
    expect(&desk, 0, "", "$LB cert issue -c one.ini --cn x --out x.crt --key-out x.key");
    start(&desk, second);
    ck_assert(scene_log_has(&desk.scene, away, NULL));
    ck_assert_uint_eq(visit(&desk, "x"), 204);
    scene_stop(&desk.scene);
    expect(&desk, 1, away, "$LB cert issue -c lb.ini --cn z --out z.crt --key-out z.key");
    expect(&desk, 1, away, "$LB ca create -c lb.ini");
    ck_assert(!is_there(&desk, "two/ca.key"));
    expect(&desk, 1, "", "$LB audit -c lb.ini | grep 'ca.renew\\|ca.replace'");
    expect(&desk, 0, "", "mkdir -p -m 700 two && cp -p one/ca.crt one/ca.key two/");
    expect(&desk, 0, "", "$LB cert issue -c lb.ini --cn z --out z.crt --key-out z.key");
    start(&desk, second);
    ck_assert_uint_eq(visit(&desk, "z"), 204);
    desk_close(&desk);
}
END_TEST

START_TEST(another_ca_comes_in_its_place_where_somebody_says_so)
{
    struct desk desk;
    desk_open(&desk);
    start(&desk, alone);
    expect(&desk, 0, "", "$LB cert issue --cn x --out x.crt --key-out x.key");
    ck_assert_uint_eq(visit(&desk, "x"), 204);
    expect(&desk, 0, "", "cp var/ca.key before.key");
    expect(&desk, 1, "lb ca create --replace", "$LB ca create");
    expect(&desk, 0, "the built-in CA is another one now", "$LB ca create --replace");
    ck_assert_ptr_nonnull(strstr(desk.said.bytes, "of a CA that is not there any more"));
    expect(&desk, 0, "", "cmp before.key var/ca.key.old-* && ! cmp -s before.key var/ca.key");
    expect(&desk, 0, "ca.replace", "$LB audit");
    ck_assert_uint_eq(visit(&desk, "x"), 0);
    expect(&desk, 0, "", "$LB cert issue --cn z --out z.crt --key-out z.key");
    ck_assert_uint_eq(visit(&desk, "z"), 204);
    scene_stop(&desk.scene);
    expect(&desk, 0, "", "$LB check -c lb.ini");
    /* The files of before are not those of the CA that is known. */
    expect(&desk, 0, "",
           "mv var/ca.crt new.crt; for f in var/ca.*.old-*; do cp -p $f ${f%.old-*}; done");
    expect(&desk, 1, "are of another one", "$LB run -c lb.ini");
    expect(&desk, 1, "are of another one", "$LB check -c lb.ini");
    expect(&desk, 1, "are of another one",
           "$LB cert issue -c lb.ini --cn q --out q.crt --key-out q.key");
    desk_close(&desk);
}
END_TEST

/* lb check looks into it, and what it says can be followed. */
START_TEST(a_passphrase_that_cannot_be_used_is_found_before_it_is_needed)
{
    struct desk desk;
    struct text ini = {0};
    desk_open(&desk);
    text_add_format(&ini, "%s\n[registry]\nca_passphrase_file = pass\n", alone);
    scene_write_ini(&desk.scene, "lb.ini", ini.bytes);
    expect(&desk, 1, "its first line is empty", "umask 077; echo > pass; $LB check -c lb.ini");
    expect(&desk, 0, "lb run makes the built-in CA", "echo sesame > pass; $LB check -c lb.ini");
    expect(&desk, 1, "chmod g-w,o= ", "chmod 644 pass; $LB check -c lb.ini");
    expect(&desk, 0, "", "chmod g-w,o= pass; $LB ca create -c lb.ini && $LB check -c lb.ini");
    expect(&desk, 1, "is not the one of", "echo tahini > pass; $LB check -c lb.ini");
    start(&desk, ini.bytes);
    ck_assert(scene_log_has(&desk.scene, "the built-in CA cannot issue certificates", NULL));
    text_done(&ini);
    desk_close(&desk);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, who_was_revoked_stays_out_when_the_registry_is_lost);
    tcase_add_test(tcase, it_begins_anew_where_somebody_says_so);
    tcase_add_test(tcase, of_two_that_share_a_registry_one_makes_the_ca);
    tcase_add_test(tcase, another_ca_comes_in_its_place_where_somebody_says_so);
    tcase_add_test(tcase, a_passphrase_that_cannot_be_used_is_found_before_it_is_needed);
}

CHECK_MAIN("a lost registry lets nobody in", add_tests)
