/* SPDX-License-Identifier: Apache-2.0 */
/* Open addressing in a table that is at most half full. Ids are hashes already. */
#include "backends/persistence/backend_ids.h"

#include <assert.h>
#include <stdlib.h>

struct backend_ids {
    unsigned count;
    unsigned mask;  /* places are a power of two */
    unsigned *slot; /* index + 1 of a backend; 0: empty */
    uint64_t id[];  /* by index */
};

struct backend_ids *backend_ids_new(unsigned count)
{
    struct backend_ids *ids = calloc(1, sizeof *ids + count * sizeof ids->id[0]);
    if (!ids)
        return NULL;
    unsigned places = 2;
    while (places < 2 * count)
        places *= 2;
    ids->count = count;
    ids->mask = places - 1;
    ids->slot = calloc(places, sizeof *ids->slot);
    if (ids->slot)
        return ids;
    backend_ids_free(ids);
    return NULL;
}

void backend_ids_free(struct backend_ids *ids)
{
    if (!ids)
        return;
    free(ids->slot);
    free(ids);
}

/* Where this id is, or the empty place where it would be. */
static unsigned place_of(const struct backend_ids *ids, uint64_t id)
{
    unsigned place = (unsigned)id & ids->mask;
    while (ids->slot[place] != 0 && ids->id[ids->slot[place] - 1] != id)
        place = (place + 1) & ids->mask;
    return place;
}

void backend_ids_set(struct backend_ids *ids, unsigned index, uint64_t id)
{
    assert(index < ids->count);
    unsigned place = place_of(ids, id);
    ids->id[index] = id;
    if (ids->slot[place] == 0)
        ids->slot[place] = index + 1;
}

uint64_t backend_ids_get(const struct backend_ids *ids, unsigned index)
{
    assert(index < ids->count);
    return ids->id[index];
}

int backend_ids_find(const struct backend_ids *ids, uint64_t id)
{
    return (int)ids->slot[place_of(ids, id)] - 1;
}
