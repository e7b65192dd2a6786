/* SPDX-License-Identifier: Apache-2.0 */
/* The two files that a credential is made of, read and not yet decoded. */
#ifndef LB_BASE_CREDENTIAL_SOURCE_H
#define LB_BASE_CREDENTIAL_SOURCE_H

#include <stdbool.h>

#include "lb/base/error.h"
#include "lb/base/pem.h"

/** Filled by credential_source_read(). */
struct credential_source {
    const char *certificate_path;
    const char *key_path;
    struct pem certificates;
    struct pem key;
    bool has_key;           /* false: it could not be read … */
    struct error key_fault; /* … because of this, which counts only if the certificates are fine */
};

/**
 * Read both files. One of the key that cannot be read is no failure yet: what is wrong with the
 * certificates is told first.
 *
 * source   filled, for credential_source_done(); nothing to give back where false is returned
 * certificate_path, key_path  borrowed until then
 * returns  false: the certificates cannot be read, and `err` says why
 * Thread:  any. Reads files.
 */
bool credential_source_read(struct credential_source *source, const char *certificate_path,
                            const char *key_path, struct error *err);
/** The key's text is cleansed. */
void credential_source_done(struct credential_source *source);

#endif
