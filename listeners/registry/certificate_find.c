/* SPDX-License-Identifier: Apache-2.0 */
/* People know certificates by their serial, which only a CA keeps unique: where several have it,
 * they are told what tells them apart. */
#include "listeners/registry/certificate_find.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "listeners/registry/ca_snapshot.h"
#include "listeners/registry/change.h"

static bool is_separator(char byte)
{
    return byte == ':' || byte == ' ' || byte == '\t';
}

static const char *after_prefix(const char *text)
{
    while (is_separator(*text))
        text++;
    return text[0] == '0' && (text[1] == 'x' || text[1] == 'X') ? text + 2 : text;
}

/* The digits without leading zeros. -1: err. */
static int read_digits(const char *text, char *into, int room, struct error *err)
{
    int count = 0;
    bool any = false;
    for (const char *at = text; *at; at++) {
        if (is_separator(*at))
            continue;
        if (!isxdigit((unsigned char)*at)) {
            error_set(err,
                      "\"%.80s\" is no serial number; hexadecimal digits are, as lb cert list "
                      "writes them",
                      text);
            return -1;
        }
        any = true;
        if (count == 0 && *at == '0')
            continue;
        if (count == room) {
            error_set(err, "a serial number has at most %d hexadecimal digits", room);
            return -1;
        }
        into[count++] = (char)toupper((unsigned char)*at);
    }
    if (any)
        return count;
    error_set(err, "a serial number is needed, in hexadecimal digits");
    return -1;
}

bool serial_normalise(const char *text, char into[SERIAL_TEXT_BYTES], struct error *err)
{
    char digits[2 * CERTIFICATE_SERIAL_BYTES];
    while (is_separator(*text))
        text++;
    bool is_negative = *text == '-';
    int count = read_digits(after_prefix(text + is_negative), digits, (int)sizeof digits, err);
    if (count < 0)
        return false;
    snprintf(into, SERIAL_TEXT_BYTES, "%s%s%.*s", is_negative && count ? "-" : "",
             count == 0       ? "00"
             : count % 2 == 1 ? "0"
                              : "",
             count, digits);
    return true;
}

/* Those that have the serial: the first is kept, the others are told. */
struct search {
    const struct cas *cas;
    const char *issuer; /* NULL: any */
    struct certificate_result *first;
    unsigned count;
    bool of_one_ca;
    bool was_deleted;
    bool failed;
    char told[ERROR_TEXT_BYTES]; /* what tells them apart */
};

/* The CAs of two certificates, or, if it is the same, their issuers. */
static const char *apart(const struct search *search, const struct certificate_record *record)
{
    const struct cas_item *item = cas_find(search->cas, record->ca);
    if (search->of_one_ca)
        return record->issuer;
    return item ? item->record.name : record->ca;
}

static void tell(struct search *search, const struct certificate_record *record)
{
    size_t used = strlen(search->told);
    snprintf(search->told + used, sizeof search->told - used, "%s%.100s", used ? ", " : "",
             apart(search, record));
}

static bool on_match(void *arg, const struct certificate_record *record)
{
    struct search *search = arg;
    if (search->issuer && strcasecmp(search->issuer, record->issuer) != 0)
        return true;
    if (record->status == CERTIFICATE_DELETED) {
        search->was_deleted = true;
        return true;
    }
    search->count++;
    if (search->count == 1) {
        search->failed = !certificate_result_set(search->first, record);
        return !search->failed;
    }
    if (search->count == 2) {
        search->of_one_ca = strcmp(search->first->record.ca, record->ca) == 0;
        tell(search, &search->first->record);
    }
    tell(search, record);
    return true;
}

enum { MATCHES_MOST = 64 };

