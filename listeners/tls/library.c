/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two built-in providers that forward to the default one and leave out decoders. What they offer is
 * implemented by the default provider of OpenSSL's own context: its provider context is handed on.
 */
#include "listeners/tls/library.h"

#include <openssl/conf.h>
#include <openssl/core_dispatch.h>
#include <openssl/err.h>
#include <openssl/provider.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
    DECODES_QUICKLY = 0x30200000, /* OpenSSL 3.2 keeps what it has found for a kind of key */
    OPERATIONS = OSSL_OP__HIGHEST + 1,
};

/* Made once, then constant, as OpenSSL's objects of its kind are (tls_bio.c). Contexts that are
 * NULL stay so. */
static struct {
    pthread_once_t once;
    OSSL_PROVIDER *whole; /* the default one, in OpenSSL's own context */
    OSSL_ALGORITHM *key_decoders;
    OSSL_ALGORITHM *needed[OPERATIONS]; /* in handshakes, by operation */
    OSSL_LIB_CTX *handshakes;
    OSSL_PROVIDER *handshakes_offer;
    OSSL_LIB_CTX *certificates;
    OSSL_PROVIDER *certificates_offer;
} library = {.once = PTHREAD_ONCE_INIT};

/* ---- the providers ---- */

static const OSSL_ALGORITHM *query_handshakes(void *context, int operation, int *no_cache)
{
    (void)context;
    *no_cache = 0;
    return operation > 0 && operation < OPERATIONS ? library.needed[operation] : NULL;
}

static const OSSL_ALGORITHM *query_certificates(void *context, int operation, int *no_cache)
{
    (void)context;
    *no_cache = 0;
    if (operation == OSSL_OP_DECODER)
        return library.key_decoders;
    if (operation == OSSL_OP_ENCODER || operation == OSSL_OP_STORE)
        return NULL;
    return OSSL_PROVIDER_query_operation(library.whole, operation, no_cache);
}

/* The groups of TLS. */
static int get_capabilities(void *context, const char *capability, OSSL_CALLBACK *callback,
                            void *argument)
{
    (void)context;
    return OSSL_PROVIDER_get_capabilities(library.whole, capability, callback, argument);
}

static int begin(const OSSL_DISPATCH *table, const OSSL_DISPATCH **ret_table, void **ret_context)
{
    *ret_table = table;
    *ret_context = OSSL_PROVIDER_get0_provider_ctx(library.whole);
    return 1;
}

static int begin_handshakes(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *core,
                            const OSSL_DISPATCH **ret_table, void **ret_context)
{
    static const OSSL_DISPATCH table[] = {
        {OSSL_FUNC_PROVIDER_QUERY_OPERATION, (void (*)(void))query_handshakes},
        {OSSL_FUNC_PROVIDER_GET_CAPABILITIES, (void (*)(void))get_capabilities},
        {0, NULL},
    };
    (void)handle;
    (void)core;
    return begin(table, ret_table, ret_context);
}

static int begin_certificates(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *core,
                              const OSSL_DISPATCH **ret_table, void **ret_context)
{
    static const OSSL_DISPATCH table[] = {
        {OSSL_FUNC_PROVIDER_QUERY_OPERATION, (void (*)(void))query_certificates},
        {OSSL_FUNC_PROVIDER_GET_CAPABILITIES, (void (*)(void))get_capabilities},
        {0, NULL},
    };
    (void)handle;
    (void)core;
    return begin(table, ret_table, ret_context);
}

/* ---- may there be any? ---- */

static int is_default(OSSL_PROVIDER *provider, void *argument)
{
    (void)argument;
    return strcmp(OSSL_PROVIDER_get0_name(provider), "default") == 0;
}

/* What openssl.cnf may say without meaning one library context in particular. Which providers it
 * names is seen by those that are active. */
static bool is_general(const char *key)
{
    static const char *const keys[] = {"providers", "ssl_conf", "oid_section"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (strcmp(key, keys[i]) == 0)
            return true;
    return false;
}

/* A file that is not there, or cannot be read, has configured nothing. */
static bool is_config_general(void)
{
    bool good = true;
    char *path = CONF_get1_default_config_file();
    CONF *config = NCONF_new(NULL);
    if (path && config && NCONF_load(config, path, NULL) > 0) {
        const char *section = NCONF_get_string(config, NULL, "openssl_conf");
        STACK_OF(CONF_VALUE) *lines = section ? NCONF_get_section(config, section) : NULL;
        for (int i = 0; i < sk_CONF_VALUE_num(lines); i++)
            good = good && is_general(sk_CONF_VALUE_value(lines, i)->name);
    }
    NCONF_free(config);
    OPENSSL_free(path);
    return good;
}

/* ---- making and freeing ---- */

/*
 * What no version, cipher, group or signature of TLS uses. OpenSSL copies and walks through all
 * that it has seen in a context for each certificate it decodes, and through all names for each key
 * it uses: without these a certificate costs 276,000 instructions instead of 563,000, and all else
 * in a handshake 23,000 less.
 */
static bool is_needless(const char *names)
{
    static const char *const words[] = {
        "SHA3-",  "SHAKE",   "KECCAK",    "BLAKE2",    "RIPEMD",    "SHA2-512/", "-ECB",
        "-OFB",   "-CFB",    "-CTS",      "-CTR",      "-XTS",      "-OCB",      "-SIV",
        "WRAP",   "-192-",   "CMAC",      "GMAC",      "KMAC",      "SIPHASH",   "POLY1305",
        "SSKDF",  "PBKDF2",  "X963KDF",   "KBKDF",     "PKCS12KDF", "SSHKDF",    "X942KDF",
        "SCRYPT", "KRB5KDF", "HASH-DRBG", "HMAC-DRBG", "TEST-RAND"};
    size_t first = strcspn(names, ":");
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        const char *found = strstr(names, words[i]);
        if (found && found < names + first)
            return true;
    }
    return false;
}

