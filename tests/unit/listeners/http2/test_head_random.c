/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random blocks: whatever is called fine and parses has exactly the fields that went in
 * (http2_model.h). The blocks are near to valid ones, so that many get that far.
 */
#include "tests/fuzz/http2_model.h"

#include "tests/support/check_main.h"

enum { BLOCKS = 20000, TEXT_BYTES = 64 * 1024 };

/* Where a block's names and values are made. */
struct maker {
    struct model model;
    uint64_t state;
    char text[TEXT_BYTES];
    size_t used;
};

/* xorshift64: the same blocks in every run. */
static unsigned roll(struct maker *maker, unsigned sides)
{
    maker->state ^= maker->state << 13;
    maker->state ^= maker->state >> 7;
    maker->state ^= maker->state << 17;
    return (unsigned)(maker->state % sides);
}

/* Mostly the text as it is; sometimes a byte more that may end words, names or lines. */
static struct slice put(struct maker *maker, const char *text, unsigned one_in)
{
    static const char odd[] = "\0\r\n\t :;,#%/?@[]\x7f\xff"
                              "AZ_-";
    size_t length = strlen(text);
    char *to = maker->text + maker->used;
    memcpy(to, text, length);
    if (roll(maker, one_in) == 0) {
        size_t at = roll(maker, (unsigned)length + 1);
        memmove(to + at + 1, to + at, length - at);
        to[at] = odd[roll(maker, sizeof odd - 1)];
        length++;
    }
    maker->used += length;
    return (struct slice){to, length};
}

static void add(struct maker *maker, const char *name, const char *value)
{
    struct model *model = &maker->model;
    model->fields[model->count].name = put(maker, name, 200);
    model->fields[model->count++].value = put(maker, value, 60);
}

static const char *one_of(struct maker *maker, const char *const *texts, unsigned count)
{
    return texts[roll(maker, count)];
}

#define ONE_OF(maker, texts) one_of(maker, texts, sizeof(texts) / sizeof *(texts))

static void add_pseudo(struct maker *maker)
{
    static const char *const methods[] = {"GET", "POST", "OPTIONS", "PURGE", "GET", "G T", ""};
    static const char *const paths[] = {"/",  "/a/b?c=d",  "/%00", "/a//..", "*",
                                        "/x", "http://b/", "",     "?",      "/ HTTP/1.1\r\nx: y"};
    static const char *const hosts[] = {"a.example",   "a.example:443", "[::1]:8443", "A.example",
                                        "u@a.example", "a..b",          "a.example",  ""};
    unsigned kind = roll(maker, 10);
    const char *method = kind < 2 ? "CONNECT" : ONE_OF(maker, methods);
    add(maker, ":method", method);
    if (kind != 0) {
        add(maker, ":scheme", roll(maker, 20) ? "https" : "ftp");
        add(maker, ":path", ONE_OF(maker, paths));
    }
    if (kind < 2 || roll(maker, 4))
        add(maker, ":authority", kind == 0 ? "a.example:443" : ONE_OF(maker, hosts));
    if (kind == 1 || roll(maker, 50) == 0)
        add(maker, ":protocol", roll(maker, 8) ? "websocket" : "connect-udp");
    if (roll(maker, 50) == 0)
        add(maker, roll(maker, 2) ? ":status" : ":path", "/");
}

static void add_field(struct maker *maker)
{
    static const char *const fields[][2] = {
        {"cookie", "a=b"},
        {"cookie", "c=d"},
        {"cookie", ""},
        {"accept", "*/*"},
        {"user-agent", "x y\tz"},
        {"x-empty", ""},
        {"te", "trailers"},
        {"te", "gzip"},
        {"host", "a.example"},
        {"host", "A.EXAMPLE"},
        {"content-length", "0"},
        {"content-length", "12"},
        {"expect", "100-continue"},
        {"connection", "close"},
        {"upgrade", "h2c"},
        {"keep-alive", "x"},
        {"proxy-connection", "x"},
        {"transfer-encoding", "chunked"},
        {"X-Upper", "x"},
        {"sec-websocket-key", "k"},
        {"sec-websocket-version", "13"},
        {"content_length", "3"},
        {"trailer", "x"},
        {"http2-settings", "AAMAAABk"},
        {"x-forwarded-for", "1"},
        {"x-a", "one"},
        {"x-b", "two"},
        {"authorization", "secret"},
        {"accept-language", "de"},
        {"referer", "https://x/"},
    };
    static const unsigned char dangerous[] = {7, 9, 10, 11, 13, 14, 15, 16, 17, 18, 21};
    unsigned at = roll(maker, sizeof fields / sizeof *fields);
    for (size_t i = 0; i < sizeof dangerous; i++) {
        if (at == dangerous[i] && roll(maker, 8))
            at = roll(maker, 7);
    }
    add(maker, fields[at][0], fields[at][1]);
}

static void make_block(struct maker *maker)
{
    unsigned fields = roll(maker, 8) == 0 ? 100 + roll(maker, 60) : roll(maker, 12);
    maker->used = 0;
    maker->model.count = 0;
    maker->model.has_body = roll(maker, 2);
    maker->model.most_bytes = roll(maker, 10) == 0 ? 40 + roll(maker, 400) : 32768;
    add_pseudo(maker);
    for (unsigned i = 0; i < fields; i++)
        add_field(maker);
}

START_TEST(what_is_fine_and_parses_has_exactly_the_fields_that_went_in)
{
    static struct maker maker;
    unsigned parsed = 0;
    unsigned outcomes[HTTP2_HEAD_NO_MEMORY + 1] = {0};
    maker.state = UINT64_C(0x9e3779b97f4a7c15) + (unsigned)_i;
    for (unsigned i = 0; i < BLOCKS; i++) {
        make_block(&maker);
        struct model_result result = model_expect(&maker.model);
        outcomes[result.outcome]++;
        parsed += result.parse == HTTP_COMPLETE;
    }
    /* The test would say nothing if next to nothing got that far. */
    ck_assert_uint_gt(parsed, BLOCKS / 20);
    ck_assert_uint_gt(outcomes[HTTP2_HEAD_FINE], parsed);
    ck_assert_uint_gt(outcomes[HTTP2_HEAD_MALFORMED], BLOCKS / 20);
    ck_assert_uint_gt(outcomes[HTTP2_HEAD_TOO_LARGE], 0);
    ck_assert_uint_gt(outcomes[HTTP2_HEAD_UNKNOWN_PROTOCOL], 0);
    ck_assert_uint_eq(outcomes[HTTP2_HEAD_NO_MEMORY], 0);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, what_is_fine_and_parses_has_exactly_the_fields_that_went_in, 0, 4);
}

CHECK_MAIN("http2_head_random", add_tests)
