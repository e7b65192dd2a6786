/* SPDX-License-Identifier: Apache-2.0 */
/* Readings of a path, from tests/cases/http/paths.txt and from all short paths there are. */
#include <stdlib.h>
#include <string.h>

#include "lb/base/path.h"
#include "tests/support/check_main.h"
#include "tests/support/http_cases.h"
#include "tests/support/http_facts.h"

enum { ALL_WAYS = PATH_EAGER | PATH_DOTS, SHORT_PATH_BYTES = 64 };

static const char *outcome_name(enum path_outcome outcome)
{
    switch (outcome) {
    case PATH_FINE:
        return "fine";
    case PATH_BAD_ESCAPE:
        return "BAD_ESCAPE";
    case PATH_BAD_BYTE:
        return "BAD_BYTE";
    case PATH_TOO_LONG:
        return "TOO_LONG";
    }
    return "";
}

/* A reading in memory of exactly the path's size. */
struct reading {
    enum path_outcome outcome;
    struct slice path;
    char *room;
};

static struct reading read_in(struct slice path, unsigned ways)
{
    struct reading reading = {.path = {NULL, 0}};
    reading.room = malloc(path.length > 0 ? path.length : 1);
    ck_assert_ptr_nonnull(reading.room);
    reading.outcome = path_read(path, ways, reading.room, path.length, &reading.path);
    return reading;
}

/* --- Cases of the table
 * --------------------------------------------------------------------------- */

static void say_doubts(struct said *said, unsigned doubts)
{
    static const struct {
        unsigned way;
        const char *name;
    } ways[] = {
        {PATH_SLASHES, "slashes"}, {PATH_BACKSLASHES, "backslashes"},
        {PATH_MERGED, "merged"},   {PATH_BARE, "bare"},
        {PATH_DOTS, "dots"},
    };
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        if (!(doubts & ways[i].way))
            continue;
        if (said->length > 0)
            said_add(said, slice_of(","));
        said_add(said, slice_of(ways[i].name));
    }
}

static void say_reading(struct said *said, struct slice path, unsigned ways)
{
    struct reading reading = read_in(path, ways);
    ck_assert_int_eq(reading.outcome, PATH_FINE);
    said_add(said, reading.path);
    free(reading.room);
}

static void look_up(struct said *said, const void *message, const char *key)
{
    const struct slice *path = message;
    const struct fact facts[] = {fact_switch("plain", path_is_plain(*path)), {.key = NULL}};
    if (facts_say(facts, key, said))
        return;
    if (strcmp(key, "decoded") == 0)
        say_reading(said, *path, 0);
    else if (strcmp(key, "eager") == 0)
        say_reading(said, *path, PATH_EAGER);
    else if (strcmp(key, "doubts") == 0)
        say_doubts(said, path_doubts(*path));
    else
        ck_abort_msg("nothing is called %s", key);
}

static void check_path(const struct text_case *c)
{
    char expected[CASE_LINE_BYTES];
    http_cases_word(c->expected, expected);
    char *bytes = exact_copy(c->input, c->length);
    struct slice path = {bytes, c->length};
    for (unsigned ways = 0; ways <= ALL_WAYS; ways++) {
        struct reading reading = read_in(path, ways);
        ck_assert_msg(strcmp(outcome_name(reading.outcome), expected) == 0,
                      "line %u, %s: reading %u is %s", c->line, c->name, ways,
                      outcome_name(reading.outcome));
        ck_assert(reading.outcome == PATH_FINE || !path_is_plain(path));
        free(reading.room);
    }
    facts_check(c, look_up, &path);
    free(bytes);
}

START_TEST(every_path_is_read_as_the_table_says)
{
    ck_assert_uint_gt(http_cases_run("http/paths.txt", check_path), 50);
}
END_TEST

/* --- All short paths
 * ------------------------------------------------------------------------------ */

/* Call `check` with every path of up to `parts_most` parts that mean something to some reader. */
static void each_short_path(unsigned parts_most, void (*check)(struct slice path))
{
    static const char *const parts[] = {"/", ".", "a", "%2F", "\\", ";", "%2e", "%5c"};
    enum { PART_COUNT = sizeof parts / sizeof *parts };
    unsigned count = 1;
    for (unsigned length = 0; length <= parts_most; length++, count *= PART_COUNT) {
        for (unsigned number = 0; number < count; number++) {
            char path[SHORT_PATH_BYTES] = "/";
            for (unsigned i = 0, rest = number; i < length; i++, rest /= PART_COUNT)
                strcat(path, parts[rest % PART_COUNT]);
            check(slice_of(path));
        }
    }
}

static bool is_same_reading(struct slice path, unsigned ways, unsigned other_ways)
{
    char room[SHORT_PATH_BYTES];
    char other_room[SHORT_PATH_BYTES];
    struct slice reading;
    struct slice other;
    return path_read(path, ways, room, path.length, &reading) == PATH_FINE &&
           path_read(path, other_ways, other_room, path.length, &other) == PATH_FINE &&
           slice_equal(reading, other);
}

static void check_plain(struct slice path)
{
    char room[SHORT_PATH_BYTES];
    struct slice decoded;
    if (!path_is_plain(path))
        return;
    ck_assert_int_eq(path_decode(path, room, sizeof room, &decoded), PATH_FINE);
    ck_assert(slice_equal(decoded, path));
    for (unsigned ways = 1; ways <= ALL_WAYS; ways++)
        if (!is_same_reading(path, 0, ways))
            ck_abort_msg("%s is plain but for %u", path.at, ways);
}

START_TEST(a_plain_path_is_its_own_and_only_reading)
{
    each_short_path(5, check_plain);
}
END_TEST

