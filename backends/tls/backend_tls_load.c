/* SPDX-License-Identifier: Apache-2.0 */
/* The TLS keys of a pool: read, checked, tried, and told apart from another pool's. */
#include <ctype.h>
#include <dirent.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backends/pool.h"
#include "backends/tls/backend_tls.h"
#include "backends/tls/backend_tls_parts.h"
#include "lb/base/arena.h"
#include "lb/base/certificate.h"
#include "lb/base/error.h"
#include "lb/base/hex.h"

/* Whose keys are read, and where their problems are reported. */
struct origin {
    const struct pool *pool;
    const struct pool_options *options;
    const char *file;
    struct problems *problems;
};

/* ---- without protocol = https ---- */

static void warn_of_idle_key(const struct origin *origin, const char *key, unsigned line)
{
    if (line)
        problems_warn(origin->problems, origin->file, line,
                      "%s has no effect: pool %s does not say protocol = https or h2s", key,
                      origin->pool->name);
}

static void warn_of_idle_keys(const struct origin *origin)
{
    const struct pool_options *options = origin->options;
    warn_of_idle_key(origin, "backend_ca", options->backend_ca_line);
    warn_of_idle_key(origin, "backend_name", options->backend_name_line);
    warn_of_idle_key(origin, "certificate", options->certificate_line);
    warn_of_idle_key(origin, "certificate_key", options->certificate_key_line);
}

/* ---- backend_ca ---- */

static void warn_if_expired(const struct origin *origin, unsigned line, const char *key,
                            const char *path, X509 *certificate)
{
    if (certificate_time(X509_get0_notAfter(certificate)) >= time(NULL))
        return;
    char *subject = certificate_name_text(X509_get_subject_name(certificate));
    problems_warn(origin->problems, origin->file, line, "%s %s: %s has expired", key, path,
                  subject && *subject ? subject : "a certificate");
    free(subject);
}

static void load_anchor_file(struct backend_tls *tls, const struct origin *origin, unsigned index)
{
    const struct option_list *list = &origin->options->backend_ca;
    struct error err = {""};
    STACK_OF(X509) *certificates = certificates_load(list->items[index], &err);
    if (!certificates)
        problems_add(origin->problems, origin->file, list->lines[index], "backend_ca %s", err.text);
    for (int i = 0; i < sk_X509_num(certificates); i++) {
        X509 *certificate = sk_X509_value(certificates, i);
        warn_if_expired(origin, list->lines[index], "backend_ca", list->items[index], certificate);
        /* One that stands in two files is no mistake. */
        if (X509_add_cert(tls->anchors, certificate, X509_ADD_FLAG_UP_REF | X509_ADD_FLAG_NO_DUP) !=
            1)
            error_out_of_memory();
    }
    sk_X509_pop_free(certificates, X509_free);
}

static bool folder_is_empty(const char *path)
{
    bool empty = true;
    DIR *folder = opendir(path);
    for (struct dirent *entry; folder && empty && (entry = readdir(folder));)
        empty = entry->d_name[0] == '.';
    if (folder)
        closedir(folder);
    return empty;
}

static const char *place_of_system_cas(const char *variable, const char *standard)
{
    const char *said = getenv(variable);
    return said ? said : standard;
}

static void check_system_cas(const struct origin *origin)
{
    const char *file =
        place_of_system_cas(X509_get_default_cert_file_env(), X509_get_default_cert_file());
    const char *folder =
        place_of_system_cas(X509_get_default_cert_dir_env(), X509_get_default_cert_dir());
    if (access(file, R_OK) == 0 || !folder_is_empty(folder))
        return;
    problems_warn(origin->problems, origin->file,
                  origin->options->protocol_line ? origin->options->protocol_line
                                                 : origin->pool->line,
                  "pool %s names no backend_ca, and this system has no CA certificates (%s, %s): "
                  "no backend will be trusted; set backend_ca or install ca-certificates",
                  origin->pool->name, file, folder);
}

static void load_anchors(struct backend_tls *tls, const struct origin *origin)
{
    const struct option_list *list = &origin->options->backend_ca;
    if (list->count == 0) {
        check_system_cas(origin);
        return;
    }
    tls->anchors = sk_X509_new_null();
    if (!tls->anchors)
        error_out_of_memory();
    for (unsigned i = 0; i < list->count; i++)
        load_anchor_file(tls, origin, i);
}

/* ---- backend_name ---- */

/* A host name as Host may carry it, of at most BACKEND_TLS_NAME_BYTES - 1 bytes. */
static bool is_host_name(const char *name)
{
    size_t length = strlen(name);
    if (length == 0 || length >= BACKEND_TLS_NAME_BYTES || name[0] == '.' || strstr(name, ".."))
        return false;
    for (size_t i = 0; i < length; i++)
        if (!isalnum((unsigned char)name[i]) && !strchr("-._", name[i]))
            return false;
    return true;
}

/* As it is asked for: lower case, an address without brackets, no final dot. */
static char *tidy_name(const char *text, struct arena *arena)
{
    size_t length = strlen(text);
    bool bracketed = length > 2 && text[0] == '[' && text[length - 1] == ']';
    char *name =
        bracketed ? arena_copy_bytes(arena, text + 1, length - 2) : arena_copy(arena, text);
    length = strlen(name);
    if (length > 1 && name[length - 1] == '.')
        name[length - 1] = '\0';
    for (char *at = name; *at; at++)
        *at = (char)tolower((unsigned char)*at);
    return name;
}

