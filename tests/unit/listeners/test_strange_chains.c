/* SPDX-License-Identifier: Apache-2.0 */
/* Chains that lead in circles, to namesakes, past the limits of a CA, or nowhere. */
#include <openssl/x509v3.h>
#include <string.h>

#include "listeners/ca/ca_set.h"
#include "tests/support/check_main.h"
#include "tests/support/tls_cast.h"

static enum refusal refusal_by(const struct ca_set *set, const struct made *made)
{
    struct ca_set_result result;
    ca_set_verify(set, made->certificate, made->chain, time(NULL), &result);
    enum refusal refusal = result.refusal;
    ca_set_result_done(&result);
    return refusal;
}

static void expect(const struct ca_set *set, const struct made *made, enum refusal refusal)
{
    ck_assert_str_eq(refusal_name(refusal_by(set, made)), refusal_name(refusal));
}

static void send_too(struct made *made, const struct made *more)
{
    ck_assert(X509_add_cert(made->chain, more->certificate, X509_ADD_FLAG_UP_REF));
}

/* As `openssl x509 -req` makes certificates: nothing in them says by which key they were signed. */
static struct made *plain_client(const struct made *ca)
{
    return made_certificate(&(struct certificate_wish){.name = "plain", .issuer = ca, .v1 = true});
}

/* A CA that goes on under its name with another key, while certificates of the old one are about.
 */
static void check_namesakes(struct cast *cast, struct certificate_wish wish)
{
    wish.name = "Client CA";
    struct made *old = made_certificate(&wish);
    struct made *young = made_certificate(&wish);
    struct made *stranger = made_certificate(&wish);
    const struct ca_set *sets[] = {stage_ca_set(&cast->stage, old, young, NULL),
                                   stage_ca_set(&cast->stage, young, old, NULL)};
    struct made *clients[] = {plain_client(old), plain_client(young), made_client(old, "old"),
                              made_client(young, "young")};
    struct made *others[] = {plain_client(stranger), made_client(stranger, "other")};
    for (unsigned set = 0; set < 2; set++) {
        for (unsigned i = 0; i < 4; i++)
            expect(sets[set], clients[i], REFUSAL_NONE);
        for (unsigned i = 0; i < 2; i++)
            ck_assert_int_ne(refusal_by(sets[set], others[i]), REFUSAL_NONE);
    }
    for (unsigned i = 0; i < 4; i++)
        made_free(clients[i]);
    for (unsigned i = 0; i < 2; i++)
        made_free(others[i]);
    made_free(old);
    made_free(young);
    made_free(stranger);
}

START_TEST(two_cas_of_one_name_each_vouch_for_their_own)
{
    struct cast cast;
    cast_open(&cast);
    check_namesakes(&cast, (struct certificate_wish){.ca = true});
    check_namesakes(&cast, (struct certificate_wish){.v1 = true});
    cast_close(&cast);
}
END_TEST

/* The registry names keys of CAs: it has to be the one that signed. */
START_TEST(among_namesakes_the_one_that_signed_is_named)
{
    struct cast cast;
    struct ca_set_result result;
    unsigned char key[CA_KEY_BYTES];
    cast_open(&cast);
    struct made *cas[] = {made_ca("Namesake"), made_ca("Namesake")};
    const struct ca_set *set = stage_ca_set(&cast.stage, cas[0], cas[1], NULL);
    for (unsigned i = 0; i < 2; i++) {
        struct made *client = plain_client(cas[i]);
        ca_set_verify(set, client->certificate, client->chain, time(NULL), &result);
        ck_assert_uint_eq(result.ca_count, 1);
        ck_assert(ca_key_of(cas[i]->certificate, key));
        ck_assert_mem_eq(result.ca_keys[0], key, CA_KEY_BYTES);
        ca_set_result_done(&result);
        made_free(client);
    }
    made_free(cas[0]);
    made_free(cas[1]);
    cast_close(&cast);
}
END_TEST

/* A renewed CA has its key and its name; the one that has expired must not stand in its way. */
START_TEST(a_ca_that_was_renewed_vouches_whichever_comes_first)
{
    struct cast cast;
    cast_open(&cast);
    struct made *ended = made_certificate(
        &(struct certificate_wish){.name = "CA", .ca = true, .from_s = -9000, .until_s = -60});
    struct made *renewed = made_certificate(
        &(struct certificate_wish){.name = "CA", .ca = true, .reuse_key = ended->key});
    struct made *client = plain_client(renewed);
    expect(stage_ca_set(&cast.stage, ended, renewed, NULL), client, REFUSAL_NONE);
    expect(stage_ca_set(&cast.stage, renewed, ended, NULL), client, REFUSAL_NONE);
    expect(stage_ca_set(&cast.stage, ended, NULL), client, REFUSAL_EXPIRED);
    made_free(client);
    made_free(renewed);
    made_free(ended);
    cast_close(&cast);
}
END_TEST

START_TEST(intermediates_that_sign_each_other_lead_nowhere)
{
    struct cast cast;
    cast_open(&cast);
    struct made *one = made_certificate(&(struct certificate_wish){.name = "One", .ca = true});
    struct made *two =
        made_certificate(&(struct certificate_wish){.name = "Two", .issuer = one, .ca = true});
    struct made *ring = made_certificate(&(struct certificate_wish){
        .name = "One", .issuer = two, .ca = true, .reuse_key = one->key});
    struct made *client = made_client(ring, "dizzy");
    for (unsigned i = 0; i < 30; i++) {
        send_too(client, ring);
        send_too(client, two);
        send_too(client, one);
    }
    ck_assert_int_ne(refusal_by(cast.set, client), REFUSAL_NONE);
    made_free(client);
    made_free(ring);
    made_free(two);
    made_free(one);
    cast_close(&cast);
}
END_TEST

