/* SPDX-License-Identifier: Apache-2.0 */
/* The client CAs that the rules of a config may name: those of the registry, and the built-in one.
 * They are read when the config is loaded; when they change, it is loaded again. */
#ifndef LB_CONFIG_CONFIG_CAS_H
#define LB_CONFIG_CONFIG_CAS_H

#include "lb/config/config.h"
#include "lb/config/config_registry.h"
#include "lb/config/config_sections.h"
#include "listeners/registry/cas.h"

/** Zero: nothing is read. */
struct config_cas {
    struct cas all;     /* the built-in CA as its file has it, whatever the store says */
    bool is_read;       /* false: nothing needs them, or it was reported */
    struct cas *stored; /* whether anything needs them or not; NULL: they cannot be read */
    X509 *builtin;
};

/**
 * Read them. Where nothing in the file needs them, that they cannot be read is no problem of it:
 * they are only good for a warning then. A built-in CA that is needed and not there yet is
 * noted in config->is_builtin_due; a certificate that nobody has the key of stands in for it.
 */
void config_cas_read(struct config_cas *cas, struct config *config,
                     const struct config_registry_uses *uses, const struct config_loading *loading,
                     const struct config_source *source);
void config_cas_done(struct config_cas *cas);

/**
 * Would the registry say the same of CAs to this config today? It does not matter to one that asks
 * nothing. false also when the registry cannot be read now.
 *
 * Thread:  any. Reads the store.
 */
bool config_cas_are_current(const struct config *config);

/**
 * Make the built-in CA where it is not there, and tell the store. Its key is never in the memory of
 * this process: the loading's signer makes it.
 *
 * config   whose is_builtin_due is set
 * Thread:  as config_load_as
 */
bool config_cas_make_builtin(struct config *config, const struct config_loading *loading,
                             struct error *err);

/**
 * Do ca_passphrase_file and the key of the built-in CA fit, as far as they are there? Asked of a
 * config that names such a file; by whoever serves in a process of its own.
 *
 * returns  false: err says why nothing can be signed
 * Thread:  as config_load_as
 */
bool config_cas_try_key(struct config *config, const struct config_loading *loading,
                        struct error *err);

#endif
