/* SPDX-License-Identifier: Apache-2.0 */
/*
 * INI keys as tables. A *.def file holds one line per key:
 *
 *   OPTION(DURATION, connect_timeout, "4s", 1, 600000, "how long a backend may take to accept …")
 *   OPTION(CHOICE, protocol, "https", 0, 0, "https | http - what clients speak")
 *   OPTION(SWITCH, is_default, "no", 0, 0, "yes: this rule's domain is the default", "default")
 *
 * kind, key, default (as an operator would write it; NULL: unset), least, most (0: no upper bound),
 * help, and the key once more where it is a word of C and cannot name a struct member. For CHOICE
 * the words before the first " - " of the help, separated by " | ", are the choices, and the value
 * is the index of one, or -1 while it is unset. For PATHS_OR_WORDS they are the words that are no
 * paths: the first stands for a path, one with a colon for everything that begins so, as in
 * "FILE | builtin | registry:NAME - …". A file that is called like a word is written ./WORD.
 *
 * A file is expanded twice: as struct members and as rows of a `const struct option[]`. Defaults,
 * parsing, ranges, messages, help and the commented etc/lb.ini are loops over that table.
 */
#ifndef LB_BASE_OPTION_H
#define LB_BASE_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "lb/base/arena.h"
#include "lb/base/error.h"

struct ini_entry;

enum option_kind {
    OPTION_NUMBER,   /* int64_t; least and most count; "auto" where the default is "auto": -1 */
    OPTION_DURATION, /* uint32_t milliseconds; ms s m h d; a least of 0 allows "0": none */
    OPTION_SIZE,     /* uint64_t bytes; k m g, powers of 1024 */
    OPTION_SWITCH,   /* bool: on off yes no true false */
    OPTION_CHOICE,   /* int: index into the choices */
    OPTION_TEXT,     /* const char *; least and most bound its length when most > 0 */
    OPTION_PATH,     /* const char *, made absolute against the INI file's folder */
    OPTION_TEXTS,    /* struct option_list; the key may be repeated */
    OPTION_PATHS,    /* struct option_list; the key may be repeated */
    OPTION_PATHS_OR_WORDS, /* struct option_list; paths begin with "/"; the key may be repeated */
    OPTION_WORDS,          /* struct option_list; one line, separated by blanks */
};

/** Values of a repeatable key, with the line of each (0: a default). */
struct option_list {
    const char **items;
    unsigned *lines;
    unsigned count;
    unsigned empty_line; /* of the first line that has the key and no value; 0: there is none */
};

