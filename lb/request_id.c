/* SPDX-License-Identifier: Apache-2.0 */
/* Request ids: unique by construction, cheap enough for every request. They are no secrets. */
#include "lb/request_id.h"

#include <ctype.h>
#include <openssl/rand.h>
#include <stddef.h>

void request_ids_init(struct request_ids *ids)
{
    if (RAND_bytes((unsigned char *)ids, sizeof *ids) != 1) {
        ids->prefix = (uint64_t)(uintptr_t)ids; /* ids only need to differ */
        ids->next = 0;
    }
}

static void write_hex(uint64_t number, char *into)
{
    static const char digits[] = "0123456789abcdef";
    for (int i = 15; i >= 0; i--) {
        into[i] = digits[number & 15];
        number >>= 4;
    }
}

void request_id_write(struct request_ids *ids, char into[REQUEST_ID_LENGTH])
{
    write_hex(ids->prefix, into);
    write_hex(ids->next++, into + 16);
}

bool request_id_is_fit(struct slice id)
{
    if (id.length == 0 || id.length > REQUEST_ID_MOST) {
        return false;
    }
    for (size_t i = 0; i < id.length; i++) {
        unsigned char c = (unsigned char)id.at[i];
        if (!isalnum(c) && c != '.' && c != '_' && c != '-') {
            return false;
        }
    }
    return true;
}
