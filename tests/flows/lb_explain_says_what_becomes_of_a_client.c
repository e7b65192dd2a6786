/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lb explain, with and without a running lb, says of each client what really becomes of it: the
 * alert it gets, the reason in its answer, or the rule and pool that serve it.
 */
#include <jansson.h>
#include <openssl/tls1.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/api_call.h"
#include "tests/support/cast.h"
#include "tests/support/certificates.h"
#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/made_crl.h"
#include "tests/support/process.h"
#include "tests/support/stub_backend.h"

/* clang-format off */
static const char ini[] =
    "[lb]\nworkers = 1\naccess_log = access.log\nstate_dir = var\n\n"
    "[listener web]\naddress = 127.0.0.1:@web\nsni = on\nunknown_sni = reject\nverify_depth = 2\n\n"
    /* Refuses in the handshake. */
    "[rule strict]\nlistener = web\ndomain = strict.example.com\npool = app\n"
    "certificate = server.crt\ncertificate_key = server.key\n"
    "mutual_auth = require\nclient_ca = ca.crt\n\n"
    /* Refuses each request. */
    "[rule gentle]\nlistener = web\ndomain = gentle.example.com\npool = app\nclient_headers = nginx\n"
    "certificate = server.crt\ncertificate_key = server.key\n"
    "mutual_auth = require\nclient_ca = ca.crt\nrefuse_with = 403\n\n"
    "[rule some]\nlistener = web\ndomain = gentle.example.com\nurl = /some\npool = app\n"
    "client_headers = x-cert\nclient_headers_to = both\nclient_headers_when = first\n"
    "mutual_auth = require\nclient_ca = ca.crt\nrefuse_with = 403\n"
    "allow_client = cn:nobody\nallow_client = cn:al*\nexempt_from = 192.0.2.0/24\n\n"
    "[rule moved]\nlistener = web\ndomain = gentle.example.com\nurl = =/moved\n"
    "redirect = https://elsewhere.example.com$uri\n\n"
    "[rule known]\nlistener = web\ndomain = gentle.example.com\nurl = /known\npool = app\n"
    "mutual_auth = require\nclient_ca = ca.crt\nclient_registration = manual\nrefuse_with = 403\n\n"
    "[rule listed]\nlistener = web\ndomain = gentle.example.com\nurl = /listed\npool = app\n"
    "mutual_auth = require\nclient_ca = ca.crt\nclient_crl = ca.crl\nrefuse_with = redirect:https://help.example.com/$reason\n\n"
    "[rule lists]\nlistener = web\ndomain = lists.example.com\npool = app\n"
    "certificate = server.crt\ncertificate_key = server.key\n"
    "mutual_auth = require\nclient_ca = ca.crt\nclient_crl = ca.crl\n\n"
    "[rule stale]\nlistener = web\ndomain = stale.example.com\npool = app\n"
    "certificate = server.crt\ncertificate_key = server.key\n"
    "mutual_auth = require\nclient_ca = ca.crt\nclient_crl = stale.crl\nrefuse_with = 403\n\n"
    "[access plain]\ndomain = open.example.com\nurl = /secret\nclient_certificate = unverified\n"
    "action = block\n\n"
    "[rule open]\nlistener = web\ndomain = open.example.com\npool = app\n"
    "certificate = server.crt\ncertificate_key = server.key\n"
    "mutual_auth = request\nclient_ca = ca.crt\n\n"
    "[pool app]\nbackend = rs-1 127.0.0.1:@rs-1\nhealth_check = off\n";
/* clang-format on */

#define STRICT "strict.example.com"
#define GENTLE "gentle.example.com"
#define OPEN "open.example.com"
#define LISTS "lists.example.com"
#define STALE "stale.example.com"

struct house {
    struct scene scene;
    struct stub_backend backend;
    struct text said;
    const char *file; /* that lb explain goes by */
};

