/* SPDX-License-Identifier: Apache-2.0 */
/* The sections of an INI file with their keys set: the first step of config_load(). */
#ifndef LB_CONFIG_CONFIG_SECTIONS_H
#define LB_CONFIG_CONFIG_SECTIONS_H

#include <stdbool.h>

#include "lb/base/arena.h"
#include "lb/base/error.h"
#include "lb/base/option.h"
#include "lb/base/text_map.h"

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

/** The sections of a kind, and each by its name: thousands of rules may name one. */
struct config_names {
    const struct config_section *sections;
    unsigned count;
    struct text_map map; /* of two with one name, the first */
};

/** In the file's order, each kind by itself. */
struct config_sections {
    struct config_section lb, admin, registry; /* line 0: not in the file, all defaults */
    unsigned listener_count, rule_count, access_count, pool_count;
    struct config_section *listeners, *rules, *accesses, *pools;
    struct config_names listener_names, pool_names;
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

/** The section of this name, or NULL. */
const struct config_section *config_names_find(const struct config_names *names, const char *name);

/** The name an operator probably meant, or NULL. Walks over all. */
const char *config_names_nearest(const struct config_names *names, const char *name);

/** Report that there is no section of this kind and name, with what was probably meant. */
void config_names_report(const struct config_names *names, const char *kind, const char *name,
                         unsigned line, const struct config_source *source);

#endif
