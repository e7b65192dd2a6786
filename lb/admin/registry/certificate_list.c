/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates by any combination of what is known of them, sorted, a page at a time. */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lb/admin/registry/ca_names.h"
#include "lb/admin/registry/call_query.h"
#include "lb/admin/registry/record_json.h"
#include "lb/admin/registry/registry_call.h"

enum {
    PAGE = 100,                                  /* certificates, unless said */
    SERIAL_BYTES = 3 * CERTIFICATE_SERIAL_BYTES, /* two digits and a colon for each */
};

static const char *const keys[] = {
    "serial",
    "cn",
    "ou",
    "client_id",
    "ca",
    "source",
    "status",
    "not_before_from",
    "not_before_to",
    "not_after_from",
    "not_after_to",
    "expired",
    "expiring",
    "sort",
    "order",
    "limit",
    "after",
    "count",
    NULL,
};

/* In the order of enum certificate_order. */
static const char *const orders[] = {"created",    "serial",    "cn",      "ou", "client_id",
                                     "not_before", "not_after", "updated", NULL};
_Static_assert(sizeof orders / sizeof *orders == ORDER_UPDATED + 2, "every order has a name");

/** What is looked for. */
struct wish {
    struct certificate_filter filter;
    const char *ca; /* id or name; NULL: any */
    char ca_id[CA_ID_LENGTH + 1];
    char serial[SERIAL_BYTES + 2];
    bool counts;
};

static const char *status_name(unsigned index)
{
    return certificate_status_name((enum certificate_status)index);
}

static const char *source_name(unsigned index)
{
    return certificate_source_name((enum certificate_source)index);
}

/* --- the query ----------------------------------------------------------------------------- */

static bool is_between(char byte)
{
    return byte == ':' || byte == ' ';
}

/* As the registry has it: no colons, and whole bytes without leading zeros; but what has a "*" is
 * compared as it is. */
static bool read_serial(struct registry_call *call, struct wish *wish)
{
    const char *text = NULL;
    char *to = wish->serial;
    size_t count = 0;
    if (!query_pattern(call, "serial", SERIAL_BYTES, &text) || !text)
        return call->status == 0;
    text += strncasecmp(text, "0x", 2) == 0 ? 2 : 0;
    bool is_whole = strchr(text, '*') == NULL;
    text += is_whole ? strspn(text, "0: ") : 0;
    for (const char *at = text; *at; at++)
        count += !is_between(*at);
    if (is_whole && count == 0)
        to = stpcpy(to, "00");
    else if (is_whole && count % 2 == 1)
        *to++ = '0';
    for (; *text; text++)
        if (!is_between(*text))
            *to++ = (char)toupper((unsigned char)*text);
    *to = '\0';
    wish->filter.serial = wish->serial;
    return true;
}

static bool read_texts(struct registry_call *call, struct wish *wish)
{
    struct certificate_filter *filter = &wish->filter;
    return read_serial(call, wish) &&
           query_pattern(call, "cn", CERTIFICATE_TEXT_BYTES, &filter->common_name) &&
           query_pattern(call, "ou", CERTIFICATE_TEXT_BYTES, &filter->unit) &&
           query_pattern(call, "client_id", CERTIFICATE_TEXT_BYTES, &filter->client_id) &&
           query_text(call, "ca", CA_NAME_BYTES, &wish->ca) &&
           query_set(call, "status", status_name, CERTIFICATE_STATUS_COUNT, &filter->statuses) &&
           query_set(call, "source", source_name, CERTIFICATE_SOURCE_COUNT, &filter->sources);
}

/* Later beginnings and earlier ends win: all that is asked for must hold. */
static void begin_at(int64_t *from_s, int64_t at_s)
{
    if (*from_s < at_s)
        *from_s = at_s;
}

static void end_at(int64_t *to_s, int64_t at_s)
{
    if (*to_s == 0 || *to_s > at_s)
        *to_s = at_s;
}

static bool read_times(struct registry_call *call, struct certificate_filter *filter)
{
    int64_t now_s = call->actor.now_ms / 1000;
    int64_t within_s = 0;
    bool asks_expired, is_expired, asks_expiring;
    if (!query_time(call, "not_before_from", &filter->not_before_from_s) ||
        !query_time(call, "not_before_to", &filter->not_before_to_s) ||
        !query_time(call, "not_after_from", &filter->not_after_from_s) ||
        !query_time(call, "not_after_to", &filter->not_after_to_s) ||
        !query_switch(call, "expired", &asks_expired, &is_expired) ||
        !query_period(call, "expiring", call->facts->expiring_within_s, &asks_expiring, &within_s))
        return false;
    /* From the second of its notAfter on it is past its end. */
    if (asks_expired && is_expired)
        end_at(&filter->not_after_to_s, now_s + 1);
    if ((asks_expired && !is_expired) || asks_expiring)
        begin_at(&filter->not_after_from_s, now_s + 1);
    if (asks_expiring)
        end_at(&filter->not_after_to_s, now_s + within_s);
    return true;
}

