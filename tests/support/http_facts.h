/* SPDX-License-Identifier: Apache-2.0 */
/* What a text table may ask about a message: facts by name, written as text and compared. */
#ifndef LB_TESTS_HTTP_FACTS_H
#define LB_TESTS_HTTP_FACTS_H

#include <stdbool.h>
#include <stddef.h>

#include "lb/base/http1.h"
#include "tests/support/http_cases.h"

/** A fact as text. */
struct said {
    char text[CASE_INPUT_BYTES];
    size_t length;
};

void said_add(struct said *said, struct slice text);
/** Names of the hop-by-hop fields, with commas. */
void said_add_hops(struct said *said, const struct http_field *fields, unsigned count);

struct fact {
    const char *key;
    enum { FACT_TEXT, FACT_NUMBER, FACT_SWITCH } kind;
    struct slice text; /* at NULL is written "none" */
    unsigned long long number;
};

static inline struct fact fact_text(const char *key, struct slice text)
{
    return (struct fact){.key = key, .kind = FACT_TEXT, .text = text};
}
static inline struct fact fact_number(const char *key, unsigned long long number)
{
    return (struct fact){.key = key, .kind = FACT_NUMBER, .number = number};
}
static inline struct fact fact_switch(const char *key, bool on)
{
    return (struct fact){.key = key, .kind = FACT_SWITCH, .number = on};
}

/** Write the fact called `key`; facts end with a NULL key. false: there is none of that name. */
bool facts_say(const struct fact *facts, const char *key, struct said *said);

/** Compare every KEY=VALUE of the case's expectation behind its first word with what `look_up`
 * says. */
void facts_check(const struct text_case *text_case,
                 void (*look_up)(struct said *said, const void *message, const char *key),
                 const void *message);

/** facts_check's look_up for a struct http_request: method, target, framing, value.NAME … */
void http_request_say(struct said *said, const void *request, const char *key);

/** "fine", "partial" or the fault: "BAD_HOST" for HTTP_BAD_HOST. */
const char *http_verdict(enum http_parse parse, enum http_fault fault);
const char *http_fault_name(enum http_fault fault);
/** none, length, chunked or close. */
struct slice http_framing_name(enum http_framing framing);

/** The first `length` bytes in memory of exactly that size, so that sanitizers see every byte read
 * too many. */
char *exact_copy(const char *bytes, size_t length);

#endif
