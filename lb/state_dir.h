/* SPDX-License-Identifier: Apache-2.0 */
/* The folder of [lb] state_dir: what lb keeps between two runs. */
#ifndef LB_STATE_DIR_H
#define LB_STATE_DIR_H

#include <sys/types.h>

struct error;

/**
 * Open the folder; it is made (mode 0700) when it is not there, but not the folders above it.
 *
 * A folder that others may write to is refused: they could put a key of theirs there. So is one
 * that belongs to anyone but root, whoever runs lb, and `owner`.
 *
 * owner    who lb runs as once it has started; a folder that root makes is given to it
 * returns  a descriptor for the caller to close; -1: err says what is wrong and what to do
 * Thread:  control. Blocks for the disk.
 */
int state_dir_open(const char *path, uid_t owner, struct error *err);

#endif
