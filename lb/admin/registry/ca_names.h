/* SPDX-License-Identifier: Apache-2.0 */
/* The names of all CAs, by id: certificates carry ids, people read names. */
#ifndef LB_ADMIN_REGISTRY_CA_NAMES_H
#define LB_ADMIN_REGISTRY_CA_NAMES_H

#include <stddef.h>

#include "listeners/registry/cas.h"
#include "listeners/registry/store.h"

struct ca_names {
    struct ca_names_row {
        char id[CA_ID_LENGTH + 1];
        char name[CA_NAME_BYTES + 1];
    } * rows;
    size_t count;
};

/** Zero-initialised before; ca_names_done after every outcome. */
enum store_outcome ca_names_read(struct ca_names *names, struct ledger *ledger, struct error *err);
void ca_names_done(struct ca_names *names);

/** NULL: there is no such CA any more. */
const char *ca_names_find(const struct ca_names *names, const char *id);
/**
 * The id of an id or name. What has the form of an id is taken for one though its CA is deleted:
 * its certificates and changes are still there. false: no such CA.
 */
bool ca_names_resolve(const struct ca_names *names, const char *which,
                      char ret_id[CA_ID_LENGTH + 1]);

#endif
