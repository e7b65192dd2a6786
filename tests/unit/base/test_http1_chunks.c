/* SPDX-License-Identifier: Apache-2.0 */
/* Chunked bodies, from tests/cases/http/chunks.txt. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lb/base/http1.h"
#include "tests/support/check_main.h"
#include "tests/support/http_cases.h"
#include "tests/support/http_facts.h"

/* --- Cases of the table
 * --------------------------------------------------------------------------- */

/* A decoded body, however it came. */
struct decoded {
    struct http_chunks chunks;
    enum http_chunk outcome;
    size_t used;
    struct said data;
};

static void decode_piece(struct decoded *decoded, const char *bytes, size_t length)
{
    size_t at = 0;
    do {
        size_t used;
        struct slice data;
        decoded->outcome =
            http_chunks_decode(&decoded->chunks, bytes + at, length - at, &used, &data);
        if (used > length - at || (decoded->outcome == HTTP_CHUNK_DATA) != (data.length > 0) ||
            (decoded->outcome == HTTP_CHUNK_MORE && used != length - at))
            ck_abort_msg("%zu of %zu bytes used, outcome %d", used, length - at, decoded->outcome);
        said_add(&decoded->data, data);
        at += used;
    } while (decoded->outcome == HTTP_CHUNK_DATA);
    decoded->used += at;
}

/* Decode in pieces of `piece` bytes, the first one of `first`. */
static void decode(struct decoded *decoded, const struct text_case *c, size_t first, size_t piece)
{
    memset(&decoded->chunks, 0, sizeof decoded->chunks);
    decoded->outcome = HTTP_CHUNK_MORE;
    decoded->used = decoded->data.length = 0;
    size_t length = first;
    for (size_t at = 0;; at += length, length = piece) {
        if (length > c->length - at)
            length = c->length - at;
        char *bytes = exact_copy(c->input + at, length);
        decode_piece(decoded, bytes, length);
        free(bytes);
        if (decoded->outcome != HTTP_CHUNK_MORE || at + length == c->length)
            return;
    }
}

static void say_trailers(struct said *said, const struct http_chunks *chunks)
{
    struct http_field fields[HEAD_FIELDS_MOST];
    unsigned count = http_chunks_trailers(chunks, fields, HEAD_FIELDS_MOST);
    for (unsigned i = 0; i < count; i++) {
        if (i > 0)
            said_add(said, slice_of(","));
        said_add(said, fields[i].name);
        said_add(said, slice_of("="));
        said_add(said, fields[i].value);
    }
}

static void look_up(struct said *said, const void *message, const char *key)
{
    const struct decoded *decoded = message;
    const struct fact facts[] = {
        fact_text("data", (struct slice){decoded->data.text, decoded->data.length}),
        fact_number("used", decoded->used),
        {.key = NULL},
    };
    if (facts_say(facts, key, said))
        return;
    ck_assert_msg(strcmp(key, "trailers") == 0, "nothing is called %s", key);
    say_trailers(said, &decoded->chunks);
}

static const char *verdict(const struct decoded *decoded)
{
    switch (decoded->outcome) {
    case HTTP_CHUNK_END:
        return "fine";
    case HTTP_CHUNK_DATA:
    case HTTP_CHUNK_MORE:
        return "more";
    case HTTP_CHUNK_BAD:
        return http_fault_name(decoded->chunks.fault);
    }
    return "";
}

static void check_pieces(const struct text_case *c, size_t first, size_t piece)
{
    static struct decoded decoded;
    char expected[CASE_LINE_BYTES];
    http_cases_word(c->expected, expected);
    decode(&decoded, c, first, piece);
    ck_assert_msg(strcmp(verdict(&decoded), expected) == 0,
                  "line %u, %s: %s, cut at %zu and then every %zu bytes", c->line, c->name,
                  verdict(&decoded), first, piece);
    facts_check(c, look_up, &decoded);
    http_chunks_done(&decoded.chunks);
}

static void check_chunks(const struct text_case *c)
{
    /* Cases of thousands of bytes are long in one line; every seventh point is enough to cut that.
     */
    size_t step = c->length > 1000 ? 7 : 1;
    for (size_t first = 0; first <= c->length; first += step)
        check_pieces(c, first, c->length);
    check_pieces(c, 1, 1);
    check_pieces(c, 2, 3);
}

START_TEST(every_body_is_decoded_alike_however_it_is_cut)
{
    ck_assert_uint_gt(http_cases_run("http/chunks.txt", check_chunks), 70);
}
END_TEST

/* --- What a table cannot say
 * ---------------------------------------------------------------------- */

