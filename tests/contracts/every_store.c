/* SPDX-License-Identifier: Apache-2.0 */
/* What every store must keep, whatever it is: each test runs for each file in
 * listeners/registry/stores/. */
#include "listeners/registry/store.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/check_main.h"
#include "tests/support/store_stage.h"

static struct store_stage stage;

static void begin(int number)
{
    store_stage_begin(&stage, stores[number]);
}

static void end(void)
{
    store_stage_end(&stage);
}

#define EXPECT(outcome, expected) store_expect(outcome, expected, &stage.err)
#define STORE stage.store
#define LEDGER stage.ledger
#define ERR (&stage.err)

/* --- opening ------------------------------------------------------------------------------- */

START_TEST(it_introduces_itself)
{
    const struct store *store = stores[_i];
    char location[128];
    const char *place = NULL;
    struct error err;
    snprintf(location, sizeof location, "%s:/some/where", store->name);
    ck_assert_ptr_eq(store_find(location, &place, &err), store);
    ck_assert_str_eq(place, "/some/where");
    ck_assert_uint_gt(strlen(store->summary), 10);
    ck_assert_ptr_null(strchr(store->summary, '\n'));
}
END_TEST

START_TEST(what_is_not_there_is_missing_and_not_made)
{
    static const enum store_mode modes[] = {STORE_READ, STORE_WRITE};
    begin(_i);
    char location[160];
    snprintf(location, sizeof location, "%s.other", stage.location);
    for (int i = 0; i < 2; i++) {
        struct ledger *ledger = NULL;
        EXPECT(ledger_open(&ledger, location, modes[i], ERR), STORE_MISSING);
        ck_assert_ptr_null(ledger);
        ck_assert_ptr_nonnull(strstr(stage.err.text, "registry.db.other"));
    }
    end();
}
END_TEST

START_TEST(who_only_reads_cannot_write)
{
    begin(_i);
    struct made_record made;
    made_record(&made, 1);
    store_add(&stage, &made.record);
    struct ledger *reader = store_stage_another(&stage, STORE_READ);
    ck_assert_int_eq(store_count(reader), 1);
    if (STORE->begin(reader, ERR) == STORE_DONE)
        ck_assert_int_ne(STORE->put_certificate(reader, &made.record, ERR), STORE_DONE);
    STORE->rollback(reader);
    ck_assert_int_eq(store_count(reader), 1);
    ledger_close(reader);
    end();
}
END_TEST

START_TEST(nothing_is_changed_outside_of_a_transaction)
{
    begin(_i);
    struct made_record made;
    made_record(&made, 1);
    struct ca_record ca = made_ca_record("one");
    EXPECT(STORE->add_certificate(LEDGER, &made.record, ERR), STORE_FAILED);
    EXPECT(STORE->put_certificate(LEDGER, &made.record, ERR), STORE_FAILED);
    EXPECT(STORE->put_ca(LEDGER, &ca, ERR), STORE_FAILED);
    EXPECT(STORE->drop_ca(LEDGER, ca.id, ERR), STORE_FAILED);
    EXPECT(STORE->drop_tombstones(LEDGER, 1, ERR), STORE_FAILED);
    EXPECT(STORE->commit(LEDGER, ERR), STORE_FAILED);
    STORE->rollback(LEDGER);
    ck_assert_int_eq(store_count(LEDGER), 0);
    end();
}
END_TEST

/* --- certificates -------------------------------------------------------------------------- */

static bool on_same(void *arg, const struct certificate_record *found)
{
    const struct certificate_record *put = arg;
    ck_assert_int_gt(found->id, 0);
    ck_assert_mem_eq(found->key, put->key, sizeof put->key);
    ck_assert_mem_eq(found->tbs, put->tbs, sizeof put->tbs);
    ck_assert_str_eq(found->ca, put->ca);
    ck_assert_str_eq(found->serial, put->serial);
    ck_assert_str_eq(found->subject, put->subject);
    ck_assert_str_eq(found->issuer, put->issuer);
    ck_assert_str_eq(found->common_name, put->common_name);
    ck_assert_str_eq(found->unit, put->unit);
    ck_assert_str_eq(found->client_id, put->client_id);
    ck_assert_str_eq(found->sha256, put->sha256);
    ck_assert_int_eq(found->status, put->status);
    ck_assert_int_eq(found->was_revoked, put->was_revoked);
    ck_assert_int_eq(found->source, put->source);
    ck_assert_int_eq(found->not_before_s, put->not_before_s);
    ck_assert_int_eq(found->not_after_s, put->not_after_s);
    ck_assert_int_eq(found->created_ms, put->created_ms);
    ck_assert_int_eq(found->updated_ms, put->updated_ms);
    ck_assert_int_eq(found->activated_ms, put->activated_ms);
    ck_assert_int_eq(found->deactivated_ms, put->deactivated_ms);
    ck_assert_uint_eq(found->der_bytes, put->der_bytes);
    ck_assert_mem_eq(found->der, put->der, put->der_bytes);
    return true;
}

static void expect_same(struct certificate_record *record)
{
    EXPECT(STORE->get_certificate(LEDGER, record->key, on_same, record, ERR), STORE_DONE);
}

