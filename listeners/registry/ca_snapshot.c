/* SPDX-License-Identifier: Apache-2.0 */
/* All CAs at one time: for configs, and for each change that must know them. */
#include "listeners/registry/ca_snapshot.h"

#include <ctype.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "listeners/registry/change.h"
#include "listeners/registry/record_copy.h"

/* Each CA has a block of its own: cas->memory is the array of them. */
struct gathering {
    struct cas *cas;
    size_t room;
    struct error *err;
    bool failed;
};

static bool grow(struct gathering *gathering)
{
    struct cas *cas = gathering->cas;
    if (cas->count < gathering->room)
        return true;
    size_t room = gathering->room ? 2 * gathering->room : 8;
    struct cas_item *items = realloc(cas->items, room * sizeof *items);
    if (items)
        cas->items = items;
    void **blocks = realloc(cas->memory, room * sizeof *blocks);
    if (blocks)
        cas->memory = blocks;
    if (!items || !blocks)
        return error_set(gathering->err, "out of memory");
    gathering->room = room;
    return true;
}

static X509 *decode(const struct ca_record *ca)
{
    const unsigned char *at = ca->der;
    ERR_set_mark();
    X509 *certificate = d2i_X509(NULL, &at, (long)ca->der_bytes);
    ERR_pop_to_mark();
    return certificate;
}

static bool on_ca(void *arg, const struct ca_record *ca)
{
    struct gathering *gathering = arg;
    struct cas *cas = gathering->cas;
    gathering->failed = true; /* unless all goes well */
    if (!grow(gathering))
        return false;
    struct cas_item item = {.certificate = decode(ca)};
    if (!item.certificate)
        return error_set(gathering->err,
                         "the registry's store is damaged: the certificate of CA %s cannot be "
                         "decoded; restore a backup",
                         ca->name);
    void **blocks = cas->memory;
    if (!ca_record_copy(&item.record, ca, &blocks[cas->count])) {
        X509_free(item.certificate);
        return error_set(gathering->err, "out of memory");
    }
    cas->items[cas->count++] = item;
    gathering->failed = false;
    return true;
}

struct cas *cas_of(struct ledger *ledger, struct error *err)
{
    struct cas *cas = calloc(1, sizeof *cas);
    if (!cas) {
        error_set(err, "out of memory");
        return NULL;
    }
    struct gathering gathering = {.cas = cas, .err = err};
    enum store_outcome outcome = ledger->store->each_ca(ledger, on_ca, &gathering, err);
    if (!gathering.failed && (outcome == STORE_DONE || outcome == STORE_NOTHING))
        return cas;
    cas_free(cas);
    return NULL;
}

void cas_free(struct cas *cas)
{
    if (!cas)
        return;
    void **blocks = cas->memory;
    for (size_t i = 0; i < cas->count; i++) {
        X509_free(cas->items[i].certificate);
        free(blocks[i]);
    }
    free(cas->items);
    free(cas->memory);
    free(cas);
}

struct cas *cas_read(const char *location, struct error *err)
{
    struct ledger *ledger = NULL;
    enum store_outcome outcome = ledger_open(&ledger, location, STORE_READ, err);
    if (outcome == STORE_MISSING) {
        struct cas *none = calloc(1, sizeof *none);
        if (!none)
            error_set(err, "out of memory");
        return none;
    }
    if (outcome != STORE_DONE)
        return NULL;
    struct cas *cas = cas_of(ledger, err);
    if (cas)
        cas->is_there = true;
    ledger_close(ledger);
    return cas;
}

const struct cas_item *cas_find(const struct cas *cas, const char *which)
{
    for (size_t i = 0; i < cas->count; i++)
        if (strcmp(cas->items[i].record.name, which) == 0 ||
            strcasecmp(cas->items[i].record.id, which) == 0)
            return &cas->items[i];
    return NULL;
}

const struct cas_item *cas_builtin(const struct cas *cas)
{
    for (size_t i = 0; i < cas->count; i++)
        if (cas->items[i].record.is_builtin)
            return &cas->items[i];
    return NULL;
}

enum change_refusal cas_pick(const struct cas *cas, const char *which,
                             const struct cas_item **ret_item, struct error *err)
{
    const struct cas_item *item = cas_find(cas, which);
    if (!item && strcmp(which, BUILTIN_CA_NAME) == 0)
        return change_refuse(CHANGE_UNKNOWN, err,
                             "the built-in CA is not there yet; lb ca create makes it, and so does "
                             "the first certificate it issues");
    if (!item)
        return change_refuse(CHANGE_UNKNOWN, err,
                             "there is no CA \"%.*s\"; lb ca list shows those there are",
                             CA_NAME_BYTES, which);
    *ret_item = item;
    return CHANGE_MADE;
}

bool ca_host_normalise(const char *host, char into[CA_HOST_BYTES])
{
    size_t length = strlen(host);
    bool is_expression = host[0] == '~';
    if (!is_expression && length > 1 && host[length - 1] == '.')
        length--;
    if (length >= CA_HOST_BYTES)
        return false;
    for (size_t i = 0; i < length; i++)
        into[i] = is_expression ? host[i] : (char)tolower((unsigned char)host[i]);
    into[length] = '\0';
    return true;
}

bool cas_item_is_bound(const struct cas_item *item, const char *domain)
{
    char host[CA_HOST_BYTES];
    if (!ca_host_normalise(*domain ? domain : "*", host))
        return false;
    for (unsigned i = 0; i < item->record.host_count; i++)
        if (strcmp(item->record.hosts[i], host) == 0)
            return true;
    return false;
}
