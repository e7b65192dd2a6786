/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of registering that one certificate and a fleet have in common. Private to this
 * folder. */
#ifndef LB_LISTENERS_REGISTRY_CERTIFICATE_REGISTER_H
#define LB_LISTENERS_REGISTRY_CERTIFICATE_REGISTER_H

#include "listeners/registry/certificate_verify.h"
#include "listeners/registry/certificates.h"

/** Check it in every way that the store is not needed for, and make its record in `result`. */
enum change_refusal certificate_prepare(struct verifier *verifier,
                                        const struct registration *registration, int64_t now_ms,
                                        struct certificate_result *result, struct error *err);

enum registered_before { BEFORE_NOTHING, BEFORE_THE_SAME, BEFORE_TOMBSTONE };

/** What is in the store under the key of `record`, and may it be registered all the same? EXISTS
 * with *ret_before THE_SAME: it is that very certificate. ILLEGAL: a tombstone that stays. */
enum change_refusal certificate_look_before(struct ledger *ledger,
                                            const struct certificate_record *record,
                                            enum registered_before *ret_before, struct error *err);

/** Put it into the store: new, or in the place of its tombstone. */
enum change_refusal certificate_put_new(struct ledger *ledger,
                                        const struct certificate_record *record,
                                        enum registered_before before, struct error *err);

#endif
