/* SPDX-License-Identifier: Apache-2.0 */
/* Fleets: what comes in, what is told, and what stays when the store gives up half-way. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lb/base/certificate.h"
#include "tests/support/check_main.h"
#include "tests/support/faulty_ledger.h"
#include "tests/support/registry_stage.h"

/* Certificates of one key: a fleet is made as fast as it is signed. */
struct fleet {
    struct registry_stage stage;
    struct made *ca;
    struct import_counts counts;
    unsigned told;
    uint64_t indexes[IMPORT_FAULTS_TOLD];
    char texts[IMPORT_FAULTS_TOLD][ERROR_TEXT_BYTES];
};

static void fleet_open(struct fleet *fleet)
{
    memset(fleet, 0, sizeof *fleet);
    registry_stage_open(&fleet->stage);
    fleet->ca = made_ca("Device CA");
    registry_stage_upload(&fleet->stage, "devices", fleet->ca);
}

static void fleet_close(struct fleet *fleet)
{
    made_free(fleet->ca);
    registry_stage_close(&fleet->stage);
}

static void on_fault(void *arg, uint64_t index, const char *text)
{
    struct fleet *fleet = arg;
    ck_assert_uint_lt(fleet->told, IMPORT_FAULTS_TOLD);
    fleet->indexes[fleet->told] = index;
    snprintf(fleet->texts[fleet->told++], ERROR_TEXT_BYTES, "%s", text);
}

static struct import *begin(struct fleet *fleet, bool activate)
{
    struct registration like = {.activate = activate, .source = SOURCE_IMPORTED, .per_second = 1};
    struct import *import =
        import_begin(fleet->stage.ledger, &like, &fleet->stage.actor, on_fault, fleet);
    ck_assert_ptr_nonnull(import);
    return import;
}

static bool add(struct fleet *fleet, struct import *import, const struct made *made,
                const char *client_id)
{
    return import_add(import, made->certificate, made->chain, client_id, &fleet->stage.err);
}

static enum change_refusal end(struct fleet *fleet, struct import *import)
{
    memset(&fleet->counts, 0, sizeof fleet->counts);
    return import_end(import, &fleet->counts, &fleet->stage.err);
}

static void check_counts(const struct fleet *fleet, unsigned added, unsigned present, unsigned bad)
{
    ck_assert_uint_eq(fleet->counts.added, added);
    ck_assert_uint_eq(fleet->counts.present, present);
    ck_assert_uint_eq(fleet->counts.bad, bad);
}

START_TEST(a_fleet_comes_in_with_one_line)
{
    struct fleet fleet;
    char line[2048];
    fleet_open(&fleet);
    struct made *known = made_client(fleet.ca, "known");
    struct made *stranger_ca = made_ca("Other CA");
    struct made *fleet_of[] = {made_client(fleet.ca, "one"), known, made_client(stranger_ca, "bad"),
                               made_client(fleet.ca, "two"), made_server(fleet.ca, "www")};
    registry_stage_register(&fleet.stage, known);
    unsigned changes = registry_stage_change_count(&fleet.stage);
    struct import *import = begin(&fleet, false);
    for (size_t i = 0; i < 5; i++)
        ck_assert(add(&fleet, import, fleet_of[i], i == 3 ? "meter-2" : NULL));
    ck_assert(add(&fleet, import, fleet_of[0], NULL)); /* once more */
    ck_assert(add(&fleet, import, fleet_of[0], "a\nb"));
    ck_assert_int_eq(end(&fleet, import), CHANGE_MADE);
    check_counts(&fleet, 2, 2, 3);
    ck_assert_uint_eq(fleet.told, 3);
    ck_assert_uint_eq(fleet.indexes[0], 2);
    ck_assert_uint_eq(fleet.indexes[1], 4);
    ck_assert_uint_eq(fleet.indexes[2], 6);
    ck_assert_ptr_nonnull(strstr(fleet.texts[0], "its CA CN=Other CA is not registered"));
    ck_assert_ptr_nonnull(strstr(fleet.texts[1], "not meant for clients"));
    ck_assert_ptr_nonnull(strstr(fleet.texts[2], "the client id holds a control character"));
    ck_assert_int_eq(registry_stage_certificate_count(&fleet.stage, 1U << CERTIFICATE_REGISTERED),
                     2);
    ck_assert_uint_eq(registry_stage_change_count(&fleet.stage), changes + 1);
    registry_stage_last_change(&fleet.stage, line);
    ck_assert_str_eq(line, "certificate.import||{\"added\":2,\"present\":2,\"bad\":3,\"status\":"
                           "\"REGISTERED\"}");
    for (size_t i = 0; i < 5; i++)
        made_free(fleet_of[i]);
    made_free(stranger_ca);
    fleet_close(&fleet);
}
END_TEST

