/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text tables that drive tests (tests/cases). A case is a name, its input and what must become of
 * it:
 *
 *   # a comment
 *   case a request with a length
 *   with most=100
 *   | POST /a HTTP/1.1\r\nHost: a\r\n
 *   | Content-Length: 5\r\n\r\n
 *   is fine framing=length length=5
 *
 * The input is what stands behind "| ", without the line ends of the table. \r \n \t \0 \\ \{ and
 * \xHH are escapes, {N*text} is text N times. `with` (options) and `is` (expectation) are words,
 * separated by blanks.
 */
#ifndef LB_TESTS_HTTP_CASES_H
#define LB_TESTS_HTTP_CASES_H

#include <stddef.h>

enum { CASE_INPUT_BYTES = 64 * 1024, CASE_LINE_BYTES = 1024 };

struct text_case {
    char name[CASE_LINE_BYTES];
    char with[CASE_LINE_BYTES];
    char expected[CASE_LINE_BYTES];
    char input[CASE_INPUT_BYTES];
    size_t length;
    unsigned line; /* of its name */
};

/** Run `check` for every case of tests/cases/`file`; returns their number. A malformed table fails
 * the test. */
unsigned http_cases_run(const char *file, void (*check)(const struct text_case *text_case));

/** Decode the escapes of `text` into `into` (not terminated); returns the length. */
size_t http_cases_decode(const char *text, char *into, size_t room);

/** The number behind "KEY=" in words, or `otherwise`. */
unsigned long http_cases_number(const char *words, const char *key, unsigned long otherwise);

/**
 * Walk over words: copies the next one into `word` (CASE_LINE_BYTES) and returns what follows, NULL
 * when there is none.
 */
const char *http_cases_word(const char *words, char *word);

#endif