/* Every field another one than those of made_record. */
static struct certificate_record an_odd_record(const struct made_record *made)
{
    struct certificate_record record = made->record;
    memset(record.tbs, 0xff, sizeof record.tbs);
    snprintf(record.ca, sizeof record.ca, "ffffffffffffffff");
    record.serial = "-0A";
    record.subject = "CN=Zo\xc3\xab'); DROP TABLE certificate; --,O=\"%_\\\"";
    record.issuer = "";
    record.common_name = "Zo\xc3\xab'\"%_\\*?;";
    record.unit = " ";
    record.client_id = "\xf0\x9f\x92\xa1";
    memset(record.sha256, 'f', 64);
    record.status = CERTIFICATE_DELETED;
    record.was_revoked = true;
    record.source = SOURCE_AUTO;
    record.not_before_s = -1;
    record.not_after_s = INT64_MAX;
    record.created_ms = 1;
    record.updated_ms = INT64_MAX;
    record.activated_ms = INT64_MIN;
    record.deactivated_ms = 4;
    record.der_bytes = 0;
    return record;
}

START_TEST(a_certificate_comes_back_as_it_was_put)
{
    begin(_i);
    struct made_record made;
    made_record(&made, 1);
    store_add(&stage, &made.record);
    expect_same(&made.record);
    struct certificate_record odd = an_odd_record(&made);
    store_put(&stage, &odd);
    expect_same(&odd);
    store_stage_open_again(&stage, STORE_READ);
    expect_same(&odd);
    end();
}
END_TEST

static bool on_first(void *arg, const struct certificate_record *record)
{
    ++*(unsigned *)arg;
    (void)record;
    return false;
}

static bool on_first_row(void *arg, const struct certificate_row *row)
{
    ++*(unsigned *)arg;
    (void)row;
    return false;
}

static bool on_id(void *arg, const struct certificate_record *record)
{
    *(int64_t *)arg = record->id;
    return true;
}

START_TEST(a_certificate_keeps_its_id)
{
    begin(_i);
    struct made_record made;
    int64_t before = 0, after = 0;
    made_record(&made, 1);
    store_add(&stage, &made.record);
    EXPECT(STORE->get_certificate(LEDGER, made.record.key, on_id, &before, ERR), STORE_DONE);
    made.record.id = before + 100;
    made.record.status = CERTIFICATE_REVOKED;
    store_put(&stage, &made.record);
    EXPECT(STORE->get_certificate(LEDGER, made.record.key, on_id, &after, ERR), STORE_DONE);
    ck_assert_int_eq(before, after);
    end();
}
END_TEST

START_TEST(a_key_is_there_once)
{
    begin(_i);
    struct made_record made, same;
    made_record(&made, 1);
    made_record(&same, 1);
    same.record.common_name = "another";
    EXPECT(STORE->begin(LEDGER, ERR), STORE_DONE);
    EXPECT(STORE->add_certificate(LEDGER, &made.record, ERR), STORE_DONE);
    EXPECT(STORE->add_certificate(LEDGER, &same.record, ERR), STORE_EXISTS);
    made_record(&same, 2);
    EXPECT(STORE->add_certificate(LEDGER, &same.record, ERR), STORE_DONE);
    EXPECT(STORE->commit(LEDGER, ERR), STORE_DONE);
    expect_same(&made.record);
    ck_assert_int_eq(store_count(LEDGER), 2);
    end();
}
END_TEST

START_TEST(who_is_not_there_is_nothing)
{
    begin(_i);
    struct made_record made;
    made_record(&made, 1);
    EXPECT(STORE->get_certificate(LEDGER, made.record.key, on_same, NULL, ERR), STORE_NOTHING);
    EXPECT(STORE->begin(LEDGER, ERR), STORE_DONE);
    EXPECT(STORE->put_certificate(LEDGER, &made.record, ERR), STORE_NOTHING);
    EXPECT(STORE->drop_ca(LEDGER, "0011223344556677", ERR), STORE_NOTHING);
    STORE->rollback(LEDGER);
    end();
}
END_TEST

START_TEST(a_text_that_is_too_long_does_not_come_in)
{
    begin(_i);
    struct made_record made;
    char text[STORE_TEXT_BYTES + 2];
    memset(text, 'x', sizeof text);
    text[STORE_TEXT_BYTES + 1] = '\0';
    made_record(&made, 1);
    made.record.unit = text;
    EXPECT(STORE->begin(LEDGER, ERR), STORE_DONE);
    EXPECT(STORE->add_certificate(LEDGER, &made.record, ERR), STORE_FAILED);
    ck_assert_ptr_nonnull(strstr(stage.err.text, "unit"));
    text[STORE_TEXT_BYTES] = '\0';
    EXPECT(STORE->add_certificate(LEDGER, &made.record, ERR), STORE_DONE);
    EXPECT(STORE->commit(LEDGER, ERR), STORE_DONE);
    expect_same(&made.record);
    end();
}
END_TEST

