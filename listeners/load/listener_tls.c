/* SPDX-License-Identifier: Apache-2.0 */
/* TLS settings are tried on an SSL_CTX of their own, so that a bad word is found by `lb check`. */
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string.h>

#include "listeners/load/listener_build.h"

typedef int (*setter)(SSL_CTX *ctx, const char *text);

static int set_groups(SSL_CTX *ctx, const char *text)
{
    return (int)SSL_CTX_set1_groups_list(ctx, text);
}

/* One word of a list that OpenSSL refuses by itself: the likely typo, which it would pass over in
 * silence while others match. "+", "?", "*" before it and "@…" behind it are no part of a name;
 * what
 * "!" and "-" exclude may well be unknown. false: all words are known. */
static bool find_bad_word(SSL_CTX *ctx, setter set, const char *text, char *into, size_t room)
{
    while (*text) {
        text += strspn(text, ":, /+?*");
        size_t length = strcspn(text, ":, /");
        size_t name = strcspn(text, ":, /@");
        if (name > 0 && name < room && *text != '!' && *text != '-') {
            memcpy(into, text, name);
            into[name] = '\0';
            if (set(ctx, into) != 1)
                return true;
        }
        text += length;
    }
    return false;
}

struct trial {
    const char *key;
    const char *text;
    unsigned line;
    setter set;
    const char *example;
};

static void try_on_openssl(struct listener_build *build, const struct trial *trial)
{
    char word[64];
    if (!trial->text)
        return;
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    if (!ctx) {
        LISTENER_ERROR(build, trial->line, "%s cannot be checked: out of memory", trial->key);
        return;
    }
    /* Whether a known cipher is strong enough is the whole list's question, not one word's. */
    SSL_CTX_set_security_level(ctx, 0);
    if (find_bad_word(ctx, trial->set, trial->text, word, sizeof word))
        LISTENER_ERROR(build, trial->line, "OpenSSL does not know \"%s\" in %s: write it like %s",
                       word, trial->key, trial->example);
    else if (trial->set(ctx, trial->text) != 1)
        LISTENER_ERROR(build, trial->line, "OpenSSL refuses %s = %s: write it like %s", trial->key,
                       trial->text, trial->example);
    SSL_CTX_free(ctx);
    ERR_clear_error();
}

struct versions {
    bool has_12;
    bool has_13;
};

static struct versions check_versions(struct listener_build *build)
{
    const struct option_list *words = &build->listener->options->tls_versions;
    unsigned line = build->listener->options->tls_versions_line;
    struct versions versions = {false, false};
    bool is_fine = true;
    for (unsigned i = 0; i < words->count; i++) {
        if (strcmp(words->items[i], "1.2") == 0) {
            versions.has_12 = true;
        } else if (strcmp(words->items[i], "1.3") == 0) {
            versions.has_13 = true;
        } else {
            is_fine = false;
            LISTENER_ERROR(build, line,
                           "\"%s\" is no value for tls_versions: write 1.2, 1.3 or \"1.2 1.3\"",
                           words->items[i]);
        }
    }
    return is_fine ? versions : (struct versions){true, true};
}

void listener_check_tls(struct listener_build *build)
{
    const struct listener_options *options = build->listener->options;
    const struct trial trials[] = {
        {"ciphers", options->ciphers, options->ciphers_line, SSL_CTX_set_cipher_list,
         "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256"},
        {"ciphersuites", options->ciphersuites, options->ciphersuites_line,
         SSL_CTX_set_ciphersuites, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384"},
        {"groups", options->groups, options->groups_line, set_groups, "X25519:P-256:P-384"},
    };
    struct versions versions = check_versions(build);
    for (size_t i = 0; i < sizeof trials / sizeof *trials; i++)
        try_on_openssl(build, &trials[i]);
    if (options->ciphers_line && !versions.has_12)
        LISTENER_WARN(build, options->ciphers_line,
                      "ciphers has no effect without TLS 1.2 in tls_versions; ciphersuites is for "
                      "TLS 1.3");
    if (options->ciphersuites_line && !versions.has_13)
        LISTENER_WARN(build, options->ciphersuites_line,
                      "ciphersuites has no effect without TLS 1.3 in tls_versions; ciphers is for "
                      "TLS 1.2");
    if (options->unknown_sni == UNKNOWN_SNI_REJECT && !options->sni)
        LISTENER_WARN(build, options->unknown_sni_line,
                      "unknown_sni = reject has no effect with sni = off, which ignores the name a "
                      "client asks for");
}
