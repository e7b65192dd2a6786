/* SPDX-License-Identifier: Apache-2.0 */
#include "listeners/load/network_list.h"

#include <string.h>

static size_t most_words(const struct option_list *lines)
{
    size_t most = 0;
    for (unsigned i = 0; i < lines->count; i++)
        most += strlen(lines->items[i]) / 2 + 1; /* each word but the last has a blank behind it */
    return most;
}

struct network_list network_list_read(const struct option_list *lines, const char *key,
                                      struct arena *arena, const char *file,
                                      struct problems *problems)
{
    struct network_list list = {.count = 0};
    size_t most = most_words(lines);
    list.items = arena_alloc(arena, (most + 1) * sizeof *list.items);
    list.lines = arena_alloc(arena, (most + 1) * sizeof *list.lines);
    for (unsigned i = 0; i < lines->count; i++) {
        char *rest = NULL;
        char *word = strtok_r(arena_copy(arena, lines->items[i]), " \t", &rest);
        for (; word; word = strtok_r(NULL, " \t", &rest)) {
            struct error err = {0};
            if (network_parse(&list.items[list.count], word, &err)) {
                list.lines[list.count++] = lines->lines[i];
            } else {
                problems_add(problems, file, lines->lines[i], "%s: %s", key, err.text);
                list.wrong_count++;
            }
        }
    }
    return list;
}
