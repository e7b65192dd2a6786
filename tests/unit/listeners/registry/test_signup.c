/* SPDX-License-Identifier: Apache-2.0 */
/* Signing up: one enrolment for all who wait for it, the limit, and leaving at any time. On a store
 * in memory; what registers is the test's own, so that it may take its time, or fail. */
#include <stdlib.h>
#include <string.h>

#include "lb/base/timestamp.h"
#include "listeners/identity.h"
#include "listeners/registry/registry_parts.h"
#include "listeners/registry/view.h"
#include "tests/support/check_main.h"
#include "tests/support/memory_store.h"

enum { PER_SECOND = 15 };

/* What registers. One for the program: what it is called with names no scene. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct memory_store *store;
    enum change_refusal refusal;
    bool leaves_nothing; /* says so, but the store has nothing */
    bool is_held;        /* waits until it is let go */
    unsigned calls;
    struct registration last; /* its pointers mean nothing any more */
    int64_t last_ms;
} office = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static atomic_llong clock_ms;

static int64_t read_clock(void)
{
    return atomic_load(&clock_ms);
}

/* The tests' certificates are known by their chain's address only: it is the identity. */
static struct identity *identity_behind(const struct registration *registration)
{
    return (struct identity *)(void *)registration->certificate;
}

static enum change_refusal enrol(struct ledger *ledger, const struct registration *registration,
                                 const struct actor *actor, struct certificate_result *result,
                                 struct error *err)
{
    struct certificate_row row = {.status = CERTIFICATE_ACTIVATED, .client_id = ""};
    (void)result;
    pthread_mutex_lock(&office.lock);
    office.calls++;
    office.last = *registration;
    office.last_ms = actor->now_ms;
    ck_assert_str_eq(actor->who, "sign-up");
    pthread_cond_broadcast(&office.changed);
    while (office.is_held)
        pthread_cond_wait(&office.changed, &office.lock);
    enum change_refusal refusal = office.refusal;
    bool leaves_something = !office.leaves_nothing && refusal == CHANGE_MADE;
    pthread_mutex_unlock(&office.lock);
    memcpy(row.key, identity_behind(registration)->key, sizeof row.key);
    memcpy(row.tbs, identity_behind(registration)->tbs, sizeof row.tbs);
    if (!registration->activate)
        row.status = CERTIFICATE_REGISTERED;
    if (leaves_something)
        memory_store_put(office.store, ledger, &row);
    error_set(err, "the test wants it so");
    return refusal;
}

static void office_hold(bool is_held)
{
    pthread_mutex_lock(&office.lock);
    office.is_held = is_held;
    pthread_cond_broadcast(&office.changed);
    pthread_mutex_unlock(&office.lock);
}

static void office_wait(unsigned calls)
{
    pthread_mutex_lock(&office.lock);
    while (office.calls < calls)
        pthread_cond_wait(&office.changed, &office.lock);
    pthread_mutex_unlock(&office.lock);
}

static unsigned office_calls(void)
{
    pthread_mutex_lock(&office.lock);
    unsigned calls = office.calls;
    pthread_mutex_unlock(&office.lock);
    return calls;
}

struct scene {
    struct memory_store store;
    uv_loop_t loop;
    struct registry_desk desk;
    struct registry_settings settings;
    struct registry *registry;
    struct identity identities[2 * PER_SECOND + 2];
};

static void scene_open(struct scene *scene)
{
    const struct registry_seams seams = {memory_store_open, enrol, read_clock};
    struct error err = {""};
    memset(scene, 0, sizeof *scene);
    memory_store_init(&scene->store);
    office.store = &scene->store;
    ck_assert_int_eq(uv_loop_init(&scene->loop), 0);
    ck_assert(registry_desk_open(&scene->desk, &scene->loop));
    scene->settings = (struct registry_settings){
        .location = scene->store.location, .signups_per_second = PER_SECOND, .auto_activate = true};
    scene->registry = registry_open_with(&scene->settings, NULL, &seams, &err);
    ck_assert_msg(scene->registry, "%s", err.text);
    for (unsigned i = 0; i < sizeof scene->identities / sizeof *scene->identities; i++) {
        struct identity *identity = &scene->identities[i];
        atomic_init(&identity->references, 1);
        identity->has_key = true;
        memset(identity->key, (int)i + 1, sizeof identity->key);
        memset(identity->tbs, (int)i + 1, sizeof identity->tbs);
        identity->leaf = (X509 *)(void *)identity;
        identity->subject = (char *)"CN=\"device\"";
    }
}

