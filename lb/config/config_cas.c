/* SPDX-License-Identifier: Apache-2.0 */
/* See config_cas.h. */
#include "lb/config/config_cas.h"

#include <errno.h>
#include <openssl/ec.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lb/base/state_dir.h"
#include "lb/base/timestamp.h"
#include "lb/config/places.h"
#include "lb/keys/builtin_ca.h"
#include "lb/keys/signer.h"
#include "lb/server/stand_in.h"
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

static struct builtin_ca builtin_of(struct config *config, const char *signer)
{
    return (struct builtin_ca){
        .location = config->registry->store, .place = place_of(config), .signer = signer};
}

/* Who goes on running has become the user already, or never will. */
static const char *whose(const struct config *config, const struct config_loading *loading)
{
    return loading->store ? NULL : config->options->user;
}

/* --- a CA that nobody has ------------------------------------------------------------------ */

static bool set_names(X509 *ca)
{
    X509_NAME *name = X509_NAME_new();
    bool good = name &&
                X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                           (const unsigned char *)"built-in CA, not made yet", -1,
                                           -1, 0) == 1 &&
                X509_set_subject_name(ca, name) == 1 && X509_set_issuer_name(ca, name) == 1;
    X509_NAME_free(name);
    return good;
}

static bool sign(X509 *ca, EVP_PKEY *key)
{
    BASIC_CONSTRAINTS constraints = {.ca = 1};
    return X509_set_version(ca, X509_VERSION_3) == 1 &&
           ASN1_INTEGER_set(X509_get_serialNumber(ca), 1) == 1 && set_names(ca) &&
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

static struct cas_item *own_builtin(struct cas *all)
{
    const struct cas_item *known = cas_builtin(all);
    return known ? &all->items[known - all->items] : NULL;
}

/* The store has not heard of it, or of another certificate. */
static void take_builtin(struct config_cas *cas, X509 *certificate)
{
    struct cas_item *item = own_builtin(&cas->all);
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

/* Trust is as the store says, and another machine may have its files. But what is here is no more
 * that CA: whoever starts shall know. A running lb goes on. */
static void report_strange(const struct builtin_ca *builtin, const struct builtin_look *look,
                           bool is_running, unsigned line, const struct config_source *source)
{
    struct error err = {""};
    builtin_ca_explain(builtin, look, &err);
    if (look->standing == BUILTIN_LOST || (look->standing == BUILTIN_OTHER && !is_running))
        problems_add(source->problems, source->file, line, "%s", err.text);
    else
        problems_warn(source->problems, source->file, line, "%s", err.text);
}

static void read_builtin(struct config_cas *cas, struct config *config, unsigned line,
                         bool is_running, const struct config_source *source)
{
    const struct builtin_ca builtin = builtin_of(config, NULL);
    struct builtin_look look;
    struct error err = {""};
    if (!builtin_ca_look(&builtin, &cas->all, &look, &err)) {
        problems_add(source->problems, source->file, line, "client_ca = builtin: %s", err.text);
        if (!cas_builtin(&cas->all))
            take_builtin(cas, placeholder_make());
        return;
    }
    switch (look.standing) {
    case BUILTIN_NONE:
        config->is_builtin_due = true;
        take_builtin(cas, placeholder_make());
        return;
    case BUILTIN_RENEWED:
        config->is_builtin_due = true;
        take_builtin(cas, look.file);
        return;
    case BUILTIN_LOST:
        take_builtin(cas, look.file);
        report_strange(&builtin, &look, is_running, line, source);
        return;
    case BUILTIN_AWAY:
    case BUILTIN_OTHER:
        report_strange(&builtin, &look, is_running, line, source);
        break;
    case BUILTIN_SAME:
        break;
    }
    X509_free(look.file);
}

/* A built-in CA says that there was a registry: without it hosts that it bound are open. */
static void look_for_lost(const struct config_cas *cas, struct config *config, unsigned line,
                          const struct config_source *source)
{
    const struct builtin_ca builtin = builtin_of(config, NULL);
    struct builtin_look look;
    struct error err = {""};
    if (cas->stored->is_there || !builtin_ca_look(&builtin, &cas->all, &look, &err))
        return;
    if (look.standing == BUILTIN_LOST)
        report_strange(&builtin, &look, false, line, source);
    X509_free(look.file);
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
                     const struct config_registry_uses *uses, const char *user, bool is_running,
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
        read_builtin(cas, config, uses->builtin_line, is_running, source);
    else
        look_for_lost(cas, config, uses->line, source);
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
        read_all(cas, config, uses, stand_in.is_one ? user : NULL, loading->store != NULL, source);
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

static bool make(struct config *config, const char *signer, struct error *err)
{
    char who[64];
    bool is_told = false;
    const struct builtin_ca builtin = builtin_of(config, signer);
    int folder = state_dir_open(builtin.place.state_dir, err);
    if (folder < 0)
        return false;
    close(folder);
    snprintf(who, sizeof who, "lb itself (pid %ld)", (long)getpid());
    const struct actor actor = {who, timestamp_now_ms()};
    return builtin_ca_have(&builtin, &actor, &is_told, err);
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

/* --- its key -------------------------------------------------------------------------------- */

static enum issuer_outcome try_key(const struct issuer_place *place, const char *signer,
                                   struct error *err)
{
    return signer ? signer_try_ca(signer, place, err) : issuer_try(place, err);
}

bool config_cas_try_key(struct config *config, const struct config_loading *loading,
                        struct error *err)
{
    struct stand_in stand_in = {.is_one = false};
    const struct issuer_place place = place_of(config);
    const char *file = place.passphrase_file;
    if (!file || !stand_in_begin(&stand_in, whose(config, loading), NULL))
        return true;
    /* Of a file that may not be read at all lb check says who should be let in. */
    bool is_closed = access(file, R_OK) != 0 && errno == EACCES && !loading->signer;
    bool is_good = is_closed || try_key(&place, loading->signer, err) != ISSUER_FAILED;
    stand_in_end(&stand_in);
    return is_good;
}
