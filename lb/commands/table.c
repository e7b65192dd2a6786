/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/commands/table.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lb/base/error.h"
#include "lb/base/utf8.h"

enum { COLUMNS_MOST = 16 };

struct table table_of(const struct table_column *columns)
{
    struct table table = {.columns = columns};
    while (columns[table.column_count].title && table.column_count < COLUMNS_MOST)
        table.column_count++;
    return table;
}

static char *printable(const char *text)
{
    char *copy = strdup(text);
    if (!copy)
        error_out_of_memory();
    utf8_cover_hidden(copy);
    return copy;
}

void table_text(struct table *table, enum tint tint, const char *text)
{
    if (table->count == table->room) {
        size_t room = table->room ? 2 * table->room : 64;
        struct table_cell *cells = realloc(table->cells, room * sizeof *cells);
        if (!cells)
            error_out_of_memory();
        table->cells = cells;
        table->room = room;
    }
    table->cells[table->count++] = (struct table_cell){printable(text ? text : "-"), tint};
}

const char *number_text(long long number, char into[NUMBER_BYTES])
{
    char digits[NUMBER_BYTES];
    size_t length = (size_t)snprintf(digits, sizeof digits, "%lld", number);
    size_t used = 0;
    for (size_t i = 0; i < length && used < NUMBER_BYTES - 2; i++) {
        into[used++] = digits[i];
        size_t left = length - 1 - i;
        if (left > 0 && left % 3 == 0 && digits[i] != '-')
            into[used++] = ',';
    }
    into[used] = '\0';
    return into;
}

void table_number(struct table *table, long long number)
{
    char text[NUMBER_BYTES];
    table_text(table, TINT_NONE, number_text(number, text));
}

/* https://no-color.org: any value that is not empty. */
bool tint_is_wanted(void)
{
    const char *no_color = getenv("NO_COLOR");
    const char *term = getenv("TERM");
    return isatty(STDOUT_FILENO) && (!no_color || !*no_color) && term && strcmp(term, "dumb") != 0;
}

void tint_begin(FILE *out, enum tint tint, bool with_colour)
{
    static const char *const begins[] = {"", "\033[1;31m", "\033[33m", "\033[2m"};
    if (with_colour)
        fputs(begins[tint], out);
}

void tint_end(FILE *out, enum tint tint, bool with_colour)
{
    if (with_colour && tint != TINT_NONE)
        fputs("\033[0m", out);
}

/* Columns it takes: its characters, not its bytes. */
static size_t width_of(const char *text)
{
    size_t width = 0;
    for (; *text; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

static void pad(FILE *out, size_t count)
{
    fprintf(out, "%*s", (int)count, "");
}

static void write_cell(const struct table *table, FILE *out, unsigned column, const char *text,
                       enum tint tint, const size_t *widths, bool with_colour)
{
    size_t missing = widths[column] - width_of(text);
    bool is_number = table->columns[column].is_number;
    pad(out, 2);
    if (is_number)
        pad(out, missing);
    tint_begin(out, tint, with_colour);
    fputs(text, out);
    tint_end(out, tint, with_colour);
    if (!is_number && column + 1 < table->column_count)
        pad(out, missing);
}

void table_write(struct table *table, FILE *out, bool with_colour)
{
    size_t widths[COLUMNS_MOST];
    for (unsigned i = 0; i < table->column_count; i++)
        widths[i] = width_of(table->columns[i].title);
    for (size_t i = 0; i < table->count; i++) {
        size_t width = width_of(table->cells[i].text);
        size_t *widest = &widths[i % table->column_count];
        *widest = width > *widest ? width : *widest;
    }
    for (unsigned i = 0; i < table->column_count; i++)
        write_cell(table, out, i, table->columns[i].title, TINT_FAINT, widths, with_colour);
    fputc('\n', out);
    for (size_t i = 0; i < table->count; i++) {
        unsigned column = (unsigned)(i % table->column_count);
        write_cell(table, out, column, table->cells[i].text, table->cells[i].tint, widths,
                   with_colour);
        if (column + 1 == table->column_count)
            fputc('\n', out);
        free(table->cells[i].text);
    }
    free(table->cells);
    *table = table_of(table->columns);
}
