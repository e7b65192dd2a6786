/* SPDX-License-Identifier: Apache-2.0 */
/* The file of a registry: whether it may be used, and how a new one comes into being. */
#ifndef LB_LISTENERS_REGISTRY_SQLITE_PLACE_H
#define LB_LISTENERS_REGISTRY_SQLITE_PLACE_H

#include "listeners/registry/store.h"

/**
 * Look at it without opening it.
 *
 * Fails: STORE_MISSING; STORE_CORRUPT: it is empty, or only its log is there: somebody has lost a
 *        registry; STORE_FAILED: it is no file, or others may write to it
 */
enum store_outcome place_look(const char *path, struct error *err);

/**
 * Make an empty registry, whole or not at all: it is written beside its name, synced and then
 * linked to it. 0600, and if we are root it belongs to its folder's owner. A folder that is missing
 * is made (0700, of its parent's owner), those above it are not. That somebody else was faster is
 * as good.
 */
enum store_outcome place_make(const char *path, struct error *err);

/** Sync a file, or a folder, by name. false: errno. */
bool place_sync(const char *path);
/** The folder of a path; owned by the caller; NULL: out of memory. */
char *place_folder(const char *path);

#endif
