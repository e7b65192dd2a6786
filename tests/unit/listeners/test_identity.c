/* SPDX-License-Identifier: Apache-2.0 */
/* Words, results and lifetime of an identity; and the cache that remembers it. */
#include "listeners/identity.h"

#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "lb/base/limits.h"
#include "listeners/rules/policy.h"
#include "listeners/tls/chain_cache.h"
#include "tests/support/certificates.h"
#include "tests/support/check_main.h"
#include "tests/support/tls_stage.h"

struct cast {
    struct stage stage; /* for its CA sets */
    struct made *ca;
    struct made *other_ca;
    struct policy policy; /* asks for both */
};

static void cast_open(struct cast *cast)
{
    stage_open(&cast->stage);
    cast->ca = made_ca("Client CA");
    cast->other_ca = made_ca("Other CA");
    const struct client_auth one = {.mode = AUTH_REQUIRE,
                                    .ca_set = stage_ca_set(&cast->stage, cast->ca, NULL),
                                    .refuse_with = REFUSE_403,
                                    .registration = REGISTRATION_OFF};
    const struct client_auth two = {.mode = AUTH_REQUIRE,
                                    .ca_set = stage_ca_set(&cast->stage, cast->other_ca, NULL),
                                    .refuse_with = REFUSE_403,
                                    .registration = REGISTRATION_OFF};
    const struct client_auth *rules[] = {&one, &two};
    ck_assert_int_eq(policy_make(&cast->policy, rules, 2), POLICY_FINE);
}

static void cast_close(struct cast *cast)
{
    policy_done(&cast->policy);
    made_free(cast->ca);
    made_free(cast->other_ca);
    stage_close(&cast->stage);
}

static struct identity *identify(const struct policy *policy, const struct made *made,
                                 unsigned char mark)
{
    unsigned char hash[32] = {mark};
    STACK_OF(X509) *chain = X509_chain_up_ref(made->chain);
    X509_up_ref(made->certificate);
    sk_X509_unshift(chain, made->certificate);
    struct identity *identity = identity_new(policy, chain, hash, time(NULL));
    ck_assert_ptr_nonnull(identity);
    sk_X509_pop_free(chain, X509_free);
    return identity;
}

START_TEST(an_identity_says_who_it_is)
{
    struct cast cast;
    cast_open(&cast);
    struct made *made = made_certificate(&(struct certificate_wish){
        .name = "alice", .organization = "Example", .issuer = cast.ca, .until_s = 1000});
    struct identity *identity = identify(&cast.policy, made, 0);
    ck_assert_str_eq(identity->subject, "CN=alice,O=Example");
    ck_assert_str_eq(identity->issuer, "CN=Client CA");
    ck_assert_uint_eq(strlen(identity->serial), 32);
    ck_assert_uint_eq(strlen(identity->sha256), 64);
    ck_assert_int_le(identity->not_before, time(NULL));
    ck_assert_int_le(identity->not_after, time(NULL) + 1000);
    ck_assert_uint_eq(identity->result_count, 2);
    ck_assert(identity_is_verified(identity));
    ck_assert_int_eq(identity_valid_until(identity), identity->not_after);
    identity_unref(identity);
    identity_unref(NULL);
    made_free(made);
    cast_close(&cast);
}
END_TEST

static const struct {
    const char *name;
    const char *common_name;
} common_names[] = {
    {"alice", "alice"}, {"Ren\xc3\xa9 7", "Ren\xc3\xa9 7"}, {NULL, NULL}, {" alice", NULL},
    {"alice ", NULL},   {"alice\r\nX-Admin: yes", NULL},
};

START_TEST(a_common_name_that_no_field_can_carry_is_none)
{
    struct cast cast;
    cast_open(&cast);
    struct made *made = made_certificate(
        &(struct certificate_wish){.name = common_names[_i].name, .issuer = cast.ca});
    struct identity *identity = identify(&cast.policy, made, 0);
    if (common_names[_i].common_name)
        ck_assert_str_eq(identity->common_name, common_names[_i].common_name);
    else
        ck_assert_ptr_null(identity->common_name);
    identity_unref(identity);
    made_free(made);
    cast_close(&cast);
}
END_TEST

START_TEST(a_result_that_the_clock_will_change_holds_for_no_time)
{
    struct cast cast;
    cast_open(&cast);
    const struct certificate_wish wishes[] = {
        {.name = "late", .issuer = cast.ca, .from_s = -9000, .until_s = -60},
        {.name = "early", .issuer = cast.ca, .from_s = 1000},
    };
    for (size_t i = 0; i < 2; i++) {
        struct made *made = made_certificate(&wishes[i]);
        struct identity *identity = identify(&cast.policy, made, 0);
        ck_assert(!identity_is_verified(identity));
        ck_assert_int_eq(identity_valid_until(identity), 0);
        identity_unref(identity);
        made_free(made);
    }
    cast_close(&cast);
}
END_TEST

