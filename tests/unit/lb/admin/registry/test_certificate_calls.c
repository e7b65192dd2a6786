/* SPDX-License-Identifier: Apache-2.0 */
/* The calls of client certificates, from registration to the tombstone. */
#include "tests/unit/lb/admin/registry/registry_stage.h"

static struct registry_stage stage;
static struct made *ca, *alice, *bob;

static void begin(void)
{
    stage_begin(&stage);
    ca = made_ca("Fleet CA");
    alice = made_client(ca, "alice");
    bob = made_client(ca, "bob");
    stage_upload(&stage, "fleet", ca);
}

static void end(void)
{
    made_free(alice);
    made_free(bob);
    made_free(ca);
    stage_end(&stage);
}

START_TEST(a_registered_certificate_is_shown_with_all_its_fields)
{
    char *serial = certificate_serial_text(alice->certificate);
    char *sha256 = certificate_sha256_text(alice->certificate);
    char *pem = made_certificate_pem(alice);
    stage_expect(&stage, 201, "POST", "/v1/certificates/register",
                 json_pack("{s:s, s:s, s:s}", "pem", pem, "ca", "fleet", "client_id", "device-1"));
    stage_expect(&stage, 200, "GET", stage_target(alice, ""), NULL);
    ck_assert_str_eq(stage_text(&stage, "certificate.serial"), serial);
    ck_assert_str_eq(stage_text(&stage, "certificate.ca_name"), "fleet");
    ck_assert_str_eq(stage_text(&stage, "certificate.status"), "ACTIVATED");
    ck_assert_str_eq(stage_text(&stage, "certificate.source"), "manual");
    ck_assert_str_eq(stage_text(&stage, "certificate.common_name"), "alice");
    ck_assert_str_eq(stage_text(&stage, "certificate.unit"), "");
    ck_assert_str_eq(stage_text(&stage, "certificate.client_id"), "device-1");
    ck_assert_str_eq(stage_text(&stage, "certificate.sha256"), sha256);
    ck_assert_uint_eq(strlen(stage_text(&stage, "certificate.activated")), 24);
    ck_assert(json_is_null(stage_at(&stage, "certificate.deactivated")));
    ck_assert_str_eq(stage_text(&stage, "pem"), pem);
    ck_assert_str_eq(stage_text(&stage, "signature_algorithm"), "ecdsa-with-SHA256");
    ck_assert_str_eq(stage_text(&stage, "history.0.action"), "certificate.register");
    ck_assert_str_eq(stage_text(&stage, "history.0.who"), "uid 7 (pid 8)");
    ck_assert_uint_eq(json_array_size(stage_at(&stage, "clients")), 0);
    ck_assert_int_eq(stage_number(&stage, "client_count"), 0);
    ck_assert(json_is_null(stage_at(&stage, "last_seen")));
    free(serial);
    free(sha256);
    free(pem);
}
END_TEST

START_TEST(the_same_certificate_again_is_there_already)
{
    stage_register(&stage, alice);
    stage_refused(&stage, 409, "exists", "", "POST", "/v1/certificates/register",
                  stage_pem_body(alice));
}
END_TEST

START_TEST(who_is_registered_without_activation_is_activated_later)
{
    json_t *body = stage_pem_body(alice);
    json_object_set_new(body, "activate", json_false());
    stage_expect(&stage, 201, "POST", "/v1/certificates/register", body);
    ck_assert_str_eq(stage_text(&stage, "certificate.status"), "REGISTERED");
    ck_assert(json_is_null(stage_at(&stage, "certificate.activated")));
    stage_expect(&stage, 200, "POST", stage_target(alice, "/activate"), NULL);
    ck_assert_str_eq(stage_text(&stage, "certificate.status"), "ACTIVATED");
    ck_assert(json_is_true(stage_at(&stage, "changed")));
    stage_expect(&stage, 200, "POST", stage_target(alice, "/activate"), NULL);
    ck_assert(json_is_false(stage_at(&stage, "changed")));
}
END_TEST

/* The certificate and what stands above it. */
static json_t *chain_body(const struct made *first, const struct made *second)
{
    char *one = made_certificate_pem(first), *two = made_certificate_pem(second);
    char both[16384];
    snprintf(both, sizeof both, "%s\r\n\r\n%s", one, two);
    free(one);
    free(two);
    return json_pack("{s:s}", "pem", both);
}

