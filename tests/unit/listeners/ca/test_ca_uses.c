/* SPDX-License-Identifier: Apache-2.0 */
/* Whose clients come, and which CA may go. Both clocks are the test's. */
#include "listeners/ca/ca_uses.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lb/base/error.h"
#include "lb/base/limits.h"
#include "listeners/ca/ca_uses_text.h"
#include "listeners/identity.h"
#include "listeners/rules/policy.h"
#include "tests/support/certificates.h"
#include "tests/support/check_main.h"
#include "tests/support/tls_stage.h"

enum { DAY_S = MADE_DAY_S, START_S = 1700000000 };

static struct stage stage; /* for its CA sets */
static struct made *old_ca, *new_ca, *stranger;
static struct policy policy;   /* asks for old_ca and new_ca */
static struct identity *alice; /* of old_ca */
static struct identity *bob;   /* of new_ca */
static struct ca_uses *uses;
static int64_t wall_s, run_s;

static int64_t fake_wall(void *arg)
{
    (void)arg;
    return wall_s;
}

static int64_t fake_run(void *arg)
{
    (void)arg;
    return run_s;
}

static struct ca_uses *fresh(void)
{
    struct ca_uses *made = ca_uses_new();
    ck_assert_ptr_nonnull(made);
    ca_uses_set_clock(made, &(struct ca_clock){fake_wall, fake_run, NULL});
    return made;
}

static void pass_s(int64_t seconds)
{
    wall_s += seconds;
    run_s += seconds;
}

static struct identity *identify(const struct policy *under, const struct made *made)
{
    unsigned char hash[32] = {1};
    STACK_OF(X509) *chain = X509_chain_up_ref(made->chain);
    X509_up_ref(made->certificate);
    sk_X509_unshift(chain, made->certificate);
    struct identity *identity = identity_new(under, chain, hash, time(NULL));
    ck_assert_ptr_nonnull(identity);
    sk_X509_pop_free(chain, X509_free);
    return identity;
}

static struct identity *client_of(const struct made *ca, const char *name)
{
    struct made *made = made_client(ca, name);
    struct identity *identity = identify(&policy, made);
    made_free(made);
    return identity;
}

static void make_policy(struct policy *into, const struct ca_set *set)
{
    const struct client_auth rule = {
        .mode = AUTH_REQUIRE, .ca_set = set, .refuse_with = REFUSE_403};
    const struct client_auth *rules[] = {&rule};
    ck_assert_int_eq(policy_make(into, rules, 1), POLICY_FINE);
}

static void begin(void)
{
    wall_s = START_S;
    run_s = 1000;
    stage_open(&stage);
    old_ca = made_ca("Old CA");
    new_ca = made_ca("New CA");
    stranger = made_ca("Stranger");
    make_policy(&policy, stage_ca_set(&stage, old_ca, new_ca, NULL));
    alice = client_of(old_ca, "alice");
    bob = client_of(new_ca, "bob");
    uses = fresh();
}

static void end(void)
{
    identity_unref(alice);
    identity_unref(bob);
    policy_done(&policy);
    ca_uses_free(uses);
    made_free(old_ca);
    made_free(new_ca);
    made_free(stranger);
    stage_close(&stage);
}

static struct ca_list *name_in(struct ca_uses *in, const struct policy *what)
{
    struct ca_list *list = ca_list_new(in, "web", "www.example.com", what);
    ck_assert_ptr_nonnull(list);
    return list;
}

/* Where the list names this CA. */
static unsigned index_of(const struct ca_list *list, const struct made *ca)
{
    for (unsigned i = 0; i < list->count; i++)
        if (X509_cmp(list->items[i].certificate, ca->certificate) == 0)
            return i;
    ck_abort_msg("it is not named");
}

static struct ca_use_facts facts_of(const struct ca_list *list, const struct made *ca)
{
    return ca_use_read(list->roll, list->items[index_of(list, ca)].use);
}

