/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The registry's file: copied while several write to it and put back as the manual says; not what
 * it should be, in every way; and on a disk that becomes full under a running lb.
 */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
#include <pwd.h>
#include <sched.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lb/admin/registry/registry_local.h"
#include "tests/support/api_call.h"
#include "tests/support/cast.h"
#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/fleet.h"
#include "tests/support/process.h"

enum { STABLE = 12, BUSY = 3, CHANGES = 60, LATE = STABLE + BUSY, DEVICES = LATE + 4 };

/* clang-format off */
#define REST \
    "[registry]\nsignups_per_second = 100000\n\n" \
    "[listener web]\naddress = 127.0.0.1:@web\ncertificate = server.crt\ncertificate_key = server.key\n" \
    "mutual_auth = require\nclient_ca = fleet-ca.crt\nclient_registration = manual\n\n" \
    "[rule www]\nlistener = web\nrespond = 204\n"
#define LB "[lb]\nworkers = 2\naccess_log = off\n\n"
static const char ini[] = LB REST;
/* The same registry, by a file whose lb nobody can ask. */
static const char direct_ini[] = LB "[admin]\naddress = off\n\n" REST;
/* clang-format on */

struct archive {
    struct scene scene;
    struct fleet fleet;
    char location[256];
    struct registry_facts facts;
    atomic_bool is_over;
};

static void archive_open(struct archive *archive)
{
    *archive = (struct archive){0};
    scene_begin(&archive->scene);
    cast_write(&archive->scene);
    fleet_make(&archive->fleet, DEVICES, archive->scene.folder.path);
    scene_write_ini(&archive->scene, "lb.ini", ini);
    scene_write_ini(&archive->scene, "direct.ini", direct_ini);
    snprintf(archive->location, sizeof archive->location, "sqlite:%s",
             folder_file(&archive->scene.folder, "var/registry.db"));
    archive->facts = (struct registry_facts){.location = archive->location, .max_cas = 32};
}

static void archive_close(struct archive *archive)
{
    scene_end(&archive->scene);
    fleet_done(&archive->fleet);
}

static void start(struct archive *archive)
{
    unlink(folder_file(&archive->scene.folder, "lb.log"));
    scene_start(&archive->scene, ini);
}

static void upload(struct archive *archive)
{
    ck_assert_uint_eq(
        api_call(&archive->scene, "POST", "/v1/cas", fleet_ca_body(&archive->fleet), NULL), 201);
}

static unsigned ask_lb(void *arg, const char *path, json_t **json)
{
    const struct archive *archive = arg;
    return api_call(&archive->scene, "GET", path, NULL, json);
}

/* Some change of a device, which must be made. */
static void change(struct archive *archive, struct device *device, unsigned *seed)
{
    struct device_change chosen;
    if (!fleet_choose(device, seed, &chosen))
        return;
    unsigned status =
        api_call(&archive->scene, chosen.method, chosen.target, fleet_body(device, &chosen), NULL);
    ck_assert_msg(status == 200 || status == 201, "%s: %u", chosen.target, status);
    fleet_took(device, &chosen);
}

/* The status of an answer; 0: the handshake or the connection ended it. */
static unsigned visit(struct archive *archive, const char *who)
{
    struct peer peer;
    unsigned status = 0;
    if (peer_connect_tls(&peer, scene_port(&archive->scene, "web"),
                         WISH(&archive->scene, .sni = "www.example.com", .who = who)))
        status = peer_get(&peer, "www.example.com", "/", NULL, 0);
    peer_close(&peer);
    return status;
}

/* A call that is refused. returns what it says: the caller's. */
static char *refusal(struct archive *archive, unsigned status, const char *path, json_t *body)
{
    json_t *json;
    unsigned got = api_call(&archive->scene, "POST", path, body, &json);
    const char *text = json_string_value(json_object_get(json_object_get(json, "error"), "text"));
    ck_assert_msg(got == status && text, "%s: %u", path, got);
    char *said = strdup(text);
    json_decref(json);
    return said;
}