static enum http_chunk decode_text(struct http_chunks *chunks, const char *text, size_t *used)
{
    struct slice data;
    return http_chunks_decode(chunks, text, strlen(text), used, &data);
}

START_TEST(data_points_into_the_input)
{
    static const char body[] = "5\r\nhello\r\n";
    struct http_chunks chunks = {.fault = HTTP_FINE};
    struct slice data;
    size_t used;
    ck_assert_int_eq(http_chunks_decode(&chunks, body, sizeof body - 1, &used, &data),
                     HTTP_CHUNK_DATA);
    ck_assert_ptr_eq(data.at, body + 3);
    ck_assert_uint_eq(used, 8);
}
END_TEST

START_TEST(the_end_stays_the_end)
{
    struct http_chunks chunks = {.fault = HTTP_FINE};
    size_t used;
    ck_assert_int_eq(decode_text(&chunks, "0\r\n\r\n", &used), HTTP_CHUNK_END);
    ck_assert_int_eq(decode_text(&chunks, "1\r\nx\r\n", &used), HTTP_CHUNK_END);
    ck_assert_uint_eq(used, 0);
}
END_TEST

START_TEST(a_refusal_stays_a_refusal)
{
    struct http_chunks chunks = {.fault = HTTP_FINE};
    size_t used;
    ck_assert_int_eq(decode_text(&chunks, "x", &used), HTTP_CHUNK_BAD);
    ck_assert_int_eq(decode_text(&chunks, "0\r\n\r\n", &used), HTTP_CHUNK_BAD);
    ck_assert_uint_eq(used, 0);
    ck_assert_int_eq(chunks.fault, HTTP_BAD_CHUNK);
}
END_TEST

START_TEST(a_body_without_trailers_allocates_nothing)
{
    struct http_chunks chunks = {.fault = HTTP_FINE};
    size_t used;
    ck_assert_int_eq(decode_text(&chunks, "0;x=y\r\n\r\n", &used), HTTP_CHUNK_END);
    ck_assert_ptr_null(chunks.trailer);
    ck_assert_uint_eq(http_chunks_trailers(&chunks, NULL, 0), 0);
}
END_TEST

START_TEST(a_done_decoder_is_ready_for_another_body)
{
    struct http_chunks chunks = {.fault = HTTP_FINE};
    size_t used;
    ck_assert_int_eq(decode_text(&chunks, "0\r\nA: b\r\n\r\n", &used), HTTP_CHUNK_END);
    ck_assert_uint_eq(chunks.trailer_count, 1);
    http_chunks_done(&chunks);
    ck_assert_ptr_null(chunks.trailer);
    ck_assert_int_eq(decode_text(&chunks, "0\r\n\r\n", &used), HTTP_CHUNK_END);
    ck_assert_uint_eq(chunks.trailer_count, 0);
}
END_TEST

START_TEST(trailers_fill_no_more_than_the_room_given)
{
    struct http_chunks chunks = {.fault = HTTP_FINE};
    struct http_field fields[2];
    size_t used;
    decode_text(&chunks, "0\r\nDate: x\r\nA: 1\r\nB: 2\r\nC: 3\r\n\r\n", &used);
    ck_assert_uint_eq(http_chunks_trailers(&chunks, fields, 2), 2);
    ck_assert(slice_is(fields[0].name, "A"));
    ck_assert(slice_is(fields[1].value, "2"));
    ck_assert_int_eq(fields[1].known, HTTP_OTHER_FIELD);
    http_chunks_done(&chunks);
}
END_TEST

START_TEST(a_chunk_line_is_the_size_in_hex)
{
    static const size_t sizes[] = {0, 1, 9, 10, 15, 16, 255, 256, 65535, 500, SIZE_MAX};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char line[20];
        char expected[24];
        snprintf(expected, sizeof expected, "%zx\r\n", sizes[i]);
        size_t length = http_chunk_line(line, sizes[i]);
        ck_assert_uint_eq(length, strlen(expected));
        ck_assert_mem_eq(line, expected, length);
    }
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, every_body_is_decoded_alike_however_it_is_cut);
    tcase_add_test(tcase, data_points_into_the_input);
    tcase_add_test(tcase, the_end_stays_the_end);
    tcase_add_test(tcase, a_refusal_stays_a_refusal);
    tcase_add_test(tcase, a_body_without_trailers_allocates_nothing);
    tcase_add_test(tcase, a_done_decoder_is_ready_for_another_body);
    tcase_add_test(tcase, trailers_fill_no_more_than_the_room_given);
    tcase_add_test(tcase, a_chunk_line_is_the_size_in_hex);
}

CHECK_MAIN("http1_chunks", add_tests)
