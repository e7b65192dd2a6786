/* SPDX-License-Identifier: Apache-2.0 */
/* CAs come in: uploaded ones, renewed ones, and lb's own. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "listeners/registry/ca_describe.h"
#include "listeners/registry/ca_snapshot.h"
#include "listeners/registry/change.h"

static enum change_refusal check_name(const char *name, struct error *err)
{
    size_t length = strlen(name);
    if (length == 0 || length > CA_NAME_BYTES ||
        strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") != length)
        return change_refuse(CHANGE_BAD_INPUT, err,
                             "\"%.*s\" is no name for a CA; 1 to %d letters, digits, \".\", \"_\" "
                             "or \"-\" are",
                             CA_NAME_BYTES, name, CA_NAME_BYTES);
    if (strcasecmp(name, BUILTIN_CA_NAME) == 0)
        return change_refuse(CHANGE_BAD_INPUT, err,
                             "\"%s\" is the name of lb's own CA; choose another", name);
    if (length == CA_ID_LENGTH && strspn(name, "0123456789abcdefABCDEF") == length)
        return change_refuse(CHANGE_BAD_INPUT, err,
                             "\"%s\" looks like the id of a CA; choose another name", name);
    return CHANGE_MADE;
}

/* What an upload is about. */
struct uploading {
    const char *name;
    const struct ca_bundle *bundle; /* NULL: the built-in CA */
    X509 *ca;
    unsigned max_cas;
    const struct actor *actor;
    struct ca_result *result;
};

static const struct cas_item *find_key(const struct cas *cas, const unsigned char key[CA_KEY_BYTES])
{
    for (size_t i = 0; i < cas->count; i++)
        if (memcmp(cas->items[i].record.key, key, CA_KEY_BYTES) == 0)
            return &cas->items[i];
    return NULL;
}

static unsigned count_uploaded(const struct cas *cas)
{
    unsigned count = 0;
    for (size_t i = 0; i < cas->count; i++)
        count += !cas->items[i].record.is_builtin;
    return count;
}

/* May it be put in the place of `known`, which has its key? */
static enum change_refusal check_renewal(const struct cas_item *known, X509 *ca, struct error *err)
{
    const struct ca_record *record = &known->record;
    char when[WHEN_BYTES];
    if (record->is_builtin)
        return change_refuse(CHANGE_EXISTS, err,
                             "this is lb's own CA, which is known as \"%s\" already", record->name);
    if (X509_cmp(known->certificate, ca) == 0)
        return change_refuse(CHANGE_EXISTS, err, "this CA was uploaded on %s, as \"%s\" (id %s)",
                             change_when(record->created_ms, when), record->name, record->id);
    if (X509_NAME_cmp(X509_get_subject_name(known->certificate), X509_get_subject_name(ca)) != 0)
        return change_refuse(CHANGE_EXISTS, err,
                             "CA \"%s\" has the same key but another subject (%.200s); a CA is "
                             "known by its key, so delete that one first",
                             record->name, record->subject);
    return CHANGE_MADE;
}

/* Is there a name and a place for one more? */
static enum change_refusal check_addition(const struct cas *cas, const struct uploading *uploading,
                                          struct error *err)
{
    const struct cas_item *of_name = cas_find(cas, uploading->name);
    unsigned count = count_uploaded(cas);
    if (of_name)
        return change_refuse(CHANGE_EXISTS, err,
                             "another CA is called \"%s\" (%.200s); choose another name",
                             uploading->name, of_name->record.subject);
    if (count >= uploading->max_cas)
        return change_refuse(CHANGE_QUOTA, err,
                             "there are %u uploaded CAs, and max_cas allows %u; delete one (lb ca "
                             "delete) or raise max_cas in [registry]",
                             count, uploading->max_cas);
    return CHANGE_MADE;
}

