/* SPDX-License-Identifier: Apache-2.0 */
/* The CAs of one rule: what client certificates are verified against. Frozen after load, shared by
 * all workers. */
#ifndef LB_LISTENERS_CA_CA_SET_H
#define LB_LISTENERS_CA_CA_SET_H

#include <openssl/x509.h>
#include <stdbool.h>
#include <time.h>

#include "listeners/refusal.h"
#include "listeners/registry/record.h"

struct problems;

enum { CA_SET_ID_BYTES = 32 };

struct ca_set {
    /* SHA-256 over the sorted certificates (length-prefixed), depth and the partial switch: equal
     * content, equal id, so that rules which name the same CAs in different files share one
     * verification. */
    unsigned char id[CA_SET_ID_BYTES];
    X509_STORE *store;
    STACK_OF(X509_NAME) * names;   /* subjects of the CAs, for CertificateRequest */
    STACK_OF(X509) * certificates; /* each once */
    struct ca_key *keys;           /* of these, in their order */
    int depth;
    bool partial;
};

/** CAs of the registry, beside those of files. */
struct ca_set_extra {
    X509 *const *certificates; /* borrowed for the call; each is an anchor by itself */
    unsigned count;
};

/**
 * Load PEM files into a set; `extra` (NULL: none) joins them. A set of nothing at all is possible:
 * it verifies nobody.
 *
 * Reports, at file:line: unreadable or empty files, certificates that are no CA (basicConstraints
 * CA:FALSE; X.509 v1 self-signed roots are CAs), a lone intermediate without `partial` (and without
 * its root in the set), expired CAs (warning). returns  the set, or NULL when there were errors
 */
struct ca_set *ca_set_load(const char *const *paths, const unsigned *lines, unsigned count,
                           const struct ca_set_extra *extra, int depth, bool partial,
                           const char *ini_file, struct problems *problems);
void ca_set_free(struct ca_set *set);

/** What one verification found. */
struct ca_set_result {
    unsigned char set_id[CA_SET_ID_BYTES];
    enum refusal refusal; /* NONE: verified by this set */
    int x509_error;       /* OpenSSL's, for the log */
    int depth;            /* of the certificate at fault; 0: the client's own */
    time_t valid_until;   /* the earliest notAfter of the verified chain, anchor included */
    /* Keys of the CAs of the verified chain, the one that signed the client's certificate first; of
     * an anchor that is the certificate itself its own. 0 unless verified. */
    unsigned ca_count;
    unsigned char (*ca_keys)[CA_KEY_BYTES]; /* owned: ca_set_result_done … */
    X509 **cas;                             /* … as are these CAs, counted */
};
void ca_set_result_done(struct ca_set_result *result);

/**
 * Verify `leaf` with `chain` (as the client sent it, leaf included or not) against the set:
 * sslclient purpose (absent EKU is fine), depth, auth level 2 (RSA >= 2048 bits, EC >= 224 bits, no
 * SHA-1 signatures) reported as weak-key, now. Thread: any. CPU-heavy (tens of µs per link).
 */
void ca_set_verify(const struct ca_set *set, X509 *leaf, STACK_OF(X509) * chain, time_t now,
                   struct ca_set_result *result);

#endif
