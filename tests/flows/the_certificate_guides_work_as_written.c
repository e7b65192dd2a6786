/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two guides for client certificates, line by line, with the openssl commands that they print, with
 * lb's own commands in the place of their consoles, and with curl as the client:
 *   one certificate per device   a CA of one's own, certificates registered by hand and by
 *                                themselves, activated, deactivated, revoked, deleted, found again
 *   the CA that lb has itself    issue, bind a host name, revoke; then a CA of one's own beside it
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/cast.h"
#include "tests/support/check_main.h"
#include "tests/support/process.h"
#include "tests/support/scene.h"
#include "tests/support/stub_backend.h"
#include "tests/support/text.h"

/* A line at a shell prompt in the scene's folder; `lb` and `ask` are there. */
struct step {
    const char *command;
    int status;
    const char *says; /* words of what it says; NULL: anything */
};

struct guide {
    struct scene scene;
    struct stub_backend backend;
};

/* clang-format off */
/* ask WHO [HOST]: what curl gets with WHO.crt and WHO.key, "-": without a certificate. Its exit
 * status is 0 whatever the answer; "000" is a handshake that failed. */
static const char ask[] =
    "#!/bin/sh\n"
    "host=${2:-www.example.com}\n"
    "[ \"$1\" = - ] || cert=\"--cert $1.crt --key $1.key\"\n"
    "curl -s -S --cacert cast-ca.pem $cert --resolve $host:@web:127.0.0.1 -w ' status %{http_code}\\n' https://$host:@web/ 2>&1 || true\n";

static const char lb[] =
    "#!/bin/sh\n"
    "exec \"$LB_BINARY\" \"$@\" -c lb.ini\n";

static const char ini[] =
    "[lb]\nworkers = 2\naccess_log = off\n\n[registry]\nauto_activate = @auto\n\n"
    "[listener web]\naddress = 127.0.0.1:@web\nsni = on\n\n"
    "[rule www]\nlistener = web\ndomain = www.example.com\npool = app\ncertificate = server.crt\ncertificate_key = server.key\n"
    "mutual_auth = when-bound\nclient_ca = registry\nclient_registration = @mode\n\n"
    "[rule other]\nlistener = web\ndomain = other.example.com\npool = app\ncertificate = server.crt\ncertificate_key = server.key\n"
    "mutual_auth = when-bound\nclient_ca = registry\nclient_registration = @mode\n\n"
    "[pool app]\nbackend = rs-1 127.0.0.1:@rs-1\n";

static const struct step device_files[] = {
    {"openssl ecparam -genkey -name prime256v1 -out CA.key", 0, NULL},
    {"openssl req -x509 -new -key CA.key -out CA.crt -days 3650 -sha256 -subj '/C=CN/O=IoV/CN=IoV device CA'", 0, NULL},
    {"printf '[v3_req]\\nbasicConstraints = critical, CA:FALSE\\nkeyUsage = critical, digitalSignature\\nextendedKeyUsage = clientAuth\\n' > client.conf", 0, NULL},
    {"openssl ecparam -genkey -name prime256v1 -out client.key", 0, NULL},
    {"openssl req -new -key client.key -out client.csr -subj \"/C=CN/ST=ZheJiang/L=HangZhou/O=IoV/CN=SN0001\"", 0, NULL},
    {"openssl x509 -req -in client.csr -CA CA.crt -CAkey CA.key -CAcreateserial -out client.crt -days 365 -sha256 -extfile client.conf -extensions v3_req", 0, NULL},
    {"openssl genrsa -out rsa.key 4096", 0, NULL},
    {"openssl req -new -key rsa.key -out rsa.csr -subj \"/C=CN/ST=ZheJiang/L=HangZhou/O=IoV/OU=Cars/CN=SN0002\"", 0, NULL},
    {"openssl x509 -req -in rsa.csr -CA CA.crt -CAkey CA.key -CAcreateserial -out rsa.crt -days 20 -sha256 -extfile client.conf -extensions v3_req", 0, NULL},
    {"openssl x509 -in client.crt -noout -serial | cut -d= -f2 > serial; openssl x509 -in rsa.crt -noout -serial | cut -d= -f2 > rsa.serial", 0, NULL},
};