static void expect_words(const char *said, const char *words)
{
    ck_assert_msg(strstr(said, words) != NULL, "\"%s\" is missing: %s", words, said);
}

/* --- a backup while others write ----------------------------------------------------------- */

/* One device gets one client id after the other: id-1, id-2 … */
struct renamer {
    struct archive *archive;
    pthread_t thread;
    const struct device *device;
    atomic_int asked;
    atomic_int answered;
};

static void *rename_on(void *arg)
{
    struct renamer *renamer = arg;
    char path[96], name[24];
    unsigned status = 200;
    snprintf(path, sizeof path, "/v1/certificates/%s/client-id", renamer->device->serial);
    while (status == 200 && !atomic_load(&renamer->archive->is_over)) {
        json_t *json;
        snprintf(name, sizeof name, "id-%d", atomic_fetch_add(&renamer->asked, 1) + 1);
        status = api_try(&renamer->archive->scene, "PUT", path,
                         json_pack("{s:s}", "client_id", name), &json);
        json_decref(json);
        atomic_fetch_add(&renamer->answered, status == 200);
    }
    return NULL;
}

static void register_it(struct archive *archive, const struct device *device)
{
    ck_assert_uint_eq(api_call(&archive->scene, "POST", "/v1/certificates/register",
                               json_pack("{s:s}", "pem", device->pem), NULL),
                      201);
}

static void begin_load(struct archive *archive, struct renamer *renamers)
{
    for (unsigned i = 0; i < BUSY; i++) {
        renamers[i].archive = archive;
        renamers[i].device = &archive->fleet.devices[STABLE + i];
        register_it(archive, renamers[i].device);
        ck_assert_int_eq(pthread_create(&renamers[i].thread, NULL, rename_on, &renamers[i]), 0);
    }
    for (unsigned i = 0; i < BUSY; i++)
        eventually(atomic_load(&renamers[i].answered) >= 5);
}

static void end_load(struct archive *archive, struct renamer *renamers)
{
    atomic_store(&archive->is_over, true);
    for (unsigned i = 0; i < BUSY; i++) {
        ck_assert_int_eq(pthread_join(renamers[i].thread, NULL), 0);
        ck_assert_int_eq(renamers[i].answered, renamers[i].asked);
    }
}

static void back_up_by_api(struct archive *archive)
{
    const char *path = folder_file(&archive->scene.folder, "backup.db");
    json_t *json;
    ck_assert_uint_eq(api_call(&archive->scene, "POST", "/v1/registry/backup",
                               json_pack("{s:s}", "path", path), &json),
                      200);
    struct stat file;
    ck_assert_int_eq(stat(path, &file), 0);
    ck_assert_int_eq(json_integer_value(json_object_get(json, "bytes")), file.st_size);
    json_decref(json);
}

static void back_up_by_command(struct archive *archive)
{
    struct text script = {0};
    text_add_format(&script, "'%s' registry backup backup.db > said 2>&1", process_lb());
    process_shell(archive->scene.folder.path, script.bytes);
    text_done(&script);
}

/* As the manual says. */
static const char restore[] = "mv var/registry.db old.db; rm -f var/registry.db-wal "
                              "var/registry.db-shm; cp -p backup.db var/registry.db";

/* It had this client id at some moment of the backup, and its audit log ends there, too. */
static void check_renamed(struct archive *archive, const struct device *device, int least, int most)
{
    char path[96];
    json_t *json;
    snprintf(path, sizeof path, "/v1/certificates/%s", device->serial);
    ck_assert_uint_eq(ask_lb(archive, path, &json), 200);
    const char *id =
        json_string_value(json_object_get(json_object_get(json, "certificate"), "client_id"));
    const char *told = json_string_value(
        json_object_get(json_array_get(json_object_get(json, "history"), 0), "after"));
    int number = 0;
    ck_assert(id && sscanf(id, "id-%d", &number) == 1);
    ck_assert_msg(number >= least && number <= most, "%d is not in %d … %d", number, least, most);
    ck_assert_str_eq(id, told);
    json_decref(json);
}

