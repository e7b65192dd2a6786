/* SPDX-License-Identifier: Apache-2.0 */
/* See credential_shelf.h. */
#include "lb/base/credential_shelf.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "lb/base/arena.h"
#include "lb/base/certificate.h"
#include "lb/base/credential_source.h"
#include "lb/base/error.h"
#include "lb/base/key_reader.h"
#include "lb/base/text_map.h"

struct credential_shelf {
    struct arena arena;
    struct text_map map; /* by "certificate\nkey" */
    size_t count;
    struct credential **credentials; /* all in the map */
    /* Of loading; NULL after credential_shelf_settle(). */
    const struct credential_shelf *before;
    struct key_reader *keys;
    EVP_MD *sha256; /* fetched once: OpenSSL 3.0 fetches anew for every EVP_sha256() */
    EVP_MD_CTX *digest;
};

struct credential_shelf *credential_shelf_new(size_t most, const struct credential_shelf *before)
{
    struct credential_shelf *shelf = calloc(1, sizeof *shelf);
    if (!shelf)
        error_out_of_memory();
    text_map_init(&shelf->map, most, &shelf->arena);
    shelf->credentials = arena_alloc(&shelf->arena, (most + 1) * sizeof(struct credential *));
    shelf->before = before;
    shelf->keys = key_reader_new();
    shelf->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    shelf->digest = EVP_MD_CTX_new();
    if (!shelf->keys || !shelf->sha256 || !shelf->digest)
        error_out_of_memory();
    return shelf;
}

static bool digest_pem(EVP_MD_CTX *digest, const struct pem *pem)
{
    uint64_t length = pem->length;
    return EVP_DigestUpdate(digest, &length, sizeof length) == 1 &&
           EVP_DigestUpdate(digest, pem->text, pem->length) == 1;
}

static bool digest_source(const struct credential_shelf *shelf,
                          const struct credential_source *source,
                          unsigned char into[CREDENTIAL_DIGEST_BYTES])
{
    return source->has_key && EVP_DigestInit_ex(shelf->digest, shelf->sha256, NULL) == 1 &&
           digest_pem(shelf->digest, &source->certificates) &&
           digest_pem(shelf->digest, &source->key) &&
           EVP_DigestFinal_ex(shelf->digest, into, NULL) == 1;
}

/* The one of the config before, if both files still say the same; else decoded. */
static struct credential *find_or_decode(const struct credential_shelf *shelf, struct slice name,
                                         const struct credential_source *source, struct error *err)
{
    unsigned char digest[CREDENTIAL_DIGEST_BYTES] = {0};
    bool is_digested = digest_source(shelf, source, digest);
    struct credential *known =
        shelf->before && is_digested
            ? (struct credential *)text_map_get(&shelf->before->map, text_hash(name), name)
            : NULL;
    if (known && memcmp(known->digest, digest, sizeof digest) == 0)
        return credential_ref(known);
    struct credential *decoded = credential_decode(source, shelf->keys, err);
    if (decoded)
        memcpy(decoded->digest, digest, sizeof digest);
    return decoded;
}

static struct credential *load(const struct credential_shelf *shelf, struct slice name,
                               const char *certificate_path, const char *key_path,
                               struct error *err)
{
    struct credential_source source;
    if (!credential_source_read(&source, certificate_path, key_path, err))
        return NULL;
    struct credential *credential = find_or_decode(shelf, name, &source, err);
    credential_source_done(&source);
    return credential;
}

struct credential *credential_shelf_take(struct credential_shelf *shelf,
                                         const char *certificate_path, const char *key_path,
                                         struct error *err)
{
    struct slice name = slice_of(arena_format(&shelf->arena, "%s\n%s", certificate_path, key_path));
    uint64_t hash = text_hash(name);
    struct credential *known = (struct credential *)text_map_get(&shelf->map, hash, name);
    if (known)
        return credential_ref(known);
    struct credential *loaded = load(shelf, name, certificate_path, key_path, err);
    if (!loaded)
        return NULL;
    text_map_add(&shelf->map, hash, name, loaded);
    shelf->credentials[shelf->count++] = loaded;
    return credential_ref(loaded);
}

void credential_shelf_settle(struct credential_shelf *shelf)
{
    key_reader_free(shelf->keys);
    EVP_MD_free(shelf->sha256);
    EVP_MD_CTX_free(shelf->digest);
    shelf->before = NULL;
    shelf->keys = NULL;
    shelf->sha256 = NULL;
    shelf->digest = NULL;
}

void credential_shelf_free(struct credential_shelf *shelf)
{
    if (!shelf)
        return;
    credential_shelf_settle(shelf);
    for (size_t i = 0; i < shelf->count; i++)
        credential_free(shelf->credentials[i]);
    arena_done(&shelf->arena);
    free(shelf);
}
