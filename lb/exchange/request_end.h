/* SPDX-License-Identifier: Apache-2.0 */
/* Every request ends here once, whoever answered it: it is counted, and logged where that is asked
 * for. */
#ifndef LB_EXCHANGE_REQUEST_END_H
#define LB_EXCHANGE_REQUEST_END_H

#include "lb/exchange/access_log.h"

/** log: NULL: off. entry: its client is there. Thread: the client's worker. */
void request_end(struct access_log *log, const struct access_entry *entry);

#endif
