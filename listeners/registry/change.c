/* SPDX-License-Identifier: Apache-2.0 */
#include "listeners/registry/change.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lb/base/timestamp.h"
#include "listeners/registry/record_copy.h"

const char *change_refusal_name(enum change_refusal refusal)
{
    // clang-format off
    static const char *const names[] = {
        [CHANGE_MADE] = "made",
        [CHANGE_BAD_INPUT] = "bad-input",
        [CHANGE_UNKNOWN] = "unknown",
        [CHANGE_AMBIGUOUS] = "ambiguous",
        [CHANGE_EXISTS] = "exists",
        [CHANGE_ILLEGAL] = "illegal-state",
        [CHANGE_CA_UNREGISTERED] = "ca-not-registered",
        [CHANGE_CA_DISABLED] = "ca-disabled",
        [CHANGE_NOT_OF_CA] = "not-of-ca",
        [CHANGE_SIGNUP_LIMIT] = "signup-limit",
        [CHANGE_QUOTA] = "quota",
        [CHANGE_BOUND] = "bound",
        [CHANGE_IN_USE] = "in-use",
        [CHANGE_UNSERVED_HOST] = "unserved-host",
        [CHANGE_STORE] = "store",
    };
    // clang-format on
    return names[refusal];
}

bool certificate_result_set(struct certificate_result *result,
                            const struct certificate_record *record)
{
    void *before = result->memory;
    if (!certificate_record_copy(&result->record, record, &result->memory))
        return false;
    free(before); /* last: `record` may be the result's own, changed */
    return true;
}

void certificate_result_done(struct certificate_result *result)
{
    free(result->warning);
    free(result->memory);
    memset(result, 0, sizeof *result);
}

enum change_refusal change_refuse(enum change_refusal refusal, struct error *err,
                                  const char *format, ...)
{
    char text[ERROR_TEXT_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    error_set(err, "%s", text);
    return refusal;
}

enum change_refusal change_out_of_memory(struct error *err)
{
    return change_refuse(CHANGE_STORE, err, "out of memory; nothing was changed");
}

enum change_refusal change_of_store(enum store_outcome outcome, struct error *err)
{
    switch (outcome) {
    case STORE_DONE:
        return CHANGE_MADE;
    case STORE_NOTHING:
    case STORE_EXISTS:
        return change_refuse(CHANGE_STORE, err,
                             "the registry's store contradicts itself: an entry that was just %s",
                             outcome == STORE_NOTHING ? "read is gone" : "missing is there");
    case STORE_MISSING:
    case STORE_FULL:
    case STORE_READ_ONLY:
    case STORE_BUSY:
    case STORE_CORRUPT:
    case STORE_NEWER:
    case STORE_FAILED:
        break;
    }
    return CHANGE_STORE;
}

enum change_refusal change_run(struct ledger *ledger, change_work work, void *arg,
                               struct error *err)
{
    const struct store *store = ledger->store;
    enum change_refusal refusal = change_of_store(store->begin(ledger, err), err);
    if (refusal != CHANGE_MADE)
        return refusal;
    bool changed = true;
    refusal = work(ledger, arg, &changed, err);
    if (refusal != CHANGE_MADE || !changed) {
        store->rollback(ledger);
        return refusal;
    }
    refusal = change_of_store(store->commit(ledger, err), err);
    if (refusal != CHANGE_MADE)
        store->rollback(ledger);
    return refusal;
}

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

enum change_refusal change_log(struct ledger *ledger, const struct actor *actor,
                               const struct change_record *about, struct error *err)
{
    struct change_record line = {
        .at_ms = actor->now_ms,
        .who = or_empty(actor->who),
        .action = about->action,
        .ca = or_empty(about->ca),
        .certificate_key = about->certificate_key,
        .serial = or_empty(about->serial),
        .subject = or_empty(about->subject),
        .before = or_empty(about->before),
        .after = or_empty(about->after),
    };
    return change_of_store(ledger->store->add_change(ledger, &line, err), err);
}

const char *change_when(int64_t ms, char into[WHEN_BYTES])
{
    char stamp[TIMESTAMP_BYTES];
    timestamp_write(ms, stamp);
    snprintf(into, WHEN_BYTES, "%.19sZ", stamp);
    return into;
}
