/* SPDX-License-Identifier: Apache-2.0 */
/* Signing up with real certificates into a real store, and what another process changes there. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "lb/base/error.h"
#include "lb/base/timestamp.h"
#include "listeners/identity.h"
#include "listeners/registry/certificates.h"
#include "listeners/registry/registry.h"
#include "listeners/registry/view.h"
#include "listeners/rules/policy.h"
#include "tests/support/certificates.h"
#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/folder.h"

struct scene {
    struct folder folder;
    struct made *ca;
    struct made *middle; /* its certificates come with a chain */
    struct ca_set *set;
    struct client_auth rule;
    struct policy policy;
    char location[128];
    uv_loop_t loop;
    struct registry_desk desk;
    struct registry *registry;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned worse, cas;
};

static void hear(struct scene *scene, unsigned *count)
{
    pthread_mutex_lock(&scene->lock);
    ++*count;
    pthread_cond_broadcast(&scene->changed);
    pthread_mutex_unlock(&scene->lock);
}

static void on_worse(void *arg)
{
    struct scene *scene = arg;
    hear(scene, &scene->worse);
}

static void on_cas(void *arg)
{
    struct scene *scene = arg;
    hear(scene, &scene->cas);
}

static void wait_for(struct scene *scene, const unsigned *count, unsigned least)
{
    pthread_mutex_lock(&scene->lock);
    while (*count < least)
        pthread_cond_wait(&scene->changed, &scene->lock);
    pthread_mutex_unlock(&scene->lock);
}

static struct ledger *open_ledger(const struct scene *scene, enum store_mode mode)
{
    struct error err = {""};
    struct ledger *ledger = NULL;
    ck_assert_msg(ledger_open(&ledger, scene->location, mode, &err) == STORE_DONE, "%s", err.text);
    return ledger;
}

static void put_ca(struct ledger *ledger, const struct made *made, bool is_enabled)
{
    struct error err = {""};
    unsigned char *der = NULL;
    int der_bytes = i2d_X509(made->certificate, &der);
    struct ca_record ca = {.name = "acme",
                           .subject = "CN=Acme",
                           .serial = "01",
                           .is_enabled = is_enabled,
                           .not_after_s = time(NULL) + MADE_DAY_S,
                           .created_ms = 1,
                           .updated_ms = 1,
                           .der = der,
                           .der_bytes = (size_t)der_bytes,
                           .chain_pem = ""};
    memset(ca.sha256, 'a', sizeof ca.sha256 - 1);
    ck_assert(ca_key_of(made->certificate, ca.key));
    ca_id_of(ca.key, ca.id);
    const struct store *store = ledger->store;
    bool is_put = store->begin(ledger, &err) == STORE_DONE &&
                  store->put_ca(ledger, &ca, &err) == STORE_DONE &&
                  store->commit(ledger, &err) == STORE_DONE;
    ck_assert_msg(is_put, "%s", err.text);
    OPENSSL_free(der);
}

static void open_registry(struct scene *scene, unsigned per_second, bool auto_activate)
{
    struct error err = {""};
    const struct registry_settings settings = {scene->location, per_second, auto_activate};
    const struct registry_events events = {on_worse, on_cas, scene};
    scene->registry = registry_open(&settings, &events, &err);
    ck_assert_msg(scene->registry, "%s", err.text);
}

static struct ca_set *ca_set_of(const struct scene *scene)
{
    struct problems problems = {0};
    made_write_bundle(scene->folder.path, "ca.pem", scene->ca, NULL);
    const char *paths[] = {folder_file(&scene->folder, "ca.pem")};
    const unsigned lines[] = {1};
    struct ca_set *set = ca_set_load(paths, lines, 1, NULL, 4, false, "lb.ini", &problems);
    ck_assert_ptr_nonnull(set);
    problems_done(&problems);
    return set;
}

static void scene_open(struct scene *scene)
{
    memset(scene, 0, sizeof *scene);
    folder_make(&scene->folder);
    scene->ca = made_ca("Acme");
    scene->middle = made_intermediate(scene->ca, "Acme devices");
    scene->set = ca_set_of(scene);
    scene->rule = (struct client_auth){.mode = AUTH_REQUIRE,
                                       .ca_set = scene->set,
                                       .refuse_with = REFUSE_403,
                                       .registration = REGISTRATION_AUTO};
    const struct client_auth *rules[] = {&scene->rule};
    ck_assert_int_eq(policy_make(&scene->policy, rules, 1), POLICY_FINE);
    snprintf(scene->location, sizeof scene->location, "sqlite:%s/registry.db", scene->folder.path);
    pthread_mutex_init(&scene->lock, NULL);
    pthread_cond_init(&scene->changed, NULL);
    ck_assert_int_eq(uv_loop_init(&scene->loop), 0);
    ck_assert(registry_desk_open(&scene->desk, &scene->loop));
}