START_TEST(a_chain_may_stand_in_any_order)
{
    struct made *between = made_intermediate(ca, "Between");
    struct made *carol = made_client(between, "carol");
    stage_refused(&stage, 422, "ca-not-registered", "", "POST", "/v1/certificates/register",
                  stage_pem_body(carol));
    stage_expect(&stage, 201, "POST", "/v1/certificates/register",
                 _i ? chain_body(carol, between) : chain_body(between, carol));
    ck_assert_str_eq(stage_text(&stage, "certificate.common_name"), "carol");
    ck_assert_str_eq(stage_text(&stage, "certificate.ca_name"), "fleet");
    made_free(between);
    made_free(carol);
}
END_TEST

START_TEST(only_the_inactive_are_deleted_and_the_revoked_stay_so)
{
    stage_register(&stage, alice);
    stage_refused(&stage, 409, "illegal-state", "", "DELETE", stage_target(alice, ""), NULL);
    stage_refused(&stage, 400, "bad-input", "\"confirm\": true", "POST",
                  stage_target(alice, "/revoke"), NULL);
    stage_refused(&stage, 400, "bad-input", "\"confirm\": true", "POST",
                  stage_target(alice, "/revoke"), json_pack("{s:b}", "confirm", 0));
    stage_expect(&stage, 200, "POST", stage_target(alice, "/revoke"),
                 json_pack("{s:b}", "confirm", 1));
    ck_assert_str_eq(stage_text(&stage, "certificate.status"), "REVOKED");
    stage_refused(&stage, 409, "illegal-state", "", "POST", stage_target(alice, "/activate"), NULL);
    stage_refused(&stage, 409, "illegal-state", "", "POST", stage_target(alice, "/deactivate"),
                  NULL);
    stage_expect(&stage, 200, "DELETE", stage_target(alice, ""), NULL);
    stage_expect(&stage, 200, "GET", "/v1/certificates", NULL);
    ck_assert_uint_eq(json_array_size(stage_at(&stage, "certificates")), 0);
    stage_call(&stage, "POST", "/v1/certificates/register", stage_pem_body(alice));
    ck_assert_str_eq(stage_text(&stage, "error.reason"), "illegal-state");
}
END_TEST

START_TEST(deactivated_and_deleted_may_be_registered_by_hand_again)
{
    stage_register(&stage, alice);
    stage_expect(&stage, 200, "POST", stage_target(alice, "/deactivate"), NULL);
    ck_assert_str_eq(stage_text(&stage, "certificate.status"), "NOT_ACTIVATED");
    ck_assert_uint_eq(strlen(stage_text(&stage, "certificate.deactivated")), 24);
    stage_expect(&stage, 200, "DELETE", stage_target(alice, ""), NULL);
    stage_register(&stage, alice);
    ck_assert_str_eq(stage_text(&stage, "certificate.status"), "ACTIVATED");
}
END_TEST

START_TEST(a_client_id_that_two_have_is_warned_about)
{
    json_t *body = stage_pem_body(bob);
    stage_register(&stage, alice);
    ck_assert_ptr_null(stage_at(&stage, "warning"));
    stage_expect(&stage, 200, "PUT", stage_target(alice, "/client-id"),
                 json_pack("{s:s}", "client_id", "device-1"));
    ck_assert_str_eq(stage_text(&stage, "certificate.client_id"), "device-1");
    json_object_set_new(body, "client_id", json_string("device-1"));
    stage_expect(&stage, 201, "POST", "/v1/certificates/register", body);
    ck_assert_ptr_nonnull(strstr(stage_text(&stage, "warning"), "device-1"));
    stage_expect(&stage, 200, "PUT", stage_target(alice, "/client-id"),
                 json_pack("{s:s}", "client_id", ""));
    ck_assert_str_eq(stage_text(&stage, "certificate.client_id"), "");
}
END_TEST

START_TEST(serials_are_found_however_they_are_written)
{
    char *serial = certificate_serial_text(alice->certificate);
    char written[256] = "", target[512];
    for (size_t i = 0; serial[i]; i += 2)
        snprintf(written + strlen(written), sizeof written - strlen(written), "%s%c%c",
                 i ? "%3A" : "", serial[i] | 0x20, serial[i + 1] | 0x20);
    stage_register(&stage, alice);
    snprintf(target, sizeof target, "/v1/certificates/%s", written);
    stage_expect(&stage, 200, "GET", target, NULL);
    snprintf(target, sizeof target, "/v1/certificates?serial=%s", written);
    stage_expect(&stage, 200, "GET", target, NULL);
    ck_assert_str_eq(stage_text(&stage, "certificates.0.serial"), serial);
    snprintf(target, sizeof target, "/v1/certificates?serial=%.6s*", serial);
    stage_expect(&stage, 200, "GET", target, NULL);
    ck_assert_uint_eq(json_array_size(stage_at(&stage, "certificates")), 1);
    free(serial);
}
END_TEST

