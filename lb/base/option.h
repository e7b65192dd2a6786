/* SPDX-License-Identifier: Apache-2.0 */
/*
 * INI keys as tables. A *.def file holds one line per key:
 *
 *   OPTION(DURATION, connect_timeout, "4s", 1, 600000, "how long a backend may take to accept a connection")
 *   OPTION(CHOICE, protocol, "https", 0, 0, "https | http")
 *
 * kind, key, default (text, as an operator would write it; NULL: unset), least, most, help. For CHOICE the words
 * before the first " - " of the help, separated by " | ", are the choices, and the value is their index.
 * It is expanded twice: as struct members and as rows of a `const struct option[]`. Defaults, parsing, ranges,
 * messages, help, dump and the commented etc/lb.ini are loops over that table.
 */
#ifndef LB_BASE_OPTION_H
#define LB_BASE_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lb/base/arena.h"
#include "lb/base/error.h"

struct ini_entry;

enum option_kind {
    OPTION_NUMBER,   /* int64_t; least and most count; "auto" where the default is "auto" gives -1 */
    OPTION_DURATION, /* uint32_t milliseconds; ms s m h d */
    OPTION_SIZE,     /* uint64_t bytes; k m g */
    OPTION_SWITCH,   /* bool: on off yes no true false */
    OPTION_CHOICE,   /* int: index into the choices */
    OPTION_TEXT,     /* const char *; least and most bound its length when most > 0 */
    OPTION_PATH,     /* const char *, made absolute against the INI file's folder */
    OPTION_TEXTS,    /* struct option_list; the key may be repeated */
    OPTION_PATHS,    /* struct option_list; the key may be repeated */
    OPTION_WORDS,    /* struct option_list; one line, separated by blanks */
};

/** Values of a repeatable key, with the line of each. */
struct option_list {
    const char **items;
    unsigned *lines;
    unsigned count;
};

struct option {
    enum option_kind kind;
    const char *key;
    const char *standard; /* the default */
    int64_t least, most;
    const char *help;
    size_t offset;        /* of the value in the options struct */
    size_t line_offset;   /* of `unsigned KEY_line`: where it was set; 0: it is the default */
};

/* Member types by kind. */
#define OPTION_TYPE_NUMBER int64_t
#define OPTION_TYPE_DURATION uint32_t
#define OPTION_TYPE_SIZE uint64_t
#define OPTION_TYPE_SWITCH bool
#define OPTION_TYPE_CHOICE int
#define OPTION_TYPE_TEXT const char *
#define OPTION_TYPE_PATH const char *
#define OPTION_TYPE_TEXTS struct option_list
#define OPTION_TYPE_PATHS struct option_list
#define OPTION_TYPE_WORDS struct option_list

/** `#define OPTION OPTION_MEMBER` before including a .def inside a struct. */
#define OPTION_MEMBER(kind, key, standard, least, most, help)                                      \
    OPTION_TYPE_##kind key;                                                                        \
    unsigned key##_line;

/** `#define OPTION(...) OPTION_ROW(struct pool_options, __VA_ARGS__)` inside a table. */
#define OPTION_ROW(type, kind, key, standard, least, most, help)                                   \
    {OPTION_##kind, #key, standard, least, most, help, offsetof(type, key),                        \
     offsetof(type, key##_line)},

/** A table with the name of its section and a NULL-key row at its end. */
struct option_table {
    const char *section;  /* "pool" */
    bool named;           /* [pool NAME] */
    const char *summary;
    size_t bytes;         /* of the options struct */
    const struct option *options;
};

/** Fill `values` with the defaults; every line is 0. */
void option_defaults(const struct option_table *table, void *values, struct arena *arena);

/**
 * Set one key from an INI entry; problems (unknown key with the nearest known one, bad value with what would be
 * right, range, a second value for a key that takes one) are added, never returned.
 *
 * folder   of the INI file, for relative paths
 */
void option_set(const struct option_table *table, void *values, const struct ini_entry *entry,
                const char *file, const char *folder, struct arena *arena, struct problems *problems);

/** The row of `key`, or NULL. */
const struct option *option_find(const struct option_table *table, const char *key);
/** The nearest of the known keys by edit distance (at most a third of its letters wrong), or NULL. */
const char *option_nearest(const struct option_table *table, const char *key);
/** The word of a choice value; "" out of range. Static-duration text owned by nobody: copied into `into`. */
const char *option_choice_word(const struct option *option, int value, char *into, size_t room);
/** "duration, 1ms–10m, default 4s" — for help and messages. */
void option_describe(const struct option *option, char *into, size_t room);

/* Parsers on their own, for keys with structure (backend = NAME ADDRESS weight=10). */
bool option_parse_duration(const char *text, uint32_t *ret_ms);
bool option_parse_size(const char *text, uint64_t *ret_bytes);
bool option_parse_number(const char *text, int64_t *ret_number);
bool option_parse_switch(const char *text, bool *ret_on);

#endif
