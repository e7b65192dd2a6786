/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as an answer head, for each method whose answers have a size of their own. Besides
 * memory errors this finds: verdicts that depend on how the bytes were cut, and heads whose body
 * nobody could find the end of.
 */
#include "tests/fuzz/http1_head.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

static struct http_answer answer;

static void expect_answer(const char *bytes, size_t length, enum http_method asked)
{
    unsigned count = answer.field_count;
    unsigned lengths = expect_count(answer.fields, count, HTTP_CONTENT_LENGTH);
    unsigned codings = expect_count(answer.fields, count, HTTP_TRANSFER_ENCODING);
    bool without_body = asked == HTTP_HEAD || answer.status < 200 || answer.status == 204 ||
                        answer.status == 304 || (asked == HTTP_CONNECT && answer.status < 300);
    expect_fields(answer.fields, count, bytes, length);
    EXPECT(answer.status >= 100 && answer.status <= 999 && answer.minor <= 1);
    EXPECT(expect_inside(answer.reason, bytes, length) && expect_clean(answer.reason));
    EXPECT(lengths + codings <= 1 && answer.has_length == (lengths == 1));
    EXPECT((answer.framing == HTTP_NO_BODY) == without_body);
    EXPECT(answer.framing != HTTP_LENGTH || lengths == 1);
    EXPECT(answer.framing != HTTP_CHUNKED || (codings == 1 && answer.minor == 1));
    EXPECT(answer.framing != HTTP_UNTIL_CLOSE || (lengths + codings == 0 && !answer.keep_alive));
    EXPECT(answer.is_upgrade == (answer.status == 101));
    EXPECT(memcmp(bytes + answer.bytes - 4, "\r\n\r\n", 4) == 0);
}

static struct verdict judge_asked(const char *bytes, size_t length, size_t most,
                                  enum http_method asked)
{
    struct verdict verdict = {.bytes = 0};
    verdict.parse = http_parse_answer(&answer, bytes, length, most, asked, &verdict.fault);
    if (verdict.parse == HTTP_COMPLETE) {
        verdict.bytes = answer.bytes;
        expect_answer(bytes, length, asked);
    }
    return verdict;
}

static struct verdict judge(const char *bytes, size_t length, size_t most)
{
    struct verdict verdict = judge_asked(bytes, length, most, HTTP_GET);
    struct verdict of_head = judge_asked(bytes, length, most, HTTP_HEAD);
    judge_asked(bytes, length, most, HTTP_CONNECT);
    EXPECT(verdict.parse == of_head.parse && verdict.fault == of_head.fault);
    return verdict;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    char *bytes = expect_copy(data, length);
    expect_same_when_cut(judge, bytes, length, ANSWER_HEAD_BYTES);
    expect_same_when_cut(judge, bytes, length, 64);
    free(bytes);
    return 0;
}
