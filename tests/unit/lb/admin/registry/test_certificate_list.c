/* SPDX-License-Identifier: Apache-2.0 */
/* Finding certificates and changes: filters in any combination, order, pages, counts. */
#include "lb/admin/registry/registry_call.h"
#include "tests/unit/lb/admin/registry/registry_stage.h"

enum { FLEET = 7 };

static struct registry_stage stage;
static struct made *ca, *other_ca;
static struct made *fleet[FLEET];

/* a … e of one CA, of which one ends soon; x and y of another. */
static void begin(void)
{
    static const char *const names[FLEET] = {"a", "b", "c", "d", "e", "x", "y"};
    stage_begin(&stage);
    ca = made_ca("Fleet CA");
    other_ca = made_ca("Other CA");
    stage_upload(&stage, "fleet", ca);
    stage_upload(&stage, "other", other_ca);
    for (int i = 0; i < FLEET; i++) {
        fleet[i] = made_certificate(&(struct certificate_wish){
            .name = names[i],
            .issuer = i < 5 ? ca : other_ca,
            .usage = "clientAuth",
            .until_s = (i == 2 ? 10 : 100 + i) * (int64_t)MADE_DAY_S,
        });
        stage_register(&stage, fleet[i]);
    }
    stage_expect(&stage, 200, "POST", stage_target(fleet[0], "/deactivate"), NULL);
    stage_expect(&stage, 200, "POST", stage_target(fleet[1], "/revoke"),
                 json_pack("{s:b}", "confirm", 1));
    stage_expect(&stage, 200, "PUT", stage_target(fleet[5], "/client-id"),
                 json_pack("{s:s}", "client_id", "device-9"));
}

static void end(void)
{
    for (int i = 0; i < FLEET; i++)
        made_free(fleet[i]);
    made_free(ca);
    made_free(other_ca);
    stage_end(&stage);
}

/* The common names of a list, in its order: "abc". */
static void expect_names(const char *names)
{
    const json_t *list = stage_at(&stage, "certificates");
    char found[64] = "";
    for (size_t i = 0; i < json_array_size(list); i++)
        strncat(found, json_string_value(json_object_get(json_array_get(list, i), "common_name")),
                sizeof found - strlen(found) - 1);
    ck_assert_str_eq(found, names);
}

static const struct {
    const char *query;
    const char *names;
} lists[] = {
    {"sort=cn", "abcdexy"},
    {"sort=cn&order=desc", "yxedcba"},
    {"sort=not_after", "cabdexy"},
    {"sort=cn&ca=fleet", "abcde"},
    {"sort=cn&ca=other&order=desc", "yx"},
    {"cn=c", "c"},
    {"cn=C", "c"},
    {"cn=nobody", ""},
    {"sort=cn&cn=*", "abcdexy"},
    {"client_id=device-9", "x"},
    {"client_id=device*", "x"},
    {"status=REVOKED", "b"},
    {"sort=cn&status=REVOKED,not_activated", "ab"},
    {"status=REGISTERED", ""},
    {"sort=cn&source=manual&ca=other", "xy"},
    {"source=auto,imported,issued", ""},
    {"sort=cn&expiring=30d", "c"},
    {"sort=cn&expiring", "c"},
    {"sort=cn&expiring=5d", ""},
    {"sort=cn&expiring=2412h", "ac"},
    {"expired=yes", ""},
    {"sort=cn&expired=no", "abcdexy"},
    {"expired=yes&expiring", ""},
    {"sort=cn&not_after_to=2000-01-01", ""},
    {"sort=cn&not_after_from=2000-01-01&not_before_to=2999-12-31T23:59:59Z", "abcdexy"},
    {"not_before_from=2999-01-01", ""},
    {"sort=cn&status=ACTIVATED&ca=fleet&expiring=2484h&order=desc", "dc"},
};

START_TEST(filters_hold_together)
{
    char target[256];
    snprintf(target, sizeof target, "/v1/certificates?%s", lists[_i].query);
    stage_expect(&stage, 200, "GET", target, NULL);
    expect_names(lists[_i].names);
    ck_assert(json_is_null(stage_at(&stage, "next")));
    ck_assert_ptr_null(stage_at(&stage, "count"));
}
END_TEST

START_TEST(a_ca_is_named_by_its_id_too)
{
    char target[128];
    stage_expect(&stage, 200, "GET", "/v1/cas/other", NULL);
    snprintf(target, sizeof target, "/v1/certificates?sort=cn&ca=%s", stage_text(&stage, "ca.id"));
    stage_expect(&stage, 200, "GET", target, NULL);
    expect_names("xy");
    stage_refused(&stage, 404, "unknown", "\"nobody\"", "GET", "/v1/certificates?ca=nobody", NULL);
}
END_TEST

