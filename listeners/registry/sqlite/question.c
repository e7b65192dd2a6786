/* SPDX-License-Identifier: Apache-2.0 */
/* The questions of a search: see search.h. */
#include <string.h>

#include "lb/base/draft.h"
#include "listeners/registry/sqlite/certificates.h"
#include "listeners/registry/sqlite/search.h"

/* The parameters, by number. Those of texts: two for each. */
enum {
    ASK_STATUSES = 1,
    ASK_SOURCES,
    ASK_CA,
    ASK_NOT_BEFORE_FROM,
    ASK_NOT_BEFORE_TO,
    ASK_NOT_AFTER_FROM,
    ASK_NOT_AFTER_TO,
    ASK_TEXTS,
    ASK_UNIT_HASH = ASK_TEXTS + 2 * FIELD_COUNT,
    ASK_PLACE,
    ASK_PLACE_ID,
    ASK_LIMIT,
};

struct order {
    const char *column;
    const char *index;
    bool is_text;
    enum search_way way; /* that reads the same index; WAY_ORDER: none */
};

// clang-format off
static const struct order orders[] = {
    [ORDER_CREATED] = {"created_ms", "certificate_by_created", false, WAY_ORDER},
    [ORDER_SERIAL] = {"serial", "certificate_by_serial", true, WAY_SERIAL},
    [ORDER_COMMON_NAME] = {"common_name", "certificate_by_common_name", true, WAY_COMMON_NAME},
    [ORDER_UNIT] = {"unit", "certificate_by_unit", true, WAY_UNIT},
    [ORDER_CLIENT_ID] = {"client_id", "certificate_by_client_id", true, WAY_CLIENT_ID},
    [ORDER_NOT_BEFORE] = {"not_before_s", "certificate_by_not_before", false, WAY_NOT_BEFORE},
    [ORDER_NOT_AFTER] = {"not_after_s", "certificate_by_not_after", false, WAY_NOT_AFTER},
    [ORDER_UPDATED] = {"revision", "certificate_by_updated", false, WAY_ORDER},
};

static const char *const way_index[WAY_COUNT] = {
    [WAY_SERIAL] = "certificate_by_serial",
    [WAY_COMMON_NAME] = "certificate_by_common_name",
    [WAY_UNIT] = "certificate_by_unit",
    [WAY_CLIENT_ID] = "certificate_by_client_id",
    [WAY_CA] = "certificate_by_ca",
    [WAY_STATUS] = "certificate_by_odd_status",
    [WAY_NOT_BEFORE] = "certificate_by_not_before",
    [WAY_NOT_AFTER] = "certificate_by_not_after",
    [WAY_ALL] = "certificate_by_created",
};

static const char *const field_column[FIELD_COUNT] = {"serial", "common_name", "unit", "client_id"};
// clang-format on

bool search_order_is_text(const struct search *search)
{
    return orders[search->filter->order].is_text;
}

bool search_order_is_of(const struct search *search, enum search_field field)
{
    return orders[search->filter->order].way == (enum search_way)field;
}

/* --- pieces ---------------------------------------------------------------------------------- */

/* What follows: a term, and AND before it. */
static void put_and(struct draft *draft)
{
    draft_text(draft, " AND ");
}

/* "column >= ?8"; a "+" before it keeps SQLite from reading the index by it. */
static void put_term(struct draft *draft, const char *before, const char *column, const char *test,
                     int ask)
{
    put_and(draft);
    draft_text(draft, before);
    draft_text(draft, column);
    draft_text(draft, test);
    draft_number(draft, (uint64_t)ask, 1);
}

/* Of two bounds on one side, the cursor is the nearer one; the other must still hold. */
struct bounds {
    const char *low, *high;
};

static struct bounds bounds_of(const struct search *search, const char *column, enum search_way way)
{
    const struct certificate_filter *filter = search->filter;
    bool is_cursors =
        search->has_cursor && way == WAY_ORDER && strcmp(orders[filter->order].column, column) == 0;
    return (struct bounds){is_cursors && !filter->descending ? "+" : "",
                           is_cursors && filter->descending ? "+" : ""};
}

