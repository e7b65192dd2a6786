/* SPDX-License-Identifier: Apache-2.0 */
/* What is allowed, but perhaps not meant. Private to this folder. */
#ifndef LB_LISTENERS_REGISTRY_CERTIFICATE_WARN_H
#define LB_LISTENERS_REGISTRY_CERTIFICATE_WARN_H

#include "listeners/registry/certificates.h"

/** Set result->warning where there is one to give of result->record: nobody can tell by which id
 * the client is known, another certificate has the same, its time has not come or is over. Fails:
 * the store. */
enum change_refusal certificate_warn(struct ledger *ledger, int64_t now_ms,
                                     struct certificate_result *result, struct error *err);

#endif
