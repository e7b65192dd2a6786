/* SPDX-License-Identifier: Apache-2.0 */
/* See error.h. */
#include "lb/base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool error_set(struct error *err, const char *format, ...)
{
    if (!err)
        return false;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(err->text, sizeof err->text, format, arguments);
    va_end(arguments);
    return false;
}

_Noreturn void error_out_of_memory(void)
{
    static const char text[] = "lb: out of memory\n";
    ssize_t written = write(STDERR_FILENO, text, sizeof text - 1);
    (void)written; /* nobody is left to be told */
    _Exit(EXIT_FAILURE);
}

static struct problem *next_item(struct problems *problems)
{
    enum { FIRST_CAPACITY = 16 };
    if (problems->count == problems->capacity) {
        size_t capacity = problems->capacity > 0 ? problems->capacity * 2 : FIRST_CAPACITY;
        struct problem *items = reallocarray(problems->items, capacity, sizeof *items);
        if (!items)
            error_out_of_memory();
        problems->items = items;
        problems->capacity = capacity;
    }
    return &problems->items[problems->count++];
}

__attribute__((format(printf, 5, 0))) static void add(struct problems *problems, bool warning,
                                                      const char *file, unsigned line,
                                                      const char *format, va_list arguments)
{
    struct problem *problem = next_item(problems);
    *problem = (struct problem){.warning = warning, .line = line};
    problem->file = strdup(file ? file : "-");
    if (!problem->file || vasprintf(&problem->text, format, arguments) < 0)
        error_out_of_memory();
    if (!warning)
        problems->error_count++;
}

void problems_add(struct problems *problems, const char *file, unsigned line, const char *format,
                  ...)
{
    va_list arguments;
    va_start(arguments, format);
    add(problems, false, file, line, format, arguments);
    va_end(arguments);
}

void problems_warn(struct problems *problems, const char *file, unsigned line, const char *format,
                   ...)
{
    va_list arguments;
    va_start(arguments, format);
    add(problems, true, file, line, format, arguments);
    va_end(arguments);
}

void problems_join(struct problems *problems, const struct problems *from)
{
    for (size_t i = 0; i < from->count; i++) {
        const struct problem *item = &from->items[i];
        if (item->warning)
            problems_warn(problems, item->file, item->line, "%s", item->text);
        else
            problems_add(problems, item->file, item->line, "%s", item->text);
    }
}

/* Equals are ordered by where they stand in the unsorted array, which makes qsort stable. */
static int compare(const void *one, const void *other)
{
    const struct problem *first = *(const struct problem *const *)one;
    const struct problem *second = *(const struct problem *const *)other;
    int order = strcmp(first->file, second->file);
    if (order != 0)
        return order;
    if (first->line != second->line)
        return first->line < second->line ? -1 : 1;
    return first < second ? -1 : first > second;
}

void problems_sort(struct problems *problems)
{
    if (problems->count < 2)
        return;
    const struct problem **order = calloc(problems->count, sizeof(const struct problem *));
    struct problem *sorted = calloc(problems->capacity, sizeof *sorted);
    if (!order || !sorted)
        error_out_of_memory();
    for (size_t i = 0; i < problems->count; i++)
        order[i] = &problems->items[i];
    qsort(order, problems->count, sizeof(const struct problem *), compare);
    for (size_t i = 0; i < problems->count; i++)
        sorted[i] = *order[i];
    free(order);
    free(problems->items);
    problems->items = sorted;
}

void problems_done(struct problems *problems)
{
    for (size_t i = 0; i < problems->count; i++) {
        free(problems->items[i].file);
        free(problems->items[i].text);
    }
    free(problems->items);
    *problems = (struct problems){0};
}
