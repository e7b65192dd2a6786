/* SPDX-License-Identifier: Apache-2.0 */
#include "listeners/tally.h"

#include <stdlib.h>
#include <string.h>

#include "lb/base/limits.h"
#include "listeners/traffic.h"

struct tallies {
    struct tally *first;
    struct tally **end; /* where the next one goes; the shared one stays behind it */
    unsigned count;
    struct tally shared;
};

const char *tally_place_name(enum tally_place place)
{
    static const char *const names[TALLY_PLACE_COUNT] = {
        [TALLY_HANDSHAKE] = "handshake",
        [TALLY_REQUEST] = "request",
        [TALLY_CLOSED] = "closed",
    };
    return names[place];
}

/* Before any request nobody has a Host, a path, or time to sign up. */
static bool can_be_at_handshake(enum refusal refusal)
{
    return refusal != REFUSAL_SIGNUP_LIMIT && refusal != REFUSAL_BLOCKED &&
           refusal != REFUSAL_HOST_MISMATCH;
}

/* Who has a request has got past what the connection itself is refused for. */
static bool can_be_of_request(enum refusal refusal)
{
    return refusal != REFUSAL_UNKNOWN_NAME && refusal != REFUSAL_PROXY_HEADER_MISSING &&
           refusal != REFUSAL_PROXY_HEADER_BAD && refusal != REFUSAL_PROXY_HEADER_LATE &&
           refusal != REFUSAL_MAX_CLIENTS;
}

/* Who was let in is closed when his certificate ends, or for what objection.h has. */
static bool can_be_closed(enum refusal refusal)
{
    return refusal == REFUSAL_EXPIRED || refusal == REFUSAL_CRL_REVOKED ||
           refusal == REFUSAL_NOT_REGISTERED || refusal == REFUSAL_NOT_ACTIVATED ||
           refusal == REFUSAL_REVOKED || refusal == REFUSAL_CA_DISABLED;
}

bool tally_can_have(enum tally_place place, enum refusal refusal)
{
    switch (place) {
    case TALLY_HANDSHAKE:
        return can_be_at_handshake(refusal);
    case TALLY_REQUEST:
        return can_be_of_request(refusal);
    case TALLY_CLOSED:
        return can_be_closed(refusal);
    case TALLY_PLACE_COUNT:
        break;
    }
    return false;
}

const char *tally_fault_name(enum tally_fault fault)
{
    static const char *const names[TALLY_FAULT_COUNT] = {
        [TALLY_NO_RULE] = "no-rule",
        [TALLY_AMBIGUOUS_PATH] = "ambiguous-path",
        [TALLY_REGEX_LIMIT] = "regex-limit",
        [TALLY_NO_HOST] = "no-host",
        [TALLY_BAD_CLIENT_ID] = "bad-client-id",
        [TALLY_NOT_REGISTRABLE] = "not-registrable",
        [TALLY_BAD_REQUEST] = "bad-request",
    };
    return names[fault];
}

struct tallies *tallies_new(void)
{
    struct tallies *tallies = calloc(1, sizeof *tallies);
    if (!tallies)
        return NULL;
    tallies->end = &tallies->first;
    tallies->shared.listener = strdup("");
    if (tallies->shared.listener)
        return tallies;
    free(tallies);
    return NULL;
}

static struct tally *tally_new(const char *listener)
{
    struct tally *tally = calloc(1, sizeof *tally);
    if (tally)
        tally->listener = strdup(listener);
    if (tally && tally->listener)
        return tally;
    free(tally);
    return NULL;
}

void tallies_free(struct tallies *tallies)
{
    if (!tallies)
        return;
    for (struct tally *tally = tallies->first, *next; tally && tally != &tallies->shared;
         tally = next) {
        next = tally->next;
        traffic_free_all(tally);
        free(tally->listener);
        free(tally);
    }
    traffic_free_all(&tallies->shared);
    free(tallies->shared.listener);
    free(tallies);
}

struct tally *tallies_of(struct tallies *tallies, const char *listener)
{
    if (!tallies)
        return NULL;
    for (struct tally *tally = tallies->first; tally; tally = tally->next)
        if (strcmp(tally->listener, listener) == 0)
            return tally;
    struct tally *tally = tallies->count < TALLIES_MOST ? tally_new(listener) : NULL;
    if (!tally) {
        *tallies->end = &tallies->shared;
        return &tallies->shared;
    }
    tallies->count++;
    tally->next = *tallies->end;
    *tallies->end = tally;
    tallies->end = &tally->next;
    return tally;
}

const struct tally *tallies_first(const struct tallies *tallies)
{
    return tallies->first;
}
