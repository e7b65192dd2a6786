/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every store must find: many questions of chance about many certificates, page by page, and
 * what plain code over the same certificates says.
 */
#include "listeners/registry/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tests/support/check_main.h"
#include "tests/support/store_stage.h"

enum { COUNT = 7000, BATCH = 500, QUESTIONS = 120 };

struct known {
    struct made_record made;
    unsigned place;   /* in which it was registered */
    unsigned touched; /* which transaction put it last */
};

static struct store_stage stage;
static struct known known[COUNT];

/* The same numbers each time: what fails once fails again. */
static unsigned chance(unsigned below)
{
    static uint64_t state = 88172645463325252u;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (unsigned)(state >> 33) % below;
}

/* --- certificates of chance ---------------------------------------------------------------- */

static const char *const names[] = {"SN", "sn", "Sensor-", "gate.", "100%_", "Zo\xc3\xab ", "a\\b"};
static const char *const units[] = {"",        "Fleet A", "fleet a", "Fleet A", "Fleet A",
                                    "Fleet B", "team 7",  "Team 7",  "R%D",     "r_d"};
static const char *const cas[] = {"00112233445566aa", "00112233445566aa", "ffeeddccbbaa9988",
                                  "0123456789abcdef"};

static void invent(unsigned number)
{
    struct made_record *made = &known[number].made;
    struct certificate_record *record = &made->record;
    made_record(made, number);
    snprintf(made->common_name, sizeof made->common_name, "%s%04u", names[chance(7)],
             chance(4) == 0 ? chance(20) : number);
    if (chance(3) == 0)
        snprintf(made->client_id, sizeof made->client_id, "%s-%u", chance(2) ? "Client" : "client",
                 chance(300));
    record->unit = units[chance(10)];
    snprintf(record->ca, sizeof record->ca, "%s", cas[chance(100) == 0 ? 3 : chance(3)]);
    record->status = chance(20) == 0 ? (enum certificate_status)chance(CERTIFICATE_STATUS_COUNT)
                                     : CERTIFICATE_ACTIVATED;
    record->source = chance(50) == 0 ? (enum certificate_source)chance(CERTIFICATE_SOURCE_COUNT)
                                     : SOURCE_IMPORTED;
    record->not_before_s = 1000000 + chance(1000);
    record->not_after_s = 2000000 + number;
    record->created_ms = 5000000 + number / 3;
    known[number].place = number;
}

static void put_all(void)
{
    unsigned transaction = 0;
    for (unsigned i = 0; i < COUNT; i++) {
        invent(i);
        if (i % BATCH == 0)
            store_expect(stage.store->begin(stage.ledger, &stage.err), STORE_DONE, &stage.err);
        store_expect(stage.store->add_certificate(stage.ledger, &known[i].made.record, &stage.err),
                     STORE_DONE, &stage.err);
        known[i].touched = i / BATCH;
        if (i % BATCH == BATCH - 1)
            store_expect(stage.store->commit(stage.ledger, &stage.err), STORE_DONE, &stage.err);
        transaction = i / BATCH;
    }
    for (unsigned i = 0; i < 60; i++) {
        struct known *one = &known[chance(COUNT)];
        one->made.record.status = CERTIFICATE_REVOKED;
        one->touched = ++transaction;
        store_put(&stage, &one->made.record);
    }
}

/* --- what plain code says ------------------------------------------------------------------ */

static bool text_matches(const char *text, const char *wish)
{
    char inner[128];
    size_t length = strlen(wish);
    if (length == 0 || wish[length - 1] != '*')
        return strcasecmp(text, wish) == 0;
    if (length > 1 && wish[0] == '*') {
        snprintf(inner, sizeof inner, "%.*s", (int)length - 2, wish + 1);
        return strcasestr(text, inner) != NULL;
    }
    return strncasecmp(text, wish, length - 1) == 0;
}

static bool in_time(int64_t time, int64_t from, int64_t to)
{
    return (from == 0 || time >= from) && (to == 0 || time < to);
}

