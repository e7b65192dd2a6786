/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Path and query of a call of the API, percent-encoded. Zero-initialised is empty; out of memory
 * ends the process.
 *
 *   struct call_path path = {0};
 *   call_path_add(&path, "/v1/certificates/");
 *   call_path_part(&path, serial);
 *   call_path_query(&path, "ca", ca);
 */
#ifndef LB_COMMANDS_CALL_PATH_H
#define LB_COMMANDS_CALL_PATH_H

#include <stdbool.h>
#include <stddef.h>

struct call_path {
    char *text; /* owned */
    size_t length;
    size_t room;
    bool has_query;
};

/** As it stands. */
void call_path_add(struct call_path *path, const char *text);
/** One segment, whatever it holds. */
void call_path_part(struct call_path *path, const char *segment);
/** "?key=value" or "&key=value"; nothing where there is no value. */
void call_path_query(struct call_path *path, const char *key, const char *value);
void call_path_done(struct call_path *path);

#endif
