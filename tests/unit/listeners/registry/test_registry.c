/* SPDX-License-Identifier: Apache-2.0 */
/* Lanes, desks and following: on a store in memory, whose other users are other processes. */
#include "listeners/registry/registry.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "lb/base/timestamp.h"
#include "listeners/registry/registry_parts.h"
#include "listeners/registry/view.h"
#include "tests/support/check_main.h"
#include "tests/support/memory_store.h"

/* What the events said; waited for. */
struct heard {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned worse, cas;
};

struct scene {
    struct memory_store store;
    struct heard heard;
    uv_loop_t loop;
    struct registry_desk desk;
    struct registry *registry;
};

static void hear(struct heard *heard, unsigned *count)
{
    pthread_mutex_lock(&heard->lock);
    ++*count;
    pthread_cond_broadcast(&heard->changed);
    pthread_mutex_unlock(&heard->lock);
}

static void on_worse(void *arg)
{
    struct scene *scene = arg;
    hear(&scene->heard, &scene->heard.worse);
}

static void on_cas(void *arg)
{
    struct scene *scene = arg;
    hear(&scene->heard, &scene->heard.cas);
}

static void wait_for(struct heard *heard, const unsigned *count, unsigned least)
{
    pthread_mutex_lock(&heard->lock);
    while (*count < least)
        pthread_cond_wait(&heard->changed, &heard->lock);
    pthread_mutex_unlock(&heard->lock);
}

static unsigned heard_of(struct heard *heard, const unsigned *count)
{
    pthread_mutex_lock(&heard->lock);
    unsigned now = *count;
    pthread_mutex_unlock(&heard->lock);
    return now;
}

/* An hour a look: the follower's waits are over whenever it asks. */
static int64_t hours_fly(void)
{
    static atomic_llong hours;
    return atomic_fetch_add(&hours, 1) * FOLLOWER_TIDY_MS;
}

static void scene_prepare(struct scene *scene)
{
    memset(scene, 0, sizeof *scene);
    memory_store_init(&scene->store);
    pthread_mutex_init(&scene->heard.lock, NULL);
    pthread_cond_init(&scene->heard.changed, NULL);
    ck_assert_int_eq(uv_loop_init(&scene->loop), 0);
    ck_assert(registry_desk_open(&scene->desk, &scene->loop));
}

static struct registry *try_open(struct scene *scene, int64_t (*clock_ms)(void), struct error *err)
{
    const struct registry_settings settings = {.location = scene->store.location,
                                               .signups_per_second = 15};
    const struct registry_events events = {on_worse, on_cas, scene};
    const struct registry_seams seams = {.open = memory_store_open, .monotonic_ms = clock_ms};
    return registry_open_with(&settings, &events, &seams, err);
}

static void scene_open(struct scene *scene, int64_t (*clock_ms)(void))
{
    struct error err = {""};
    scene->registry = try_open(scene, clock_ms, &err);
    ck_assert_msg(scene->registry, "%s", err.text);
}

static void scene_close(struct scene *scene)
{
    registry_close(scene->registry);
    registry_desk_close(&scene->desk);
    uv_run(&scene->loop, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_close(&scene->loop), 0);
    pthread_cond_destroy(&scene->heard.changed);
    pthread_mutex_destroy(&scene->heard.lock);
    memory_store_done(&scene->store);
}

static struct certificate_row row_of(unsigned char number, enum certificate_status status)
{
    struct certificate_row row = {.status = status, .client_id = "", .ca = "0202020202020202"};
    memset(row.key, number, sizeof row.key);
    memset(row.tbs, number, sizeof row.tbs);
    return row;
}

static const struct view_entry *entry_of(const struct scene *scene, unsigned char number)
{
    struct certificate_row row = row_of(number, CERTIFICATE_ACTIVATED);
    return view_find(registry_view(scene->registry), row.key);
}

static struct ca_record ca_of(const char *name, bool is_enabled)
{
    struct ca_record ca = {.name = name,
                           .is_enabled = is_enabled,
                           .der = (const unsigned char *)"der",
                           .der_bytes = 3,
                           .chain_pem = ""};
    memset(ca.key, name[0], sizeof ca.key);
    ca_id_of(ca.key, ca.id);
    return ca;
}

