/* SPDX-License-Identifier: Apache-2.0 */
/* The distance is Damerau's and Levenshtein's, with three rows of its table. */
#include "lb/base/nearest.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

enum {
    WORD_BYTES_MOST = 63, /* bounds the rows; no name of lb's is as long */
    ABBREVIATION_LEAST = 3,
};

static unsigned smaller(unsigned one, unsigned other)
{
    return one < other ? one : other;
}

static bool is_dash(char letter)
{
    return letter == '-' || letter == '_';
}

static bool is_same_letter(char one, char other)
{
    if (is_dash(one))
        return is_dash(other);
    return tolower((unsigned char)one) == tolower((unsigned char)other);
}

/* Letters inserted, left out, changed or swapped with their neighbour; case does not count.
 * Both are at most WORD_BYTES_MOST long. */
static unsigned distance(const char *one, const char *other)
{
    size_t width = strlen(other);
    unsigned rows[3][WORD_BYTES_MOST + 1]; /* the row before the last one is needed for swaps */
    unsigned *before = rows[0], *last = rows[1], *row = rows[2];
    for (unsigned j = 0; j <= width; j++)
        row[j] = j;
    for (unsigned i = 1; one[i - 1]; i++) {
        unsigned *free_row = before;
        before = last;
        last = row;
        row = free_row;
        row[0] = i;
        for (size_t j = 1; j <= width; j++) {
            unsigned change = is_same_letter(one[i - 1], other[j - 1]) ? 0 : 1;
            row[j] = smaller(smaller(last[j], row[j - 1]) + 1, last[j - 1] + change);
            if (i > 1 && j > 1 && is_same_letter(one[i - 1], other[j - 2]) &&
                is_same_letter(one[i - 2], other[j - 1]))
                row[j] = smaller(row[j], before[j - 2] + 1);
        }
    }
    return row[width];
}

/* least_conn, leastconn for least-connections. Dashes may be left out. */
static bool abbreviates(const char *word, const char *known)
{
    unsigned letters = 0;
    for (; *word; word++) {
        if (is_dash(*word))
            continue;
        while (is_dash(*known))
            known++;
        if (!is_same_letter(*word, *known))
            return false;
        known++;
        letters++;
    }
    return letters >= ABBREVIATION_LEAST;
}

struct nearest nearest_to(const char *word)
{
    return (struct nearest){word, NULL, WORD_BYTES_MOST};
}

void nearest_offer(struct nearest *nearest, const char *known)
{
    size_t length = strlen(known);
    if (length > WORD_BYTES_MOST || strlen(nearest->word) > WORD_BYTES_MOST)
        return;
    unsigned wrong = distance(nearest->word, known);
    if (abbreviates(nearest->word, known))
        wrong = smaller(wrong, (unsigned)length / 3);
    if (wrong < nearest->least && 3 * wrong <= length) {
        nearest->least = wrong;
        nearest->best = known;
    }
}