static const struct step by_hand[] = {
    /* Nothing is bound: nobody is asked for a certificate. */
    {"./ask -", 0, "status 200"},
    {"./lb cert register client.crt", 1, "lb ca upload"},
    {"./lb ca upload client.crt --name iov", 1, "no CA"},
    {"./lb ca upload CA.crt --name iov", 0, "iov"},
    {"./lb ca bind iov www.example.com", 0, "www.example.com"},
    {"./lb ca bind iov nowhere.example.com", 1, "nowhere.example.com"},
    {"./ask -", 0, "status 000"},
    {"./ask - other.example.com", 0, "status 200"},
    {"./ask client", 0, "status 000"},
    {"grep -c not-registered lb.log", 0, NULL},
    /* Registered, but not activated. */
    {"./lb cert register client.crt --ca iov --client-id car-1 --activate no", 0, NULL},
    {"./ask client", 0, "status 000"},
    {"./lb cert list --status REGISTERED", 0, "SN0001"},
    {"./lb cert activate $(cat serial)", 0, NULL},
    {"./ask client", 0, "rs-1 status 200"},
    {"./lb cert register client.crt", 1, NULL},
    /* Activated by default. */
    {"./ask rsa", 0, "status 000"},
    {"./lb cert register rsa.crt --ca iov", 0, NULL},
    {"./ask rsa", 0, "rs-1 status 200"},
    /* The search box. */
    {"./lb cert list --cn SN0002 --ou Cars --status ACTIVATED --expiring 30d", 0, "SN0002"},
    {"test -z \"$(./lb cert list --json --cn SN0001 --expiring 30d | grep SN0001)\"", 0, NULL},
    {"./lb cert list --serial $(cat serial)", 0, "car-1"},
    {"./lb cert show $(cat serial)", 0, "ACTIVATED"},
    /* Deactivated, activated again. */
    {"./lb cert delete $(cat serial)", 1, "ACTIVATED"},
    {"./lb cert deactivate $(cat serial)", 0, NULL},
    {"./ask client", 0, "status 000"},
    {"./ask rsa", 0, "status 200"},
    {"./lb cert activate $(cat serial)", 0, NULL},
    {"./ask client", 0, "status 200"},
    /* Revoked: for good. */
    {"./lb cert revoke $(cat serial) < /dev/null", 1, "--yes"},
    {"./ask client", 0, "status 200"},
    {"./lb cert revoke $(cat serial) --yes", 0, NULL},
    {"./ask client", 0, "revoked"},
    {"./lb cert activate $(cat serial)", 1, "revoked for good"},
    {"./lb cert delete $(cat serial)", 0, NULL},
    {"./ask client", 0, "status 000"},
    {"./lb cert register client.crt", 1, NULL},
    {"./lb audit --json | grep -c certificate.revoke", 0, "1"},
    {"./lb ca delete iov", 1, "www.example.com"},
    {"./lb ca disable iov", 0, NULL},
    {"./ask rsa", 0, "status 000"},
    {"./ask -", 0, "status 000"}, /* it is still asked for: a disabled CA opens no door */
    {"grep -c ca-disabled lb.log", 0, NULL},
    {"./lb ca enable iov", 0, NULL},
    {"./ask rsa", 0, "status 200"},
};

static const struct step by_themselves[] = {
    {"./lb ca upload CA.crt --name iov", 0, NULL},
    {"./lb ca bind iov www.example.com", 0, NULL},
    {"./ask alice", 0, "status 000"}, /* of a CA that is not registered */
    {"./ask client", 0, "status 200"},
    {"./lb cert list --source auto", 0, "SN0001"},
    {"./ask rsa", 0, "status 200"},
    {"./lb cert list --source auto --status ACTIVATED", 0, "SN0002"},
    {"./lb cert deactivate $(cat serial)", 0, NULL},
    {"./lb cert delete $(cat serial)", 0, NULL},
    {"./ask client", 0, "status 000"}, /* what was deleted does not come back by itself */
    {"./lb cert register client.crt", 0, NULL},
    {"./ask client", 0, "status 200"},
};

static const struct step by_themselves_but_inactive[] = {
    {"./lb ca upload CA.crt --name iov", 0, NULL},
    {"./lb ca bind iov www.example.com", 0, NULL},
    {"./ask client", 0, "status 403"}, /* the handshake does not wait for the registry */
    {"./ask client", 0, "status 000"},
    {"./lb cert list --status REGISTERED --source auto", 0, "SN0001"},
    {"./lb cert activate $(cat serial)", 0, NULL},
    {"./ask client", 0, "status 200"},
};

static const struct step built_in[] = {
    {"./ask - ", 0, "status 200"},
    /* Create a certificate; it and its key are shown once. */
    {"./lb cert issue --cn 'Anna Schmidt' --ou Sales --days 365 --out anna2.crt --key-out anna2.key", 0, NULL},
    {"openssl x509 -in anna2.crt -noout -ext basicConstraints,keyUsage,extendedKeyUsage", 0, "CA:FALSE"},
    {"test $(stat -c %a anna2.key) = 600", 0, NULL},
    {"openssl req -new -newkey rsa:3072 -nodes -keyout phone.key -out phone.csr -subj '/CN=phone'", 0, NULL},
    {"./lb cert issue --csr phone.csr --out phone.crt", 0, NULL},
    /* Bind a domain name. */
    {"./lb ca bind builtin www.example.com", 0, NULL},
    {"./lb ca bind builtin $(seq -f host%g.example.com 51)", 1, "50"},
    {"./ask -", 0, "status 000"},
    {"./ask - other.example.com", 0, "status 200"},
    {"./ask anna2", 0, "rs-1 status 200"},
    {"./ask phone", 0, "rs-1 status 200"},
    /* Revoke. */
    {"./lb cert revoke $(openssl x509 -in phone.crt -noout -serial | cut -d= -f2) --yes", 0, NULL},
    {"./ask phone", 0, "revoked"},
    {"./ask anna2", 0, "status 200"},
    /* A custom certificate: upload, bind, list, get, delete. */
    {"./lb ca upload CA.crt --name custom", 0, NULL},
    {"./ask client", 0, "status 000"},
    {"./lb ca bind custom www.example.com other.example.com", 0, NULL},
    {"./lb cert register client.crt", 0, NULL},
    {"./ask client", 0, "status 200"},
    {"./ask client other.example.com", 0, "status 200"},
    {"./ask - other.example.com", 0, "status 000"},
    {"./lb ca list", 0, "custom"},
    {"./lb ca show custom", 0, "other.example.com"},
    {"./lb ca delete custom", 1, "bound"},
    {"./lb ca unbind custom --all", 0, NULL},
    {"./ask - other.example.com", 0, "status 200"},
    {"./lb ca delete custom", 0, NULL},
    {"./lb ca delete builtin", 1, NULL},
};
/* clang-format on */

