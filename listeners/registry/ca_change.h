/* SPDX-License-Identifier: Apache-2.0 */
/* A change of one CA that is there already. Private to this folder. */
#ifndef LB_LISTENERS_REGISTRY_CA_CHANGE_H
#define LB_LISTENERS_REGISTRY_CA_CHANGE_H

#include "listeners/registry/cas.h"

/** What a change of one CA is about; embedded first in what it needs besides. */
struct ca_changing {
    const char *which;
    const struct actor *actor;
    struct ca_result *result;
    /** Within the transaction, with the CA as it is: change it by ca_change_put() (or otherwise),
     * or leave it, and nothing was changed. */
    enum change_refusal (*apply)(struct ledger *ledger, struct ca_changing *changing,
                                 const struct ca_record *ca, struct error *err);
};

/** Find it and apply. result is the CA afterwards. */
enum change_refusal ca_change_run(struct ledger *ledger, struct ca_changing *changing,
                                  struct error *err);

/** `ca` as it shall be, with its line of the audit log, into store and result. */
enum change_refusal ca_change_put(struct ledger *ledger, struct ca_changing *changing,
                                  struct ca_record *ca, const char *action, const char *before,
                                  const char *after, struct error *err);

#endif
