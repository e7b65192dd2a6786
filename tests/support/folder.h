/* SPDX-License-Identifier: Apache-2.0 */
/* A temporary folder for one test: files in it, and what is written there. */
#ifndef LB_TESTS_FOLDER_H
#define LB_TESTS_FOLDER_H

#include <stddef.h>

struct folder {
    char path[64];
};

/* Make it. Fails the test when that is not possible. */
void folder_make(struct folder *folder);
/* Remove it with all that is in it. A test that fails leaves its folder for whoever looks into it.
 */
void folder_remove(struct folder *folder);

/* "FOLDER/name"; lent until the fourth call after this one. */
const char *folder_file(const struct folder *folder, const char *name);
void folder_write(const struct folder *folder, const char *name, const char *text);
/* A file's whole text, "" when there is no such file; the caller frees it. */
char *folder_read(const struct folder *folder, const char *name);

#endif
