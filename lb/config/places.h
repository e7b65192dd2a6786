/* SPDX-License-Identifier: Apache-2.0 */
/* Where lb writes: the files and folders that a config names for that, and whether the user lb runs
 * as may use them. */
#ifndef LB_CONFIG_PLACES_H
#define LB_CONFIG_PLACES_H

#include "lb/config/config.h"
#include "lb/server/handover.h"
#include "lb/server/stand_in.h"

enum {
    PLACES_MOST = 5,
    PLACES_SOCKET_FOLDER_BYTES = 128, /* a socket cannot have more */
    PLACES_STORE_FOLDER_BYTES = 4096,
};

/** Where lb writes. Borrows from the config. */
struct places {
    unsigned count;
    struct place {
        const char *key;
        const char *path;
        unsigned line; /* where the config says so; 0: it is the default */
        enum handover_kind kind;
        const char *store; /* the registry's, in this folder; NULL: none is there */
        bool holds_key;    /* that of persistence cookies */
        bool is_optional;  /* lb runs without it */
        bool is_given;     /* lb run gives it to its user: what it is like now says nothing */
    } items[PLACES_MOST];
    char socket_folder[PLACES_SOCKET_FOLDER_BYTES];
    char store_folder[PLACES_STORE_FOLDER_BYTES];
};

/** log, access_log, state_dir, and the folders of [registry] store and [admin] address, as far as
 * this config has lb use them. */
void places_find(struct places *places, const struct config *config);

/** Give them to the user, where they are root's to give. Thread: main, as root. */
void places_hand_over(struct places *places, const struct account *account);
/**
 * Act as the user of [lb], where root does what else the running lb would do (a command that finds
 * none running): folders that are not there are made and given first, so that all that is made in
 * them is the user's.
 *
 * user                 NULL: none is named; one that there is not is nobody to stand in for
 * state_dir, location  absolute: of the built-in CA, of the store ("sqlite:/…"); both NULL: nothing
 *                      is to be made
 * stand_in             for stand_in_end; changed nothing where we are not root or no user is named
 * Thread:              main, while it is the only one
 */
bool places_stand_in(const char *user, const char *state_dir, const char *location,
                     struct stand_in *stand_in, struct error *err);
/** Note which ones places_hand_over would give, and change nothing. */
void places_foresee_handover(struct places *places);

/**
 * Report what this process could not open or make, and a persistence key that lb run would refuse:
 * an error at the key's line, with what would be right. Makes nothing. Thread: main, as the user
 * that lb runs as.
 */
void places_check(const struct places *places, const struct config *config,
                  struct problems *problems);

#endif
