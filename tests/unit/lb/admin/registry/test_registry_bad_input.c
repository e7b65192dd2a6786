/* SPDX-License-Identifier: Apache-2.0 */
/* What people get wrong: one clear message, and nothing half-done. */
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/lb/admin/registry/registry_stage.h"

static struct registry_stage stage;
static struct made *ca, *alice;

static void begin(void)
{
    stage_begin(&stage);
    ca = made_ca("Fleet CA");
    alice = made_client(ca, "alice");
    stage_upload(&stage, "fleet", ca);
}

static void end(void)
{
    made_free(alice);
    made_free(ca);
    stage_end(&stage);
}

/* Nothing but the CA came in. */
static void expect_nothing_done(void)
{
    stage_expect(&stage, 200, "GET", "/v1/certificates?count", NULL);
    ck_assert_int_eq(stage_number(&stage, "count"), 0);
    stage_expect(&stage, 200, "GET", "/v1/cas", NULL);
    ck_assert_uint_eq(json_array_size(stage_at(&stage, "cas")), 1);
    stage_expect(&stage, 200, "GET", "/v1/audit", NULL);
    ck_assert_uint_eq(json_array_size(stage_at(&stage, "changes")), 1);
}

static const struct {
    const char *path;
    const char *body;
    const char *told;
} shapes[] = {
    {"/v1/cas", "{\"name\":\"a\"}", "\"pem\" is missing"},
    {"/v1/cas", "{\"name\":\"a\",\"pem\":7}", "\"pem\" must be a text, not a number"},
    {"/v1/cas", "{\"name\":\"a\",\"pme\":\"x\"}", "did you mean \"pem\"?"},
    {"/v1/cas", "{\"name\":\"a b\",\"pem\":\"x\"}", ""},
    {"/v1/cas", "{\"name\":\"a\",\"pem\":\"-----BEGIN CERTIFICATE-----\\nbroken\"}", ""},
    {"/v1/cas", "{\"name\":\"a\",\"pem\":\"\"}", ""},
    {"/v1/cas/fleet/hosts", "{\"hosts\":\"www.example.com\"}", "must be a list, not a text"},
    {"/v1/cas/fleet/hosts", "{\"hosts\":[1]}", "\"hosts\"[0] must be a text"},
    {"/v1/cas/fleet/hosts", "{\"hosts\":[\"\"]}", "empty"},
    {"/v1/cas/builtin", "{\"key\":\"dsa\"}", "\"dsa\" is no kind of key: p256"},
    {"/v1/cas/builtin", "{\"days\":0}", "\"days\" is 0: 1 to 36500"},
    {"/v1/certificates", "{}", "\"common_name\" is missing"},
    {"/v1/certificates", "{\"common_name\":\"a\",\"days\":36501}", "1 to 36500"},
    {"/v1/certificates", "{\"common_name\":\"a\",\"days\":1,\"validity_days\":1}", "say one"},
    {"/v1/certificates", "{\"csr\":\"x\",\"pkey_type\":\"p256\"}", "say one"},
    {"/v1/certificates", "{\"csr\":\"x\"}", ""},
    {"/v1/certificates", "{\"common_name\":\"a\",\"names\":[\"www\"]}", ""},
    {"/v1/certificates", "{\"common_name\":\"a\\u0007b\"}", ""},
    {"/v1/certificates/register", "{\"pem\":\"no certificate\"}", ""},
    {"/v1/certificates/register", "[]", "the body must be a JSON object"},
    {"/v1/certificates/register", "{\"pem\":\"x\",\"activate\":\"yes\"}", "true or false"},
    {"/v1/certificates/import", "{\"certificates\":[]}", "\"certificates\" is empty"},
    {"/v1/certificates/import", "{\"certificates\":[{\"pem\":1}]}", "\"certificates\"[0].\"pem\""},
    {"/v1/certificates/import", "{\"certificates\":[{\"pem\":\"\"}],\"source_text\":\"a\\nb\"}",
     "control character"},
    {"/v1/registry/backup", "{\"path\":\"here.db\"}", "from the root on"},
    {"/v1/registry/backup", "{\"path\":\"/tmp/\"}", "from the root on"},
};

