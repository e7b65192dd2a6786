/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/admin/registry/ca_names.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A list that grows while the store is read. */
struct reading {
    struct ca_names *names;
    size_t room;
    bool has_failed;
};

static bool add(void *arg, const struct ca_record *ca)
{
    struct reading *reading = arg;
    struct ca_names *names = reading->names;
    if (names->count == reading->room) {
        size_t room = reading->room ? reading->room * 2 : 32;
        struct ca_names_row *rows = realloc(names->rows, room * sizeof *rows);
        reading->has_failed = rows == NULL;
        if (!rows)
            return false;
        names->rows = rows;
        reading->room = room;
    }
    struct ca_names_row *row = &names->rows[names->count++];
    snprintf(row->id, sizeof row->id, "%s", ca->id);
    snprintf(row->name, sizeof row->name, "%s", ca->name);
    return true;
}

enum store_outcome ca_names_read(struct ca_names *names, struct ledger *ledger, struct error *err)
{
    struct reading reading = {.names = names};
    enum store_outcome outcome = ledger->store->each_ca(ledger, add, &reading, err);
    if (!reading.has_failed)
        return outcome;
    error_set(err, "out of memory");
    return STORE_FAILED;
}

void ca_names_done(struct ca_names *names)
{
    free(names->rows);
    *names = (struct ca_names){0};
}

const char *ca_names_find(const struct ca_names *names, const char *id)
{
    for (size_t i = 0; i < names->count; i++)
        if (strcmp(names->rows[i].id, id) == 0)
            return names->rows[i].name;
    return NULL;
}

static bool is_id(const char *text)
{
    size_t digits = 0;
    while (isxdigit((unsigned char)text[digits]))
        digits++;
    return digits == CA_ID_LENGTH && text[digits] == '\0';
}

bool ca_names_resolve(const struct ca_names *names, const char *which,
                      char ret_id[CA_ID_LENGTH + 1])
{
    for (size_t i = 0; i < names->count; i++) {
        const struct ca_names_row *row = &names->rows[i];
        if (strcasecmp(row->id, which) != 0 && strcmp(row->name, which) != 0)
            continue;
        memcpy(ret_id, row->id, CA_ID_LENGTH + 1);
        return true;
    }
    if (!is_id(which))
        return false;
    for (int i = 0; i <= CA_ID_LENGTH; i++)
        ret_id[i] = (char)tolower((unsigned char)which[i]);
    return true;
}
