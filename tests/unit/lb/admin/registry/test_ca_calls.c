/* SPDX-License-Identifier: Apache-2.0 */
/* The calls of client CAs, from upload to deletion. */
#include <unistd.h>

#include "tests/unit/lb/admin/registry/registry_stage.h"

static struct registry_stage stage;
static struct made *ca;

static void begin(void)
{
    stage_begin(&stage);
    ca = made_ca("Fleet CA");
}

static void end(void)
{
    made_free(ca);
    stage_end(&stage);
}

static const char *const no_cas[] = {
    "/v1/cas/fleet",
    "/v1/cas/fleet/hosts",
};

START_TEST(a_store_that_is_not_there_has_nothing)
{
    stage_expect(&stage, 200, "GET", "/v1/cas", NULL);
    ck_assert_uint_eq(json_array_size(stage_at(&stage, "cas")), 0);
    for (size_t i = 0; i < sizeof no_cas / sizeof *no_cas; i++)
        stage_refused(&stage, 404, "unknown", "fleet", "GET", no_cas[i], NULL);
    ck_assert_int_ne(access(folder_file(&stage.folder, "registry.db"), F_OK), 0);
}
END_TEST

START_TEST(an_uploaded_ca_is_shown_with_all_its_fields)
{
    char id[32], *pem = made_certificate_pem(ca);
    stage_upload(&stage, "fleet", ca);
    ck_assert(json_is_false(stage_at(&stage, "renewed")));
    ck_assert_ptr_null(stage_at(&stage, "in_force")); /* no lb runs */
    snprintf(id, sizeof id, "%s", stage_text(&stage, "ca.id"));
    ck_assert_uint_eq(strlen(id), 16);
    ck_assert_str_eq(stage_text(&stage, "ca.name"), "fleet");
    ck_assert(json_is_false(stage_at(&stage, "ca.builtin")));
    ck_assert_str_eq(stage_text(&stage, "ca.status"), "active");
    ck_assert_ptr_nonnull(strstr(stage_text(&stage, "ca.subject"), "CN=Fleet CA"));
    ck_assert_uint_eq(strlen(stage_text(&stage, "ca.sha256")), 64);
    ck_assert_uint_eq(strlen(stage_text(&stage, "ca.not_after")), 24);
    ck_assert_uint_eq(strlen(stage_text(&stage, "ca.created")), 24);
    ck_assert_uint_eq(json_array_size(stage_at(&stage, "ca.hosts")), 0);
    ck_assert_str_eq(stage_text(&stage, "ca.pem"), pem);
    stage_expect(&stage, 200, "GET", "/v1/cas", NULL);
    ck_assert_uint_eq(json_array_size(stage_at(&stage, "cas")), 1);
    ck_assert_str_eq(stage_text(&stage, "cas.0.id"), id);
    stage_expect(&stage, 200, "GET", "/v1/cas/fleet", NULL);
    ck_assert_str_eq(stage_text(&stage, "ca.id"), id);
    char target[64];
    snprintf(target, sizeof target, "/v1/cas/%s", id);
    stage_expect(&stage, 200, "GET", target, NULL);
    ck_assert_str_eq(stage_text(&stage, "ca.name"), "fleet");
    free(pem);
}
END_TEST

START_TEST(the_same_ca_again_is_there_already)
{
    stage_upload(&stage, "fleet", ca);
    stage_refused(&stage, 409, "exists", "fleet", "POST", "/v1/cas", stage_ca_body("other", ca));
    stage_expect(&stage, 200, "GET", "/v1/cas", NULL);
    ck_assert_uint_eq(json_array_size(stage_at(&stage, "cas")), 1);
}
END_TEST