static enum change_refusal put(struct ledger *ledger, const struct uploading *uploading,
                               const char *action, const char *before, struct error *err)
{
    char about[CA_ABOUT_BYTES];
    const struct ca_record *record = &uploading->result->record;
    enum store_outcome outcome = ledger->store->put_ca(ledger, record, err);
    if (outcome == STORE_EXISTS)
        return change_refuse(CHANGE_EXISTS, err, "another CA is called \"%s\"", record->name);
    enum change_refusal refusal = change_of_store(outcome, err);
    if (refusal == CHANGE_MADE)
        refusal = change_log(ledger, uploading->actor,
                             &(struct change_record){.action = action,
                                                     .ca = record->id,
                                                     .subject = ca_about(record, about),
                                                     .before = before,
                                                     .after = record->sha256},
                             err);
    uploading->result->changed = true;
    return refusal;
}

/* It may be an old file: its clients would be refused sooner than before. */
static void warn_of_sooner_end(struct ca_result *result, const struct ca_record *before)
{
    char was[WHEN_BYTES];
    char is[WHEN_BYTES];
    const struct ca_record *now = &result->record;
    if (now->not_after_s >= before->not_after_s)
        return;
    snprintf(result->warning, sizeof result->warning,
             "CA %s ends sooner now: on %s, and on %s before. If that was an old file, upload the "
             "later certificate again",
             now->name, change_when(now->not_after_s * 1000, is),
             change_when(before->not_after_s * 1000, was));
}

static enum change_refusal add(struct ledger *ledger, const struct uploading *uploading,
                               const struct ca_record *known, struct error *err)
{
    struct ca_record like = {
        .name = uploading->name, .is_enabled = true, .created_ms = uploading->actor->now_ms};
    if (known)
        like = *known;
    like.chain_pem = uploading->bundle->chain_pem;
    like.updated_ms = uploading->actor->now_ms;
    enum change_refusal refusal = ca_describe(uploading->ca, &like, uploading->result, err);
    if (refusal != CHANGE_MADE)
        return refusal;
    uploading->result->renewed = known != NULL;
    if (known)
        warn_of_sooner_end(uploading->result, known);
    return put(ledger, uploading, known ? "ca.renew" : "ca.upload", known ? known->sha256 : "",
               err);
}

static enum change_refusal upload(struct ledger *ledger, void *arg, bool *ret_changed,
                                  struct error *err)
{
    const struct uploading *uploading = arg;
    unsigned char key[CA_KEY_BYTES];
    struct cas *cas = cas_of(ledger, err);
    if (!cas)
        return CHANGE_STORE;
    enum change_refusal refusal = CHANGE_MADE;
    const struct cas_item *known = NULL;
    if (!ca_key_of(uploading->ca, key))
        refusal = change_out_of_memory(err);
    else if ((known = find_key(cas, key)))
        refusal = check_renewal(known, uploading->ca, err);
    else
        refusal = check_addition(cas, uploading, err);
    if (refusal == CHANGE_MADE)
        refusal = add(ledger, uploading, known ? &known->record : NULL, err);
    cas_free(cas);
    *ret_changed = refusal == CHANGE_MADE;
    return refusal;
}

static enum change_refusal run(struct ledger *ledger, change_work work, struct uploading *uploading,
                               struct error *err)
{
    enum change_refusal refusal = change_run(ledger, work, uploading, err);
    if (refusal != CHANGE_MADE)
        ca_result_done(uploading->result);
    return refusal;
}

enum change_refusal ca_upload(struct ledger *ledger, const char *name, const char *pem,
                              size_t pem_bytes, unsigned max_cas, const struct actor *actor,
                              struct ca_result *result, struct error *err)
{
    struct ca_bundle bundle = {0};
    enum change_refusal refusal = check_name(name, err);
    if (refusal == CHANGE_MADE)
        refusal = ca_bundle_read(&bundle, pem, pem_bytes, actor->now_ms / 1000, err);
    if (refusal != CHANGE_MADE)
        return refusal;
    struct uploading uploading = {name,    &bundle, sk_X509_value(bundle.certificates, 0),
                                  max_cas, actor,   result};
    refusal = run(ledger, upload, &uploading, err);
    ca_bundle_done(&bundle);
    return refusal;
}

/* --- the built-in one ----------------------------------------------------------------------- */

