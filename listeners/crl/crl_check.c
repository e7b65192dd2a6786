/* SPDX-License-Identifier: Apache-2.0 */
#include "listeners/crl/crl_check.h"

#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "lb/base/arena.h"
#include "lb/base/text_map.h"
#include "listeners/ca/ca_set.h"
#include "listeners/crl/crl.h"
#include "listeners/crl/crl_check_parts.h"
#include "listeners/crl/crl_file.h"
#include "listeners/crl/crl_source.h"
#include "listeners/crl/crls.h"
#include "listeners/identity.h"

bool crl_check_equal(const struct crl_check *one, const struct crl_check *other)
{
    if (one == other || !one || !other)
        return one == other;
    return one->policy == other->policy && one->reach == other->reach &&
           memcmp(one->ca_set->id, other->ca_set->id, CA_SET_ID_BYTES) == 0 &&
           option_lists_equal(one->files, other->files);
}

const struct ca_set *crl_check_ca_set(const struct crl_check *check)
{
    return check->ca_set;
}

enum crl_policy crl_check_policy(const struct crl_check *check)
{
    return check->policy;
}

void crl_check_each(const struct crl_check *check,
                    void (*visit)(void *arg, const struct crl_fact *fact), void *arg)
{
    for (unsigned i = 0; check->sources && i < check->files->count; i++)
        if (check->sources[i])
            crl_source_each(check->sources[i], visit, arg);
}

/* --- editions -------------------------------------------------------------------------------- */

bool crl_check_is_behind(const struct crl_check *check)
{
    for (unsigned i = 0; i < check->files->count; i++) {
        struct crl_file *file = crl_source_file(check->sources[i]);
        bool is_same = file == check->taken[i];
        crl_file_unref(file);
        if (!is_same)
            return true;
    }
    return false;
}

static int compare_keys(const void *one, const void *other)
{
    const struct crl *const *left = one;
    const struct crl *const *right = other;
    return memcmp((*left)->ca_key, (*right)->ca_key, CA_KEY_BYTES);
}

/* Soft ones go by what there is, whatever the time. */
static void bound(struct crl_edition *edition, const struct crl_check *check)
{
    const time_t far = INT64_MAX;
    edition->from = -far;
    edition->until = far;
    for (unsigned i = 0; check->policy == CRL_HARD && i < edition->count; i++) {
        const struct crl *crl = edition->lists[i];
        if (crl->this_update - CRL_CLOCK_SKEW_S > edition->from)
            edition->from = crl->this_update - CRL_CLOCK_SKEW_S;
        if (crl->next_update != 0 && crl->next_update < edition->until)
            edition->until = crl->next_update;
    }
}

static struct crl_edition *edition_new(const struct crl_check *check, uint64_t number)
{
    size_t count = 0;
    for (unsigned i = 0; i < check->files->count; i++)
        count += check->taken[i] ? check->taken[i]->count : 0;
    struct crl_edition *edition = calloc(1, sizeof *edition + count * sizeof(struct crl *));
    if (!edition)
        error_out_of_memory();
    edition->number = number;
    for (unsigned i = 0; i < check->files->count; i++)
        for (unsigned k = 0; check->taken[i] && k < check->taken[i]->count; k++)
            edition->lists[edition->count++] = crl_ref(check->taken[i]->lists[k]);
    qsort(edition->lists, edition->count, sizeof edition->lists[0], compare_keys);
    bound(edition, check);
    return edition;
}

struct crl_edition *crl_check_renew(struct crl_check *check, uint64_t number)
{
    for (unsigned i = 0; i < check->files->count; i++) {
        crl_file_unref(check->taken[i]);
        check->taken[i] = crl_source_file(check->sources[i]);
    }
    return atomic_exchange_explicit(&check->edition, edition_new(check, number),
                                    memory_order_acq_rel);
}

void crl_edition_free(struct crl_edition *edition)
{
    for (unsigned i = 0; edition && i < edition->count; i++)
        crl_unref(edition->lists[i]);
    free(edition);
}

void crl_check_done(struct crl_check *check)
{
    if (check->book)
        crls_drop(check->book, check);
    for (unsigned i = 0; check->sources && i < check->files->count; i++) {
        crl_file_unref(check->taken[i]);
        crl_source_unref(check->sources[i]);
    }
    check->sources = NULL;
    crl_edition_free(atomic_exchange(&check->edition, NULL));
}

/* --- judging --------------------------------------------------------------------------------- */