/* Whoever makes an intermediate with the name of a CA that is trusted has not made its key. */
START_TEST(an_intermediate_that_calls_itself_like_the_ca_is_not_the_ca)
{
    struct cast cast;
    cast_open(&cast);
    struct made *fake = made_ca("Client CA");
    struct made *client = made_client(fake, "alice");
    send_too(client, fake);
    ck_assert_int_ne(refusal_by(cast.set, client), REFUSAL_NONE);
    /* The true one may be sent along, first or last. */
    send_too(client, cast.ca);
    ck_assert_int_ne(refusal_by(cast.set, client), REFUSAL_NONE);
    send_too(cast.alice, fake);
    send_too(cast.alice, cast.ca);
    expect(cast.set, cast.alice, REFUSAL_NONE);
    made_free(client);
    made_free(fake);
    cast_close(&cast);
}
END_TEST

/* RFC 5280, 4.2.1.10 */

static void permit_only_inside(X509 *certificate)
{
    X509_EXTENSION *limits = X509V3_EXT_conf_nid(NULL, NULL, NID_name_constraints,
                                                 "critical,permitted;DNS:inside.example.com,"
                                                 "excluded;DNS:but.inside.example.com");
    ck_assert(limits && X509_add_ext(certificate, limits, -1));
    X509_EXTENSION_free(limits);
}

/* Constraints on how many certificates: nobody has ever implemented them. */
static void limit_registered_ids(X509 *certificate)
{
    X509_EXTENSION *limits =
        X509V3_EXT_conf_nid(NULL, NULL, NID_name_constraints, "critical,permitted;RID:1.2.3.4");
    ck_assert(limits && X509_add_ext(certificate, limits, -1));
    X509_EXTENSION_free(limits);
}

static void check_name(const struct ca_set *set, const struct made *ca, const char *names,
                       enum refusal refusal)
{
    struct made *client = made_certificate(&(struct certificate_wish){
        .name = "client", .issuer = ca, .usage = "clientAuth", .names = names});
    expect(set, client, refusal);
    made_free(client);
}

START_TEST(a_ca_vouches_only_for_the_names_it_may)
{
    struct cast cast;
    cast_open(&cast);
    struct made *ca = made_certificate(&(struct certificate_wish){
        .name = "Limited", .issuer = cast.ca, .ca = true, .twist = permit_only_inside});
    check_name(cast.set, ca, "DNS:a.inside.example.com", REFUSAL_NONE);
    check_name(cast.set, ca, "DNS:A.INSIDE.example.COM", REFUSAL_NONE);
    check_name(cast.set, ca, "DNS:outside.example.com", REFUSAL_UNTRUSTED);
    check_name(cast.set, ca, "DNS:a.inside.example.com,DNS:outside.example.com", REFUSAL_UNTRUSTED);
    check_name(cast.set, ca, "DNS:x.but.inside.example.com", REFUSAL_UNTRUSTED);
    made_free(ca);
    ca = made_certificate(&(struct certificate_wish){
        .name = "Odd", .issuer = cast.ca, .ca = true, .twist = limit_registered_ids});
    check_name(cast.set, ca, "RID:1.2.3.4", REFUSAL_UNSUPPORTED);
    made_free(ca);
    cast_close(&cast);
}
END_TEST

START_TEST(a_ca_of_the_set_may_come_itself_if_it_is_fit_for_clients)
{
    struct cast cast;
    cast_open(&cast);
    expect(cast.set, cast.ca, REFUSAL_WRONG_PURPOSE);
    struct made *plain = made_certificate(&(struct certificate_wish){.name = "CA", .v1 = true});
    expect(stage_ca_set(&cast.stage, plain, NULL), plain, REFUSAL_NONE);
    made_free(plain);
    cast_close(&cast);
}
END_TEST

START_TEST(what_else_a_client_sends_does_not_matter)
{
    struct cast cast;
    cast_open(&cast);
    for (unsigned i = 0; i < 50; i++) {
        struct made *noise = i % 2 ? made_ca("Client CA") : made_client(cast.other_ca, "alice");
        send_too(cast.alice, noise);
        made_free(noise);
    }
    expect(cast.set, cast.alice, REFUSAL_NONE);
    expect(cast.other_set, cast.alice, REFUSAL_UNTRUSTED);
    cast_close(&cast);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, two_cas_of_one_name_each_vouch_for_their_own);
    tcase_add_test(tcase, among_namesakes_the_one_that_signed_is_named);
    tcase_add_test(tcase, a_ca_that_was_renewed_vouches_whichever_comes_first);
    tcase_add_test(tcase, intermediates_that_sign_each_other_lead_nowhere);
    tcase_add_test(tcase, an_intermediate_that_calls_itself_like_the_ca_is_not_the_ca);
    tcase_add_test(tcase, a_ca_vouches_only_for_the_names_it_may);
    tcase_add_test(tcase, a_ca_of_the_set_may_come_itself_if_it_is_fit_for_clients);
    tcase_add_test(tcase, what_else_a_client_sends_does_not_matter);
}

CHECK_MAIN("strange chains", add_tests)