/* Every enrolment has given its identity back. */
static void scene_close(struct scene *scene)
{
    registry_close(scene->registry);
    registry_desk_close(&scene->desk);
    uv_run(&scene->loop, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_close(&scene->loop), 0);
    for (unsigned i = 0; i < sizeof scene->identities / sizeof *scene->identities; i++)
        ck_assert_uint_eq(atomic_load(&scene->identities[i].references), 1);
    memory_store_done(&scene->store);
}

/* Who signs up, and what it was told. */
struct applicant {
    struct signup *signup;
    unsigned told;
    enum signup_outcome outcome;
    struct applicant *leaves_too; /* when this one is told */
};

static void on_signed_up(void *arg, enum signup_outcome outcome)
{
    struct applicant *applicant = arg;
    applicant->told++;
    applicant->outcome = outcome;
    if (applicant->leaves_too)
        signup_leave(applicant->leaves_too->signup);
}

static void apply(struct scene *scene, struct applicant *applicant, unsigned identity)
{
    applicant->signup = signup_begin(scene->registry, &scene->desk, &scene->identities[identity],
                                     on_signed_up, applicant);
    ck_assert_ptr_nonnull(applicant->signup);
    ck_assert_uint_eq(applicant->told, 0); /* never within the call */
}

static void expect(struct scene *scene, const struct applicant *applicant,
                   enum signup_outcome outcome)
{
    while (applicant->told == 0)
        uv_run(&scene->loop, UV_RUN_ONCE);
    ck_assert_int_eq(applicant->outcome, outcome);
    ck_assert_uint_eq(applicant->told, 1);
}

static const struct view_entry *entry_of(const struct scene *scene, unsigned identity)
{
    return view_find(registry_view(scene->registry), scene->identities[identity].key);
}

START_TEST(who_signed_up_is_in_the_view_when_it_is_told)
{
    struct scene scene;
    struct applicant alice = {0};
    int64_t before_ms = timestamp_now_ms();
    scene_open(&scene);
    scene.identities[0].chain = (STACK_OF(X509) *)(void *)&scene;
    apply(&scene, &alice, 0);
    expect(&scene, &alice, SIGNUP_DONE);
    ck_assert_int_eq(view_status(entry_of(&scene, 0)), CERTIFICATE_ACTIVATED);
    ck_assert_int_eq(office.last.source, SOURCE_AUTO);
    ck_assert_ptr_eq(office.last.chain, scene.identities[0].chain);
    ck_assert_uint_eq(office.last.per_second, PER_SECOND);
    ck_assert_ptr_null(office.last.ca);
    ck_assert_ptr_null(office.last.client_id);
    ck_assert(office.last.activate);
    ck_assert_int_ge(office.last_ms, before_ms);
    scene_close(&scene);
}
END_TEST

START_TEST(without_auto_activate_it_is_registered_only)
{
    struct scene scene;
    struct applicant alice = {0};
    scene_open(&scene);
    scene.settings.auto_activate = false;
    registry_set(scene.registry, &scene.settings);
    apply(&scene, &alice, 0);
    expect(&scene, &alice, SIGNUP_DONE);
    ck_assert_int_eq(view_status(entry_of(&scene, 0)), CERTIFICATE_REGISTERED);
    scene_close(&scene);
}
END_TEST

START_TEST(all_who_wait_for_one_certificate_cause_one_registration)
{
    enum { MANY = 3 * PER_SECOND };
    struct scene scene;
    static struct applicant applicants[MANY];
    struct applicant late = {0};
    scene_open(&scene);
    office_hold(true);
    for (unsigned i = 0; i < MANY; i++)
        apply(&scene, &applicants[i], 0);
    office_wait(1);
    office_hold(false);
    for (unsigned i = 0; i < MANY; i++)
        expect(&scene, &applicants[i], SIGNUP_DONE);
    apply(&scene, &late, 0); /* judged before the others were done */
    expect(&scene, &late, SIGNUP_DONE);
    ck_assert_uint_eq(office_calls(), 1);
    scene_close(&scene);
}
END_TEST