START_TEST(what_is_rolled_back_was_never_there)
{
    begin(_i);
    struct made_record made;
    struct ca_record ca = made_ca_record("one");
    made_record(&made, 1);
    for (int turn = 0; turn < 2; turn++) {
        EXPECT(STORE->begin(LEDGER, ERR), STORE_DONE);
        EXPECT(STORE->add_certificate(LEDGER, &made.record, ERR), STORE_DONE);
        EXPECT(STORE->put_ca(LEDGER, &ca, ERR), STORE_DONE);
        ck_assert(store_has(LEDGER, 1));
        STORE->rollback(LEDGER);
        ck_assert(!store_has(LEDGER, 1));
    }
    /* Nor was the CA whose first certificate it was. */
    snprintf(made.record.ca, sizeof made.record.ca, "1111111111111111");
    store_add(&stage, &made.record);
    expect_same(&made.record);
    end();
}
END_TEST

/* --- CAs ----------------------------------------------------------------------------------- */

static bool on_ca(void *arg, const struct ca_record *ca)
{
    char *list = arg;
    size_t used = strlen(list);
    used += (size_t)sprintf(list + used, "%s%s(", ca->name, ca->is_enabled ? "" : "-");
    for (unsigned i = 0; i < ca->host_count; i++)
        used += (size_t)sprintf(list + used, "%s%s", i > 0 ? "," : "", ca->hosts[i]);
    sprintf(list + used, ")");
    return true;
}

static void expect_cas(const char *expected)
{
    char list[512] = "";
    EXPECT(STORE->each_ca(LEDGER, on_ca, list, ERR), STORE_DONE);
    ck_assert_str_eq(list, expected);
}

START_TEST(cas_come_by_name_with_their_hosts)
{
    begin(_i);
    static const char *const hosts[] = {"www.example.com", "*.example.com", "*"};
    struct ca_record one = made_ca_record("two"), other = made_ca_record("one");
    expect_cas("");
    one.hosts = hosts;
    one.host_count = 3;
    store_put_ca(&stage, &one);
    store_put_ca(&stage, &other);
    expect_cas("one()two(*,*.example.com,www.example.com)");
    one.host_count = 1;
    one.is_enabled = false;
    one.name = "a-new-name";
    store_put_ca(&stage, &one);
    expect_cas("a-new-name-(www.example.com)one()");
    EXPECT(STORE->begin(LEDGER, ERR), STORE_DONE);
    EXPECT(STORE->drop_ca(LEDGER, one.id, ERR), STORE_DONE);
    EXPECT(STORE->commit(LEDGER, ERR), STORE_DONE);
    expect_cas("one()");
    end();
}
END_TEST

static bool on_same_ca(void *arg, const struct ca_record *found)
{
    const struct ca_record *put = arg;
    ck_assert_mem_eq(found->key, put->key, sizeof put->key);
    ck_assert_str_eq(found->id, put->id);
    ck_assert_str_eq(found->name, put->name);
    ck_assert_str_eq(found->subject, put->subject);
    ck_assert_str_eq(found->serial, put->serial);
    ck_assert_str_eq(found->sha256, put->sha256);
    ck_assert_int_eq(found->is_builtin, put->is_builtin);
    ck_assert_int_eq(found->is_enabled, put->is_enabled);
    ck_assert_int_eq(found->not_before_s, put->not_before_s);
    ck_assert_int_eq(found->not_after_s, put->not_after_s);
    ck_assert_int_eq(found->created_ms, put->created_ms);
    ck_assert_int_eq(found->updated_ms, put->updated_ms);
    ck_assert_uint_eq(found->der_bytes, put->der_bytes);
    ck_assert_mem_eq(found->der, put->der, put->der_bytes);
    ck_assert_str_eq(found->chain_pem, put->chain_pem);
    return true;
}

START_TEST(a_ca_comes_back_as_it_was_put)
{
    begin(_i);
    struct ca_record ca = made_ca_record("one");
    ca.is_builtin = true;
    ca.chain_pem = "-----BEGIN CERTIFICATE-----\n…\n";
    store_put_ca(&stage, &ca);
    EXPECT(STORE->each_ca(LEDGER, on_same_ca, &ca, ERR), STORE_DONE);
    ca.is_builtin = false;
    ca.is_enabled = false;
    ca.subject = "CN=It's \"renewed\"";
    ca.not_after_s++;
    ca.updated_ms++;
    ca.der_bytes = 5;
    store_put_ca(&stage, &ca);
    EXPECT(STORE->each_ca(LEDGER, on_same_ca, &ca, ERR), STORE_DONE);
    end();
}
END_TEST

START_TEST(two_cas_do_not_share_a_name)
{
    begin(_i);
    struct ca_record one = made_ca_record("one"), other = made_ca_record("two");
    store_put_ca(&stage, &one);
    other.name = "one";
    EXPECT(STORE->begin(LEDGER, ERR), STORE_DONE);
    EXPECT(STORE->put_ca(LEDGER, &other, ERR), STORE_EXISTS);
    other.name = "two";
    EXPECT(STORE->put_ca(LEDGER, &other, ERR), STORE_DONE);
    EXPECT(STORE->commit(LEDGER, ERR), STORE_DONE);
    expect_cas("one()two()");
    end();
}
END_TEST

