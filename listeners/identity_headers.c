/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each identity has a table of texts, made when the first of its requests needs one:
 *
 *   slots[preset][CA set]   one text per preset; one per CA set where the preset tells the chain,
 *                           which is another one for another set
 *
 * Whoever comes first renders; who loses that race frees its own.
 */
#include "listeners/identity_headers.h"

#include <openssl/err.h>
#include <stdlib.h>

#include "lb/base/draft.h"
#include "listeners/identity.h"
#include "listeners/identity_headers/field_pen.h"
#include "listeners/rules/policy.h"

struct rendering {
    size_t length;
    char text[];
};

struct identity_header_values {
    unsigned set_count;
    unsigned slot_count;
    _Atomic(struct rendering *) slots[];
};

/* --- the texts of an identity -------------------------------------------------------------- */

static unsigned preset_count(void)
{
    unsigned count = 0;
    while (identity_presets[count])
        count++;
    return count;
}

static struct identity_header_values *values_new(const struct identity *identity)
{
    unsigned set_count = identity->result_count ? identity->result_count : 1;
    unsigned slot_count = set_count * preset_count();
    struct identity_header_values *values =
        calloc(1, sizeof *values + slot_count * sizeof values->slots[0]);
    if (!values)
        return NULL;
    values->set_count = set_count;
    values->slot_count = slot_count;
    return values;
}

void identity_header_values_free(struct identity_header_values *values)
{
    for (unsigned i = 0; values && i < values->slot_count; i++)
        free(atomic_load_explicit(&values->slots[i], memory_order_acquire));
    free(values);
}

static struct identity_header_values *values_of(struct identity *identity)
{
    struct identity_header_values *known =
        atomic_load_explicit(&identity->header_values, memory_order_acquire);
    if (known)
        return known;
    struct identity_header_values *mine = values_new(identity);
    if (!mine || atomic_compare_exchange_strong(&identity->header_values, &known, mine))
        return mine;
    identity_header_values_free(mine);
    return known;
}

static struct rendering *render(const struct identity_preset *preset,
                                const struct identity_portrait *portrait)
{
    struct field_pen pen = {0};
    struct rendering *rendering = NULL;
    ERR_set_mark();
    if (preset->verify_field)
        field_pen_field(&pen, preset->verify_field, "SUCCESS", IDENTITY_NAME_BYTES);
    preset->render(&pen, portrait);
    ERR_pop_to_mark();
    if (!pen.is_broken)
        rendering = malloc(sizeof *rendering + pen.used);
    if (rendering) {
        rendering->length = pen.used;
        memcpy(rendering->text, pen.text, pen.used);
    }
    free(pen.text);
    return rendering;
}

/* An anchor counts as its own CA there, and is none of a portrait's. */
static struct identity_portrait portrait_of(const struct identity *identity,
                                            const struct ca_set_result *result)
{
    bool is_anchor = result->ca_count == 1 && X509_cmp(result->cas[0], identity->leaf) == 0;
    return (struct identity_portrait){
        .identity = identity, .cas = result->cas, .ca_count = is_anchor ? 0 : result->ca_count};
}

/* NULL: out of memory. */
static const struct rendering *rendering_of(struct identity *identity, unsigned preset_index,
                                            const struct ca_set_result *result)
{
    const struct identity_preset *preset = identity_presets[preset_index];
    struct identity_header_values *values = values_of(identity);
    if (!values)
        return NULL;
    unsigned set = preset->reads_chain ? (unsigned)(result - identity->results) : 0;
    _Atomic(struct rendering *) *slot = &values->slots[preset_index * values->set_count + set];
    struct rendering *known = atomic_load_explicit(slot, memory_order_acquire);
    if (known)
        return known;
    const struct identity_portrait portrait = portrait_of(identity, result);
    struct rendering *mine = render(preset, &portrait);
    if (!mine || atomic_compare_exchange_strong(slot, &known, mine))
        return mine;
    free(mine);
    return known;
}

/* --- one request --------------------------------------------------------------------------- */

static void find_texts(struct identity_headers *headers, struct identity *identity,
                       const struct ca_set_result *result)
{
    for (unsigned i = 0; identity_presets[i]; i++) {
        if (!(headers->presets & 1U << i))
            continue;
        const struct rendering *rendering = rendering_of(identity, i, result);
        if (!rendering) {
            headers->is_lost = true;
            return;
        }
        headers->texts[headers->text_count++] = (struct slice){rendering->text, rendering->length};
        headers->bytes += rendering->length;
    }
}

/* Of whom is not verified: NONE or FAILED:reason, in every Verify field. */
static void put_verify(const struct identity_headers *headers, struct draft *draft)
{
    bool is_missing = headers->verdict == REFUSAL_MISSING;
    for (unsigned i = 0; identity_presets[i]; i++) {
        const char *field = identity_presets[i]->verify_field;
        if (!field || !(headers->presets & 1U << i))
            continue;
        draft_text(draft, field);
        draft_text(draft, is_missing ? ": NONE" : ": FAILED:");
        draft_text(draft, is_missing ? "" : refusal_name(headers->verdict));
        draft_text(draft, "\r\n");
    }
}

/* What put_verify() needs at most. */
static size_t verify_bytes(const struct identity_headers *headers)
{
    size_t bytes = 0;
    for (unsigned i = 0; identity_presets[i]; i++)
        if (identity_presets[i]->verify_field && headers->presets & 1U << i)
            bytes += strlen(identity_presets[i]->verify_field) + sizeof ": FAILED:\r\n" +
                     strlen(refusal_name(headers->verdict));
    return bytes;
}

struct identity_headers identity_headers_find(unsigned presets, const struct client_auth *rule,
                                              struct identity *identity, time_t now)
{
    struct identity_headers headers = {.presets = presets, .verdict = REFUSAL_MISSING};
    if (presets == 0)
        return headers;
    headers.verdict = policy_verdict(rule, identity, now);
    if (headers.verdict == REFUSAL_NONE)
        find_texts(&headers, identity, identity_result(identity, rule->ca_set));
    else
        headers.bytes = verify_bytes(&headers);
    return headers;
}

size_t identity_headers_put(const struct identity_headers *headers, char *into)
{
    struct draft draft = draft_in(into, headers->is_lost ? 0 : headers->bytes);
    if (headers->verdict != REFUSAL_NONE)
        put_verify(headers, &draft);
    for (unsigned i = 0; i < headers->text_count; i++)
        draft_put(&draft, headers->texts[i]);
    return draft.used;
}

size_t identity_headers_write(const struct rule *rule, struct identity *identity, time_t now,
                              char *into, size_t room)
{
    const struct identity_headers headers =
        identity_headers_find(rule->client_headers.to_backend, &rule->auth, identity, now);
    return headers.bytes <= room && !headers.is_lost ? identity_headers_put(&headers, into) : 0;
}
