/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The registry as workers see it: in memory, read by all threads without a lock at every handshake
 * and request, written by one. It holds of each certificate what decides who may pass, in 64 bytes
 * and a share of a table; entries never move and are never freed before the view, so that an
 * identity may keep a pointer to its own.
 */
#ifndef LB_LISTENERS_REGISTRY_VIEW_H
#define LB_LISTENERS_REGISTRY_VIEW_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "listeners/registry/record.h"
#include "listeners/registry/store.h"

enum {
    VIEW_KEY_BYTES = 16, /* of a certificate's key: nobody finds a second one of 128 equal bits */
    VIEW_CAS_MOST = 65535,
};

/**
 * One certificate. Readers use the functions below. Another certificate of the same key (that was
 * registered by hand after this one was deleted) gets an entry of its own, and this one stays
 * DELETED: who keeps an entry and finds it DELETED must look its key up again.
 */
struct view_entry {
    unsigned char key[VIEW_KEY_BYTES];
    unsigned char tbs[TBS_BYTES];
    _Atomic uint8_t state; /* enum certificate_status, and whether it was revoked */
    bool is_superseded;    /* the writer's: another entry has its key */
    _Atomic uint16_t ca;   /* slot */
    _Atomic uint32_t last_seen_s;
    _Atomic(const char *) client_id; /* NULL: none. Replaced ones stay until the view goes */
};

enum ca_standing { CA_UNKNOWN, CA_ENABLED, CA_DISABLED };

struct view;

struct view *view_new(void); /* NULL: out of memory */
void view_free(struct view *view);

/* Any thread. */

/** The entry of this key, or NULL. Its cost does not depend on how many there are. */
struct view_entry *view_find(const struct view *view,
                             const unsigned char key[CERTIFICATE_KEY_BYTES]);
enum certificate_status view_status(const struct view_entry *entry);
/** Of a tombstone: was it REVOKED when it was deleted? */
bool view_was_revoked(const struct view_entry *entry);
/** Is it that very certificate? Constant for what an identity keeps. */
bool view_has_tbs(const struct view_entry *entry, const unsigned char tbs[TBS_BYTES]);
/** Lent as long as the view; NULL: none was registered. */
const char *view_client_id(const struct view_entry *entry);
/** Of the registered CA that it was registered under. */
enum ca_standing view_ca_of(const struct view *view, const struct view_entry *entry);
/** Its holder was there in this second (since 1970) … */
void view_note_seen(struct view_entry *entry, uint32_t now_s);
/** … and was there last; 0: not since this lb runs. */
uint32_t view_last_seen_s(const struct view_entry *entry);
enum ca_standing view_ca(const struct view *view, const unsigned char key[CA_KEY_BYTES]);
/** Is any CA disabled? One load: who knows that none is need not ask for each. */
bool view_has_disabled_ca(const struct view *view);
/** Of what is not DELETED. */
size_t view_count(const struct view *view);
/** Everything it has allocated. */
size_t view_bytes(const struct view *view);

/* The writer's thread. */

/** Counts whatever lets somebody pass less than before: a certificate that is ACTIVATED no more, or
 * is known from now on and is not ACTIVATED, or is another one than before; a CA that is disabled
 * or gone. Who compares two values learns whether open connections are to be looked at. */
uint64_t view_worse(const struct view *view);
/** Put what the store says of a certificate in force. false: out of memory, and as before. */
bool view_put(struct view *view, const struct certificate_row *row);
/** Put what the store says of all CAs in force: those that are not among them are unknown. */
bool view_put_cas(struct view *view, const struct ca_record *cas, size_t count);

#endif
