/* SPDX-License-Identifier: Apache-2.0 */
/* Kinds of keys: their names, theirs in other programs, and making them. */
#include <ctype.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

#include "listeners/registry/issuer.h"

enum { NAME_BYTES = 24, GROUP_NAME_BYTES = 64 };

// clang-format off
static const char *const names[KEY_KIND_COUNT] = {
    [KEY_P256] = "p256", [KEY_P384] = "p384", [KEY_RSA2048] = "rsa2048", [KEY_RSA3072] = "rsa3072",
    [KEY_RSA4096] = "rsa4096", [KEY_ED25519] = "ed25519",
};
/* In lower case, without what stands between letters and digits. */
static const struct {
    const char *name;
    enum key_kind kind;
} aliases[] = {
    {"ec", KEY_P256}, {"ecc", KEY_P256}, {"ecdsa", KEY_P256}, {"ecp256", KEY_P256},
    {"ecdsap256", KEY_P256}, {"prime256v1", KEY_P256}, {"secp256r1", KEY_P256},
    {"ecp384", KEY_P384}, {"ecdsap384", KEY_P384}, {"secp384r1", KEY_P384},
    {"rsa", KEY_RSA2048},
};
// clang-format on

const char *key_kind_name(enum key_kind kind)
{
    return names[kind];
}

/* "RSA:3072", "ec-p256" and "P_384" lose what stands between; nothing else is dropped. */
static bool squeeze(const char *name, char into[NAME_BYTES])
{
    size_t used = 0;
    for (; *name; name++) {
        if (used > 0 && strchr("-_: ", *name) && isalnum((unsigned char)name[1]))
            continue;
        if (used + 1 == NAME_BYTES)
            return false;
        into[used++] = (char)tolower((unsigned char)*name);
    }
    into[used] = '\0';
    return true;
}

bool key_kind_parse(const char *name, enum key_kind *ret_kind)
{
    char plain[NAME_BYTES];
    if (!squeeze(name, plain))
        return false;
    for (int i = 0; i < KEY_KIND_COUNT; i++) {
        if (strcmp(plain, names[i]) == 0) {
            *ret_kind = (enum key_kind)i;
            return true;
        }
    }
    for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++) {
        if (strcmp(plain, aliases[i].name) == 0) {
            *ret_kind = aliases[i].kind;
            return true;
        }
    }
    return false;
}

bool key_kind_of(const EVP_PKEY *key, enum key_kind *ret_kind)
{
    char text[GROUP_NAME_BYTES + sizeof "rsa"] = "";
    size_t length = 0;
    switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_ED25519:
        *ret_kind = KEY_ED25519;
        return true;
    case EVP_PKEY_RSA:
        snprintf(text, sizeof text, "rsa%d", EVP_PKEY_get_bits(key));
        return key_kind_parse(text, ret_kind);
    case EVP_PKEY_EC:
        return EVP_PKEY_get_group_name(key, text, GROUP_NAME_BYTES, &length) == 1 &&
               key_kind_parse(text, ret_kind);
    default:
        return false;
    }
}

EVP_PKEY *key_make(enum key_kind kind)
{
    switch (kind) {
    case KEY_P256:
        return EVP_EC_gen("P-256");
    case KEY_P384:
        return EVP_EC_gen("P-384");
    case KEY_RSA2048:
        return EVP_RSA_gen(2048);
    case KEY_RSA3072:
        return EVP_RSA_gen(3072);
    case KEY_RSA4096:
        return EVP_RSA_gen(4096);
    case KEY_ED25519:
        return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    case KEY_KIND_COUNT:
        break;
    }
    return NULL;
}

char *key_pem_text(const EVP_PKEY *key)
{
    char *text = NULL;
    BIO *bio = BIO_new(BIO_s_mem()); /* it cleanses what it held */
    if (bio && PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1) {
        char *held = NULL;
        long length = BIO_get_mem_data(bio, &held);
        text = length > 0 ? strndup(held, (size_t)length) : NULL;
    }
    BIO_free(bio);
    return text;
}
