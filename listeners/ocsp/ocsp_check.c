/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A word of an identity is what a responder said last of it, in 64 bits, so that it is read and
 * written as a whole:
 *
 *   generation:16  number of the responder:12  word:2  until:34
 */
#include "listeners/ocsp/ocsp_check.h"

#include <openssl/evp.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

#include "listeners/identity.h"

enum { UNTIL_BITS = 34, WORD_BITS = 2, NUMBER_BITS = 12 };

_Static_assert(OCSP_NUMBERS_MOST < 1 << NUMBER_BITS, "a number fits");
_Static_assert(OCSP_WORD_NONE < 1 << WORD_BITS, "a word fits");

bool ocsp_check_init(struct ocsp_check *check, bool is_hard, const char *responder,
                     struct error *err)
{
    unsigned char hash[EVP_MAX_MD_SIZE] = {0};
    *check = (struct ocsp_check){.is_hard = is_hard, .responder = responder};
    if (!responder)
        return true;
    check->has_responder = ocsp_url_read(&check->url, responder, err);
    if (EVP_Digest(responder, strlen(responder), hash, NULL, EVP_sha256(), NULL) != 1)
        return false;
    memcpy(check->asks, hash, sizeof check->asks);
    return check->has_responder;
}

void ocsp_check_open(struct ocsp_check *check, struct ocsp *ocsp)
{
    check->ocsp = ocsp;
    check->number = ocsp ? ocsp_number(ocsp, check->asks) : 0;
}

bool ocsp_check_equal(const struct ocsp_check *one, const struct ocsp_check *other)
{
    if (!one || !other)
        return one == other;
    return one->is_hard == other->is_hard && memcmp(one->asks, other->asks, sizeof one->asks) == 0;
}

void ocsp_check_key(const struct ocsp_check *check, const struct identity *identity,
                    unsigned char ret_key[OCSP_KEY_BYTES])
{
    memcpy(ret_key, identity->key, CERTIFICATE_KEY_BYTES);
    memcpy(ret_key + CERTIFICATE_KEY_BYTES, check->asks, OCSP_ASKS_BYTES);
}

/* --- what is seen without a lock ---------------------------------------------------------------
 */

static uint64_t head_of(const struct ocsp_check *check, unsigned generation)
{
    return (uint64_t)(generation & 0xffff) << NUMBER_BITS | check->number;
}

static bool is_seen(const struct ocsp_check *check, const struct identity *identity,
                    struct ocsp_note *ret_note)
{
    uint64_t head = head_of(check, ocsp_generation(check->ocsp));
    for (unsigned i = 0; i < IDENTITY_OCSP_SEEN; i++) {
        uint64_t seen = atomic_load_explicit(&identity->ocsp_seen[i], memory_order_relaxed);
        unsigned word = seen >> UNTIL_BITS & ((1 << WORD_BITS) - 1);
        if (word == 0 || seen >> (UNTIL_BITS + WORD_BITS) != head)
            continue;
        *ret_note = (struct ocsp_note){
            .word = (enum ocsp_word)word,
            .until = (time_t)(seen & ((UINT64_C(1) << UNTIL_BITS) - 1)),
        };
        return true;
    }
    return false;
}

static void see(const struct ocsp_check *check, struct identity *identity, unsigned generation,
                const struct ocsp_note *note)
{
    uint64_t until = (uint64_t)note->until & ((UINT64_C(1) << UNTIL_BITS) - 1);
    uint64_t seen = head_of(check, generation) << (UNTIL_BITS + WORD_BITS) |
                    (uint64_t)note->word << UNTIL_BITS | until;
    atomic_store_explicit(&identity->ocsp_seen[check->number % IDENTITY_OCSP_SEEN], seen,
                          memory_order_relaxed);
}

/* What counts at this time. now 0: whatever was heard last. */
static bool recall(const struct ocsp_check *check, struct identity *identity, time_t now,
                   struct ocsp_note *ret_note)
{
    unsigned char key[OCSP_KEY_BYTES];
    if (!check->ocsp || !identity->has_key)
        return false;
    if (check->number != 0 && is_seen(check, identity, ret_note) && now < ret_note->until)
        return true;
    unsigned generation = ocsp_generation(check->ocsp);
    ocsp_check_key(check, identity, key);
    if (!ocsp_recall(check->ocsp, key, ret_note) || now >= ret_note->until)
        return false;
    if (check->number != 0)
        see(check, identity, generation, ret_note);
    return true;
}

/* --- what follows ------------------------------------------------------------------------------
 */

static enum refusal refusal_of(const struct ocsp_check *check, enum ocsp_word word)
{
    switch (word) {
    case OCSP_WORD_GOOD:
        return REFUSAL_NONE;
    case OCSP_WORD_REVOKED:
        return REFUSAL_OCSP_REVOKED;
    case OCSP_WORD_NONE:
        break;
    }
    return ocsp_unanswered(check);
}

enum refusal ocsp_unanswered(const struct ocsp_check *check)
{
    return check->is_hard ? REFUSAL_OCSP_UNAVAILABLE : REFUSAL_NONE;
}

enum refusal ocsp_judge(const struct ocsp_check *check, struct identity *identity,
                        const struct ca_set_result *result, time_t now, bool *ret_must_ask)
{
    struct ocsp_note note;
    (void)result;
    if (recall(check, identity, now, &note))
        return refusal_of(check, note.word);
    *ret_must_ask = true;
    return REFUSAL_NONE;
}

enum refusal ocsp_last(const struct ocsp_check *check, struct identity *identity)
{
    struct ocsp_note note;
    return recall(check, identity, 0, &note) ? refusal_of(check, note.word)
                                             : ocsp_unanswered(check);
}
