/* SPDX-License-Identifier: Apache-2.0 */
/* What the log is told of revocation lists. Any thread. */
#ifndef LB_LISTENERS_CRL_LOG_H
#define LB_LISTENERS_CRL_LOG_H

#include "lb/base/log.h"

struct crl;
struct crl_file;

/** One list: its file, CA, number, entries and end. */
void crl_log_list(enum log_level level, const char *event, const char *path, const struct crl *crl);
/** All lists of a file that was read. */
void crl_log_taken(const char *path, const struct crl_file *file);

#endif
