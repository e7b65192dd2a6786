/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/explain/explanation_registry.h"

#include <stdlib.h>
#include <string.h>

#include "lb/base/certificate.h"
#include "lb/base/error.h"
#include "listeners/registry/cas.h"
#include "listeners/registry/store.h"
#include "listeners/registry/view.h"

struct reading {
    struct view *view;
    bool is_full; /* out of memory */
};

static bool put(void *arg, const struct certificate_record *record)
{
    struct reading *reading = arg;
    struct certificate_row row = {.status = record->status,
                                  .was_revoked = record->was_revoked,
                                  .client_id = record->client_id,
                                  .not_after_s = record->not_after_s};
    memcpy(row.key, record->key, sizeof row.key);
    memcpy(row.tbs, record->tbs, sizeof row.tbs);
    memcpy(row.ca, record->ca, sizeof row.ca);
    reading->is_full = !view_put(reading->view, &row);
    return !reading->is_full;
}

static bool read_certificates(struct ledger *ledger, const char *serial, struct view *view,
                              struct error *err)
{
    struct reading reading = {.view = view};
    char cursor[STORE_CURSOR_BYTES];
    const struct certificate_filter filter = {.serial = serial,
                                              .statuses = (1U << CERTIFICATE_STATUS_COUNT) - 1,
                                              .limit = STORE_PAGE_MOST};
    enum store_outcome outcome =
        ledger->store->find_certificates(ledger, &filter, put, &reading, cursor, err);
    if (reading.is_full)
        return error_set(err, "out of memory");
    return outcome == STORE_DONE || outcome == STORE_NOTHING;
}

static bool read_cas(const struct cas *cas, struct view *view, struct error *err)
{
    struct ca_record *records = calloc(cas->count + 1, sizeof *records);
    for (size_t i = 0; records && i < cas->count; i++)
        records[i] = cas->items[i].record;
    bool good = records && view_put_cas(view, records, cas->count);
    free(records);
    return good || error_set(err, "out of memory");
}

/* After the CAs: there is a store. */
static bool read_store(const char *location, const char *serial, struct view *view,
                       struct error *err)
{
    struct ledger *ledger = NULL;
    enum store_outcome opened = ledger_open(&ledger, location, STORE_READ, err);
    bool good = opened == STORE_MISSING ||
                (opened == STORE_DONE && read_certificates(ledger, serial, view, err));
    ledger_close(ledger);
    return good;
}

struct view *explanation_view(const char *location, const X509 *certificate, struct error *err)
{
    struct view *view = view_new();
    char *serial = certificate_serial_text(certificate);
    struct cas *cas = cas_read(location, err);
    bool good = view && serial && cas && read_cas(cas, view, err) &&
                (!cas->is_there || read_store(location, serial, view, err));
    if (!view || !serial)
        error_set(err, "out of memory");
    cas_free(cas);
    free(serial);
    if (good)
        return view;
    view_free(view);
    return NULL;
}