START_TEST(pages_follow_one_another_and_miss_nothing)
{
    static const char *const pages[] = {"ab", "cd", "ex", "y"};
    char target[2048] = "/v1/certificates?sort=cn&limit=2&count=yes";
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
        stage_expect(&stage, 200, "GET", target, NULL);
        expect_names(pages[i]);
        ck_assert_int_eq(stage_number(&stage, "count"), FLEET);
        const char *next = json_string_value(stage_at(&stage, "next"));
        ck_assert_int_eq(next != NULL, i < 3);
        if (next)
            ck_assert_int_lt(snprintf(target, sizeof target,
                                      "/v1/certificates?sort=cn&limit=2&count=yes&after=%s", next),
                             (int)sizeof target);
    }
}
END_TEST

START_TEST(a_store_that_is_not_there_lists_nothing)
{
    snprintf(stage.location, sizeof stage.location, "sqlite:%s",
             folder_file(&stage.folder, "other.db"));
    stage_expect(&stage, 200, "GET", "/v1/certificates?count&ca=fleet", NULL);
    expect_names("");
    ck_assert_int_eq(stage_number(&stage, "count"), 0);
    ck_assert(json_is_null(stage_at(&stage, "next")));
    stage_expect(&stage, 200, "GET", "/v1/audit", NULL);
    ck_assert_uint_eq(json_array_size(stage_at(&stage, "changes")), 0);
    stage_refused(&stage, 404, "unknown", "none was registered yet", "GET",
                  stage_target(fleet[0], ""), NULL);
    stage_refused(&stage, 404, "unknown", "nothing to back up", "POST", "/v1/registry/backup",
                  json_pack("{s:s}", "path", folder_file(&stage.folder, "copy.db")));
}
END_TEST

static const struct {
    const char *query;
    const char *told;
} bad[] = {
    {"limit=0", "limit: \"0\" is not possible: a number, 1 to 1000"},
    {"limit=1001", "1 to 1000"},
    {"limit=", "1 to 1000"},
    {"sort=name", "sort: \"name\" is not possible: created, serial, cn, ou, client_id, not_before"},
    {"order=up", "asc, desc"},
    {"status=ACTIVE", "ACTIVATED, NOT_ACTIVATED, REGISTERED, REVOKED, DELETED"},
    {"source=api", "issued, manual, auto, imported"},
    {"expired=perhaps", "yes or no"},
    {"expiring=soon", "as in 30d or 12h"},
    {"not_after_to=tomorrow", "as in 2026-11-21T10:13:39Z"},
    {"serail=01", "did you mean \"serial\"?"},
    {"cn=", "cn has no value"},
    {"cn=a&cn=b", "cn is said twice"},
    {"after=x%zz", "%25"},
    {"after=nonsense", "after: \"nonsense\" is not possible: write what the page before gave"},
    {"cn=*eld", "cn: \"*eld\" is not possible: write \"x*\""},
    {"ou=a*b", "ou: \"a*b\" is not possible"},
    {"client_id=*a*b*", "\"*x*\" for what has x in it"},
    {"serial=4*A", "or \"x\" for x itself"},
};

START_TEST(a_bad_value_is_told_with_what_is_right)
{
    char target[256];
    snprintf(target, sizeof target, "/v1/certificates?%s", bad[_i].query);
    stage_refused(&stage, 400, "bad-input", bad[_i].told, "GET", target, NULL);
}
END_TEST

/* --- the audit log ------------------------------------------------------------------------- */

START_TEST(every_change_is_in_the_audit_log_newest_first)
{
    stage_expect(&stage, 200, "GET", "/v1/audit", NULL);
    ck_assert_uint_eq(json_array_size(stage_at(&stage, "changes")), 2 + FLEET + 3);
    ck_assert_str_eq(stage_text(&stage, "changes.0.action"), "certificate.client-id");
    ck_assert_str_eq(stage_text(&stage, "changes.1.action"), "certificate.revoke");
    ck_assert_str_eq(stage_text(&stage, "changes.1.before"), "ACTIVATED");
    ck_assert_str_eq(stage_text(&stage, "changes.1.after"), "REVOKED");
    ck_assert_str_eq(stage_text(&stage, "changes.1.who"), "uid 7 (pid 8)");
    ck_assert_uint_eq(strlen(stage_text(&stage, "changes.1.at")), 24);
    ck_assert_str_eq(stage_text(&stage, "changes.11.action"), "ca.upload");
}
END_TEST

