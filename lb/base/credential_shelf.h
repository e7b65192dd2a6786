/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The credentials of one config: each pair of files is decoded once, and not at all where the
 * config before had it and both files still say the same. Files are always read: whoever has
 * replaced one finds it in use after a reload, whatever its name, size and time.
 */
#ifndef LB_BASE_CREDENTIAL_SHELF_H
#define LB_BASE_CREDENTIAL_SHELF_H

#include <stddef.h>

struct credential;
struct credential_shelf;
struct error;

/**
 * most     so many pairs will be taken, at most
 * before   the one of the config before, frozen; borrowed until credential_shelf_settle(). NULL:
 *          there is none
 * Thread:  loader. Out of memory ends the process, as for everything that is loaded.
 */
struct credential_shelf *credential_shelf_new(size_t most, const struct credential_shelf *before);

/**
 * The credential of two files; as credential_load(), and counted: for credential_free().
 *
 * certificate_path, key_path  borrowed for the call
 */
struct credential *credential_shelf_take(struct credential_shelf *shelf,
                                         const char *certificate_path, const char *key_path,
                                         struct error *err);

/** All are taken: nothing more is, and what only loading needs is given back. */
void credential_shelf_settle(struct credential_shelf *shelf);

/** NULL is fine. Who took a credential keeps it. Thread: any. */
void credential_shelf_free(struct credential_shelf *shelf);

#endif