static void expect_removal(const struct ca_list *list, const struct made *ca,
                           enum ca_removal removal)
{
    enum ca_removal found = ca_list_removal(list, index_of(list, ca));
    ck_assert_msg(found == removal, "%s instead of %s", ca_removal_name(found),
                  ca_removal_name(removal));
}

START_TEST(whoever_has_verified_a_client_is_counted)
{
    struct ca_list *list = name_in(uses, &policy);
    pass_s(60);
    ca_roll_count(list->roll, alice, false);
    ca_roll_count(list->roll, alice, true);
    ca_roll_count(list->roll, NULL, false);
    ca_roll_count(NULL, alice, false);
    struct ca_use_facts facts = facts_of(list, old_ca);
    ck_assert_uint_eq(facts.full, 1);
    ck_assert_uint_eq(facts.resumed, 1);
    ck_assert_int_eq(facts.since_s, START_S);
    ck_assert_int_eq(facts.last_seen_s, START_S + 60);
    ck_assert_int_eq(facts.idle_s, 0);
    facts = facts_of(list, new_ca);
    ck_assert_uint_eq(facts.full + facts.resumed, 0);
    ck_assert_int_eq(facts.last_seen_s, 0);
    ck_assert_int_eq(facts.idle_s, 60);
    ca_list_free(list);
}
END_TEST

START_TEST(whoever_nobody_has_verified_counts_nowhere)
{
    struct ca_list *list = name_in(uses, &policy);
    struct identity *eve = client_of(stranger, "eve");
    ca_roll_count(list->roll, eve, false);
    ck_assert_uint_eq(facts_of(list, old_ca).full + facts_of(list, new_ca).full, 0);
    unsigned count = 0;
    for (struct ca_use *use = ca_roll_next(list->roll, NULL); use;
         use = ca_roll_next(list->roll, use))
        count++;
    ck_assert_uint_eq(count, 2);
    identity_unref(eve);
    ca_list_free(list);
}
END_TEST

START_TEST(every_ca_of_the_chain_is_counted_with_its_name)
{
    struct ca_list *list = name_in(uses, &policy);
    struct made *below = made_intermediate(old_ca, "Below");
    struct identity *carol = client_of(below, "carol");
    unsigned char key[CA_KEY_BYTES];
    ca_roll_count(list->roll, carol, false);
    ck_assert_uint_eq(facts_of(list, old_ca).full, 1);
    ck_assert(ca_key_of(below->certificate, key));
    struct ca_use *use = ca_roll_find(list->roll, key);
    ck_assert_ptr_nonnull(use);
    ck_assert_str_eq(use->subject, "CN=Below");
    ck_assert_uint_eq(ca_use_read(list->roll, use).full, 1);
    ck_assert(!ca_list_has(list, use));
    identity_unref(carol);
    made_free(below);
    ca_list_free(list);
}
END_TEST

START_TEST(a_ca_of_several_sets_is_counted_once)
{
    struct policy both = {0};
    const struct client_auth one = {.mode = AUTH_REQUIRE,
                                    .ca_set = stage_ca_set(&stage, old_ca, NULL),
                                    .refuse_with = REFUSE_403};
    const struct client_auth two = {.mode = AUTH_REQUIRE,
                                    .ca_set = stage_ca_set(&stage, old_ca, new_ca, NULL),
                                    .refuse_with = REFUSE_403};
    const struct client_auth *rules[] = {&one, &two};
    ck_assert_int_eq(policy_make(&both, rules, 2), POLICY_FINE);
    struct made *made = made_client(old_ca, "dan");
    struct identity *dan = identify(&both, made);
    struct ca_list *list = name_in(uses, &both);
    ck_assert_uint_eq(list->count, 2);
    ca_roll_count(list->roll, dan, false);
    ck_assert_uint_eq(facts_of(list, old_ca).full, 1);
    ca_list_free(list);
    identity_unref(dan);
    made_free(made);
    policy_done(&both);
}
END_TEST

