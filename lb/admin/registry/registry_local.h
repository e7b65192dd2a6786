/* SPDX-License-Identifier: Apache-2.0 */
/* The registry's API without a running lb: the same calls, with the same answers, made by whoever
 * calls, on a ledger of his own. */
#ifndef LB_ADMIN_REGISTRY_REGISTRY_LOCAL_H
#define LB_ADMIN_REGISTRY_REGISTRY_LOCAL_H

#include <jansson.h>
#include <stdbool.h>

#include "lb/admin/registry/registry_facts.h"

/**
 * Make one call, as docs/API.md has it: what the running lb would answer, but that nobody is
 * connected. Changes make the store when it is not there; a question to one that is not there finds
 * nothing.
 *
 * method, target  "GET", "/v1/certificates?cn=a%20b": path and query, percent-encoded
 * body            JSON; borrowed; NULL: none
 * facts           registry_facts_make from the INI file; borrowed
 * who             for the audit log, as registry_who writes it
 * ret_status      200, 201, or that of a refusal
 * ret_json        owned: json_decref; a refusal is {"error":{"reason","text"}}. A private key that
 *                 was made is in it.
 * Fails:          out of memory.   Thread: any. Blocks: disk, keys being made, other writers.
 */
bool registry_call_local(const char *method, const char *target, const json_t *body,
                         const struct registry_facts *facts, const char *who, unsigned *ret_status,
                         json_t **ret_json);

#endif