struct told {
    unsigned count;
    int64_t at_ms;
    char subject[64];
};

static bool on_line(void *arg, const struct change_record *line)
{
    struct told *told = arg;
    told->count++;
    told->at_ms = line->at_ms;
    ck_assert_str_eq(line->action, CHANGE_OF_IMPORT);
    snprintf(told->subject, sizeof told->subject, "%s", line->subject);
    return true;
}

/* The one line of the log that a certificate's key leads to. */
static struct told told_of(struct fleet *fleet, const struct made *made)
{
    struct registry_stage *stage = &fleet->stage;
    struct told told = {0};
    char *serial = certificate_serial_text(made->certificate);
    const struct certificate_wanted wanted = {.serial = serial};
    certificate_result_done(&stage->certificate);
    ck_assert_int_eq(certificate_get(stage->ledger, &wanted, &stage->certificate, &stage->err),
                     CHANGE_MADE);
    const struct certificate_record *record = &stage->certificate.record;
    const struct change_filter filter = {.certificate_key = record->key, .limit = 9};
    ck_assert_int_eq(
        stage->ledger->store->find_changes(stage->ledger, &filter, on_line, &told, &stage->err),
        STORE_DONE);
    ck_assert_uint_eq(told.count, 1);
    ck_assert_int_eq(told.at_ms, record->created_ms);
    ck_assert_int_eq(told.at_ms, record->updated_ms);
    ck_assert_int_eq(told.at_ms, record->activated_ms);
    free(serial);
    return told;
}

/* Of one millisecond, as two of a fast script may be. */
START_TEST(each_certificate_leads_to_its_own_import)
{
    struct fleet fleet;
    fleet_open(&fleet);
    struct made *made[4];
    for (int i = 0; i < 4; i++)
        made[i] = made_client(fleet.ca, "x");
    struct import *first = begin(&fleet, true);
    ck_assert(add(&fleet, first, made[0], NULL));
    ck_assert(add(&fleet, first, made[1], NULL));
    struct import *second = begin(&fleet, true);
    ck_assert(add(&fleet, second, made[2], NULL));
    ck_assert_int_eq(end(&fleet, second), CHANGE_MADE);
    ck_assert_int_eq(end(&fleet, first), CHANGE_MADE);
    struct import *third = begin(&fleet, true);
    ck_assert(add(&fleet, third, made[3], NULL));
    ck_assert_int_eq(end(&fleet, third), CHANGE_MADE);
    struct told told[4];
    for (int i = 0; i < 4; i++)
        told[i] = told_of(&fleet, made[i]);
    ck_assert_str_eq(told[0].subject, "2 certificates");
    ck_assert_int_eq(told[2].at_ms, fleet.stage.actor.now_ms);
    ck_assert_int_eq(told[0].at_ms, told[2].at_ms + 1);
    ck_assert_int_eq(told[1].at_ms, told[0].at_ms);
    ck_assert_str_eq(told[2].subject, "1 certificate");
    ck_assert_int_eq(told[3].at_ms, told[0].at_ms + 1);
    for (int i = 0; i < 4; i++)
        made_free(made[i]);
    fleet_close(&fleet);
}
END_TEST

