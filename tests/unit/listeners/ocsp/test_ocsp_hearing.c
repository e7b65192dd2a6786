/* SPDX-License-Identifier: Apache-2.0 */
/* Every answer is heard in pieces of every size: what comes out must not depend on them. */
#include "listeners/ocsp/ocsp_hearing.h"

#include <stdio.h>
#include <string.h>

#include "tests/support/check_main.h"

struct ear {
    struct buffer_pool pool;
    struct ocsp_hearing hearing;
};

static void ear_open(struct ear *ear)
{
    buffer_pool_init(&ear->pool);
    ocsp_hearing_init(&ear->hearing, &ear->pool);
}

static void ear_close(struct ear *ear)
{
    ocsp_hearing_done(&ear->hearing);
    ck_assert_uint_eq(ear->pool.lent_count, 0);
    buffer_pool_done(&ear->pool);
}

/* In pieces of this size, then the end. */
static enum ocsp_heard hear(struct ear *ear, const char *text, size_t length, size_t piece)
{
    enum ocsp_heard heard = OCSP_HEARD_SOME;
    for (size_t at = 0; at < length && heard == OCSP_HEARD_SOME; at += piece)
        heard =
            ocsp_hearing_take(&ear->hearing, text + at, length - at < piece ? length - at : piece);
    return heard == OCSP_HEARD_SOME ? ocsp_hearing_end(&ear->hearing) : heard;
}

#define OK "HTTP/1.1 200 OK\r\n"

static const char *const whole[] = {
    OK "Content-Length: 5\r\n\r\nhello",
    OK "content-length:5\r\n\r\nhello and more",
    OK "Transfer-Encoding: chunked\r\n\r\n2;x=y\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
    OK "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nTrailer-Field: x\r\n\r\n",
    OK "\r\nhello",
    "HTTP/1.0 200 OK\r\n\r\nhello",
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" OK
    "Content-Length: 5\r\n\r\nhello",
};

START_TEST(a_whole_answer_is_heard_however_it_is_cut)
{
    const char *text = whole[_i];
    for (size_t piece = 1; piece <= strlen(text); piece++) {
        struct ear ear;
        ear_open(&ear);
        ck_assert_msg(hear(&ear, text, strlen(text), piece) == OCSP_HEARD_WHOLE,
                      "pieces of %zu: %s", piece, ear.hearing.fault.text);
        struct slice body = ocsp_hearing_body(&ear.hearing);
        ck_assert(body.length >= 5 && memcmp(body.at, "hello", 5) == 0);
        ck_assert_uint_eq(body.length, 5);
        ear_close(&ear);
    }
}
END_TEST

static const struct {
    const char *text;
    const char *says;
} broken[] = {
    {"", "closed the connection"},
    {OK, "closed the connection"},
    {OK "Content-Length: 6\r\n\r\nhello", "closed the connection"},
    {OK "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "closed the connection"},
    {OK "Transfer-Encoding: chunked\r\n\r\nzz\r\n", "chunk"},
    {OK "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "no HTTP"},
    {OK "Content-Length: 65537\r\n\r\n", "larger than 65536"},
    {OK "Content-Length: 99999999999999999999\r\n\r\n", "no HTTP"},
    {"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 5\r\n\r\nhello", "status 500"},
    {"HTTP/1.1 204 No Content\r\n\r\n", "status 204"},
    {"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\n\r\n", "status 302"},
    {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", "status 101"},
    {"SSH-2.0-OpenSSH_9.2\r\n", "no HTTP"},
};

START_TEST(what_is_no_answer_says_why_however_it_is_cut)
{
    const char *text = broken[_i].text;
    for (size_t piece = 1; piece <= strlen(text) + 1; piece++) {
        struct ear ear;
        ear_open(&ear);
        ck_assert_int_eq(hear(&ear, text, strlen(text), piece), OCSP_HEARD_BAD);
        ck_assert_msg(strstr(ear.hearing.fault.text, broken[_i].says), "%s",
                      ear.hearing.fault.text);
        ear_close(&ear);
    }
}
END_TEST

/* The same bytes again and again; how many were taken before it was enough. */
static size_t pour(const char *head, const char *more)
{
    struct ear ear;
    size_t poured = 0;
    ear_open(&ear);
    enum ocsp_heard heard = ocsp_hearing_take(&ear.hearing, head, strlen(head));
    for (; heard == OCSP_HEARD_SOME && poured < 10 * OCSP_BODY_BYTES; poured += strlen(more))
        heard = ocsp_hearing_take(&ear.hearing, more, strlen(more));
    ck_assert_int_eq(heard, OCSP_HEARD_BAD);
    ear_close(&ear);
    return poured;
}

START_TEST(nothing_without_end_is_kept)
{
    ck_assert_uint_le(pour(OK "\r\n", "0123456789abcdef"), OCSP_BODY_BYTES + 16);
    ck_assert_uint_le(pour(OK "Transfer-Encoding: chunked\r\n\r\n", "4\r\nabcd\r\n"),
                      9 * (OCSP_BODY_BYTES / 4 + 1));
    ck_assert_uint_le(pour(OK, "X-Field: 0123456789\r\n"), OCSP_HEAD_BYTES + 100);
    ck_assert_uint_le(pour("HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\n"),
                      25 * (INTERIM_ANSWERS_MOST + 1));
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, a_whole_answer_is_heard_however_it_is_cut, 0,
                        sizeof whole / sizeof *whole);
    tcase_add_loop_test(tcase, what_is_no_answer_says_why_however_it_is_cut, 0,
                        sizeof broken / sizeof *broken);
    tcase_add_test(tcase, nothing_without_end_is_kept);
}

CHECK_MAIN("ocsp hearing", add_tests)