START_TEST(certificates_stay_when_their_ca_goes)
{
    begin(_i);
    struct ca_record ca = made_ca_record("one");
    struct made_record made;
    made_record(&made, 1);
    snprintf(made.record.ca, sizeof made.record.ca, "%s", ca.id);
    store_put_ca(&stage, &ca);
    store_add(&stage, &made.record);
    EXPECT(STORE->begin(LEDGER, ERR), STORE_DONE);
    EXPECT(STORE->drop_ca(LEDGER, ca.id, ERR), STORE_DONE);
    EXPECT(STORE->commit(LEDGER, ERR), STORE_DONE);
    expect_same(&made.record);
    end();
}
END_TEST

/* --- counting, tombstones ------------------------------------------------------------------ */

static int64_t since(int64_t ms, unsigned sources)
{
    int64_t count = -1;
    EXPECT(STORE->count_since(LEDGER, ms, sources, &count, ERR), STORE_DONE);
    return count;
}

START_TEST(who_was_registered_since_is_counted_by_source)
{
    begin(_i);
    for (unsigned i = 0; i < 8; i++) {
        struct made_record made;
        made_record(&made, i);
        made.record.created_ms = 1000 + i;
        made.record.source = (enum certificate_source)(i % 4);
        store_add(&stage, &made.record);
    }
    ck_assert_int_eq(since(0, 15), 8);
    ck_assert_int_eq(since(1004, 15), 4);
    ck_assert_int_eq(since(1004, 1u << SOURCE_MANUAL | 1u << SOURCE_AUTO), 2);
    ck_assert_int_eq(since(1007, 1u << SOURCE_MANUAL), 0);
    ck_assert_int_eq(since(1008, 15), 0);
    end();
}
END_TEST

START_TEST(tombstones_go_when_nobody_could_come_back)
{
    begin(_i);
    for (unsigned i = 0; i < 4; i++) {
        struct made_record made;
        made_record(&made, i);
        made.record.status = i < 2 ? CERTIFICATE_DELETED : CERTIFICATE_REVOKED;
        made.record.not_after_s = i % 2 == 0 ? 1000 : 2000;
        store_add(&stage, &made.record);
    }
    EXPECT(STORE->begin(LEDGER, ERR), STORE_DONE);
    EXPECT(STORE->drop_tombstones(LEDGER, 1000, ERR), STORE_DONE);
    EXPECT(STORE->commit(LEDGER, ERR), STORE_DONE);
    ck_assert(store_has(LEDGER, 0));
    EXPECT(STORE->begin(LEDGER, ERR), STORE_DONE);
    EXPECT(STORE->drop_tombstones(LEDGER, 1001, ERR), STORE_DONE);
    EXPECT(STORE->commit(LEDGER, ERR), STORE_DONE);
    ck_assert(!store_has(LEDGER, 0));
    for (unsigned i = 1; i < 4; i++)
        ck_assert(store_has(LEDGER, i));
    end();
}
END_TEST

/* --- following ----------------------------------------------------------------------------- */

struct followed {
    unsigned count;
    unsigned numbers[64];
    struct certificate_row last;
    char client_id[64];
};

static bool on_row(void *arg, const struct certificate_row *row)
{
    struct followed *followed = arg;
    memcpy(&followed->numbers[followed->count++], row->tbs, sizeof(unsigned));
    followed->last = *row;
    snprintf(followed->client_id, sizeof followed->client_id, "%s", row->client_id);
    return true;
}

static struct followed follow(struct ledger *ledger, int64_t from, int64_t *ret_revision)
{
    struct followed followed = {0};
    EXPECT(STORE->follow(ledger, from, on_row, &followed, ret_revision, ERR), STORE_DONE);
    return followed;
}

START_TEST(who_follows_sees_what_is_newer)
{
    begin(_i);
    struct made_record made;
    int64_t first = -1, second = -1, third = -1;
    ck_assert_uint_eq(follow(LEDGER, 0, &first).count, 0);
    for (unsigned i = 1; i <= 3; i++) {
        made_record(&made, i);
        store_add(&stage, &made.record);
    }
    ck_assert_uint_eq(follow(LEDGER, first, &second).count, 3);
    ck_assert_int_gt(second, first);
    ck_assert_uint_eq(follow(LEDGER, second, &third).count, 0);
    ck_assert_int_eq(third, second);
    made_record(&made, 2);
    made.record.status = CERTIFICATE_REVOKED;
    made.record.was_revoked = true;
    made.record.client_id = "device-2";
    store_put(&stage, &made.record);
    struct followed followed = follow(LEDGER, second, &third);
    ck_assert_uint_eq(followed.count, 1);
    ck_assert_uint_eq(followed.numbers[0], 2);
    ck_assert_mem_eq(followed.last.key, made.record.key, CERTIFICATE_KEY_BYTES);
    ck_assert_str_eq(followed.last.ca, made.record.ca);
    ck_assert_int_eq(followed.last.status, CERTIFICATE_REVOKED);
    ck_assert(followed.last.was_revoked);
    ck_assert_str_eq(followed.client_id, "device-2");
    ck_assert_int_eq(followed.last.not_after_s, made.record.not_after_s);
    ck_assert_int_gt(third, second);
    ck_assert_uint_eq(follow(LEDGER, 0, &third).count, 3);
    end();
}
END_TEST

