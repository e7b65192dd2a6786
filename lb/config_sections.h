/* SPDX-License-Identifier: Apache-2.0 */
/* The sections of an INI file with their keys set: the first step of config_load(). */
#ifndef LB_CONFIG_SECTIONS_H
#define LB_CONFIG_SECTIONS_H

#include <stdbool.h>

#include "lb/base/arena.h"
#include "lb/base/error.h"
#include "lb/base/option.h"

struct ini;

/* Names stand in logs, metrics and commands: short, and nothing that needs quotes there. */
enum { CONFIG_NAME_BYTES = 64 };

/** What config_load() and its steps read from and report to. */
struct config_source {
    const char *file;   /* as problems name it */
    const char *folder; /* absolute */
    struct arena *arena;
    struct problems *problems;
};

struct config_section {
    const struct option_table *table;
    const char *name; /* "" of [lb] and [admin] */
    unsigned line;
    void *options; /* of the table's type */
};

/** In the file's order, each kind by itself. */
struct config_sections {
    struct config_section lb, admin; /* line 0: not in the file, all defaults */
    unsigned listener_count, rule_count, pool_count;
    struct config_section *listeners, *rules, *pools;
    bool has_strays; /* some were reported and are not here: what is missing may be among them */
};

/**
 * Sort the entries of a file into sections and set their keys. Unknown kinds of sections, missing
 * and bad names, unknown keys and bad values are reported. A section with a bad name is kept, so
 * that the rest of it is checked, too; one without a name, which nobody could refer to, is not.
 *
 * sections  overwritten; lives in source->arena
 */
void config_sections_read(struct config_sections *sections, const struct ini *ini,
                          const struct config_source *source);

/** The index of the section of this name, or -1. */
int config_sections_find(const struct config_section *sections, unsigned count, const char *name);

/** The name an operator probably meant, or NULL. */
const char *config_sections_nearest(const struct config_section *sections, unsigned count,
                                    const char *name);

#endif
