/* SPDX-License-Identifier: Apache-2.0 */
/* Where the problems of one [pool] section are reported. For the files that build a pool. */
#ifndef LB_BACKENDS_POOL_PLACE_H
#define LB_BACKENDS_POOL_PLACE_H

struct problems;

struct pool_place {
    const char *file;
    unsigned line; /* of the section */
    struct problems *problems;
};

/** The line of a key; of the section where the key was left out. */
static inline unsigned pool_place_line(const struct pool_place *place, unsigned key_line)
{
    return key_line ? key_line : place->line;
}

#endif
