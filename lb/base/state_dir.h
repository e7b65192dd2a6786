/* SPDX-License-Identifier: Apache-2.0 */
/* The folder of [lb] state_dir: what lb keeps between two runs. */
#ifndef LB_BASE_STATE_DIR_H
#define LB_BASE_STATE_DIR_H

#include <stdbool.h>

struct error;

/**
 * Open the folder; it is made (mode 0700) when it is not there, but not the folders above it.
 *
 * A folder that others may write to is refused: they could put a key of theirs there. So is one
 * that belongs to anyone but root and whoever runs lb.
 *
 * returns  a descriptor for the caller to close; -1: err says what is wrong and what to do
 * Thread:  control. Blocks for the disk.
 */
int state_dir_open(const char *path, struct error *err);

/** As state_dir_open, but what is not there is not made: then -1 with *ret_is_missing. */
int state_dir_look(const char *path, bool *ret_is_missing, struct error *err);

/**
 * The same two for what root does in the place of the user lb runs as: root takes a folder that
 * belongs to anybody, since whoever it belongs to decides what is in it anyway.
 */
int state_dir_open_for_owner(const char *path, struct error *err);
int state_dir_look_for_owner(const char *path, bool *ret_is_missing, struct error *err);

#endif
