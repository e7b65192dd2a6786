/* SPDX-License-Identifier: Apache-2.0 */
/* Where the registry's lanes bring their answers to an admin. Made when the first call needs it. */
#ifndef LB_ADMIN_API_DESK_H
#define LB_ADMIN_API_DESK_H

struct api;
struct api_desk;
struct registry_desk;

/** The desk of an API, made now if need be. NULL: out of memory or descriptors. Thread: control, as
 * for all here. */
struct registry_desk *api_desk_of(struct api *api);

/** No call is under way. `closed(arg)` is called from the loop when the desk is gone. */
void api_desk_close(struct api_desk *desk, void (*closed)(void *arg), void *arg);

#endif
