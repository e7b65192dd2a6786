/* SPDX-License-Identifier: Apache-2.0 */
/* Heads of answers as fields of HTTP/2. What is compared went through nghttp2's own HPACK. */
#include "listeners/http2/answer_head.h"

#include <stdio.h>

#include "tests/support/check_main.h"

enum { TEXT_BYTES = 16 * 1024 };

static struct http2_nva nva;
static char room[1024];
static struct http_answer answer;

static void begin(void)
{
    http2_nva_begin(&nva, room, sizeof room,
                    NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE);
}

/* A backend's head, parsed, as an exchange hands it over. */
static struct stream_head head_of(const char *text)
{
    enum http_fault fault;
    ck_assert_int_eq(
        http_parse_answer(&answer, text, strlen(text), ANSWER_HEAD_BYTES, HTTP_GET, &fault),
        HTTP_COMPLETE);
    return (struct stream_head){
        .status = answer.status,
        .reason = answer.reason,
        .fields = answer.fields,
        .field_count = answer.field_count,
        .framing = answer.framing,
        .length = answer.length,
        .has_length = answer.has_length,
        .has_body = answer.framing != HTTP_NO_BODY,
        .is_tunnel = answer.is_upgrade,
        .interim = answer.status < 200 && !answer.is_upgrade,
    };
}

/* One "name: value\n" for each field that a decoder finds in `bytes`. */
static void inflate(const uint8_t *bytes, size_t length, char text[TEXT_BYTES])
{
    nghttp2_hd_inflater *inflater;
    size_t used = 0;
    text[0] = '\0';
    ck_assert_int_eq(nghttp2_hd_inflate_new(&inflater), 0);
    for (int flags = 0; !(flags & NGHTTP2_HD_INFLATE_FINAL);) {
        nghttp2_nv field;
        ssize_t taken = nghttp2_hd_inflate_hd2(inflater, &field, &flags, bytes, length, 1);
        ck_assert_int_ge(taken, 0);
        bytes += taken;
        length -= (size_t)taken;
        if (flags & NGHTTP2_HD_INFLATE_EMIT)
            used += (size_t)snprintf(text + used, TEXT_BYTES - used, "%s: %s\n",
                                     (const char *)field.name, (const char *)field.value);
        ck_assert_uint_lt(used, TEXT_BYTES);
    }
    nghttp2_hd_inflate_end_headers(inflater);
    nghttp2_hd_inflate_del(inflater);
}

static void expect_sent(const char *expected)
{
    static char text[TEXT_BYTES];
    static uint8_t bytes[TEXT_BYTES];
    nghttp2_hd_deflater *deflater;
    ck_assert_int_eq(nghttp2_hd_deflate_new(&deflater, 4096), 0);
    ssize_t length = nghttp2_hd_deflate_hd(deflater, bytes, sizeof bytes, nva.rows, nva.count);
    ck_assert_int_gt(length, 0);
    inflate(bytes, (size_t)length, text);
    nghttp2_hd_deflate_del(deflater);
    ck_assert_str_eq(text, expected);
}

static void expect_head(const char *text, const char *extra, const char *expected)
{
    struct stream_head head = head_of(text);
    head.extra = slice_of(extra);
    ck_assert(http2_answer_head(&nva, &head));
    expect_sent(expected);
}

START_TEST(an_answer_is_told_in_lower_case_with_its_length_last)
{
    expect_head("HTTP/1.1 200 Fine\r\nContent-Type: text/plain\r\nContent-Length: 12\r\n"
                "X-Empty:\r\nETag: \"A b\"\r\n\r\n",
                "",
                ":status: 200\ncontent-type: text/plain\nx-empty: \netag: \"A b\"\n"
                "content-length: 12\n");
}
END_TEST