START_TEST(domains_and_listeners_are_counted_apart)
{
    struct ca_list *www = name_in(uses, &policy);
    struct ca_list *api = ca_list_new(uses, "web", "api.example.com", &policy);
    struct ca_list *other = ca_list_new(uses, "other", "www.example.com", &policy);
    ca_roll_count(www->roll, alice, false);
    ck_assert_uint_eq(facts_of(www, old_ca).full, 1);
    ck_assert_uint_eq(facts_of(api, old_ca).full, 0);
    ck_assert_uint_eq(facts_of(other, old_ca).full, 0);
    unsigned rolls = 0;
    for (const struct ca_roll *roll = ca_uses_first(uses); roll; roll = roll->next)
        rolls++;
    ck_assert_uint_eq(rolls, 3);
    ca_list_free(www);
    ca_list_free(api);
    ca_list_free(other);
}
END_TEST

START_TEST(a_request_shows_that_a_ca_is_needed_once_a_second)
{
    struct ca_list *list = name_in(uses, &policy);
    struct ca_sighting sighting = {0};
    pass_s(10);
    ca_sighting_note(&sighting, list->roll, alice, wall_s);
    ck_assert_int_eq(facts_of(list, old_ca).last_seen_s, START_S + 10);
    ck_assert_uint_eq(facts_of(list, old_ca).full, 0);
    /* Within the same second nothing is written: what stands there stays. */
    struct ca_use *use = list->items[index_of(list, old_ca)].use;
    atomic_store(&use->last_seen_s, 42);
    ca_sighting_note(&sighting, list->roll, alice, wall_s);
    ck_assert_int_eq(facts_of(list, old_ca).last_seen_s, 42);
    pass_s(1);
    ca_sighting_note(&sighting, list->roll, alice, wall_s);
    ck_assert_int_eq(facts_of(list, old_ca).last_seen_s, START_S + 11);
    ck_assert_int_eq(facts_of(list, new_ca).last_seen_s, 0);
    ca_list_free(list);
}
END_TEST

START_TEST(a_ca_may_go_when_its_clients_stay_away_and_others_come)
{
    struct ca_list *list = name_in(uses, &policy);
    expect_removal(list, old_ca, CA_REMOVAL_EARLY);
    ca_roll_count(list->roll, alice, false);
    expect_removal(list, old_ca, CA_REMOVAL_USED);
    pass_s(CA_UNUSED_S - 1);
    ca_roll_count(list->roll, bob, false);
    expect_removal(list, old_ca, CA_REMOVAL_USED);
    pass_s(1);
    expect_removal(list, old_ca, CA_REMOVAL_SAFE);
    expect_removal(list, new_ca, CA_REMOVAL_USED);
    ca_roll_see(list->roll, alice);
    expect_removal(list, old_ca, CA_REMOVAL_USED);
    ca_list_free(list);
}
END_TEST

START_TEST(that_nobody_comes_says_nothing_of_a_ca)
{
    struct ca_list *list = name_in(uses, &policy);
    pass_s(30 * DAY_S);
    expect_removal(list, old_ca, CA_REMOVAL_SILENT);
    expect_removal(list, new_ca, CA_REMOVAL_SILENT);
    ca_list_free(list);
}
END_TEST

START_TEST(the_only_ca_may_not_go)
{
    struct policy one = {0};
    make_policy(&one, stage_ca_set(&stage, old_ca, NULL));
    struct ca_list *list = name_in(uses, &one);
    pass_s(30 * DAY_S);
    expect_removal(list, old_ca, CA_REMOVAL_ONLY);
    ca_list_free(list);
    policy_done(&one);
}
END_TEST

