/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a script, command by command, and says it. */
#include "tests/support/http2_script.h"

#include <check.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/http2_wire.h"

struct word {
    const char *name;
    unsigned value;
};

/* One command: its words, and what stands behind the colon. */
struct command {
    const char *name; /* of the case */
    char words[256];
    const char *rest;
    size_t length;
    unsigned type, flags;
    uint32_t stream;
};

static const struct word types[] = {
    {"DATA", NGHTTP2_DATA},
    {"HEADERS", NGHTTP2_HEADERS},
    {"PRIORITY", NGHTTP2_PRIORITY},
    {"RST_STREAM", NGHTTP2_RST_STREAM},
    {"SETTINGS", NGHTTP2_SETTINGS},
    {"PUSH_PROMISE", NGHTTP2_PUSH_PROMISE},
    {"PING", NGHTTP2_PING},
    {"GOAWAY", NGHTTP2_GOAWAY},
    {"WINDOW_UPDATE", NGHTTP2_WINDOW_UPDATE},
    {"CONTINUATION", NGHTTP2_CONTINUATION},
    {NULL, 0},
};

static const struct word flag_words[] = {
    {"-", 0},
    {"es", NGHTTP2_FLAG_END_STREAM},
    {"eh", NGHTTP2_FLAG_END_HEADERS},
    {"ack", NGHTTP2_FLAG_ACK},
    {"padded", NGHTTP2_FLAG_PADDED},
    {"priority", NGHTTP2_FLAG_PRIORITY},
    {NULL, 0},
};

static unsigned value_of(const struct command *command, const struct word *words, const char *text)
{
    char *end;
    for (; words->name != NULL; words++)
        if (strcmp(words->name, text) == 0)
            return words->value;
    unsigned long value = strtoul(text, &end, 0);
    ck_assert_msg(end != text && *end == '\0', "%s: what is %s?", command->name, text);
    return (unsigned)value;
}

static char *next_word(const struct command *command, char **words)
{
    char *word = strtok_r(NULL, " ", words);
    ck_assert_msg(word != NULL, "%s: a word is missing", command->name);
    return word;
}

static void take_flags(struct command *command, char *text)
{
    char *rest = NULL;
    command->flags = 0;
    for (char *flag = strtok_r(text, "+", &rest); flag; flag = strtok_r(NULL, "+", &rest))
        command->flags |= value_of(command, flag_words, flag);
}

/* --- fields -------------------------------------------------------------------------------- */

/* Fields of usual requests, in one word. */
static const struct {
    const char *word;
    const char *lines;
} requests[] = {
    {"GET", ":method: GET\n:scheme: https\n:authority: www.example.com\n:path: /\n"},
    {"POST", ":method: POST\n:scheme: https\n:authority: www.example.com\n:path: /\n"},
    {"WAIT", ":method: GET\n:scheme: https\n:authority: www.example.com\n:path: /never\n"},
};
enum { REQUEST_COUNT = sizeof requests / sizeof requests[0] };

static const char *request_lines(const char *word, size_t length)
{
    for (unsigned i = 0; i < REQUEST_COUNT; i++)
        if (strlen(requests[i].word) == length && memcmp(requests[i].word, word, length) == 0)
            return requests[i].lines;
    return NULL;
}

static void add_field(const struct command *command, struct text *block, const char *field,
                      size_t length)
{
    const char *lines = request_lines(field, length);
    if (lines != NULL) {
        http2_block_add_lines(block, lines);
    } else {
        const char *is = memchr(field, '=', length);
        ck_assert_msg(is != NULL, "%s: a field without =", command->name);
        http2_block_add(block, field, (size_t)(is - field), is + 1,
                        length - (size_t)(is - field) - 1);
    }
}

static void say_fields(struct http2_wire *wire, const struct command *command, unsigned type)
{
    struct text block = {0};
    text_add(&block, "", 0);
    for (size_t at = 0; at < command->length;) {
        const char *end = memchr(command->rest + at, '&', command->length - at);
        size_t length = end ? (size_t)(end - command->rest) - at : command->length - at;
        add_field(command, &block, command->rest + at, length);
        at += length + 1;
    }
    http2_wire_frame(wire, type, command->flags, command->stream, block.bytes, block.length);
    text_done(&block);
}

/* --- commands ------------------------------------------------------------------------------ */

static void say_frame(struct http2_wire *wire, struct command *command, char **words, bool is_cut)
{
    size_t length = command->length;
    if (is_cut)
        length = value_of(command, flag_words, next_word(command, words));
    command->type = value_of(command, types, next_word(command, words));
    take_flags(command, next_word(command, words));
    command->stream = value_of(command, flag_words, next_word(command, words));
    http2_wire_header(wire, length, command->type, command->flags, command->stream);
    peer_send(&wire->peer, command->rest, command->length);
}

static void say_head(struct http2_wire *wire, struct command *command, char **words, unsigned type)
{
    command->stream = value_of(command, flag_words, next_word(command, words));
    take_flags(command, next_word(command, words));
    say_fields(wire, command, type);
}

static void say(struct http2_wire *wire, struct command *command)
{
    char *words = NULL;
    const char *verb = strtok_r(command->words, " ", &words);
    ck_assert_msg(verb != NULL, "%s: an empty command", command->name);
    if (strcmp(verb, "preface") == 0)
        http2_wire_preface(wire);
    else if (strcmp(verb, "raw") == 0)
        peer_send(&wire->peer, command->rest, command->length);
    else if (strcmp(verb, "frame") == 0)
        say_frame(wire, command, &words, false);
    else if (strcmp(verb, "cut") == 0)
        say_frame(wire, command, &words, true);
    else if (strcmp(verb, "head") == 0)
        say_head(wire, command, &words, NGHTTP2_HEADERS);
    else if (strcmp(verb, "more") == 0)
        say_head(wire, command, &words, NGHTTP2_CONTINUATION);
    else if (strcmp(verb, "ping") == 0)
        http2_wire_ping(wire);
    else if (strcmp(verb, "answer") == 0)
        http2_wire_answer(wire, value_of(command, flag_words, next_word(command, &words)));
    else
        ck_abort_msg("%s: what is %s?", command->name, verb);
}

void http2_script_say(struct http2_wire *wire, const char *name, const char *script, size_t length)
{
    while (length > 0) {
        const char *end = memchr(script, ';', length);
        ck_assert_msg(end != NULL, "%s: a command without its semicolon", name);
        size_t whole = (size_t)(end - script);
        const char *colon = memchr(script, ':', whole);
        size_t words = colon != NULL ? (size_t)(colon - script) : whole;
        struct command command = {.name = name, .rest = end};
        ck_assert_uint_lt(words, sizeof command.words);
        memcpy(command.words, script, words);
        if (colon != NULL) {
            command.rest = colon + 1;
            command.length = whole - words - 1;
        }
        say(wire, &command);
        script = end + 1;
        length -= whole + 1;
    }
}

const char *http2_script_code(unsigned code)
{
    return nghttp2_http2_strerror(code);
}
