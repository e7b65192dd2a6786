/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates and keys from PEM files, as people really have them: CRLF, blank lines, a BOM, text around. */
#ifndef LB_BASE_CERTIFICATE_H
#define LB_BASE_CERTIFICATE_H

#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

struct error;

/** A server's certificate, its chain (without itself) and its key. Frozen; EVP_PKEY and X509 are thread-safe to read. */
struct credential {
    char *certificate_path;
    X509 *certificate;
    STACK_OF(X509) *chain;
    EVP_PKEY *key;
    int key_type; /* EVP_PKEY_RSA, EVP_PKEY_EC, EVP_PKEY_ED25519, … */
};

/** Load and check that key and certificate belong together. Fails: says which file and what is wrong with it (a CA:TRUE
 *  certificate as server certificate is fine; a key with a passphrase, a certificate where a key should be and the like are named). */
struct credential *credential_load(const char *certificate_path, const char *key_path, struct error *err);
void credential_free(struct credential *credential);

/** All certificates of a PEM file, at least one. Fails: says what the file holds instead. */
STACK_OF(X509) *certificates_load(const char *path, struct error *err);

/** RFC 2253 text, UTF-8 kept, control bytes escaped; malloc'd, cut at 1,000 bytes. NULL: out of memory. */
char *certificate_name_text(const X509_NAME *name);
/** Serial in upper-case hex of even length; malloc'd. */
char *certificate_serial_text(const X509 *certificate);
/** SHA-256 of the DER, lower-case hex; malloc'd. */
char *certificate_sha256_text(const X509 *certificate);
time_t certificate_time(const ASN1_TIME *time);

#endif