START_TEST(what_was_there_at_a_backup_is_there_again)
{
    struct archive archive;
    struct renamer renamers[BUSY] = {0};
    int least[BUSY], most[BUSY];
    unsigned seed = 7;
    archive_open(&archive);
    start(&archive);
    upload(&archive);
    for (unsigned i = 0; i < CHANGES; i++)
        change(&archive, &archive.fleet.devices[i % STABLE], &seed);
    begin_load(&archive, renamers);
    for (unsigned i = 0; i < BUSY; i++)
        least[i] = atomic_load(&renamers[i].answered);
    _i == 0 ? back_up_by_api(&archive) : back_up_by_command(&archive);
    for (unsigned i = 0; i < BUSY; i++)
        most[i] = atomic_load(&renamers[i].asked);
    register_it(&archive, &archive.fleet.devices[LATE]);
    ck_assert_uint_eq(visit(&archive, archive.fleet.devices[LATE].name), 204);
    end_load(&archive, renamers);
    scene_stop(&archive.scene);
    process_shell(archive.scene.folder.path, restore);
    start(&archive);
    archive.fleet.count = STABLE; /* the others are looked at here: */
    fleet_check(&archive.fleet, ask_lb, &archive);
    archive.fleet.count = DEVICES;
    for (unsigned i = 0; i < STABLE; i++)
        ck_assert((visit(&archive, archive.fleet.devices[i].name) == 204) ==
                  fleet_may_pass(&archive.fleet.devices[i]));
    for (unsigned i = 0; i < BUSY; i++)
        check_renamed(&archive, renamers[i].device, least[i], most[i]);
    ck_assert_uint_eq(visit(&archive, archive.fleet.devices[LATE].name), 0);
    register_it(&archive, &archive.fleet.devices[LATE]);
    ck_assert_uint_eq(visit(&archive, archive.fleet.devices[LATE].name), 204);
    archive_close(&archive);
}
END_TEST

/* --- a store that is none ------------------------------------------------------------------ */

struct damage {
    const char *command; /* makes var/registry.db of good.db */
    const char *says;
};

// clang-format off
static const struct damage damages[] = {
    {"cp good.db var/registry.db; printf noise-noise-noise | dd of=var/registry.db conv=notrunc status=none", "is damaged or none of lb's"},
    {"cp good.db var/registry.db; printf '\\377\\377\\377\\377' | dd of=var/registry.db bs=1 seek=16 conv=notrunc status=none", "is damaged or none of lb's"},
    {"cp good.db var/registry.db; head -c 30000 /dev/urandom | dd of=var/registry.db bs=4096 seek=1 conv=notrunc status=none", "is damaged or none of lb's"},
    {"head -c 5000 good.db > var/registry.db", "is damaged or none of lb's"},
    {"head -c 60 good.db > var/registry.db", "is damaged or none of lb's"},
    {": > var/registry.db", "is empty: put a backup in its place"},
    {"echo 'Our registry moved to the other machine.' > var/registry.db", "is damaged or none of lb's"},
    {"cp other.db var/registry.db", "it is a database of another program"},
    {"cp newer.db var/registry.db", "was made by a newer lb (schema 1000, "},
    {"mkdir var/registry.db", "var/registry.db is no file"},
    {"cp good.db var/registry.db; chmod 666 var/registry.db", "may be written by others"},
    {"cp good.db var/registry.db-wal", "is gone, but its log"},
    {"ln -s registry.db var/registry.db", "var/registry.db"},
};
// clang-format on

static void sqlite(struct archive *archive, const char *file, const char *statement)
{
    sqlite3 *db = NULL;
    ck_assert_int_eq(sqlite3_open(folder_file(&archive->scene.folder, file), &db), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(db, statement, NULL, NULL, NULL), SQLITE_OK);
    ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
}