/* A job of the tests: what it does and what it saw. */
struct errand {
    struct registry_job job;
    struct scene *scene;
    struct certificate_row row; /* it puts this, if it has a ledger */
    bool had_ledger;
    bool was_told;
    enum store_outcome opened;
    enum store_outcome begun;
    char why[ERROR_TEXT_BYTES];
    pthread_t ran_on, told_on;
    bool may_be_interrupted;
    int shown; /* status in the view when it was told; -1: not there */
    unsigned order;
    unsigned *next_order;
};

static void run_errand(struct registry_job *job, struct ledger *ledger, enum store_outcome opened,
                       const char *why)
{
    struct errand *errand = LIST_OWNER(job, struct errand, job);
    sigset_t blocked;
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    errand->may_be_interrupted = !sigismember(&blocked, SIGTERM) || !sigismember(&blocked, SIGHUP);
    errand->ran_on = pthread_self();
    errand->had_ledger = ledger != NULL;
    errand->opened = opened;
    strcpy(errand->why, why);
    if (errand->next_order)
        errand->order = (*errand->next_order)++;
    if (ledger && job->lane != LANE_QUESTIONS)
        memory_store_put(&errand->scene->store, ledger, &errand->row);
}

static void errand_done(struct registry_job *job)
{
    struct errand *errand = LIST_OWNER(job, struct errand, job);
    const struct view_entry *entry =
        view_find(registry_view(errand->scene->registry), errand->row.key);
    errand->shown = entry ? (int)view_status(entry) : -1;
    errand->told_on = pthread_self();
    errand->was_told = true;
}

static void send_out(struct scene *scene, struct errand *errand, enum registry_lane lane)
{
    errand->scene = scene;
    errand->job.lane = lane;
    errand->job.desk = &scene->desk;
    errand->job.run = run_errand;
    errand->job.done = errand_done;
    registry_submit(scene->registry, &errand->job);
}

static void wait_until_told(struct scene *scene, const struct errand *errand)
{
    while (!errand->was_told)
        uv_run(&scene->loop, UV_RUN_ONCE);
}

/* Opening */

START_TEST(what_the_store_has_is_in_the_view_at_once_and_nobody_is_told)
{
    struct scene scene;
    struct certificate_row row = row_of(1, CERTIFICATE_REVOKED);
    struct ca_record ca = ca_of("acme", false);
    scene_prepare(&scene);
    memory_store_put(&scene.store, NULL, &row);
    memory_store_put_ca(&scene.store, NULL, &ca);
    scene_open(&scene, timestamp_monotonic_ms);
    ck_assert_int_eq(view_status(entry_of(&scene, 1)), CERTIFICATE_REVOKED);
    ck_assert_int_eq(view_ca(registry_view(scene.registry), ca.key), CA_DISABLED);
    unsigned asked = memory_store_count(&scene.store, &scene.store.asked_for_news);
    memory_store_wait(&scene.store, &scene.store.asked_for_news, asked + 2);
    ck_assert_uint_eq(heard_of(&scene.heard, &scene.heard.worse), 0);
    ck_assert_uint_eq(heard_of(&scene.heard, &scene.heard.cas), 0);
    scene_close(&scene);
    ck_assert_ptr_null(registry_view(NULL));
}
END_TEST

START_TEST(a_store_that_is_not_there_is_made_by_the_first_change_only)
{
    struct scene scene;
    struct errand question = {0};
    struct errand change = {.row = row_of(1, CERTIFICATE_ACTIVATED)};
    struct errand second = {0};
    scene_prepare(&scene);
    scene.store.is_missing = true;
    scene_open(&scene, timestamp_monotonic_ms);
    send_out(&scene, &question, LANE_QUESTIONS);
    wait_until_told(&scene, &question);
    ck_assert(!question.had_ledger);
    ck_assert_int_eq(question.opened, STORE_MISSING);
    ck_assert_uint_eq(memory_store_count(&scene.store, &scene.store.made), 0);
    send_out(&scene, &change, LANE_CHANGES);
    wait_until_told(&scene, &change);
    ck_assert(change.had_ledger);
    ck_assert_uint_eq(memory_store_count(&scene.store, &scene.store.made), 1);
    ck_assert_int_eq(change.shown, CERTIFICATE_ACTIVATED);
    send_out(&scene, &second, LANE_QUESTIONS);
    wait_until_told(&scene, &second);
    ck_assert(second.had_ledger);
    ck_assert_uint_eq(heard_of(&scene.heard, &scene.heard.cas), 0);
    scene_close(&scene);
}
END_TEST

