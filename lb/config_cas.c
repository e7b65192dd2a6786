/* SPDX-License-Identifier: Apache-2.0 */
/* See config_cas.h. */
#include "lb/config_cas.h"

#include <openssl/ec.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lb/base/state_dir.h"
#include "lb/base/timestamp.h"
#include "lb/places.h"
#include "lb/signer.h"
#include "lb/stand_in.h"
#include "listeners/registry/issuer.h"
#include "listeners/registry/registry_options.h"

/* Without slashes at its end: messages have one before a file's name. */
static struct issuer_place place_of(struct config *config)
{
    const char *path = config->options->state_dir;
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/')
        length--;
    return (struct issuer_place){
        .state_dir = arena_copy_bytes(&config->arena, path, length),
        .passphrase_file = config->registry->ca_passphrase_file,
    };
}

/* Who goes on running has become the user already, or never will. */
static const char *whose(const struct config *config, const struct config_loading *loading)
{
    return loading->store ? NULL : config->options->user;
}

/* --- a CA that nobody has ------------------------------------------------------------------ */

static bool sign(X509 *ca, EVP_PKEY *key)
{
    X509_NAME *name = X509_get_subject_name(ca);
    BASIC_CONSTRAINTS constraints = {.ca = 1};
    return X509_set_version(ca, X509_VERSION_3) == 1 &&
           ASN1_INTEGER_set(X509_get_serialNumber(ca), 1) == 1 &&
           X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                      (const unsigned char *)"built-in CA, not made yet", -1, -1,
                                      0) == 1 &&
           X509_set_issuer_name(ca, name) == 1 &&
           X509_time_adj_ex(X509_getm_notBefore(ca), -1, 0, NULL) != NULL &&
           X509_time_adj_ex(X509_getm_notAfter(ca), 1, 0, NULL) != NULL &&
           X509_set_pubkey(ca, key) == 1 &&
           X509_add1_ext_i2d(ca, NID_basic_constraints, &constraints, 1, X509V3_ADD_DEFAULT) == 1 &&
           X509_sign(ca, key, EVP_sha256()) > 0;
}

static X509 *placeholder_make(void)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *ca = X509_new();
    bool is_made = key && ca && sign(ca, key);
    EVP_PKEY_free(key);
    if (!is_made)
        error_out_of_memory();
    return ca;
}

/* --- what was said -------------------------------------------------------------------------- */

static bool add_bytes(EVP_MD_CTX *sum, const void *bytes, size_t length)
{
    const uint64_t prefix = length;
    return EVP_DigestUpdate(sum, &prefix, sizeof prefix) == 1 &&
           EVP_DigestUpdate(sum, bytes, length) == 1;
}

static bool add_item(EVP_MD_CTX *sum, const struct ca_record *record)
{
    bool is_added = add_bytes(sum, record->id, strlen(record->id)) &&
                    add_bytes(sum, record->name, strlen(record->name)) &&
                    add_bytes(sum, &record->is_enabled, sizeof record->is_enabled) &&
                    add_bytes(sum, record->der, record->der_bytes) &&
                    add_bytes(sum, &record->host_count, sizeof record->host_count);
    for (unsigned i = 0; i < record->host_count && is_added; i++)
        is_added = add_bytes(sum, record->hosts[i], strlen(record->hosts[i]));
    return is_added;
}

static void stamp(const struct cas *cas, unsigned char ret_stamp[CONFIG_STAMP_BYTES])
{
    EVP_MD_CTX *sum = EVP_MD_CTX_new();
    bool is_good = sum && EVP_DigestInit_ex(sum, EVP_sha256(), NULL) == 1;
    for (size_t i = 0; i < cas->count && is_good; i++)
        is_good = add_item(sum, &cas->items[i].record);
    if (!is_good || EVP_DigestFinal_ex(sum, ret_stamp, NULL) != 1)
        error_out_of_memory();
    EVP_MD_CTX_free(sum);
}

bool config_cas_are_current(const struct config *config)
{
    unsigned char today[CONFIG_STAMP_BYTES];
    if (!config->uses_registry)
        return true;
    struct cas *cas = cas_read(config->registry->store, NULL);
    if (!cas)
        return false;
    stamp(cas, today);
    cas_free(cas);
    return memcmp(today, config->cas_stamp, sizeof today) == 0;
}

/* --- reading ------------------------------------------------------------------------------- */

static struct cas_item *find_builtin(struct cas *cas)
{
    for (size_t i = 0; i < cas->count; i++)
        if (cas->items[i].record.is_builtin)
            return &cas->items[i];
    return NULL;
}

/* The store has not heard of it, or of another one. */
static void take_builtin(struct config_cas *cas, X509 *certificate)
{
    struct cas_item *item = find_builtin(&cas->all);
    if (!item) {
        item = &cas->all.items[cas->all.count++];
        item->record = (struct ca_record){.name = BUILTIN_CA_NAME,
                                          .subject = "",
                                          .serial = "",
                                          .chain_pem = "",
                                          .is_builtin = true,
                                          .is_enabled = true};
    }
    if (ca_key_of(certificate, item->record.key))
        ca_id_of(item->record.key, item->record.id);
    item->certificate = certificate;
    cas->builtin = certificate;
}

