/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client is known by its registered client id, or else by its common name. Two certificates with
 * the same one are allowed, as a renewed certificate of one device has it, but perhaps not meant.
 */
#include "listeners/registry/certificate_warn.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "listeners/registry/change.h"

/* One more sentence. false: out of memory. */
static bool __attribute__((format(printf, 2, 3)))
warn(struct certificate_result *result, const char *format, ...)
{
    char *text = NULL;
    char *joined = NULL;
    va_list arguments;
    va_start(arguments, format);
    bool good = vasprintf(&text, format, arguments) >= 0;
    va_end(arguments);
    if (good && result->warning) {
        good = asprintf(&joined, "%s; %s", result->warning, text) >= 0;
        free(text);
        text = joined;
    }
    if (!good)
        return false;
    free(result->warning);
    result->warning = text;
    return true;
}

static const char *effective_id(const struct certificate_record *record)
{
    return *record->client_id ? record->client_id : record->common_name;
}

/* Another certificate with the same effective id. */
struct search {
    const struct certificate_record *record;
    const char *id;
    bool found;
    char serial[2 * CERTIFICATE_SERIAL_BYTES + 2];
};

static bool on_candidate(void *arg, const struct certificate_record *candidate)
{
    struct search *search = arg;
    if (memcmp(candidate->key, search->record->key, CERTIFICATE_KEY_BYTES) == 0 ||
        strcmp(effective_id(candidate), search->id) != 0)
        return true;
    search->found = true;
    snprintf(search->serial, sizeof search->serial, "%s", candidate->serial);
    return false;
}

/* A "*" in the id would be read as any text: candidates are compared here once more. */
static enum change_refusal look(struct ledger *ledger, struct certificate_filter *filter,
                                struct search *search, struct error *err)
{
    char cursor[STORE_CURSOR_BYTES];
    enum { CANDIDATES_MOST = 100 };
    filter->statuses = 1U << CERTIFICATE_ACTIVATED | 1U << CERTIFICATE_REGISTERED;
    filter->limit = CANDIDATES_MOST;
    enum store_outcome outcome =
        ledger->store->find_certificates(ledger, filter, on_candidate, search, cursor, err);
    return outcome == STORE_NOTHING ? CHANGE_MADE : change_of_store(outcome, err);
}

static enum change_refusal warn_of_twins(struct ledger *ledger, struct certificate_result *result,
                                         struct error *err)
{
    struct search search = {.record = &result->record, .id = effective_id(&result->record)};
    if (!*search.id)
        return warn(result, "it has neither a common name nor a client id: nothing tells backends "
                            "which client it is")
                   ? CHANGE_MADE
                   : change_out_of_memory(err);
    struct certificate_filter by_id = {.client_id = search.id, .order = ORDER_CLIENT_ID};
    struct certificate_filter by_name = {.common_name = search.id, .order = ORDER_COMMON_NAME};
    enum change_refusal refusal = look(ledger, &by_id, &search, err);
    if (refusal == CHANGE_MADE && !search.found)
        refusal = look(ledger, &by_name, &search, err);
    if (refusal == CHANGE_MADE && search.found &&
        !warn(result, "client id \"%s\" is that of serial %s, too", search.id, search.serial))
        refusal = change_out_of_memory(err);
    return refusal;
}

enum change_refusal certificate_warn(struct ledger *ledger, int64_t now_ms,
                                     struct certificate_result *result, struct error *err)
{
    char when[WHEN_BYTES];
    const struct certificate_record *record = &result->record;
    bool good = true;
    if (record->not_before_s > now_ms / 1000)
        good = warn(result, "it is not valid before %s and will be refused until then",
                    change_when(record->not_before_s * 1000, when));
    if (record->not_after_s <= now_ms / 1000)
        good = warn(result, "it has expired on %s and is refused all the same",
                    change_when(record->not_after_s * 1000, when));
    return good ? warn_of_twins(ledger, result, err) : change_out_of_memory(err);
}
