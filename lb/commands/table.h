/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Aligned columns for people. Rows are kept until the table is written, so that each column is as
 * wide as its widest cell.
 *
 *   static const struct table_column columns[] = {{"NAME"}, {"ACTIVE", .is_number = true}, {NULL}};
 *   struct table table = table_of(columns);
 *   table_text(&table, TINT_NONE, "rs-1");
 *   table_number(&table, 12);
 *   table_write(&table, out, true);
 */
#ifndef LB_COMMANDS_TABLE_H
#define LB_COMMANDS_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum tint { TINT_NONE, TINT_BAD, TINT_ODD, TINT_FAINT };

struct table_column {
    const char *title; /* NULL: the end */
    bool is_number;    /* stands at the right */
};

struct table_cell {
    char *text; /* owned */
    enum tint tint;
};

struct table {
    const struct table_column *columns;
    unsigned column_count;
    struct table_cell *cells; /* row by row */
    size_t count;
    size_t room;
};

/** columns: borrowed until table_write. */
struct table table_of(const struct table_column *columns);

/** The next cell; rows follow one another. NULL is shown as "-". Control characters are shown as
 * "?". Out of memory ends the process. */
void table_text(struct table *table, enum tint tint, const char *text);
/** With its thousands apart: 1,234,567. */
void table_number(struct table *table, long long number);

/** Write titles and rows, each indented by two blanks, and free the rows. */
void table_write(struct table *table, FILE *out, bool with_colour);

/** Is stdout a terminal that shows colour, to someone who wants it (NO_COLOR is not set)? */
bool tint_is_wanted(void);

/** Begin and end a tint on a terminal; nothing without colour. */
void tint_begin(FILE *out, enum tint tint, bool with_colour);
void tint_end(FILE *out, enum tint tint, bool with_colour);

enum { NUMBER_BYTES = 32 };
/** "1,234,567" */
const char *number_text(long long number, char into[NUMBER_BYTES]);

#endif