/* The INI text with its words in place. */
static char *ini_of(const char *mode, const char *activate)
{
    struct text text = {0};
    for (const char *at = ini; *at;) {
        if (strncmp(at, "@mode", 5) == 0) {
            text_add(&text, mode, strlen(mode));
            at += 5;
        } else if (strncmp(at, "@auto", 5) == 0) {
            text_add(&text, activate, strlen(activate));
            at += 5;
        } else {
            text_add(&text, at++, 1);
        }
    }
    text_add(&text, "", 1);
    return text.bytes;
}

static void run(struct guide *guide, const struct step *steps, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *folder = guide->scene.folder.path;
        struct text said = {0};
        struct text line = {0};
        text_add_format(&line, "cd '%s' && %s", folder, steps[i].command);
        const char *argv[] = {"/bin/sh", "-c", line.bytes, NULL};
        int status = process_run(argv, &said);
        ck_assert_msg(status == steps[i].status, "%s\nended with %d and said\n%s", steps[i].command,
                      status, said.bytes ? said.bytes : "nothing");
        ck_assert_msg(!steps[i].says || (said.bytes && strstr(said.bytes, steps[i].says)),
                      "%s\ndid not say \"%s\", but\n%s", steps[i].command, steps[i].says,
                      said.bytes ? said.bytes : "nothing");
        text_done(&said);
        text_done(&line);
    }
}

#define RUN(guide, steps) run(guide, steps, sizeof steps / sizeof *steps)

static void make_program(struct guide *guide, const char *name)
{
    const char *argv[] = {"chmod", "755", folder_file(&guide->scene.folder, name), NULL};
    ck_assert_int_eq(process_run(argv, NULL), 0);
}

static void guide_begin(struct guide *guide, const char *mode, const char *activate)
{
    scene_begin(&guide->scene);
    cast_write(&guide->scene);
    stub_start(&guide->backend, "rs-1", stub_answer_by_name);
    scene_set_port(&guide->scene, "rs-1", guide->backend.port);
    scene_write_ini(&guide->scene, "ask", ask);
    folder_write(&guide->scene.folder, "lb", lb);
    make_program(guide, "ask");
    make_program(guide, "lb");
    process_shell(guide->scene.folder.path, "cp ca.crt cast-ca.pem");
    RUN(guide, device_files);
    char *text = ini_of(mode, activate);
    scene_start(&guide->scene, text);
    free(text);
}

static void guide_end(struct guide *guide)
{
    scene_end(&guide->scene);
    stub_stop(&guide->backend);
}

START_TEST(a_device_s_certificate_is_registered_by_hand_and_goes_through_every_state)
{
    struct guide guide;
    guide_begin(&guide, "manual", "no");
    RUN(&guide, by_hand);
    guide_end(&guide);
}
END_TEST

START_TEST(devices_of_a_registered_ca_sign_up_by_themselves)
{
    struct guide guide;
    guide_begin(&guide, "auto", "yes");
    RUN(&guide, by_themselves);
    guide_end(&guide);
}
END_TEST

START_TEST(who_signs_up_waits_for_activation_unless_it_is_said_otherwise)
{
    struct guide guide;
    guide_begin(&guide, "auto", "no");
    RUN(&guide, by_themselves_but_inactive);
    guide_end(&guide);
}
END_TEST

START_TEST(the_ca_of_lb_itself_issues_what_bound_hosts_ask_for)
{
    struct guide guide;
    guide_begin(&guide, "manual", "no");
    RUN(&guide, built_in);
    guide_end(&guide);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase,
                   a_device_s_certificate_is_registered_by_hand_and_goes_through_every_state);
    tcase_add_test(tcase, devices_of_a_registered_ca_sign_up_by_themselves);
    tcase_add_test(tcase, who_signs_up_waits_for_activation_unless_it_is_said_otherwise);
    tcase_add_test(tcase, the_ca_of_lb_itself_issues_what_bound_hosts_ask_for);
}

CHECK_MAIN("the certificate guides", add_tests)
