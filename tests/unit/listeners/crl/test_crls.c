/* SPDX-License-Identifier: Apache-2.0 */
/* From files to judgements, and what changes of the files do to them. No clock but the test's
 * decides; a look is a call. */
#include "listeners/crl/crls.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lb/base/thread.h"
#include "listeners/crl/crl_check_parts.h"
#include "listeners/crl/crl_loading.h"
#include "listeners/crl/crl_source.h"
#include "listeners/identity.h"
#include "listeners/rules/policy.h"
#include "tests/support/certificates.h"
#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/folder.h"
#include "tests/support/made_crl.h"
#include "tests/support/text.h"

enum { FILES_MOST = 3 };

struct cast {
    struct folder folder;
    struct arena arena;
    struct problems problems;
    struct made *root;
    struct made *middle;
    struct made *alice; /* of middle */
    struct made *bob;   /* of root */
    struct ca_set *set; /* root and middle */
    struct policy policy;
    struct identity *who_alice;
    struct identity *who_bob;
    struct crls *crls;
    struct crl_reader *reader;
    struct option_list files;
    const char *paths[FILES_MOST];
    unsigned lines[FILES_MOST];
    time_t now;
};

static struct identity *identity_of(struct cast *cast, const struct made *made)
{
    unsigned char hash[32] = {0};
    STACK_OF(X509) *chain = sk_X509_new_null();
    sk_X509_push(chain, made->certificate);
    sk_X509_push(chain, cast->middle->certificate);
    struct identity *identity = identity_new(&cast->policy, chain, hash, cast->now);
    ck_assert_ptr_nonnull(identity);
    ck_assert_int_eq(identity->results[0].refusal, REFUSAL_NONE);
    sk_X509_free(chain);
    return identity;
}

static void cast_open(struct cast *cast)
{
    *cast = (struct cast){.now = time(NULL)};
    folder_make(&cast->folder);
    cast->root = made_ca("Root");
    cast->middle = made_intermediate(cast->root, "Middle");
    cast->alice = made_client(cast->middle, "alice");
    cast->bob = made_client(cast->root, "bob");
    made_write_bundle(cast->folder.path, "cas.pem", cast->root, cast->middle, NULL);
    const char *path = folder_file(&cast->folder, "cas.pem");
    const unsigned line = 7;
    cast->set = ca_set_load(&path, &line, 1, NULL, 4, false, "lb.ini", &cast->problems);
    ck_assert_ptr_nonnull(cast->set);
    cast->policy = (struct policy){.set_count = 1, .sets = {cast->set}};
    cast->who_alice = identity_of(cast, cast->alice);
    cast->who_bob = identity_of(cast, cast->bob);
    cast->crls = crls_new();
    ck_assert_ptr_nonnull(cast->crls);
    cast->reader = crl_reader_new(cast->crls);
    cast->files = (struct option_list){.items = cast->paths, .lines = cast->lines};
}

static void cast_close(struct cast *cast)
{
    identity_unref(cast->who_alice);
    identity_unref(cast->who_bob);
    ca_set_free(cast->set);
    crls_free(cast->crls);
    problems_done(&cast->problems);
    arena_done(&cast->arena);
    made_free(cast->root);
    made_free(cast->middle);
    made_free(cast->alice);
    made_free(cast->bob);
    folder_remove(&cast->folder);
}

static void name_file(struct cast *cast, const char *file)
{
    cast->lines[cast->files.count] = 10 + cast->files.count;
    cast->paths[cast->files.count++] = arena_copy(&cast->arena, folder_file(&cast->folder, file));
}

/* As a config does: read, then watched. */
static void load(struct cast *cast, struct crl_check *check, bool is_lenient)
{
    const struct crl_loading loading = {.crls = cast->crls,
                                        .is_lenient = is_lenient,
                                        .now = cast->now,
                                        .file = "lb.ini",
                                        .arena = &cast->arena,
                                        .problems = &cast->problems};
    check->ca_set = cast->set;
    check->files = &cast->files;
    crl_loading_read(&loading, &check, 1);
}