/* NULL: it is left out, or was reported. */
static const char *read_name(const struct origin *origin, struct arena *arena)
{
    const char *said = origin->options->backend_name;
    if (!said)
        return NULL;
    const char *name = tidy_name(said, arena);
    if (backend_tls_is_address(name) || is_host_name(name))
        return name;
    problems_add(origin->problems, origin->file, origin->options->backend_name_line,
                 "backend_name: \"%s\" is neither a host name nor an IP address: write one of "
                 "them without a port, such as backend.example.com",
                 said);
    return NULL;
}

/* ---- certificate, certificate_key ---- */

static void check_credential(const struct credential *credential, const struct origin *origin)
{
    unsigned line = origin->options->certificate_line;
    warn_if_expired(origin, line, "certificate", credential->certificate_path,
                    credential->certificate);
    if (X509_check_purpose(credential->certificate, X509_PURPOSE_SSL_CLIENT, 0) != 1)
        problems_warn(origin->problems, origin->file, line,
                      "certificate %s: is not meant for clients, backends may refuse it; "
                      "extendedKeyUsage clientAuth would be right",
                      credential->certificate_path);
}

static void load_credential(struct backend_tls *tls, const struct origin *origin)
{
    const struct pool_options *options = origin->options;
    struct error err = {""};
    if (!options->certificate && !options->certificate_key)
        return;
    if (!options->certificate || !options->certificate_key) {
        bool has_key = options->certificate_key;
        problems_add(origin->problems, origin->file,
                     has_key ? options->certificate_key_line : options->certificate_line,
                     "pool %s has %s: add %s", origin->pool->name,
                     has_key ? "certificate_key but no certificate"
                             : "certificate but no certificate_key",
                     has_key ? "certificate" : "certificate_key");
        return;
    }
    tls->credential = credential_load(options->certificate, options->certificate_key, &err);
    if (tls->credential)
        check_credential(tls->credential, origin);
    else
        problems_add(origin->problems, origin->file, options->certificate_line, "%s", err.text);
}

/* ---- who it is ---- */

static bool digest_certificate(EVP_MD_CTX *digest, X509 *certificate)
{
    unsigned char own[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    return X509_digest(certificate, EVP_sha256(), own, &length) == 1 &&
           EVP_DigestUpdate(digest, own, length) == 1;
}

static bool digest_certificates(EVP_MD_CTX *digest, STACK_OF(X509) * certificates)
{
    int count = certificates ? sk_X509_num(certificates) : -1;
    bool good = EVP_DigestUpdate(digest, &count, sizeof count) == 1;
    for (int i = 0; good && i < count; i++)
        good = digest_certificate(digest, sk_X509_value(certificates, i));
    return good;
}

static bool digest_all(EVP_MD_CTX *digest, const struct backend_tls *tls)
{
    const char *name = tls->name ? tls->name : "";
    const struct credential *credential = tls->credential;
    return EVP_DigestInit_ex(digest, EVP_sha256(), NULL) == 1 &&
           (!tls->speaks_h2 || EVP_DigestUpdate(digest, "h2", 3) == 1) &&
           EVP_DigestUpdate(digest, name, strlen(name) + 1) == 1 &&
           digest_certificates(digest, tls->anchors) &&
           digest_certificates(digest, credential ? credential->chain : NULL) &&
           (!credential || digest_certificate(digest, credential->certificate));
}

/* SHA-256 over all that decides whom a link trusts and as whom it comes. The private key needs no
 * place in it: it belongs to the certificate. */
static const char *identity_of(const struct backend_tls *tls, struct arena *arena)
{
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    if (!digest || !digest_all(digest, tls) || EVP_DigestFinal_ex(digest, bytes, &length) != 1)
        error_out_of_memory();
    EVP_MD_CTX_free(digest);
    char *text = arena_alloc(arena, 2 * (size_t)length + 1);
    *hex_write(text, bytes, length, hex_lower) = '\0';
    return text;
}

/* What OpenSSL refuses (a key that is too small, say) is told now, not by the first link. */
static void try_context(const struct backend_tls *tls, const struct origin *origin)
{
    const struct pool_options *options = origin->options;
    struct error err = {""};
    struct backend_tls_context *context = backend_tls_context_of(tls, &err);
    if (!context)
        problems_add(origin->problems, origin->file,
                     options->certificate_line ? options->certificate_line : origin->pool->line,
                     "%s", err.text);
    backend_tls_context_free(context);
}

void backend_tls_load(struct pool *pool, struct arena *arena, const char *file,
                      struct problems *problems)
{
    const struct origin origin = {pool, pool->options, file, problems};
    size_t errors_before = problems->error_count;
    pool->link_identity = pool_speaks_h2(pool) ? "h2" : "";
    if (!pool_speaks_tls(pool)) {
        warn_of_idle_keys(&origin);
        read_name(&origin, arena); /* what is no name is no name with protocol = https, either */
        return;
    }
    struct backend_tls *tls = calloc(1, sizeof *tls);
    if (!tls)
        error_out_of_memory();
    pool->tls = tls;
    tls->speaks_h2 = pool_speaks_h2(pool);
    load_anchors(tls, &origin);
    tls->name = read_name(&origin, arena);
    load_credential(tls, &origin);
    if (problems->error_count == errors_before)
        try_context(tls, &origin);
    pool->link_identity = identity_of(tls, arena);
}

void backend_tls_free(struct backend_tls *tls)
{
    if (!tls)
        return;
    sk_X509_pop_free(tls->anchors, X509_free);
    credential_free(tls->credential);
    free(tls);
}