START_TEST(each_change_has_its_revision)
{
    begin(_i);
    struct ca_record ca = made_ca_record("one");
    int64_t before = 0, after = 0;
    follow(LEDGER, 0, &before);
    store_put_ca(&stage, &ca);
    follow(LEDGER, 0, &after);
    ck_assert_int_gt(after, before);
    before = after;
    EXPECT(STORE->begin(LEDGER, ERR), STORE_DONE);
    EXPECT(STORE->drop_ca(LEDGER, ca.id, ERR), STORE_DONE);
    EXPECT(STORE->commit(LEDGER, ERR), STORE_DONE);
    follow(LEDGER, 0, &after);
    ck_assert_int_gt(after, before);
    end();
}
END_TEST

START_TEST(a_visitor_may_stop)
{
    begin(_i);
    struct made_record made;
    int64_t revision = 0;
    for (unsigned i = 1; i <= 3; i++) {
        made_record(&made, i);
        store_add(&stage, &made.record);
    }
    unsigned count = 0;
    struct certificate_filter filter = {.limit = 10};
    char cursor[STORE_CURSOR_BYTES];
    EXPECT(STORE->find_certificates(LEDGER, &filter, on_first, &count, cursor, ERR), STORE_DONE);
    ck_assert_uint_eq(count, 1);
    EXPECT(STORE->follow(LEDGER, 0, on_first_row, &count, &revision, ERR), STORE_DONE);
    ck_assert_uint_eq(count, 2);
    ck_assert_uint_eq(follow(LEDGER, 0, &revision).count, 3);
    end();
}
END_TEST

START_TEST(news_are_what_others_did)
{
    begin(_i);
    struct ledger *other = store_stage_another(&stage, STORE_READ);
    struct made_record made;
    made_record(&made, 1);
    ck_assert(!STORE->has_news(LEDGER));
    ck_assert(!STORE->has_news(other));
    store_add(&stage, &made.record);
    ck_assert(!STORE->has_news(LEDGER));
    ck_assert(STORE->has_news(other));
    ck_assert(!STORE->has_news(other));
    EXPECT(STORE->begin(LEDGER, ERR), STORE_DONE);
    EXPECT(STORE->put_certificate(LEDGER, &made.record, ERR), STORE_DONE);
    ck_assert(!STORE->has_news(other));
    STORE->rollback(LEDGER);
    ck_assert(!STORE->has_news(other));
    ledger_close(other);
    end();
}
END_TEST

/* --- the audit log ------------------------------------------------------------------------- */

static void add_change(unsigned number, const char *ca, const unsigned char *key)
{
    char subject[32];
    snprintf(subject, sizeof subject, "%u", number);
    struct change_record change = {.at_ms = number,
                                   .who = "uid 0",
                                   .action = "certificate.revoke",
                                   .ca = ca,
                                   .certificate_key = key,
                                   .serial = "0A",
                                   .subject = subject,
                                   .before = "ACTIVATED",
                                   .after = "REVOKED"};
    EXPECT(STORE->begin(LEDGER, ERR), STORE_DONE);
    EXPECT(STORE->add_change(LEDGER, &change, ERR), STORE_DONE);
    EXPECT(STORE->commit(LEDGER, ERR), STORE_DONE);
}

struct log {
    char subjects[256];
    int64_t last_id;
};

static bool on_change(void *arg, const struct change_record *change)
{
    struct log *log = arg;
    size_t used = strlen(log->subjects);
    snprintf(log->subjects + used, sizeof log->subjects - used, "%s%s%s ", change->subject,
             *change->ca ? "c" : "", change->certificate_key ? "k" : "");
    ck_assert_int_eq(change->at_ms, atoi(change->subject));
    ck_assert_str_eq(change->who, "uid 0");
    ck_assert_str_eq(change->action, "certificate.revoke");
    ck_assert_str_eq(change->serial, "0A");
    ck_assert_str_eq(change->before, "ACTIVATED");
    ck_assert_str_eq(change->after, "REVOKED");
    log->last_id = change->id;
    return true;
}

static int64_t expect_log(struct change_filter filter, const char *expected)
{
    struct log log = {0};
    EXPECT(STORE->find_changes(LEDGER, &filter, on_change, &log, ERR), STORE_DONE);
    ck_assert_str_eq(log.subjects, expected);
    return log.last_id;
}

START_TEST(the_log_tells_the_newest_first)
{
    begin(_i);
    struct made_record one, other;
    made_record(&one, 1);
    made_record(&other, 2);
    const unsigned char *key = one.record.key;
    add_change(1, "", NULL);
    add_change(2, "aa", NULL);
    add_change(3, "aa", key);
    add_change(4, "bb", other.record.key);
    add_change(5, "aa", key);
    expect_log((struct change_filter){.limit = 10}, "5ck 4ck 3ck 2c 1 ");
    expect_log((struct change_filter){.limit = 10, .ca = "aa"}, "5ck 3ck 2c ");
    expect_log((struct change_filter){.limit = 10, .certificate_key = key}, "5ck 3ck ");
    expect_log((struct change_filter){.limit = 10, .ca = "bb", .certificate_key = key}, "");
    expect_log((struct change_filter){.limit = 10, .ca = "cc"}, "");
    int64_t id = expect_log((struct change_filter){.limit = 2}, "5ck 4ck ");
    id = expect_log((struct change_filter){.limit = 2, .before_id = id}, "3ck 2c ");
    expect_log((struct change_filter){.limit = 2, .before_id = id}, "1 ");
    end();
}
END_TEST

