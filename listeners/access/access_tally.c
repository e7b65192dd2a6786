/* SPDX-License-Identifier: Apache-2.0 */
#include "listeners/access/access_tally.h"

#include <stdlib.h>
#include <string.h>

#include "lb/base/limits.h"
#include "lb/base/text_map.h"

enum { BUCKETS = 1024 };

struct access_tallies {
    struct access_tally *first;
    struct access_tally **end; /* where the next one goes; the shared one stays behind it */
    unsigned count;
    struct access_tally shared;
    struct access_tally *buckets[BUCKETS];
};

const char *access_action_name(enum access_action action)
{
    switch (action) {
    case ACCESS_BLOCK:
        return "block";
    case ACCESS_LOG:
        return "log";
    case ACCESS_REDIRECT:
        break;
    }
    return "redirect";
}

struct access_tallies *access_tallies_new(void)
{
    struct access_tallies *tallies = calloc(1, sizeof *tallies);
    if (!tallies)
        return NULL;
    tallies->end = &tallies->first;
    tallies->shared.name = strdup("");
    if (tallies->shared.name)
        return tallies;
    free(tallies);
    return NULL;
}

void access_tallies_free(struct access_tallies *tallies)
{
    if (!tallies)
        return;
    for (struct access_tally *tally = tallies->first, *next; tally && tally != &tallies->shared;
         tally = next) {
        next = tally->next;
        free(tally->name);
        free(tally);
    }
    free(tallies->shared.name);
    free(tallies);
}

static struct access_tally *tally_new(struct access_tallies *tallies, const char *name)
{
    struct access_tally *tally =
        tallies->count < ACCESS_TALLIES_MOST ? calloc(1, sizeof *tally) : NULL;
    if (tally)
        tally->name = strdup(name);
    if (tally && tally->name)
        return tally;
    free(tally);
    return NULL;
}

struct access_tally *access_tallies_of(struct access_tallies *tallies, const char *name)
{
    if (!tallies)
        return NULL;
    struct access_tally **bucket = &tallies->buckets[text_hash(slice_of(name)) % BUCKETS];
    for (struct access_tally *tally = *bucket; tally; tally = tally->in_bucket)
        if (strcmp(tally->name, name) == 0)
            return tally;
    struct access_tally *tally = tally_new(tallies, name);
    if (!tally) {
        *tallies->end = &tallies->shared;
        return &tallies->shared;
    }
    tallies->count++;
    tally->in_bucket = *bucket;
    *bucket = tally;
    tally->next = *tallies->end;
    *tallies->end = tally;
    tallies->end = &tally->next;
    return tally;
}

const struct access_tally *access_tallies_first(const struct access_tallies *tallies)
{
    return tallies->first;
}
