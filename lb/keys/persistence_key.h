/* SPDX-License-Identifier: Apache-2.0 */
/* The key that persistence cookies are sealed with: state_dir/persistence.key. */
#ifndef LB_KEYS_PERSISTENCE_KEY_H
#define LB_KEYS_PERSISTENCE_KEY_H

#include <stdbool.h>

#include "backends/persistence/persistence.h"

struct config;
struct error;

/** The control thread's own. Zero-initialised: none is loaded. */
struct persistence_key {
    bool is_loaded;
    unsigned char bytes[PERSISTENCE_KEY_BYTES];
};

/**
 * Give every pool with session_persistence = cookie the key. It is read, or made, when the first
 * config needs one, and then good until lb ends: no reload asks the disk for it again.
 *
 * config   loaded; no worker has it yet
 * Fails:   the key cannot be read or made, and err says what to do; out of memory
 * Thread:  control. May block for the disk.
 */
bool persistence_key_load(struct persistence_key *key, struct config *config, struct error *err);

/** Does a pool of this config need the key? Any thread. */
bool persistence_key_is_wished(const struct config *config);

/**
 * Would persistence_key_load take what lies in state_dir? Makes nothing; what is not there yet is
 * fine.
 *
 * Fails:   with what persistence_key_load would say.   Thread: control. May block for the disk.
 */
bool persistence_key_check(const struct config *config, struct error *err);

/** Forget and cleanse it; one that was never loaded is fine. */
void persistence_key_done(struct persistence_key *key);

#endif
