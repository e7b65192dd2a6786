/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A revocation list's DER, read without making an object of each entry: OpenSSL takes 250 bytes and
 * several allocations for one. What stands around the entries is small, and OpenSSL's.
 */
#ifndef LB_LISTENERS_CRL_DER_H
#define LB_LISTENERS_CRL_DER_H

#include <openssl/x509.h>
#include <stdbool.h>

#include "lb/base/error.h"
#include "lb/base/slice.h"
#include "listeners/crl/crl_serials.h"

/** Where the parts are; all lent from the DER that was read. */
struct crl_parts {
    struct slice tbs;     /* what is signed, with its own header */
    struct slice before;  /* of the content of tbs: what stands before the entries … */
    struct slice entries; /* … the entries, without the header of their list; may be empty … */
    struct slice after;   /* … and behind them */
    struct slice algorithm; /* of the signature, with its header, as it stands behind tbs */
    struct slice signing;   /* algorithm and signature, with their headers */
};

/** Fails: it is no revocation list, or not a whole one. */
bool crl_der_split(struct slice der, struct crl_parts *parts, struct error *err);

/** The same list without its entries, which is all but them. NULL: OpenSSL does not understand it,
 * or out of memory. Its signature is that of the whole list. */
X509_CRL *crl_der_frame(const struct crl_parts *parts);

/** Has this key signed it? */
bool crl_der_is_signed(const struct crl_parts *parts, const X509_CRL *frame, EVP_PKEY *key);

/** All serials of the entries. Fails: an entry is malformed, or says what is not understood. */
bool crl_der_serials(const struct crl_parts *parts, struct crl_serials *ret, struct error *err);

#endif