START_TEST(the_sixteenth_is_limited_at_once_and_gets_in_a_second_later)
{
    struct scene scene;
    static struct applicant applicants[PER_SECOND];
    struct applicant sixteenth = {0};
    struct applicant again = {0};
    scene_open(&scene);
    office_hold(true); /* it is told while the others are still waiting */
    for (unsigned i = 0; i < PER_SECOND; i++)
        apply(&scene, &applicants[i], i);
    apply(&scene, &sixteenth, PER_SECOND);
    expect(&scene, &sixteenth, SIGNUP_LIMITED);
    office_hold(false);
    for (unsigned i = 0; i < PER_SECOND; i++)
        expect(&scene, &applicants[i], SIGNUP_DONE);
    ck_assert_uint_eq(office_calls(), PER_SECOND);
    atomic_fetch_add(&clock_ms, 999);
    sixteenth = (struct applicant){0};
    apply(&scene, &sixteenth, PER_SECOND);
    expect(&scene, &sixteenth, SIGNUP_LIMITED);
    atomic_fetch_add(&clock_ms, 1);
    apply(&scene, &again, PER_SECOND);
    expect(&scene, &again, SIGNUP_DONE);
    ck_assert_uint_eq(office_calls(), PER_SECOND + 1);
    scene_close(&scene);
}
END_TEST

START_TEST(a_new_limit_holds_at_once)
{
    struct scene scene;
    struct applicant applicants[3] = {0};
    scene_open(&scene);
    scene.settings.signups_per_second = 1;
    registry_set(scene.registry, &scene.settings);
    apply(&scene, &applicants[0], 0);
    apply(&scene, &applicants[1], 1);
    expect(&scene, &applicants[0], SIGNUP_DONE);
    expect(&scene, &applicants[1], SIGNUP_LIMITED);
    ck_assert_uint_eq(office.last.per_second, 1);
    scene.settings.signups_per_second = 2;
    registry_set(scene.registry, &scene.settings);
    apply(&scene, &applicants[2], 2);
    expect(&scene, &applicants[2], SIGNUP_DONE);
    scene_close(&scene);
}
END_TEST

START_TEST(what_becomes_of_it_depends_on_why_it_was_refused)
{
    static const struct {
        enum change_refusal refusal;
        enum signup_outcome outcome;
    } cases[] = {
        {CHANGE_SIGNUP_LIMIT, SIGNUP_LIMITED},
        {CHANGE_STORE, SIGNUP_FAILED},
        {CHANGE_CA_UNREGISTERED, SIGNUP_REFUSED},
        {CHANGE_BAD_INPUT, SIGNUP_REFUSED},
        {CHANGE_EXISTS, SIGNUP_FAILED /* but nothing is there: see below */},
    };
    struct scene scene;
    scene_open(&scene);
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct applicant applicant = {0};
        office.refusal = cases[i].refusal;
        apply(&scene, &applicant, i);
        expect(&scene, &applicant, cases[i].outcome);
        ck_assert_ptr_null(entry_of(&scene, i));
    }
    scene_close(&scene);
}
END_TEST

/* Else he alone could use up the second's signups_per_second, again and again. */
START_TEST(who_was_refused_for_what_he_is_is_not_tried_again_within_the_second)
{
    struct scene scene;
    static struct applicant again[PER_SECOND + 1];
    static struct applicant others[PER_SECOND];
    scene_open(&scene);
    office.refusal = CHANGE_BAD_INPUT;
    for (unsigned i = 0; i <= PER_SECOND; i++) {
        apply(&scene, &again[i], PER_SECOND);
        expect(&scene, &again[i], SIGNUP_REFUSED);
    }
    ck_assert_uint_eq(office_calls(), 1);
    office.refusal = CHANGE_MADE;
    for (unsigned i = 0; i + 1 < PER_SECOND; i++) {
        apply(&scene, &others[i], i);
        expect(&scene, &others[i], SIGNUP_DONE);
    }
    atomic_fetch_add(&clock_ms, 1000);
    struct applicant later = {0};
    apply(&scene, &later, PER_SECOND);
    expect(&scene, &later, SIGNUP_DONE);
    scene_close(&scene);
}
END_TEST

/* That the store fails says nothing of the certificate. */
START_TEST(whom_the_store_failed_is_tried_again_at_once)
{
    struct scene scene;
    struct applicant alice = {0}, again = {0};
    scene_open(&scene);
    office.refusal = CHANGE_STORE;
    apply(&scene, &alice, 0);
    expect(&scene, &alice, SIGNUP_FAILED);
    office.refusal = CHANGE_MADE;
    apply(&scene, &again, 0);
    expect(&scene, &again, SIGNUP_DONE);
    scene_close(&scene);
}
END_TEST