static void adopt(struct cast *cast, struct crl_check *check)
{
    load(cast, check, false);
    ck_assert_uint_eq(cast->problems.error_count, 0);
    crls_adopt(cast->crls, check);
}

/* A change is read at the second look that sees it. */
static bool look(struct cast *cast)
{
    crls_look(cast->crls, cast->now);
    crls_look(cast->crls, cast->now);
    return crls_deliver(cast->crls);
}

static enum refusal judge(struct cast *cast, const struct crl_check *check,
                          struct identity *identity)
{
    return crl_judge(check, identity, &identity->results[0], cast->now);
}

static void expect_problem(const struct cast *cast, size_t at, unsigned line, bool is_warning,
                           const char *words)
{
    ck_assert_uint_gt(cast->problems.count, at);
    const struct problem *problem = &cast->problems.items[at];
    ck_assert_msg(strstr(problem->text, words), "\"%s\" is not in: %s", words, problem->text);
    ck_assert_uint_eq(problem->line, line);
    ck_assert_int_eq(problem->warning, is_warning);
}

/* --- judging --------------------------------------------------------------------------------- */

START_TEST(whom_the_list_names_is_refused_and_nobody_else)
{
    struct cast cast;
    struct crl_check check = {.policy = CRL_HARD};
    cast_open(&cast);
    made_crl_write(&(struct crl_wish){.issuer = cast.middle, .revoked = {cast.alice}},
                   cast.folder.path, "middle.crl", MADE_CRL_PEM);
    /* Bob's serial, on the list of another CA than his. */
    made_crl_write(&(struct crl_wish){.issuer = cast.root, .revoked = {cast.alice}},
                   cast.folder.path, "root.crl", MADE_CRL_DER);
    name_file(&cast, "middle.crl");
    name_file(&cast, "root.crl");
    adopt(&cast, &check);
    ck_assert_uint_eq(cast.problems.count, 0);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(judge(&cast, &check, cast.who_alice), REFUSAL_CRL_REVOKED);
        ck_assert_int_eq(judge(&cast, &check, cast.who_bob), REFUSAL_NONE);
    }
    crl_check_done(&check);
    cast_close(&cast);
}
END_TEST

START_TEST(a_missing_list_refuses_where_the_policy_is_hard)
{
    struct cast cast;
    struct crl_check check = {.policy = _i ? CRL_SOFT : CRL_HARD};
    cast_open(&cast);
    made_crl_write(&(struct crl_wish){.issuer = cast.middle}, cast.folder.path, "middle.crl",
                   MADE_CRL_PEM);
    name_file(&cast, "middle.crl");
    adopt(&cast, &check);
    ck_assert_uint_eq(cast.problems.count, 1);
    expect_problem(&cast, 0, 10, true, "no list of CN=Root");
    expect_problem(&cast, 0, 10, true, _i ? "not known" : "refused (crl-missing)");
    ck_assert_int_eq(judge(&cast, &check, cast.who_alice), REFUSAL_NONE);
    ck_assert_int_eq(judge(&cast, &check, cast.who_bob), _i ? REFUSAL_NONE : REFUSAL_CRL_MISSING);
    crl_check_done(&check);
    cast_close(&cast);
}
END_TEST

