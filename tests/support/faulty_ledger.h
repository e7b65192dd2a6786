/* SPDX-License-Identifier: Apache-2.0 */
/* A ledger of any store that fails where a test wants it to, as on a full disk. */
#ifndef LB_TESTS_FAULTY_LEDGER_H
#define LB_TESTS_FAULTY_LEDGER_H

#include "listeners/registry/store.h"

/** inner: taken; closed with it. */
struct ledger *faulty_ledger(struct ledger *inner);

/** Of the calls from here on, the one after `calls` others, and all after it, give `outcome`
 * without a word to the store. DONE: none fails any more. The message is "the store was told to
 * fail". Rolling back never fails. */
void faulty_ledger_fail(struct ledger *ledger, unsigned calls, enum store_outcome outcome);

#endif
