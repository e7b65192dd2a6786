/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The built-in CA: state_dir/ca.crt, and state_dir/ca.key (0600, encrypted where there is a
 * passphrase). Only whoever makes it or signs with it reads the key: a short-lived process of its
 * own (signer.h) or a command; the lb that serves never has it in its memory.
 */
#ifndef LB_LISTENERS_REGISTRY_ISSUER_H
#define LB_LISTENERS_REGISTRY_ISSUER_H

#include <openssl/x509.h>
#include <stdbool.h>

#include "lb/base/error.h"

enum key_kind {
    KEY_P256,
    KEY_P384,
    KEY_RSA2048,
    KEY_RSA3072,
    KEY_RSA4096,
    KEY_ED25519,
    KEY_KIND_COUNT
};
/** "p256", … static. */
const char *key_kind_name(enum key_kind kind);
/** Also what the API calls them: "ec-p256", "RSA" (rsa2048) and the like, in any case. */
bool key_kind_parse(const char *name, enum key_kind *ret_kind);
/** NULL: out of memory. RSA keys take their time. */
EVP_PKEY *key_make(enum key_kind kind);

/** Where it lies. */
struct issuer_place {
    const char *state_dir;
    const char *passphrase_file; /* absolute; NULL: the key is not encrypted */
};

struct ca_wish {
    const char *common_name; /* NULL: "lb client CA" and the host's name */
    enum key_kind key;
    unsigned days; /* ISSUER_CA_DAYS unless said */
};
enum { ISSUER_CA_DAYS = 3650, ISSUER_DAYS_MOST = 36500 };

enum issuer_outcome { ISSUER_DONE, ISSUER_MISSING, ISSUER_EXISTS, ISSUER_FAILED };

/** Its certificate; the key is not touched. Owned by the caller. */
enum issuer_outcome issuer_read(const struct issuer_place *place, X509 **ret_ca, struct error *err);
/** Make key and certificate, whole or not at all; of two at once one makes it, the other gets
 * EXISTS with that one. Files belong to the folder's owner if we are root. */
enum issuer_outcome issuer_make(const struct issuer_place *place, const struct ca_wish *wish,
                                X509 **ret_ca, struct error *err);

/** What a certificate shall say. Texts UTF-8; NULL: not in it. */
struct issue_wish {
    const char *common_name, *unit, *organization, *country, *state, *locality;
    const char *const *names; /* "dns:…", "uri:…", "email:…", "ip:…" for subjectAltName */
    unsigned name_count;
    unsigned days; /* 1 … ISSUER_DAYS_MOST; never past the CA's own end */
};
enum { ISSUE_DAYS = 365, ISSUE_NAMES_MOST = 50 };

/** Is it a wish that can be granted? err says which part is wrong and what would be right. */
bool issue_check(const struct issue_wish *wish, struct error *err);

/**
 * Sign. The profile: v3, basicConstraints critical CA:FALSE, keyUsage critical digitalSignature,
 * extendedKeyUsage clientAuth, key identifiers, 128 random bits of serial, SHA-256 (or what the
 * CA's key brings).
 *
 * request  a CSR: its proof of possession is checked; subject and alternative names are its own
 *          where the wish has none; nothing else of it is taken. Of RSA keys 2048 bits and more, EC
 *          P-256/P-384/P-521, Ed25519.
 * returns  NULL: err
 */
X509 *issue_sign(const struct issuer_place *place, X509_REQ *request, const struct issue_wish *wish,
                 struct error *err);

/** A CSR for a key of one's own. NULL: err. */
X509_REQ *issue_request(EVP_PKEY *key, const struct issue_wish *wish, struct error *err);

/** PEM as people have it: CRLF, BOM, blank lines. NULL: err says what the text holds instead. */
X509_REQ *request_read(const char *pem, size_t bytes, struct error *err);

/**
 * A .p12 (RFC 7292) of key, certificate and CA.
 *
 * legacy    true: the old algorithms that Apple's and older Windows' importers take (3DES, SHA-1
 *           MAC); false: AES-256 with PBKDF2 and a SHA-256 MAC
 * password  UTF-8; not empty
 * returns   owned, for free(); NULL: err
 */
unsigned char *pkcs12_write(EVP_PKEY *key, X509 *certificate, X509 *ca, const char *name,
                            const char *password, bool legacy, size_t *ret_bytes,
                            struct error *err);

#endif
