/* SPDX-License-Identifier: Apache-2.0 */
/* GET /metrics: what lb counts and knows, for Prometheus and its like. */
#ifndef LB_ADMIN_METRICS_H
#define LB_ADMIN_METRICS_H

struct admin_host;
struct api_request;
struct metrics;

#define METRICS_MEDIA_TYPE "text/plain; version=0.0.4; charset=utf-8"

/** GET /metrics. Thread: control; its cost grows with what is told: listeners, CAs, backends. */
void metrics_get(struct api_request *request);

/* For metrics.c: its parts. */

/** Connections, handshakes, requests and answers (metrics_traffic.c). */
void metrics_write_traffic(struct metrics *metrics, struct admin_host *host);
/** What [access] sections decided (metrics_access.c). */
void metrics_write_access(struct metrics *metrics, struct admin_host *host);
/** Server certificates, client CAs and how they are used (metrics_certificates.c). */
void metrics_write_certificates(struct metrics *metrics, struct admin_host *host);
/** Revocation lists and OCSP (metrics_crls.c). */
void metrics_write_crls(struct metrics *metrics, struct admin_host *host);

#endif
