/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the text tables. */
#include "tests/support/cases.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t unescape(const char *at, struct text *into)
{
    static const char letters[] = "rnt0\\";
    static const char bytes[] = "\r\n\t\0\\";
    const char *letter = at[1] != '\0' ? strchr(letters, at[1]) : NULL;
    if (letter != NULL) {
        text_add(into, &bytes[letter - letters], 1);
        return 2;
    }
    unsigned value;
    ck_assert_msg(sscanf(at, "\\x%2x", &value) == 1, "an unknown escape: %s", at);
    text_add(into, &(char){(char)value}, 1);
    return 4;
}

static void add_line(const char *line, struct text *into)
{
    while (*line != '\0' && *line != '\n') {
        if (*line == '\\')
            line += unescape(line, into);
        else
            text_add(into, line++, 1);
    }
}

static struct test_case *begin_case(struct cases *cases, const char *title)
{
    cases->list = realloc(cases->list, (cases->count + 1) * sizeof *cases->list);
    struct test_case *made = &cases->list[cases->count++];
    *made = (struct test_case){0};
    snprintf(made->title, sizeof made->title, "%.*s", (int)strcspn(title, "\n"), title);
    text_add(&made->bytes, "", 0);
    return made;
}

void cases_read(struct cases *cases, const char *file)
{
    char path[1024];
    char line[4096];
    const char *source = getenv("LB_SOURCE");
    ck_assert_msg(source != NULL, "LB_SOURCE must name the source tree");
    snprintf(path, sizeof path, "%s/tests/cases/%s", source, file);
    FILE *table = fopen(path, "r");
    ck_assert_msg(table != NULL, "cannot read %s", path);
    *cases = (struct cases){0};
    struct test_case *current = NULL;
    while (fgets(line, sizeof line, table) != NULL) {
        if (strncmp(line, "== ", 3) == 0)
            current = begin_case(cases, line + 3);
        else if (current != NULL && line[0] != '#')
            add_line(line, &current->bytes);
    }
    fclose(table);
    ck_assert_uint_gt(cases->count, 0);
}

void cases_done(struct cases *cases)
{
    for (unsigned i = 0; i < cases->count; i++)
        text_done(&cases->list[i].bytes);
    free(cases->list);
}