START_TEST(a_renewed_ca_is_the_same_ca)
{
    struct policy renewed = {0};
    struct made *again = made_certificate(&(struct certificate_wish){
        .name = "Old CA", .reuse_key = old_ca->key, .ca = true, .until_s = 400 * DAY_S});
    make_policy(&renewed, stage_ca_set(&stage, old_ca, again, NULL));
    struct ca_list *list = name_in(uses, &renewed);
    ck_assert_uint_eq(list->count, 2);
    ck_assert_ptr_eq(list->items[0].use, list->items[1].use);
    expect_removal(list, old_ca, CA_REMOVAL_ONLY);
    ca_list_free(list);
    made_free(again);
    policy_done(&renewed);
}
END_TEST

START_TEST(a_clock_that_jumps_makes_no_ca_look_unused)
{
    struct ca_list *list = name_in(uses, &policy);
    ca_roll_count(list->roll, alice, false);
    ca_roll_count(list->roll, bob, false);
    wall_s += 400 * (int64_t)DAY_S; /* somebody has set it */
    expect_removal(list, old_ca, CA_REMOVAL_USED);
    wall_s = START_S - DAY_S;
    pass_s(60);
    ca_roll_see(list->roll, alice);
    ck_assert_int_eq(facts_of(list, old_ca).last_seen_s, wall_s);
    ck_assert_int_eq(facts_of(list, old_ca).idle_s, 0);
    ck_assert_int_eq(facts_of(list, new_ca).idle_s, 60);
    ca_list_free(list);
}
END_TEST

START_TEST(a_reload_does_not_begin_anew)
{
    struct ca_list *before = name_in(uses, &policy);
    ca_roll_count(before->roll, alice, false);
    pass_s(3 * DAY_S);
    struct ca_list *after = name_in(uses, &policy);
    ca_list_free(before);
    ck_assert_uint_eq(facts_of(after, old_ca).full, 1);
    ck_assert_int_eq(facts_of(after, old_ca).idle_s, 3 * DAY_S);
    ca_list_free(after);
}
END_TEST

START_TEST(a_ca_that_is_named_again_has_a_week_from_then_on)
{
    struct ca_list *list = name_in(uses, &policy);
    ca_list_free(list);
    pass_s(30 * DAY_S);
    list = name_in(uses, &policy);
    ca_roll_count(list->roll, bob, false);
    expect_removal(list, old_ca, CA_REMOVAL_EARLY);
    ck_assert_int_eq(facts_of(list, old_ca).idle_s, 0);
    ca_list_free(list);
}
END_TEST

/* --- from one run to the next ---------------------------------------------------------------- */

/* What this run knows, as the next one reads it `later_s` afterwards. */
static void restart(int64_t later_s)
{
    struct error err = {""};
    char *text = ca_uses_write(uses);
    ck_assert_ptr_nonnull(text);
    ca_uses_free(uses);
    wall_s += later_s;
    run_s = 5; /* the machine was started anew, too */
    uses = fresh();
    ck_assert_msg(ca_uses_read(uses, text, strlen(text), &err), "%s", err.text);
    free(text);
}

START_TEST(a_restart_goes_on_where_the_run_before_ended)
{
    struct ca_list *list = name_in(uses, &policy);
    ca_roll_count(list->roll, alice, false);
    ca_roll_count(list->roll, alice, true);
    pass_s(5 * DAY_S);
    ca_roll_count(list->roll, bob, false);
    /* The file is written while the config is in force, and read by a run that has none yet. */
    struct error err = {""};
    char *text = ca_uses_write(uses);
    ca_list_free(list);
    ca_uses_free(uses);
    wall_s += 100 * (int64_t)DAY_S;
    run_s = 5;
    uses = fresh();
    ck_assert_msg(ca_uses_read(uses, text, strlen(text), &err), "%s", err.text);
    free(text);
    list = name_in(uses, &policy);
    ca_uses_settle(uses);
    struct ca_use_facts facts = facts_of(list, old_ca);
    ck_assert_uint_eq(facts.full, 1);
    ck_assert_uint_eq(facts.resumed, 1);
    ck_assert_int_eq(facts.since_s, START_S);
    ck_assert_int_eq(facts.last_seen_s, START_S);
    /* A hundred days in which lb did not run say nothing of a CA. */
    ck_assert_int_eq(facts.idle_s, 5 * DAY_S);
    expect_removal(list, old_ca, CA_REMOVAL_USED);
    pass_s(2 * DAY_S);
    expect_removal(list, old_ca, CA_REMOVAL_SAFE);
    ca_list_free(list);
}
END_TEST