START_TEST(a_renewed_ca_keeps_id_and_hosts)
{
    struct made *renewed = made_certificate(&(struct certificate_wish){
        .name = "Fleet CA", .ca = true, .reuse_key = ca->key, .until_s = 90 * MADE_DAY_S});
    stage_upload(&stage, "fleet", ca);
    stage_expect(&stage, 200, "POST", "/v1/cas/fleet/hosts",
                 json_pack("{s:[s]}", "hosts", "www.example.com"));
    stage_expect(&stage, 201, "POST", "/v1/cas", stage_ca_body("fleet", renewed));
    ck_assert(json_is_true(stage_at(&stage, "renewed")));
    ck_assert_str_eq(stage_text(&stage, "ca.hosts.0"), "www.example.com");
    ck_assert_ptr_null(stage_at(&stage, "warnings"));
    stage_expect(&stage, 201, "POST", "/v1/cas", stage_ca_body("fleet", ca)); /* the older one */
    ck_assert(json_is_true(stage_at(&stage, "renewed")));
    ck_assert_uint_eq(json_array_size(stage_at(&stage, "warnings")), 1);
    ck_assert_ptr_nonnull(strstr(stage_text(&stage, "warnings.0"), "ends sooner now"));
    made_free(renewed);
}
END_TEST

START_TEST(more_than_max_cas_are_refused)
{
    struct made *other = made_ca("Other CA");
    stage.facts.max_cas = 1;
    stage_upload(&stage, "fleet", ca);
    stage_refused(&stage, 409, "quota", "max_cas", "POST", "/v1/cas",
                  stage_ca_body("other", other));
    made_free(other);
}
END_TEST

START_TEST(hosts_are_added_replaced_and_taken_away)
{
    stage_upload(&stage, "fleet", ca);
    stage_expect(&stage, 200, "POST", "/v1/cas/fleet/hosts",
                 json_pack("{s:[s,s]}", "hosts", "www.example.com", "*.example.com"));
    ck_assert(json_is_true(stage_at(&stage, "changed")));
    ck_assert_uint_eq(json_array_size(stage_at(&stage, "ca.hosts")), 2);
    stage_expect(&stage, 200, "POST", "/v1/cas/fleet/hosts",
                 json_pack("{s:[s]}", "hosts", "WWW.Example.com."));
    ck_assert(json_is_false(stage_at(&stage, "changed")));
    stage_expect(&stage, 200, "PUT", "/v1/cas/fleet/hosts",
                 json_pack("{s:[s,s]}", "hosts", "*", "api.example.com"));
    stage_expect(&stage, 200, "GET", "/v1/cas/fleet/hosts", NULL);
    ck_assert_uint_eq(json_array_size(stage_at(&stage, "hosts")), 2);
    ck_assert_str_eq(stage_text(&stage, "hosts.0"), "*");
    ck_assert_str_eq(stage_text(&stage, "hosts.1"), "api.example.com");
    stage_expect(&stage, 200, "DELETE", "/v1/cas/fleet/hosts",
                 json_pack("{s:[s]}", "hosts", "api.example.com"));
    ck_assert_uint_eq(json_array_size(stage_at(&stage, "ca.hosts")), 1);
    stage_expect(&stage, 200, "PUT", "/v1/cas/fleet/hosts", json_pack("{s:[]}", "hosts"));
    ck_assert_uint_eq(json_array_size(stage_at(&stage, "ca.hosts")), 0);
}
END_TEST

/* Rules of www ask for what is bound, those of api for one CA by name, others for nobody. */
static bool asked_of(void *arg, const char *host, json_t *words, struct error *advice)
{
    (void)arg;
    if (strcmp(host, "www.example.com") == 0)
        json_array_append_new(words, json_string("registry"));
    if (strcmp(host, "api.example.com") == 0)
        json_array_append_new(words, json_string("registry:fleet"));
    error_set(advice, "do something about %s", host);
    return true;
}

