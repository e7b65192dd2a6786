/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Started by root with `user = nobody`, lb is nobody in all its threads and for good. It keeps one
 * right, to bind low ports, so that it serves there and a reload may add another one; its logs go
 * on after a rotation; and root gives away nothing that somebody else could have put in the way.
 */
#include <dirent.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/cast.h"
#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/port.h"
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

/* clang-format off */
static const char serving[] =
    "[listener web]\naddress = 127.0.0.1:@web\nprotocol = http\n\n"
    "[rule all]\nlistener = web\npool = app\n\n"
    "[pool app]\nbackend = rs-1 127.0.0.1:@rs-1\nhealth_check = off\n";
/* clang-format on */

struct estate {
    struct scene scene;
    struct stub_backend backend;
    uid_t nobody;
    gid_t nogroup;
};

/* The folder is open to everyone; nothing in it is nobody's yet. */
static void estate_open(struct estate *estate)
{
    const struct passwd *nobody = getpwnam("nobody");
    estate->nobody = nobody->pw_uid;
    estate->nogroup = nobody->pw_gid;
    scene_begin(&estate->scene);
    ck_assert_int_eq(chmod(estate->scene.folder.path, 0755), 0);
    stub_start(&estate->backend, "rs-1", NULL);
    scene_set_port(&estate->scene, "rs-1", estate->backend.port);
    scene_set_port(&estate->scene, "web", port_reserve_low());
}

static void estate_close(struct estate *estate)
{
    scene_end(&estate->scene);
    stub_stop(&estate->backend);
}

static const char *estate_file(struct estate *estate, const char *name)
{
    return folder_file(&estate->scene.folder, name);
}

static void make_nobodys_folder(struct estate *estate, const char *name)
{
    ck_assert_int_eq(mkdir(estate_file(estate, name), 0755), 0);
    ck_assert_int_eq(chown(estate_file(estate, name), estate->nobody, estate->nogroup), 0);
}

/* lb: lines of [lb] */
static char *config_of(const char *lb, const char *more)
{
    struct text text = {0};
    text_add_format(&text, "[lb]\nworkers = 2\nuser = nobody\n%s\n[admin]\naddress = off\n\n%s%s",
                    lb, serving, more);
    return text.bytes;
}

static void start(struct estate *estate, const char *lb)
{
    char *ini = config_of(lb, "");
    scene_start(&estate->scene, ini);
    free(ini);
}

/* Run to its end, which must be an early one; returns what it says. */
static struct text fail_to_start(struct estate *estate, const char *const *before, const char *lb)
{
    struct text said = {0};
    const char *argv[16];
    unsigned count = 0;
    char *ini = config_of(lb, "");
    scene_write_ini(&estate->scene, "lb.ini", ini);
    for (; before && before[count] != NULL; count++)
        argv[count] = before[count];
    argv[count++] = before ? estate_file(estate, "lb") : process_lb();
    argv[count++] = "run";
    argv[count++] = "-c";
    argv[count++] = estate_file(estate, "lb.ini");
    argv[count] = NULL;
    ck_assert_int_eq(process_run(argv, &said), 1);
    free(ini);
    return said;
}

static unsigned ask(struct estate *estate, const char *port, const char *path)
{
    struct peer peer;
    peer_connect(&peer, scene_port(&estate->scene, port));
    unsigned status = peer_get(&peer, "a", path, NULL, 0);
    peer_close(&peer);
    return status;
}

/* --- who it is ----------------------------------------------------------------------------- */