START_TEST(an_import_that_brings_nothing_leaves_no_line)
{
    struct fleet fleet;
    fleet_open(&fleet);
    struct made *known = made_client(fleet.ca, "known");
    registry_stage_register(&fleet.stage, known);
    unsigned changes = registry_stage_change_count(&fleet.stage);
    ck_assert_int_eq(end(&fleet, begin(&fleet, true)), CHANGE_MADE);
    check_counts(&fleet, 0, 0, 0);
    struct import *import = begin(&fleet, true);
    ck_assert(add(&fleet, import, known, NULL));
    ck_assert(add(&fleet, import, fleet.ca, NULL));
    ck_assert_int_eq(end(&fleet, import), CHANGE_MADE);
    check_counts(&fleet, 0, 1, 1);
    import = begin(&fleet, true);
    ck_assert(add(&fleet, import, fleet.ca, NULL));
    ck_assert_int_eq(end(&fleet, import), CHANGE_MADE);
    check_counts(&fleet, 0, 0, 1);
    ck_assert_uint_eq(registry_stage_change_count(&fleet.stage), changes);
    made_free(known);
    fleet_close(&fleet);
}
END_TEST

START_TEST(a_fleet_lifts_tombstones_but_revives_nobody)
{
    struct fleet fleet;
    fleet_open(&fleet);
    struct registry_stage *stage = &fleet.stage;
    static const enum certificate_status ways[3][2] = {
        {CERTIFICATE_NOT_ACTIVATED, CERTIFICATE_DELETED},
        {CERTIFICATE_REVOKED, CERTIFICATE_DELETED},
        {CERTIFICATE_REVOKED, CERTIFICATE_REVOKED}};
    struct made *made[3];
    for (int i = 0; i < 3; i++) {
        made[i] = made_client(fleet.ca, "x");
        registry_stage_register(stage, made[i]);
        for (int k = 0; k < 2; k++)
            ck_assert_int_eq(registry_stage_change(stage, made[i], ways[i][k]), CHANGE_MADE);
    }
    struct import *import = begin(&fleet, true);
    for (int i = 0; i < 3; i++)
        ck_assert(add(&fleet, import, made[i], NULL));
    ck_assert_int_eq(end(&fleet, import), CHANGE_MADE);
    check_counts(&fleet, 1, 1, 1);
    ck_assert_uint_eq(fleet.indexes[0], 1);
    ck_assert_ptr_nonnull(strstr(fleet.texts[0], "was revoked for good before it was deleted"));
    ck_assert_int_eq(registry_stage_certificate_count(stage, 1U << CERTIFICATE_ACTIVATED), 1);
    ck_assert_int_eq(registry_stage_certificate_count(stage, 1U << CERTIFICATE_REVOKED), 1);
    for (int i = 0; i < 3; i++)
        made_free(made[i]);
    fleet_close(&fleet);
}
END_TEST

START_TEST(only_so_many_faults_are_told)
{
    struct fleet fleet;
    fleet_open(&fleet);
    struct import *import = begin(&fleet, true);
    for (int i = 0; i < IMPORT_FAULTS_TOLD + 5; i++)
        ck_assert(add(&fleet, import, fleet.ca, NULL));
    ck_assert_int_eq(end(&fleet, import), CHANGE_MADE);
    check_counts(&fleet, 0, 0, IMPORT_FAULTS_TOLD + 5);
    ck_assert_uint_eq(fleet.told, IMPORT_FAULTS_TOLD);
    fleet_close(&fleet);
}
END_TEST

START_TEST(a_ca_that_is_disabled_meanwhile_takes_nobody)
{
    struct fleet fleet;
    fleet_open(&fleet);
    struct made *one = made_client(fleet.ca, "one");
    struct import *import = begin(&fleet, true);
    ck_assert(add(&fleet, import, one, NULL));
    ca_result_done(&fleet.stage.ca);
    ck_assert_int_eq(ca_enable(fleet.stage.ledger, "devices", false, &fleet.stage.actor,
                               &fleet.stage.ca, &fleet.stage.err),
                     CHANGE_MADE);
    ck_assert_int_eq(end(&fleet, import), CHANGE_MADE);
    check_counts(&fleet, 0, 0, 1);
    ck_assert_str_eq(fleet.texts[0], "its CA devices is disabled");
    made_free(one);
    fleet_close(&fleet);
}
END_TEST