static void scene_close(struct scene *scene)
{
    registry_close(scene->registry);
    registry_desk_close(&scene->desk);
    uv_run(&scene->loop, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_close(&scene->loop), 0);
    pthread_cond_destroy(&scene->changed);
    pthread_mutex_destroy(&scene->lock);
    policy_done(&scene->policy);
    made_free(scene->middle);
    made_free(scene->ca);
    ca_set_free(scene->set);
    folder_remove(&scene->folder);
}

/* As a client shows it. */
static struct identity *identify(const struct scene *scene, const struct made *made)
{
    unsigned char hash[32] = {0};
    STACK_OF(X509) *chain = X509_chain_up_ref(made->chain);
    X509_up_ref(made->certificate);
    sk_X509_unshift(chain, made->certificate);
    struct identity *identity = identity_new(&scene->policy, chain, hash, time(NULL));
    ck_assert_ptr_nonnull(identity);
    ck_assert(identity_is_verified(identity));
    sk_X509_pop_free(chain, X509_free);
    return identity;
}

static struct registry_judgement judge(const struct scene *scene, struct identity *identity)
{
    return registry_judge(registry_view(scene->registry), scene->rule.registration, identity,
                          &identity->results[0]);
}

struct told {
    bool is_told;
    enum signup_outcome outcome;
};

static void on_signed_up(void *arg, enum signup_outcome outcome)
{
    struct told *told = arg;
    told->is_told = true;
    told->outcome = outcome;
}

static enum signup_outcome sign_up(struct scene *scene, struct identity *identity)
{
    struct told told = {0};
    ck_assert_ptr_nonnull(
        signup_begin(scene->registry, &scene->desk, identity, on_signed_up, &told));
    while (!told.is_told)
        uv_run(&scene->loop, UV_RUN_ONCE);
    return told.outcome;
}

static void change(const struct scene *scene, const struct identity *identity,
                   enum certificate_status status)
{
    struct error err = {""};
    struct certificate_result result = {0};
    struct ledger *ledger = open_ledger(scene, STORE_WRITE);
    const struct certificate_wanted wanted = {.serial = identity->serial};
    const struct actor actor = {.who = "another process", .now_ms = timestamp_now_ms()};
    ck_assert_msg(certificate_change(ledger, &wanted, status, &actor, &result, &err) == CHANGE_MADE,
                  "%s", err.text);
    certificate_result_done(&result);
    ledger_close(ledger);
}

static void begin_with_ca(struct scene *scene, bool is_enabled)
{
    struct ledger *ledger = open_ledger(scene, STORE_MAKE);
    put_ca(ledger, scene->ca, is_enabled);
    ledger_close(ledger);
}

START_TEST(a_client_of_a_registered_ca_signs_up_and_stays_registered)
{
    struct scene scene;
    scene_open(&scene);
    begin_with_ca(&scene, true);
    open_registry(&scene, 15, true);
    struct made *made = made_client(scene.middle, "device-1");
    struct identity *identity = identify(&scene, made);
    ck_assert(judge(&scene, identity).must_sign_up);
    ck_assert_int_eq(sign_up(&scene, identity), SIGNUP_DONE);
    struct registry_judgement judgement = judge(&scene, identity);
    ck_assert(judgement.refusal == REFUSAL_NONE && !judgement.must_sign_up);
    registry_close(scene.registry);
    open_registry(&scene, 15, true);
    identity_unref(identity);
    identity = identify(&scene, made);
    judgement = judge(&scene, identity);
    ck_assert(judgement.refusal == REFUSAL_NONE && !judgement.must_sign_up);
    identity_unref(identity);
    made_free(made);
    scene_close(&scene);
}
END_TEST

START_TEST(without_auto_activate_it_waits_for_being_activated)
{
    struct scene scene;
    scene_open(&scene);
    begin_with_ca(&scene, true);
    open_registry(&scene, 15, false);
    struct made *made = made_client(scene.ca, "device-1");
    struct identity *identity = identify(&scene, made);
    ck_assert_int_eq(sign_up(&scene, identity), SIGNUP_DONE);
    ck_assert_int_eq(judge(&scene, identity).refusal, REFUSAL_NOT_ACTIVATED);
    change(&scene, identity, CERTIFICATE_ACTIVATED);
    eventually(judge(&scene, identity).refusal == REFUSAL_NONE);
    change(&scene, identity, CERTIFICATE_REVOKED);
    wait_for(&scene, &scene.worse, 2); /* registered but not activated; revoked */
    ck_assert_int_eq(judge(&scene, identity).refusal, REFUSAL_REVOKED);
    identity_unref(identity);
    made_free(made);
    scene_close(&scene);
}
END_TEST