/* Also other.db of another program, newer.db of a later lb. */
static void make_good(struct archive *archive)
{
    struct text script = {0};
    text_add_format(&script,
                    "LB='%s'; $LB ca upload fleet-ca.crt --name fleet -c direct.ini > said 2>&1; "
                    "$LB cert register device-0.crt -c direct.ini >> said 2>&1; "
                    "mv var/registry.db good.db; cp good.db newer.db; test -z \"$(ls -A var)\"",
                    process_lb());
    process_shell(archive->scene.folder.path, script.bytes);
    sqlite(archive, "newer.db", "PRAGMA user_version = 1000");
    sqlite(archive, "other.db", "CREATE TABLE notes (text); INSERT INTO notes VALUES ('milk')");
    text_done(&script);
}

/* How a command of lb ends, and what it says: the caller's. */
static int run(struct archive *archive, const char *as, const char *command, char **said)
{
    struct text script = {0};
    text_add_format(&script, "cd '%s'; exec %s '%s' %s", archive->scene.folder.path, as,
                    process_lb(), command);
    const char *argv[] = {"/bin/sh", "-c", script.bytes, NULL};
    unlink(folder_file(&archive->scene.folder, "said"));
    int status = process_wait(process_start(argv, folder_file(&archive->scene.folder, "said")));
    *said = folder_read(&archive->scene.folder, "said");
    text_done(&script);
    return status;
}

/* It is refused, and in one sentence. */
static void expect_refused(struct archive *archive, const char *as, const char *command,
                           const char *says)
{
    char *said;
    int status = run(archive, as, command, &said);
    ck_assert_msg(status == 1 && text_count(said, says) == 1, "lb %s ended with %d: %s (not: %s)",
                  command, status, said, says);
    ck_assert_msg(!strstr(said, "lb.ready"), "%s", said);
    free(said);
}

/* All that is in the store's folder, but for what SQLite puts beside a file to look into it. */
#define PICTURE                                                                                    \
    "ls -lA --time-style=full-iso --ignore='*-wal' --ignore='*-shm' var | sed /^total/d > "        \
    "picture; "                                                                                    \
    "find var -type f -size +0 ! -name '*-shm' | sort | xargs -r sha256sum >> picture; "
static const char take_picture[] = PICTURE;
static const char compare_pictures[] = "cp picture before; " PICTURE "diff before picture";

START_TEST(what_is_no_store_of_ours_is_refused_and_left_alone)
{
    struct archive archive;
    archive_open(&archive);
    make_good(&archive);
    process_shell(archive.scene.folder.path, damages[_i].command);
    process_shell(archive.scene.folder.path, take_picture);
    expect_refused(&archive, "", "run -c lb.ini", damages[_i].says);
    expect_refused(&archive, "", "cert list -c direct.ini", damages[_i].says);
    expect_refused(&archive, "", "cert register device-1.crt -c direct.ini", damages[_i].says);
    process_shell(archive.scene.folder.path, compare_pictures);
    process_shell(archive.scene.folder.path, "rm -rf var/*; cp good.db var/registry.db");
    start(&archive);
    ck_assert_uint_eq(visit(&archive, "device-0"), 204);
    archive_close(&archive);
}
END_TEST

/* --- what may not be read, or not be written ----------------------------------------------- */

#define READ_ONLY "var/registry.db may only be read: its file, folder or disk is read-only"

/* Root may everything: then it is somebody else who runs lb. NULL: nobody can. */
static const char *who_may_not(struct archive *archive)
{
    static const char nobody[] = "setpriv --reuid=nobody --regid=nogroup --clear-groups";
    struct text script = {0};
    if (geteuid() != 0)
        return "";
    text_add_format(&script, "chown -R nobody:nogroup '%s' && %s test -x '%s'",
                    archive->scene.folder.path, nobody, process_lb());
    bool can = system(script.bytes) == 0;
    text_done(&script);
    if (!can)
        fprintf(stderr, "skipped: needs a user \"nobody\" who may run %s\n", process_lb());
    return can ? nobody : NULL;
}

