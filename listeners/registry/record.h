/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the registry knows: of a client CA, of a client certificate, of a change. Plain values, the
 * same in the store, in what is answered and in the view.
 *
 * A certificate is known by its key: SHA-256 over the key of the CA that signed it and its serial.
 * Beside it stands the SHA-256 of its TBSCertificate, which no holder can change (a fingerprint he
 * can: an ECDSA signature has two forms). A CA is known by its key: SHA-256 of its public key as it
 * stands in certificates (SubjectPublicKeyInfo, RFC 5280 section 4.1.2.7); so a renewed CA is the
 * same CA.
 */
#ifndef LB_LISTENERS_REGISTRY_RECORD_H
#define LB_LISTENERS_REGISTRY_RECORD_H

#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

enum {
    CA_KEY_BYTES = 32,
    CA_ID_LENGTH = 16, /* hex digits: the first half of its key's first 16 bytes */
    CERTIFICATE_KEY_BYTES = 32,
    TBS_BYTES = 32, /* SHA-256 of a TBSCertificate */
};

/* The id and name of the CA that lb has itself. */
#define BUILTIN_CA_NAME "builtin"

/** In this order in stores: append only. */
enum certificate_status {
    CERTIFICATE_ACTIVATED,
    CERTIFICATE_NOT_ACTIVATED, /* it was deactivated */
    CERTIFICATE_REGISTERED,    /* registered, but never activated */
    CERTIFICATE_REVOKED,       /* for good */
    CERTIFICATE_DELETED,       /* a tombstone: what was deleted does not sign up again */
    CERTIFICATE_STATUS_COUNT,
};

/** How it came into the registry. In this order in stores: append only. */
enum certificate_source {
    SOURCE_ISSUED,   /* by the built-in CA */
    SOURCE_MANUAL,   /* registered by hand */
    SOURCE_AUTO,     /* signed up by itself */
    SOURCE_IMPORTED, /* a fleet at once */
    CERTIFICATE_SOURCE_COUNT,
};

/** Texts are UTF-8; in a record that a store gives they are lent for the call. */
struct certificate_record {
    int64_t id; /* the store's row; 0: not in a store yet */
    unsigned char key[CERTIFICATE_KEY_BYTES];
    unsigned char tbs[TBS_BYTES];
    char ca[CA_ID_LENGTH + 1]; /* id of the registered CA nearest to it in its chain */
    const char *serial;        /* upper-case hex, as certificate_serial_text() */
    const char *subject;       /* RFC 2253 */
    const char *issuer;
    const char *common_name; /* "": it has none */
    const char *unit;        /* its first organizationalUnitName; "" */
    const char *client_id;   /* ""; then its common name stands for it */
    char sha256[65];         /* fingerprint of the certificate that was registered */
    enum certificate_status status;
    bool was_revoked; /* of a tombstone: it may not be registered again */
    enum certificate_source source;
    int64_t not_before_s;
    int64_t not_after_s;
    int64_t created_ms; /* registered; wall clock, as all times */
    int64_t updated_ms;
    int64_t activated_ms;   /* last; 0: never */
    int64_t deactivated_ms; /* last; 0: never */
    const unsigned char *der;
    size_t der_bytes;
};

struct ca_record {
    unsigned char key[CA_KEY_BYTES];
    char id[CA_ID_LENGTH + 1];
    const char
        *name; /* of letters, digits, ".", "_", "-"; unique among CAs; "builtin" is lb's own */
    const char *subject;
    const char *serial;
    char sha256[65];
    bool is_builtin;
    bool is_enabled;
    int64_t not_before_s;
    int64_t not_after_s;
    int64_t created_ms;
    int64_t updated_ms;
    const unsigned char *der; /* the CA itself */
    size_t der_bytes;
    const char *chain_pem; /* what stood above it in the file that was uploaded; "" */
    unsigned host_count;
    const char *const *hosts; /* that it is bound to, sorted */
};

/** One line of the audit log. */
struct change_record {
    int64_t id; /* 0: not in a store yet */
    int64_t at_ms;
    const char *who;                      /* "uid 0 (pid 4711)", "sign-up", "certificate CN=ops" */
    const char *action;                   /* "certificate.revoke", "ca.bind", … */
    const char *ca;                       /* id; "": none */
    const unsigned char *certificate_key; /* NULL: it is not about one certificate */
    const char *serial;                   /* of that certificate; "" */
    const char *subject;                  /* a sentence for people: whom it was about */
    const char *before;                   /* one word or a short JSON text; "": nothing was */
    const char *after;
};

/** "ACTIVATED", "NOT_ACTIVATED", "REGISTERED", "REVOKED", "DELETED". Static. */
const char *certificate_status_name(enum certificate_status status);
/** "issued", "manual", "auto", "imported". Static. */
const char *certificate_source_name(enum certificate_source source);

/** false: OpenSSL cannot encode it, or out of memory. Any thread. */
bool ca_key_of(X509 *ca, unsigned char ret_key[CA_KEY_BYTES]);
struct ca_key {
    unsigned char bytes[CA_KEY_BYTES];
};
/** The same of each, in their order; malloc'd. NULL: as above. */
struct ca_key *ca_keys_of(STACK_OF(X509) * cas);
void ca_id_of(const unsigned char key[CA_KEY_BYTES], char ret_id[CA_ID_LENGTH + 1]);
/** ca_key: of the certificate whose key signed this one. */
bool certificate_key_of(const unsigned char ca_key[CA_KEY_BYTES], const X509 *certificate,
                        unsigned char ret_key[CERTIFICATE_KEY_BYTES]);
bool certificate_tbs_of(X509 *certificate, unsigned char ret_tbs[TBS_BYTES]);

#endif