START_TEST(what_was_deleted_does_not_sign_up_again)
{
    struct scene scene;
    scene_open(&scene);
    begin_with_ca(&scene, true);
    open_registry(&scene, 15, true);
    struct made *made = made_client(scene.ca, "device-1");
    struct identity *identity = identify(&scene, made);
    ck_assert_int_eq(sign_up(&scene, identity), SIGNUP_DONE);
    change(&scene, identity, CERTIFICATE_NOT_ACTIVATED);
    wait_for(&scene, &scene.worse, 1);
    ck_assert_int_eq(judge(&scene, identity).refusal, REFUSAL_NOT_ACTIVATED);
    change(&scene, identity, CERTIFICATE_DELETED);
    registry_close(scene.registry); /* it reads the store when it opens */
    open_registry(&scene, 15, true);
    struct identity *again = identify(&scene, made);
    ck_assert_int_eq(judge(&scene, again).refusal, REFUSAL_NOT_REGISTERED);
    ck_assert(!judge(&scene, again).must_sign_up);
    ck_assert_int_eq(sign_up(&scene, again), SIGNUP_DONE); /* there it is */
    ck_assert_int_eq(judge(&scene, again).refusal, REFUSAL_NOT_REGISTERED);
    identity_unref(again);
    identity_unref(identity);
    made_free(made);
    scene_close(&scene);
}
END_TEST

START_TEST(a_ca_that_another_process_disables_is_told)
{
    struct scene scene;
    scene_open(&scene);
    open_registry(&scene, 15, true); /* there is no store yet */
    struct made *made = made_client(scene.ca, "device-1");
    struct identity *identity = identify(&scene, made);
    ck_assert_int_eq(judge(&scene, identity).refusal, REFUSAL_NOT_REGISTERED);
    begin_with_ca(&scene, true);
    wait_for(&scene, &scene.cas, 1);
    ck_assert(judge(&scene, identity).must_sign_up);
    struct ledger *ledger = open_ledger(&scene, STORE_WRITE);
    put_ca(ledger, scene.ca, false);
    ledger_close(ledger);
    wait_for(&scene, &scene.cas, 2);
    ck_assert_int_eq(judge(&scene, identity).refusal, REFUSAL_CA_DISABLED);
    ck_assert_uint_eq(scene.worse, 1);
    identity_unref(identity);
    made_free(made);
    scene_close(&scene);
}
END_TEST

/* Registered by hand within the same second: it counts for both kinds. Its time is a little ahead,
 * so that a slow machine is within that second, too. */
START_TEST(what_was_registered_by_hand_counts_towards_the_limit)
{
    enum { AHEAD_MS = 900 };
    struct scene scene;
    struct error err = {""};
    struct certificate_result result = {0};
    scene_open(&scene);
    begin_with_ca(&scene, true);
    open_registry(&scene, 1, true);
    struct made *by_hand = made_client(scene.ca, "by hand");
    struct made *made = made_client(scene.ca, "device-1");
    struct identity *identity = identify(&scene, made);
    struct ledger *ledger = open_ledger(&scene, STORE_WRITE);
    const struct registration registration = {
        .certificate = by_hand->certificate, .activate = true, .source = SOURCE_MANUAL};
    const struct actor actor = {.who = "test", .now_ms = timestamp_now_ms() + AHEAD_MS};
    ck_assert_msg(certificate_register(ledger, &registration, &actor, &result, &err) == CHANGE_MADE,
                  "%s", err.text);
    certificate_result_done(&result);
    ledger_close(ledger);
    ck_assert_int_eq(sign_up(&scene, identity), SIGNUP_LIMITED);
    ck_assert(judge(&scene, identity).must_sign_up);
    identity_unref(identity);
    made_free(made);
    made_free(by_hand);
    scene_close(&scene);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, a_client_of_a_registered_ca_signs_up_and_stays_registered);
    tcase_add_test(tcase, without_auto_activate_it_waits_for_being_activated);
    tcase_add_test(tcase, what_was_deleted_does_not_sign_up_again);
    tcase_add_test(tcase, a_ca_that_another_process_disables_is_told);
    tcase_add_test(tcase, what_was_registered_by_hand_counts_towards_the_limit);
}

CHECK_MAIN("signup_store", add_tests)