START_TEST(what_may_not_be_read_is_told)
{
    struct archive archive;
    archive_open(&archive);
    make_good(&archive);
    process_shell(archive.scene.folder.path, "cp good.db var/registry.db");
    const char *as = who_may_not(&archive);
    if (as) {
        process_shell(archive.scene.folder.path, "chmod 0 var/registry.db");
        expect_refused(&archive, as, "run -c lb.ini", "var/registry.db");
        expect_refused(&archive, as, "cert list -c direct.ini", "var/registry.db");
        expect_refused(&archive, as, "cert register device-1.crt -c direct.ini", "var/registry.db");
        process_shell(archive.scene.folder.path, "cmp good.db var/registry.db");
    }
    archive_close(&archive);
}
END_TEST

static void start_as(struct archive *archive, const char *as)
{
    struct text script = {0};
    text_add_format(&script, "cd '%s'; exec %s '%s' run -c lb.ini", archive->scene.folder.path, as,
                    process_lb());
    const char *argv[] = {"/bin/sh", "-c", script.bytes, NULL};
    archive->scene.pid = process_start(argv, folder_file(&archive->scene.folder, "lb.log"));
    eventually(scene_log_has(&archive->scene, "lb.ready", NULL));
    text_done(&script);
}

/* Whom it knows it serves; it only cannot learn. */
START_TEST(a_store_that_may_only_be_read_is_served_from)
{
    struct archive archive;
    archive_open(&archive);
    make_good(&archive);
    process_shell(archive.scene.folder.path,
                  "cp good.db var/registry.db; chmod 400 var/registry.db");
    const char *as = who_may_not(&archive);
    if (as) {
        expect_refused(&archive, as, "cert register device-1.crt -c direct.ini", READ_ONLY);
        start_as(&archive, as);
        ck_assert_uint_eq(visit(&archive, "device-0"), 204);
        char *said = refusal(&archive, 503, "/v1/certificates/register",
                             json_pack("{s:s}", "pem", archive.fleet.devices[1].pem));
        expect_words(said, READ_ONLY);
        free(said);
        ck_assert_uint_ne(visit(&archive, "device-1"), 204);
        scene_stop(&archive.scene);
        process_shell(archive.scene.folder.path, "cmp good.db var/registry.db");
    }
    archive_close(&archive);
}
END_TEST

/* Not even what is needed to read it can be put beside it. */
START_TEST(a_store_in_a_folder_that_may_only_be_read_is_told)
{
    struct archive archive;
    archive_open(&archive);
    make_good(&archive);
    process_shell(archive.scene.folder.path,
                  "cp good.db var/registry.db; chmod 400 var/registry.db; chmod 500 var");
    const char *as = who_may_not(&archive);
    if (as) {
        expect_refused(&archive, as, "cert register device-1.crt -c direct.ini", READ_ONLY);
        expect_refused(&archive, as, "cert list -c direct.ini", READ_ONLY);
        expect_refused(&archive, as, "run -c lb.ini", READ_ONLY);
        process_shell(archive.scene.folder.path, "cmp good.db var/registry.db");
    }
    process_shell(archive.scene.folder.path, "chmod 700 var");
    archive_close(&archive);
}
END_TEST

/* --- a disk that is full ------------------------------------------------------------------- */

/* A small disk of the test's own at var, gone with its last process. */
static bool mount_disk(struct archive *archive)
{
    const char *path = folder_file(&archive->scene.folder, "var");
    if (mkdir(path, 0700) == 0 && unshare(CLONE_NEWNS) == 0 &&
        mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
        mount("none", path, "tmpfs", 0, "size=8m,mode=700") == 0)
        return true;
    fprintf(stderr, "skipped: no disk can be mounted: %s\n", strerror(errno));
    return false;
}

static void fill_disk(struct archive *archive)
{
    static const char noise[4096] = "full";
    const char *path = folder_file(&archive->scene.folder, "var/ballast");
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    while (write(fd, noise, sizeof noise) > 0)
        continue;
    ck_assert_int_eq(errno, ENOSPC);
    close(fd);
}

static void empty_disk(struct archive *archive)
{
    ck_assert_int_eq(unlink(folder_file(&archive->scene.folder, "var/ballast")), 0);
}