START_TEST(a_binding_without_effect_is_told)
{
    struct made *other = made_ca("Other CA");
    stage.facts.asked_of = asked_of;
    stage_upload(&stage, "fleet", ca);
    stage_upload(&stage, "other", other);
    stage_expect(
        &stage, 200, "POST", "/v1/cas/fleet/hosts",
        json_pack("{s:[s,s,s]}", "hosts", "www.example.com", "*.example.com", "api.example.com"));
    ck_assert_uint_eq(json_array_size(stage_at(&stage, "warnings")), 1);
    ck_assert_str_eq(stage_text(&stage, "warnings.0"),
                     "no rule of *.example.com asks for certificates of CA fleet, so that it is "
                     "bound there has no effect: do something about *.example.com");
    stage_expect(&stage, 200, "PUT", "/v1/cas/other/hosts",
                 json_pack("{s:[s,s]}", "hosts", "www.example.com", "api.example.com"));
    ck_assert_uint_eq(json_array_size(stage_at(&stage, "warnings")), 1);
    ck_assert_ptr_nonnull(strstr(stage_text(&stage, "warnings.0"), "no rule of api.example.com"));
    stage_expect(&stage, 200, "PUT", "/v1/cas/other/hosts",
                 json_pack("{s:[s,s]}", "hosts", "www.example.com", "api.example.com"));
    ck_assert(json_is_false(stage_at(&stage, "changed")));
    ck_assert_uint_eq(json_array_size(stage_at(&stage, "warnings")), 1); /* still without effect */
    stage_expect(&stage, 200, "DELETE", "/v1/cas/other/hosts",
                 json_pack("{s:[s]}", "hosts", "api.example.com"));
    ck_assert_ptr_null(stage_at(&stage, "warnings"));
    made_free(other);
}
END_TEST

/* {"hosts": [h0.example.com, …]} */
static json_t *many_hosts(unsigned count)
{
    json_t *hosts = json_array();
    char host[32];
    for (unsigned i = 0; i < count; i++) {
        snprintf(host, sizeof host, "h%u.example.com", i);
        json_array_append_new(hosts, json_string(host));
    }
    return json_pack("{s:o}", "hosts", hosts);
}

START_TEST(fifty_hosts_are_bound_in_one_call_and_not_one_more)
{
    stage_upload(&stage, "fleet", ca);
    stage_refused(&stage, 409, "quota", "50", "POST", "/v1/cas/fleet/hosts", many_hosts(51));
    stage_expect(&stage, 200, "GET", "/v1/cas/fleet/hosts", NULL);
    ck_assert_uint_eq(json_array_size(stage_at(&stage, "hosts")), 0);
    stage_expect(&stage, 200, "POST", "/v1/cas/fleet/hosts", many_hosts(50));
    ck_assert_uint_eq(json_array_size(stage_at(&stage, "ca.hosts")), 50);
}
END_TEST

START_TEST(a_host_that_no_rule_serves_is_refused_and_none_is_bound)
{
    stage_upload(&stage, "fleet", ca);
    stage_refused(&stage, 422, "unserved-host", "no rule serves www.exampel.com", "POST",
                  "/v1/cas/fleet/hosts",
                  json_pack("{s:[s,s]}", "hosts", "www.example.com", "www.exampel.com"));
    stage_expect(&stage, 200, "GET", "/v1/cas/fleet/hosts", NULL);
    ck_assert_uint_eq(json_array_size(stage_at(&stage, "hosts")), 0);
}
END_TEST

START_TEST(a_bound_ca_is_not_deleted)
{
    stage_upload(&stage, "fleet", ca);
    stage_expect(&stage, 200, "POST", "/v1/cas/fleet/hosts",
                 json_pack("{s:[s]}", "hosts", "www.example.com"));
    stage_refused(&stage, 409, "bound", "www.example.com", "DELETE", "/v1/cas/fleet", NULL);
    stage_expect(&stage, 200, "PUT", "/v1/cas/fleet/hosts", json_pack("{s:[]}", "hosts"));
    stage_expect(&stage, 200, "DELETE", "/v1/cas/fleet", NULL);
    ck_assert_str_eq(stage_text(&stage, "ca.name"), "fleet");
    stage_refused(&stage, 404, "unknown", "fleet", "DELETE", "/v1/cas/fleet", NULL);
}
END_TEST