static void read_builtin(struct config_cas *cas, struct config *config, unsigned line,
                         const struct config_source *source)
{
    const struct issuer_place place = place_of(config);
    const struct cas_item *known = find_builtin(&cas->all);
    X509 *certificate = NULL;
    struct error err = {""};
    switch (issuer_read(&place, &certificate, &err)) {
    case ISSUER_DONE:
    case ISSUER_EXISTS:
        config->is_builtin_due = !known || X509_cmp(known->certificate, certificate) != 0;
        take_builtin(cas, certificate);
        return;
    case ISSUER_MISSING:
        config->is_builtin_due = !known;
        if (!known)
            take_builtin(cas, placeholder_make());
        else
            problems_warn(source->problems, source->file, line,
                          "the built-in CA is trusted, but its files are not in %s: it cannot "
                          "issue certificates; put its ca.crt and ca.key back there",
                          place.state_dir);
        return;
    case ISSUER_FAILED:
        problems_add(source->problems, source->file, line, "client_ca = builtin: %s", err.text);
        if (!known)
            take_builtin(cas, placeholder_make());
        return;
    }
}

static void report_unread(const struct config *config, const struct config_registry_uses *uses,
                          const char *user, const char *why, const struct config_source *source)
{
    unsigned line = config->registry->store_line ? config->registry->store_line : uses->line;
    if (user)
        problems_add(source->problems, source->file, line,
                     "the registry cannot be read by user %s: %s; what lb keeps has to be theirs "
                     "(chown -R %s)",
                     user, why, user);
    else
        problems_add(source->problems, source->file, line, "the registry cannot be read: %s", why);
}

/* A store that is not there has no CAs, so that no host asks for certificates: fine for an lb that
 * never had one, and for no other. */
static struct cas *read_store(struct config *config, struct error *err)
{
    struct cas *cas = cas_read(config->registry->store, err);
    if (!cas || cas->is_there) {
        config->has_store = config->has_store || cas;
        return cas;
    }
    if (!config->has_store)
        return cas;
    error_set(err,
              "%s is gone since lb has read it, and with it which hosts ask for certificates: put "
              "it back, or stop lb and start it anew to begin without",
              config->registry->store);
    cas_free(cas);
    return NULL;
}

/* user: who we stand in for; NULL: nobody */
static void read_all(struct config_cas *cas, struct config *config,
                     const struct config_registry_uses *uses, const char *user,
                     const struct config_source *source)
{
    struct error err = {""};
    cas->stored = read_store(config, &err);
    if (!cas->stored) {
        report_unread(config, uses, user, err.text, source);
        return;
    }
    cas->is_read = true;
    stamp(cas->stored, config->cas_stamp);
    cas->all.items = arena_alloc(source->arena, (cas->stored->count + 1) * sizeof(struct cas_item));
    cas->all.count = cas->stored->count;
    for (size_t i = 0; i < cas->stored->count; i++)
        cas->all.items[i] = cas->stored->items[i];
    if (uses->builtin_line > 0)
        read_builtin(cas, config, uses->builtin_line, source);
}

void config_cas_read(struct config_cas *cas, struct config *config,
                     const struct config_registry_uses *uses, const struct config_loading *loading,
                     const struct config_source *source)
{
    struct stand_in stand_in;
    if (!config->asked_store)
        return;
    const char *user = whose(config, loading);
    if (!stand_in_begin(&stand_in, user, NULL))
        return; /* that there is no such user was told */
    if (uses->line > 0)
        read_all(cas, config, uses, stand_in.is_one ? user : NULL, source);
    else
        cas->stored = cas_read(config->registry->store, NULL);
    stand_in_end(&stand_in);
}

void config_cas_done(struct config_cas *cas)
{
    X509_free(cas->builtin);
    if (cas->stored)
        cas_free(cas->stored);
    *cas = (struct config_cas){.is_read = false};
}

/* --- making -------------------------------------------------------------------------------- */

static bool tell_store(const struct config *config, X509 *ca, struct error *err)
{
    char who[64];
    struct ledger *ledger = NULL;
    struct ca_result result = {.changed = false};
    snprintf(who, sizeof who, "lb itself (pid %ld)", (long)getpid());
    const struct actor actor = {who, timestamp_now_ms()};
    if (ledger_open(&ledger, config->registry->store, STORE_MAKE, err) != STORE_DONE)
        return false;
    bool is_told = ca_put_builtin(ledger, ca, &actor, &result, err) == CHANGE_MADE;
    ca_result_done(&result);
    ledger_close(ledger);
    return is_told;
}

static bool make(struct config *config, const char *signer, struct error *err)
{
    const struct issuer_place place = place_of(config);
    const struct ca_wish wish = {.key = KEY_P256, .days = ISSUER_CA_DAYS};
    X509 *ca = NULL;
    int folder = state_dir_open(place.state_dir, err);
    if (folder < 0)
        return false;
    close(folder);
    enum issuer_outcome outcome = signer_make_ca(signer, &place, &wish, &ca, err);
    bool is_there = outcome == ISSUER_DONE || outcome == ISSUER_EXISTS;
    bool is_told = is_there && tell_store(config, ca, err);
    X509_free(ca);
    return is_told;
}

bool config_cas_make_builtin(struct config *config, const struct config_loading *loading,
                             struct error *err)
{
    struct stand_in stand_in = {.is_one = false};
    if (!places_stand_in(whose(config, loading), config->options->state_dir,
                         config->registry->store, &stand_in, err))
        return false;
    bool is_made = make(config, loading->signer, err);
    stand_in_end(&stand_in);
    return is_made;
}