struct option {
    enum option_kind kind;
    const char *key;
    const char *standard; /* the default */
    int64_t least, most;
    const char *help;
    size_t offset;      /* of the value in the options struct */
    size_t line_offset; /* of `unsigned KEY_line`: where it was set first; 0: it is the default */
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
#define OPTION_TYPE_PATHS_OR_WORDS struct option_list
#define OPTION_TYPE_WORDS struct option_list

/* What stands behind `most`: the help, then perhaps the key. */
#define OPTION_FIRST(first, ...) first
#define OPTION_SECOND(first, second, ...) second

// clang-format off
/** `#define OPTION OPTION_MEMBER` before including a .def inside a struct. */
#define OPTION_MEMBER(kind, key, standard, least, most, ...)                                       \
    OPTION_TYPE_##kind key;                                                                        \
    unsigned key##_line;

/** `#define OPTION(...) OPTION_ROW(struct pool_options, __VA_ARGS__)` inside a table. */
#define OPTION_ROW(type, kind, key, standard, least, most, ...)                                    \
    {OPTION_##kind, OPTION_SECOND(__VA_ARGS__, #key, 0), standard, least, most,                    \
     OPTION_FIRST(__VA_ARGS__, 0), offsetof(type, key), offsetof(type, key##_line)},
// clang-format on

/** A table with the name of its section and a NULL-key row at its end. */
struct option_table {
    const char *section; /* "pool" */
    bool named;          /* [pool NAME] */
    const char *summary;
    size_t bytes; /* of the options struct */
    const struct option *options;
};

/**
 * Fill `values` with the defaults; every line is 0. A relative default of a path stays relative
 * until option_anchor().
 *
 * values   table->bytes, overwritten; its texts live in `arena` or are the table's
 */
void option_defaults(const struct option_table *table, void *values, struct arena *arena);

/**
 * Set one key from an INI entry. Problems (an unknown key, with the nearest known one; a bad value,
 * with what would be right; a second value for a key that takes one) are added, never returned. An
 * empty value leaves the default, a list notes its line, and a section header (no key) is passed
 * over.
 *
 * file     the name that problems carry
 * folder   of the INI file, for relative paths
 */
void option_set(const struct option_table *table, void *values, const struct ini_entry *entry,
                const char *file, const char *folder, struct arena *arena,
                struct problems *problems);

/** Make defaults that are relative paths absolute, too; once, after the last option_set(). */
void option_anchor(const struct option_table *table, void *values, const char *folder,
                   struct arena *arena);

/** The folder that `file` is named in, absolute; "." when there is none, where opening the file
 * fails, too. */
const char *option_folder(const char *file, struct arena *arena);

/** `path` as seen from `folder`: copied as it is when absolute, else behind the folder. */
const char *option_path(const char *folder, const char *path, struct arena *arena);

/** Do both have the same values in the same order? Their lines are not compared. */
bool option_lists_equal(const struct option_list *one, const struct option_list *other);

/** The row of `key`, or NULL. */
const struct option *option_find(const struct option_table *table, const char *key);

/** The nearest of the known keys by edit distance (at most a third of its letters wrong), or NULL.
 */
const char *option_nearest(const struct option_table *table, const char *key);

/** The index of the choice that is `word`, or -1. */
int option_choice_index(const struct option *option, const char *word);

/** Is this value of OPTION_PATHS_OR_WORDS one of its words? Else it is a path. */
bool option_is_word(const struct option *option, const char *value);

/** The word of a choice value, "" out of range. It is copied into `into`, which is returned. */
const char *option_choice_word(const struct option *option, int value, char *into, size_t room);

/* Help (option_help.c). */

/** "duration, 1ms–10m": what values a key takes; cut at `room`. */
void option_describe_values(const struct option *option, char *into, size_t room);

/** "duration, 1ms–10m, default 4s", for help and messages; cut at `room`. */
void option_describe(const struct option *option, char *into, size_t room);

/** What a key is for: the help without the choices, which option_describe() gives. */
const char *option_purpose(const struct option *option);

/** One key for `lb help KEY`: its section, what it takes, its default, what it is for. */
void option_write_help(const struct option_table *table, const struct option *option, FILE *out);

/**
 * A whole section for `lb help SECTION` and etc/lb.ini: the header, then each key with its help as
 * a comment and its default commented out. It is an INI file that sets nothing.
 */
void option_write_sample(const struct option_table *table, FILE *out);

/* Parsers on their own, for keys with structure such as "backend = NAME ADDRESS weight=10"
 * (option_parse.c). They take the whole text, without blanks around it, or fail and leave *ret. */

/** A whole number and its unit; "0" needs none. Fails: anything else, or over UINT32_MAX. */
bool option_parse_duration(const char *text, uint32_t *ret_ms);
/** A whole number, perhaps with k, m or g in either case. Fails: anything else, or over INT64_MAX.
 */
bool option_parse_size(const char *text, uint64_t *ret_bytes);
/** A whole decimal number, perhaps negative. */
bool option_parse_number(const char *text, int64_t *ret_number);
bool option_parse_switch(const char *text, bool *ret_on);

/** The largest unit that needs no fraction: 90000 gives "90s"; the other way round from parsing. */
void option_write_duration(uint64_t ms, char *into, size_t room);
void option_write_size(uint64_t bytes, char *into, size_t room);

#endif
