/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What must come out of a translated head, said a second time and simply: if the text parses, its
 * lines are the fields that went in, and nothing else. Used by the fuzz target and by random tests.
 */
#ifndef LB_TESTS_HTTP2_MODEL_H
#define LB_TESTS_HTTP2_MODEL_H

#include <strings.h>

#include "lb/base/http1.h"
#include "listeners/http2/head.h"
#include "tests/fuzz/expect.h"

enum { MODEL_FIELDS_MOST = 1024 };

struct model_field {
    struct slice name;
    struct slice value;
};

struct model {
    struct model_field fields[MODEL_FIELDS_MOST];
    unsigned count;
    bool has_body;
    size_t most_bytes;
};

/** Where a walk over the parsed fields stands. */
struct model_walk {
    const struct http_request *request;
    unsigned at;
};

/** Value of the first field of that name; at NULL: there is none. */
static inline struct slice model_value(const struct model *model, const char *name)
{
    for (unsigned i = 0; i < model->count; i++) {
        if (slice_is(model->fields[i].name, name))
            return model->fields[i].value;
    }
    return (struct slice){NULL, 0};
}

static inline void model_expect_row(struct model_walk *walk, struct slice name, struct slice value)
{
    EXPECT(walk->at < walk->request->field_count);
    const struct http_field *row = &walk->request->fields[walk->at++];
    EXPECT(slice_equal(row->name, name));
    EXPECT(slice_equal(row->value, value));
}

static inline void model_expect_text(struct model_walk *walk, const char *name, const char *value)
{
    model_expect_row(walk, slice_of(name), slice_of(value));
}

/** All crumbs that are not empty, in their order. */
static inline void model_expect_cookie(const struct model *model, struct model_walk *walk)
{
    static char joined[1024 * 1024];
    size_t length = 0;
    for (unsigned i = 0; i < model->count; i++) {
        struct slice value = model->fields[i].value;
        if (!slice_is(model->fields[i].name, "cookie") || value.length == 0)
            continue;
        EXPECT(length + 2 + value.length <= sizeof joined);
        if (length > 0) {
            memcpy(joined + length, "; ", 2);
            length += 2;
        }
        memcpy(joined + length, value.at, value.length);
        length += value.length;
    }
    model_expect_row(walk, slice_of("cookie"), (struct slice){joined, length});
}

/** RFC 9113 8.2, in words of its own. */
static inline void model_expect_legal(struct model_field field)
{
    static const char *const forbidden[] = {"connection", "keep-alive", "proxy-connection",
                                            "transfer-encoding", "upgrade"};
    EXPECT(field.name.length > 0);
    for (size_t i = 0; i < field.name.length; i++)
        EXPECT(field.name.at[i] != '\0' &&
               strchr("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz", field.name.at[i]));
    EXPECT(expect_clean(field.value));
    if (field.value.length > 0)
        EXPECT(!strchr(" \t", field.value.at[0]) &&
               !strchr(" \t", field.value.at[field.value.length - 1]));
    for (size_t i = 0; i < sizeof forbidden / sizeof *forbidden; i++)
        EXPECT(!slice_is(field.name, forbidden[i]));
    EXPECT(!slice_is(field.name, "te") || slice_is_nocase(field.value, "trailers"));
}

static inline void model_expect_pseudo(const struct model *model)
{
    bool is_behind = false;
    for (unsigned i = 0; i < model->count; i++) {
        struct model_field field = model->fields[i];
        bool is_pseudo = field.name.length > 0 && field.name.at[0] == ':';
        if (!is_pseudo) {
            is_behind = true;
            model_expect_legal(field);
            continue;
        }
        EXPECT(!is_behind);
        EXPECT(slice_is(field.name, ":method") || slice_is(field.name, ":scheme") ||
               slice_is(field.name, ":path") || slice_is(field.name, ":authority") ||
               slice_is(field.name, ":protocol"));
        for (unsigned other = 0; other < i; other++)
            EXPECT(!slice_equal(model->fields[other].name, field.name));
    }
}

static inline void model_expect_line(const struct model *model, const struct http_request *request,
                                     bool is_websocket)
{
    struct slice method = model_value(model, ":method");
    struct slice path = model_value(model, ":path");
    struct slice authority = model_value(model, ":authority");
    EXPECT(request->minor == 1 && request->wants_upgrade == is_websocket);
    EXPECT(is_websocket == (model_value(model, ":protocol").at != NULL));
    EXPECT(slice_equal(request->method_text, is_websocket ? slice_of("GET") : method));
    EXPECT(slice_equal(request->target, path.at ? path : authority));
    EXPECT(!is_websocket || slice_is(method, "CONNECT"));
    EXPECT((path.at == NULL) == (request->method == HTTP_CONNECT));
    EXPECT(!path.at || path.at[0] == '/' || slice_is(path, "*"));
    if (authority.at)
        EXPECT(slice_equal(request->authority, authority));
}

/** Fields of the block, in order; Host and a WebSocket's key are written by lb. */
static inline void model_expect_block(const struct model *model, struct model_walk *walk,
                                      bool is_websocket)
{
    bool has_authority = model_value(model, ":authority").at != NULL;
    bool had_cookie = false;
    for (unsigned i = 0; i < model->count; i++) {
        struct model_field field = model->fields[i];
        if (field.name.at[0] == ':')
            continue;
        if (slice_is(field.name, "cookie")) {
            if (!had_cookie)
                model_expect_cookie(model, walk);
            had_cookie = true;
        } else if (has_authority && slice_is(field.name, "host")) {
            EXPECT(field.value.length == walk->request->authority.length &&
                   strncasecmp(field.value.at, walk->request->authority.at, field.value.length) ==
                       0);
        } else if (!is_websocket || !slice_is(field.name, "sec-websocket-key")) {
            model_expect_row(walk, field.name, field.value);
        }
    }
}

