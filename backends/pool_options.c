/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of [pool NAME] as a table. */
#include "backends/pool.h"

static const struct option rows[] = {
#define OPTION(...) OPTION_ROW(struct pool_options, __VA_ARGS__)
#include "backends/pool_options.def"
#undef OPTION
    {0},
};

const struct option_table pool_option_table = {
    .section = "pool",
    .named = true,
    .summary = "backends that serve the same purpose, how one is chosen and how they are checked",
    .bytes = sizeof(struct pool_options),
    .options = rows,
};
