/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A new file for something that exists once, as a key: it is made, with room on the disk, before
 * the something is; nothing that is there is ever overwritten; and what was not written whole is
 * taken away again.
 */
#ifndef LB_COMMANDS_OUT_FILE_H
#define LB_COMMANDS_OUT_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "lb/base/error.h"

/** Zero-initialised is none. */
struct out_file {
    const char *path; /* borrowed; NULL: none */
    int fd;
    bool is_written;
};

/**
 * Make it. path NULL: none.
 *
 * mode   0600 for whatever holds a key
 * Fails: there is a file of that name; it cannot be made; the disk is full: err says which.
 */
bool out_file_open(struct out_file *file, const char *path, mode_t mode, struct error *err);
/** Write all of it, to the disk. Once; of none it does nothing. Fails: err. */
bool out_file_write(struct out_file *file, const void *bytes, size_t length, struct error *err);
/** Let go of it, and remove it unless it was written. */
void out_file_done(struct out_file *file);

#endif
