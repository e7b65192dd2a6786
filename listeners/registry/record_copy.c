/* SPDX-License-Identifier: Apache-2.0 */
/* Everything a record points to is packed into one block, pointers first, so that one free() ends
 * it. */
#include "listeners/registry/record_copy.h"

#include <stdlib.h>
#include <string.h>

static size_t text_room(const char *text)
{
    return text ? strlen(text) + 1 : 1;
}

static const char *pack_text(char **at, const char *text)
{
    const char *packed = *at;
    size_t room = text_room(text);
    memcpy(*at, text ? text : "", room);
    *at += room;
    return packed;
}

static const unsigned char *pack_bytes(char **at, const unsigned char *bytes, size_t count)
{
    const unsigned char *packed = (const unsigned char *)*at;
    if (count)
        memcpy(*at, bytes, count);
    *at += count;
    return packed;
}

bool certificate_record_copy(struct certificate_record *to, const struct certificate_record *from,
                             void **ret_memory)
{
    size_t room = text_room(from->serial) + text_room(from->subject) + text_room(from->issuer) +
                  text_room(from->common_name) + text_room(from->unit) +
                  text_room(from->client_id) + from->der_bytes;
    char *block = malloc(room);
    if (!block)
        return false;
    char *at = block;
    struct certificate_record copy = *from;
    copy.serial = pack_text(&at, from->serial);
    copy.subject = pack_text(&at, from->subject);
    copy.issuer = pack_text(&at, from->issuer);
    copy.common_name = pack_text(&at, from->common_name);
    copy.unit = pack_text(&at, from->unit);
    copy.client_id = pack_text(&at, from->client_id);
    copy.der = pack_bytes(&at, from->der, from->der_bytes);
    *to = copy;
    *ret_memory = block;
    return true;
}

bool ca_record_copy(struct ca_record *to, const struct ca_record *from, void **ret_memory)
{
    size_t room = from->host_count * sizeof(char *) + text_room(from->name) +
                  text_room(from->subject) + text_room(from->serial) + text_room(from->chain_pem) +
                  from->der_bytes;
    for (unsigned i = 0; i < from->host_count; i++)
        room += text_room(from->hosts[i]);
    void *block = malloc(room);
    if (!block)
        return false;
    const char **hosts = block;
    char *at = (char *)block + from->host_count * sizeof(char *);
    struct ca_record copy = *from;
    copy.hosts = hosts;
    for (unsigned i = 0; i < from->host_count; i++)
        hosts[i] = pack_text(&at, from->hosts[i]);
    copy.name = pack_text(&at, from->name);
    copy.subject = pack_text(&at, from->subject);
    copy.serial = pack_text(&at, from->serial);
    copy.chain_pem = pack_text(&at, from->chain_pem);
    copy.der = pack_bytes(&at, from->der, from->der_bytes);
    *to = copy;
    *ret_memory = block;
    return true;
}