/* --- who comes ------------------------------------------------------------------------------ */

static void write_guest(const struct scene *scene, const char *name, struct certificate_wish wish)
{
    wish.name = name;
    struct made *made = made_certificate(&wish);
    made_write(made, scene->folder.path, name);
    made_free(made);
}

/* Zoe is on her CA's list; another one of its lists has ended. */
static void write_lists(const struct scene *scene, const struct made *ca)
{
    struct made *zoe = made_client(ca, "zoe");
    made_write(zoe, scene->folder.path, "zoe");
    made_crl_write(&(struct crl_wish){.issuer = ca, .revoked = {zoe}, .number = 7},
                   scene->folder.path, "ca.crl", MADE_CRL_PEM);
    made_crl_write(
        &(struct crl_wish){.issuer = ca, .from_s = -2 * MADE_DAY_S, .until_s = -MADE_DAY_S},
        scene->folder.path, "stale.crl", MADE_CRL_DER);
    made_free(zoe);
}

static void write_guests(const struct scene *scene)
{
    struct made *ca = made_ca("Guest CA");
    struct made *one = made_intermediate(ca, "One");
    struct made *two = made_intermediate(one, "Two");
    struct made *three = made_intermediate(two, "Three");
    made_write(ca, scene->folder.path, "ca");
    write_lists(scene, ca);
    write_guest(scene, "alice", (struct certificate_wish){.issuer = ca, .usage = "clientAuth"});
    write_guest(scene, "middle", (struct certificate_wish){.issuer = one, .usage = "clientAuth"});
    write_guest(scene, "deep", (struct certificate_wish){.issuer = three, .usage = "clientAuth"});
    write_guest(scene, "selfmade", (struct certificate_wish){.usage = "clientAuth"});
    write_guest(
        scene, "expired",
        (struct certificate_wish){.issuer = ca, .from_s = -2 * MADE_DAY_S, .until_s = -MADE_DAY_S});
    write_guest(
        scene, "early",
        (struct certificate_wish){.issuer = ca, .from_s = MADE_DAY_S, .until_s = 2 * MADE_DAY_S});
    write_guest(scene, "purpose", (struct certificate_wish){.issuer = ca, .usage = "serverAuth"});
    write_guest(scene, "weak", (struct certificate_wish){.issuer = ca, .key = MADE_KEY_RSA_1024});
    write_guest(scene, "forged", (struct certificate_wish){.issuer = ca, .broken_signature = true});
    write_guest(scene, "large",
                (struct certificate_wish){.issuer = ca, .padding_bytes = 60 * 1024});
    write_guest(scene, "huge",
                (struct certificate_wish){.issuer = ca, .padding_bytes = 300 * 1024});
    made_free(three);
    made_free(two);
    made_free(one);
    made_free(ca);
}

static void house_open(struct house *house)
{
    *house = (struct house){.file = "lb.ini"};
    scene_begin(&house->scene);
    cast_write(&house->scene);
    write_guests(&house->scene);
    stub_start(&house->backend, "rs-1", NULL);
    scene_set_port(&house->scene, "rs-1", house->backend.port);
    scene_start(&house->scene, ini);
}

static void house_close(struct house *house)
{
    text_done(&house->said);
    scene_end(&house->scene);
    stub_stop(&house->backend);
}

/* --- what is said --------------------------------------------------------------------------- */

