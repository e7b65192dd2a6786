/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates and keys from PEM files, as people really have them: CRLF, blank lines, a BOM, text
 * around. */
#ifndef LB_BASE_CERTIFICATE_H
#define LB_BASE_CERTIFICATE_H

#include <openssl/x509.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "lb/base/pem.h"

struct credential_source;
struct error;
struct key_reader;

enum { CREDENTIAL_DIGEST_BYTES = 32 };

/** A server's certificate, its chain (without itself) and its key. Frozen and counted; EVP_PKEY and
 * X509 are thread-safe to read. */
struct credential {
    atomic_uint users;
    char *certificate_path;
    X509 *certificate;
    STACK_OF(X509) * chain;
    EVP_PKEY *key;
    int key_type; /* EVP_PKEY_RSA, EVP_PKEY_EC, EVP_PKEY_ED25519, … */
    unsigned char digest[CREDENTIAL_DIGEST_BYTES]; /* of what both files said (credential_shelf.c);
                                                      zero where nobody asks for it */
};

/* Loading */

/**
 * Load a certificate file (the server's own certificate first, then its intermediates) and its key,
 * and check that they belong together. Both may stand in one file.
 *
 * returns  the credential, for credential_free; or NULL and `err` says which file and what is wrong
 * with it: a key with a passphrase, a certificate where a key should be, a chain in the wrong order
 * and the like are named Thread:  any. Reads files.
 */
struct credential *credential_load(const char *certificate_path, const char *key_path,
                                   struct error *err);
/**
 * The same of files that were read already. Fails as credential_load(). Any thread.
 *
 * keys     decodes the key where it can; NULL: the key is decoded the slow way
 */
struct credential *credential_decode(const struct credential_source *source,
                                     struct key_reader *keys, struct error *err);
/** One more user of it. Any thread. */
struct credential *credential_ref(struct credential *credential);
/** One user less; the last one frees it. NULL is fine. Any thread. */
void credential_free(struct credential *credential);

/**
 * All certificates of a PEM file, at least one, in file order.
 *
 * returns  a stack for sk_X509_pop_free(…, X509_free); or NULL and `err` says what the file holds
 * instead Thread:  any. Reads a file.
 */
STACK_OF(X509) * certificates_load(const char *path, struct error *err);
/** The same of a file that was read already. */
STACK_OF(X509) * certificates_decode(const struct pem *pem, const char *path, struct error *err);

/**
 * The same of a PEM text.
 *
 * what     stands before each message in the place of a path
 */
STACK_OF(X509) *
    certificates_read(const char *text, size_t bytes, const char *what, struct error *err);

/* Describing. All results are malloc'd; NULL: out of memory. Any thread. */

/** RFC 2253 text, UTF-8 kept, control bytes escaped; cut at CERTIFICATE_NAME_BYTES. */
char *certificate_name_text(const X509_NAME *name);
/** Serial in upper-case hex of even length, "-" before a negative one; cut at
 * CERTIFICATE_NAME_BYTES. */
char *certificate_serial_text(const X509 *certificate);
/** SHA-256 of the DER, lower-case hex. */
char *certificate_sha256_text(const X509 *certificate);
/**
 * The first field of this kind (NID_commonName, …) as UTF-8, not bounded, ended by a NUL that
 * *ret_bytes does not count; a field may hold others. NULL also: it has none, or one that is no
 * text.
 */
char *certificate_field_text(const X509_NAME *name, int nid, size_t *ret_bytes);
/** As a PEM block. */
char *certificate_pem_text(const X509 *certificate);
/** Seconds since 1970; the far past (-1) for a time that cannot be read. */
time_t certificate_time(const ASN1_TIME *time);
/**
 * Which certificate of a verified chain has ended: its place, or -1 if none has; of several the one
 * nearest to the anchor, as OpenSSL names it. At the very second of notAfter it has: OpenSSL 4 lets
 * that second pass, OpenSSL 3 does not. Any thread.
 */
int certificates_ended(const STACK_OF(X509) * chain, time_t now);

/**
 * Has it the form that RFC 5280 asks for, where OpenSSL's verification does not look: every
 * extension at most once and readable as far as its kind is known, none before version 3? Any
 * thread; what is out of memory is not well-formed.
 */
bool certificate_is_well_formed(X509 *certificate);
/** Is its key one that only its owner can sign with? Not an RSA key whose exponent is 1 or even.
 * Any thread. */
bool certificate_has_fit_exponent(const X509 *certificate);

enum { CERTIFICATE_NAME_BYTES = 1000 };

#endif
