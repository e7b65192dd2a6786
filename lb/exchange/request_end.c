/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/exchange/request_end.h"

#include "listeners/client.h"
#include "listeners/traffic.h"

void request_end(struct access_log *log, const struct access_entry *entry)
{
    const struct traffic_request request = {entry->status, entry->request_bytes,
                                            entry->answer_bytes, entry->duration_ms,
                                            traffic_version_of(entry->protocol)};
    traffic_count_request(entry->client->door->traffic, &request);
    if (log)
        access_log_write(log, entry);
}
