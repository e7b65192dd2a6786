/* SPDX-License-Identifier: Apache-2.0 */
/* What a call's JSON body may hold: a table of members, strictly checked before anything is done.
 */
#ifndef LB_ADMIN_REGISTRY_CALL_BODY_H
#define LB_ADMIN_REGISTRY_CALL_BODY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct error;

enum field_type {
    FIELD_TEXT,
    FIELD_FLAG,
    FIELD_NUMBER,
    FIELD_TEXTS,   /* a list of texts */
    FIELD_OBJECTS, /* a list of objects: see inner */
};

struct call_field {
    const char *name; /* NULL: the end of the table */
    enum field_type type;
    bool is_needed;
    long least;                     /* of a number */
    long most;                      /* of a number, or of a text's bytes, also in a list */
    const struct call_field *inner; /* what each object of a list holds */
};

/**
 * Does a body hold nothing but these fields, all that are needed, each of its type and size?
 *
 * fields   closed by a row without a name; NULL: there may be no body, or an empty object
 * json     NULL: there is none
 * Fails:   err names the member, what it is and what would be right.   Thread: any.
 */
bool call_body_check(const struct call_field *fields, const json_t *json, struct error *err);

/** Members of a body that was checked. A text that is not there: NULL; a flag or number:
 * `standard`.
 */
const char *body_text(const json_t *json, const char *name);
bool body_flag(const json_t *json, const char *name, bool standard);
long body_number(const json_t *json, const char *name, long standard);

#endif
