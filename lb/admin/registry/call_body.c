/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/admin/registry/call_body.h"

#include <stdio.h>
#include <string.h>

#include "lb/base/error.h"
#include "lb/base/nearest.h"

/* A place is a member, an index and a member: the precisions below cut none of ours. */
enum { PLACE_BYTES = 96, KNOWN_BYTES = 256 };

static const char *type_of(const json_t *json)
{
    switch (json_typeof(json)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "a list";
    case JSON_STRING:
        return "a text";
    case JSON_INTEGER:
        return "a number";
    case JSON_REAL:
        return "a number with a fraction";
    case JSON_TRUE:
    case JSON_FALSE:
        return "true or false";
    case JSON_NULL:
        return "null";
    }
    return "nothing";
}

/* "name", "pem" or "ca" … */
static void write_known(const struct call_field *fields, char into[KNOWN_BYTES])
{
    size_t used = 0;
    into[0] = '\0';
    for (; fields->name && used < KNOWN_BYTES; fields++)
        used += (size_t)snprintf(into + used, KNOWN_BYTES - used, "%s\"%s\"", used ? ", " : "",
                                 fields->name);
}

static const struct call_field *find(const struct call_field *fields, const char *name)
{
    for (; fields->name; fields++)
        if (strcmp(fields->name, name) == 0)
            return fields;
    return NULL;
}

static bool refuse_unknown(const struct call_field *fields, const char *place, const char *name,
                           struct error *err)
{
    struct nearest nearest = nearest_to(name);
    char known[KNOWN_BYTES];
    for (const struct call_field *field = fields; field->name; field++)
        nearest_offer(&nearest, field->name);
    if (nearest.best)
        return error_set(err, "%s has no member \"%.60s\": did you mean \"%s\"?", place, name,
                         nearest.best);
    write_known(fields, known);
    return error_set(err, "%s has no member \"%.60s\": it may have %s", place, name, known);
}

static bool text_fits(const struct call_field *field, const char *place, const json_t *value,
                      struct error *err)
{
    if (!json_is_string(value))
        return error_set(err, "%s must be a text, not %s", place, type_of(value));
    size_t bytes = json_string_length(value);
    if (bytes > (size_t)field->most)
        return error_set(err, "%s has %zu bytes: at most %ld", place, bytes, field->most);
    return true;
}

static bool number_fits(const struct call_field *field, const char *place, const json_t *value,
                        struct error *err)
{
    if (!json_is_integer(value))
        return error_set(err, "%s must be a whole number, not %s", place, type_of(value));
    json_int_t number = json_integer_value(value);
    if (number < field->least || number > field->most)
        return error_set(err, "%s is %" JSON_INTEGER_FORMAT ": %ld to %ld is possible", place,
                         number, field->least, field->most);
    return true;
}

static bool object_fits(const struct call_field *fields, const char *place, const json_t *json,
                        struct error *err);

static bool list_fits(const struct call_field *field, const char *place, const json_t *value,
                      struct error *err)
{
    char inner[PLACE_BYTES];
    if (!json_is_array(value))
        return error_set(err, "%s must be a list, not %s", place, type_of(value));
    for (size_t i = 0; i < json_array_size(value); i++) {
        const json_t *item = json_array_get(value, i);
        snprintf(inner, sizeof inner, "%.60s[%zu]", place, i);
        if (field->type == FIELD_TEXTS ? !text_fits(field, inner, item, err)
                                       : !object_fits(field->inner, inner, item, err))
            return false;
    }
    return true;
}

static bool value_fits(const struct call_field *field, const char *where, const json_t *value,
                       struct error *err)
{
    char place[PLACE_BYTES];
    snprintf(place, sizeof place, "%.60s\"%.30s\"", where, field->name);
    switch (field->type) {
    case FIELD_TEXT:
        return text_fits(field, place, value, err);
    case FIELD_FLAG:
        return json_is_boolean(value) ||
               error_set(err, "%s must be true or false, not %s", place, type_of(value));
    case FIELD_NUMBER:
        return number_fits(field, place, value, err);
    case FIELD_TEXTS:
    case FIELD_OBJECTS:
        return list_fits(field, place, value, err);
    }
    return false;
}

/* place: "the body", "\"certificates\"[3]" */
static bool object_fits(const struct call_field *fields, const char *place, const json_t *json,
                        struct error *err)
{
    char known[KNOWN_BYTES], where[PLACE_BYTES];
    const char *name;
    json_t *value;
    write_known(fields, known);
    if (!json_is_object(json))
        return error_set(err, "%s must be a JSON object with %s, not %s", place, known,
                         type_of(json));
    snprintf(where, sizeof where, "%s%s", place[0] == '"' ? place : "", place[0] == '"' ? "." : "");
    json_object_foreach((json_t *)json, name, value)
    {
        const struct call_field *field = find(fields, name);
        if (!field)
            return refuse_unknown(fields, place, name, err);
        if (!value_fits(field, where, value, err))
            return false;
    }
    for (; fields->name; fields++)
        if (fields->is_needed && !json_object_get(json, fields->name))
            return error_set(err, "%s\"%s\" is missing", where, fields->name);
    return true;
}

static bool has_needed(const struct call_field *fields)
{
    for (; fields->name; fields++)
        if (fields->is_needed)
            return true;
    return false;
}

bool call_body_check(const struct call_field *fields, const json_t *json, struct error *err)
{
    char known[KNOWN_BYTES];
    if (!fields)
        return !json || (json_is_object(json) && json_object_size(json) == 0) ||
               error_set(err, "this call takes no body");
    if (json)
        return object_fits(fields, "the body", json, err);
    if (!has_needed(fields))
        return true;
    write_known(fields, known);
    return error_set(err, "there is no body: it must be a JSON object with %s", known);
}

const char *body_text(const json_t *json, const char *name)
{
    return json_string_value(json_object_get(json, name));
}

bool body_flag(const json_t *json, const char *name, bool standard)
{
    const json_t *value = json_object_get(json, name);
    return value ? json_is_true(value) : standard;
}

long body_number(const json_t *json, const char *name, long standard)
{
    const json_t *value = json_object_get(json, name);
    return value ? (long)json_integer_value(value) : standard;
}
