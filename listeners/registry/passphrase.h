/* SPDX-License-Identifier: Apache-2.0 */
/* The passphrase of the built-in CA's key, from a file or a systemd credential. */
#ifndef LB_LISTENERS_REGISTRY_PASSPHRASE_H
#define LB_LISTENERS_REGISTRY_PASSPHRASE_H

#include <stdbool.h>
#include <stddef.h>

#include "lb/base/error.h"

/* No more than OpenSSL's own tools take, so that they open the key, too. */
enum { PASSPHRASE_BYTES = 1023 };

/** Bytes, whatever they mean. To be cleansed with passphrase_done. */
struct passphrase {
    char bytes[PASSPHRASE_BYTES + 1];
    size_t length;
};

/**
 * The first line of a file, without its end.
 *
 * Fails: it is not there, no file, empty, longer than PASSPHRASE_BYTES; everybody may read it, or
 * others may write it.   Thread: any. Reads a file.
 */
bool passphrase_read(const char *path, struct passphrase *passphrase, struct error *err);
void passphrase_done(struct passphrase *passphrase);

#endif