static void expect_line(const char *status, const char *thread, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void expect_line(const char *status, const char *thread, const char *format, ...)
{
    char line[128];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    ck_assert_msg(strstr(status, line) != NULL, "thread %s is not \"%s\": %s", thread, line,
                  status);
}

static void check_thread(struct estate *estate, const char *thread)
{
    char path[96];
    unsigned uid = (unsigned)estate->nobody;
    unsigned gid = (unsigned)estate->nogroup;
    struct text status = {0};
    char piece[4096];
    snprintf(path, sizeof path, "/proc/%d/task/%s/status", (int)estate->scene.pid, thread);
    FILE *file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    text_add(&status, piece, fread(piece, 1, sizeof piece, file));
    fclose(file);
    expect_line(status.bytes, thread, "\nUid:\t%u\t%u\t%u\t%u\n", uid, uid, uid, uid);
    expect_line(status.bytes, thread, "\nGid:\t%u\t%u\t%u\t%u\n", gid, gid, gid, gid);
    expect_line(status.bytes, thread, "\nGroups:\t%u \n", gid);
    expect_line(status.bytes, thread, "\nCapInh:\t%016x\n", 0U);
    expect_line(status.bytes, thread, "\nCapPrm:\t%016x\n", 0x400U); /* CAP_NET_BIND_SERVICE */
    expect_line(status.bytes, thread, "\nCapEff:\t%016x\n", 0x400U);
    expect_line(status.bytes, thread, "\nCapAmb:\t%016x\n", 0U);
    expect_line(status.bytes, thread, "\nNoNewPrivs:\t1\n");
    text_done(&status);
}

static unsigned check_threads(struct estate *estate)
{
    char path[64];
    unsigned count = 0;
    snprintf(path, sizeof path, "/proc/%d/task", (int)estate->scene.pid);
    DIR *threads = opendir(path);
    ck_assert_ptr_nonnull(threads);
    for (struct dirent *entry = readdir(threads); entry != NULL; entry = readdir(threads)) {
        if (entry->d_name[0] == '.')
            continue;
        check_thread(estate, entry->d_name);
        count++;
    }
    closedir(threads);
    return count;
}

START_TEST(every_thread_is_nobody_and_keeps_one_right)
{
    struct estate estate;
    struct stat status;
    char path[32];
    estate_open(&estate);
    make_nobodys_folder(&estate, "logs");
    start(&estate, "access_log = logs/access.log\n");
    ck_assert_uint_eq(ask(&estate, "web", "/"), 200);
    ck_assert_uint_ge(check_threads(&estate), 4); /* control, writer, two workers */
    snprintf(path, sizeof path, "/proc/%d/mem", (int)estate.scene.pid);
    ck_assert_int_eq(stat(path, &status), 0);
#if !defined(__SANITIZE_ADDRESS__) /* whose leak check has to read it */
    ck_assert_msg(status.st_uid == 0, "other processes of nobody may read its memory");
#endif
    ck_assert_int_eq(stat(estate_file(&estate, "logs/access.log"), &status), 0);
    ck_assert_uint_eq(status.st_uid, estate.nobody);
    estate_close(&estate);
}
END_TEST

START_TEST(a_reload_opens_another_low_port)
{
    struct estate estate;
    estate_open(&estate);
    scene_set_port(&estate.scene, "more", port_reserve_low());
    start(&estate, "access_log = off\n");
    char *ini = config_of("access_log = off\n",
                          "\n[listener more]\naddress = 127.0.0.1:@more\nprotocol = http\n\n"
                          "[rule more]\nlistener = more\npool = app\n");
    bool reloaded = scene_reload(&estate.scene, ini);
    char *log = scene_log(&estate.scene);
    ck_assert_msg(reloaded, "%s", log);
    ck_assert_uint_eq(ask(&estate, "more", "/"), 200);
    ck_assert_uint_eq(ask(&estate, "web", "/"), 200);
    check_threads(&estate);
    free(log);
    free(ini);
    estate_close(&estate);
}
END_TEST

static bool has_line(struct estate *estate, const char *file, const char *text)
{
    char *log = folder_read(&estate->scene.folder, file);
    bool has = strstr(log, text) != NULL;
    free(log);
    return has;
}

START_TEST(logs_go_on_in_new_files_after_a_rotation)
{
    struct estate estate;
    struct stat status;
    estate_open(&estate);
    make_nobodys_folder(&estate, "logs");
    start(&estate, "access_log = logs/access.log\n");
    ck_assert_uint_eq(ask(&estate, "web", "/before"), 200);
    eventually(has_line(&estate, "logs/access.log", "/before"));
    ck_assert_int_eq(
        rename(estate_file(&estate, "logs/access.log"), estate_file(&estate, "logs/old")), 0);
    kill(estate.scene.pid, SIGUSR1);
    eventually(scene_log_has(&estate.scene, "access-log.reopened", NULL));
    ck_assert_uint_eq(ask(&estate, "web", "/after"), 200);
    scene_stop(&estate.scene);
    char *log = folder_read(&estate.scene.folder, "logs/access.log");
    ck_assert_msg(strstr(log, "/after") && !strstr(log, "/before"), "%s", log);
    ck_assert_int_eq(stat(estate_file(&estate, "logs/access.log"), &status), 0);
    ck_assert_uint_eq(status.st_uid, estate.nobody);
    free(log);
    estate_close(&estate);
}
END_TEST

/* --- what root gives ----------------------------------------------------------------------- */

/* A folder that is root's alone, with all that is above it. */
static void make_roots_folder(struct folder *folder)
{
    snprintf(folder->path, sizeof folder->path, "/run/lb-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder->path));
    ck_assert_int_eq(chmod(folder->path, 0755), 0);
}

static uid_t owner_of(const struct folder *folder, const char *name)
{
    struct stat status;
    ck_assert_int_eq(lstat(folder_file(folder, name), &status), 0);
    return status.st_uid;
}

START_TEST(logs_in_roots_own_folder_are_given)
{
    struct estate estate;
    struct folder roots;
    struct text lines = {0};
    estate_open(&estate);
    make_roots_folder(&roots);
    folder_write(&roots, "access.log", "{\"before\":1}\n");
    folder_write(&roots, "bystander", "root's\n");
    text_add_format(&lines, "access_log = %s/access.log\n", roots.path);
    start(&estate, lines.bytes);
    ck_assert_uint_eq(ask(&estate, "web", "/here"), 200);
    scene_stop(&estate.scene);
    char *log = folder_read(&roots, "access.log");
    ck_assert_msg(strstr(log, "{\"before\":1}\n") == log && strstr(log, "/here"), "%s", log);
    ck_assert_uint_eq(owner_of(&roots, "access.log"), estate.nobody);
    ck_assert_uint_eq(owner_of(&roots, "bystander"), 0);
    ck_assert_uint_eq(owner_of(&roots, "."), 0);
    free(log);
    text_done(&lines);
    folder_remove(&roots);
    estate_close(&estate);
}
END_TEST

/* A service's folders as a package would have them: /etc/… and /var/… are root's. */
START_TEST(folders_for_its_state_and_its_socket_are_made_and_given)
{
    struct estate estate;
    struct folder roots;
    struct text ini = {0};
    estate_open(&estate);
    make_roots_folder(&roots);
    text_add_format(&ini,
                    "[lb]\nworkers = 2\nuser = nobody\naccess_log = off\nstate_dir = %s/state/\n"
                    "[admin]\naddress = unix:%s/socket/admin.sock\n\n"
                    "%ssession_persistence = cookie\n",
                    roots.path, roots.path, serving);
    scene_start(&estate.scene, ini.bytes);
    ck_assert_uint_eq(ask(&estate, "web", "/"), 200);
    static const char *const given[] = {"state", "state/persistence.key", "socket",
                                        "socket/admin.sock"};
    for (size_t i = 0; i < sizeof given / sizeof *given; i++)
        ck_assert_msg(owner_of(&roots, given[i]) == estate.nobody, "%s is not given", given[i]);
    ck_assert_uint_eq(owner_of(&roots, "."), 0);
    check_threads(&estate);
    ck_assert(scene_reload(&estate.scene, ini.bytes));
    scene_stop(&estate.scene);
    text_done(&ini);
    folder_remove(&roots);
    estate_close(&estate);
}
END_TEST

/* Whoever was nobody before could have put these there: a link to a file of root's, and a folder
 * that is a link. */
START_TEST(links_that_somebody_put_in_the_way_give_nothing_away)
{
    static const char *const logs[] = {"logs/access.log", "detour/secret", "hard/secret"};
    struct estate estate;
    struct folder roots;
    struct text lines = {0};
    estate_open(&estate);
    make_nobodys_folder(&estate, "logs");
    make_nobodys_folder(&estate, "hard");
    make_roots_folder(&roots);
    folder_write(&roots, "secret", "root's\n");
    ck_assert_int_eq(
        symlink(folder_file(&roots, "secret"), estate_file(&estate, "logs/access.log")), 0);
    ck_assert_int_eq(symlink(roots.path, estate_file(&estate, "detour")), 0);
    folder_write(&estate.scene.folder, "hard/other", "root's\n");
    ck_assert_int_eq(link(estate_file(&estate, "hard/other"), estate_file(&estate, "hard/secret")),
                     0);
    text_add_format(&lines, "access_log = %s\n", logs[_i]);
    struct text said = fail_to_start(&estate, NULL, lines.bytes);
    ck_assert_msg(strstr(said.bytes, logs[_i]) && strstr(said.bytes, "Permission denied"), "%s",
                  said.bytes);
    ck_assert_uint_eq(owner_of(&roots, "secret"), 0);
    ck_assert_uint_eq(owner_of(&estate.scene.folder, "hard/secret"), 0);
    char *secret = folder_read(&roots, "secret");
    ck_assert_str_eq(secret, "root's\n");
    free(secret);
    text_done(&said);
    text_done(&lines);
    folder_remove(&roots);
    estate_close(&estate);
}
END_TEST

/* --- what it cannot read again ------------------------------------------------------------- */

START_TEST(keys_that_only_root_reads_are_told_because_a_reload_would_fail)
{
    struct estate estate;
    estate_open(&estate);
    cast_write(&estate.scene);
    ck_assert_int_eq(chmod(estate_file(&estate, "server.crt"), 0644), 0);
    ck_assert_int_eq(chmod(estate_file(&estate, "server.key"), 0600), 0);
    char *ini =
        config_of("access_log = off\n",
                  "\n[listener tls]\naddress = 127.0.0.1:@tls\ncertificate = server.crt\n"
                  "certificate_key = server.key\n\n[rule tls]\nlistener = tls\npool = app\n");
    scene_start(&estate.scene, ini);
    char *log = scene_log(&estate.scene);
    ck_assert_uint_eq(text_count(log, "a reload will fail"), 1);
    ck_assert_msg(scene_log_has(&estate.scene, " warn config.problem ", "line=24 ", "/server.key",
                                "chgrp nogroup ", "chmod g+r ", NULL),
                  "%s", log);
    ck_assert(!scene_reload(&estate.scene, ini));
    ck_assert_uint_eq(ask(&estate, "web", "/"), 200);
    /* What the warning says is what helps. */
    process_shell(estate.scene.folder.path, "chgrp nogroup server.key && chmod g+r server.key");
    ck_assert(scene_reload(&estate.scene, ini));
    free(log);
    free(ini);
    estate_close(&estate);
}
END_TEST

START_TEST(so_are_pages_that_only_root_reads)
{
    struct estate estate;
    estate_open(&estate);
    cast_write(&estate.scene);
    process_shell(estate.scene.folder.path,
                  "chmod 644 server.crt server.key ca.crt && echo '<p>$reason' >refused.html && "
                  "chmod 600 refused.html");
    char *ini = config_of("access_log = off\n",
                          "\n[listener tls]\naddress = 127.0.0.1:@tls\ncertificate = server.crt\n"
                          "certificate_key = server.key\nmutual_auth = require\n"
                          "client_ca = ca.crt\nrefuse_with = page:refused.html\n\n"
                          "[rule tls]\nlistener = tls\npool = app\n");
    scene_start(&estate.scene, ini);
    char *log = scene_log(&estate.scene);
    ck_assert_uint_eq(text_count(log, "a reload will fail"), 1);
    ck_assert_msg(scene_log_has(&estate.scene, " warn config.problem ", "/refused.html",
                                "chgrp nogroup ", NULL),
                  "%s", log);
    ck_assert(!scene_reload(&estate.scene, ini));
    process_shell(estate.scene.folder.path, "chgrp nogroup refused.html && chmod g+r refused.html");
    ck_assert(scene_reload(&estate.scene, ini));
    free(log);
    free(ini);
    estate_close(&estate);
}
END_TEST

START_TEST(the_check_says_it_beforehand)
{
    struct estate estate;
    struct text said = {0};
    estate_open(&estate);
    ck_assert_int_eq(mkdir(estate_file(&estate, "closed"), 0700), 0);
    char *ini = config_of("access_log = access.log\nlog = closed/lb.log\n", "");
    ck_assert_int_eq(scene_check(&estate.scene, ini, &said), 1);
    ck_assert_msg(strstr(said.bytes, "lb.ini:4: error: access_log = ") &&
                      strstr(said.bytes, "may not be written to by user nobody") &&
                      strstr(said.bytes, "lb.ini:5: error: log = "),
                  "%s", said.bytes);
    ck_assert_int_ne(access(estate_file(&estate, "access.log"), F_OK), 0);
    text_done(&said);
    free(ini);
    make_nobodys_folder(&estate, "logs");
    ini = config_of("access_log = logs/access.log\nlog = /run/lb-test-never-made.log\n", "");
    ck_assert_int_eq(scene_check(&estate.scene, ini, &said), 0);
    ck_assert_msg(text_count(said.bytes, "\n") == 1 && strstr(said.bytes, "is fine"), "%s",
                  said.bytes);
    ck_assert_int_ne(access(estate_file(&estate, "logs/access.log"), F_OK), 0);
    ck_assert_int_ne(access("/run/lb-test-never-made.log", F_OK), 0);
    text_done(&said);
    free(ini);
    estate_close(&estate);
}
END_TEST

/* The folder of the INI file is not to be given away for that. */
START_TEST(a_folder_for_its_state_is_to_be_made_and_not_the_one_above_given)
{
    struct estate estate;
    struct text said = {0};
    char advice[512];
    estate_open(&estate);
    char *ini = config_of("state_dir = state/\n", "session_persistence = cookie\n");
    ck_assert_int_eq(scene_check(&estate.scene, ini, &said), 1);
    snprintf(advice, sizeof advice, "make it for them (install -d -m 700 -o nobody %s/state",
             estate.scene.folder.path);
    ck_assert_msg(strstr(said.bytes, "lb.ini:4: error: state_dir = ") &&
                      strstr(said.bytes, advice) && !strstr(said.bytes, "chown"),
                  "%s", said.bytes);
    text_done(&said);
    /* What it says is what helps. */
    process_shell(estate.scene.folder.path, "install -d -m 700 -o nobody state");
    ck_assert_int_eq(scene_check(&estate.scene, ini, &said), 0);
    text_done(&said);
    free(ini);
    estate_close(&estate);
}
END_TEST

/* --- who may become whom ------------------------------------------------------------------- */

START_TEST(only_root_becomes_somebody_else)
{
    static const char *const as_daemon[] = {"setpriv", "--reuid=daemon", "--regid=daemon",
                                            "--clear-groups", NULL};
    struct estate estate;
    struct text copy = {0};
    estate_open(&estate);
    text_add_format(&copy, "cp '%s' lb && chmod 755 lb", process_lb());
    process_shell(estate.scene.folder.path, copy.bytes);
    struct text said = fail_to_start(&estate, as_daemon, "access_log = off\n");
    ck_assert_msg(strstr(said.bytes, "lb run: user = nobody: only root can become another user"),
                  "%s", said.bytes);
    text_done(&said);
    text_done(&copy);
    estate_close(&estate);
}
END_TEST

START_TEST(a_user_that_cannot_be_meant_is_told)
{
    struct scene scene;
    struct text said = {0};
    struct text ini = {0};
    scene_begin(&scene);
    text_add_format(&ini, "[lb]\nuser = nobdoy\n\n%s", serving);
    ck_assert_int_eq(scene_check(&scene, ini.bytes, &said), 1);
    ck_assert_msg(strstr(said.bytes, "lb.ini:2: error: user: there is no user \"nobdoy\""), "%s",
                  said.bytes);
    text_done(&said);
    text_done(&ini);
    text_add_format(&ini, "[lb]\nuser = root\n\n%s", serving);
    ck_assert_int_eq(scene_check(&scene, ini.bytes, &said), 0);
    ck_assert_msg(strstr(said.bytes, "lb.ini:2: warning: user = root keeps all rights of root"),
                  "%s", said.bytes);
    text_done(&said);
    text_done(&ini);
    scene_end(&scene);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, every_thread_is_nobody_and_keeps_one_right);
    tcase_add_test(tcase, a_reload_opens_another_low_port);
    tcase_add_test(tcase, logs_go_on_in_new_files_after_a_rotation);
    tcase_add_test(tcase, logs_in_roots_own_folder_are_given);
    tcase_add_test(tcase, folders_for_its_state_and_its_socket_are_made_and_given);
    tcase_add_loop_test(tcase, links_that_somebody_put_in_the_way_give_nothing_away, 0, 3);
    tcase_add_test(tcase, keys_that_only_root_reads_are_told_because_a_reload_would_fail);
    tcase_add_test(tcase, so_are_pages_that_only_root_reads);
    tcase_add_test(tcase, the_check_says_it_beforehand);
    tcase_add_test(tcase, a_folder_for_its_state_is_to_be_made_and_not_the_one_above_given);
    tcase_add_test(tcase, only_root_becomes_somebody_else);
    tcase_add_test(tcase, a_user_that_cannot_be_meant_is_told);
}

CHECK_MAIN_WHERE("it gives up what root may do", add_tests, is_root)