static inline void model_expect_fields(const struct model *model,
                                       const struct http_request *request,
                                       const struct http2_head *head)
{
    struct model_walk walk = {request, 0};
    bool is_websocket = http2_head_is_websocket(head);
    struct slice authority = model_value(model, ":authority");
    if (authority.at)
        model_expect_row(&walk, slice_of("host"), authority);
    if (is_websocket) {
        model_expect_text(&walk, "connection", "Upgrade");
        model_expect_text(&walk, "upgrade", "websocket");
        model_expect_row(&walk, slice_of("sec-websocket-key"),
                         (struct slice){head->websocket_key, WEBSOCKET_KEY_BYTES});
    }
    model_expect_block(model, &walk, is_websocket);
    if (is_websocket && !model_value(model, "sec-websocket-version").at)
        model_expect_text(&walk, "sec-websocket-version", "13");
    bool has_length = model_value(model, "content-length").at != NULL;
    bool is_plain = request->method != HTTP_CONNECT && !is_websocket;
    if (is_plain && model->has_body && !has_length)
        model_expect_text(&walk, "transfer-encoding", "chunked");
    EXPECT(walk.at == request->field_count);
    EXPECT((request->framing == HTTP_LENGTH) == has_length);
    EXPECT(request->framing == HTTP_NO_BODY || is_plain);
    EXPECT(model->has_body || request->length == 0);
}

/** What is left to the parser: how targets, hosts, lengths and expectations are spelled. Anything
 * about lines would mean that the text is none. */
static inline bool model_may_be_refused(const struct model *model, enum http_fault fault)
{
    bool has_lookalike = false; /* of a length, to who takes '_' for '-' */
    for (unsigned i = 0; i < model->count; i++)
        has_lookalike = has_lookalike || (memchr(model->fields[i].name.at, '_',
                                                 model->fields[i].name.length) != NULL);
    return fault == HTTP_NO_HOST || fault == HTTP_BAD_HOST || fault == HTTP_BAD_TARGET ||
           fault == HTTP_TARGET_TOO_LONG || fault == HTTP_BAD_LENGTH || fault == HTTP_BAD_EXPECT ||
           (fault == HTTP_BAD_FIELD && has_lookalike);
}

/** A head that was fine: what the parser reads of it, if it takes it. */
static inline enum http_parse model_expect_head(const struct model *model,
                                                const struct http2_head *head,
                                                const struct buffer *text)
{
    static struct http_request request;
    enum http_fault fault;
    size_t length = buffer_length(text);
    char *exact = expect_copy(text->data + text->start, length);
    EXPECT(length <= model->most_bytes);
    enum http_parse parse = http_parse_request(&request, exact, length, model->most_bytes, &fault);
    EXPECT(parse == HTTP_COMPLETE || (parse == HTTP_INVALID && model_may_be_refused(model, fault)));
    if (parse == HTTP_COMPLETE) {
        EXPECT(request.bytes == length);
        model_expect_pseudo(model);
        model_expect_line(model, &request, http2_head_is_websocket(head));
        model_expect_fields(model, &request, head);
    }
    free(exact);
    return parse;
}

struct model_result {
    enum http2_head_outcome outcome;
    enum http_parse parse; /* of HTTP2_HEAD_FINE */
};

/** Translate the block and judge all that comes of it. */
static inline struct model_result model_expect(const struct model *model)
{
    struct buffer_pool pool;
    struct http2_head head = {0};
    struct buffer *text;
    struct model_result result = {.parse = HTTP_INVALID};
    bool fine = true;
    buffer_pool_init(&pool);
    http2_head_begin(&head, &pool, model->most_bytes);
    for (unsigned i = 0; i < model->count; i++) {
        struct model_field field = model->fields[i];
        char *name = expect_copy(field.name.at, field.name.length);
        char *value = expect_copy(field.value.at, field.value.length);
        bool added = http2_head_add(&head, (struct slice){name, field.name.length},
                                    (struct slice){value, field.value.length});
        free(name);
        free(value);
        EXPECT(fine || !added);
        fine = added;
    }
    result.outcome = http2_head_end(&head, model->has_body, &text);
    EXPECT((result.outcome == HTTP2_HEAD_FINE) == (text != NULL));
    EXPECT(fine || !text);
    EXPECT((result.outcome == HTTP2_HEAD_FINE) == (http2_head_fault(&head)[0] == '\0'));
    if (text)
        result.parse = model_expect_head(model, &head, text);
    buffer_give(&pool, &text);
    http2_head_done(&head);
    EXPECT(pool.lent_count == 0);
    buffer_pool_done(&pool);
    return result;
}

/** The field that begins at *at: name and value, each ended by a NUL or by the end. */
static inline bool model_next(const char **at, const char *end, struct model_field *ret_field)
{
    struct slice *parts[] = {&ret_field->name, &ret_field->value};
    if (*at == end)
        return false;
    for (size_t i = 0; i < 2; i++) {
        const char *stop = memchr(*at, '\0', (size_t)(end - *at));
        *parts[i] = (struct slice){*at, (size_t)((stop ? stop : end) - *at)};
        *at = stop ? stop + 1 : end;
    }
    return true;
}

/** Fields as text tables and corpora write them: names and values, a NUL behind each. */
static inline void model_read(struct model *model, const char *bytes, size_t length)
{
    const char *at = bytes;
    model->count = 0;
    while (model->count < MODEL_FIELDS_MOST &&
           model_next(&at, bytes + length, &model->fields[model->count]))
        model->count++;
}

#endif
