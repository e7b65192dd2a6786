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
/** Also what others call them: "RSA" (rsa2048), "EC" and "ECC" (p256), "rsa:3072", "P-384",
 * "prime256v1", "secp384r1", in any case. */
bool key_kind_parse(const char *name, enum key_kind *ret_kind);
/** false: it is of none of these kinds. */
bool key_kind_of(const EVP_PKEY *key, enum key_kind *ret_kind);
/** NULL: out of memory. RSA keys take their time. */
EVP_PKEY *key_make(enum key_kind kind);
/** PEM (PKCS #8, not encrypted); owned, to be cleansed before it is freed. NULL: out of memory. */
char *key_pem_text(const EVP_PKEY *key);

/** Where it lies. */
struct issuer_place {
    const char *state_dir;
    const char *passphrase_file; /* absolute; NULL: the key is not encrypted */
};

struct ca_wish {
    const char *common_name; /* NULL: "lb client CA" and the host's name */
    enum key_kind key;
    unsigned days; /* 1 … ISSUER_DAYS_MOST; 0: ISSUER_CA_DAYS */
    bool replace;  /* whatever is there is moved out of the way first */
    X509 *known;   /* the one that the registry knows: no other is made; NULL: it knows none */
};
enum {
    ISSUER_CA_DAYS = 3650,
    ISSUER_DAYS_MOST = 36500,
    /* How long before now certificates begin: the clocks of those who check them differ. */
    ISSUER_BACKDATED_S = 300,
};

/** Is it a wish that can be granted? err says which part is wrong and what would be right. */
bool issuer_check(const struct ca_wish *wish, struct error *err);

enum issuer_outcome { ISSUER_DONE, ISSUER_MISSING, ISSUER_EXISTS, ISSUER_FAILED };

/**
 * Its certificate; the key is not touched. Owned by the caller.
 *
 * Fails: folder or file may be written by others, or belong to somebody else (not root, ourselves
 * or the folder's owner); the file holds anything but one CA certificate.   Thread: any. Reads
 * files.
 */
enum issuer_outcome issuer_read(const struct issuer_place *place, X509 **ret_ca, struct error *err);
/**
 * Make the key, and a certificate for it, which is not put into its place yet: issuer_put() does,
 * once the registry knows it. So at no moment is there a whole CA that the registry has not heard
 * of. Where there is a certificate the outcome is EXISTS, with that one. Files belong to the
 * folder's owner if we are root.
 *
 * The certificate: v3, basicConstraints critical CA:TRUE pathlen:0, keyUsage critical keyCertSign
 * and cRLSign, subject key identifier, 128 random bits of serial, SHA-256 (Ed25519 brings its own);
 * named "lb client CA", the host and six random hex digits, so that no two are called the same.
 *
 * The key comes first. A key without a certificate is what a crash has left: it is never replaced
 * (a certificate may only have been lost), and the certificate is made for it, provided that it is
 * of the kind that is wished for; of wish->known it is that one again, if the key is its key, and
 * MISSING else.
 *
 * wish->replace: ca.crt and ca.key become ca.crt.old-DATE and ca.key.old-DATE, once it is sure that
 * there can be new ones. No key is ever lost.
 *
 * Fails: as issuer_read and issue_sign do; the folder cannot be written to.   Thread: any that may
 * block: RSA keys take seconds.
 */
enum issuer_outcome issuer_make(const struct issuer_place *place, const struct ca_wish *wish,
                                X509 **ret_ca, struct error *err);
/** Put the certificate into its place. EXISTS: there is one, which is left as it is. Thread: any;
 * blocks for the disk. */
enum issuer_outcome issuer_put(const struct issuer_place *place, X509 *ca, struct error *err);
/**
 * Could it sign? Passphrase, key and certificate are read as issue_sign does. MISSING: there is no
 * key yet, and the passphrase would be fine for a new one. The key is in this process' memory.
 *
 * Thread:  any that may block
 */
enum issuer_outcome issuer_try(const struct issuer_place *place, struct error *err);

/** What a certificate shall say. Texts UTF-8, without control characters, of at most 64 characters
 * (state and locality 128: the upper bounds of RFC 5280, appendix A); NULL: not in it. */
struct issue_wish {
    const char *common_name, *unit, *organization, *country, *state, *locality;
    const char *const *names; /* "dns:…", "uri:…", "email:…", "ip:…" for subjectAltName */
    unsigned name_count;
    unsigned days; /* 1 … ISSUER_DAYS_MOST; never past the CA's own end */
};
enum { ISSUE_DAYS = 365, ISSUE_NAMES_MOST = 50 };

/** Is it a wish that can be granted? err says which part is wrong and what would be right. A wish
 * without a common name can, of a CSR that has one. */
bool issue_check(const struct issue_wish *wish, struct error *err);

/**
 * Sign. The profile: v3, basicConstraints critical CA:FALSE, keyUsage critical digitalSignature,
 * extendedKeyUsage clientAuth, key identifiers, 128 random bits of serial, SHA-256 (or what the
 * CA's key brings). It begins ISSUER_BACKDATED_S ago, not before the CA, and ends wish->days from
 * now; a day past the CA's own end is refused, not cut, with the most days that are possible.
 *
 * request  a CSR: its proof of possession is checked; nothing of it is taken but its key, subject
 *          and alternative names. A field of the wish stands in the place of the subject's fields
 * of that kind, alternative names of the wish in the place of all of its own. Of RSA keys 2048 to
 * 8192 bits, EC P-256/P-384/P-521, Ed25519. Fails:   also where the result would have no common
 * name; where ca.key may be read by others, belongs to somebody else (not root, ourselves or the
 * folder's owner), does not fit ca.crt, is encrypted without place->passphrase_file or not
 * encrypted with one; where the passphrase is wrong, empty, or readable by everybody. returns
 * owned; NULL: err Thread:  any that may block.
 */
X509 *issue_sign(const struct issuer_place *place, X509_REQ *request, const struct issue_wish *wish,
                 struct error *err);

/** A CSR for a key of one's own; the wish needs a common name, its days are not looked at. NULL:
 * err. */
X509_REQ *issue_request(EVP_PKEY *key, const struct issue_wish *wish, struct error *err);

enum { REQUEST_BYTES = 64 * 1024 }; /* a CSR of an RSA-8192 key with fifty names has a quarter */

/** PEM as people have it: CRLF, BOM, blank lines, text around; exactly one CSR of at most
 * REQUEST_BYTES. NULL: err says what the text holds instead. */
X509_REQ *request_read(const char *pem, size_t bytes, struct error *err);

/**
 * A .p12 (RFC 7292) of key, certificate and CA.
 *
 * ca        NULL: without
 * name      the friendly name that key and certificate are listed under; UTF-8
 * legacy    true: the old algorithms that Apple's and older Windows' importers take (3DES, SHA-1
 *           MAC); false: AES-256 with PBKDF2 and a SHA-256 MAC
 * password  UTF-8; not empty, without control characters, at most PKCS12_PASSWORD_BYTES. Java opens
 *           only those of ASCII letters, whoever made the bundle
 * returns   owned, for free(); NULL: err
 * Thread:   any; takes some tenths of a second on purpose
 */
unsigned char *pkcs12_write(EVP_PKEY *key, X509 *certificate, X509 *ca, const char *name,
                            const char *password, bool legacy, size_t *ret_bytes,
                            struct error *err);
enum { PKCS12_PASSWORD_BYTES = 256 };

#endif