START_TEST(a_store_that_fails_anywhere_keeps_what_it_said_it_has)
{
    struct fleet fleet;
    fleet_open(&fleet);
    struct registry_stage *stage = &fleet.stage;
    struct made *one = made_client(fleet.ca, "one");
    struct made *two = made_client(fleet.ca, "two");
    unsigned calls = 0;
    for (;; calls++) {
        struct import *import = begin(&fleet, true);
        faulty_ledger_fail(stage->ledger, calls, STORE_FULL);
        bool added = add(&fleet, import, one, NULL) && add(&fleet, import, two, NULL);
        enum change_refusal refusal = end(&fleet, import);
        faulty_ledger_fail(stage->ledger, 0, STORE_DONE);
        ck_assert_int_eq(registry_stage_certificate_count(stage, 0), (int64_t)fleet.counts.added);
        if (refusal == CHANGE_MADE)
            break;
        ck_assert(added || calls == 0);
        registry_stage_expect(stage, refusal, CHANGE_STORE,
                              "the store was told to fail; imported before that, and kept: 0");
        ck_assert_uint_eq(registry_stage_change_count(stage), 1);
    }
    ck_assert_uint_ge(calls, 9);
    check_counts(&fleet, 2, 0, 0);
    made_free(one);
    made_free(two);
    fleet_close(&fleet);
}
END_TEST

START_TEST(batches_that_were_committed_stay_when_the_store_fails)
{
    struct fleet fleet;
    fleet_open(&fleet);
    struct made *one = made_client(fleet.ca, "one");
    struct made *two = made_client(fleet.ca, "two");
    struct import *import = begin(&fleet, true);
    for (unsigned i = 0; i < IMPORT_BATCH; i++)
        ck_assert_msg(add(&fleet, import, one, NULL), "%s", fleet.stage.err.text);
    ck_assert_int_eq(registry_stage_certificate_count(&fleet.stage, 0), 1);
    ck_assert(add(&fleet, import, two, NULL));
    faulty_ledger_fail(fleet.stage.ledger, 0, STORE_FULL);
    enum change_refusal refusal = end(&fleet, import);
    faulty_ledger_fail(fleet.stage.ledger, 0, STORE_DONE);
    registry_stage_expect(
        &fleet.stage, refusal, CHANGE_STORE,
        "the store was told to fail; imported before that, and kept: 1 certificates");
    check_counts(&fleet, 1, IMPORT_BATCH - 1, 0);
    ck_assert_int_eq(registry_stage_certificate_count(&fleet.stage, 0), 1);
    ck_assert_uint_eq(registry_stage_change_count(&fleet.stage), 2);
    made_free(one);
    made_free(two);
    fleet_close(&fleet);
}
END_TEST

START_TEST(who_goes_on_after_a_failure_hears_it_again)
{
    struct fleet fleet;
    fleet_open(&fleet);
    struct made *one = made_client(fleet.ca, "one");
    struct import *import = begin(&fleet, true);
    faulty_ledger_fail(fleet.stage.ledger, 0, STORE_BUSY);
    ck_assert(!add(&fleet, import, one, NULL));
    faulty_ledger_fail(fleet.stage.ledger, 0, STORE_DONE);
    fleet.stage.err.text[0] = '\0';
    ck_assert(!add(&fleet, import, one, NULL));
    ck_assert_ptr_nonnull(strstr(fleet.stage.err.text, "the store was told to fail"));
    ck_assert_int_eq(end(&fleet, import), CHANGE_STORE);
    check_counts(&fleet, 0, 0, 0);
    made_free(one);
    fleet_close(&fleet);
}
END_TEST