START_TEST(the_audit_log_has_pages)
{
    char target[128];
    unsigned found = 0;
    long long next = 0;
    do {
        if (next)
            snprintf(target, sizeof target, "/v1/audit?limit=5&before=%lld", next);
        else
            snprintf(target, sizeof target, "/v1/audit?limit=5");
        stage_expect(&stage, 200, "GET", target, NULL);
        found += (unsigned)json_array_size(stage_at(&stage, "changes"));
        next = json_is_null(stage_at(&stage, "next")) ? 0 : stage_number(&stage, "next");
    } while (next);
    ck_assert_uint_eq(found, 2 + FLEET + 3);
}
END_TEST

START_TEST(the_audit_log_of_one_certificate_and_of_one_ca)
{
    char target[256], *serial = certificate_serial_text(fleet[1]->certificate);
    snprintf(target, sizeof target, "/v1/audit?serial=%s", serial);
    stage_expect(&stage, 200, "GET", target, NULL);
    ck_assert_uint_eq(json_array_size(stage_at(&stage, "changes")), 2);
    ck_assert_str_eq(stage_text(&stage, "changes.0.serial"), serial);
    stage_expect(&stage, 200, "GET", "/v1/audit?ca=other", NULL);
    ck_assert_uint_eq(json_array_size(stage_at(&stage, "changes")), 1 + 2 + 1);
    stage_expect(&stage, 200, "GET", "/v1/audit?serial=0123", NULL);
    ck_assert_uint_eq(json_array_size(stage_at(&stage, "changes")), 0);
    stage_refused(&stage, 400, "bad-input", "no serial number", "GET", "/v1/audit?serial=xyz",
                  NULL);
    stage_refused(&stage, 404, "unknown", "\"none\"", "GET", "/v1/audit?ca=none", NULL);
    stage_refused(&stage, 400, "bad-input", "before: \"x\"", "GET", "/v1/audit?before=x", NULL);
    free(serial);
}
END_TEST

START_TEST(the_audit_log_knows_what_was_deleted)
{
    char target[256], *serial = certificate_serial_text(fleet[0]->certificate);
    stage_expect(&stage, 200, "DELETE", stage_target(fleet[0], ""), NULL);
    snprintf(target, sizeof target, "/v1/audit?serial=%s", serial);
    stage_expect(&stage, 200, "GET", target, NULL);
    ck_assert_uint_eq(json_array_size(stage_at(&stage, "changes")), 3);
    ck_assert_str_eq(stage_text(&stage, "changes.0.action"), "certificate.delete");
    snprintf(target, sizeof target, "/v1/audit?serial=%s&ca=fleet", serial);
    stage_expect(&stage, 200, "GET", target, NULL);
    ck_assert_uint_eq(json_array_size(stage_at(&stage, "changes")), 3);
    snprintf(target, sizeof target, "/v1/audit?serial=%s&ca=other", serial);
    stage_expect(&stage, 200, "GET", target, NULL);
    ck_assert_uint_eq(json_array_size(stage_at(&stage, "changes")), 0);
    free(serial);
}
END_TEST

START_TEST(the_audit_log_of_a_serial_has_that_of_all_its_cas)
{
    struct made *twins[2];
    for (int i = 0; i < 2; i++) {
        const struct made *issuer = i ? other_ca : ca;
        twins[i] = made_client(issuer, "twin");
        ck_assert(ASN1_INTEGER_set(X509_get_serialNumber(twins[i]->certificate), 0x1267) == 1);
        ck_assert_int_gt(X509_sign(twins[i]->certificate, issuer->key, EVP_sha256()), 0);
        stage_register(&stage, twins[i]);
        made_free(twins[i]);
    }
    stage_expect(&stage, 200, "GET", "/v1/audit?serial=12:67", NULL);
    ck_assert_uint_eq(json_array_size(stage_at(&stage, "changes")), 2);
    stage_expect(&stage, 200, "GET", "/v1/audit?serial=0x1267&ca=other", NULL);
    ck_assert_uint_eq(json_array_size(stage_at(&stage, "changes")), 1);
}
END_TEST

START_TEST(an_imported_certificate_has_its_import_in_its_history)
{
    char target[256];
    struct made *made = made_client(ca, "imported");
    char *pem = made_certificate_pem(made), *serial = certificate_serial_text(made->certificate);
    stage_expect(
        &stage, 200, "POST", "/v1/certificates/import",
        json_pack("{s:[{s:s}], s:s}", "certificates", "pem", pem, "source_text", "dev23.crt"));
    snprintf(target, sizeof target, "/v1/audit?serial=%s", serial);
    const struct {
        const char *target, *list;
    } ways[] = {{stage_target(made, ""), "history"}, {target, "changes"}};
    for (size_t i = 0; i < 2; i++) {
        char way[64];
        stage_expect(&stage, 200, "GET", ways[i].target, NULL);
        ck_assert_uint_eq(json_array_size(stage_at(&stage, ways[i].list)), 1);
        snprintf(way, sizeof way, "%s.0.action", ways[i].list);
        ck_assert_str_eq(stage_text(&stage, way), "certificate.import");
        snprintf(way, sizeof way, "%s.0.who", ways[i].list);
        ck_assert_str_eq(stage_text(&stage, way), "uid 7 (pid 8), from dev23.crt");
    }
    free(serial);
    free(pem);
    made_free(made);
}
END_TEST

