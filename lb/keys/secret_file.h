/* SPDX-License-Identifier: Apache-2.0 */
/* A random secret that lb makes for itself once and keeps in a file of mode 0600. */
#ifndef LB_KEYS_SECRET_FILE_H
#define LB_KEYS_SECRET_FILE_H

#include <stdbool.h>
#include <stddef.h>

struct error;

/** Where a secret is kept. */
struct secret_file {
    int folder;       /* descriptor; borrowed */
    const char *path; /* of the folder, for messages */
    const char *name; /* in the folder */
};

enum { SECRET_BYTES_MOST = 64 };

/**
 * Read a secret; where there is no file yet, make one of random bytes.
 *
 * The file appears at once and whole, or not at all, and is on the disk before this returns; of
 * several programs that make it at the same time, all get the same secret. Refused, with a sentence
 * that says what to do: a file that others may read or write, that belongs to somebody else, that
 * is none, or that has another length.
 *
 * secret   length bytes (at most SECRET_BYTES_MOST), to be cleansed by the caller
 * Thread:  control. Blocks for the disk.
 */
bool secret_file_keep(const struct secret_file *file, unsigned char *secret, size_t length,
                      struct error *err);

/** Would secret_file_keep take what is there? No file is fine, and none is made. Fails as that
 * does. Thread: control. Blocks for the disk. */
bool secret_file_look(const struct secret_file *file, size_t length, struct error *err);

#endif