START_TEST(what_is_ours_of_an_identity_stays_below_a_kilobyte)
{
    struct cast cast;
    cast_open(&cast);
    struct made *made = made_client(cast.ca, "device-0123456789.clients.example.com");
    struct identity *identity = identify(&cast.policy, made, 0);
    size_t bytes = sizeof *identity + identity->result_count * sizeof *identity->results +
                   strlen(identity->subject) + strlen(identity->issuer) + strlen(identity->serial) +
                   strlen(identity->sha256) + 4;
    ck_assert_uint_lt(bytes, 1024);
    identity_unref(identity);
    made_free(made);
    cast_close(&cast);
}
END_TEST

/* The cache of verified chains */

START_TEST(verified_chains_are_remembered_by_chain_and_policy)
{
    struct cast cast;
    unsigned char hash[32] = {1};
    cast_open(&cast);
    struct chain_cache *cache = chain_cache_new(1000);
    struct made *made = made_client(cast.ca, "alice");
    struct identity *identity = identify(&cast.policy, made, 1);
    time_t now = time(NULL);
    ck_assert_ptr_null(chain_cache_get(cache, hash, &cast.policy, now));
    chain_cache_put(cache, &cast.policy, identity);
    struct identity *found = chain_cache_get(cache, hash, &cast.policy, now);
    ck_assert_ptr_eq(found, identity);
    identity_unref(found);
    struct policy other = cast.policy;
    other.id[31] ^= 1;
    ck_assert_ptr_null(chain_cache_get(cache, hash, &other, now));
    hash[31] = 1;
    ck_assert_ptr_null(chain_cache_get(cache, hash, &cast.policy, now));
    identity_unref(identity);
    made_free(made);
    chain_cache_free(cache);
    chain_cache_free(NULL);
    cast_close(&cast);
}
END_TEST

START_TEST(a_remembered_chain_ends_at_its_earliest_not_after)
{
    struct cast cast;
    const unsigned char hash[32] = {1};
    cast_open(&cast);
    struct chain_cache *cache = chain_cache_new(1000);
    struct made *middle = made_certificate(&(struct certificate_wish){
        .name = "Middle", .ca = true, .issuer = cast.ca, .until_s = 500});
    struct made *made = made_client(middle, "alice");
    struct identity *identity = identify(&cast.policy, made, 1);
    time_t end = identity_valid_until(identity);
    ck_assert_int_le(end, time(NULL) + 500);
    chain_cache_put(cache, &cast.policy, identity);
    struct identity *found = chain_cache_get(cache, hash, &cast.policy, end - 1);
    ck_assert_ptr_eq(found, identity);
    identity_unref(found);
    ck_assert_ptr_null(chain_cache_get(cache, hash, &cast.policy, end));
    ck_assert_uint_eq(chain_cache_count(cache), 0);
    identity_unref(identity);
    made_free(made);
    made_free(middle);
    chain_cache_free(cache);
    cast_close(&cast);
}
END_TEST

START_TEST(what_no_set_verified_is_not_remembered)
{
    struct cast cast;
    cast_open(&cast);
    struct chain_cache *cache = chain_cache_new(1000);
    struct made *stranger = made_ca("Stranger");
    struct made *made = made_client(stranger, "mallory");
    struct identity *identity = identify(&cast.policy, made, 1);
    chain_cache_put(cache, &cast.policy, identity);
    ck_assert_uint_eq(chain_cache_count(cache), 0);
    identity_unref(identity);
    made_free(made);
    made_free(stranger);
    chain_cache_free(cache);
    cast_close(&cast);
}
END_TEST

START_TEST(a_chain_that_is_too_large_is_not_remembered)
{
    struct cast cast;
    cast_open(&cast);
    struct chain_cache *cache = chain_cache_new(1000);
    struct made *made =
        made_certificate(&(struct certificate_wish){.name = "bulky",
                                                    .issuer = cast.ca,
                                                    .usage = "clientAuth",
                                                    .padding_bytes = KEPT_CHAIN_BYTES});
    struct identity *identity = identify(&cast.policy, made, 1);
    ck_assert(identity_is_verified(identity) && !identity_may_be_kept(identity));
    chain_cache_put(cache, &cast.policy, identity);
    ck_assert_uint_eq(chain_cache_count(cache), 0);
    identity_unref(identity);
    made_free(made);
    chain_cache_free(cache);
    cast_close(&cast);
}
END_TEST

enum { THREADS = 4, ROUNDS = 500, CHAINS = 8 };

