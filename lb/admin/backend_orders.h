/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What operators may do to a backend, at once and for all workers:
 *
 *   drain     it gets nothing new, clients that stick to it move; what runs there goes on, and it
 * is checked as ever disable   the same, and it is not checked any more enable    neither: what its
 * checks say holds
 *
 * Not even all_down = any sends anything to a backend that is drained or disabled. It stays so over
 * reloads that keep the backend, and ends with lb itself.
 */
#ifndef LB_ADMIN_BACKEND_ORDERS_H
#define LB_ADMIN_BACKEND_ORDERS_H

struct api_request;

/* POST /v1/backends/{pool}/{backend}/drain and its like. Idempotent; a change is one log line. The
 * answer is the backend as it is then. Thread: control. */
void backend_orders_drain(struct api_request *request);
void backend_orders_disable(struct api_request *request);
void backend_orders_enable(struct api_request *request);

#endif