START_TEST(who_was_registered_meanwhile_is_judged_again)
{
    struct scene scene;
    struct applicant alice = {0};
    struct certificate_row row = {.status = CERTIFICATE_NOT_ACTIVATED, .client_id = ""};
    scene_open(&scene);
    office.refusal = CHANGE_EXISTS;
    office_hold(true);
    apply(&scene, &alice, 0);
    office_wait(1);
    memcpy(row.key, scene.identities[0].key, sizeof row.key);
    memory_store_put(&scene.store, NULL, &row); /* another process was faster */
    office_hold(false);
    expect(&scene, &alice, SIGNUP_DONE);
    ck_assert_int_eq(view_status(entry_of(&scene, 0)), CERTIFICATE_NOT_ACTIVATED);
    scene_close(&scene);
}
END_TEST

/* To judge it again would lead to another sign-up, and so on. */
START_TEST(what_the_view_does_not_show_has_failed)
{
    struct scene scene;
    struct applicant alice = {0};
    scene_open(&scene);
    office.leaves_nothing = true;
    apply(&scene, &alice, 0);
    expect(&scene, &alice, SIGNUP_FAILED);
    scene_close(&scene);
}
END_TEST

START_TEST(without_a_store_it_fails)
{
    const struct registry_seams seams = {memory_store_open, enrol, read_clock};
    struct scene scene;
    struct applicant alice = {0};
    scene_open(&scene);
    registry_close(scene.registry);
    memory_store_set(&scene.store, &scene.store.open_outcome, STORE_DONE);
    scene.store.is_missing = true;
    scene.registry = registry_open_with(&scene.settings, NULL, &seams, NULL);
    memory_store_set(&scene.store, &scene.store.open_outcome, STORE_FULL);
    apply(&scene, &alice, 0);
    expect(&scene, &alice, SIGNUP_FAILED);
    ck_assert_uint_eq(office_calls(), 0);
    scene_close(&scene);
}
END_TEST

/* Leaving */

START_TEST(who_leaves_while_it_is_under_way_is_not_told_and_is_registered_all_the_same)
{
    struct scene scene;
    struct applicant alice = {0};
    struct applicant twin = {0};
    struct applicant after = {0};
    scene_open(&scene);
    office_hold(true);
    apply(&scene, &alice, 0);
    apply(&scene, &twin, 0);
    office_wait(1);
    signup_leave(alice.signup);
    office_hold(false);
    expect(&scene, &twin, SIGNUP_DONE);
    apply(&scene, &after, 1);
    expect(&scene, &after, SIGNUP_DONE);
    ck_assert_uint_eq(alice.told, 0);
    ck_assert_ptr_nonnull(entry_of(&scene, 0));
    scene_close(&scene);
}
END_TEST

START_TEST(when_all_have_left_it_goes_on)
{
    struct scene scene;
    struct applicant alice = {0};
    struct applicant after = {0};
    scene_open(&scene);
    office_hold(true);
    apply(&scene, &alice, 0);
    signup_leave(alice.signup);
    office_hold(false);
    apply(&scene, &after, 1);
    expect(&scene, &after, SIGNUP_DONE);
    ck_assert_ptr_nonnull(entry_of(&scene, 0));
    ck_assert_uint_eq(alice.told, 0);
    scene_close(&scene);
}
END_TEST

START_TEST(who_leaves_before_its_loop_has_told_it_is_not_told)
{
    struct scene scene;
    static struct applicant applicants[PER_SECOND + 1];
    scene_open(&scene);
    for (unsigned i = 0; i <= PER_SECOND; i++)
        apply(&scene, &applicants[i], i);
    signup_leave(applicants[PER_SECOND].signup); /* its refusal waits at the desk */
    applicants[0].leaves_too = &applicants[1];   /* whose answer may be there already */
    for (unsigned i = 2; i < PER_SECOND; i++)
        expect(&scene, &applicants[i], SIGNUP_DONE);
    ck_assert_uint_eq(applicants[0].told, 1);
    ck_assert_uint_eq(applicants[1].told, 0);
    ck_assert_uint_eq(applicants[PER_SECOND].told, 0);
    scene_close(&scene);
}
END_TEST

START_TEST(closing_ends_what_nobody_waits_for_any_more)
{
    struct scene scene;
    static struct applicant applicants[PER_SECOND];
    scene_open(&scene);
    office_hold(true);
    for (unsigned i = 0; i < PER_SECOND; i++)
        apply(&scene, &applicants[i], i);
    for (unsigned i = 0; i < PER_SECOND; i++)
        signup_leave(applicants[i].signup);
    office_hold(false);
    scene_close(&scene);
    ck_assert_uint_eq(office_calls(), PER_SECOND);
}
END_TEST