START_TEST(what_the_new_run_does_not_name_is_named_no_more)
{
    struct ca_list *list = name_in(uses, &policy);
    struct error err = {""};
    char *text = ca_uses_write(uses);
    ca_list_free(list);
    ca_uses_free(uses);
    uses = fresh();
    ck_assert(ca_uses_read(uses, text, strlen(text), &err));
    free(text);
    ca_uses_settle(uses); /* its first config names nobody */
    pass_s(30 * DAY_S);
    list = name_in(uses, &policy);
    ck_assert_int_eq(facts_of(list, old_ca).idle_s, 0);
    ca_list_free(list);
}
END_TEST

START_TEST(what_nobody_names_is_forgotten_after_a_while)
{
    struct ca_list *list = name_in(uses, &policy);
    ca_roll_count(list->roll, alice, false);
    ca_list_free(list);
    restart(CA_USES_FORGOTTEN_S);
    ck_assert_ptr_nonnull(ca_uses_first(uses));
    restart(1);
    ck_assert_ptr_null(ca_uses_first(uses));
}
END_TEST

/* Texts that are none of lb's, and what is said of them. */
#define KEY "\"key\":\"0000000000000000000000000000000000000000000000000000000000000000\""
#define USE_OF(domain, key, idle)                                                                  \
    "{\"listener\":\"web\",\"domain\":" domain "," key ",\"subject\":\"CN=x\",\"named\":true,"     \
    "\"full\":1,\"resumed\":0,\"since\":1,\"last_seen\":1,\"idle\":" idle "}"
static const struct {
    const char *text, *fault;
} faulty[] = {
    {"", "no JSON"},
    {"{\"version\":1,\"uses\":[", "no JSON: line 1"},
    {"[]", "this version"},
    {"{\"version\":2,\"uses\":[]}", "this version"},
    {"{\"version\":1,\"uses\":{}}", "this version"},
    {"{\"version\":1,\"uses\":[1]}", "entry 1"},
    {"{\"version\":1,\"uses\":[" USE_OF("\"a\"", KEY, "1") "," USE_OF("7", KEY, "1") "]}",
     "entry 2"},
    {"{\"version\":1,\"uses\":[" USE_OF("\"a\"", "\"key\":\"00\"", "1") "]}", "entry 1"},
    {"{\"version\":1,\"uses\":[" USE_OF("\"a\"", KEY, "-1") "]}", "entry 1"},
};

START_TEST(a_text_that_is_none_changes_nothing)
{
    struct error err = {""};
    ck_assert(!ca_uses_read(uses, faulty[_i].text, strlen(faulty[_i].text), &err));
    ck_assert_msg(strstr(err.text, faulty[_i].fault), "%s", err.text);
    ck_assert_ptr_null(ca_uses_first(uses));
}
END_TEST

/* --- bounds and threads ---------------------------------------------------------------------- */

START_TEST(strangers_take_no_place_from_those_that_are_named)
{
    struct ca_roll *roll = ca_uses_roll(uses, "web", "www.example.com");
    unsigned char key[CA_KEY_BYTES] = {0};
    for (unsigned i = 0; i < CA_ROLL_OTHERS_MOST; i++) {
        key[0] = key[1] = (unsigned char)i;
        ck_assert_ptr_nonnull(ca_roll_use(roll, key, "", true));
    }
    key[2] = 1;
    ck_assert_ptr_null(ca_roll_use(roll, key, "", true));
    ck_assert_ptr_null(ca_roll_find(roll, key));
    struct ca_list *list = name_in(uses, &policy);
    ck_assert_ptr_nonnull(list->items[0].use);
    ck_assert_ptr_nonnull(list->items[1].use);
    ca_list_free(list);
}
END_TEST