/* `lb explain …`, in the scene's folder; what it says is in house->said. */
static int explain(struct house *house, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static int explain(struct house *house, const char *format, ...)
{
    struct text script = {0};
    char line[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    /* How much lb check warns of is told, too: on stderr. */
    text_add_format(
        &script,
        "cd '%s'; '%s' explain -c %s %s 2> told; status=$?; grep -v 'lb check tells' told; "
        "exit $status",
        house->scene.folder.path, process_lb(), house->file, line);
    const char *argv[] = {"/bin/sh", "-c", script.bytes, NULL};
    text_done(&house->said);
    int status = process_run(argv, &house->said);
    text_add(&house->said, "", 0);
    text_done(&script);
    return status;
}

static bool says(const struct house *house, const char *what)
{
    return house->said.bytes && strstr(house->said.bytes, what) != NULL;
}

#define MUST_SAY(house, status_, status, what)                                                     \
    ck_assert_msg((status_) == (status) && says(house, what),                                      \
                  "status %d instead of %d, or no '%s' in:\n%s", status_, status, what,            \
                  (house)->said.bytes)

/* The answer of `lb explain --json …`; the caller's. */
static json_t *explanation(struct house *house, const char *who, const char *sni, const char *rest,
                           int *ret_status)
{
    char cert[64], name[96];
    snprintf(cert, sizeof cert, who ? "--cert %s.crt" : " ", who);
    snprintf(name, sizeof name, sni ? "--sni %s" : "--no-sni", sni);
    *ret_status = explain(house, "--json %s %s %s", cert, name, rest);
    json_t *json = json_loads(house->said.bytes, 0, NULL);
    ck_assert_msg(json != NULL, "%s %s said: %s", cert, rest, house->said.bytes);
    return json;
}

static const char *text_of(const json_t *json, const char *member)
{
    const char *text = json_string_value(json_object_get(json, member));
    return text ? text : "-";
}

/* --- what is so ----------------------------------------------------------------------------- */

struct visit {
    const char *who; /* NULL: nobody's certificate */
    const char *sni; /* NULL: no name */
    const char *host;
    const char *path;
};

struct met {
    int alert;       /* PEER_NO_ALERT: the handshake went well */
    unsigned status; /* 0: no answer */
    char reason[64]; /* X-LB-Reason */
    char location[256];
};

static struct met meet(struct house *house, const struct visit *visit)
{
    struct met met = {0};
    struct peer peer;
    struct answer answer = {0};
    struct text request = {0};
    text_add_format(&request, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n",
                    visit->path, visit->host);
    if (peer_connect_tls(
            &peer, scene_port(&house->scene, "web"),
            WISH(&house->scene, .version = TLS1_3_VERSION, .sni = visit->sni, .who = visit->who)) &&
        peer_say(&peer, request.bytes) && peer_read_answer(&peer, "GET", &answer)) {
        met.status = answer.status;
        text_field(answer.head, "X-LB-Reason", met.reason, sizeof met.reason);
        text_field(answer.head, "Location", met.location, sizeof met.location);
    }
    peer_receive_all(&peer);
    met.alert = peer.alert;
    answer_done(&answer);
    peer_close(&peer);
    text_done(&request);
    return met;
}

static const char *alert_name(int alert)
{
    static const struct {
        int number;
        const char *name;
    } alerts[] = {
        {SSL_AD_HANDSHAKE_FAILURE, "handshake_failure"},
        {SSL_AD_BAD_CERTIFICATE, "bad_certificate"},
        {SSL_AD_UNSUPPORTED_CERTIFICATE, "unsupported_certificate"},
        {SSL_AD_CERTIFICATE_REVOKED, "certificate_revoked"},
        {SSL_AD_CERTIFICATE_EXPIRED, "certificate_expired"},
        {SSL_AD_ILLEGAL_PARAMETER, "illegal_parameter"},
        {SSL_AD_UNKNOWN_CA, "unknown_ca"},
        {SSL_AD_UNRECOGNIZED_NAME, "unrecognized_name"},
        {TLS13_AD_CERTIFICATE_REQUIRED, "certificate_required"},
    };
    for (size_t i = 0; i < sizeof alerts / sizeof *alerts; i++)
        if (alerts[i].number == alert)
            return alerts[i].name;
    return "another";
}

/* --- both ----------------------------------------------------------------------------------- */

static void must_equal(const struct house *house, const char *one, const char *other)
{
    ck_assert_msg(strcmp(one, other) == 0, "'%s' is not '%s' in:\n%s", one, other,
                  house->said.bytes);
}

static void compare_refusal(struct house *house, const struct met *met, const json_t *said)
{
    const json_t *told = json_object_get(said, "told");
    must_equal(house, text_of(said, "result"), "refused");
    if (met->alert > 0) {
        char reason[96];
        snprintf(reason, sizeof reason, "reason=%s", text_of(said, "reason"));
        must_equal(house, text_of(told, "alert"), alert_name(met->alert));
        eventually(scene_log_has(&house->scene, "client.refused", reason, NULL));
        return;
    }
    must_equal(house, text_of(said, "reason"), met->reason);
    ck_assert_int_eq(json_integer_value(json_object_get(told, "status")), met->status);
}

static void compare(struct house *house, const struct visit *visit, const char *live)
{
    int status;
    char rest[256];
    struct met met = meet(house, visit);
    snprintf(rest, sizeof rest, "--host %s --url '%s' %s", visit->host, visit->path, live);
    json_t *said = explanation(house, visit->who, visit->sni, rest, &status);
    bool is_refused = met.alert > 0 || met.status == 0 || met.status >= 400;
    ck_assert_msg(status == (is_refused ? 3 : 0), "%s at %s%s: status %d, alert %d: %s",
                  visit->who ? visit->who : "nobody", visit->host, visit->path, met.status,
                  met.alert, house->said.bytes);
    if (is_refused)
        compare_refusal(house, &met, said);
    else if (met.status != 200)
        must_equal(house, text_of(json_object_get(said, "redirect"), "location"), met.location);
    else
        must_equal(house, text_of(json_object_get(said, "pool"), "name"), "app");
    json_decref(said);
}

/* clang-format off */
static const struct visit visits[] = {
    {NULL, STRICT, STRICT, "/"},
    {NULL, NULL, STRICT, "/"},
    {NULL, "unknown.example.com", STRICT, "/"},
    {"alice", STRICT, STRICT, "/a?b=c"},
    {"middle", STRICT, STRICT, "/"},
    {"bob", STRICT, STRICT, "/"},
    {"selfmade", STRICT, STRICT, "/"},
    {"expired", STRICT, STRICT, "/"},
    {"early", STRICT, STRICT, "/"},
    {"purpose", STRICT, STRICT, "/"},
    {"weak", STRICT, STRICT, "/"},
    {"forged", STRICT, STRICT, "/"},
    {"deep", STRICT, STRICT, "/"},
    {"large", STRICT, STRICT, "/"},
    {NULL, GENTLE, GENTLE, "/"},
    {"alice", GENTLE, GENTLE, "/"},
    {"middle", GENTLE, GENTLE, "/"},
    {"bob", GENTLE, GENTLE, "/"},
    {"selfmade", GENTLE, GENTLE, "/"},
    {"expired", GENTLE, GENTLE, "/"},
    {"early", GENTLE, GENTLE, "/"},
    {"purpose", GENTLE, GENTLE, "/"},
    {"weak", GENTLE, GENTLE, "/"},
    {"forged", GENTLE, GENTLE, "/"},
    {"deep", GENTLE, GENTLE, "/"},
    {"large", GENTLE, GENTLE, "/"},
    {"alice", GENTLE, STRICT, "/"},
    {"alice", STRICT, GENTLE, "/"},
    {"alice", GENTLE, GENTLE, "/some/thing"},
    {"zoe", GENTLE, GENTLE, "/some/thing"},
    {"alice", GENTLE, GENTLE, "/moved"},
    {"alice", GENTLE, GENTLE, "/moved?a=b"},
    {"alice", GENTLE, GENTLE, "/a/%2e%2e/some"},
    {"alice", GENTLE, GENTLE, "/known"},
    {"alice", GENTLE, GENTLE, "/listed"},
    {"alice", LISTS, LISTS, "/"},
    {"zoe", LISTS, LISTS, "/"},
    {"bob", LISTS, LISTS, "/"},
    {"alice", STALE, STALE, "/"},
    {NULL, OPEN, OPEN, "/"},
    {NULL, OPEN, OPEN, "/secret"},
    {"bob", OPEN, OPEN, "/secret"},
    {"alice", OPEN, OPEN, "/secret"},
};
/* clang-format on */
enum { VISIT_COUNT = sizeof visits / sizeof *visits };

START_TEST(what_is_explained_is_what_happens)
{
    struct house house;
    house_open(&house);
    process_shell(house.scene.folder.path,
                  "cp ca.crt another.crt"); /* a store is made by a change */
    explain(&house, "--live --host a");
    ck_assert_int_eq(api_call(&house.scene, "POST", "/v1/cas/builtin", NULL, NULL), 201);
    for (unsigned i = 0; i < VISIT_COUNT; i++)
        compare(&house, &visits[i], _i == 0 ? "" : "--live");
    house_close(&house);
}
END_TEST

/* --- the registry --------------------------------------------------------------------------- */

static void change(struct house *house, const char *line)
{
    struct text script = {0};
    text_add_format(&script, "LB='%s'; ", process_lb());
    text_add_format(&script, "%s > /dev/null", line);
    process_shell(house->scene.folder.path, script.bytes);
    text_done(&script);
}

/* At all three doors that know her, with and without lb. */
static void compare_alice(struct house *house, const char *reason)
{
    static const struct visit hers[] = {{"alice", STRICT, STRICT, "/"},
                                        {"alice", GENTLE, GENTLE, "/"},
                                        {"alice", GENTLE, GENTLE, "/known"}};
    for (unsigned i = 0; i < 3; i++) {
        compare(house, &hers[i], "");
        ck_assert(says(house, reason));
        compare(house, &hers[i], "--live");
        ck_assert(says(house, reason));
    }
}

START_TEST(what_the_registry_says_is_explained_with_and_without_lb)
{
    struct house house;
    house_open(&house);
    change(&house, "$LB ca upload --name guests ca.crt -c lb.ini");
    change(&house, "$LB cert register alice.crt -c lb.ini");
    compare_alice(&house, "\"status\": \"ACTIVATED\"");
    change(
        &house,
        "$LB cert deactivate -c lb.ini $(openssl x509 -in alice.crt -noout -serial | cut -d= -f2)");
    compare_alice(&house, "\"reason\": \"not-activated\"");
    ck_assert(says(&house, "lb cert activate "));
    change(&house, "$LB cert revoke --yes -c lb.ini $(openssl x509 -in alice.crt -noout -serial | "
                   "cut -d= -f2)");
    compare_alice(&house, "\"reason\": \"revoked\"");
    int status = explain(&house, "--live --host " STRICT " --serial "
                                 "$(openssl x509 -in alice.crt -noout -serial | cut -d= -f2)");
    MUST_SAY(&house, status, 3, "refused: revoked (alert certificate_revoked)\n");
    house_close(&house);
}
END_TEST

START_TEST(to_explain_a_client_is_not_to_have_seen_it)
{
    struct house house;
    house_open(&house);
    change(&house, "$LB ca upload --name guests ca.crt -c lb.ini");
    change(&house, "$LB cert register alice.crt -c lb.ini");
    for (unsigned i = 0; i < 2; i++) {
        int status = explain(&house, "--live --cert alice.crt --host " STRICT);
        MUST_SAY(&house, status, 0, "passes: rule strict -> pool app\n");
    }
    process_shell(
        house.scene.folder.path,
        "test -s access.log && exit 1; grep -c 'client\\.\\|request\\.' lb.log && exit 1; "
        "exit 0");
    json_t *found = NULL;
    ck_assert_int_eq(api_call(&house.scene, "GET", "/v1/certificates?cn=alice", NULL, &found), 200);
    const json_t *hers = json_array_get(json_object_get(found, "certificates"), 0);
    struct text path = {0};
    json_t *shown = NULL;
    text_add_format(&path, "/v1/certificates/%s", text_of(hers, "serial"));
    ck_assert_int_eq(api_call(&house.scene, "GET", path.bytes, NULL, &shown), 200);
    ck_assert_str_eq(text_of(shown, "last_seen"), "-");
    ck_assert_uint_eq(atomic_load(&house.backend.requests), 0);
    text_done(&path);
    json_decref(shown);
    json_decref(found);
    house_close(&house);
}
END_TEST

/* --- for people ----------------------------------------------------------------------------- */

START_TEST(the_first_line_says_it_and_the_others_why)
{
    struct house house;
    house_open(&house);
    int status = explain(&house, "--live --cert alice.crt --host " GENTLE " --url /some/x");
    MUST_SAY(&house, status, 0, "passes: rule some -> pool app\n");
    ck_assert_ptr_eq(house.said.bytes, strstr(house.said.bytes, "passes: "));
    MUST_SAY(&house, status, 0, "allow_client   good: cn:al*\n");
    MUST_SAY(&house, status, 0, "X-CERT-SUBJECT-DN: CN=alice\n");
    MUST_SAY(&house, status, 0, "client gets      X-CERT-");
    MUST_SAY(&house, status, 0, "in the first request and answer of a connection alone");
    status = explain(&house, "--live --cert alice.crt --host " GENTLE);
    MUST_SAY(&house, status, 0, "X-SSL-Client-Verify: SUCCESS\n");
    status = explain(&house, "--live --cert zoe.crt --host " GENTLE " --url /some/x");
    MUST_SAY(&house, status, 3, "refused: not-allowed (403)\n");
    MUST_SAY(&house, status, 3, "add one to allow_client, as in sha256:");
    status = explain(&house, "--live --cert zoe.crt --host " GENTLE " --url /listed/x");
    MUST_SAY(&house, status, 3,
             "refused: crl-revoked (redirect to https://help.example.com/crl-revoked)\n");
    MUST_SAY(&house, status, 3, "ca.crl number 07 of CN=Guest CA, until ");
    status = explain(&house, "--live --host " GENTLE " --url /some/x --from 192.0.2.7");
    MUST_SAY(&house, status, 0, "of which its address is exempt\n");
    status = explain(&house, "--live --host " GENTLE " --url /some/x --from 198.51.100.7");
    MUST_SAY(&house, status, 3, "refused: missing (403)\n");
    status = explain(&house, "--live --cert bob.crt --host " OPEN " --url /secret");
    MUST_SAY(&house, status, 3, "to change it     [access plain] (line ");
    ck_assert(!says(&house, "client_ca"));
    status = explain(&house, "--live --cert alice.crt --host " GENTLE " --url /moved");
    MUST_SAY(&house, status, 0, "passes: rule moved -> 301 https://elsewhere.example.com/moved\n");
    house_close(&house);
}
END_TEST

START_TEST(what_is_far_too_large_for_a_handshake_is_explained)
{
    struct house house;
    house_open(&house);
    for (unsigned i = 0; i < 2; i++) {
        int status = explain(&house, "%s --cert huge.crt --host " STRICT, i ? "--live" : "");
        MUST_SAY(&house, status, 3, "refused: too-large (alert illegal_parameter)\n");
        MUST_SAY(&house, status, 3, "    certificate    not-reached\n");
    }
    house_close(&house);
}
END_TEST

START_TEST(warnings_of_the_config_are_counted_and_errors_told)
{
    struct house house;
    struct text said = {0};
    house_open(&house);
    scene_stop(&house.scene);
    process_shell(
        house.scene.folder.path,
        "printf '\\n[pool spare]\\nbackend = rs-1 127.0.0.1:9\\n[pool more]\\nbackend = rs-1 "
        "127.0.0.1:9\\n' | cat lb.ini - > odd.ini; sed 's/^workers = 1/workers = "
        "many/' odd.ini > wrong.ini");
    const char *odd[] = {process_lb(), "explain", "-c", folder_file(&house.scene.folder, "odd.ini"),
                         "--host",     STRICT,    NULL};
    ck_assert_int_eq(process_run(odd, &said), 3);
    ck_assert_msg(strstr(said.bytes, " warnings: lb check tells them\n") &&
                      !strstr(said.bytes, "pool spare"),
                  "%s", said.bytes);
    text_done(&said);
    const char *wrong[] = {
        process_lb(), "explain", "-c", folder_file(&house.scene.folder, "wrong.ini"),
        "--host",     STRICT,    NULL};
    ck_assert_int_eq(process_run(wrong, &said), 1);
    ck_assert_msg(strstr(said.bytes, "workers") && strstr(said.bytes, "pool spare"), "%s",
                  said.bytes);
    text_done(&said);
    house_close(&house);
}
END_TEST

START_TEST(what_is_no_question_is_told_in_one_line)
{
    static const struct {
        const char *line;
        int status;
        const char *says;
    } cases[] = {
        {"", 2, "lb explain: say what is asked for: --host "},
        {"--host a --cert no.crt", 1, "lb explain: no.crt: cannot be opened: "},
        {"--host a --cert alice.key", 1, "lb explain: alice.key: holds a private key; "},
        {"--host a --cert alice.csr", 1,
         "lb explain: alice.csr: holds a certificate request (CSR)"},
        {"--host a --cert noise.der", 1, "lb explain: noise.der: holds no certificate: neither "},
        {"--host a --cert locked.p12", 1,
         "lb explain: locked.p12: cannot be opened without a password"},
        {"--host 'a b'", 1, "lb explain: host \"a b\" is no host: write a name"},
        {"--host a --url b", 1, "lb explain: url \"b\" is none: write a path"},
        {"--host a --url '/b c'", 1, "lb explain: url \"/b c\" holds what no request does"},
        {"--url ftp://a/", 1, "lb explain: url \"ftp://a/\" is none"},
        {"--url https://a:9/", 1,
         "lb explain: no https listener has port 9: there are web (https "},
        {"--url http://a/", 1, "lb explain: there is no http listener: there are web (https "},
        {"--host a --listener wbe", 1, "lb explain: there is no listener wbe: did you mean web?"},
        {"--host a --sni 'b:1'", 1, "lb explain: sni \"b:1\" is no host name"},
        {"--host a --sni b --no-sni", 1, "lb explain: sni and no_sni together"},
        {"--host a --from b", 1, "lb explain: from \"b\" is no address"},
        {"--host a --method CONNECT", 1, "lb explain: method \"CONNECT\""},
        {"--host a --chain ca.crt", 2, "lb explain: --chain is what stands behind"},
        {"--host a --serial 0G", 2, "lb explain: "},
        {"--host a --serial 0A --cert alice.crt", 2, "lb explain: --cert and --serial both"},
    };
    struct house house;
    house_open(&house);
    process_shell(house.scene.folder.path,
                  "openssl req -new -key alice.key -subj /CN=alice -out alice.csr 2>openssl.log; "
                  "printf '0000' > noise.der; openssl pkcs12 -export -in alice.crt -inkey "
                  "alice.key -passout pass:secret -out locked.p12 2>>openssl.log");
    for (unsigned i = 0; i < 2 * sizeof cases / sizeof *cases; i++) {
        int status = explain(&house, "%s %s", cases[i / 2].line, i % 2 ? "--live" : "");
        ck_assert_msg(status == cases[i / 2].status && text_count(house.said.bytes, "\n") == 1 &&
                          strncmp(house.said.bytes, cases[i / 2].says, strlen(cases[i / 2].says)) ==
                              0,
                      "%s ended with %d: %s", cases[i / 2].line, status, house.said.bytes);
    }
    house_close(&house);
}
END_TEST

START_TEST(every_form_of_a_certificate_is_read)
{
    struct house house;
    house_open(&house);
    process_shell(
        house.scene.folder.path,
        "cat alice.key alice.crt > both.pem; openssl x509 -in alice.crt -outform DER -out "
        "alice.der; openssl pkcs12 -export -in alice.crt -inkey alice.key -passout pass: "
        "-out alice.p12; head -$(grep -n 'END CERT' middle.crt | head -1 | cut -d: -f1) "
        "middle.crt > leaf.crt; sed -n \"$(grep -n 'END CERT' middle.crt | head -1 | cut "
        "-d: -f1)\"',$p' middle.crt | tail -n +2 > rest.crt");
    static const char *const forms[] = {"both.pem", "alice.der", "alice.p12",
                                        "leaf.crt --chain rest.crt"};
    for (unsigned i = 0; i < sizeof forms / sizeof *forms; i++) {
        int status = explain(&house, "--live --json --host " STRICT " --cert %s", forms[i]);
        MUST_SAY(&house, status, 0, "\"result\": \"passes\"");
        ck_assert(!says(&house, "PRIVATE"));
    }
    int status = explain(&house, "--live --host " STRICT " --cert leaf.crt");
    MUST_SAY(&house, status, 3, "refused: untrusted (alert unknown_ca)\n");
    house_close(&house);
}
END_TEST

/* Whose rules need nothing of the registry but its objections. */
static const char direct_ini[] = "[lb]\nstate_dir = var\n\n"
                                 "[listener web]\naddress = 127.0.0.1:@web\n"
                                 "certificate = server.crt\ncertificate_key = server.key\n"
                                 "mutual_auth = require\nclient_ca = ca.crt\n\n"
                                 "[rule all]\nlistener = web\nrespond = 204\n";

START_TEST(a_registry_that_nobody_may_read_leaves_it_undecided)
{
    struct house house;
    house_open(&house);
    scene_stop(&house.scene);
    scene_write_ini(&house.scene, "direct.ini", direct_ini);
    house.file = "direct.ini";
    int status = explain(&house, "--cert alice.crt --host " STRICT);
    MUST_SAY(&house, status, 0, "passes: rule all -> lb answers 204\n");
    process_shell(house.scene.folder.path,
                  "mkdir -p var; echo 'no database, but long enough to be one' > var/registry.db");
    status = explain(&house, "--cert alice.crt --host " STRICT);
    MUST_SAY(&house, status, 4, "undecided: it depends on registry");
    MUST_SAY(&house, status, 4, "var/registry.db is damaged");
    status = explain(&house, "--cert bob.crt --host " STRICT);
    MUST_SAY(&house, status, 3, "refused: untrusted (alert unknown_ca)\n");
    house_close(&house);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, what_is_explained_is_what_happens, 0, 2);
    tcase_add_test(tcase, what_the_registry_says_is_explained_with_and_without_lb);
    tcase_add_test(tcase, to_explain_a_client_is_not_to_have_seen_it);
    tcase_add_test(tcase, the_first_line_says_it_and_the_others_why);
    tcase_add_test(tcase, what_is_far_too_large_for_a_handshake_is_explained);
    tcase_add_test(tcase, warnings_of_the_config_are_counted_and_errors_told);
    tcase_add_test(tcase, what_is_no_question_is_told_in_one_line);
    tcase_add_test(tcase, every_form_of_a_certificate_is_read);
    tcase_add_test(tcase, a_registry_that_nobody_may_read_leaves_it_undecided);
}

int main(void)
{
    /* Each of a hundred visits starts a program. */
    return check_run("lb explain says what becomes of a client", add_tests, 240);
}