static bool is_needed(const OSSL_ALGORITHM *algorithm)
{
    return !is_needless(algorithm->algorithm_names);
}

/* Of every kind of key. */
static bool decodes_public_key(const OSSL_ALGORITHM *algorithm)
{
    return strstr(algorithm->property_definition, "structure=SubjectPublicKeyInfo") != NULL;
}

/* NULL: out of memory. */
static OSSL_ALGORITHM *choose(int operation, bool (*is_chosen)(const OSSL_ALGORITHM *algorithm))
{
    int no_cache = 0;
    const OSSL_ALGORITHM *all = OSSL_PROVIDER_query_operation(library.whole, operation, &no_cache);
    size_t count = 0;
    while (all && all[count].algorithm_names)
        count++;
    OSSL_ALGORITHM *chosen = calloc(count + 1, sizeof *chosen); /* the last one is all zero */
    for (size_t i = 0, kept = 0; chosen && i < count; i++)
        if (is_chosen(&all[i]))
            chosen[kept++] = all[i];
    return chosen;
}

static bool choose_all(void)
{
    bool good = true;
    for (int operation = OSSL_OP_DIGEST; operation < OSSL_OP_ENCODER; operation++) {
        library.needed[operation] = choose(operation, is_needed);
        good = good && library.needed[operation];
    }
    library.key_decoders = choose(OSSL_OP_DECODER, decodes_public_key);
    return good && library.key_decoders;
}

static OSSL_LIB_CTX *context_new(const char *name, OSSL_provider_init_fn *init,
                                 OSSL_PROVIDER **ret_offer)
{
    OSSL_LIB_CTX *context = OSSL_LIB_CTX_new();
    if (context && OSSL_PROVIDER_add_builtin(context, name, init) == 1 &&
        (*ret_offer = OSSL_PROVIDER_load(context, name)) != NULL)
        return context;
    OSSL_LIB_CTX_free(context);
    return NULL;
}

static void context_free(OSSL_LIB_CTX **context, OSSL_PROVIDER **offer)
{
    if (*offer)
        OSSL_PROVIDER_unload(*offer);
    OSSL_LIB_CTX_free(*context);
    *offer = NULL;
    *context = NULL;
}

static void library_free(void)
{
    context_free(&library.handshakes, &library.handshakes_offer);
    context_free(&library.certificates, &library.certificates_offer);
    if (library.whole)
        OSSL_PROVIDER_unload(library.whole);
    library.whole = NULL;
    free(library.key_decoders);
    library.key_decoders = NULL;
    for (int operation = 0; operation < OPERATIONS; operation++) {
        free(library.needed[operation]);
        library.needed[operation] = NULL;
    }
}

/* Without memory there are none: OpenSSL's own does it all. OpenSSL 4 has no hook for its end; what
 * is registered after OpenSSL's own, which the first provider brings about, runs before it. */
static void library_make(void)
{
    if (OpenSSL_version_num() >= DECODES_QUICKLY)
        return;
    ERR_set_mark();
    if (OSSL_PROVIDER_do_all(NULL, is_default, NULL) == 1 && is_config_general())
        library.whole = OSSL_PROVIDER_load(NULL, "default");
    if (library.whole && choose_all()) {
        library.handshakes =
            context_new("lb-handshakes", begin_handshakes, &library.handshakes_offer);
        library.certificates =
            context_new("lb-certificates", begin_certificates, &library.certificates_offer);
    }
    if (!library.handshakes || !library.certificates || atexit(library_free) != 0)
        library_free();
    ERR_pop_to_mark();
}

OSSL_LIB_CTX *tls_library_for_handshakes(void)
{
    pthread_once(&library.once, library_make);
    return library.handshakes;
}

OSSL_LIB_CTX *tls_library_for_certificates(void)
{
    pthread_once(&library.once, library_make);
    return library.certificates;
}

/* ---- certificates ---- */

static X509 *read_certificate(X509 *bare)
{
    if (X509_get0_pubkey(bare)) { /* remembered, or in another way decoded already */
        X509_up_ref(bare);
        return bare;
    }
    unsigned char *der = NULL;
    int length = i2d_X509(bare, &der);
    X509 *whole = length > 0 ? X509_new_ex(library.certificates, NULL) : NULL;
    const unsigned char *at = der;
    /* It frees what it cannot decode. */
    if (whole && !d2i_X509(&whole, &at, length))
        whole = NULL;
    OPENSSL_free(der);
    return whole;
}

STACK_OF(X509) * tls_library_read_chain(STACK_OF(X509) * chain)
{
    if (!tls_library_for_certificates())
        return X509_chain_up_ref(chain);
    STACK_OF(X509) *whole = sk_X509_new_null();
    bool good = whole != NULL;
    ERR_set_mark(); /* a key that is not there counts as an error */
    for (int i = 0; good && i < sk_X509_num(chain); i++) {
        X509 *certificate = read_certificate(sk_X509_value(chain, i));
        good = certificate && sk_X509_push(whole, certificate) > 0;
        if (!good)
            X509_free(certificate);
    }
    ERR_pop_to_mark();
    if (good)
        return whole;
    sk_X509_pop_free(whole, X509_free);
    return NULL;
}
