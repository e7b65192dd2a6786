/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A rule that trusts the built-in CA has it made by lb run, once, and for the user that lb becomes;
 * lb check makes nothing. A link that the user has put in the way leads root nowhere.
 */
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/cast.h"
#include "tests/support/check_main.h"
#include "tests/support/process.h"
#include "tests/support/stub_backend.h"

static bool is_root(void)
{
    if (geteuid() == 0 && getpwnam("nobody") != NULL)
        return true;
    fprintf(stderr, "skipped: needs root and a user \"nobody\"\n");
    if (getenv("CI") != NULL)
        exit(EXIT_FAILURE);
    return false;
}

struct estate {
    struct scene scene;
    struct folder roots; /* root's alone, with all that is above it */
    struct stub_backend backend;
    uid_t nobody;
    gid_t nogroup;
    struct text ini;
};

/* more: lines of [lb] */
static void estate_open(struct estate *estate, const char *more)
{
    const struct passwd *nobody = getpwnam("nobody");
    *estate = (struct estate){.nobody = nobody->pw_uid, .nogroup = nobody->pw_gid};
    scene_begin(&estate->scene);
    cast_write(&estate->scene);
    ck_assert_int_eq(chmod(estate->scene.folder.path, 0755), 0);
    /* a reload reads it as nobody */
    ck_assert_int_eq(chmod(folder_file(&estate->scene.folder, "server.crt"), 0644), 0);
    ck_assert_int_eq(chmod(folder_file(&estate->scene.folder, "server.key"), 0644), 0);
    snprintf(estate->roots.path, sizeof estate->roots.path, "/run/lb-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(estate->roots.path));
    ck_assert_int_eq(chmod(estate->roots.path, 0755), 0);
    stub_start(&estate->backend, "rs-1", NULL);
    scene_set_port(&estate->scene, "rs-1", estate->backend.port);
    text_add_format(&estate->ini,
                    "[lb]\nworkers = 2\nuser = nobody\naccess_log = off\nstate_dir = %s/state\n%s\n"
                    "[admin]\naddress = off\n\n"
                    "[listener web]\naddress = 127.0.0.1:@web\ncertificate = server.crt\n"
                    "certificate_key = server.key\nmutual_auth = require\nclient_ca = builtin\n\n"
                    "[rule all]\nlistener = web\npool = app\n\n"
                    "[pool app]\nbackend = rs-1 127.0.0.1:@rs-1\nhealth_check = off\n",
                    estate->roots.path, more);
}

static void estate_close(struct estate *estate)
{
    scene_end(&estate->scene);
    stub_stop(&estate->backend);
    text_done(&estate->ini);
    folder_remove(&estate->roots);
}

static bool is_there(struct estate *estate, const char *name)
{
    return access(folder_file(&estate->roots, name), F_OK) == 0;
}

static void expect_theirs(struct estate *estate, const char *name, mode_t mode)
{
    struct stat status;
    ck_assert_msg(lstat(folder_file(&estate->roots, name), &status) == 0, "%s is missing", name);
    ck_assert_msg(status.st_uid == estate->nobody, "%s belongs to %u", name,
                  (unsigned)status.st_uid);
    ck_assert_msg((status.st_mode & 07777) == mode, "%s has mode %o", name,
                  (unsigned)status.st_mode & 07777);
}

START_TEST(it_is_made_by_run_and_is_the_users)
{
    struct estate estate;
    struct text said = {0};
    estate_open(&estate, "");
    ck_assert_msg(scene_check(&estate.scene, estate.ini.bytes, &said) == 0, "%s", said.bytes);
    ck_assert_msg(strstr(said.bytes, "lb run makes the built-in CA in"), "%s", said.bytes);
    ck_assert(!is_there(&estate, "state"));
    scene_start(&estate.scene, estate.ini.bytes);
    expect_theirs(&estate, "state", 0700);
    expect_theirs(&estate, "state/ca.key", 0600);
    expect_theirs(&estate, "state/registry.db", 0600);
    expect_theirs(&estate, "state/ca.crt", 0644);
    char *before = folder_read(&estate.roots, "state/ca.crt");
    bool reloaded = scene_reload(&estate.scene, estate.ini.bytes);
    char *log = scene_log(&estate.scene);
    ck_assert_msg(reloaded, "%s", log);
    free(log);
    scene_stop(&estate.scene);
    unlink(folder_file(&estate.scene.folder, "lb.log"));
    scene_start(&estate.scene, estate.ini.bytes);
    char *after = folder_read(&estate.roots, "state/ca.crt");
    ck_assert_str_eq(before, after);
    ck_assert_msg(scene_check(&estate.scene, estate.ini.bytes, &said) == 0, "%s", said.bytes);
    free(before);
    free(after);
    text_done(&said);
    estate_close(&estate);
}
END_TEST

/* The folder is nobody's: it may hold anything. */
START_TEST(links_in_the_users_folder_lead_root_nowhere)
{
    static const char *const links[] = {"ca.key", "ca.crt", "registry.db"};
    struct estate estate;
    struct text said = {0};
    estate_open(&estate, "");
    for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
        char at[256], to[128];
        snprintf(at, sizeof at, "%s/state", estate.roots.path);
        ck_assert(mkdir(at, 0700) == 0 || i > 0);
        ck_assert_int_eq(chown(at, estate.nobody, estate.nogroup), 0);
        snprintf(at, sizeof at, "%s/state/%s", estate.roots.path, links[i]);
        snprintf(to, sizeof to, "%s/%s-of-root", estate.roots.path, links[i]);
        ck_assert_int_eq(symlink(to, at), 0);
        const char *argv[] = {process_lb(), "run", "-c",
                              folder_file(&estate.scene.folder, "lb.ini"), NULL};
        scene_write_ini(&estate.scene, "lb.ini", estate.ini.bytes);
        text_done(&said);
        ck_assert_int_eq(process_run(argv, &said), 1);
        ck_assert_msg(strstr(said.bytes, "state"), "%s", said.bytes);
        ck_assert_msg(access(to, F_OK) != 0, "root has made %s", to);
        ck_assert_int_eq(unlink(at), 0);
    }
    text_done(&said);
    estate_close(&estate);
}
END_TEST