START_TEST(hop_by_hop_fields_and_framing_stay_behind)
{
    expect_head("HTTP/1.1 404 Not Found\r\nConnection: close, X-Own\r\nX-Own: 1\r\n"
                "Keep-Alive: timeout=5\r\nTransfer-Encoding: chunked\r\nTrailer: x-sum\r\n"
                "Proxy-Connection: close\r\nUpgrade: h2c\r\nTE: gzip\r\nServer: x\r\n\r\n",
                "", ":status: 404\ntrailer: x-sum\nserver: x\n");
}
END_TEST

START_TEST(lines_of_lb_are_fields_too)
{
    expect_head("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
                "Set-Cookie: LB=x; Path=/\r\nX-Empty: \r\nX-Blank: a \r\n",
                ":status: 200\nset-cookie: LB=x; Path=/\nx-empty: \nx-blank: a\n"
                "content-length: 0\n");
}
END_TEST

START_TEST(a_tunnel_is_an_answer_without_the_handshake)
{
    expect_head("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
                "Upgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
                "Sec-WebSocket-Protocol: chat\r\n\r\n",
                "", ":status: 200\nsec-websocket-protocol: chat\n");
}
END_TEST

START_TEST(the_proof_of_a_handshake_passes_where_there_is_no_tunnel)
{
    expect_head("HTTP/1.1 426 Upgrade Required\r\nSec-WebSocket-Accept: x\r\n"
                "Content-Length: 0\r\n\r\n",
                "", ":status: 426\nsec-websocket-accept: x\ncontent-length: 0\n");
}
END_TEST

START_TEST(interim_answers_and_204_tell_no_length)
{
    expect_head("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\nContent-Length: 0\r\n\r\n", "",
                ":status: 103\nlink: </x>\n");
    begin();
    expect_head("HTTP/1.1 100 Continue\r\n\r\n", "", ":status: 100\n");
    begin();
    struct stream_head head = {.status = 204, .has_length = true};
    ck_assert(http2_answer_head(&nva, &head));
    expect_sent(":status: 204\n");
}
END_TEST

START_TEST(a_length_is_told_where_no_body_follows)
{
    expect_head("HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n", "",
                ":status: 304\ncontent-length: 99\n");
}
END_TEST

START_TEST(trailers_pass_without_framing)
{
    const struct http_field fields[] = {
        {.name = SLICE("Grpc-Status"), .value = SLICE("0")},
        {.name = SLICE("Content-Length"), .value = SLICE("3"), .known = HTTP_CONTENT_LENGTH},
        {.name = SLICE("Keep-Alive"), .value = SLICE("x"), .hop_by_hop = true},
        {.name = SLICE("grpc-message"), .value = SLICE("")},
    };
    ck_assert(http2_answer_trailers(&nva, fields, 4));
    expect_sent("grpc-status: 0\ngrpc-message: \n");
}
END_TEST

START_TEST(a_head_that_does_not_fit_is_told)
{
    struct stream_head head = head_of("HTTP/1.1 200 OK\r\nX-Long-Name: a\r\n\r\n");
    http2_nva_begin(&nva, room, 8, NGHTTP2_NV_FLAG_NO_COPY_NAME);
    ck_assert(!http2_answer_head(&nva, &head));
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, begin, NULL);
    tcase_add_test(tcase, an_answer_is_told_in_lower_case_with_its_length_last);
    tcase_add_test(tcase, hop_by_hop_fields_and_framing_stay_behind);
    tcase_add_test(tcase, lines_of_lb_are_fields_too);
    tcase_add_test(tcase, a_tunnel_is_an_answer_without_the_handshake);
    tcase_add_test(tcase, the_proof_of_a_handshake_passes_where_there_is_no_tunnel);
    tcase_add_test(tcase, interim_answers_and_204_tell_no_length);
    tcase_add_test(tcase, a_length_is_told_where_no_body_follows);
    tcase_add_test(tcase, trailers_pass_without_framing);
    tcase_add_test(tcase, a_head_that_does_not_fit_is_told);
}

CHECK_MAIN("answer_head", add_tests)
