/* SPDX-License-Identifier: Apache-2.0 */
/* Request ids: unique by construction, cheap enough for every request. They are no secrets. */
#include "lb/exchange/request_id.h"

#include <ctype.h>
#include <endian.h>
#include <openssl/rand.h>
#include <stddef.h>
#include <string.h>

void request_ids_init(struct request_ids *ids)
{
    if (RAND_bytes((unsigned char *)ids, sizeof *ids) != 1) {
        ids->prefix = (uint64_t)(uintptr_t)ids; /* ids only need to differ */
        ids->next = 0;
    }
}

/* Eight digits at once: each half byte moves into a byte of its own and becomes its digit. */
static void write_hex(uint32_t number, char *into)
{
    const uint64_t each = UINT64_C(0x0101010101010101);
    uint64_t digits = number;
    digits = (digits | digits << 16) & UINT64_C(0x0000ffff0000ffff);
    digits = (digits | digits << 8) & UINT64_C(0x00ff00ff00ff00ff);
    digits = (digits | digits << 4) & (each * 15);
    uint64_t is_letter = (digits + each * 6) >> 4 & each;
    digits = htobe64(digits + each * '0' + is_letter * ('a' - '9' - 1));
    memcpy(into, &digits, sizeof digits);
}

static void write_hex_64(uint64_t number, char *into)
{
    write_hex((uint32_t)(number >> 32), into);
    write_hex((uint32_t)number, into + 8);
}

void request_id_write(struct request_ids *ids, char into[REQUEST_ID_LENGTH])
{
    write_hex_64(ids->prefix, into);
    write_hex_64(ids->next++, into + 16);
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
