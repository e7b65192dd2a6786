/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which known word did somebody mean? Words are offered one by one; the best is the one with the
 * fewest letters inserted, left out, changed or swapped with their neighbour, at most a third of
 * them, unless the word is the known one's beginning. Dashes and underscores are the same.
 *
 *   struct nearest nearest = nearest_to("conect_timeout");
 *   for each known word: nearest_offer(&nearest, word);
 *   nearest.best …
 */
#ifndef LB_BASE_NEAREST_H
#define LB_BASE_NEAREST_H

struct nearest {
    const char *word; /* what was written; borrowed */
    const char *best; /* the nearest of those offered, or NULL; borrowed */
    unsigned least;   /* letters that `best` differs in */
};

/** Nothing offered yet. Words of more than 63 letters have no neighbours. Any thread, does not
 * allocate. */
struct nearest nearest_to(const char *word);

/** Offer one known word; case does not count, of equals the first stays. */
void nearest_offer(struct nearest *nearest, const char *known);

#endif