START_TEST(a_list_out_of_date_refuses_where_the_policy_is_hard)
{
    struct cast cast;
    struct crl_check check = {.policy = _i ? CRL_SOFT : CRL_HARD};
    cast_open(&cast);
    made_crl_write(&(struct crl_wish){.issuer = cast.middle, .until_s = 20 * MADE_DAY_S},
                   cast.folder.path, "middle.crl", MADE_CRL_PEM);
    made_crl_write(
        &(struct crl_wish){.issuer = cast.root, .until_s = 20 * MADE_DAY_S, .revoked = {cast.bob}},
        cast.folder.path, "root.crl", MADE_CRL_PEM);
    name_file(&cast, "middle.crl");
    name_file(&cast, "root.crl");
    adopt(&cast, &check);
    ck_assert_int_eq(judge(&cast, &check, cast.who_alice), REFUSAL_NONE);
    cast.now += 21 * MADE_DAY_S;
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(judge(&cast, &check, cast.who_alice),
                         _i ? REFUSAL_NONE : REFUSAL_CRL_EXPIRED);
        ck_assert_int_eq(judge(&cast, &check, cast.who_bob), REFUSAL_CRL_REVOKED);
    }
    cast.now -= 22 * MADE_DAY_S; /* not valid yet */
    ck_assert_int_eq(judge(&cast, &check, cast.who_alice), _i ? REFUSAL_NONE : REFUSAL_CRL_EXPIRED);
    crl_check_done(&check);
    cast_close(&cast);
}
END_TEST

START_TEST(a_revoked_ca_counts_where_the_chain_is_checked)
{
    struct cast cast;
    struct crl_check check = {.policy = CRL_HARD, .reach = _i ? CRL_OF_CHAIN : CRL_OF_LEAF};
    cast_open(&cast);
    made_crl_write(&(struct crl_wish){.issuer = cast.middle}, cast.folder.path, "middle.crl",
                   MADE_CRL_PEM);
    made_crl_write(&(struct crl_wish){.issuer = cast.root, .revoked = {cast.middle}},
                   cast.folder.path, "root.crl", MADE_CRL_PEM);
    name_file(&cast, "middle.crl");
    name_file(&cast, "root.crl");
    adopt(&cast, &check);
    ck_assert_int_eq(judge(&cast, &check, cast.who_alice), _i ? REFUSAL_CRL_REVOKED : REFUSAL_NONE);
    ck_assert_int_eq(judge(&cast, &check, cast.who_bob), REFUSAL_NONE);
    crl_check_done(&check);
    cast_close(&cast);
}
END_TEST

START_TEST(a_list_is_asked_only_about_those_it_covers)
{
    struct cast cast;
    struct crl_check check = {.policy = CRL_HARD, .reach = CRL_OF_CHAIN};
    cast_open(&cast);
    made_crl_write(&(struct crl_wish){.issuer = cast.middle, .is_of_users = true}, cast.folder.path,
                   "middle.crl", MADE_CRL_PEM);
    made_crl_write(&(struct crl_wish){.issuer = cast.root, .is_of_cas = true}, cast.folder.path,
                   "root.crl", MADE_CRL_PEM);
    name_file(&cast, "middle.crl");
    name_file(&cast, "root.crl");
    adopt(&cast, &check);
    ck_assert_int_eq(judge(&cast, &check, cast.who_alice), REFUSAL_NONE);
    ck_assert_int_eq(judge(&cast, &check, cast.who_bob), REFUSAL_CRL_MISSING); /* of the root */
    crl_check_done(&check);
    cast_close(&cast);
}
END_TEST

START_TEST(a_list_of_cas_is_said_to_be_of_no_use_for_clients)
{
    struct cast cast;
    struct crl_check check = {.policy = CRL_HARD};
    cast_open(&cast);
    made_crl_write(&(struct crl_wish){.issuer = cast.middle, .is_of_one_point = true},
                   cast.folder.path, "middle.crl", MADE_CRL_PEM);
    made_crl_write(&(struct crl_wish){.issuer = cast.root, .is_of_cas = true}, cast.folder.path,
                   "root.crl", MADE_CRL_PEM);
    name_file(&cast, "middle.crl");
    name_file(&cast, "root.crl");
    adopt(&cast, &check);
    ck_assert_uint_eq(cast.problems.count, 2);
    expect_problem(&cast, 0, 10, true, "names a distribution point");
    expect_problem(&cast, 1, 11, true, "covers certificates of CAs only");
    ck_assert_int_eq(judge(&cast, &check, cast.who_alice), REFUSAL_NONE);
    crl_check_done(&check);
    cast_close(&cast);
}
END_TEST