static bool read_page(struct registry_call *call, struct wish *wish)
{
    static const char *const directions[] = {"asc", "desc", NULL};
    struct certificate_filter *filter = &wish->filter;
    unsigned order = ORDER_CREATED, direction = 0;
    int64_t limit = PAGE;
    bool is_said;
    if (!query_choice(call, "sort", orders, &order) ||
        !query_choice(call, "order", directions, &direction) ||
        !query_number(call, "limit", 1, STORE_PAGE_MOST, &limit) ||
        !query_text(call, "after", STORE_CURSOR_BYTES - 1, &filter->after) ||
        !query_switch(call, "count", &is_said, &wish->counts))
        return false;
    filter->order = (enum certificate_order)order;
    filter->descending = direction == 1;
    filter->limit = (unsigned)limit;
    return true;
}

static bool begin(struct registry_call *call)
{
    struct wish *wish = calloc(1, sizeof *wish);
    call->own = wish;
    if (!wish)
        return registry_call_refuse_memory(call);
    return read_texts(call, wish) && read_times(call, &wish->filter) && read_page(call, wish);
}

static void done(struct registry_call *call)
{
    free(call->own);
}

/* --- the answer ---------------------------------------------------------------------------- */

struct writing {
    struct json_writer *answer;
    const struct ca_names *names;
};

static bool write_certificate(void *arg, const struct certificate_record *record)
{
    const struct writing *writing = arg;
    record_json_certificate(writing->answer, NULL, record,
                            ca_names_find(writing->names, record->ca));
    return true;
}

static bool visit_nothing(void *arg, const struct certificate_record *record)
{
    (void)arg;
    (void)record;
    return false;
}

/* A store that fails and a cursor that is none look alike: does it fail without the cursor, too? */
static bool refuse_find(struct registry_call *call, struct ledger *ledger,
                        enum store_outcome outcome, const struct error *err)
{
    char cursor[STORE_CURSOR_BYTES];
    struct error ignored;
    struct certificate_filter first = ((const struct wish *)call->own)->filter;
    if (!first.after || outcome != STORE_FAILED)
        return registry_call_refuse_store(call, outcome, err->text);
    first.after = NULL;
    first.limit = 1;
    outcome =
        ledger->store->find_certificates(ledger, &first, visit_nothing, NULL, cursor, &ignored);
    if (outcome != STORE_DONE && outcome != STORE_NOTHING)
        return registry_call_refuse_store(call, outcome, err->text);
    return registry_call_refuse(call, 400, "bad-input",
                                "after: \"%.60s\" is not possible: write what the page before gave "
                                "as the next one, with the same filters and order",
                                ((const struct wish *)call->own)->filter.after);
}

static bool write_page(struct registry_call *call, struct ledger *ledger,
                       const struct ca_names *names)
{
    const struct wish *wish = call->own;
    struct writing writing = {&call->answer, names};
    char cursor[STORE_CURSOR_BYTES] = "";
    struct error err = {""};
    writer_array(registry_call_answer(call, 200), "certificates");
    enum store_outcome outcome = ledger->store->find_certificates(
        ledger, &wish->filter, write_certificate, &writing, cursor, &err);
    if (outcome != STORE_DONE && outcome != STORE_NOTHING)
        return refuse_find(call, ledger, outcome, &err);
    writer_end(&call->answer);
    writer_text(&call->answer, "next", cursor[0] ? cursor : NULL);
    return true;
}

static bool write_count(struct registry_call *call, struct ledger *ledger)
{
    const struct wish *wish = call->own;
    struct error err = {""};
    int64_t count = 0;
    if (!wish->counts)
        return true;
    enum store_outcome outcome =
        ledger->store->count_certificates(ledger, &wish->filter, &count, &err);
    if (outcome != STORE_DONE && outcome != STORE_NOTHING)
        return registry_call_refuse_store(call, outcome, err.text);
    writer_number(&call->answer, "count", count);
    return true;
}

static bool find_ca(struct registry_call *call, const struct ca_names *names)
{
    struct wish *wish = call->own;
    if (!wish->ca)
        return true;
    if (!ca_names_resolve(names, wish->ca, wish->ca_id))
        return registry_call_refuse(call, 404, "unknown", "there is no CA \"%.80s\"", wish->ca);
    wish->filter.ca = wish->ca_id;
    return true;
}

static void list(struct registry_call *call, struct ledger *ledger)
{
    struct ca_names names = {0};
    struct error err = {""};
    enum store_outcome outcome = ca_names_read(&names, ledger, &err);
    if (outcome != STORE_DONE && outcome != STORE_NOTHING)
        registry_call_refuse_store(call, outcome, err.text);
    else if (find_ca(call, &names) && write_page(call, ledger, &names) && write_count(call, ledger))
        registry_call_end(call);
    ca_names_done(&names);
}

static void nothing(struct registry_call *call)
{
    const struct wish *wish = call->own;
    writer_array(registry_call_answer(call, 200), "certificates");
    writer_end(&call->answer);
    writer_text(&call->answer, "next", NULL);
    if (wish->counts)
        writer_number(&call->answer, "count", 0);
    registry_call_end(call);
}

const struct call_steps call_certificates_list = {
    .keys = keys, .begin = begin, .work = list, .nothing = nothing, .done = done};