START_TEST(a_store_elsewhere_gets_its_folder_too)
{
    struct estate estate;
    struct text more = {0};
    estate_open(&estate, "");
    text_add_format(&estate.ini, "\n[registry]\nstore = sqlite:%s/known/all.db\n",
                    estate.roots.path);
    scene_start(&estate.scene, estate.ini.bytes);
    expect_theirs(&estate, "known", 0700);
    expect_theirs(&estate, "known/all.db", 0600);
    expect_theirs(&estate, "state/ca.key", 0600);
    ck_assert(!is_there(&estate, "state/registry.db"));
    text_done(&more);
    estate_close(&estate);
}
END_TEST

START_TEST(a_folder_of_somebody_elses_is_refused)
{
    struct estate estate;
    struct text said = {0};
    estate_open(&estate, "");
    ck_assert_int_eq(mkdir(folder_file(&estate.roots, "state"), 0700), 0); /* root's own */
    ck_assert_int_eq(scene_check(&estate.scene, estate.ini.bytes, &said), 1);
    ck_assert_msg(strstr(said.bytes, "by user nobody"), "%s", said.bytes);
    ck_assert_msg(strstr(said.bytes, "/state"), "%s", said.bytes);
    ck_assert(!is_there(&estate, "state/ca.key"));
    text_done(&said);
    estate_close(&estate);
}
END_TEST

static void tell(struct estate *estate, int expected, const char *noun, const char *verb,
                 const char *more, const char *value)
{
    struct text said = {0};
    const char *argv[] = {
        process_lb(), noun,  verb, "-c", folder_file(&estate->scene.folder, "lb.ini"),
        more,         value, NULL};
    int status = process_run(argv, &said);
    ck_assert_msg(status == expected, "lb %s %s: %s", noun, verb, said.bytes);
    text_done(&said);
}

/* Root sets everything up before lb runs for the first time. */
START_TEST(what_root_makes_without_lb_is_the_users)
{
    static const char *const files[] = {"state/ca.key", "state/registry.db"};
    struct estate estate;
    estate_open(&estate, "");
    scene_write_ini(&estate.scene, "lb.ini", estate.ini.bytes);
    tell(&estate, 0, "ca", "list", NULL, NULL);
    ck_assert(!is_there(&estate, "state")); /* a question makes nothing */
    tell(&estate, 0, "ca", "create", NULL, NULL);
    expect_theirs(&estate, "state", 0700);
    expect_theirs(&estate, "state/ca.crt", 0644);
    for (size_t i = 0; i < 2; i++)
        expect_theirs(&estate, files[i], 0600);
    tell(&estate, 0, "cert", "issue", "--cn", "carol");
    char *before = folder_read(&estate.roots, "state/ca.crt");
    scene_start(&estate.scene, estate.ini.bytes);
    char *after = folder_read(&estate.roots, "state/ca.crt");
    ck_assert_str_eq(before, after);
    scene_stop(&estate.scene);
    tell(&estate, 0, "cert", "issue", "--cn", "dave");
    for (size_t i = 0; i < 2; i++)
        expect_theirs(&estate, files[i], 0600);
    free(before);
    free(after);
    estate_close(&estate);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, it_is_made_by_run_and_is_the_users);
    tcase_add_test(tcase, links_in_the_users_folder_lead_root_nowhere);
    tcase_add_test(tcase, a_store_elsewhere_gets_its_folder_too);
    tcase_add_test(tcase, what_root_makes_without_lb_is_the_users);
    tcase_add_test(tcase, a_folder_of_somebody_elses_is_refused);
}

CHECK_MAIN_WHERE("the built-in CA belongs to its user", add_tests, is_root)