static void note_missing(void *arg, X509 *ca, const unsigned char key[CA_KEY_BYTES])
{
    char name[64] = "";
    struct text *names = arg;
    unsigned char own[CA_KEY_BYTES];
    ck_assert(ca_key_of(ca, own));
    ck_assert_mem_eq(own, key, CA_KEY_BYTES);
    made_common_name(ca, name, sizeof name);
    text_add_format(names, "%s ", name);
}

static void expect_missing(const struct crl_check *check, const char *expected)
{
    struct text names = {0};
    text_add(&names, "", 0);
    crl_check_each_missing(check, note_missing, &names);
    ck_assert_str_eq(names.bytes, expected);
    text_done(&names);
}

START_TEST(cas_without_a_list_that_can_be_asked_are_known)
{
    struct cast cast;
    struct crl_check leaf = {.policy = CRL_HARD};
    struct crl_check chain = {.policy = CRL_SOFT, .reach = CRL_OF_CHAIN};
    cast_open(&cast);
    made_crl_write(&(struct crl_wish){.issuer = cast.root, .is_of_cas = true}, cast.folder.path,
                   "root.crl", MADE_CRL_PEM);
    name_file(&cast, "root.crl");
    adopt(&cast, &leaf);
    adopt(&cast, &chain);
    expect_missing(&leaf, "Root Middle ");
    expect_missing(&chain, "Middle ");
    made_crl_replace(&(struct crl_wish){.issuer = cast.root}, cast.folder.path, "root.crl",
                     MADE_CRL_PEM);
    ck_assert(look(&cast));
    expect_missing(&leaf, "Middle ");
    crl_check_done(&leaf);
    crl_check_done(&chain);
    cast_close(&cast);
}
END_TEST

START_TEST(several_lists_of_one_file_all_count)
{
    struct cast cast;
    struct crl_check check = {.policy = CRL_HARD};
    cast_open(&cast);
    char *one = made_crl_pem(&(struct crl_wish){.issuer = cast.root, .revoked = {cast.bob}});
    char *two = made_crl_pem(&(struct crl_wish){.issuer = cast.middle, .revoked = {cast.alice}});
    char *both = arena_format(&cast.arena, "\xef\xbb\xbfThe lists\r\n\r\n%s\r\n\n%s\n", one, two);
    folder_write(&cast.folder, "both.crl", both);
    name_file(&cast, "both.crl");
    adopt(&cast, &check);
    ck_assert_int_eq(judge(&cast, &check, cast.who_alice), REFUSAL_CRL_REVOKED);
    ck_assert_int_eq(judge(&cast, &check, cast.who_bob), REFUSAL_CRL_REVOKED);
    free(one);
    free(two);
    crl_check_done(&check);
    cast_close(&cast);
}
END_TEST

/* --- changes --------------------------------------------------------------------------------- */

struct found {
    unsigned count;
    char failure[ERROR_TEXT_BYTES];
    char number[64];
    size_t entry_count;
};

static void note(void *arg, const struct crl_fact *fact)
{
    struct found *found = arg;
    found->count++;
    snprintf(found->failure, sizeof found->failure, "%s", fact->failure ? fact->failure : "");
    snprintf(found->number, sizeof found->number, "%s", fact->number ? fact->number : "");
    found->entry_count = fact->entry_count;
}

static struct found facts_of(struct cast *cast)
{
    struct found found = {0};
    crls_each(cast->crls, note, &found);
    return found;
}

static void open_with_list(struct cast *cast, struct crl_check *check)
{
    cast_open(cast);
    made_crl_write(&(struct crl_wish){.issuer = cast->middle, .number = 5}, cast->folder.path,
                   "middle.crl", MADE_CRL_PEM);
    name_file(cast, "middle.crl");
    adopt(cast, check);
    look(cast);
}

