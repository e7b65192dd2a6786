/* SPDX-License-Identifier: Apache-2.0 */
/* What lb knows of revoked clients: lists, CAs without one, responders' answers; for lb status and
 * for metrics. */
#ifndef LB_ADMIN_REVOCATION_REPORT_H
#define LB_ADMIN_REVOCATION_REPORT_H

#include "listeners/crl/crl_check.h"
#include "listeners/listener.h"
#include "listeners/registry/record.h"

struct config;
struct json_writer;

/** A CA of a listener whose clients are looked up in lists, and of which there is none. Lent for
 * the visit. */
struct missing_crl {
    const struct listener *listener;
    char id[CA_ID_LENGTH + 1]; /* as lb ca list shows it */
    const char *issuer;        /* RFC 2253 */
    enum crl_policy policy;    /* HARD: its clients are refused */
};

/** Visit them, listener by listener; a CA once for each policy it is asked for with. Thread:
 * control. */
void revocation_report_each_missing(const struct config *config,
                                    void (*visit)(void *arg, const struct missing_crl *missing),
                                    void *arg);

/** "hard", "soft". Static. */
const char *revocation_report_policy(enum crl_policy policy);

/** Write members "crls" and "ocsp" of an object that is open. services: what is not there is
 * written as empty. Thread: control. */
void revocation_report_write(struct json_writer *writer, const struct config *config,
                             const struct listener_services *services);

#endif