START_TEST(a_store_that_cannot_be_opened_is_told_why)
{
    struct scene scene;
    struct error err = {""};
    scene_prepare(&scene);
    scene.store.open_outcome = STORE_CORRUPT;
    ck_assert_ptr_null(try_open(&scene, timestamp_monotonic_ms, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "cannot be opened"));
    scene.store.open_outcome = STORE_DONE;
    scene.store.read_outcome = STORE_FAILED;
    ck_assert_ptr_null(try_open(&scene, timestamp_monotonic_ms, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "cannot be read"));
    scene_close(&scene);
}
END_TEST

START_TEST(a_store_that_breaks_later_is_told_to_who_asks)
{
    struct scene scene;
    struct errand change = {0};
    struct errand question = {0};
    scene_prepare(&scene);
    scene.store.is_missing = true;
    scene_open(&scene, timestamp_monotonic_ms);
    memory_store_set(&scene.store, &scene.store.open_outcome, STORE_NEWER);
    send_out(&scene, &change, LANE_CHANGES);
    send_out(&scene, &question, LANE_QUESTIONS);
    wait_until_told(&scene, &change);
    wait_until_told(&scene, &question);
    ck_assert(!change.had_ledger && !question.had_ledger);
    ck_assert_int_eq(change.opened, STORE_NEWER);
    ck_assert_int_eq(question.opened, STORE_NEWER);
    ck_assert_ptr_nonnull(strstr(change.why, "cannot be opened"));
    scene_close(&scene);
}
END_TEST

START_TEST(a_read_only_store_is_read_and_followed)
{
    struct scene scene;
    struct certificate_row row = row_of(1, CERTIFICATE_ACTIVATED);
    struct errand change = {.row = row_of(2, CERTIFICATE_ACTIVATED)};
    scene_prepare(&scene);
    memory_store_put(&scene.store, NULL, &row);
    scene.store.is_read_only = true;
    scene_open(&scene, timestamp_monotonic_ms);
    ck_assert_ptr_nonnull(entry_of(&scene, 1));
    row.status = CERTIFICATE_REVOKED;
    memory_store_put(&scene.store, NULL, &row);
    wait_for(&scene.heard, &scene.heard.worse, 1);
    ck_assert_int_eq(view_status(entry_of(&scene, 1)), CERTIFICATE_REVOKED);
    unsigned opened = memory_store_count(&scene.store, &scene.store.opened);
    pthread_mutex_lock(&scene.store.lock);
    scene.store.is_read_only = false;
    pthread_mutex_unlock(&scene.store.lock);
    send_out(&scene, &change, LANE_CHANGES); /* it may be written to now */
    wait_until_told(&scene, &change);
    ck_assert_uint_eq(memory_store_count(&scene.store, &scene.store.opened), opened + 1);
    ck_assert_int_eq(change.shown, CERTIFICATE_ACTIVATED);
    scene_close(&scene);
}
END_TEST

/* Jobs */

START_TEST(a_change_is_in_the_view_before_it_is_told)
{
    struct scene scene;
    scene_prepare(&scene);
    scene_open(&scene, timestamp_monotonic_ms);
    for (unsigned char i = 1; i < 50; i++) {
        struct errand errand = {.row = row_of(i, CERTIFICATE_REGISTERED)};
        send_out(&scene, &errand, LANE_CHANGES);
        wait_until_told(&scene, &errand);
        ck_assert_int_eq(errand.shown, CERTIFICATE_REGISTERED);
    }
    ck_assert_uint_eq(heard_of(&scene.heard, &scene.heard.worse), 49);
    scene_close(&scene);
}
END_TEST

