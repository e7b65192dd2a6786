/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What all changes of the registry have in common: one transaction that is whole or not at all,
 * with its line in the audit log. For certificate_*.c, ca_*.c and import.c only.
 */
#ifndef LB_LISTENERS_REGISTRY_CHANGE_H
#define LB_LISTENERS_REGISTRY_CHANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "listeners/registry/certificates.h"

/** Say why not, and return it: `return change_refuse(CHANGE_EXISTS, err, "…");`. */
enum change_refusal change_refuse(enum change_refusal refusal, struct error *err,
                                  const char *format, ...) __attribute__((format(printf, 3, 4)));

enum change_refusal change_out_of_memory(struct error *err);

/** The work of one change, between begin and commit. *ret_changed: is there anything to commit? It
 * is true beforehand. */
typedef enum change_refusal (*change_work)(struct ledger *ledger, void *arg, bool *ret_changed,
                                           struct error *err);

/** Begin, work, commit. Anything but MADE, and work that changed nothing, is rolled back. */
enum change_refusal change_run(struct ledger *ledger, change_work work, void *arg,
                               struct error *err);

/** The line of the audit log, within the work. Of `about` id, at_ms and who are not read; texts
 * that are NULL are "". */
enum change_refusal change_log(struct ledger *ledger, const struct actor *actor,
                               const struct change_record *about, struct error *err);

/** MADE where the store did what it was asked for, else STORE; NOTHING and EXISTS, of which the
 * store says no word, are called unexpected. */
enum change_refusal change_of_store(enum store_outcome outcome, struct error *err);

enum { WHEN_BYTES = 24 };
/** "2026-11-21T10:13:39Z", for messages. */
const char *change_when(int64_t ms, char into[WHEN_BYTES]);

#endif