/* The numbers of the lines that are found, newest first. */
static bool on_number_of_line(void *arg, const struct change_record *change)
{
    char *found = arg;
    size_t used = strlen(found);
    snprintf(found + used, 64 - used, "%s ", change->subject);
    return true;
}

static void expect_lines(struct change_filter filter, const char *expected)
{
    char found[64] = "";
    filter.limit = 10;
    EXPECT(STORE->find_changes(LEDGER, &filter, on_number_of_line, found, ERR), STORE_DONE);
    ck_assert_str_eq(found, expected);
}

START_TEST(the_log_of_a_serial_needs_no_certificate)
{
    begin(_i);
    struct made_record one;
    made_record(&one, 1);
    add_change(1, "aa", one.record.key);
    add_change(2, "bb", NULL);
    add_change(3, "", NULL);
    expect_lines((struct change_filter){.serial = "0A"}, "3 2 1 ");
    expect_lines((struct change_filter){.serial = "0A", .ca = "aa"}, "1 ");
    expect_lines((struct change_filter){.serial = "0A", .certificate_key = one.record.key}, "1 ");
    expect_lines((struct change_filter){.serial = "0A", .before_id = 2}, "1 ");
    expect_lines((struct change_filter){.serial = "0B"}, "");
    expect_lines((struct change_filter){.serial = ""}, "");
    end();
}
END_TEST

static void add_import(const char *number, int64_t at_ms)
{
    const struct change_record change = {.at_ms = at_ms,
                                         .who = "uid 0, from here",
                                         .action = CHANGE_OF_IMPORT,
                                         .ca = "",
                                         .serial = "",
                                         .subject = number,
                                         .before = "",
                                         .after = ""};
    EXPECT(STORE->begin(LEDGER, ERR), STORE_DONE);
    EXPECT(STORE->add_change(LEDGER, &change, ERR), STORE_DONE);
    EXPECT(STORE->commit(LEDGER, ERR), STORE_DONE);
}

START_TEST(what_was_imported_has_its_import_in_the_log)
{
    begin(_i);
    struct made_record made[3];
    for (unsigned i = 0; i < 3; i++) {
        made_record(&made[i], i);
        made[i].record.source = i == 2 ? SOURCE_MANUAL : SOURCE_IMPORTED;
        made[i].record.created_ms = i == 0 ? 50 : 51;
        store_add(&stage, &made[i].record);
    }
    add_import("50", 50);
    add_import("51", 51);
    add_change(51, "aa", NULL);
    add_change(52, made[0].record.ca, made[0].record.key);
    expect_lines((struct change_filter){.certificate_key = made[0].record.key}, "52 50 ");
    expect_lines((struct change_filter){.certificate_key = made[1].record.key}, "51 ");
    expect_lines((struct change_filter){.certificate_key = made[2].record.key}, "");
    expect_lines((struct change_filter){.serial = made[0].record.serial}, "50 ");
    expect_lines((struct change_filter){.serial = made[0].record.serial, .ca = made[0].record.ca},
                 "50 ");
    expect_lines((struct change_filter){.serial = made[0].record.serial, .ca = "none"}, "");
    expect_lines((struct change_filter){.serial = made[0].record.serial, .before_id = 1}, "");
    expect_lines((struct change_filter){.import_at_ms = 51}, "51 ");
    expect_lines((struct change_filter){.import_at_ms = 52}, "");
    made[0].record.status = CERTIFICATE_DELETED;
    store_put(&stage, &made[0].record);
    expect_lines((struct change_filter){.serial = made[0].record.serial}, "50 ");
    end();
}
END_TEST

/* --- several writers ----------------------------------------------------------------------- */

enum { TURNS = 40, WRITERS = 3 };

static bool on_number(void *arg, const struct certificate_record *record)
{
    *(unsigned *)arg = (unsigned)atoi(record->client_id);
    return true;
}

/* Reads the number of certificate 0 and writes the next one; and adds one of its own. */
static void count_on(struct ledger *ledger, unsigned writer, unsigned turn)
{
    struct error err = {0};
    struct made_record counter, own;
    unsigned number = 0;
    const struct store *store = ledger->store;
    made_record(&counter, 0);
    made_record(&own, 1000 * (writer + 1) + turn);
    store_expect(store->begin(ledger, &err), STORE_DONE, &err);
    store_expect(store->get_certificate(ledger, counter.record.key, on_number, &number, &err),
                 STORE_DONE, &err);
    snprintf(counter.client_id, sizeof counter.client_id, "%u", number + 1);
    store_expect(store->put_certificate(ledger, &counter.record, &err), STORE_DONE, &err);
    store_expect(store->add_certificate(ledger, &own.record, &err), STORE_DONE, &err);
    store_expect(store->commit(ledger, &err), STORE_DONE, &err);
}

static void expect_counted(void)
{
    struct made_record counter;
    unsigned number = 0;
    made_record(&counter, 0);
    EXPECT(STORE->get_certificate(LEDGER, counter.record.key, on_number, &number, ERR), STORE_DONE);
    ck_assert_uint_eq(number, WRITERS * TURNS);
    ck_assert_int_eq(store_count(LEDGER), 1 + WRITERS * TURNS);
}