START_TEST(registrations_of_one_second_are_counted)
{
    unsigned refused = 0;
    struct made *fleet[20];
    stage.facts.signups_per_second = 1;
    for (int i = 0; i < 20; i++)
        fleet[i] = made_client(ca, "one of many");
    for (int i = 0; i < 20 && !refused; i++) {
        unsigned status =
            stage_call(&stage, "POST", "/v1/certificates/register", stage_pem_body(fleet[i]));
        ck_assert(status == 201 || status == 429);
        refused += status == 429;
    }
    ck_assert_uint_eq(refused, 1);
    ck_assert_str_eq(stage_text(&stage, "error.reason"), "signup-limit");
    for (int i = 0; i < 20; i++)
        made_free(fleet[i]);
}
END_TEST

START_TEST(a_disabled_ca_registers_nobody)
{
    stage_expect(&stage, 200, "POST", "/v1/cas/fleet/disable", NULL);
    stage_refused(&stage, 409, "ca-disabled", "fleet", "POST", "/v1/certificates/register",
                  stage_pem_body(alice));
}
END_TEST

/* --- a fleet ------------------------------------------------------------------------------- */

START_TEST(a_fleet_comes_in_at_once)
{
    struct made *stranger_ca = made_ca("Stranger CA"), *stranger = made_client(stranger_ca, "eve");
    json_t *fleet = json_array(), *first = stage_pem_body(alice);
    json_object_set_new(first, "client_id", json_string("device-1"));
    json_array_append_new(fleet, first);
    json_array_append_new(fleet, json_pack("{s:s}", "pem", "no certificate at all"));
    json_array_append_new(fleet, stage_pem_body(ca));
    json_array_append_new(fleet, stage_pem_body(bob));
    json_array_append_new(fleet, stage_pem_body(stranger));
    stage_register(&stage, bob);
    stage_expect(&stage, 200, "POST", "/v1/certificates/import",
                 json_pack("{s:o, s:s}", "certificates", fleet, "source_text", "fleet.pem"));
    ck_assert_int_eq(stage_number(&stage, "added"), 1);
    ck_assert_int_eq(stage_number(&stage, "present"), 1);
    ck_assert_int_eq(stage_number(&stage, "bad"), 3);
    ck_assert_uint_eq(json_array_size(stage_at(&stage, "faults")), 3);
    long long places = 0; /* in whatever order they were found */
    for (size_t i = 0; i < 3; i++)
        places = places * 10 + json_integer_value(json_object_get(
                                   json_array_get(stage_at(&stage, "faults"), i), "index"));
    ck_assert_int_eq(places, 124);
    stage_expect(&stage, 200, "GET", stage_target(alice, ""), NULL);
    ck_assert_str_eq(stage_text(&stage, "certificate.source"), "imported");
    ck_assert_str_eq(stage_text(&stage, "certificate.client_id"), "device-1");
    stage_expect(&stage, 200, "GET", "/v1/audit?limit=1", NULL);
    ck_assert_str_eq(stage_text(&stage, "changes.0.who"), "uid 7 (pid 8), from fleet.pem");
    made_free(stranger);
    made_free(stranger_ca);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, a_registered_certificate_is_shown_with_all_its_fields);
    tcase_add_test(tcase, the_same_certificate_again_is_there_already);
    tcase_add_test(tcase, who_is_registered_without_activation_is_activated_later);
    tcase_add_loop_test(tcase, a_chain_may_stand_in_any_order, 0, 2);
    tcase_add_test(tcase, only_the_inactive_are_deleted_and_the_revoked_stay_so);
    tcase_add_test(tcase, deactivated_and_deleted_may_be_registered_by_hand_again);
    tcase_add_test(tcase, a_client_id_that_two_have_is_warned_about);
    tcase_add_test(tcase, serials_are_found_however_they_are_written);
    tcase_add_test(tcase, registrations_of_one_second_are_counted);
    tcase_add_test(tcase, a_disabled_ca_registers_nobody);
    tcase_add_test(tcase, a_fleet_comes_in_at_once);
}

CHECK_MAIN("certificate calls", add_tests)
