/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lb ca, lb cert, lb audit and lb registry as an operator types them: first without a running lb,
 * straight on the store; then to the running one, whose clients notice; and both at once.
 */
#include <errno.h>
#include <jansson.h>
#include <pty.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/cast.h"
#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/process.h"

/* clang-format off */
#define REST \
    "[registry]\nstore = sqlite:registry.db\n\n" \
    "[listener web]\naddress = 127.0.0.1:@web\ncertificate = server.crt\n" \
    "certificate_key = server.key\nmutual_auth = require\nclient_ca = registry\n" \
    "client_registration = manual\n\n" \
    "[rule www]\nlistener = web\ndomain = www.example.com\nrespond = 204\n"
#define LB "[lb]\nworkers = 2\naccess_log = off\n\n"
static const char ini[] = LB REST;
/* Beside a host that asks nobody. */
static const char open_ini[] = LB REST
    "[rule open]\nlistener = web\ndomain = open.example.com\nmutual_auth = off\nrespond = 204\n";
/* The same registry, by a file whose lb nobody can ask. */
static const char direct_ini[] = LB "[admin]\naddress = off\n\n" REST;
/* clang-format on */

#define WWW "www.example.com"

struct desk {
    struct scene scene;
    struct text said; /* by the last command */
};

static void desk_open(struct desk *desk)
{
    *desk = (struct desk){0};
    scene_begin(&desk->scene);
    cast_write(&desk->scene);
    scene_write_ini(&desk->scene, "lb.ini", ini);
    scene_write_ini(&desk->scene, "direct.ini", direct_ini);
}

static void desk_close(struct desk *desk)
{
    text_done(&desk->said);
    scene_end(&desk->scene);
}

/* A shell's line in the scene's folder, where $LB is the program. */
static int shell(struct desk *desk, const char *line)
{
    struct text script = {0};
    text_add_format(&script, "cd '%s'; LB='%s'; %s", desk->scene.folder.path, process_lb(), line);
    const char *argv[] = {"/bin/sh", "-c", script.bytes, NULL};
    text_done(&desk->said);
    int status = process_run(argv, &desk->said);
    text_done(&script);
    return status;
}