START_TEST(a_new_list_is_in_force_at_the_second_look)
{
    struct cast cast;
    struct crl_check check = {.policy = CRL_HARD};
    open_with_list(&cast, &check);
    ck_assert_int_eq(judge(&cast, &check, cast.who_alice), REFUSAL_NONE);
    const struct crl_wish revoked = {.issuer = cast.middle, .number = 6, .revoked = {cast.alice}};
    if (_i == 0)
        made_crl_replace(&revoked, cast.folder.path, "middle.crl", MADE_CRL_DER);
    else
        made_crl_write(&revoked, cast.folder.path, "middle.crl", MADE_CRL_PEM);
    crls_look(cast.crls, cast.now); /* somebody may be writing it */
    ck_assert(!crls_deliver(cast.crls));
    ck_assert_int_eq(judge(&cast, &check, cast.who_alice), REFUSAL_NONE);
    ck_assert(crls_look(cast.crls, cast.now));
    ck_assert(crls_deliver(cast.crls));
    ck_assert_int_eq(judge(&cast, &check, cast.who_alice), REFUSAL_CRL_REVOKED);
    struct found found = facts_of(&cast);
    ck_assert_uint_eq(found.count, 1);
    ck_assert_str_eq(found.number, "06");
    ck_assert_uint_eq(found.entry_count, 1);
    ck_assert_str_eq(found.failure, "");
    /* A hold that was lifted. */
    made_crl_write(&(struct crl_wish){.issuer = cast.middle, .number = 7}, cast.folder.path,
                   "middle.crl", MADE_CRL_PEM);
    ck_assert(look(&cast));
    ck_assert_int_eq(judge(&cast, &check, cast.who_alice), REFUSAL_NONE);
    ck_assert(!look(&cast));
    crl_check_done(&check);
    cast_close(&cast);
}
END_TEST

/* What is put in the place of list number 5, which names nobody. */
static void spoil(struct cast *cast, int how)
{
    const char *path = cast->folder.path;
    struct crl_wish wish = {.issuer = cast->middle, .number = 6, .revoked = {cast->alice}};
    char *text = made_crl_pem(&wish);
    switch (how) {
    case 0: /* half of it */
        text[strlen(text) / 2] = '\0';
        folder_write(&cast->folder, "middle.crl", text);
        break;
    case 1:
        wish.number = 4;
        made_crl_write(&wish, path, "middle.crl", MADE_CRL_PEM);
        break;
    case 2:
        wish.broken_signature = true;
        made_crl_write(&wish, path, "middle.crl", MADE_CRL_DER);
        break;
    case 3:
        ck_assert_int_eq(unlink(folder_file(&cast->folder, "middle.crl")), 0);
        break;
    case 4:
        folder_write(&cast->folder, "middle.crl", "");
        break;
    case 5:
        wish.issuer = cast->bob;
        made_crl_write(&wish, path, "middle.crl", MADE_CRL_PEM);
        break;
    case 6:
        wish.issuer = cast->root;
        made_crl_write(&wish, path, "middle.crl", MADE_CRL_PEM);
        break;
    }
    free(text);
}

START_TEST(a_bad_file_changes_nothing_but_is_told)
{
    static const char *const words[] = {"cut off",
                                        "older",
                                        "signature",
                                        "No such",
                                        "is empty",
                                        "client_ca",
                                        "no list of CN=Middle any more"};
    struct cast cast;
    struct crl_check check = {.policy = CRL_HARD};
    open_with_list(&cast, &check);
    spoil(&cast, _i);
    ck_assert(!look(&cast));
    ck_assert(!look(&cast));
    ck_assert_int_eq(judge(&cast, &check, cast.who_alice), REFUSAL_NONE);
    struct found found = facts_of(&cast);
    ck_assert_uint_eq(found.count, 1);
    ck_assert_str_eq(found.number, "05");
    ck_assert_msg(strstr(found.failure, words[_i]), "%s", found.failure);
    made_crl_write(&(struct crl_wish){.issuer = cast.middle, .number = 7, .revoked = {cast.alice}},
                   cast.folder.path, "middle.crl", MADE_CRL_PEM);
    ck_assert(look(&cast));
    ck_assert_int_eq(judge(&cast, &check, cast.who_alice), REFUSAL_CRL_REVOKED);
    ck_assert_str_eq(facts_of(&cast).failure, "");
    crl_check_done(&check);
    cast_close(&cast);
}
END_TEST

