/* SPDX-License-Identifier: Apache-2.0 */
/* See store.h. */
#include "listeners/registry/store.h"

#include <stdio.h>
#include <string.h>

/* "sqlite:PATH, …:PATH" */
static void list_kinds(char *into, size_t room)
{
    size_t used = 0;
    *into = '\0';
    for (int i = 0; stores[i] && used < room; i++)
        used += (size_t)snprintf(into + used, room - used, "%s%s:PATH", i > 0 ? ", " : "",
                                 stores[i]->name);
}

const struct store *store_find(const char *location, const char **ret_place, struct error *err)
{
    char kinds[256];
    const char *colon = strchr(location, ':');
    size_t length = colon ? (size_t)(colon - location) : 0;
    for (int i = 0; colon && stores[i]; i++) {
        if (strlen(stores[i]->name) != length || strncmp(stores[i]->name, location, length) != 0)
            continue;
        *ret_place = colon + 1;
        if (**ret_place)
            return stores[i];
        error_set(err, "\"%s\" does not say where: what would be right is %sPATH", location,
                  location);
        return NULL;
    }
    list_kinds(kinds, sizeof kinds);
    error_set(err, "\"%s\" is no store: what would be right is %s", location, kinds);
    return NULL;
}

enum store_outcome ledger_open(struct ledger **ret_ledger, const char *location,
                               enum store_mode mode, struct error *err)
{
    const char *place = NULL;
    const struct store *store = store_find(location, &place, err);
    return store ? store->open(ret_ledger, place, mode, err) : STORE_FAILED;
}

void ledger_close(struct ledger *ledger)
{
    if (ledger)
        ledger->store->close(ledger);
}
