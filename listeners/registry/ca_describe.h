/* SPDX-License-Identifier: Apache-2.0 */
/* From the PEM text of an upload to the CA that is meant, and from an X.509 CA to its record.
 * Private to this folder. */
#ifndef LB_LISTENERS_REGISTRY_CA_DESCRIBE_H
#define LB_LISTENERS_REGISTRY_CA_DESCRIBE_H

#include "listeners/registry/cas.h"

/** What an upload holds. */
struct ca_bundle {
    STACK_OF(X509) * certificates; /* the CA first, then what stands above it, in file order */
    char *chain_pem;               /* of those above it; "" */
};
void ca_bundle_done(struct ca_bundle *bundle);

/** Fails: BAD_INPUT, with what is wrong with the text, the CA or one above it. */
enum change_refusal ca_bundle_read(struct ca_bundle *bundle, const char *pem, size_t bytes,
                                   int64_t now_s, struct error *err);

/** A record of the CA in `result`. like: gives name, chain, hosts, what it is and when. */
enum change_refusal ca_describe(X509 *ca, const struct ca_record *like, struct ca_result *result,
                                struct error *err);

/** "CA name (CN=…)" for the audit log; cut. */
enum { CA_ABOUT_BYTES = 256 };
const char *ca_about(const struct ca_record *ca, char into[CA_ABOUT_BYTES]);

#endif
