/* SPDX-License-Identifier: Apache-2.0 */
/* A new file that appears at once and whole, or not at all, and in the place of another only where
 * that is asked for. */
#ifndef LB_BASE_WHOLE_FILE_H
#define LB_BASE_WHOLE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/** What is to be made. */
struct whole_file {
    int folder;       /* descriptor; borrowed */
    const char *name; /* in the folder */
    mode_t mode;      /* exactly, whatever the umask */
};

enum whole_file_outcome {
    WHOLE_FILE_MADE,
    WHOLE_FILE_EXISTS, /* something of that name is there, and is as it was */
    WHOLE_FILE_FAILED, /* errno; nothing is left behind */
};

/**
 * Make it. Of several programs that make it at the same time one does, and the others are told
 * EXISTS. It is on the disk, under its name, before this returns; made by root, it belongs to the
 * folder's owner.
 *
 * Thread:  any. Blocks for the disk. A program that is killed meanwhile may leave a file of another
 *          name, ".NAME.xxxxxxxx", of the same mode.
 */
enum whole_file_outcome whole_file_make(const struct whole_file *file, const void *bytes,
                                        size_t count);

/**
 * The same in the place of what has the name now, if anything does: whoever opens it finds the old
 * one whole or the new one.
 *
 * returns  false: errno; the old one is as it was
 */
bool whole_file_replace(const struct whole_file *file, const void *bytes, size_t count);

#endif