START_TEST(a_bad_body_changes_nothing)
{
    json_t *body = json_loads(shapes[_i].body, 0, NULL);
    ck_assert_ptr_nonnull(body);
    stage_refused(&stage, 400, "bad-input", shapes[_i].told, "POST", shapes[_i].path, body);
    ck_assert_uint_gt(strlen(stage_text(&stage, "error.text")), 10);
    expect_nothing_done();
}
END_TEST

START_TEST(a_leaf_is_no_ca)
{
    stage_refused(&stage, 400, "bad-input", "", "POST", "/v1/cas", stage_ca_body("alice", alice));
    expect_nothing_done();
}
END_TEST

START_TEST(a_ca_is_no_client)
{
    stage_refused(&stage, 400, "bad-input", "only CAs", "POST", "/v1/certificates/register",
                  stage_pem_body(ca));
    expect_nothing_done();
}
END_TEST

START_TEST(two_clients_in_one_pem_are_too_many)
{
    struct made *bob = made_client(ca, "bob");
    char *one = made_certificate_pem(alice), *two = made_certificate_pem(bob), both[8192];
    snprintf(both, sizeof both, "%s%s", one, two);
    stage_refused(&stage, 400, "bad-input", "two client certificates", "POST",
                  "/v1/certificates/register", json_pack("{s:s}", "pem", both));
    expect_nothing_done();
    free(one);
    free(two);
    made_free(bob);
}
END_TEST

START_TEST(a_private_key_is_refused_and_not_repeated)
{
    char *key = made_key_pem(alice), *pem = made_certificate_pem(alice), both[8192];
    snprintf(both, sizeof both, "%s%s", pem, key);
    stage_refused(&stage, 400, "bad-input", "private key", "POST", "/v1/certificates/register",
                  json_pack("{s:s}", "pem", both));
    ck_assert_ptr_null(strstr(stage_text(&stage, "error.text"), "BEGIN"));
    expect_nothing_done();
    free(key);
    free(pem);
}
END_TEST

START_TEST(a_stranger_of_no_registered_ca_is_refused)
{
    struct made *other = made_ca("Other CA"), *eve = made_client(other, "eve");
    stage_refused(&stage, 422, "ca-not-registered", "", "POST", "/v1/certificates/register",
                  stage_pem_body(eve));
    made_free(eve);
    made_free(other);
    expect_nothing_done();
}
END_TEST

START_TEST(a_certificate_of_another_ca_than_was_said_is_refused)
{
    struct made *other = made_ca("Other CA");
    json_t *body = stage_pem_body(alice);
    stage_upload(&stage, "other", other);
    json_object_set_new(body, "ca", json_string("other"));
    stage_refused(&stage, 422, "not-of-ca", "", "POST", "/v1/certificates/register", body);
    made_free(other);
}
END_TEST

/* A CA of the same name with another key signs a serial that is there already. */
START_TEST(a_serial_under_two_cas_needs_the_ca)
{
    struct made *other = made_ca("Other CA"), *twin = made_client(other, "twin");
    ck_assert(X509_set_serialNumber(twin->certificate, X509_get_serialNumber(alice->certificate)) ==
              1);
    ck_assert_int_gt(X509_sign(twin->certificate, other->key, EVP_sha256()), 0);
    stage_upload(&stage, "other", other);
    stage_register(&stage, alice);
    stage_register(&stage, twin);
    stage_refused(&stage, 409, "ambiguous", "", "GET", stage_target(alice, ""), NULL);
    stage_refused(&stage, 409, "ambiguous", "", "POST", stage_target(alice, "/deactivate"), NULL);
    stage_expect(&stage, 200, "POST", stage_target(alice, "/deactivate?ca=other"), NULL);
    ck_assert_str_eq(stage_text(&stage, "certificate.common_name"), "twin");
    stage_expect(&stage, 200, "GET", stage_target(alice, "?ca=fleet"), NULL);
    ck_assert_str_eq(stage_text(&stage, "certificate.status"), "ACTIVATED");
    made_free(twin);
    made_free(other);
}
END_TEST

