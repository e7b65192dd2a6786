/* SPDX-License-Identifier: Apache-2.0 */
/* Records that outlive the call they were lent for. */
#ifndef LB_LISTENERS_REGISTRY_RECORD_COPY_H
#define LB_LISTENERS_REGISTRY_RECORD_COPY_H

#include <stdbool.h>

#include "listeners/registry/record.h"

/**
 * Copy a record with all that it points to; texts that are NULL become "".
 *
 * ret_memory  one block that holds it all, for free()
 * returns     false: out of memory, and nothing was written
 */
bool certificate_record_copy(struct certificate_record *to, const struct certificate_record *from,
                             void **ret_memory);
bool ca_record_copy(struct ca_record *to, const struct ca_record *from, void **ret_memory);

#endif
