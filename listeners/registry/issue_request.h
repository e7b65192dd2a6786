/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a CSR may be signed. For issue_*.c only. */
#ifndef LB_LISTENERS_REGISTRY_ISSUE_REQUEST_H
#define LB_LISTENERS_REGISTRY_ISSUE_REQUEST_H

#include <openssl/x509.h>
#include <stdbool.h>

#include "lb/base/error.h"

enum {
    REQUEST_RSA_BITS_LEAST = 2048,
    REQUEST_RSA_BITS_MOST = 8192, /* more costs whoever checks it, and buys nothing */
};

/** Is its key strong enough, sound, and in the hands of whoever made the CSR? */
bool request_check(X509_REQ *request, struct error *err);

#endif
