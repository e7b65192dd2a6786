/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/pattern.h"

#include <stdlib.h>

enum { LETTERS = 26 };

bool pattern_init(struct pattern *pattern)
{
    size_t bytes = PATTERN_PART_BYTES + LETTERS;
    pattern->bytes = malloc(bytes);
    for (size_t i = 0; pattern->bytes != NULL && i < bytes; i++)
        pattern->bytes[i] = (char)('a' + i % LETTERS);
    return pattern->bytes != NULL;
}

void pattern_done(struct pattern *pattern)
{
    free(pattern->bytes);
    pattern->bytes = NULL;
}

const char *pattern_at(const struct pattern *pattern, uint64_t offset)
{
    return pattern->bytes + offset % LETTERS;
}

size_t pattern_part(uint64_t left_bytes)
{
    return left_bytes < PATTERN_PART_BYTES ? (size_t)left_bytes : PATTERN_PART_BYTES;
}
