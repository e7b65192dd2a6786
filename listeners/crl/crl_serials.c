/* SPDX-License-Identifier: Apache-2.0 */
#include "listeners/crl/crl_serials.h"

#include <stdlib.h>
#include <string.h>

enum { SERIALS_PER_BUCKET = 4 };

/* Serials are random or they count up: both have to spread. */
static uint32_t bucket_of(const struct crl_serials *serials, struct crl_serial serial)
{
    uint64_t hash = serial.length;
    for (size_t i = 0; i < serial.length; i++)
        hash = (hash ^ serial.bytes[i]) * UINT64_C(0x9e3779b97f4a7c15);
    return (uint32_t)(hash ^ (hash >> 32)) & serials->bucket_mask;
}

bool crl_serials_init(struct crl_serials *serials, size_t count)
{
    uint32_t buckets = 1;
    *serials = (struct crl_serials){.count = count};
    while (buckets < count / SERIALS_PER_BUCKET && buckets < UINT32_MAX / 4)
        buckets *= 2;
    serials->bucket_mask = buckets - 1;
    serials->starts = calloc((size_t)buckets + 1, sizeof *serials->starts);
    return serials->starts;
}

/* While it is filled, starts[b] is first the size of bucket b, then where its next serial goes. */
void crl_serials_announce(struct crl_serials *serials, struct crl_serial serial)
{
    serials->starts[bucket_of(serials, serial)] += (uint32_t)serial.length + 1;
    serials->byte_count += serial.length + 1;
}

bool crl_serials_allot(struct crl_serials *serials)
{
    uint32_t at = 0;
    if (serials->byte_count > UINT32_MAX)
        return false;
    for (uint32_t i = 0; i <= serials->bucket_mask; i++) {
        uint32_t bytes = serials->starts[i];
        serials->starts[i] = at;
        at += bytes;
    }
    serials->bytes = malloc(serials->byte_count + 1);
    return serials->bytes;
}

void crl_serials_put(struct crl_serials *serials, struct crl_serial serial)
{
    uint32_t *next = &serials->starts[bucket_of(serials, serial)];
    serials->bytes[*next] = (unsigned char)serial.length;
    memcpy(serials->bytes + *next + 1, serial.bytes, serial.length);
    *next += (uint32_t)serial.length + 1;
}

/* Each bucket's mark stands at its end now, which is where the next one begins. */
void crl_serials_close(struct crl_serials *serials)
{
    memmove(serials->starts + 1, serials->starts,
            ((size_t)serials->bucket_mask + 1) * sizeof *serials->starts);
    serials->starts[0] = 0;
}

bool crl_serials_have(const struct crl_serials *serials, struct crl_serial serial)
{
    if (serials->count == 0)
        return false;
    uint32_t bucket = bucket_of(serials, serial);
    const unsigned char *at = serials->bytes + serials->starts[bucket];
    const unsigned char *end = serials->bytes + serials->starts[bucket + 1];
    for (; at < end; at += 1 + *at)
        if (*at == serial.length && memcmp(at + 1, serial.bytes, serial.length) == 0)
            return true;
    return false;
}

size_t crl_serials_bytes(const struct crl_serials *serials)
{
    return serials->byte_count + ((size_t)serials->bucket_mask + 2) * sizeof *serials->starts;
}

void crl_serials_done(struct crl_serials *serials)
{
    free(serials->starts);
    free(serials->bytes);
    *serials = (struct crl_serials){0};
}
