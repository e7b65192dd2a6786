/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LB_ADMIN_EXPLAIN_CALL_H
#define LB_ADMIN_EXPLAIN_CALL_H

struct api_request;

/** POST /v1/explain: what would become of a client's request, by the config in force. Changes
 * nothing. */
void explain_call_post(struct api_request *request);

#endif
