/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How clients are met at the TCP addresses of [admin]: the same machinery as any listener, with one
 * rule that always requires a certificate and refuses by alert. Sessions are not kept: who may
 * change everything shows the certificate each time.
 */
#ifndef LB_ADMIN_ADMIN_LISTENER_H
#define LB_ADMIN_ADMIN_LISTENER_H

#include <stdbool.h>

#include "lb/admin/admin_address.h"
#include "lb/base/hold.h"
#include "listeners/listener.h"

struct cas;
struct handshake_context;

struct admin_listener {
    struct hold hold; /* the first user is whoever it belongs to; the last one frees */
    struct arena arena;
    struct listener_options options;
    struct rule_options rule_options;
    struct rule_section rule;
    struct listener listener;
    struct handshake_context *handshake; /* NULL until it is opened */
};

/**
 * Read certificates, keys and CAs.
 *
 * options  checked (admin_options_check); copied as far as they are needed later
 * line     of the section
 * cas      of the registry, as for listener_prepare; lent for the call
 * returns  NULL: there is no TCP address, or problems say what is wrong
 * Thread:  loader. Reads files.
 */
struct admin_listener *admin_listener_new(const struct admin_options *options, unsigned line,
                                          const struct cas *cas, const char *file,
                                          struct problems *problems);

/** Be ready for handshakes. registry: borrowed for its life; NULL: none. Thread: control. */
bool admin_listener_open(struct admin_listener *listener, struct registry *registry,
                         struct error *err);

/** Do not use it any more. NULL is fine. */
void admin_listener_leave(struct admin_listener *listener);

#endif
