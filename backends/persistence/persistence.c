/* SPDX-License-Identifier: Apache-2.0 */
/* Sealing and opening the tokens of persistence cookies. */
#include "backends/persistence/persistence.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

enum {
    TOKEN_VERSION = 1,
    ISSUED_BYTES = 6,
    ID_BYTES = 8,
    CLAIM_BYTES = 1 + ISSUED_BYTES + ID_BYTES,
    SEAL_BYTES = 18,
    TOKEN_BYTES = CLAIM_BYTES + SEAL_BYTES,
    MAC_BYTES = 32,
};
_Static_assert(TOKEN_BYTES * 4 == PERSISTENCE_TOKEN_CHARS * 3, "base64url without a rest");

/* Both have taken the key, their own label and the pool's name, and are copied for each use. The
 * labels keep the two kinds of hashes apart. */
struct persistence {
    EVP_MAC_CTX *ids;
    EVP_MAC_CTX *seals;
};

/* --- HMAC ---------------------------------------------------------------------------------- */

static EVP_MAC_CTX *mac_new(EVP_MAC *hmac, const unsigned char *key, const char *label,
                            const char *pool)
{
    char digest[] = "SHA256";
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    EVP_MAC_CTX *mac = EVP_MAC_CTX_new(hmac);
    /* Each text with its NUL: no two pairs of texts are the same bytes. */
    if (mac && EVP_MAC_init(mac, key, PERSISTENCE_KEY_BYTES, params) &&
        EVP_MAC_update(mac, (const unsigned char *)label, strlen(label) + 1) &&
        EVP_MAC_update(mac, (const unsigned char *)pool, strlen(pool) + 1))
        return mac;
    EVP_MAC_CTX_free(mac);
    return NULL;
}

static bool mac_of(const EVP_MAC_CTX *prepared, const void *bytes, size_t length,
                   unsigned char mac[MAC_BYTES])
{
    size_t got = 0;
    EVP_MAC_CTX *copy = EVP_MAC_CTX_dup(prepared);
    bool fine = copy && EVP_MAC_update(copy, bytes, length) &&
                EVP_MAC_final(copy, mac, &got, MAC_BYTES) && got == MAC_BYTES;
    EVP_MAC_CTX_free(copy);
    return fine;
}

struct persistence *persistence_new(const unsigned char *key, const char *pool)
{
    struct persistence *persistence = calloc(1, sizeof *persistence);
    EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    if (persistence && hmac) {
        persistence->ids = mac_new(hmac, key, "lb persistence backend", pool);
        persistence->seals = mac_new(hmac, key, "lb persistence cookie", pool);
    }
    EVP_MAC_free(hmac);
    if (persistence && persistence->ids && persistence->seals)
        return persistence;
    persistence_free(persistence);
    return NULL;
}

void persistence_free(struct persistence *persistence)
{
    if (!persistence)
        return;
    EVP_MAC_CTX_free(persistence->ids); /* OpenSSL cleanses the key */
    EVP_MAC_CTX_free(persistence->seals);
    free(persistence);
}

/* --- bytes --------------------------------------------------------------------------------- */

static void put_number(unsigned char *into, uint64_t number, unsigned bytes)
{
    for (unsigned i = bytes; i-- > 0; number >>= 8)
        into[i] = (unsigned char)(number & 0xff);
}

static uint64_t get_number(const unsigned char *from, unsigned bytes)
{
    uint64_t number = 0;
    for (unsigned i = 0; i < bytes; i++)
        number = number << 8 | from[i];
    return number;
}

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* The value of a letter; 64: it is none. */
static unsigned letter_value(char letter)
{
    if (letter >= 'A' && letter <= 'Z')
        return (unsigned)(letter - 'A');
    if (letter >= 'a' && letter <= 'z')
        return (unsigned)(letter - 'a') + 26;
    if (letter >= '0' && letter <= '9')
        return (unsigned)(letter - '0') + 52;
    if (letter == '-')
        return 62;
    return letter == '_' ? 63 : 64;
}

static void encode(const unsigned char *bytes, char *token)
{
    for (unsigned i = 0; i < TOKEN_BYTES; i += 3, token += 4) {
        uint64_t group = get_number(bytes + i, 3);
        for (unsigned k = 0; k < 4; k++)
            token[k] = letters[group >> (18 - 6 * k) & 63];
    }
}

static bool decode(const char *token, unsigned char *bytes)
{
    for (unsigned i = 0; i < TOKEN_BYTES; i += 3, token += 4) {
        uint64_t group = 0;
        for (unsigned k = 0; k < 4; k++) {
            unsigned value = letter_value(token[k]);
            if (value > 63)
                return false;
            group = group << 6 | value;
        }
        put_number(bytes + i, group, 3);
    }
    return true;
}

/* --- tokens -------------------------------------------------------------------------------- */

bool persistence_id(const struct persistence *persistence, const char *backend, uint64_t *ret_id)
{
    unsigned char mac[MAC_BYTES];
    if (!mac_of(persistence->ids, backend, strlen(backend), mac))
        return false;
    *ret_id = get_number(mac, ID_BYTES);
    return true;
}

bool persistence_seal(const struct persistence *persistence, const struct persistence_claim *claim,
                      char *token)
{
    unsigned char bytes[TOKEN_BYTES];
    unsigned char mac[MAC_BYTES];
    bytes[0] = TOKEN_VERSION;
    put_number(bytes + 1, claim->issued_ms, ISSUED_BYTES);
    put_number(bytes + 1 + ISSUED_BYTES, claim->id, ID_BYTES);
    if (!mac_of(persistence->seals, bytes, CLAIM_BYTES, mac))
        return false;
    memcpy(bytes + CLAIM_BYTES, mac, SEAL_BYTES);
    encode(bytes, token);
    return true;
}

bool persistence_open(const struct persistence *persistence, struct slice token,
                      struct persistence_claim *ret_claim)
{
    unsigned char bytes[TOKEN_BYTES];
    unsigned char mac[MAC_BYTES];
    if (token.length != PERSISTENCE_TOKEN_CHARS || !decode(token.at, bytes) ||
        bytes[0] != TOKEN_VERSION || !mac_of(persistence->seals, bytes, CLAIM_BYTES, mac) ||
        CRYPTO_memcmp(bytes + CLAIM_BYTES, mac, SEAL_BYTES) != 0)
        return false;
    ret_claim->issued_ms = get_number(bytes + 1, ISSUED_BYTES);
    ret_claim->id = get_number(bytes + 1 + ISSUED_BYTES, ID_BYTES);
    return true;
}

/* --- ages ---------------------------------------------------------------------------------- */

enum persistence_age persistence_age(uint64_t issued_ms, uint64_t now_ms, uint32_t timeout_ms)
{
    /* Sixteenths of it, so that nothing is rounded: 48 bits of milliseconds leave room. */
    if (issued_ms > now_ms)
        return (issued_ms - now_ms) * 16 > timeout_ms ? PERSISTENCE_OVER : PERSISTENCE_DUE;
    uint64_t age = (now_ms - issued_ms) * 16;
    if (age > (uint64_t)timeout_ms * 17)
        return PERSISTENCE_OVER;
    return age > timeout_ms ? PERSISTENCE_DUE : PERSISTENCE_FRESH;
}

unsigned persistence_kept_s(uint32_t timeout_ms)
{
    return (unsigned)(((uint64_t)timeout_ms * 17 + 15999) / 16000);
}
