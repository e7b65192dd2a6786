/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One listener, hundreds of names, a certificate and a key of its own for each: whoever asks for a
 * name is shown that name's, proven with its key, before and after reloads. A file that has changed
 * is in force after one, all others go on, and one bad file among hundreds is told with its line.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/support/certificates.h"
#include "tests/support/check_main.h"
#include "tests/support/folder.h"
#include "tests/support/peer.h"
#include "tests/support/scene.h"
#include "tests/support/stub_backend.h"
#include "tests/support/text.h"

enum { NAMES = 300, CHANGED = 123, WITH_RSA = 200, LAST = NAMES - 1 };

struct street {
    struct scene scene;
    struct stub_backend stub;
    struct made *ca;
    struct made *houses[NAMES];
    struct text ini;
};

static const char *name_of(unsigned house)
{
    static char name[32];
    snprintf(name, sizeof name, "n%u.example.com", house);
    return name;
}

/* Certificate and key of a house, new ones, in its files. */
static void build(struct street *street, unsigned house)
{
    char file[16];
    char names[64];
    snprintf(file, sizeof file, "%u", house);
    snprintf(names, sizeof names, "DNS:%s", name_of(house));
    made_free(street->houses[house]);
    street->houses[house] = made_certificate(&(struct certificate_wish){
        .name = name_of(house),
        .names = names,
        .issuer = street->ca,
        .usage = "serverAuth",
        .key = house == WITH_RSA ? MADE_KEY_RSA_2048 : MADE_KEY_P256,
    });
    made_write(street->houses[house], street->scene.folder.path, file);
}

static void write_ini(struct text *ini)
{
    text_add_format(ini, "[lb]\nworkers = 2\naccess_log = access.log\n\n"
                         "[listener web]\naddress = 127.0.0.1:@web\nsni = on\n\n");
    for (unsigned i = 0; i < NAMES; i++)
        text_add_format(ini,
                        "[rule r%u]\nlistener = web\ndomain = %s\ncertificate = %u.crt\n"
                        "certificate_key = %u.key\npool = one\n\n",
                        i, name_of(i), i, i);
    text_add_format(ini, "[pool one]\nhealth_check = off\nbackend = rs-1 127.0.0.1:@rs-1\n");
    text_add(ini, "", 1);
}

static void street_open(struct street *street)
{
    *street = (struct street){.ca = made_ca("Test CA")};
    scene_begin(&street->scene);
    made_write(street->ca, street->scene.folder.path, "ca");
    for (unsigned i = 0; i < NAMES; i++)
        build(street, i);
    write_ini(&street->ini);
    stub_start(&street->stub, "rs-1", NULL);
    scene_set_port(&street->scene, "rs-1", street->stub.port);
    scene_start(&street->scene, street->ini.bytes);
}

static void street_close(struct street *street)
{
    scene_end(&street->scene);
    stub_stop(&street->stub);
    for (unsigned i = 0; i < NAMES; i++)
        made_free(street->houses[i]);
    made_free(street->ca);
    text_done(&street->ini);
}

static void come(struct street *street, struct peer *peer, unsigned house, int version)
{
    const struct tls_wish wish = {.folder = street->scene.folder.path,
                                  .sni = name_of(house),
                                  .trust = "ca",
                                  .version = version};
    ck_assert_msg(peer_connect_tls(peer, scene_port(&street->scene, "web"), &wish), "%s",
                  name_of(house));
    X509 *shown = SSL_get0_peer_certificate(peer->tls);
    ck_assert_msg(X509_cmp(shown, street->houses[house]->certificate) == 0,
                  "%s was shown another certificate", name_of(house));
}

static void visit_all(struct street *street)
{
    for (unsigned i = 0; i < NAMES; i++) {
        struct peer peer;
        come(street, &peer, i, i % 2 ? TLS1_2_VERSION : TLS1_3_VERSION);
        peer_close(&peer);
    }
}

static void expect_answer(struct peer *peer, unsigned house)
{
    char body[64];
    ck_assert_uint_eq(peer_get(peer, name_of(house), "/", body, sizeof body), 200);
}

START_TEST(each_name_shows_its_own_before_and_after_a_reload)
{
    struct street street;
    struct peer kept[2];
    street_open(&street);
    visit_all(&street);
    come(&street, &kept[0], CHANGED, 0);
    come(&street, &kept[1], LAST, 0);
    build(&street, CHANGED);
    ck_assert(scene_reload(&street.scene, street.ini.bytes));
    visit_all(&street);
    /* Again: what the last config took over from the one before it is still there. */
    build(&street, WITH_RSA);
    ck_assert(scene_reload(&street.scene, street.ini.bytes));
    ck_assert(scene_reload(&street.scene, street.ini.bytes));
    visit_all(&street);
    for (unsigned i = 0; i < 2; i++) {
        expect_answer(&kept[i], i ? LAST : CHANGED);
        peer_close(&kept[i]);
    }
    street_close(&street);
}
END_TEST

/* The line of the first text that holds these words, counted from 1. */
static unsigned line_of(const char *text, const char *words)
{
    unsigned line = 1;
    for (const char *end = strstr(text, words); text < end; text++)
        line += *text == '\n';
    return line;
}

START_TEST(one_bad_key_among_hundreds_is_told_with_its_line)
{
    struct street street;
    struct text said = {0};
    char where[64];
    street_open(&street);
    char *key = made_key_pem(street.houses[0]);
    folder_write(&street.scene.folder, "299.key", key);
    snprintf(where, sizeof where,
             "lb.ini:%u: ", line_of(street.ini.bytes, "certificate = 299.crt"));
    ck_assert_int_ne(scene_check(&street.scene, street.ini.bytes, &said), 0);
    ck_assert_msg(strstr(said.bytes, where) && strstr(said.bytes, "299.key: the private key does "
                                                                  "not belong to the certificate"),
                  "%s", said.bytes);
    ck_assert(!scene_reload(&street.scene, street.ini.bytes));
    visit_all(&street);
    free(key);
    text_done(&said);
    street_close(&street);
}
END_TEST

static void add_tests(TCase *cases)
{
    tcase_add_test(cases, each_name_shows_its_own_before_and_after_a_reload);
    tcase_add_test(cases, one_bad_key_among_hundreds_is_told_with_its_line);
}

CHECK_MAIN("hundreds_of_names_each_show_their_certificate", add_tests)
