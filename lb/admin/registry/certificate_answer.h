/* SPDX-License-Identifier: Apache-2.0 */
/* What the calls of certificates have in common. */
#ifndef LB_ADMIN_REGISTRY_CERTIFICATE_ANSWER_H
#define LB_ADMIN_REGISTRY_CERTIFICATE_ANSWER_H

#include <openssl/x509.h>
#include <stdbool.h>

#include "lb/base/error.h"
#include "listeners/registry/certificates.h"

struct registry_call;

/** "certificate": …, with the name of its CA. false: the store failed, and that is the answer. */
bool certificate_answer_write(struct registry_call *call, struct ledger *ledger,
                              const struct certificate_record *record);
/** The log line of a change. */
void certificate_answer_log(struct registry_call *call, const char *event,
                            const struct certificate_record *record);

/** A client's certificate out of a PEM text, and the CAs that stand with it, in any order. */
struct certificate_bundle {
    X509 *certificate;
    STACK_OF(X509) * chain; /* NULL: none */
};
/** Fails: no PEM, no certificate or several that are no CA, a private key among them; err says
 * which. */
bool certificate_bundle_read(struct certificate_bundle *bundle, const char *pem, struct error *err);
void certificate_bundle_done(struct certificate_bundle *bundle);

#endif
