/* SPDX-License-Identifier: Apache-2.0 */
/* The registry as a worker would see it, as far as it matters to one certificate: read from the
 * store, which may be in use by a running lb and is not written to. */
#ifndef LB_EXPLANATION_REGISTRY_H
#define LB_EXPLANATION_REGISTRY_H

#include <openssl/x509.h>

struct error;
struct view;

/**
 * All CAs, and every certificate of this one's serial number: few, however large the registry is.
 * A store that is not there knows nothing.
 *
 * returns  view_free is the caller's; NULL: err says why it cannot be read
 * Thread:  any. Blocks: disk.
 */
struct view *explanation_view(const char *location, const X509 *certificate, struct error *err);

#endif