START_TEST(beyond_the_most_nothing_is_counted_and_nothing_is_safe)
{
    unsigned char key[CA_KEY_BYTES] = {0};
    struct ca_roll *roll = ca_uses_roll(uses, "web", "crowd");
    for (unsigned i = 0; i < CA_USES_MOST; i++) {
        memcpy(key, &i, sizeof i);
        ck_assert_ptr_nonnull(ca_roll_use(roll, key, "", false));
    }
    struct ca_list *list = name_in(uses, &policy);
    pass_s(30 * DAY_S);
    expect_removal(list, old_ca, CA_REMOVAL_UNKNOWN);
    ca_list_free(list);
}
END_TEST

enum { THREADS = 4, TIMES = 2000 };

static void *count_many(void *arg)
{
    struct ca_roll *roll = arg;
    unsigned char key[CA_KEY_BYTES] = {0};
    for (unsigned i = 0; i < TIMES; i++) {
        key[0] = (unsigned char)(i % 200);
        struct ca_use *use = ca_roll_use(roll, key, "CN=x", false);
        atomic_fetch_add_explicit(&use->full, 1, memory_order_relaxed);
        ca_roll_count(roll, alice, false);
    }
    return NULL;
}

START_TEST(none_is_lost_when_many_threads_meet_new_cas)
{
    struct ca_list *list = name_in(uses, &policy);
    pthread_t threads[THREADS];
    for (unsigned i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, count_many, list->roll), 0);
    free(ca_uses_write(uses)); /* who keeps them reads while they are written */
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    uint64_t all = 0;
    unsigned count = 0;
    for (struct ca_use *use = ca_roll_next(list->roll, NULL); use;
         use = ca_roll_next(list->roll, use), count++)
        all += ca_use_read(list->roll, use).full;
    ck_assert_uint_eq(count, 200 + 2);
    ck_assert_uint_eq(all, 2 * THREADS * TIMES);
    ca_list_free(list);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, whoever_has_verified_a_client_is_counted);
    tcase_add_test(tcase, whoever_nobody_has_verified_counts_nowhere);
    tcase_add_test(tcase, every_ca_of_the_chain_is_counted_with_its_name);
    tcase_add_test(tcase, a_ca_of_several_sets_is_counted_once);
    tcase_add_test(tcase, domains_and_listeners_are_counted_apart);
    tcase_add_test(tcase, a_request_shows_that_a_ca_is_needed_once_a_second);
    tcase_add_test(tcase, a_ca_may_go_when_its_clients_stay_away_and_others_come);
    tcase_add_test(tcase, that_nobody_comes_says_nothing_of_a_ca);
    tcase_add_test(tcase, the_only_ca_may_not_go);
    tcase_add_test(tcase, a_renewed_ca_is_the_same_ca);
    tcase_add_test(tcase, a_clock_that_jumps_makes_no_ca_look_unused);
    tcase_add_test(tcase, a_reload_does_not_begin_anew);
    tcase_add_test(tcase, a_ca_that_is_named_again_has_a_week_from_then_on);
    tcase_add_test(tcase, a_restart_goes_on_where_the_run_before_ended);
    tcase_add_test(tcase, what_the_new_run_does_not_name_is_named_no_more);
    tcase_add_test(tcase, what_nobody_names_is_forgotten_after_a_while);
    tcase_add_loop_test(tcase, a_text_that_is_none_changes_nothing, 0,
                        sizeof faulty / sizeof faulty[0]);
    tcase_add_test(tcase, strangers_take_no_place_from_those_that_are_named);
    tcase_add_test(tcase, beyond_the_most_nothing_is_counted_and_nothing_is_safe);
    tcase_add_test(tcase, none_is_lost_when_many_threads_meet_new_cas);
}

CHECK_MAIN("ca uses", add_tests)
