/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who a client's certificate says it is, and what verification found, once per CA set. Made once,
 * immutable, counted: connections, sessions and the cache of verified chains of all workers share
 * one object.
 */
#ifndef LB_LISTENERS_IDENTITY_H
#define LB_LISTENERS_IDENTITY_H

#include <openssl/x509.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "listeners/ca/ca_set.h"

struct policy;
struct identity_header_values;
struct view_entry;

/* Responders whose word is kept there; more that rules ask about one client take a lock instead. */
enum { IDENTITY_OCSP_SEEN = 2 };

/* Lists of allow_client whose word is kept there; where one client meets more, it is looked at
 * anew. */
enum { IDENTITY_ALLOWED = 16 };

struct identity {
    atomic_uint references;
    unsigned char chain_hash[32]; /* SHA-256 over all certificates as sent, length-prefixed */
    X509 *leaf;
    STACK_OF(X509) * chain; /* as sent, leaf first */
    char *subject;          /* RFC 2253 with UTF-8 kept, bounded */
    char *issuer;
    char *serial;      /* upper-case hex, even length */
    char *sha256;      /* of the leaf's DER, lower-case hex */
    char *common_name; /* the first; NULL: it has none that could be a client id (client_id.h) */
    time_t not_before;
    time_t not_after;
    size_t chain_bytes; /* of all certificates as sent, DER */
    unsigned result_count;
    struct ca_set_result *results; /* one per set of the policy it was made under */
    /* How the registry knows it (record.h); only where a set has verified it. */
    bool has_key;
    bool is_imagined; /* nobody is there: it is asked what would become of it (lb explain), and
                         nobody was seen */
    unsigned char key[CERTIFICATE_KEY_BYTES];
    unsigned char tbs[TBS_BYTES];
    /* What it knows, once it was found there: entries stay as long as the registry. */
    _Atomic(struct view_entry *) known;
    /* What OCSP responders said last, for the workers to see without a lock; packed by
     * ocsp/ocsp_check.c. 0: nothing. */
    _Atomic(uint64_t) ocsp_seen[IDENTITY_OCSP_SEEN];
    /* What lists of allow_client have said of it (allow_list.c): which list, the lowest bit: yes.
     * 0: free. */
    _Atomic(uint64_t) allowed[IDENTITY_ALLOWED];
    /* The edition of a rule's revocation lists by which it has passed last (crl/crl_check.c); 0:
     * none. */
    _Atomic(uint64_t) crl_passed;
    /* Rendered on first use by identity_headers.c, then shared; freed with the identity. */
    _Atomic(struct identity_header_values *) header_values;
};

/**
 * What a chain is remembered by: SHA-256 over all certificates as sent, length-prefixed.
 *
 * chain    leaf first
 * digest   used for it
 * returns  false: out of memory, or one that cannot be encoded
 */
bool identity_hash_chain(STACK_OF(X509) * chain, EVP_MD_CTX *digest, const EVP_MD *sha256,
                         unsigned char ret_hash[32]);
/** Verify against every set of `policy` and describe. chain: leaf first, borrowed. NULL: out of
 * memory. */
struct identity *identity_new(const struct policy *policy, STACK_OF(X509) * chain,
                              const unsigned char chain_hash[32], time_t now);
struct identity *identity_ref(struct identity *identity);
/** NULL is fine. The last one frees. Any thread. */
void identity_unref(struct identity *identity);

/** Is the chain, as it was sent, small enough to be remembered (KEPT_CHAIN_BYTES)? */
bool identity_may_be_kept(const struct identity *identity);

/** Has at least one set verified it? */
bool identity_is_verified(const struct identity *identity);

/**
 * Until when its results hold as they are: the earliest notAfter of the certificate and of every
 * verified chain. 0: not at all, because a result depends on the clock (expired, not yet valid) and
 * must be found anew each time.
 */
time_t identity_valid_until(const struct identity *identity);

/** The result for one set, or NULL when it was not verified against it. */
const struct ca_set_result *identity_result(const struct identity *identity,
                                            const struct ca_set *set);

#endif