static void check_doubts(struct slice path)
{
    unsigned doubts = path_doubts(path);
    for (unsigned ways = 0; ways <= ALL_WAYS; ways++)
        if (!is_same_reading(path, ways, ways & doubts))
            ck_abort_msg("%s: doubts %u miss %u", path.at, doubts, ways);
}

START_TEST(ways_that_are_no_doubt_change_no_reading)
{
    each_short_path(5, check_doubts);
}
END_TEST

static bool has_dot_segment(struct slice path)
{
    const char *end = path.at + path.length;
    for (const char *at = path.at; at < end; at++) {
        size_t dots = 0;
        while (at + 1 + dots < end && at[1 + dots] == '.')
            dots++;
        bool is_segment = at + 1 + dots == end || at[1 + dots] == '/';
        if (*at == '/' && is_segment && (dots == 1 || dots == 2))
            return true;
    }
    return false;
}

static void check_eager(struct slice path)
{
    char room[SHORT_PATH_BYTES];
    char again[SHORT_PATH_BYTES];
    struct slice eager;
    struct slice twice;
    ck_assert_int_eq(path_collapse(path, room, sizeof room, &eager), PATH_FINE);
    ck_assert_int_eq(eager.at[0], '/');
    for (size_t i = 0; i < eager.length; i++)
        if (strchr("\\;%", eager.at[i]) || (i > 0 && eager.at[i] == '/' && eager.at[i - 1] == '/'))
            ck_abort_msg("%s: %.*s", path.at, (int)eager.length, eager.at);
    ck_assert_msg(!has_dot_segment(eager), "%s: %.*s", path.at, (int)eager.length, eager.at);
    ck_assert(path_is_plain(eager));
    ck_assert_int_eq(path_collapse(eager, again, sizeof again, &twice), PATH_FINE);
    ck_assert(slice_equal(eager, twice));
}

START_TEST(the_eager_reading_is_plain_and_stays_as_it_is)
{
    each_short_path(5, check_eager);
}
END_TEST

static void check_decoded(struct slice path)
{
    char room[SHORT_PATH_BYTES];
    struct slice decoded;
    ck_assert_int_eq(path_decode(path, room, sizeof room, &decoded), PATH_FINE);
    ck_assert_int_eq(decoded.at[0], '/');
    ck_assert_uint_le(decoded.length, path.length);
    ck_assert_msg(!has_dot_segment(decoded), "%s: %.*s", path.at, (int)decoded.length, decoded.at);
}

START_TEST(no_dot_segment_survives_decoding)
{
    each_short_path(5, check_decoded);
}
END_TEST

/* --- What a table cannot say
 * ---------------------------------------------------------------------- */

START_TEST(a_path_longer_than_the_room_is_refused)
{
    char room[3];
    struct slice reading;
    ck_assert_int_eq(path_decode(slice_of("/abc"), room, sizeof room, &reading), PATH_TOO_LONG);
    ck_assert_int_eq(path_collapse(slice_of("*abc"), room, sizeof room, &reading), PATH_TOO_LONG);
    ck_assert_int_eq(path_decode(slice_of("/ab"), room, sizeof room, &reading), PATH_FINE);
}
END_TEST

START_TEST(no_path_at_all_is_plain_and_its_own_reading)
{
    char room[1];
    struct slice nothing = {NULL, 0};
    struct slice reading;
    ck_assert(path_is_plain(nothing));
    ck_assert_uint_eq(path_doubts(nothing), 0);
    ck_assert_int_eq(path_decode(nothing, room, sizeof room, &reading), PATH_FINE);
    ck_assert_uint_eq(reading.length, 0);
}
END_TEST

START_TEST(every_control_character_is_refused_raw_and_escaped)
{
    for (unsigned byte = 0; byte < 256; byte++) {
        static const char digits[] = "0123456789abcdef";
        bool control = byte < 0x20 || byte == 0x7f;
        char raw[] = {'/', (char)byte, 'a'};
        char escaped[] = {'/', '%', digits[byte >> 4], digits[byte & 15]};
        char room[8];
        struct slice reading;
        enum path_outcome outcome =
            path_decode((struct slice){escaped, sizeof escaped}, room, sizeof room, &reading);
        ck_assert_int_eq(outcome, control ? PATH_BAD_BYTE : PATH_FINE);
        if (byte == '%')
            continue;
        outcome = path_decode((struct slice){raw, sizeof raw}, room, sizeof room, &reading);
        ck_assert_int_eq(outcome, control ? PATH_BAD_BYTE : PATH_FINE);
        ck_assert(!control || !path_is_plain((struct slice){raw, sizeof raw}));
    }
}
END_TEST

START_TEST(every_outcome_has_words_of_its_own)
{
    for (int i = PATH_FINE; i <= PATH_TOO_LONG; i++) {
        ck_assert_str_ne(path_outcome_text((enum path_outcome)i), "");
        for (int other = PATH_FINE; other < i; other++)
            ck_assert_str_ne(path_outcome_text((enum path_outcome)i),
                             path_outcome_text((enum path_outcome)other));
    }
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, every_path_is_read_as_the_table_says);
    tcase_add_test(tcase, a_plain_path_is_its_own_and_only_reading);
    tcase_add_test(tcase, ways_that_are_no_doubt_change_no_reading);
    tcase_add_test(tcase, the_eager_reading_is_plain_and_stays_as_it_is);
    tcase_add_test(tcase, no_dot_segment_survives_decoding);
    tcase_add_test(tcase, a_path_longer_than_the_room_is_refused);
    tcase_add_test(tcase, no_path_at_all_is_plain_and_its_own_reading);
    tcase_add_test(tcase, every_control_character_is_refused_raw_and_escaped);
    tcase_add_test(tcase, every_outcome_has_words_of_its_own);
}

CHECK_MAIN("path", add_tests)