START_TEST(a_file_that_is_as_it_was_is_not_read_again_by_a_reload)
{
    struct cast cast;
    struct crl_check check = {.policy = CRL_HARD};
    struct crl_check next = {.policy = CRL_HARD};
    open_with_list(&cast, &check);
    load(&cast, &next, false);
    ck_assert_ptr_eq(next.sources[0], check.sources[0]);
    ck_assert_ptr_eq(next.taken[0], check.taken[0]);
    crls_adopt(cast.crls, &next);
    crl_check_done(&check);
    ck_assert_int_eq(judge(&cast, &next, cast.who_alice), REFUSAL_NONE);
    crl_check_done(&next);
    look(&cast);
    ck_assert_uint_eq(facts_of(&cast).count, 0); /* nobody asks it, nobody looks at it */
    cast_close(&cast);
}
END_TEST

START_TEST(a_bad_file_fails_a_reload_but_not_what_loads_by_itself)
{
    struct cast cast;
    struct crl_check check = {.policy = CRL_SOFT};
    struct crl_check next = {.policy = CRL_SOFT};
    open_with_list(&cast, &check);
    size_t before = cast.problems.count;
    spoil(&cast, 0);
    load(&cast, &next, _i == 1);
    ck_assert_uint_eq(cast.problems.error_count, _i == 1 ? 0 : 1);
    expect_problem(&cast, before, 10, _i == 1, "is cut off");
    crl_check_done(&next);
    crl_check_done(&check);
    cast_close(&cast);
}
END_TEST

START_TEST(a_list_of_a_ca_that_is_not_there_is_an_error_unless_cas_come_and_go)
{
    struct cast cast;
    struct crl_check check = {.policy = CRL_SOFT, .has_registry_cas = _i == 1};
    cast_open(&cast);
    struct made *other = made_ca("Other");
    made_crl_write(&(struct crl_wish){.issuer = other}, cast.folder.path, "other.crl",
                   MADE_CRL_PEM);
    name_file(&cast, "other.crl");
    load(&cast, &check, false);
    ck_assert_uint_eq(cast.problems.error_count, _i == 1 ? 0 : 1);
    expect_problem(&cast, 0, 10, _i == 1, "the list of CN=Other");
    expect_problem(&cast, 0, 10, _i == 1, "add the certificate of that CA to client_ca");
    crl_check_done(&check);
    made_free(other);
    cast_close(&cast);
}
END_TEST

/* --- what was replaced ----------------------------------------------------------------------- */

struct judges {
    struct cast *cast;
    struct crl_check *check;
    struct crl_reader *reader;
    struct identity *identity;
    atomic_bool is_over;
    atomic_uint seen_revoked;
};

static void *keep_judging(void *arg)
{
    struct judges *judges = arg;
    while (!atomic_load(&judges->is_over)) {
        enum refusal refusal = crl_judge(judges->check, judges->identity,
                                         &judges->identity->results[0], judges->cast->now);
        if (refusal == REFUSAL_CRL_REVOKED)
            atomic_fetch_add(&judges->seen_revoked, 1);
        crl_reader_rest(judges->reader);
    }
    return NULL;
}

