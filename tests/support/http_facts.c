/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/http_facts.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROW(name) [HTTP_##name] = #name

static const char *const fault_names[] = {
    [HTTP_FINE] = "fine",
    ROW(BAD_REQUEST_LINE),
    ROW(BAD_TARGET),
    ROW(TARGET_TOO_LONG),
    ROW(BAD_VERSION),
    ROW(VERSION_UNSUPPORTED),
    ROW(BAD_FIELD),
    ROW(BAD_LINE_END),
    ROW(FOLDED_FIELD),
    ROW(TOO_MANY_FIELDS),
    ROW(HEAD_TOO_LARGE),
    ROW(NO_HOST),
    ROW(MANY_HOSTS),
    ROW(BAD_HOST),
    ROW(HOST_DIFFERS),
    ROW(BAD_LENGTH),
    ROW(BOTH_LENGTHS),
    ROW(BAD_TRANSFER_ENCODING),
    ROW(TRANSFER_ENCODING_UNKNOWN),
    ROW(BAD_CONNECTION),
    ROW(BAD_EXPECT),
    ROW(BAD_STATUS_LINE),
    ROW(BAD_CHUNK),
    ROW(BAD_TRAILER),
    ROW(TRAILER_TOO_LARGE),
};

const char *http_fault_name(enum http_fault fault)
{
    return fault_names[fault];
}

const char *http_verdict(enum http_parse parse, enum http_fault fault)
{
    switch (parse) {
    case HTTP_COMPLETE:
        return "fine";
    case HTTP_PARTIAL:
        return "partial";
    case HTTP_INVALID:
        return http_fault_name(fault);
    }
    return "";
}

struct slice http_framing_name(enum http_framing framing)
{
    static const char *const names[] = {
        [HTTP_NO_BODY] = "none",
        [HTTP_LENGTH] = "length",
        [HTTP_CHUNKED] = "chunked",
        [HTTP_UNTIL_CLOSE] = "close",
    };
    return slice_of(names[framing]);
}

void said_add(struct said *said, struct slice text)
{
    if (text.length > sizeof said->text - said->length)
        ck_abort_msg("a fact is too long");
    if (text.length > 0)
        memcpy(said->text + said->length, text.at, text.length);
    said->length += text.length;
}

void said_add_hops(struct said *said, const struct http_field *fields, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (!fields[i].hop_by_hop)
            continue;
        if (said->length > 0)
            said_add(said, slice_of(","));
        said_add(said, fields[i].name);
    }
}

bool facts_say(const struct fact *facts, const char *key, struct said *said)
{
    char digits[24];
    while (facts->key && strcmp(facts->key, key) != 0)
        facts++;
    if (!facts->key)
        return false;
    switch (facts->kind) {
    case FACT_TEXT:
        said_add(said, facts->text.at ? facts->text : slice_of("none"));
        break;
    case FACT_NUMBER:
        snprintf(digits, sizeof digits, "%llu", facts->number);
        said_add(said, slice_of(digits));
        break;
    case FACT_SWITCH:
        said_add(said, slice_of(facts->number ? "yes" : "no"));
        break;
    }
    return true;
}

void facts_check(const struct text_case *text_case,
                 void (*look_up)(struct said *said, const void *message, const char *key),
                 const void *message)
{
    static struct said said;
    char word[CASE_LINE_BYTES];
    char expected[CASE_LINE_BYTES];
    const char *words = http_cases_word(text_case->expected, word);
    while ((words = http_cases_word(words, word))) {
        char *value = strchr(word, '=');
        ck_assert_msg(value != NULL, "line %u: %s is not KEY=VALUE", text_case->line, word);
        *value++ = '\0';
        said.length = 0;
        look_up(&said, message, word);
        size_t length = http_cases_decode(value, expected, sizeof expected);
        ck_assert_msg(said.length == length && memcmp(said.text, expected, length) == 0,
                      "line %u, %s: %s is \"%.*s\", not \"%s\"", text_case->line, text_case->name,
                      word, (int)said.length, said.text, value);
    }
}

static void say_value(struct said *said, const struct http_request *request, const char *name)
{
    for (unsigned i = 0; i < request->field_count; i++) {
        if (slice_is_nocase(request->fields[i].name, name)) {
            said_add(said, request->fields[i].value);
            return;
        }
    }
    ck_abort_msg("there is no field %s", name);
}

void http_request_say(struct said *said, const void *message, const char *key)
{
    const struct http_request *request = message;
    struct slice none = {NULL, 0};
    struct slice empty = {"", 0};
    const struct fact facts[] = {
        fact_text("method", request->method_text),
        fact_switch("known_method", request->method != HTTP_OTHER_METHOD),
        fact_text("target", request->target),
        fact_text("path", request->path.at ? request->path : empty),
        fact_text("query", request->query),
        fact_text("host", request->host.at ? request->host : empty),
        fact_text("authority", request->authority.at ? request->authority : empty),
        fact_number("port", request->port),
        fact_number("minor", request->minor),
        fact_text("framing", http_framing_name(request->framing)),
        fact_number("length", request->length),
        fact_switch("keep_alive", request->keep_alive),
        fact_switch("continue", request->expects_continue),
        fact_text("upgrade", request->wants_upgrade ? request->upgrade : none),
        fact_number("bytes", request->bytes),
        fact_number("fields", request->field_count),
        {.key = NULL},
    };
    if (facts_say(facts, key, said))
        return;
    if (strcmp(key, "hop") == 0)
        said_add_hops(said, request->fields, request->field_count);
    else if (strncmp(key, "value.", 6) == 0)
        say_value(said, request, key + 6);
    else
        ck_abort_msg("nothing is called %s", key);
}

char *exact_copy(const char *bytes, size_t length)
{
    char *copy = malloc(length > 0 ? length : 1);
    if (!copy)
        abort();
    if (length > 0)
        memcpy(copy, bytes, length);
    return copy;
}