struct crowd {
    struct cast cast;
    struct chain_cache *cache;
    struct made *made[CHAINS];
};

static void *remember(void *argument)
{
    struct crowd *crowd = argument;
    for (unsigned i = 0; i < ROUNDS; i++) {
        unsigned char hash[32] = {(unsigned char)(i % CHAINS)};
        struct identity *identity =
            chain_cache_get(crowd->cache, hash, &crowd->cast.policy, time(NULL));
        if (!identity) {
            identity = identify(&crowd->cast.policy, crowd->made[i % CHAINS], hash[0]);
            chain_cache_put(crowd->cache, &crowd->cast.policy, identity);
        }
        if (memcmp(identity->chain_hash, hash, sizeof hash) != 0)
            abort();
        identity_unref(identity);
    }
    return NULL;
}

/* OpenSSL reads a certificate's extensions when they are first asked for, in a way (a flag that is
 * looked at again under a lock) that the thread sanitizer takes for a race: here, one thread does
 * it before there are more. */
static void touch(X509 *certificate)
{
    ck_assert_int_ge(X509_check_purpose(certificate, -1, 0), 0);
}

START_TEST(many_threads_may_remember_at_once)
{
    struct crowd crowd;
    pthread_t threads[THREADS];
    cast_open(&crowd.cast);
    crowd.cache = chain_cache_new(4); /* fewer than there are chains: some are always pushed out */
    for (int i = 0; i < CHAINS; i++) {
        crowd.made[i] = made_client(crowd.cast.ca, "client");
        touch(crowd.made[i]->certificate);
    }
    touch(crowd.cast.ca->certificate);
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, remember, &crowd), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    ck_assert_uint_le(chain_cache_count(crowd.cache), CHAINS);
    chain_cache_free(crowd.cache);
    for (int i = 0; i < CHAINS; i++)
        made_free(crowd.made[i]);
    cast_close(&crowd.cast);
}
END_TEST

/* Each round comes with a copy of the intermediate of its own, as off the wire, and leaves with the
 * one that is shared, if there is one yet. */
static void *share(void *argument)
{
    struct crowd *crowd = argument;
    for (unsigned i = 0; i < ROUNDS; i++) {
        const struct made *made = crowd->made[i % CHAINS];
        unsigned char hash[32] = {(unsigned char)(i % CHAINS)};
        STACK_OF(X509) *chain = sk_X509_new_null();
        X509_up_ref(made->certificate);
        sk_X509_push(chain, made->certificate);
        X509 *copy = X509_dup(sk_X509_value(made->chain, 0));
        sk_X509_push(chain, copy);
        chain_cache_share(crowd->cache, chain);
        if (i > 0 && sk_X509_value(chain, 1) == copy)
            abort();
        struct identity *identity = identity_new(&crowd->cast.policy, chain, hash, time(NULL));
        chain_cache_put(crowd->cache, &crowd->cast.policy, identity);
        identity_unref(identity);
        sk_X509_pop_free(chain, X509_free);
    }
    return NULL;
}

START_TEST(many_threads_may_share_an_intermediate)
{
    struct crowd crowd;
    pthread_t threads[THREADS];
    cast_open(&crowd.cast);
    crowd.cache = chain_cache_new(CHAINS * 2);
    struct made *middle = made_intermediate(crowd.cast.ca, "Intermediate");
    for (int i = 0; i < CHAINS; i++) {
        crowd.made[i] = made_client(middle, "client");
        touch(crowd.made[i]->certificate);
    }
    touch(crowd.cast.ca->certificate);
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, share, &crowd), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    chain_cache_free(crowd.cache);
    for (int i = 0; i < CHAINS; i++)
        made_free(crowd.made[i]);
    made_free(middle);
    cast_close(&crowd.cast);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, an_identity_says_who_it_is);
    tcase_add_loop_test(tcase, a_common_name_that_no_field_can_carry_is_none, 0,
                        sizeof common_names / sizeof *common_names);
    tcase_add_test(tcase, a_result_that_the_clock_will_change_holds_for_no_time);
    tcase_add_test(tcase, what_is_ours_of_an_identity_stays_below_a_kilobyte);
    tcase_add_test(tcase, verified_chains_are_remembered_by_chain_and_policy);
    tcase_add_test(tcase, a_remembered_chain_ends_at_its_earliest_not_after);
    tcase_add_test(tcase, what_no_set_verified_is_not_remembered);
    tcase_add_test(tcase, a_chain_that_is_too_large_is_not_remembered);
    tcase_add_test(tcase, many_threads_may_remember_at_once);
    tcase_add_test(tcase, many_threads_may_share_an_intermediate);
}

CHECK_MAIN("identity", add_tests)
