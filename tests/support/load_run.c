/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/load_run.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/bench_tool.h"
#include "tests/support/process.h"
#include "tests/support/text.h"

enum { ARGUMENTS_MOST = 32 };

json_t *load_run(unsigned port, int status, const char *arguments)
{
    char address[32];
    char *program = bench_tool("load");
    char *words = strdup(arguments);
    const char *argv[ARGUMENTS_MOST] = {program, "--address", address};
    unsigned count = 3;
    struct text said = {0};
    snprintf(address, sizeof address, "127.0.0.1:%u", port);
    for (char *word = strtok(words, " "); word != NULL; word = strtok(NULL, " "))
        argv[count++] = word;
    ck_assert_uint_lt(count, ARGUMENTS_MOST);
    int ended = process_run(argv, &said);
    json_error_t error;
    json_t *result = json_loads(said.bytes, 0, &error);
    ck_assert_msg(result != NULL && ended == status, "%s: ended with %d: %s", arguments, ended,
                  said.bytes);
    text_done(&said);
    free(words);
    free(program);
    return result;
}

double load_run_number(const json_t *result, const char *name)
{
    const json_t *value = json_object_get(result, name);
    ck_assert_msg(json_is_number(value), "there is no number \"%s\"", name);
    return json_number_value(value);
}

unsigned long long load_run_count(const json_t *result, const char *name)
{
    const json_t *value = json_object_get(result, name);
    ck_assert_msg(json_is_integer(value), "there is no count \"%s\"", name);
    return (unsigned long long)json_integer_value(value);
}

const char *load_run_failure(const json_t *result)
{
    return json_string_value(json_object_get(result, "first_failure"));
}