START_TEST(a_ca_that_the_ini_file_names_is_not_deleted)
{
    char *names[] = {(char *)"other", (char *)"fleet"};
    char id[17], target[64];
    stage_upload(&stage, "fleet", ca);
    snprintf(id, sizeof id, "%s", stage_text(&stage, "ca.id"));
    stage.facts.named_cas = names;
    stage.facts.named_ca_count = 2;
    snprintf(target, sizeof target, "/v1/cas/%s", id);
    stage_refused(&stage, 409, "in-use", "names CA fleet", "DELETE", target, NULL);
    names[1] = id;
    stage_refused(&stage, 409, "in-use", "names CA fleet", "DELETE", "/v1/cas/fleet", NULL);
    stage.facts.named_ca_count = 1;
    stage_expect(&stage, 200, "DELETE", "/v1/cas/fleet", NULL);
}
END_TEST

START_TEST(a_ca_is_disabled_and_enabled)
{
    stage_upload(&stage, "fleet", ca);
    stage_expect(&stage, 200, "POST", "/v1/cas/fleet/disable", NULL);
    ck_assert_str_eq(stage_text(&stage, "ca.status"), "inactive");
    ck_assert(json_is_true(stage_at(&stage, "changed")));
    stage_expect(&stage, 200, "POST", "/v1/cas/fleet/disable", json_object());
    ck_assert(json_is_false(stage_at(&stage, "changed")));
    stage_expect(&stage, 200, "POST", "/v1/cas/fleet/enable", NULL);
    ck_assert_str_eq(stage_text(&stage, "ca.status"), "active");
    stage_refused(&stage, 404, "unknown", "flet", "POST", "/v1/cas/flet/enable", NULL);
}
END_TEST

START_TEST(what_is_no_call_is_not_found)
{
    stage_refused(&stage, 404, "no-such-path", "/v1/ca", "GET", "/v1/ca", NULL);
    stage_refused(&stage, 404, "no-such-path", "PATCH", "PATCH", "/v1/cas", NULL);
    stage_refused(&stage, 404, "no-such-path", "/v1/status", "GET", "/v1/status", NULL);
    stage_refused(&stage, 404, "no-such-path", "%", "GET", "/v1/cas/%zz", NULL);
    stage_refused(&stage, 400, "bad-input", "takes no query", "GET", "/v1/cas?limit=1", NULL);
    stage_refused(&stage, 400, "bad-input", "takes no body", "POST", "/v1/cas/a/enable",
                  json_pack("{s:b}", "enable", 1));
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, a_store_that_is_not_there_has_nothing);
    tcase_add_test(tcase, an_uploaded_ca_is_shown_with_all_its_fields);
    tcase_add_test(tcase, the_same_ca_again_is_there_already);
    tcase_add_test(tcase, a_renewed_ca_keeps_id_and_hosts);
    tcase_add_test(tcase, more_than_max_cas_are_refused);
    tcase_add_test(tcase, hosts_are_added_replaced_and_taken_away);
    tcase_add_test(tcase, a_binding_without_effect_is_told);
    tcase_add_test(tcase, fifty_hosts_are_bound_in_one_call_and_not_one_more);
    tcase_add_test(tcase, a_host_that_no_rule_serves_is_refused_and_none_is_bound);
    tcase_add_test(tcase, a_bound_ca_is_not_deleted);
    tcase_add_test(tcase, a_ca_that_the_ini_file_names_is_not_deleted);
    tcase_add_test(tcase, a_ca_is_disabled_and_enabled);
    tcase_add_test(tcase, what_is_no_call_is_not_found);
}

CHECK_MAIN("ca calls", add_tests)
