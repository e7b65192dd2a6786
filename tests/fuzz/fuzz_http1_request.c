/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a request head. Besides memory errors this finds: verdicts that depend on how the
 * bytes were cut, slices outside the input, and accepted heads whose size or Host somebody could
 * read differently.
 */
#include "tests/fuzz/http1_head.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

static struct http_request request;

static void expect_request(const char *bytes, size_t length)
{
    unsigned count = request.field_count;
    unsigned lengths = expect_count(request.fields, count, HTTP_CONTENT_LENGTH);
    unsigned codings = expect_count(request.fields, count, HTTP_TRANSFER_ENCODING);
    unsigned hosts = expect_count(request.fields, count, HTTP_HOST);
    expect_fields(request.fields, count, bytes, length);
    EXPECT(lengths + codings <= 1 && hosts <= 1 && (hosts == 1 || request.minor == 0));
    EXPECT((request.framing == HTTP_LENGTH) == (lengths == 1));
    EXPECT((request.framing == HTTP_CHUNKED) == (codings == 1));
    EXPECT(request.framing != HTTP_UNTIL_CLOSE && request.length <= INT64_MAX);
    EXPECT(http_is_token(request.method_text) && request.minor <= 1 && request.port <= 65535);
    EXPECT(expect_inside(request.method_text, bytes, length));
    EXPECT(expect_inside(request.authority, bytes, length));
    EXPECT(expect_inside(request.host, bytes, length));
    EXPECT(expect_inside(request.upgrade, bytes, length));
    EXPECT(request.target.length > 0 && request.target.length <= TARGET_BYTES);
    EXPECT(expect_clean(request.target) && !memchr(request.target.at, ' ', request.target.length));
    EXPECT(request.method == HTTP_CONNECT || request.target.at[0] == '/' ||
           slice_is(request.target, "*"));
    if (request.method != HTTP_CONNECT) {
        size_t query = request.query.at ? 1 + request.query.length : 0;
        EXPECT(request.path.at == request.target.at);
        EXPECT(request.path.length + query == request.target.length);
    }
    EXPECT(memcmp(bytes + request.bytes - 4, "\r\n\r\n", 4) == 0);
}

static struct verdict judge(const char *bytes, size_t length, size_t most)
{
    struct verdict verdict = {.bytes = 0};
    verdict.parse = http_parse_request(&request, bytes, length, most, &verdict.fault);
    if (verdict.parse == HTTP_COMPLETE) {
        verdict.bytes = request.bytes;
        expect_request(bytes, length);
    }
    return verdict;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    char *bytes = expect_copy(data, length);
    expect_same_when_cut(judge, bytes, length, 32768);
    expect_same_when_cut(judge, bytes, length, 64);
    free(bytes);
    return 0;
}
