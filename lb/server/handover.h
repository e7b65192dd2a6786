/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Giving files and folders to the user lb is about to become. Root gives only where nobody but root
 * can have had a hand in the way: every folder down to the file belongs to root and no other may
 * write there, and there is no symbolic link. Elsewhere the user's own rights have to do: whoever
 * controls a folder on the way could otherwise make root give away any file.
 */
#ifndef LB_SERVER_HANDOVER_H
#define LB_SERVER_HANDOVER_H

#include <stdbool.h>

#include "lb/server/privileges.h"

enum handover_kind {
    HANDOVER_FILE,   /* appended to; made (0640) when it is not there; given when it was root's */
    HANDOVER_FOLDER, /* made (0700) and given when it is not there; never given when it is */
};

/**
 * Give it, if root may.
 *
 * path     absolute
 * returns  false: it was not root's to give, and is as it was
 * Thread:  control, as root
 */
bool handover_give(enum handover_kind kind, const char *path, const struct account *account);

/** Would handover_give succeed? Makes and changes nothing. */
bool handover_is_possible(enum handover_kind kind, const char *path);

#endif
