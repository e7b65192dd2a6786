/* SPDX-License-Identifier: Apache-2.0 */
/* One line per exchange, JSON or combined, handed to a sink that never blocks a worker. */
#ifndef LB_EXCHANGE_ACCESS_LOG_H
#define LB_EXCHANGE_ACCESS_LOG_H

#include <stdint.h>

#include "lb/config/config.h"

struct access_log;
struct access_rule;
struct backend;
struct client;
struct error;
struct exchange_facts;
struct grpc_outcome;
struct pool;
struct rule;

/** What one line tells; NULL and 0 where nothing is known. All borrowed for the call. */
struct access_entry {
    struct client *client; /* keeps what is the same in all of its lines */
    const char *protocol;
    const struct exchange_facts *facts;
    const struct rule *rule;
    const struct access_rule *access; /* the [access] section that decided about it */
    const struct pool *pool;
    const struct backend *backend;
    unsigned status; /* 0: the client got none */
    const struct grpc_outcome *grpc;
    uint64_t answer_bytes;
    uint64_t request_bytes;
    uint64_t duration_ms;
    unsigned attempts;
    const char *reason;
};

/** Open by the [lb] options. returns NULL with an empty err when it is off, NULL with a text when
 * it fails. Thread: main. */
struct access_log *access_log_open(const struct lb_options *options, struct error *err);
/** Format and queue one line. Any thread; never blocks on I/O. */
void access_log_write(struct access_log *log, const struct access_entry *entry);
/**
 * Open the file anew (after logrotate), and say so in lb's own log. A file that cannot be opened
 * leaves the old one in use, and the log says why. NULL, stdout and stderr are fine. Thread: main.
 */
void access_log_reopen(struct access_log *log);
/** NULL is fine. */
void access_log_close(struct access_log *log);

/** Format one line, with its newline, at `now`: for tests and access_log_write. returns its length,
 * 0 when it does not fit. */
size_t access_log_format(enum access_log_format format, const struct access_entry *entry,
                         int64_t now_ms, char *into, size_t room);

#endif
