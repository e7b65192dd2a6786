/* SPDX-License-Identifier: Apache-2.0 */
/* The seam inside backend_tls: backend_tls_load.c fills the settings, backend_tls.c makes contexts
 * of them. For these files only. */
#ifndef LB_BACKENDS_TLS_BACKEND_TLS_PARTS_H
#define LB_BACKENDS_TLS_BACKEND_TLS_PARTS_H

#include <openssl/x509.h>
#include <stdbool.h>

struct backend_tls_context;
struct credential;
struct error;

struct backend_tls {
    const char *name;              /* backend_name as it is asked for; NULL: the host asked for */
    STACK_OF(X509) * anchors;      /* of backend_ca; NULL: the system's */
    struct credential *credential; /* what lb shows; NULL: nothing */
    bool speaks_h2;                /* ALPN offers h2 alone, else http/1.1 */
};

/** As backend_tls_context_new, for settings that have no pool yet. */
struct backend_tls_context *backend_tls_context_of(const struct backend_tls *settings,
                                                   struct error *err);

/** Is this an IPv4 or IPv6 address (without brackets)? */
bool backend_tls_is_address(const char *name);

#endif