/* As lb is asked at that very moment. */
static unsigned listed_at(const char *query, int64_t now_ms)
{
    struct registry_call call = {.kind =
                                     &(const struct call_kind){.steps = &call_certificates_list},
                                 .facts = &stage.facts,
                                 .actor = {"test", now_ms}};
    struct ledger *ledger = NULL;
    struct error err = {""};
    ck_assert(registry_call_begin(&call, query));
    ck_assert_int_eq(ledger_open(&ledger, stage.location, STORE_READ, &err), STORE_DONE);
    registry_call_work(&call, ledger, STORE_DONE, "");
    json_t *json = json_loadb(call.answer.bytes, call.answer.length, 0, NULL);
    unsigned count = (unsigned)json_array_size(json_object_get(json, "certificates"));
    ck_assert_uint_eq(call.status, 200);
    json_decref(json);
    ledger_close(ledger);
    registry_call_done(&call);
    return count;
}

START_TEST(a_certificate_is_past_its_end_from_its_last_second_on)
{
    int64_t end_ms = 1000 * (int64_t)certificate_time(X509_get0_notAfter(fleet[2]->certificate));
    ck_assert_uint_eq(listed_at("expired=yes&cn=c", end_ms - 1), 0);
    ck_assert_uint_eq(listed_at("expired=no&cn=c", end_ms - 1), 1);
    ck_assert_uint_eq(listed_at("expiring=1d&cn=c", end_ms - 1), 1);
    for (int64_t now_ms = end_ms; now_ms < end_ms + 2000; now_ms += 999) {
        ck_assert_uint_eq(listed_at("expired=yes&cn=c", now_ms), 1);
        ck_assert_uint_eq(listed_at("expired=no&cn=c", now_ms), 0);
        ck_assert_uint_eq(listed_at("expiring=1d&cn=c", now_ms), 0);
    }
}
END_TEST

START_TEST(a_backup_has_all_of_it)
{
    const char *copy = folder_file(&stage.folder, "copy.db");
    char path[256];
    snprintf(path, sizeof path, "%s", copy);
    stage_expect(&stage, 200, "POST", "/v1/registry/backup", json_pack("{s:s}", "path", path));
    ck_assert_str_eq(stage_text(&stage, "path"), path);
    ck_assert_int_gt(stage_number(&stage, "bytes"), 0);
    stage_call(&stage, "POST", "/v1/registry/backup", json_pack("{s:s}", "path", path));
    ck_assert_str_ne(stage_text(&stage, "error.reason"), "(none)");
    stage_refused(&stage, 400, "bad-input", "from the root on", "POST", "/v1/registry/backup",
                  json_pack("{s:s}", "path", "copy.db"));
    snprintf(stage.location, sizeof stage.location, "sqlite:%s", path);
    stage_expect(&stage, 200, "GET", "/v1/certificates?sort=cn", NULL);
    expect_names("abcdexy");
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_loop_test(tcase, filters_hold_together, 0, sizeof lists / sizeof *lists);
    tcase_add_test(tcase, a_ca_is_named_by_its_id_too);
    tcase_add_test(tcase, pages_follow_one_another_and_miss_nothing);
    tcase_add_test(tcase, a_store_that_is_not_there_lists_nothing);
    tcase_add_loop_test(tcase, a_bad_value_is_told_with_what_is_right, 0, sizeof bad / sizeof *bad);
    tcase_add_test(tcase, every_change_is_in_the_audit_log_newest_first);
    tcase_add_test(tcase, the_audit_log_has_pages);
    tcase_add_test(tcase, the_audit_log_of_one_certificate_and_of_one_ca);
    tcase_add_test(tcase, the_audit_log_knows_what_was_deleted);
    tcase_add_test(tcase, the_audit_log_of_a_serial_has_that_of_all_its_cas);
    tcase_add_test(tcase, an_imported_certificate_has_its_import_in_its_history);
    tcase_add_test(tcase, a_certificate_is_past_its_end_from_its_last_second_on);
    tcase_add_test(tcase, a_backup_has_all_of_it);
}

CHECK_MAIN("certificate list", add_tests)