START_TEST(jobs_run_in_order_on_a_thread_of_their_own_and_come_back_to_their_loop)
{
    enum { MANY = 40 };
    struct scene scene;
    static struct errand errands[MANY];
    unsigned next_order = 0;
    scene_prepare(&scene);
    scene_open(&scene, timestamp_monotonic_ms);
    for (unsigned char i = 0; i < MANY; i++) {
        errands[i].row = row_of(i, CERTIFICATE_ACTIVATED);
        errands[i].next_order = &next_order;
        send_out(&scene, &errands[i], LANE_CHANGES);
    }
    for (unsigned i = 0; i < MANY; i++) {
        wait_until_told(&scene, &errands[i]);
        ck_assert_uint_eq(errands[i].order, i);
        ck_assert(pthread_equal(errands[i].told_on, pthread_self()));
        ck_assert(!pthread_equal(errands[i].ran_on, pthread_self()));
        ck_assert(!errands[i].may_be_interrupted);
    }
    scene_close(&scene);
}
END_TEST

struct gate {
    struct registry_job job;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool is_open, has_begun, was_told;
};

static void run_gate(struct registry_job *job, struct ledger *ledger, enum store_outcome opened,
                     const char *why)
{
    struct gate *gate = LIST_OWNER(job, struct gate, job);
    (void)ledger;
    (void)opened;
    (void)why;
    pthread_mutex_lock(&gate->lock);
    gate->has_begun = true;
    pthread_cond_broadcast(&gate->changed);
    while (!gate->is_open)
        pthread_cond_wait(&gate->changed, &gate->lock);
    pthread_mutex_unlock(&gate->lock);
}

static void gate_done(struct registry_job *job)
{
    LIST_OWNER(job, struct gate, job)->was_told = true;
}