START_TEST(lists_are_replaced_while_others_judge)
{
    enum { THREADS = 3, CHANGES = 40 };
    struct cast cast;
    struct crl_check check = {.policy = CRL_HARD};
    pthread_t threads[THREADS];
    struct judges judges[THREADS];
    open_with_list(&cast, &check);
    for (int i = 0; i < THREADS; i++) {
        judges[i] = (struct judges){
            .cast = &cast, .check = &check, .identity = i ? cast.who_alice : cast.who_bob};
        judges[i].reader = crl_reader_new(cast.crls);
        ck_assert_int_eq(thread_start(&threads[i], keep_judging, &judges[i]), 0);
    }
    for (int i = 0; i < CHANGES; i++) {
        made_crl_replace(&(struct crl_wish){.issuer = cast.middle,
                                            .number = 6 + i,
                                            .revoked = {i % 2 ? NULL : cast.alice}},
                         cast.folder.path, "middle.crl", MADE_CRL_PEM);
        ck_assert(look(&cast));
        unsigned seen = atomic_load(&judges[1].seen_revoked);
        if (i % 2 == 0)
            eventually(atomic_load(&judges[1].seen_revoked) > seen);
        crl_reader_rest(cast.reader);
        crls_sweep(cast.crls);
    }
    for (int i = 0; i < THREADS; i++) {
        atomic_store(&judges[i].is_over, true);
        pthread_join(threads[i], NULL);
    }
    ck_assert_uint_eq(atomic_load(&judges[0].seen_revoked), 0);
    crl_check_done(&check);
    cast_close(&cast);
}
END_TEST

static void count(void *arg)
{
    atomic_fetch_add((atomic_uint *)arg, 1);
}

START_TEST(the_watcher_tells_of_a_change)
{
    struct cast cast;
    struct crl_check check = {.policy = CRL_HARD};
    struct error err = {""};
    atomic_uint news = 0;
    open_with_list(&cast, &check);
    crl_reader_rest(cast.reader);
    crls_sweep(cast.crls);
    ck_assert(crls_watch(cast.crls, count, &news, &err));
    made_crl_replace(
        &(struct crl_wish){.issuer = cast.middle, .number = 6, .revoked = {cast.alice}},
        cast.folder.path, "middle.crl", MADE_CRL_PEM);
    eventually(atomic_load(&news) > 0 && crls_deliver(cast.crls));
    ck_assert_int_eq(judge(&cast, &check, cast.who_alice), REFUSAL_CRL_REVOKED);
    crls_end_watch(cast.crls);
    crl_check_done(&check);
    cast_close(&cast);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, whom_the_list_names_is_refused_and_nobody_else);
    tcase_add_loop_test(tcase, a_missing_list_refuses_where_the_policy_is_hard, 0, 2);
    tcase_add_loop_test(tcase, a_list_out_of_date_refuses_where_the_policy_is_hard, 0, 2);
    tcase_add_loop_test(tcase, a_revoked_ca_counts_where_the_chain_is_checked, 0, 2);
    tcase_add_test(tcase, a_list_is_asked_only_about_those_it_covers);
    tcase_add_test(tcase, a_list_of_cas_is_said_to_be_of_no_use_for_clients);
    tcase_add_test(tcase, cas_without_a_list_that_can_be_asked_are_known);
    tcase_add_test(tcase, several_lists_of_one_file_all_count);
    tcase_add_loop_test(tcase, a_new_list_is_in_force_at_the_second_look, 0, 2);
    tcase_add_loop_test(tcase, a_bad_file_changes_nothing_but_is_told, 0, 7);
    tcase_add_test(tcase, a_file_that_is_as_it_was_is_not_read_again_by_a_reload);
    tcase_add_loop_test(tcase, a_bad_file_fails_a_reload_but_not_what_loads_by_itself, 0, 2);
    tcase_add_loop_test(tcase, a_list_of_a_ca_that_is_not_there_is_an_error_unless_cas_come_and_go,
                        0, 2);
    tcase_add_test(tcase, lists_are_replaced_while_others_judge);
    tcase_add_test(tcase, the_watcher_tells_of_a_change);
}

CHECK_MAIN("crls", add_tests)