/** What becomes of the one that is known. */
struct telling {
    struct uploading uploading;
    enum ca_origin origin;
};

static bool have_one_key(const struct cas_item *known, const unsigned char key[CA_KEY_BYTES])
{
    return known && memcmp(known->record.key, key, CA_KEY_BYTES) == 0;
}

static enum change_refusal check_telling(const struct telling *telling,
                                         const struct cas_item *known, bool *ret_is_due,
                                         struct error *err)
{
    unsigned char key[CA_KEY_BYTES];
    X509 *ca = telling->uploading.ca;
    if (!ca_key_of(ca, key))
        return change_out_of_memory(err);
    *ret_is_due = !known || X509_cmp(known->certificate, ca) != 0;
    if (!known && telling->origin == CA_RENEWED)
        return change_refuse(CHANGE_UNKNOWN, err, "the registry knows no built-in CA any more");
    if (known && telling->origin != CA_REPLACED && !have_one_key(known, key))
        return change_refuse(CHANGE_EXISTS, err,
                             "the registry knows another built-in CA: %.200s (id %s)",
                             known->record.subject, known->record.id);
    if (known && telling->origin == CA_MADE)
        *ret_is_due = false;
    return CHANGE_MADE;
}

/* Its certificates of before stay, and are those of a CA that nobody knows. */
static enum change_refusal drop_other(struct ledger *ledger, const struct cas_item *known,
                                      const unsigned char key[CA_KEY_BYTES], struct error *err)
{
    if (!known || have_one_key(known, key))
        return CHANGE_MADE;
    return change_of_store(ledger->store->drop_ca(ledger, known->record.id, err), err);
}

static const char *action_of(const struct telling *telling, const struct cas_item *known)
{
    if (!known)
        return telling->origin == CA_ADOPTED ? "ca.adopt" : "ca.create";
    return have_one_key(known, telling->uploading.result->record.key) ? "ca.renew" : "ca.replace";
}

static enum change_refusal put_builtin(struct ledger *ledger, const struct telling *telling,
                                       const struct cas_item *known, struct error *err)
{
    const struct uploading *uploading = &telling->uploading;
    struct ca_record like = {.name = BUILTIN_CA_NAME,
                             .is_builtin = true,
                             .is_enabled = true,
                             .created_ms = uploading->actor->now_ms};
    if (known)
        like = known->record;
    like.updated_ms = uploading->actor->now_ms;
    enum change_refusal refusal = ca_describe(uploading->ca, &like, uploading->result, err);
    if (refusal == CHANGE_MADE)
        refusal = drop_other(ledger, known, uploading->result->record.key, err);
    if (refusal == CHANGE_MADE)
        refusal = put(ledger, uploading, action_of(telling, known),
                      known ? known->record.sha256 : "", err);
    return refusal;
}

static enum change_refusal tell_builtin(struct ledger *ledger, void *arg, bool *ret_changed,
                                        struct error *err)
{
    const struct telling *telling = arg;
    struct cas *cas = cas_of(ledger, err);
    if (!cas)
        return CHANGE_STORE;
    const struct cas_item *known = cas_builtin(cas);
    enum change_refusal refusal = check_telling(telling, known, ret_changed, err);
    if (refusal == CHANGE_MADE && *ret_changed)
        refusal = put_builtin(ledger, telling, known, err);
    else if (refusal == CHANGE_MADE && !ca_result_set(telling->uploading.result, &known->record))
        refusal = change_out_of_memory(err);
    cas_free(cas);
    return refusal;
}

enum change_refusal ca_put_builtin(struct ledger *ledger, X509 *certificate, enum ca_origin origin,
                                   const struct actor *actor, struct ca_result *result,
                                   struct error *err)
{
    struct telling telling = {
        {.name = BUILTIN_CA_NAME, .ca = certificate, .actor = actor, .result = result}, origin};
    enum change_refusal refusal = change_run(ledger, tell_builtin, &telling, err);
    if (refusal != CHANGE_MADE)
        ca_result_done(result);
    return refusal;
}