static void begin_counter(int number)
{
    struct made_record counter;
    begin(number);
    made_record(&counter, 0);
    store_add(&stage, &counter.record);
}

struct writer {
    pthread_t thread;
    unsigned number;
    struct ledger *ledger;
};

static void *write_on(void *arg)
{
    struct writer *writer = arg;
    for (unsigned turn = 0; turn < TURNS; turn++)
        count_on(writer->ledger, writer->number, turn);
    return NULL;
}

START_TEST(threads_that_write_lose_nothing)
{
    struct writer writers[WRITERS];
    begin_counter(_i);
    for (unsigned i = 0; i < WRITERS; i++) {
        writers[i] =
            (struct writer){.number = i, .ledger = store_stage_another(&stage, STORE_WRITE)};
        ck_assert_int_eq(pthread_create(&writers[i].thread, NULL, write_on, &writers[i]), 0);
    }
    for (unsigned i = 0; i < WRITERS; i++) {
        pthread_join(writers[i].thread, NULL);
        ledger_close(writers[i].ledger);
    }
    expect_counted();
    end();
}
END_TEST

/* A child never touches a ledger that it did not open. */
static _Noreturn void be_writer(unsigned number)
{
    struct writer writer = {.number = number, .ledger = store_stage_another(&stage, STORE_WRITE)};
    write_on(&writer);
    ledger_close(writer.ledger);
    _exit(0);
}

START_TEST(processes_that_write_lose_nothing)
{
    pid_t children[WRITERS];
    begin_counter(_i);
    ledger_close(LEDGER);
    LEDGER = NULL;
    for (unsigned i = 0; i < WRITERS; i++) {
        children[i] = fork();
        ck_assert_int_ge(children[i], 0);
        if (children[i] == 0)
            be_writer(i);
    }
    for (unsigned i = 0; i < WRITERS; i++) {
        int status = -1;
        ck_assert_int_eq(waitpid(children[i], &status, 0), children[i]);
        ck_assert_int_eq(status, 0);
    }
    store_stage_open_again(&stage, STORE_WRITE);
    expect_counted();
    end();
}
END_TEST

/* --- kill -9 ------------------------------------------------------------------------------- */

enum { KILLS = 40, BATCH = 5 };

/* Adds batches for ever, and says of each when it is in the store. */
static _Noreturn void write_until_killed(int told, unsigned first)
{
    struct ledger *ledger = store_stage_another(&stage, STORE_WRITE);
    for (unsigned number = first;; number += BATCH) {
        store_expect(STORE->begin(ledger, ERR), STORE_DONE, ERR);
        for (unsigned i = 0; i < BATCH; i++) {
            struct made_record made;
            made_record(&made, number + i);
            store_expect(STORE->add_certificate(ledger, &made.record, ERR), STORE_DONE, ERR);
        }
        store_expect(STORE->commit(ledger, ERR), STORE_DONE, ERR);
        if (write(told, &number, sizeof number) != (ssize_t)sizeof number)
            _exit(1);
    }
}

/* Let it write until it has said so some times, and a moment that is another one each time; the
 * first number that nobody has heard of. */
static unsigned kill_writer(unsigned first, unsigned turn)
{
    int pipes[2];
    unsigned said = 0, next = first;
    ck_assert_int_eq(pipe(pipes), 0);
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        close(pipes[0]);
        write_until_killed(pipes[1], first);
    }
    close(pipes[1]);
    for (unsigned i = 0; i < 1 + turn % 4; i++) {
        ck_assert_int_eq(read(pipes[0], &said, sizeof said), sizeof said);
        next = said + BATCH;
    }
    for (volatile unsigned i = 0; i < turn * 7919; i++)
        ;
    ck_assert_int_eq(kill(child, SIGKILL), 0);
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
    while (read(pipes[0], &said, sizeof said) == (ssize_t)sizeof said)
        next = said + BATCH;
    close(pipes[0]);
    return next;
}

/* Of a batch that nobody has heard of: all or nothing. */
static unsigned expect_batches(unsigned from, unsigned to)
{
    for (unsigned number = from; number < to; number++)
        ck_assert_msg(store_has(LEDGER, number), "%u is lost", number);
    while (store_has(LEDGER, to)) {
        for (unsigned i = 0; i < BATCH; i++)
            ck_assert(store_has(LEDGER, to + i));
        to += BATCH;
    }
    return to;
}

static bool on_counted(void *arg, const struct certificate_row *row)
{
    ++*(unsigned *)arg;
    return row->status == CERTIFICATE_ACTIVATED;
}

START_TEST(a_writer_that_is_killed_loses_nothing_it_has_told_of)
{
    unsigned next = 0;
    begin(_i);
    for (unsigned turn = 0; turn < KILLS; turn++) {
        unsigned first = next;
        ledger_close(LEDGER);
        LEDGER = NULL;
        next = kill_writer(first, turn);
        store_stage_open_again(&stage, STORE_WRITE);
        next = expect_batches(first, next);
        ck_assert_int_eq(store_count(LEDGER), next);
    }
    ck_assert_uint_gt(next, KILLS * BATCH);
    int64_t revision = 0;
    unsigned followed = 0;
    EXPECT(STORE->follow(LEDGER, 0, on_counted, &followed, &revision, ERR), STORE_DONE);
    ck_assert_uint_eq(followed, next);
    end();
}
END_TEST