/* A store that is busy makes each of them wait for as long as it has patience. */
START_TEST(who_left_while_a_busy_store_kept_others_waiting_is_not_registered)
{
    struct scene scene;
    static struct applicant applicants[PER_SECOND];
    scene_open(&scene);
    office_hold(true);
    for (unsigned i = 0; i < PER_SECOND; i++)
        apply(&scene, &applicants[i], i);
    office_wait(1);
    for (unsigned i = 0; i + 1 < PER_SECOND; i++)
        signup_leave(applicants[i].signup);
    atomic_fetch_add(&clock_ms, STORE_PATIENCE_MS);
    office_hold(false);
    expect(&scene, &applicants[PER_SECOND - 1], SIGNUP_DONE); /* he has waited */
    ck_assert_uint_eq(office_calls(), 2);
    ck_assert_ptr_null(entry_of(&scene, 1));
    struct applicant again = {0};
    apply(&scene, &again, 1);
    expect(&scene, &again, SIGNUP_DONE);
    scene_close(&scene);
}
END_TEST

/* Several workers at once */

enum { WORKERS = 3, APPLICANTS = PER_SECOND };

struct worker {
    pthread_t thread;
    struct scene *scene;
    unsigned done;
};

static void *work(void *argument)
{
    struct worker *worker = argument;
    uv_loop_t loop;
    struct registry_desk desk = {0};
    struct applicant applicants[APPLICANTS] = {0};
    if (uv_loop_init(&loop) != 0 || !registry_desk_open(&desk, &loop))
        abort();
    for (unsigned i = 0; i < APPLICANTS; i++)
        applicants[i].signup =
            signup_begin(worker->scene->registry, &desk, &worker->scene->identities[i],
                         on_signed_up, &applicants[i]);
    for (unsigned i = 0; i < APPLICANTS; i += 5)
        if (applicants[i].told == 0)
            signup_leave(applicants[i].signup);
    for (unsigned i = 0; i < APPLICANTS; i++) {
        while (i % 5 != 0 && applicants[i].told == 0)
            uv_run(&loop, UV_RUN_ONCE);
        worker->done += applicants[i].told == 1 && applicants[i].outcome == SIGNUP_DONE;
    }
    registry_desk_close(&desk);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    return NULL;
}

START_TEST(several_workers_clients_sign_up_at_once)
{
    struct scene scene;
    struct worker workers[WORKERS];
    scene_open(&scene);
    for (unsigned i = 0; i < WORKERS; i++) {
        workers[i] = (struct worker){.scene = &scene};
        ck_assert_int_eq(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    }
    for (unsigned i = 0; i < WORKERS; i++) {
        pthread_join(workers[i].thread, NULL);
        ck_assert_uint_eq(workers[i].done, APPLICANTS - APPLICANTS / 5);
    }
    ck_assert_uint_eq(office_calls(), APPLICANTS);
    scene_close(&scene);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, who_signed_up_is_in_the_view_when_it_is_told);
    tcase_add_test(tcase, without_auto_activate_it_is_registered_only);
    tcase_add_test(tcase, all_who_wait_for_one_certificate_cause_one_registration);
    tcase_add_test(tcase, the_sixteenth_is_limited_at_once_and_gets_in_a_second_later);
    tcase_add_test(tcase, a_new_limit_holds_at_once);
    tcase_add_test(tcase, what_becomes_of_it_depends_on_why_it_was_refused);
    tcase_add_test(tcase, who_was_refused_for_what_he_is_is_not_tried_again_within_the_second);
    tcase_add_test(tcase, whom_the_store_failed_is_tried_again_at_once);
    tcase_add_test(tcase, who_was_registered_meanwhile_is_judged_again);
    tcase_add_test(tcase, what_the_view_does_not_show_has_failed);
    tcase_add_test(tcase, without_a_store_it_fails);
    tcase_add_test(tcase,
                   who_leaves_while_it_is_under_way_is_not_told_and_is_registered_all_the_same);
    tcase_add_test(tcase, when_all_have_left_it_goes_on);
    tcase_add_test(tcase, who_leaves_before_its_loop_has_told_it_is_not_told);
    tcase_add_test(tcase, closing_ends_what_nobody_waits_for_any_more);
    tcase_add_test(tcase, who_left_while_a_busy_store_kept_others_waiting_is_not_registered);
    tcase_add_test(tcase, several_workers_clients_sign_up_at_once);
}

CHECK_MAIN("signup", add_tests)