static void put_text(struct draft *draft, const struct search *search, int field,
                     enum search_way way)
{
    const char *column = field_column[field];
    int ask = ASK_TEXTS + 2 * field;
    struct bounds bounds = bounds_of(search, column, way);
    switch (search->texts[field].match) {
    case MATCH_ANY:
        return;
    case MATCH_WHOLE:
        put_term(draft, "", column, " = ?", ask);
        return;
    case MATCH_BEGIN:
        put_term(draft, bounds.low, column, " >= ?", ask);
        put_term(draft, bounds.high, column, " < ?", ask + 1);
        return;
    case MATCH_PART:
        put_term(draft, "", column, " LIKE ?", ask);
        draft_text(draft, " ESCAPE '\\'");
        return;
    }
}

static void put_times(struct draft *draft, const struct search *search, enum search_way of,
                      enum search_way way)
{
    const struct certificate_filter *filter = search->filter;
    bool is_begin = of == WAY_NOT_BEFORE;
    const char *column = is_begin ? "not_before_s" : "not_after_s";
    int ask = is_begin ? ASK_NOT_BEFORE_FROM : ASK_NOT_AFTER_FROM;
    struct bounds bounds = bounds_of(search, column, way);
    if ((is_begin ? filter->not_before_from_s : filter->not_after_from_s) != 0)
        put_term(draft, bounds.low, column, " >= ?", ask);
    if ((is_begin ? filter->not_before_to_s : filter->not_after_to_s) != 0)
        put_term(draft, bounds.high, column, " < ?", ask + 1);
}

/* The set as numbers, for an index that only holds what is not ACTIVATED. */
static void put_odd_statuses(struct draft *draft, const struct search *search)
{
    const char *comma = "";
    put_and(draft);
    draft_text(draft, "status > 0 AND status IN (");
    for (unsigned i = 1; i < CERTIFICATE_STATUS_COUNT; i++)
        if (search->filter->statuses & 1u << i) {
            draft_text(draft, comma);
            draft_number(draft, i, 1);
            comma = ",";
        }
    draft_text(draft, ")");
}

/* What the index of this way is read by. */
static void put_way(struct draft *draft, const struct search *search, enum search_way way)
{
    switch (way) {
    case WAY_SERIAL:
    case WAY_COMMON_NAME:
    case WAY_UNIT:
    case WAY_CLIENT_ID:
        put_text(draft, search, (int)way, way);
        return;
    case WAY_CA:
        put_term(draft, "", "ca", " = ?", ASK_CA);
        return;
    case WAY_STATUS:
        put_odd_statuses(draft, search);
        return;
    case WAY_NOT_BEFORE:
    case WAY_NOT_AFTER:
        put_times(draft, search, way, way);
        return;
    case WAY_ALL:
    case WAY_ORDER:
    case WAY_COUNT:
        return;
    }
}

/* All that must hold. SQLite asks in this order: what may say no most often comes first. */
static void put_filter(struct draft *draft, const struct search *search, enum search_way way)
{
    const struct certificate_filter *filter = search->filter;
    if (way == WAY_STATUS)
        put_odd_statuses(draft, search);
    if (filter->ca)
        put_term(draft, "", "ca", " = ?", ASK_CA);
    if (search->texts[FIELD_UNIT].match == MATCH_WHOLE && way != WAY_UNIT)
        put_term(draft, "", "unit_hash", " = ?", ASK_UNIT_HASH);
    put_times(draft, search, WAY_NOT_BEFORE, way);
    put_times(draft, search, WAY_NOT_AFTER, way);
    if (filter->sources != 0) {
        put_and(draft);
        draft_text(draft, "((1 << source) & ?");
        draft_number(draft, ASK_SOURCES, 1);
        draft_text(draft, ") <> 0");
    }
    put_and(draft);
    draft_text(draft, "((1 << status) & ?");
    draft_number(draft, ASK_STATUSES, 1);
    draft_text(draft, ") <> 0");
    for (int field = 0; field < FIELD_COUNT; field++)
        put_text(draft, search, field, way);
}

/* Behind the last row of the page before. Where all rows of the order have one value, it is only
 * the ids that go on. */
