/* SPDX-License-Identifier: Apache-2.0 */
/* The registry's calls over the admin socket: control thread, pool's thread, lane, control thread.
 * A client that leaves in the middle changes nothing of that; its answer is dropped. */
#ifndef LB_ADMIN_REGISTRY_REGISTRY_API_H
#define LB_ADMIN_REGISTRY_REGISTRY_API_H

struct api_request;

/** Handle any request whose route is one of registry_calls.def. Thread: control. */
void registry_api_handle(struct api_request *request);

#endif
