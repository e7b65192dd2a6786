/* SPDX-License-Identifier: Apache-2.0 */
/* See search.h. */
#include "listeners/registry/sqlite/search.h"

#include <stdlib.h>
#include <string.h>

#include "listeners/registry/sqlite/ca_numbers.h"
#include "listeners/registry/sqlite/ledger.h"

static bool read_text(struct search_text *text, const char *wish)
{
    size_t length = wish ? strlen(wish) : 0;
    bool rest = length > 0 && wish[length - 1] == '*';
    bool front = rest && length > 1 && wish[0] == '*';
    if (!wish)
        return true;
    if (front)
        wish++;
    length -= (size_t)rest + (size_t)front;
    if (rest && length == 0)
        return true;
    text->match = front ? MATCH_PART : rest ? MATCH_BEGIN : MATCH_WHOLE;
    text->low = malloc(2 * length + 3);
    text->high = malloc(length + 2);
    if (!text->low || !text->high)
        return false;
    char *low = text->low;
    if (front)
        *low++ = '%';
    for (size_t i = 0; i < length; i++) {
        if (front && strchr("%_\\", wish[i]))
            *low++ = '\\';
        *low++ = wish[i];
    }
    if (front)
        *low++ = '%';
    *low = '\0';
    /* No UTF-8 text has this byte: whatever begins so stands before it. */
    memcpy(text->high, wish, length);
    memcpy(text->high + length, "\xff", 2);
    return true;
}

/* Serials are kept in capitals, and compared as they are. */
static void to_capitals(struct search_text *serial)
{
    char *const texts[] = {serial->low, serial->high};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        for (char *byte = texts[i]; byte && *byte; byte++)
            if (*byte >= 'a' && *byte <= 'z')
                *byte = (char)(*byte - ('a' - 'A'));
}

static enum store_outcome read_texts(struct search *search, struct sqlite_ledger *l,
                                     struct error *err)
{
    const struct certificate_filter *filter = search->filter;
    const char *const wishes[FIELD_COUNT] = {filter->serial, filter->common_name, filter->unit,
                                             filter->client_id};
    for (int i = 0; i < FIELD_COUNT; i++) {
        if (wishes[i] && strlen(wishes[i]) > STORE_TEXT_BYTES + 2) {
            search->is_hopeless = true;
            return STORE_DONE;
        }
        if (!read_text(&search->texts[i], wishes[i]))
            return sqlite_fail(l, SQLITE_NOMEM, err);
    }
    to_capitals(&search->texts[FIELD_SERIAL]);
    return STORE_DONE;
}

static enum store_outcome read_cursor(struct search *search, const struct sqlite_ledger *l,
                                      struct error *err)
{
    const struct certificate_filter *filter = search->filter;
    search->has_cursor = filter->after && *filter->after;
    if (!search->has_cursor || cursor_read(filter->after, filter->order, filter->descending,
                                           search_order_is_text(search), &search->cursor))
        return STORE_DONE;
    error_set(err,
              "the registry %s knows no such place to go on from: it must be what the page before "
              "gave, for the same order",
              l->path);
    return STORE_FAILED;
}

enum store_outcome search_init(struct search *search, struct sqlite_ledger *l,
                               const struct certificate_filter *filter, struct error *err)
{
    *search = (struct search){.filter = filter, .limit = filter->limit};
    if (search->limit < 1)
        search->limit = 1;
    if (search->limit > STORE_PAGE_MOST)
        search->limit = STORE_PAGE_MOST;
    enum store_outcome outcome = read_texts(search, l, err);
    if (outcome == STORE_DONE)
        outcome = read_cursor(search, l, err);
    if (outcome == STORE_DONE && filter->ca)
        outcome = ca_number_find(l, filter->ca, &search->ca, err);
    if (outcome != STORE_NOTHING)
        return outcome;
    search->is_hopeless = true;
    return STORE_DONE;
}

void search_done(struct search *search)
{
    for (int i = 0; i < FIELD_COUNT; i++) {
        free(search->texts[i].low);
        free(search->texts[i].high);
    }
}

bool search_narrows(const struct search *search, enum search_way way)
{
    const struct certificate_filter *filter = search->filter;
    switch (way) {
    case WAY_SERIAL:
    case WAY_COMMON_NAME:
    case WAY_UNIT:
    case WAY_CLIENT_ID:
        return search->texts[way].match == MATCH_WHOLE || search->texts[way].match == MATCH_BEGIN;
    case WAY_CA:
        return filter->ca != NULL;
    case WAY_STATUS:
        return filter->statuses != 0 && !(filter->statuses & 1u << CERTIFICATE_ACTIVATED);
    case WAY_NOT_BEFORE:
        return filter->not_before_from_s != 0 || filter->not_before_to_s != 0;
    case WAY_NOT_AFTER:
        return filter->not_after_from_s != 0 || filter->not_after_to_s != 0;
    case WAY_ALL:
    case WAY_ORDER:
    case WAY_COUNT:
        return false;
    }
    return false;
}
