/* SPDX-License-Identifier: Apache-2.0 */
/* The files that a config was loaded from: itself, certificates, keys, CAs, pages. A reload reads
 * them again. */
#ifndef LB_CONFIG_CONFIG_FILES_H
#define LB_CONFIG_CONFIG_FILES_H

#include "lb/config/config.h"
#include "lb/server/privileges.h"

struct config_file {
    const char *path;
    const char *key; /* that names it; NULL: the INI file */
    unsigned line;
};

/**
 * List them, each path once.
 *
 * ret_files  in the arena; texts are the config's
 * returns    how many
 */
unsigned config_files_list(const struct config *config, struct arena *arena,
                           struct config_file **ret_files);

/**
 * Warn of each file that this process may not read, at the line that names it: root has read it
 * before lb became the account, but a reload would fail. At most CONFIG_FILES_TOLD_MOST are told
 * one by one.
 *
 * Thread: main, as that user.
 */
void config_files_check(const struct config *config, const struct account *account,
                        struct problems *problems);

enum { CONFIG_FILES_TOLD_MOST = 20 };

#endif