static bool matches(const struct certificate_record *record, const struct certificate_filter *f)
{
    unsigned statuses = f->statuses != 0 ? f->statuses : ~(1u << CERTIFICATE_DELETED);
    unsigned sources = f->sources != 0 ? f->sources : ~0u;
    return (!f->serial || text_matches(record->serial, f->serial)) &&
           (!f->common_name || text_matches(record->common_name, f->common_name)) &&
           (!f->unit || text_matches(record->unit, f->unit)) &&
           (!f->client_id || text_matches(record->client_id, f->client_id)) &&
           (!f->ca || strcmp(record->ca, f->ca) == 0) && (statuses >> record->status & 1) &&
           (sources >> record->source & 1) &&
           in_time(record->not_before_s, f->not_before_from_s, f->not_before_to_s) &&
           in_time(record->not_after_s, f->not_after_from_s, f->not_after_to_s);
}

static const struct certificate_filter *sorted_by;

static int compare_numbers(int64_t one, int64_t other)
{
    return one < other ? -1 : one > other;
}

static int compare_values(const struct known *first, const struct known *second)
{
    const struct certificate_record *one = &first->made.record, *other = &second->made.record;
    switch (sorted_by->order) {
    case ORDER_CREATED:
        return compare_numbers(one->created_ms, other->created_ms);
    case ORDER_SERIAL:
        return strcmp(one->serial, other->serial);
    case ORDER_COMMON_NAME:
        return strcasecmp(one->common_name, other->common_name);
    case ORDER_UNIT:
        return strcasecmp(one->unit, other->unit);
    case ORDER_CLIENT_ID:
        return strcasecmp(one->client_id, other->client_id);
    case ORDER_NOT_BEFORE:
        return compare_numbers(one->not_before_s, other->not_before_s);
    case ORDER_NOT_AFTER:
        return compare_numbers(one->not_after_s, other->not_after_s);
    case ORDER_UPDATED:
        return compare_numbers(first->touched, second->touched);
    }
    return 0;
}

static int compare(const void *first, const void *second)
{
    const struct known *one = *(const struct known *const *)first;
    const struct known *other = *(const struct known *const *)second;
    int order = compare_values(one, other);
    if (order == 0)
        order = one->place < other->place ? -1 : 1;
    return sorted_by->descending ? -order : order;
}

/* --- questions of chance ------------------------------------------------------------------- */

static const char *a_text(const char *of, char *into, size_t room)
{
    size_t length = strlen(of);
    size_t from = length > 0 ? chance((unsigned)length) : 0;
    int some = (int)(length > from ? 1 + chance((unsigned)(length - from)) : 0);
    switch (chance(6)) {
    case 0:
    case 1:
        snprintf(into, room, "%s", of);
        break;
    case 2:
        snprintf(into, room, "%.*s*", some, of);
        break;
    case 3:
        snprintf(into, room, "*%.*s*", some, of + from);
        break;
    case 4:
        snprintf(into, room, "%s", "*");
        break;
    default:
        snprintf(into, room, "%s?", of);
        break;
    }
    if (chance(2) == 0)
        for (char *byte = into; *byte; byte++)
            if (*byte >= 'A' && *byte <= 'Z')
                *byte = (char)(*byte + ('a' - 'A'));
    return into;
}

struct question {
    struct certificate_filter filter;
    char texts[4][160];
};

static void ask_of(struct question *question, const struct certificate_record *like)
{
    static const unsigned limits[] = {1, 7, 50, 333, STORE_PAGE_MOST};
    struct certificate_filter *f = &question->filter;
    *f = (struct certificate_filter){.limit = limits[chance(5)],
                                     .order = (enum certificate_order)chance(8),
                                     .descending = chance(2)};
    if (chance(8) == 0)
        f->serial = a_text(like->serial, question->texts[0], sizeof question->texts[0]);
    if (chance(3) == 0)
        f->common_name = a_text(like->common_name, question->texts[1], sizeof question->texts[1]);
    if (chance(4) == 0)
        f->unit = a_text(like->unit, question->texts[2], sizeof question->texts[2]);
    if (chance(6) == 0)
        f->client_id = a_text(like->client_id, question->texts[3], sizeof question->texts[3]);
    if (chance(4) == 0)
        f->ca = chance(20) == 0 ? "9999999999999999" : like->ca;
    if (chance(3) == 0)
        f->statuses = chance(32);
    if (chance(5) == 0)
        f->sources = chance(16);
    if (chance(6) == 0)
        f->not_before_from_s = like->not_before_s;
    if (chance(6) == 0)
        f->not_before_to_s = like->not_before_s + 1 + chance(200);
    if (chance(6) == 0)
        f->not_after_from_s = like->not_after_s;
    if (chance(6) == 0)
        f->not_after_to_s = like->not_after_s + 1 + chance(2000);
}