/* --- copies -------------------------------------------------------------------------------- */

static struct ledger *open_copy(const char *path)
{
    char location[512];
    struct ledger *copy = NULL;
    snprintf(location, sizeof location, "%s:%s", STORE->name, path);
    EXPECT(ledger_open(&copy, location, STORE_WRITE, ERR), STORE_DONE);
    return copy;
}

START_TEST(a_copy_is_whole_while_others_write)
{
    begin_counter(_i);
    struct writer writer = {.ledger = store_stage_another(&stage, STORE_WRITE)};
    ck_assert_int_eq(pthread_create(&writer.thread, NULL, write_on, &writer), 0);
    char paths[4][96];
    for (int i = 0; i < 4; i++) {
        snprintf(paths[i], sizeof paths[i], "%s/copy%d.db", stage.folder.path, i);
        EXPECT(STORE->back_up(LEDGER, paths[i], ERR), STORE_DONE);
    }
    pthread_join(writer.thread, NULL);
    for (int i = 0; i < 4; i++) {
        struct stat status;
        struct made_record counter;
        unsigned number = 0;
        ck_assert_int_eq(stat(paths[i], &status), 0);
        ck_assert_uint_eq(status.st_mode & 07777, 0600);
        struct ledger *copy = open_copy(paths[i]);
        made_record(&counter, 0);
        EXPECT(STORE->get_certificate(copy, counter.record.key, on_number, &number, ERR),
               STORE_DONE);
        ck_assert_int_eq(store_count(copy), 1 + number);
        count_on(copy, 8, (unsigned)i);
        ledger_close(copy);
    }
    ledger_close(writer.ledger);
    end();
}
END_TEST

START_TEST(a_copy_takes_nobodys_place)
{
    begin(_i);
    const char *path = folder_file(&stage.folder, "copy.db");
    folder_write(&stage.folder, "copy.db", "mine");
    EXPECT(STORE->back_up(LEDGER, path, ERR), STORE_FAILED);
    ck_assert_ptr_nonnull(strstr(stage.err.text, path));
    char *text = folder_read(&stage.folder, "copy.db");
    ck_assert_str_eq(text, "mine");
    free(text);
    EXPECT(STORE->back_up(LEDGER, folder_file(&stage.folder, "none/copy.db"), ERR), STORE_FAILED);
    end();
}
END_TEST

static void add_tests(TCase *tcase)
{
    int count = 0;
    while (stores[count])
        count++;
    tcase_add_loop_test(tcase, it_introduces_itself, 0, count);
    tcase_add_loop_test(tcase, what_is_not_there_is_missing_and_not_made, 0, count);
    tcase_add_loop_test(tcase, who_only_reads_cannot_write, 0, count);
    tcase_add_loop_test(tcase, nothing_is_changed_outside_of_a_transaction, 0, count);
    tcase_add_loop_test(tcase, a_certificate_comes_back_as_it_was_put, 0, count);
    tcase_add_loop_test(tcase, a_certificate_keeps_its_id, 0, count);
    tcase_add_loop_test(tcase, a_key_is_there_once, 0, count);
    tcase_add_loop_test(tcase, who_is_not_there_is_nothing, 0, count);
    tcase_add_loop_test(tcase, a_text_that_is_too_long_does_not_come_in, 0, count);
    tcase_add_loop_test(tcase, what_is_rolled_back_was_never_there, 0, count);
    tcase_add_loop_test(tcase, cas_come_by_name_with_their_hosts, 0, count);
    tcase_add_loop_test(tcase, a_ca_comes_back_as_it_was_put, 0, count);
    tcase_add_loop_test(tcase, two_cas_do_not_share_a_name, 0, count);
    tcase_add_loop_test(tcase, certificates_stay_when_their_ca_goes, 0, count);
    tcase_add_loop_test(tcase, who_was_registered_since_is_counted_by_source, 0, count);
    tcase_add_loop_test(tcase, tombstones_go_when_nobody_could_come_back, 0, count);
    tcase_add_loop_test(tcase, who_follows_sees_what_is_newer, 0, count);
    tcase_add_loop_test(tcase, each_change_has_its_revision, 0, count);
    tcase_add_loop_test(tcase, a_visitor_may_stop, 0, count);
    tcase_add_loop_test(tcase, news_are_what_others_did, 0, count);
    tcase_add_loop_test(tcase, the_log_tells_the_newest_first, 0, count);
    tcase_add_loop_test(tcase, the_log_of_a_serial_needs_no_certificate, 0, count);
    tcase_add_loop_test(tcase, what_was_imported_has_its_import_in_the_log, 0, count);
    tcase_add_loop_test(tcase, threads_that_write_lose_nothing, 0, count);
    tcase_add_loop_test(tcase, processes_that_write_lose_nothing, 0, count);
    tcase_add_loop_test(tcase, a_writer_that_is_killed_loses_nothing_it_has_told_of, 0, count);
    tcase_add_loop_test(tcase, a_copy_is_whole_while_others_write, 0, count);
    tcase_add_loop_test(tcase, a_copy_takes_nobodys_place, 0, count);
}

CHECK_MAIN("every store", add_tests)