static void gate_close_lane(struct scene *scene, struct gate *gate, enum registry_lane lane,
                            struct registry_desk *desk)
{
    *gate = (struct gate){.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    gate->job.lane = lane;
    gate->job.desk = desk;
    gate->job.run = run_gate;
    gate->job.done = gate_done;
    registry_submit(scene->registry, &gate->job);
}

static void gate_open(struct gate *gate)
{
    pthread_mutex_lock(&gate->lock);
    gate->is_open = true;
    pthread_cond_broadcast(&gate->changed);
    pthread_mutex_unlock(&gate->lock);
}

START_TEST(a_long_change_does_not_hold_up_questions)
{
    struct scene scene;
    struct gate gate;
    struct errand question = {0};
    scene_prepare(&scene);
    scene_open(&scene, timestamp_monotonic_ms);
    gate_close_lane(&scene, &gate, LANE_CHANGES, &scene.desk);
    send_out(&scene, &question, LANE_QUESTIONS);
    wait_until_told(&scene, &question);
    ck_assert(question.had_ledger);
    ck_assert(!gate.was_told);
    gate_open(&gate);
    while (!gate.was_told)
        uv_run(&scene.loop, UV_RUN_ONCE);
    scene_close(&scene);
}
END_TEST

START_TEST(bulk_work_holds_up_neither_changes_nor_questions)
{
    struct scene scene;
    struct gate gate;
    struct errand change = {.row = row_of(1, CERTIFICATE_REVOKED)};
    struct errand question = {0};
    scene_prepare(&scene);
    scene_open(&scene, timestamp_monotonic_ms);
    gate_close_lane(&scene, &gate, LANE_BULK, &scene.desk);
    pthread_mutex_lock(&gate.lock);
    while (!gate.has_begun)
        pthread_cond_wait(&gate.changed, &gate.lock);
    pthread_mutex_unlock(&gate.lock);
    send_out(&scene, &change, LANE_CHANGES);
    send_out(&scene, &question, LANE_QUESTIONS);
    wait_until_told(&scene, &change);
    wait_until_told(&scene, &question);
    ck_assert_int_eq(change.shown, CERTIFICATE_REVOKED);
    ck_assert(!gate.was_told);
    gate_open(&gate);
    while (!gate.was_told)
        uv_run(&scene.loop, UV_RUN_ONCE);
    scene_close(&scene);
}
END_TEST

START_TEST(what_bulk_work_changed_is_in_the_view_before_it_is_told)
{
    struct scene scene;
    struct errand first = {.row = row_of(1, CERTIFICATE_ACTIVATED)};
    struct errand second = {.row = row_of(1, CERTIFICATE_REVOKED)};
    scene_prepare(&scene);
    scene.store.is_missing = true;
    scene_open(&scene, timestamp_monotonic_ms);
    send_out(&scene, &first, LANE_BULK);
    wait_until_told(&scene, &first);
    ck_assert_int_eq(first.shown, CERTIFICATE_ACTIVATED);
    ck_assert_uint_eq(memory_store_count(&scene.store, &scene.store.made), 1);
    send_out(&scene, &second, LANE_BULK);
    wait_until_told(&scene, &second);
    ck_assert_int_eq(second.shown, CERTIFICATE_REVOKED);
    ck_assert(pthread_equal(second.told_on, pthread_self()));
    ck_assert(!second.may_be_interrupted);
    ck_assert_uint_eq(heard_of(&scene.heard, &scene.heard.worse), 1);
    scene_close(&scene);
}
END_TEST

START_TEST(bulk_work_on_a_store_that_cannot_be_written_is_told_why)
{
    struct scene scene;
    struct errand bulk = {0};
    scene_prepare(&scene);
    scene.store.is_read_only = true;
    scene_open(&scene, timestamp_monotonic_ms);
    send_out(&scene, &bulk, LANE_BULK);
    wait_until_told(&scene, &bulk);
    ck_assert(!bulk.had_ledger);
    ck_assert_int_eq(bulk.opened, STORE_READ_ONLY);
    ck_assert_ptr_nonnull(strstr(bulk.why, "may not be written"));
    scene_close(&scene);
}
END_TEST

START_TEST(a_job_without_a_desk_is_told_on_the_lane)
{
    struct scene scene;
    struct errand errand = {.row = row_of(1, CERTIFICATE_ACTIVATED)};
    struct errand next = {.row = row_of(2, CERTIFICATE_ACTIVATED)};
    struct gate gate;
    scene_prepare(&scene);
    scene_open(&scene, timestamp_monotonic_ms);
    gate_close_lane(&scene, &gate, LANE_CHANGES, NULL);
    send_out(&scene, &errand, LANE_CHANGES);
    errand.job.desk = NULL; /* it waits behind the gate */
    send_out(&scene, &next, LANE_CHANGES);
    gate_open(&gate);
    wait_until_told(&scene, &next);
    ck_assert(errand.was_told && gate.was_told);
    ck_assert(pthread_equal(errand.told_on, errand.ran_on));
    scene_close(&scene);
}
END_TEST

static void note_told(struct registry_job *job)
{
    LIST_OWNER(job, struct errand, job)->was_told = true;
}

START_TEST(closing_runs_and_tells_what_was_submitted)
{
    enum { MANY = 20 };
    struct scene scene;
    static const enum registry_lane lanes[] = {LANE_CHANGES, LANE_QUESTIONS, LANE_BULK,
                                               LANE_QUESTIONS};
    static struct errand errands[MANY];
    struct gate gate;
    scene_prepare(&scene);
    scene_open(&scene, timestamp_monotonic_ms);
    gate_close_lane(&scene, &gate, LANE_CHANGES, NULL);
    for (unsigned char i = 0; i < MANY; i++) {
        errands[i].row = row_of(i, CERTIFICATE_ACTIVATED);
        send_out(&scene, &errands[i], lanes[i % 4]);
        errands[i].job.done = note_told; /* the view is gone when they are told */
    }
    gate_open(&gate);
    registry_close(scene.registry);
    scene.registry = NULL;
    for (unsigned i = 0; i < MANY; i++) {
        ck_assert(errands[i].had_ledger);
        wait_until_told(&scene, &errands[i]);
    }
    ck_assert_uint_eq(memory_store_count(&scene.store, &scene.store.row_count), MANY / 2);
    scene_close(&scene);
}
END_TEST

/* Following */

START_TEST(what_another_process_changes_arrives)
{
    struct scene scene;
    struct certificate_row row = row_of(1, CERTIFICATE_ACTIVATED);
    scene_prepare(&scene);
    memory_store_put(&scene.store, NULL, &row);
    scene_open(&scene, timestamp_monotonic_ms);
    row.status = CERTIFICATE_NOT_ACTIVATED;
    memory_store_put(&scene.store, NULL, &row);
    wait_for(&scene.heard, &scene.heard.worse, 1);
    ck_assert_int_eq(view_status(entry_of(&scene, 1)), CERTIFICATE_NOT_ACTIVATED);
    ck_assert_uint_eq(heard_of(&scene.heard, &scene.heard.cas), 0);
    scene_close(&scene);
}
END_TEST

START_TEST(a_store_that_another_process_makes_is_found)
{
    struct scene scene;
    struct certificate_row row = row_of(1, CERTIFICATE_REVOKED);
    scene_prepare(&scene);
    scene.store.is_missing = true;
    scene_open(&scene, timestamp_monotonic_ms);
    memory_store_put(&scene.store, NULL, &row);
    pthread_mutex_lock(&scene.store.lock);
    scene.store.is_missing = false;
    pthread_mutex_unlock(&scene.store.lock);
    wait_for(&scene.heard, &scene.heard.worse, 1);
    ck_assert_int_eq(view_status(entry_of(&scene, 1)), CERTIFICATE_REVOKED);
    ck_assert_uint_eq(memory_store_count(&scene.store, &scene.store.made), 0);
    scene_close(&scene);
}
END_TEST

/* Changes of another process until the follower has read them. */
static void until_followed(struct scene *scene)
{
    unsigned followed = memory_store_count(&scene->store, &scene->store.followed);
    memory_store_wait(&scene->store, &scene->store.followed, followed + 1);
    unsigned asked = memory_store_count(&scene->store, &scene->store.asked_for_news);
    memory_store_wait(&scene->store, &scene->store.asked_for_news, asked + 1);
}

START_TEST(nobody_is_told_of_what_is_better_than_before)
{
    struct scene scene;
    struct certificate_row row = row_of(1, CERTIFICATE_NOT_ACTIVATED);
    scene_prepare(&scene);
    memory_store_put(&scene.store, NULL, &row);
    scene_open(&scene, timestamp_monotonic_ms);
    struct errand errand = {.row = row_of(1, CERTIFICATE_ACTIVATED)};
    send_out(&scene, &errand, LANE_CHANGES);
    wait_until_told(&scene, &errand);
    ck_assert_int_eq(errand.shown, CERTIFICATE_ACTIVATED);
    ck_assert_uint_eq(heard_of(&scene.heard, &scene.heard.worse), 0);
    ck_assert_uint_eq(heard_of(&scene.heard, &scene.heard.cas), 0);
    scene_close(&scene);
}
END_TEST

START_TEST(what_a_config_sees_of_cas_is_told)
{
    static const char *const hosts[] = {"www.example.com"};
    struct scene scene;
    struct ca_record ca = ca_of("acme", true);
    unsigned told = 0;
    scene_prepare(&scene);
    scene_open(&scene, timestamp_monotonic_ms);
    for (int change = 0; change < 6; change++) {
        if (change == 1)
            ca.name = "another";
        if (change == 2) {
            ca.host_count = 1;
            ca.hosts = hosts;
        }
        if (change == 3)
            ca.der = (const unsigned char *)"DER";
        if (change == 4)
            ca.is_enabled = false;
        if (change < 5)
            memory_store_put_ca(&scene.store, NULL, &ca);
        else
            memory_store_drop_cas(&scene.store);
        wait_for(&scene.heard, &scene.heard.cas, ++told);
        ck_assert_uint_eq(heard_of(&scene.heard, &scene.heard.worse), change >= 4 ? 1 : 0);
    }
    ca.is_enabled = true;
    memory_store_put_ca(&scene.store, NULL, &ca);
    wait_for(&scene.heard, &scene.heard.cas, ++told);
    ca.updated_ms = 12345; /* no config sees that */
    memory_store_put_ca(&scene.store, NULL, &ca);
    until_followed(&scene);
    ck_assert_uint_eq(heard_of(&scene.heard, &scene.heard.cas), told);
    scene_close(&scene);
}
END_TEST

START_TEST(a_store_that_cannot_be_read_leaves_the_view_and_recovers)
{
    struct scene scene;
    struct certificate_row row = row_of(1, CERTIFICATE_ACTIVATED);
    scene_prepare(&scene);
    memory_store_put(&scene.store, NULL, &row);
    scene_open(&scene, hours_fly);
    memory_store_set(&scene.store, &scene.store.read_outcome, STORE_FAILED);
    row.status = CERTIFICATE_REVOKED;
    memory_store_put(&scene.store, NULL, &row);
    memory_store_wait(&scene.store, &scene.store.failed, 3);
    ck_assert_int_eq(view_status(entry_of(&scene, 1)), CERTIFICATE_ACTIVATED);
    memory_store_set(&scene.store, &scene.store.read_outcome, STORE_DONE);
    wait_for(&scene.heard, &scene.heard.worse, 1);
    ck_assert_int_eq(view_status(entry_of(&scene, 1)), CERTIFICATE_REVOKED);
    scene_close(&scene);
}
END_TEST

START_TEST(a_change_that_could_not_be_followed_is_followed_later)
{
    struct scene scene;
    struct errand errand = {.row = row_of(1, CERTIFICATE_REVOKED)};
    scene_prepare(&scene);
    scene_open(&scene, hours_fly);
    memory_store_set(&scene.store, &scene.store.read_outcome, STORE_FAILED);
    send_out(&scene, &errand, LANE_CHANGES);
    wait_until_told(&scene, &errand);
    ck_assert_int_eq(errand.shown, -1);
    memory_store_set(&scene.store, &scene.store.read_outcome, STORE_DONE);
    wait_for(&scene.heard, &scene.heard.worse, 1);
    ck_assert_int_eq(view_status(entry_of(&scene, 1)), CERTIFICATE_REVOKED);
    scene_close(&scene);
}
END_TEST

START_TEST(an_older_store_is_read_from_its_beginning)
{
    struct scene scene;
    struct certificate_row row = row_of(1, CERTIFICATE_ACTIVATED);
    scene_prepare(&scene);
    for (int i = 0; i < 5; i++)
        memory_store_put(&scene.store, NULL, &row);
    scene_open(&scene, timestamp_monotonic_ms);
    memory_store_restore(&scene.store);
    row.status = CERTIFICATE_REVOKED;
    memory_store_put(&scene.store, NULL, &row);
    wait_for(&scene.heard, &scene.heard.worse, 1);
    ck_assert_int_eq(view_status(entry_of(&scene, 1)), CERTIFICATE_REVOKED);
    scene_close(&scene);
}
END_TEST

START_TEST(tombstones_past_their_time_are_dropped_again_and_again)
{
    struct scene scene;
    scene_prepare(&scene);
    scene_open(&scene, hours_fly);
    memory_store_wait(&scene.store, &scene.store.dropped, 2);
    scene_close(&scene);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, what_the_store_has_is_in_the_view_at_once_and_nobody_is_told);
    tcase_add_test(tcase, a_store_that_is_not_there_is_made_by_the_first_change_only);
    tcase_add_test(tcase, a_store_that_cannot_be_opened_is_told_why);
    tcase_add_test(tcase, a_store_that_breaks_later_is_told_to_who_asks);
    tcase_add_test(tcase, a_read_only_store_is_read_and_followed);
    tcase_add_test(tcase, a_change_is_in_the_view_before_it_is_told);
    tcase_add_test(tcase, jobs_run_in_order_on_a_thread_of_their_own_and_come_back_to_their_loop);
    tcase_add_test(tcase, a_long_change_does_not_hold_up_questions);
    tcase_add_test(tcase, bulk_work_holds_up_neither_changes_nor_questions);
    tcase_add_test(tcase, what_bulk_work_changed_is_in_the_view_before_it_is_told);
    tcase_add_test(tcase, bulk_work_on_a_store_that_cannot_be_written_is_told_why);
    tcase_add_test(tcase, a_job_without_a_desk_is_told_on_the_lane);
    tcase_add_test(tcase, closing_runs_and_tells_what_was_submitted);
    tcase_add_test(tcase, what_another_process_changes_arrives);
    tcase_add_test(tcase, a_store_that_another_process_makes_is_found);
    tcase_add_test(tcase, nobody_is_told_of_what_is_better_than_before);
    tcase_add_test(tcase, what_a_config_sees_of_cas_is_told);
    tcase_add_test(tcase, a_store_that_cannot_be_read_leaves_the_view_and_recovers);
    tcase_add_test(tcase, a_change_that_could_not_be_followed_is_followed_later);
    tcase_add_test(tcase, an_older_store_is_read_from_its_beginning);
    tcase_add_test(tcase, tombstones_past_their_time_are_dropped_again_and_again);
}

CHECK_MAIN("registry", add_tests)