/* --- comparing ----------------------------------------------------------------------------- */

struct walk {
    const struct known **expected;
    size_t count, at;
    unsigned number; /* of the question */
};

static bool on_certificate(void *arg, const struct certificate_record *found)
{
    struct walk *walk = arg;
    ck_assert_msg(walk->at < walk->count, "question %u finds too much: %s", walk->number,
                  found->common_name);
    const struct certificate_record *expected = &walk->expected[walk->at++]->made.record;
    ck_assert_msg(memcmp(found->key, expected->key, sizeof found->key) == 0,
                  "question %u: %s instead of %s at %zu", walk->number, found->common_name,
                  expected->common_name, walk->at - 1);
    return true;
}

/* Few enough pages that a test ends. */
static void walk_pages(struct question *question, struct walk *walk)
{
    char after[STORE_CURSOR_BYTES] = "", cursor[STORE_CURSOR_BYTES];
    struct certificate_filter *filter = &question->filter;
    if (walk->count / filter->limit > 30)
        filter->limit = STORE_PAGE_MOST;
    do {
        size_t from = walk->at;
        filter->after = *after ? after : NULL;
        store_expect(stage.store->find_certificates(stage.ledger, filter, on_certificate, walk,
                                                    cursor, &stage.err),
                     STORE_DONE, &stage.err);
        ck_assert_uint_le(walk->at - from, filter->limit);
        ck_assert_msg(*cursor == '\0' || walk->at - from == filter->limit,
                      "question %u: a page is not full", walk->number);
        memcpy(after, cursor, sizeof after);
    } while (*cursor);
    ck_assert_msg(walk->at == walk->count, "question %u finds %zu of %zu", walk->number, walk->at,
                  walk->count);
}

static void ask(unsigned number)
{
    struct question question;
    const struct known *expected[COUNT];
    struct walk walk = {.expected = expected, .number = number};
    int64_t count = -1;
    ask_of(&question, &known[chance(COUNT)].made.record);
    for (unsigned i = 0; i < COUNT; i++)
        if (matches(&known[i].made.record, &question.filter))
            expected[walk.count++] = &known[i];
    sorted_by = &question.filter;
    qsort(expected, walk.count, sizeof *expected, compare);
    walk_pages(&question, &walk);
    store_expect(
        stage.store->count_certificates(stage.ledger, &question.filter, &count, &stage.err),
        STORE_DONE, &stage.err);
    ck_assert_msg(count == (int64_t)walk.count, "question %u counts %lld of %zu", number,
                  (long long)count, walk.count);
}

START_TEST(every_question_finds_what_it_asks_for)
{
    store_stage_begin(&stage, stores[_i]);
    put_all();
    for (unsigned number = 0; number < QUESTIONS; number++)
        ask(number);
    store_stage_end(&stage);
}
END_TEST

/* --- cursors ------------------------------------------------------------------------------- */

struct names {
    char text[512];
};

static bool on_name(void *arg, const struct certificate_record *record)
{
    struct names *seen = arg;
    strcat(strcat(seen->text, record->common_name), " ");
    return true;
}

static void next_page(struct certificate_filter *filter, char *cursor, struct names *seen)
{
    char after[STORE_CURSOR_BYTES];
    memcpy(after, cursor, sizeof after);
    filter->after = after;
    store_expect(
        stage.store->find_certificates(stage.ledger, filter, on_name, seen, cursor, &stage.err),
        STORE_DONE, &stage.err);
}