/* wanted->ca as a filter: the id of a CA, known or not, or an issuer. */
static enum change_refusal restrict_to(const struct cas *cas, const char *ca, struct search *search,
                                       struct certificate_filter *filter, struct error *err)
{
    if (!ca)
        return CHANGE_MADE;
    if (strchr(ca, '=')) {
        search->issuer = ca;
        return CHANGE_MADE;
    }
    const struct cas_item *item = NULL;
    enum change_refusal refusal = cas_pick(cas, ca, &item, err);
    if (refusal == CHANGE_MADE)
        filter->ca = item->record.id;
    else if (strlen(ca) == CA_ID_LENGTH && strspn(ca, "0123456789abcdef") == CA_ID_LENGTH) {
        filter->ca = ca; /* a CA that was deleted: its certificates stay */
        refusal = CHANGE_MADE;
    }
    return refusal;
}

static enum change_refusal tell_result(const struct search *search, const char *serial,
                                       const char *ca, struct error *err)
{
    if (search->failed)
        return change_out_of_memory(err);
    if (search->count == 1)
        return CHANGE_MADE;
    if (search->count > 1)
        return change_refuse(CHANGE_AMBIGUOUS, err,
                             "serial %s exists more than once, %s: %s; say which %s", serial,
                             search->of_one_ca ? "of one CA, by issuers" : "under CAs",
                             search->told, search->of_one_ca ? "issuer" : "CA");
    return change_refuse(CHANGE_UNKNOWN, err, "there is no certificate with serial %s%s%.80s%s",
                         serial, ca ? " of CA " : "", ca ? ca : "",
                         search->was_deleted ? "; it was deleted" : "");
}

static enum change_refusal find(struct ledger *ledger, const struct cas *cas,
                                const struct certificate_wanted *wanted,
                                struct certificate_result *result, struct error *err)
{
    char serial[SERIAL_TEXT_BYTES];
    char cursor[STORE_CURSOR_BYTES];
    if (!serial_normalise(wanted->serial ? wanted->serial : "", serial, err))
        return CHANGE_BAD_INPUT;
    struct search search = {.cas = cas, .first = result};
    struct certificate_filter filter = {
        .serial = serial,
        .statuses = (1U << CERTIFICATE_STATUS_COUNT) - 1,
        .order = ORDER_SERIAL,
        .limit = MATCHES_MOST,
    };
    enum change_refusal refusal = restrict_to(cas, wanted->ca, &search, &filter, err);
    if (refusal != CHANGE_MADE)
        return refusal;
    enum store_outcome outcome =
        ledger->store->find_certificates(ledger, &filter, on_match, &search, cursor, err);
    if (outcome != STORE_NOTHING)
        refusal = change_of_store(outcome, err);
    if (refusal == CHANGE_MADE)
        refusal = tell_result(&search, serial, wanted->ca, err);
    if (refusal != CHANGE_MADE)
        certificate_result_done(result);
    return refusal;
}

enum change_refusal certificate_find(struct ledger *ledger, const struct certificate_wanted *wanted,
                                     struct certificate_result *result, struct error *err)
{
    struct cas *cas = cas_of(ledger, err);
    if (!cas)
        return CHANGE_STORE;
    enum change_refusal refusal = find(ledger, cas, wanted, result, err);
    cas_free(cas);
    return refusal;
}

enum change_refusal certificate_get(struct ledger *ledger, const struct certificate_wanted *wanted,
                                    struct certificate_result *result, struct error *err)
{
    return certificate_find(ledger, wanted, result, err);
}

struct keeping {
    struct certificate_result *result;
    bool found, kept;
};

static bool on_record(void *arg, const struct certificate_record *record)
{
    struct keeping *keeping = arg;
    keeping->found = true;
    keeping->kept = certificate_result_set(keeping->result, record);
    return false;
}

enum change_refusal certificate_by_key(struct ledger *ledger,
                                       const unsigned char key[CERTIFICATE_KEY_BYTES],
                                       struct certificate_result *result, bool *ret_found,
                                       struct error *err)
{
    struct keeping keeping = {.result = result};
    enum store_outcome outcome =
        ledger->store->get_certificate(ledger, key, on_record, &keeping, err);
    if (outcome != STORE_NOTHING && outcome != STORE_DONE)
        return change_of_store(outcome, err);
    if (keeping.found && !keeping.kept)
        return change_out_of_memory(err);
    *ret_found = keeping.found;
    return CHANGE_MADE;
}