/* The n-th certificate of a fleet: one key for all, so that only signing takes time. */
static struct made *nth(const struct fleet *fleet, const struct made *first, unsigned n)
{
    char name[32];
    snprintf(name, sizeof name, "SN%06u", n);
    return made_certificate(&(struct certificate_wish){
        .name = name, .issuer = fleet->ca, .reuse_key = first->key, .usage = "clientAuth"});
}

/* Imports batches of its own size until it is killed; writes one byte for each that was
 * acknowledged. */
static _Noreturn void import_until_killed(const char *location, const struct fleet *fleet,
                                          const struct made *first, unsigned round, int told)
{
    struct registry_stage stage = {.actor = fleet->stage.actor};
    if (ledger_open(&stage.ledger, location, STORE_WRITE, &stage.err) != STORE_DONE)
        _exit(1);
    for (unsigned batch = 0;; batch++) {
        struct registration like = {.activate = true, .source = SOURCE_IMPORTED};
        struct import *import = import_begin(stage.ledger, &like, &stage.actor, NULL, NULL);
        struct import_counts counts;
        for (unsigned i = 0; i < 10; i++) {
            struct made *made = nth(fleet, first, round * 100000 + batch * 10 + i);
            import_add(import, made->certificate, NULL, NULL, &stage.err);
            made_free(made);
        }
        if (import_end(import, &counts, &stage.err) != CHANGE_MADE || counts.added != 10 ||
            write(told, "x", 1) != 1)
            _exit(2);
    }
}

static unsigned kill_within_import(const struct fleet *fleet, const struct made *first,
                                   unsigned round)
{
    int told[2];
    char byte;
    unsigned acknowledged = 0;
    ck_assert_int_eq(pipe(told), 0);
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        close(told[0]);
        import_until_killed(fleet->stage.location, fleet, first, round, told[1]);
    }
    close(told[1]);
    while (acknowledged < 2 + round && read(told[0], &byte, 1) == 1)
        acknowledged++;
    int status = 0;
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    ck_assert_msg(WIFSIGNALED(status), "the importing process ended by itself: %d", status);
    while (read(told[0], &byte, 1) == 1)
        acknowledged++;
    close(told[0]);
    return acknowledged;
}

START_TEST(killing_an_import_loses_nothing_acknowledged_and_leaves_no_half_batch)
{
    struct fleet fleet;
    fleet_open(&fleet);
    struct made *first = made_client(fleet.ca, "first");
    unsigned acknowledged = 0;
    for (unsigned round = 0; round < 8; round++) {
        acknowledged += kill_within_import(&fleet, first, round);
        int64_t there = registry_stage_certificate_count(&fleet.stage, 0);
        ck_assert_int_ge(there, 10 * (int64_t)acknowledged);
        ck_assert_int_eq(there % 10, 0);
        /* A line for each batch that is there, and the CA's. */
        ck_assert_int_eq(registry_stage_change_count(&fleet.stage), there / 10 + 1);
        acknowledged = (unsigned)(there / 10);
    }
    made_free(first);
    fleet_close(&fleet);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, a_fleet_comes_in_with_one_line);
    tcase_add_test(tcase, each_certificate_leads_to_its_own_import);
    tcase_add_test(tcase, an_import_that_brings_nothing_leaves_no_line);
    tcase_add_test(tcase, a_fleet_lifts_tombstones_but_revives_nobody);
    tcase_add_test(tcase, only_so_many_faults_are_told);
    tcase_add_test(tcase, a_ca_that_is_disabled_meanwhile_takes_nobody);
    tcase_add_test(tcase, a_store_that_fails_anywhere_keeps_what_it_said_it_has);
    tcase_add_test(tcase, batches_that_were_committed_stay_when_the_store_fails);
    tcase_add_test(tcase, who_goes_on_after_a_failure_hears_it_again);
    tcase_add_test(tcase, killing_an_import_loses_nothing_acknowledged_and_leaves_no_half_batch);
}

CHECK_MAIN("import", add_tests)