/* The first list of this CA, or where it would stand. */
static unsigned first_of(const struct crl_edition *edition, const unsigned char *ca_key)
{
    unsigned low = 0;
    unsigned high = edition->count;
    while (low < high) {
        unsigned middle = low + (high - low) / 2;
        if (memcmp(edition->lists[middle]->ca_key, ca_key, CA_KEY_BYTES) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_of(const struct crl_edition *edition, unsigned at, const unsigned char *ca_key)
{
    return at < edition->count && memcmp(edition->lists[at]->ca_key, ca_key, CA_KEY_BYTES) == 0;
}

bool crl_check_has(const struct crl_check *check, const unsigned char ca_key[CA_KEY_BYTES])
{
    const struct crl_edition *edition = atomic_load(&check->edition);
    return edition && is_of(edition, first_of(edition, ca_key), ca_key);
}

/* Whose chains are checked is asked of all of its lists. */
static bool can_ask(const struct crl_check *check, const unsigned char *ca_key)
{
    const struct crl_edition *edition = atomic_load(&check->edition);
    unsigned at = edition ? first_of(edition, ca_key) : 0;
    for (; edition && is_of(edition, at, ca_key); at++)
        if (check->reach == CRL_OF_CHAIN || crl_covers(edition->lists[at], false))
            return true;
    return false;
}

void crl_check_each_missing(const struct crl_check *check,
                            void (*visit)(void *arg, X509 *ca,
                                          const unsigned char key[CA_KEY_BYTES]),
                            void *arg)
{
    STACK_OF(X509) *cas = check->ca_set->certificates;
    int count = sk_X509_num(cas);
    struct arena arena = {0};
    struct text_map visited;
    text_map_init(&visited, (size_t)count + 1, &arena);
    for (int i = 0; i < count; i++) {
        X509 *ca = sk_X509_value(cas, i);
        unsigned char *key = arena_alloc(&arena, CA_KEY_BYTES);
        struct slice text = {(const char *)key, CA_KEY_BYTES};
        if (ca_key_of(ca, key) && !can_ask(check, key) &&
            !text_map_add(&visited, text_hash(text), text, ca))
            visit(arg, ca, key);
    }
    arena_done(&arena);
}

/* A serial as DER has it. false: it is longer than any that a list may have. */
static bool serial_of(const X509 *certificate, unsigned char room[CRL_SERIAL_BYTES + 8],
                      struct crl_serial *ret)
{
    const ASN1_INTEGER *integer = X509_get0_serialNumber(certificate);
    const unsigned char *bytes = ASN1_STRING_get0_data(integer);
    int length = ASN1_STRING_length(integer);
    if (length >= CRL_SERIAL_BYTES)
        return false;
    if (ASN1_STRING_type(integer) & V_ASN1_NEG) {
        unsigned char *at = room;
        int whole = i2d_ASN1_INTEGER(integer, &at);
        *ret = (struct crl_serial){room + 2, whole > 2 ? (size_t)whole - 2 : 0};
        return whole > 2;
    }
    size_t zero = length == 0 || bytes[0] & 0x80; /* else it would read as a negative one */
    room[0] = 0;
    memcpy(room + zero, bytes, (size_t)length);
    *ret = (struct crl_serial){room, (size_t)length + zero};
    return true;
}

/* What the lists of one CA say of one certificate. */
static enum refusal ask(const struct crl_edition *edition, const unsigned char *ca_key,
                        const X509 *certificate, bool is_ca, time_t now)
{
    unsigned char room[CRL_SERIAL_BYTES + 8];
    struct crl_serial serial;
    enum refusal refusal = REFUSAL_CRL_MISSING;
    bool can_be_listed = serial_of(certificate, room, &serial);
    for (unsigned at = first_of(edition, ca_key); is_of(edition, at, ca_key); at++) {
        const struct crl *crl = edition->lists[at];
        if (!crl_covers(crl, is_ca))
            continue;
        if (can_be_listed && crl_serials_have(&crl->serials, serial))
            return REFUSAL_CRL_REVOKED;
        if (crl_is_current(crl, now))
            refusal = REFUSAL_NONE;
        else if (refusal == REFUSAL_CRL_MISSING)
            refusal = REFUSAL_CRL_EXPIRED;
    }
    return refusal;
}

static bool is_ca(const X509 *certificate)
{
    return X509_get_extension_flags((X509 *)certificate) & EXFLAG_CA;
}

/* That one of them is revoked counts more than that the list of another is out of date. */
static enum refusal look_up(const struct crl_check *check, const struct crl_edition *edition,
                            const struct identity *identity, const struct ca_set_result *result,
                            time_t now)
{
    enum refusal all = REFUSAL_NONE;
    const X509 *certificate = identity->leaf;
    unsigned steps = check->reach == CRL_OF_LEAF && result->ca_count > 0 ? 1 : result->ca_count;
    for (unsigned i = 0; i < steps; i++) {
        enum refusal one =
            ask(edition, result->ca_keys[i], certificate, i > 0 || is_ca(certificate), now);
        if (one == REFUSAL_CRL_REVOKED)
            return one;
        if (all == REFUSAL_NONE && check->policy == CRL_HARD)
            all = one;
        certificate = result->cas[i];
    }
    return all;
}

enum refusal crl_judge(const struct crl_check *check, struct identity *identity,
                       const struct ca_set_result *result, time_t now)
{
    const struct crl_edition *edition = atomic_load_explicit(&check->edition, memory_order_acquire);
    bool is_in_time = now >= edition->from && now < edition->until && edition->number != 0;
    if (is_in_time &&
        atomic_load_explicit(&identity->crl_passed, memory_order_relaxed) == edition->number)
        return REFUSAL_NONE;
    enum refusal refusal = look_up(check, edition, identity, result, now);
    if (is_in_time && refusal == REFUSAL_NONE)
        atomic_store_explicit(&identity->crl_passed, edition->number, memory_order_relaxed);
    return refusal;
}
