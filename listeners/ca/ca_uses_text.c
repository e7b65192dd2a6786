/* SPDX-License-Identifier: Apache-2.0 */
#include "listeners/ca/ca_uses_text.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "lb/base/error.h"
#include "lb/base/hex.h"
#include "lb/base/limits.h"
#include "listeners/ca/ca_uses.h"

/* Of the text's shape: what another version wrote is not guessed at. */
enum { VERSION = 1 };

/* --- writing ------------------------------------------------------------------------------- */

static json_t *use_json(const struct ca_roll *roll, const struct ca_use *use)
{
    const struct ca_use_facts facts = ca_use_read(roll, use);
    char key[2 * CA_KEY_BYTES + 1];
    *hex_write(key, use->key, CA_KEY_BYTES, hex_lower) = '\0';
    /* Names are made UTF-8 when they are read; should one not be, it is left out. */
    json_t *subject = json_string(use->subject);
    return json_pack("{s:s, s:s, s:s, s:o, s:b, s:I, s:I, s:I, s:I, s:I}", "listener",
                     roll->listener, "domain", roll->domain, "key", key, "subject",
                     subject ? subject : json_string(""), "named",
                     (int)atomic_load_explicit(&use->is_named, memory_order_relaxed), "full",
                     (json_int_t)facts.full, "resumed", (json_int_t)facts.resumed, "since",
                     (json_int_t)facts.since_s, "last_seen", (json_int_t)facts.last_seen_s, "idle",
                     (json_int_t)facts.idle_s);
}

static void add_roll(json_t *list, const struct ca_roll *roll)
{
    for (const struct ca_use *use = ca_roll_next(roll, NULL); use; use = ca_roll_next(roll, use))
        json_array_append_new(list, use_json(roll, use)); /* one that is no UTF-8 is left out */
}

char *ca_uses_write(const struct ca_uses *uses)
{
    json_t *list = json_array();
    for (const struct ca_roll *roll = ca_uses_first(uses); roll && list; roll = roll->next)
        add_roll(list, roll);
    json_t *all = json_pack("{s:i, s:o}", "version", VERSION, "uses", list);
    char *text = all ? json_dumps(all, JSON_INDENT(1)) : NULL;
    json_decref(all);
    return text;
}

/* --- reading ------------------------------------------------------------------------------- */

struct line {
    const char *listener, *domain, *subject;
    unsigned char key[CA_KEY_BYTES];
    int is_named;
    json_int_t full, resumed, since_s, last_seen_s, idle_s;
};

static bool read_key(const char *hex, unsigned char into[CA_KEY_BYTES])
{
    return strlen(hex) == (size_t)2 * CA_KEY_BYTES && hex_read(hex, into, CA_KEY_BYTES);
}

static bool read_line(const json_t *json, struct line *ret_line)
{
    const char *key = NULL;
    struct line *line = ret_line;
    *line = (struct line){0};
    return json_unpack((json_t *)json, "{s:s, s:s, s:s, s:s, s:b, s:I, s:I, s:I, s:I, s:I}",
                       "listener", &line->listener, "domain", &line->domain, "key", &key, "subject",
                       &line->subject, "named", &line->is_named, "full", &line->full, "resumed",
                       &line->resumed, "since", &line->since_s, "last_seen", &line->last_seen_s,
                       "idle", &line->idle_s) == 0 &&
           read_key(key, line->key) && line->full >= 0 && line->resumed >= 0 &&
           line->since_s >= 0 && line->last_seen_s >= 0 && line->idle_s >= 0;
}

static bool is_forgotten(const struct ca_uses *uses, const struct line *line)
{
    int64_t last_s = line->last_seen_s > line->since_s ? line->last_seen_s : line->since_s;
    return !line->is_named && ca_uses_wall_s(uses) - last_s > CA_USES_FORGOTTEN_S;
}

static void take(struct ca_uses *uses, const struct line *line)
{
    struct ca_roll *roll = ca_uses_roll(uses, line->listener, line->domain);
    struct ca_use *use = roll ? ca_roll_use(roll, line->key, line->subject, !line->is_named) : NULL;
    if (!use)
        return; /* more than lb counts: those that are named are counted anew */
    use->since_s = line->since_s;
    use->was_named = line->is_named != 0;
    atomic_store(&use->full, (uint64_t)line->full);
    atomic_store(&use->resumed, (uint64_t)line->resumed);
    atomic_store(&use->last_seen_s, line->last_seen_s);
    atomic_store(&use->idle_from_s, ca_uses_run_s(uses) - line->idle_s);
}

/* All of it is looked at before any of it counts. */
static bool take_all(struct ca_uses *uses, const json_t *list, struct error *err)
{
    struct line line;
    size_t i;
    const json_t *json;
    if (json_array_size(list) > CA_USES_MOST)
        return error_set(err, "it has more than %d entries", (int)CA_USES_MOST);
    for (i = 0; (json = json_array_get(list, i)); i++)
        if (!read_line(json, &line))
            return error_set(err, "entry %zu of its \"uses\" is not as lb writes it", i + 1);
    for (i = 0; (json = json_array_get(list, i)); i++)
        if (read_line(json, &line) && !is_forgotten(uses, &line))
            take(uses, &line);
    return true;
}

bool ca_uses_read(struct ca_uses *uses, const char *text, size_t bytes, struct error *err)
{
    json_error_t wrong;
    json_t *all = json_loadb(text, bytes, JSON_REJECT_DUPLICATES, &wrong);
    const json_t *list = json_object_get(all, "uses");
    bool is_good = false;
    if (!all)
        error_set(err, "it is no JSON: line %d: %s", wrong.line, wrong.text);
    else if (json_integer_value(json_object_get(all, "version")) != VERSION || !json_is_array(list))
        error_set(err, "it is not as this version of lb writes it");
    else
        is_good = take_all(uses, list, err);
    json_decref(all);
    return is_good;
}
