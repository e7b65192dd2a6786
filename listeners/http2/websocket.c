/* SPDX-License-Identifier: Apache-2.0 */
/* See websocket.h. */
#include "listeners/http2/websocket.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <string.h>

bool websocket_key_make(char ret_key[WEBSOCKET_KEY_BYTES])
{
    unsigned char random[16];
    unsigned char text[WEBSOCKET_KEY_BYTES + 1];
    if (RAND_bytes(random, sizeof random) != 1)
        return false;
    EVP_EncodeBlock(text, random, sizeof random);
    memcpy(ret_key, text, WEBSOCKET_KEY_BYTES);
    return true;
}

/* RFC 6455 1.3: SHA-1 over the key and the GUID that no server knows by accident. */
static bool make_accept(const char key[WEBSOCKET_KEY_BYTES],
                        unsigned char accept[WEBSOCKET_ACCEPT_BYTES + 1])
{
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    char text[WEBSOCKET_KEY_BYTES + sizeof guid - 1];
    unsigned char digest[SHA_DIGEST_LENGTH];
    memcpy(text, key, WEBSOCKET_KEY_BYTES);
    memcpy(text + WEBSOCKET_KEY_BYTES, guid, sizeof guid - 1);
    if (EVP_Digest(text, sizeof text, digest, NULL, EVP_sha1(), NULL) != 1)
        return false;
    EVP_EncodeBlock(accept, digest, sizeof digest);
    return true;
}

bool websocket_is_accepted(const char key[WEBSOCKET_KEY_BYTES], const struct http_field *fields,
                           unsigned field_count)
{
    unsigned char accept[WEBSOCKET_ACCEPT_BYTES + 1];
    const struct http_field *told = NULL;
    for (unsigned i = 0; i < field_count; i++) {
        if (!slice_is_nocase(fields[i].name, WEBSOCKET_ACCEPT))
            continue;
        if (told)
            return false;
        told = &fields[i];
    }
    return told && make_accept(key, accept) && told->value.length == WEBSOCKET_ACCEPT_BYTES &&
           memcmp(told->value.at, accept, WEBSOCKET_ACCEPT_BYTES) == 0;
}