/* What the log has still room for is done; then it is refused, and has not happened. */
static void change_until_refused(struct archive *archive, unsigned *seed)
{
    bool is_refused = false;
    for (unsigned i = 0; i < 1000 && !is_refused; i++) {
        struct device_change chosen;
        struct device *device = &archive->fleet.devices[1 + i % (DEVICES - 1)];
        json_t *json;
        if (!fleet_choose(device, seed, &chosen))
            continue;
        unsigned status = api_call(&archive->scene, chosen.method, chosen.target,
                                   fleet_body(device, &chosen), &json);
        is_refused = status == 503;
        if (is_refused)
            expect_words(json_string_value(json_object_get(json_object_get(json, "error"), "text")),
                         "there is no room left on its disk; nothing was changed");
        else
            fleet_took(device, &chosen);
        json_decref(json);
    }
    ck_assert(is_refused);
}

static void check_full(struct archive *archive, unsigned *seed)
{
    change_until_refused(archive, seed);
    fleet_check(&archive->fleet, ask_lb, archive);
    for (unsigned i = 0; i < DEVICES; i++)
        ck_assert((visit(archive, archive->fleet.devices[i].name) == 204) ==
                  fleet_may_pass(&archive->fleet.devices[i]));
    const char *path = folder_file(&archive->scene.folder, "var/backup.db");
    char *said = refusal(archive, 503, "/v1/registry/backup", json_pack("{s:s}", "path", path));
    expect_words(said, "var/backup.db cannot be written: No space left");
    free(said);
    ck_assert_int_ne(access(folder_file(&archive->scene.folder, "var/backup.db"), F_OK), 0);
}

START_TEST(on_a_full_disk_lb_serves_whom_it_knows)
{
    struct archive archive;
    unsigned seed = 11;
    archive_open(&archive);
    if (mount_disk(&archive)) {
        start(&archive);
        upload(&archive);
        struct device *known = &archive.fleet.devices[0];
        change(&archive, known, &seed);
        fill_disk(&archive);
        check_full(&archive, &seed);
        empty_disk(&archive);
        for (unsigned j = 0; j < CHANGES; j++)
            change(&archive, &archive.fleet.devices[j % DEVICES], &seed);
        fleet_check(&archive.fleet, ask_lb, &archive);
        fill_disk(&archive);
        check_full(&archive, &seed);
        scene_stop(&archive.scene);
        start(&archive); /* so that whoever is known is served */
        check_full(&archive, &seed);
        empty_disk(&archive);
        for (unsigned i = 0; i < CHANGES; i++)
            change(&archive, &archive.fleet.devices[i % DEVICES], &seed);
        fleet_check(&archive.fleet, ask_lb, &archive);
    }
    archive_close(&archive);
}
END_TEST

/* Nothing is there yet, and nothing can be made; then it can. */
START_TEST(on_a_full_disk_no_store_is_half_made)
{
    struct archive archive;
    archive_open(&archive);
    if (mount_disk(&archive)) {
        fill_disk(&archive);
        expect_refused(&archive, "", "ca upload fleet-ca.crt --name fleet -c direct.ini",
                       "var/registry.db cannot be ");
        process_shell(archive.scene.folder.path, "test \"$(ls -A var)\" = ballast");
        empty_disk(&archive);
        char *said;
        ck_assert_int_eq(
            run(&archive, "", "ca upload fleet-ca.crt --name fleet -c direct.ini", &said), 0);
        free(said);
    }
    archive_close(&archive);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, what_was_there_at_a_backup_is_there_again, 0, 2);
    tcase_add_loop_test(tcase, what_is_no_store_of_ours_is_refused_and_left_alone, 0,
                        sizeof damages / sizeof *damages);
    tcase_add_test(tcase, what_may_not_be_read_is_told);
    tcase_add_test(tcase, a_store_that_may_only_be_read_is_served_from);
    tcase_add_test(tcase, a_store_in_a_folder_that_may_only_be_read_is_told);
    tcase_add_test(tcase, on_a_full_disk_lb_serves_whom_it_knows);
    tcase_add_test(tcase, on_a_full_disk_no_store_is_half_made);
}

CHECK_MAIN("the registry is backed up and restored", add_tests)