START_TEST(odd_and_endless_names_are_refused)
{
    char name[10 * 1024 + 1];
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    stage_refused(&stage, 400, "bad-input", "\"common_name\" has 10240 bytes: at most 256", "POST",
                  "/v1/certificates", json_pack("{s:s}", "common_name", name));
    stage_refused(&stage, 400, "bad-input", "\"name\" has 10240 bytes: at most 64", "POST",
                  "/v1/cas", json_pack("{s:s, s:s}", "name", name, "pem", "x"));
    struct made *odd = made_client(ca, "a\nb");
    stage_refused(&stage, 400, "bad-input", "control character", "POST",
                  "/v1/certificates/register", stage_pem_body(odd));
    made_free(odd);
    expect_nothing_done();
}
END_TEST

/* --- the store ----------------------------------------------------------------------------- */

START_TEST(a_store_that_cannot_be_made_says_so)
{
    folder_write(&stage.folder, "file", "no folder");
    snprintf(stage.location, sizeof stage.location, "sqlite:%s/file/registry.db",
             stage.folder.path);
    stage_refused(&stage, 503, "store", "file/registry.db", "POST", "/v1/cas",
                  stage_ca_body("fleet", ca));
}
END_TEST

START_TEST(a_file_that_is_no_store_is_left_alone)
{
    folder_write(&stage.folder, "notes.db", "these are notes, and no store of anybody's\n");
    snprintf(stage.location, sizeof stage.location, "sqlite:%s",
             folder_file(&stage.folder, "notes.db"));
    stage_refused(&stage, 503, "store", "notes.db", "POST", "/v1/cas", stage_ca_body("fleet", ca));
    stage_refused(&stage, 503, "store", "notes.db", "GET", "/v1/certificates", NULL);
    char *text = folder_read(&stage.folder, "notes.db");
    ck_assert_str_eq(text, "these are notes, and no store of anybody's\n");
    free(text);
}
END_TEST

static unsigned long long largest_file(void)
{
    static const char *const files[] = {"registry.db", "registry.db-wal"};
    unsigned long long most = 0;
    for (size_t i = 0; i < 2; i++) {
        struct stat file;
        if (stat(folder_file(&stage.folder, files[i]), &file) == 0 &&
            (unsigned long long)file.st_size > most)
            most = (unsigned long long)file.st_size;
    }
    return most;
}

/* As a disk without room: files may not grow any more. */
START_TEST(a_full_disk_loses_nothing_and_takes_nothing)
{
    enum { FLEET = 120 }; /* the log of so many is larger than the store */
    struct made *fleet[FLEET];
    json_t *list = json_array();
    struct rlimit before, full;
    for (int i = 0; i < FLEET; i++) {
        fleet[i] = made_client(ca, "one of many");
        json_array_append_new(list, stage_pem_body(fleet[i]));
    }
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    full = (struct rlimit){largest_file() + 4096, before.rlim_max};
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &full), 0);
    stage_expect(&stage, 503, "POST", "/v1/certificates/import",
                 json_pack("{s:o}", "certificates", list));
    ck_assert_str_eq(stage_text(&stage, "error.reason"), "store");
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
    expect_nothing_done();
    stage_register(&stage, fleet[0]);
    for (int i = 0; i < FLEET; i++)
        made_free(fleet[i]);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_loop_test(tcase, a_bad_body_changes_nothing, 0, sizeof shapes / sizeof *shapes);
    tcase_add_test(tcase, a_leaf_is_no_ca);
    tcase_add_test(tcase, a_ca_is_no_client);
    tcase_add_test(tcase, two_clients_in_one_pem_are_too_many);
    tcase_add_test(tcase, a_private_key_is_refused_and_not_repeated);
    tcase_add_test(tcase, a_stranger_of_no_registered_ca_is_refused);
    tcase_add_test(tcase, a_certificate_of_another_ca_than_was_said_is_refused);
    tcase_add_test(tcase, a_serial_under_two_cas_needs_the_ca);
    tcase_add_test(tcase, odd_and_endless_names_are_refused);
    tcase_add_test(tcase, a_store_that_cannot_be_made_says_so);
    tcase_add_test(tcase, a_file_that_is_no_store_is_left_alone);
    tcase_add_test(tcase, a_full_disk_loses_nothing_and_takes_nothing);
}

CHECK_MAIN("registry bad input", add_tests)
