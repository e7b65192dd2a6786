/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of [registry] as a table, and where its store lies. */
#include "listeners/registry/registry_options.h"

#include <string.h>

#include "listeners/registry/store.h"

static const struct option rows[] = {
#define OPTION(...) OPTION_ROW(struct registry_options, __VA_ARGS__)
#include "listeners/registry/registry_options.def"
#undef OPTION
    {0},
};

const struct option_table registry_option_table = {
    .section = "registry",
    .named = false,
    .summary = "what is known of client CAs and client certificates, and where it is kept",
    .bytes = sizeof(struct registry_options),
    .options = rows,
};

bool registry_options_place(const struct registry_options *options, const char *folder,
                            const char *state_dir, const char **ret_place, struct arena *arena,
                            struct error *err)
{
    const char *place;
    *ret_place = NULL;
    const struct store *store = store_find(options->store, &place, err);
    if (!store)
        return false;
    if (*place == '\0' || place[strlen(place) - 1] == '/')
        return error_set(err, "store = %s names no file: write it like %s:var/registry.db",
                         options->store, store->name);
    const char *path = options->store_line == 0 ? option_path(state_dir, "registry.db", arena)
                                                : option_path(folder, place, arena);
    *ret_place = arena_format(arena, "%s:%s", store->name, path);
    return true;
}