/* What a line says, and how it ends. */
static void expect(struct desk *desk, int status, const char *says, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
static void expect(struct desk *desk, int status, const char *says, const char *format, ...)
{
    char line[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    int ended = shell(desk, line);
    ck_assert_msg(ended == status && strstr(desk->said.bytes, says), "`%s` ended with %d: %s", line,
                  ended, desk->said.bytes);
}

/* A text member of the first certificate that `lb cert list --json FILTER` finds; "" for none. */
static const char *first(struct desk *desk, const char *filter, const char *member)
{
    static char found[256];
    char line[512];
    snprintf(line, sizeof line, "$LB cert list --json %s", filter);
    ck_assert_int_eq(shell(desk, line), 0);
    json_t *answer = json_loads(desk->said.bytes, 0, NULL);
    ck_assert_ptr_nonnull(answer);
    const json_t *one = json_array_get(json_object_get(answer, "certificates"), 0);
    const char *text = json_string_value(json_object_get(one, member));
    snprintf(found, sizeof found, "%s", text ? text : "");
    json_decref(answer);
    return found;
}

static const char *serial_of(struct desk *desk, const char *name)
{
    char filter[64];
    snprintf(filter, sizeof filter, "--cn '%s'", name);
    return first(desk, filter, "serial");
}

static const char *status_of(struct desk *desk, const char *name)
{
    char filter[64];
    snprintf(filter, sizeof filter, "--cn '%s'", name);
    return first(desk, filter, "status");
}

static bool is_there(struct desk *desk, const char *file)
{
    return access(folder_file(&desk->scene.folder, file), F_OK) == 0;
}

static void expect_mode(struct desk *desk, const char *file, mode_t mode)
{
    struct stat status;
    ck_assert_int_eq(stat(folder_file(&desk->scene.folder, file), &status), 0);
    ck_assert_uint_eq(status.st_mode & 0777, mode);
}

/* The status of an answer; 0: the handshake or the connection ended it. */
static unsigned visit(struct desk *desk, const char *who)
{
    struct peer peer;
    unsigned status = 0;
    if (peer_connect_tls(&peer, scene_port(&desk->scene, "web"),
                         WISH(&desk->scene, .sni = WWW, .who = who)))
        status = peer_get(&peer, WWW, "/", NULL, 0);
    peer_close(&peer);
    return status;
}

/* --- what may be done with and without lb --------------------------------------------------- */

static void make_ca(struct desk *desk)
{
    expect(desk, 0, "There is no CA", "$LB ca list");
    expect(desk, 0, "the built-in CA is made: builtin", "$LB ca create --cn 'Test CA' --key p384");
    expect(desk, 1, "there is a built-in CA already", "$LB ca create");
    expect(desk, 0, "CN=Test CA", "$LB ca list");
    expect(desk, 0, "Public Key Algorithm: id-ecPublicKey",
           "$LB ca show builtin --pem | openssl x509 -noout -text");
    expect(desk, 0, "builtin is bound to: " WWW, "$LB ca bind builtin " WWW);
    expect(desk, 1, "elsewhere.example.com", "$LB ca bind builtin elsewhere.example.com");
}

/* Both forms are read by others; only the old one has what old importers know. */
static void issue_bundles(struct desk *desk)
{
    folder_write(&desk->scene.folder, "pw", "s\xc3\xa9same\nnot this\n");
    expect(desk, 1, "every user of this machine may read it",
           "chmod 644 pw; $LB cert issue --cn carol --p12 carol.p12 --password-file pw");
    ck_assert(!is_there(desk, "carol.p12"));
    expect(desk, 0, "to carol, ACTIVATED",
           "chmod 600 pw; $LB cert issue --cn carol --ou field --o Example --c DE --dns a.example "
           "--email c@a.example --days 90 --client-id c7 --p12 carol.p12 --password-file pw");
    expect_mode(desk, "carol.p12", 0600);
    expect(desk, 0, "AES-256-CBC",
           "openssl pkcs12 -in carol.p12 -passin 'pass:s\xc3\xa9same' -info -noout");
    expect(desk, 0, "subject=CN=carol,OU=field,O=Example,C=DE",
           "openssl pkcs12 -in carol.p12 -passin 'pass:s\xc3\xa9same' -nodes | tee carol.pem; "
           "openssl verify -CAfile carol.pem carol.pem; openssl x509 -in carol.pem -noout -subject "
           "-nameopt RFC2253");
    expect(desk, 0, "dora",
           "$LB cert issue --cn dora --key rsa2048 --legacy --p12 dora.p12 "
           "--password-file pw --activate no");
    expect(desk, 0, "pbeWithSHA1And3-KeyTripleDES-CBC",
           "openssl pkcs12 -in dora.p12 -passin 'pass:s\xc3\xa9same' -info -noout");
    ck_assert_ptr_nonnull(strstr(desk->said.bytes, "MAC: sha1"));
    ck_assert_str_eq(status_of(desk, "dora"), "REGISTERED");
}

static void issue_files(struct desk *desk)
{
    expect(desk, 0, "to ernie", "$LB cert issue --cn ernie --out ernie.crt --key-out ernie.key");
    expect_mode(desk, "ernie.key", 0600);
    expect(desk, 0, "to fred", "$LB cert issue --cn fred --key ed25519 --out fred.pem");
    expect_mode(desk, "fred.pem", 0600);
    expect(desk, 0, "ED25519", "openssl pkey -in fred.pem -noout -text");
    expect(desk, 0, "the only time that the key is shown", "$LB cert issue --cn greta");
    ck_assert_ptr_nonnull(strstr(desk->said.bytes, "-----BEGIN PRIVATE KEY-----"));
    expect(desk, 0, "to hanna",
           "openssl req -new -newkey rsa:2048 -nodes -keyout hanna.key -out hanna.csr -subj "
           "/CN=hanna 2>/dev/null; $LB cert issue --csr hanna.csr --ou office --out hanna.crt");
    expect(desk, 0, "OU=office",
           "openssl x509 -in hanna.crt -noout -subject -nameopt RFC2253; ! grep PRIVATE hanna.crt");
}

/* Whatever stands in the way is found before anything is issued. */
static void issue_nothing(struct desk *desk)
{
    expect(desk, 1, "ernie.crt is there already", "$LB cert issue --cn ilse --out ernie.crt");
    expect(desk, 1, "ernie.key is there already",
           "$LB cert issue --cn ilse --out ilse.crt --key-out ernie.key");
    ck_assert(!is_there(desk, "ilse.crt"));
    expect(desk, 1, "none/ilse.pem cannot be made", "$LB cert issue --cn ilse --out none/ilse.pem");
    expect(desk, 1, "there is no terminal to ask",
           "setsid -w $LB cert issue --cn ilse --p12 ilse.p12");
    expect(desk, 1, "holds a private key", "$LB cert issue --csr ernie.key --out ilse.crt");
    expect(desk, 1, "/dev/full", "$LB cert issue --cn ilse --out /dev/full");
    ck_assert(!is_there(desk, "ilse.p12") && !is_there(desk, "ilse.crt"));
    ck_assert_str_eq(serial_of(desk, "ilse"), "");
}

static void change_states(struct desk *desk)
{
    char serial[64];
    snprintf(serial, sizeof serial, "%s", serial_of(desk, "ernie"));
    expect(desk, 1, "ACTIVATED", "$LB cert delete %s", serial);
    expect(desk, 0, "is deactivated", "$LB cert deactivate %s", serial);
    expect(desk, 0, "is deactivated already", "$LB cert deactivate %s", serial);
    expect(desk, 0, "is activated", "$LB cert activate %s", serial);
    expect(desk, 0, "has its client id", "$LB cert client-id %s meter-7", serial);
    expect(desk, 0, "client id        meter-7", "$LB cert show %s", serial);
    expect(desk, 0, "-----BEGIN CERTIFICATE-----",
           "$LB cert export %s | tee exported; cmp exported ernie.crt", serial);
    expect(desk, 1, "say --yes if it is meant", "$LB cert revoke %s", serial);
    expect(desk, 0, "is revoked", "$LB cert revoke %s --yes", serial);
    expect(desk, 1, "revoked for good", "$LB cert activate %s", serial);
    expect(desk, 0, "ACTIVATED -> REVOKED", "$LB audit --serial %s", serial);
    expect(desk, 0, "is deleted", "$LB cert delete %s", serial);
    ck_assert_str_eq(serial_of(desk, "ernie"), "");
    ck_assert_str_eq(first(desk, "--status deleted", "common_name"), "ernie");
    expect(desk, 0, "REVOKED -> DELETED", "$LB audit --serial %s", serial);
    expect(desk, 0, "The log has nothing of it.", "$LB audit --serial 0123");
    expect(desk, 1, "there is no certificate", "$LB cert show 0123 ");
}

/* A CA of one's own, and a fleet of it that is larger than a second's sign-ups. */
static void bring_a_fleet(struct desk *desk)
{
    expect(desk, 0, "fleet.pem",
           "for i in $(seq 40); do openssl req -new -key alice.key -subj /CN=device-$i/OU=fleet | "
           "openssl x509 -req -CA partner-ca.crt -CAkey partner-ca.key -set_serial 0x7000$i -days "
           "20 2>/dev/null; done > fleet.pem; ls fleet.pem");
    expect(desk, 1, "upload it first", "$LB cert register fleet.pem");
    expect(desk, 0, "uploaded: partner",
           "cat partner-ca.crt partner-ca.key > both.pem; "
           "$LB ca upload both.pem --name partner");
    expect(desk, 1, "was uploaded on", "$LB ca upload partner-ca.crt");
    expect(desk, 1, "is no CA", "$LB ca upload alice.crt --name alice");
    expect(desk, 0, "20 registered, 0 refused",
           "awk '/BEGIN/ {n++} n <= 20' fleet.pem > twenty.pem; $LB cert register twenty.pem "
           "--ca partner --activate no");
    expect(desk, 1, "twenty.pem:1: ", "$LB cert register twenty.pem");
    expect(desk, 0, "20 imported, 20 there already, 0 refused",
           "printf 'serial,id\\n700030,meter-30\\n' > ids.csv; "
           "$LB cert import fleet.pem --client-ids ids.csv");
    ck_assert_str_eq(first(desk, "--client-id meter-30", "common_name"), "device-30");
    expect(desk, 0, "20 match", "$LB cert list --ou fleet --status registered --count --limit 5");
    ck_assert_ptr_nonnull(strstr(desk->said.bytes, "There are more: --all"));
    expect(desk, 0, ", from fleet.pem", "$LB cert show 700030");
    expect(desk, 0, "certificate.import", "$LB audit --serial 700030");
    expect(desk, 1, "cn: \"a*b\" is not possible: write \"x*\"", "$LB cert list --cn 'a*b'");
    expect(desk, 0, "device-30", "$LB cert --json list --cn device-30");
    expect(desk, 0, "40", "$LB cert list --ca partner --expiring --all | grep -c device-");
    expect(desk, 1, "0", "$LB cert list --expiring 10d --all | grep -c device-");
    expect(desk, 0, "40",
           "$LB cert list --sort cn --desc --all --json | grep -c '\"unit\":\"fleet\"'");
}

static void steer_cas(struct desk *desk)
{
    expect(desk, 0, "partner is bound to: " WWW, "$LB ca bind partner " WWW);
    expect(desk, 1, "hosts are bound", "$LB ca delete partner");
    expect(desk, 0, "is disabled", "$LB ca disable partner");
    expect(desk, 0, "\"status\": \"inactive\"", "$LB ca show partner --json");
    expect(desk, 0, "is enabled", "$LB ca enable partner");
    expect(desk, 0, "partner is bound to: no host", "$LB ca unbind partner --all");
    expect(desk, 0, "partner is deleted", "$LB ca delete partner");
    expect(desk, 1, "there is no CA \"partner\"", "$LB ca show partner");
}

static void back_up(struct desk *desk)
{
    expect(desk, 0, "backup.db: ", "$LB registry backup backup.db");
    expect_mode(desk, "backup.db", 0600);
    expect(desk, 1, "is there already", "$LB registry backup backup.db");
    expect(desk, 0, "ok",
           "sed 's/registry.db/backup.db/' direct.ini > old.ini; "
           "$LB cert list --all > a; $LB cert list --all -c old.ini > b; cmp a b && "
           "echo ok");
}

static void do_everything(struct desk *desk)
{
    make_ca(desk);
    issue_bundles(desk);
    issue_files(desk);
    issue_nothing(desk);
    change_states(desk);
    bring_a_fleet(desk);
    steer_cas(desk);
    back_up(desk);
}

/* --- stories -------------------------------------------------------------------------------- */

START_TEST(without_lb_the_store_is_changed)
{
    struct desk desk;
    desk_open(&desk);
    do_everything(&desk);
    expect(&desk, 0, ", without lb", "$LB audit --limit 1000");
    ck_assert_uint_eq(text_count(desk.said.bytes, "uid "),
                      text_count(desk.said.bytes, ", without lb"));
    desk_close(&desk);
}
END_TEST

START_TEST(with_lb_it_is_asked)
{
    struct desk desk;
    desk_open(&desk);
    scene_start(&desk.scene, ini);
    do_everything(&desk);
    expect(&desk, 0, "uid ", "$LB audit --limit 1000");
    ck_assert_uint_eq(text_count(desk.said.bytes, ", without lb"), 0);
    desk_close(&desk);
}
END_TEST

/* Who believes that a host is protected is told where it is not. */
START_TEST(a_binding_without_effect_is_told)
{
    struct desk desk;
    desk_open(&desk);
    scene_write_ini(&desk.scene, "lb.ini", open_ini);
    for (int running = 0; running < 2; running++) {
        if (running)
            scene_start(&desk.scene, open_ini);
        else
            expect(&desk, 0, "uploaded: partner", "$LB ca upload partner-ca.crt --name partner");
        expect(&desk, 0,
               "lb ca bind: warning: no rule of open.example.com asks for certificates of CA "
               "partner, so that it is bound there has no effect: mutual_auth of rule open",
               "$LB ca bind partner open.example.com 2>&1 >bound; grep 'open.example.com' bound");
        expect(&desk, 0, "is bound to", "$LB ca bind partner " WWW " --replace");
        ck_assert_ptr_null(strstr(desk.said.bytes, "warning"));
        expect(&desk, 0, "open.example.com", "$LB ca bind partner open.example.com");
    }
    expect(&desk, 0,
           "lb.ini: warning: CA partner is bound to hosts that do not ask for it: open.example.com "
           "(mutual_auth of rule open is off)",
           "$LB check -c lb.ini");
    ck_assert(scene_reload(&desk.scene, open_ini));
    ck_assert(scene_log_has(&desk.scene, "config.problem", "do not ask for it", NULL));
    desk_close(&desk);
}
END_TEST

/* Its config needs a file that is gone, which only another load notices. */
START_TEST(what_is_not_in_force_is_said_to_be_so)
{
    struct desk desk;
    desk_open(&desk);
    scene_start(&desk.scene, open_ini);
    expect(&desk, 0, "uploaded: partner",
           "$LB ca upload partner-ca.crt --name partner; mv server.crt kept.crt");
    expect(&desk, 1, "partner is bound to: " WWW " (NOT IN FORCE)", "$LB ca bind partner " WWW);
    ck_assert_ptr_nonnull(strstr(desk.said.bytes, "lb ca bind: NOT IN FORCE: "));
    ck_assert_ptr_nonnull(strstr(desk.said.bytes, ": error: "));
    ck_assert_ptr_nonnull(strstr(desk.said.bytes, "server.crt"));
    expect(&desk, 1, "\"in_force\": false", "$LB ca bind partner open.example.com --json");
    ck_assert_ptr_nonnull(strstr(desk.said.bytes, "NOT IN FORCE: "));
    expect(&desk, 0, "is in force", "mv kept.crt server.crt; $LB reload");
    ck_assert_uint_eq(visit(&desk, "bob"), 403); /* asked for, and not registered */
    desk_close(&desk);
}
END_TEST

START_TEST(clients_notice_at_once)
{
    struct desk desk;
    desk_open(&desk);
    scene_start(&desk.scene, ini);
    make_ca(&desk);
    expect(&desk, 0, "to carol", "$LB cert issue --cn carol --out carol.crt --key-out carol.key");
    ck_assert_uint_eq(visit(&desk, "carol"), 204);
    ck_assert_uint_eq(visit(&desk, "alice"), 0);
    char serial[64];
    snprintf(serial, sizeof serial, "%s", serial_of(&desk, "carol"));
    struct peer peer;
    ck_assert(peer_connect_tls(&peer, scene_port(&desk.scene, "web"),
                               WISH(&desk.scene, .sni = WWW, .who = "carol")));
    ck_assert_uint_eq(peer_get(&peer, WWW, "/", NULL, 0), 204);
    expect(&desk, 0, "127.0.0.1 port ", "$LB cert show %s", serial);
    expect(&desk, 0, "is revoked", "$LB cert revoke --yes %s", serial);
    ck_assert_uint_eq(visit(&desk, "carol"), 0);
    while (peer_receive(&peer))
        continue;
    peer_close(&peer);
    expect(&desk, 0, "Nobody is connected", "$LB cert show %s", serial);
    desk_close(&desk);
}
END_TEST

/* One speaks to lb, the other writes the store by himself, at the same time. */
START_TEST(two_writers_lose_nothing)
{
    struct desk desk;
    desk_open(&desk);
    scene_start(&desk.scene, ini);
    make_ca(&desk);
    expect(&desk, 0, "done",
           "issue() { for i in $(seq 12); do $LB cert issue -c $1.ini --cn $1-$i --out $1-$i.crt "
           "--key-out $1-$i.key >> $1.log 2>&1 || exit 1; done; }; issue lb & one=$!; issue direct "
           "& two=$!; wait $one && wait $two && echo done; cat direct.log lb.log | grep -v issued");
    expect(&desk, 0, "24 match", "$LB cert list --ca builtin --count");
    expect(&desk, 0, "24", "$LB audit --limit 1000 | grep -c certificate.issue");
    expect(&desk, 0, "12", "$LB audit --limit 1000 | grep -c 'without lb.*CN=direct-'");
    /* The running lb knows of both. */
    ck_assert_uint_eq(visit(&desk, "lb-12"), 204);
    eventually(visit(&desk, "direct-12") == 204);
    expect(&desk, 0, "is revoked", "$LB cert revoke -c direct.ini --yes %s",
           serial_of(&desk, "direct-12"));
    eventually(visit(&desk, "direct-12") == 0);
    desk_close(&desk);
}
END_TEST

/* --- on a terminal -------------------------------------------------------------------------- */

static void await(int terminal, struct text *shown, const char *words)
{
    char piece[256];
    while (!shown->bytes || !strstr(shown->bytes, words)) {
        ssize_t got = read(terminal, piece, sizeof piece);
        ck_assert_msg(got > 0, "it ended without \"%s\": %s", words,
                      shown->bytes ? shown->bytes : "");
        text_add(shown, piece, (size_t)got);
    }
}

/* Run it on a terminal of its own; each prompt gets its answer. returns its exit status. */
static int converse(struct desk *desk, const char *const *argv, const char *const (*talk)[2])
{
    struct text shown = {0};
    int terminal, ended;
    char piece[256];
    pid_t pid = forkpty(&terminal, NULL, NULL, NULL);
    ck_assert_msg(pid >= 0, "no terminal, is /dev/pts mounted? %s", strerror(errno));
    if (pid == 0) {
        if (chdir(desk->scene.folder.path) == 0)
            execv(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    for (; (*talk)[0]; talk++) {
        await(terminal, &shown, (*talk)[0]);
        ck_assert_int_gt(write(terminal, (*talk)[1], strlen((*talk)[1])), 0);
        text_drop(&shown, shown.length);
    }
    while (read(terminal, piece, sizeof piece) > 0)
        continue;
    ck_assert_int_eq(waitpid(pid, &ended, 0), pid);
    close(terminal);
    text_done(&shown);
    return WIFEXITED(ended) ? WEXITSTATUS(ended) : -1;
}

START_TEST(who_sits_at_a_terminal_is_asked)
{
    static const char *const secrets[][2] = {
        {"A new password for carol.p12: ", "sesame\n"}, {"once more: ", "sesame\n"}, {NULL, NULL}};
    static const char *const no[][2] = {{"Type yes: ", "no\n"}, {NULL, NULL}};
    static const char *const yes[][2] = {{"CN=carol? It cannot be undone. Type yes: ", "yes\n"},
                                         {NULL, NULL}};
    struct desk desk;
    desk_open(&desk);
    const char *lb = process_lb();
    const char *issue[] = {lb, "cert", "issue", "--cn", "carol", "--p12", "carol.p12", NULL};
    ck_assert_int_eq(converse(&desk, issue, secrets), 0);
    expect(&desk, 0, "MAC", "openssl pkcs12 -in carol.p12 -passin pass:sesame -info -noout");
    const char *serial = strdup(serial_of(&desk, "carol"));
    const char *revoke[] = {lb, "cert", "revoke", serial, NULL};
    ck_assert_int_eq(converse(&desk, revoke, no), 1);
    ck_assert_str_eq(status_of(&desk, "carol"), "ACTIVATED");
    ck_assert_int_eq(converse(&desk, revoke, yes), 0);
    ck_assert_str_eq(status_of(&desk, "carol"), "REVOKED");
    free((char *)(uintptr_t)serial);
    desk_close(&desk);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, without_lb_the_store_is_changed);
    tcase_add_test(tcase, with_lb_it_is_asked);
    tcase_add_test(tcase, a_binding_without_effect_is_told);
    tcase_add_test(tcase, what_is_not_in_force_is_said_to_be_so);
    tcase_add_test(tcase, clients_notice_at_once);
    tcase_add_test(tcase, two_writers_lose_nothing);
    tcase_add_test(tcase, who_sits_at_a_terminal_is_asked);
}

CHECK_MAIN("certificates are managed by command", add_tests)