static void put_place(struct draft *draft, const struct search *search, const struct order *order)
{
    const char *sign = search->filter->descending ? " < " : " > ";
    bool is_one = order->is_text && search->texts[order->way].match == MATCH_WHOLE;
    if (!search->has_cursor)
        return;
    put_and(draft);
    if (is_one) {
        draft_text(draft, "id");
        draft_text(draft, sign);
        draft_text(draft, "?");
        draft_number(draft, ASK_PLACE_ID, 1);
        return;
    }
    draft_text(draft, "(");
    draft_text(draft, order->column);
    draft_text(draft, ", id)");
    draft_text(draft, sign);
    draft_text(draft, "(?");
    draft_number(draft, ASK_PLACE, 1);
    draft_text(draft, ", ?");
    draft_number(draft, ASK_PLACE_ID, 1);
    draft_text(draft, ")");
}

static void put_from(struct draft *draft, const char *index)
{
    draft_text(draft, " FROM certificate INDEXED BY ");
    draft_text(draft, index);
    draft_text(draft, " WHERE 1");
}

static void put_limit(struct draft *draft)
{
    draft_text(draft, " LIMIT ?");
    draft_number(draft, ASK_LIMIT, 1);
}

/* The longest question has 1,500 bytes: all of it always fits. */
static void end(struct draft *draft)
{
    draft->at[draft->used] = '\0';
}

/* --- whole ones ---------------------------------------------------------------------------- */

void search_write_page(const struct search *search, enum search_way way, char *into)
{
    struct draft draft = draft_in(into, SEARCH_QUESTION_BYTES - 1);
    const struct order *order = &orders[search->filter->order];
    const char *direction = search->filter->descending ? " DESC" : "";
    draft_text(&draft, "SELECT id, ");
    draft_text(&draft, order->column);
    put_from(&draft, way == WAY_ORDER ? order->index : way_index[way]);
    put_filter(&draft, search, way);
    put_place(&draft, search, order);
    draft_text(&draft, " ORDER BY ");
    draft_text(&draft, order->column);
    draft_text(&draft, direction);
    draft_text(&draft, ", id");
    draft_text(&draft, direction);
    put_limit(&draft);
    end(&draft);
}

void search_write_count(const struct search *search, enum search_way way, char *into)
{
    struct draft draft = draft_in(into, SEARCH_QUESTION_BYTES - 1);
    draft_text(&draft, "SELECT count(*)");
    put_from(&draft, way_index[way]);
    put_filter(&draft, search, way);
    put_limit(&draft);
    end(&draft);
}

void search_write_probe(const struct search *search, enum search_way way, char *into)
{
    struct draft draft = draft_in(into, SEARCH_QUESTION_BYTES - 1);
    draft_text(&draft, "SELECT count(*) FROM (SELECT 1");
    put_from(&draft, way_index[way]);
    put_way(&draft, search, way);
    put_limit(&draft);
    draft_text(&draft, ")");
    end(&draft);
}

static void bind_texts(const struct search *search, struct call *call)
{
    for (int i = 0; i < FIELD_COUNT; i++) {
        call_text_at(call, ASK_TEXTS + 2 * i, search->texts[i].low);
        call_text_at(call, ASK_TEXTS + 2 * i + 1, search->texts[i].high);
    }
    if (search->texts[FIELD_UNIT].match == MATCH_WHOLE)
        call_int_at(call, ASK_UNIT_HASH, fold_hash(search->texts[FIELD_UNIT].low));
}

void search_bind(const struct search *search, struct call *call, int64_t limit)
{
    const struct certificate_filter *filter = search->filter;
    call_int_at(call, ASK_STATUSES,
                filter->statuses != 0 ? filter->statuses : ~(1u << CERTIFICATE_DELETED));
    call_int_at(call, ASK_SOURCES, filter->sources);
    call_int_at(call, ASK_CA, search->ca);
    call_int_at(call, ASK_NOT_BEFORE_FROM, filter->not_before_from_s);
    call_int_at(call, ASK_NOT_BEFORE_TO, filter->not_before_to_s);
    call_int_at(call, ASK_NOT_AFTER_FROM, filter->not_after_from_s);
    call_int_at(call, ASK_NOT_AFTER_TO, filter->not_after_to_s);
    bind_texts(search, call);
    if (search->has_cursor && search->cursor.is_text)
        call_text_at(call, ASK_PLACE, search->cursor.text);
    else
        call_int_at(call, ASK_PLACE, search->cursor.number);
    call_int_at(call, ASK_PLACE_ID, search->cursor.id);
    call_int_at(call, ASK_LIMIT, limit);
}