static void put_named(unsigned number, const char *name, enum certificate_status status, bool add)
{
    struct made_record made;
    made_record(&made, number);
    made.record.common_name = name;
    made.record.status = status;
    if (add)
        store_add(&stage, &made.record);
    else
        store_put(&stage, &made.record);
}

START_TEST(pages_go_on_whatever_comes_and_goes)
{
    store_stage_begin(&stage, stores[_i]);
    struct certificate_filter filter = {.limit = 2, .order = ORDER_COMMON_NAME};
    char cursor[STORE_CURSOR_BYTES] = "";
    struct names seen = {""};
    static const char *const made[] = {"b", "d", "f", "h"};
    for (unsigned i = 0; i < 4; i++)
        put_named(i, made[i], CERTIFICATE_ACTIVATED, true);
    next_page(&filter, cursor, &seen);
    ck_assert_str_eq(seen.text, "b d ");
    put_named(1, "d", CERTIFICATE_DELETED, false); /* the last of the page */
    put_named(10, "a", CERTIFICATE_ACTIVATED, true);
    put_named(11, "e", CERTIFICATE_ACTIVATED, true);
    next_page(&filter, cursor, &seen);
    ck_assert_str_eq(seen.text, "b d e f ");
    next_page(&filter, cursor, &seen);
    ck_assert_str_eq(seen.text, "b d e f h ");
    ck_assert_str_eq(cursor, "");
    store_stage_end(&stage);
}
END_TEST

START_TEST(what_is_no_cursor_is_refused)
{
    static const char *const wrong[] = {"x",      "1",       "1a",      "1a.",     "1a.1",
                                        "1a.1.",  "5a.1",    "5a.1.zz", "5a.1.1x", "5a.g.1",
                                        "2a.1.4", "2a.1.00", "2a.1.4g", "9a.1.1",  "5d.1.1"};
    store_stage_begin(&stage, stores[_i]);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct certificate_filter filter = {.limit = 2,
                                            .after = wrong[i],
                                            .order = wrong[i][0] == '2' ? ORDER_COMMON_NAME
                                                                        : ORDER_NOT_BEFORE};
        char cursor[STORE_CURSOR_BYTES];
        enum store_outcome outcome = stage.store->find_certificates(
            stage.ledger, &filter, on_name, &(struct names){""}, cursor, &stage.err);
        ck_assert_msg(outcome == STORE_FAILED, "\"%s\" is taken for a cursor", wrong[i]);
        ck_assert_ptr_nonnull(strstr(stage.err.text, "page before"));
    }
    store_stage_end(&stage);
}
END_TEST

START_TEST(the_longest_text_has_a_cursor)
{
    char text[STORE_TEXT_BYTES + 1] = "";
    struct certificate_filter filter = {.limit = 1, .order = ORDER_UNIT};
    char cursor[STORE_CURSOR_BYTES] = "";
    struct names seen = {""};
    memset(text, 0xc3, STORE_TEXT_BYTES);
    store_stage_begin(&stage, stores[_i]);
    for (unsigned i = 1; i <= 2; i++) {
        struct made_record made;
        made_record(&made, i);
        made.record.unit = text;
        store_add(&stage, &made.record);
    }
    next_page(&filter, cursor, &seen);
    next_page(&filter, cursor, &seen);
    ck_assert_str_eq(seen.text, "SN000001 SN000002 ");
    ck_assert_str_eq(cursor, "");
    store_stage_end(&stage);
}
END_TEST

static void add_tests(TCase *tcase)
{
    int count = 0;
    while (stores[count])
        count++;
    tcase_add_loop_test(tcase, every_question_finds_what_it_asks_for, 0, count);
    tcase_add_loop_test(tcase, pages_go_on_whatever_comes_and_goes, 0, count);
    tcase_add_loop_test(tcase, what_is_no_cursor_is_refused, 0, count);
    tcase_add_loop_test(tcase, the_longest_text_has_a_cursor, 0, count);
}

CHECK_MAIN("every store's lists", add_tests)
