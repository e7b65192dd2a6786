/* SPDX-License-Identifier: Apache-2.0 */
/* stdout and stderr are files for the time of the run. */
#include "tests/support/captured.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lb/commands/commands.h"

enum { ARGUMENTS_MOST = 16 };

/* Let `stream` write to a file of no name; returns where it wrote before. */
static int divert(FILE *stream, FILE *file)
{
    fflush(stream);
    int before = dup(fileno(stream));
    ck_assert_int_ge(before, 0);
    ck_assert_int_ge(dup2(fileno(file), fileno(stream)), 0);
    return before;
}

static void restore(FILE *stream, int before)
{
    fflush(stream);
    ck_assert_int_ge(dup2(before, fileno(stream)), 0);
    close(before);
}

static char *read_all(FILE *file)
{
    char *text = NULL;
    size_t room = 0;
    rewind(file);
    if (getdelim(&text, &room, '\0', file) < 0)
        text[0] = '\0';
    fclose(file);
    return text;
}

void captured_run(struct captured *captured, const char *const *arguments)
{
    char *argv[ARGUMENTS_MOST + 1] = {strdup("lb")};
    int argc = 1;
    for (; arguments[argc - 1]; argc++) {
        ck_assert_int_lt(argc, ARGUMENTS_MOST);
        argv[argc] = strdup(arguments[argc - 1]);
    }
    FILE *out = tmpfile(), *err = tmpfile();
    ck_assert_ptr_nonnull(out);
    ck_assert_ptr_nonnull(err);
    int out_before = divert(stdout, out), err_before = divert(stderr, err);
    captured->status = commands_main(argc, argv);
    restore(stdout, out_before);
    restore(stderr, err_before);
    captured->out = read_all(out);
    captured->err = read_all(err);
    for (int i = 0; i < argc; i++)
        free(argv[i]);
}

void captured_done(struct captured *captured)
{
    free(captured->out);
    free(captured->err);
}
