/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the registry is kept. A store is one file in stores/ that defines `const struct store
 * store_<file>`; the folder is the list of them. What is opened of it is a ledger: one connection,
 * used by one thread at a time. Rules of the registry (who may become what) are not here: see
 * certificates.h and cas.h.
 *
 * All changes stand between ledger_begin and ledger_commit; when commit says DONE they survive the
 * machine's fall. Every writing transaction has a revision, greater than all before it, and marks
 * what it puts with it: who follows reads what is newer than the last revision he saw, whoever
 * wrote it. Several processes may have the same store open.
 */
#ifndef LB_LISTENERS_REGISTRY_STORE_H
#define LB_LISTENERS_REGISTRY_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lb/base/error.h"
#include "listeners/registry/record.h"

struct ledger;

enum store_outcome {
    STORE_DONE,
    STORE_NOTHING,   /* there is none */
    STORE_EXISTS,    /* one of this key is there already */
    STORE_MISSING,   /* ledger_open without `make`: there is no such store */
    STORE_FULL,      /* the disk is full */
    STORE_READ_ONLY, /* it may not be written to */
    STORE_BUSY,      /* somebody else writes for longer than STORE_PATIENCE_MS */
    STORE_CORRUPT,   /* it is damaged, or no store of ours; it is left as it is */
    STORE_NEWER,     /* a newer lb has made it; it is left as it is */
    STORE_FAILED,    /* something else: err says what */
};

enum { STORE_PATIENCE_MS = 5000 };

enum store_mode {
    STORE_READ,  /* what is not there is STORE_MISSING */
    STORE_WRITE, /* the same, and schemas of older versions are brought up to date */
    STORE_MAKE, /* … and what is not there is made: 0600, owned by its folder's owner if we are root
                 */
};

/* Of a serial, common name, unit or client id: longer ones are FAILED. */
enum { STORE_TEXT_BYTES = 1000 };

/** Ties stand in the order of registering. */
enum certificate_order {
    ORDER_CREATED,
    ORDER_SERIAL,
    ORDER_COMMON_NAME,
    ORDER_UNIT,
    ORDER_CLIENT_ID,
    ORDER_NOT_BEFORE,
    ORDER_NOT_AFTER,
    ORDER_UPDATED, /* as the changes followed each other */
};

/**
 * What is looked for; everything that is set must hold. Texts are compared whole; a "*" at the end
 * stands for any rest, one at both ends for any text around, one alone for any text; other ones for
 * themselves. Case does not count (of ASCII letters, in these and where lists are sorted); it does
 * in the id of the CA.
 */
struct certificate_filter {
    const char *serial; /* NULL: any; so below */
    const char *common_name;
    const char *unit;
    const char *client_id;
    const char *ca;    /* id */
    unsigned statuses; /* bits 1 << enum certificate_status; 0: all but DELETED */
    unsigned sources;  /* bits 1 << enum certificate_source; 0: all */
    int64_t not_before_from_s, not_before_to_s; /* 0: open; from is included, to is not */
    int64_t not_after_from_s, not_after_to_s;
    enum certificate_order order;
    bool descending;
    unsigned limit;    /* 1 … STORE_PAGE_MOST */
    const char *after; /* the cursor of the page before; NULL: the first page */
};

enum { STORE_PAGE_MOST = 1000, STORE_CURSOR_BYTES = 2 * STORE_TEXT_BYTES + 64 };

/**
 * Which lines of the audit log; everything that is set must hold. What is of a certificate or of a
 * serial is told by the log itself, whether or not the certificate is still there. The import that
 * brought it is among them as long as it is (as a tombstone, too): the one line of
 * CHANGE_OF_IMPORT of the very millisecond in which the certificate was registered.
 */
struct change_filter {
    const unsigned char *certificate_key; /* NULL: any */
    const char *serial;                   /* as certificate_serial_text() writes it; NULL: any */
    const char *ca;                       /* id; NULL: any */
    int64_t import_at_ms;                 /* imports of this time alone; 0: any line */
    int64_t before_id;                    /* older than this; 0: the newest */
    unsigned limit;
};

/** The action of the line that a transaction of an import writes. No two have one time. */
#define CHANGE_OF_IMPORT "certificate.import"

/** Visitors return false to stop. Records are lent for the call. */
typedef bool (*certificate_visit)(void *arg, const struct certificate_record *certificate);
typedef bool (*ca_visit)(void *arg, const struct ca_record *ca);
typedef bool (*change_visit)(void *arg, const struct change_record *change);

/** What the view needs of a certificate: a million of them are read at the start. */
struct certificate_row {
    unsigned char key[CERTIFICATE_KEY_BYTES];
    unsigned char tbs[TBS_BYTES];
    char ca[CA_ID_LENGTH + 1];
    enum certificate_status status;
    bool was_revoked;
    const char *client_id; /* "" */
    int64_t not_after_s;
};
typedef bool (*row_visit)(void *arg, const struct certificate_row *row);

/** A kind of store. `err` is set whenever the outcome is none of DONE, NOTHING, EXISTS; it names
 * the place and what to do. */
struct store {
    const char *name; /* "sqlite": `store = sqlite:PATH` */
    const char *summary;
    enum store_outcome (*open)(struct ledger **ret_ledger, const char *place, enum store_mode mode,
                               struct error *err);
    void (*close)(struct ledger *ledger);

    /** Waits for other writers. What is put without it is FAILED. */
    enum store_outcome (*begin)(struct ledger *ledger, struct error *err);
    /** Whatever it says, the transaction is over: all of it is there, or nothing. */
    enum store_outcome (*commit)(struct ledger *ledger, struct error *err);
    void (*rollback)(struct ledger *ledger);

    /** Put in the place of the one of this key, or new; its hosts with it. EXISTS: another CA has
     * the name. */
    enum store_outcome (*put_ca)(struct ledger *ledger, const struct ca_record *ca,
                                 struct error *err);
    enum store_outcome (*drop_ca)(struct ledger *ledger, const char *id, struct error *err);
    /** All, by name. */
    enum store_outcome (*each_ca)(struct ledger *ledger, ca_visit visit, void *arg,
                                  struct error *err);

    /** EXISTS: its key is there. */
    enum store_outcome (*add_certificate)(struct ledger *ledger,
                                          const struct certificate_record *certificate,
                                          struct error *err);
    /** Everything but id and key is replaced; NOTHING: no such key. */
    enum store_outcome (*put_certificate)(struct ledger *ledger,
                                          const struct certificate_record *certificate,
                                          struct error *err);
    enum store_outcome (*get_certificate)(struct ledger *ledger,
                                          const unsigned char key[CERTIFICATE_KEY_BYTES],
                                          certificate_visit visit, void *arg, struct error *err);
    /** ret_cursor: of the next page, STORE_CURSOR_BYTES; "": this was the last (it is of the whole
     * page, also if the visitor stopped). A cursor that is none is FAILED. */
    enum store_outcome (*find_certificates)(struct ledger *ledger,
                                            const struct certificate_filter *filter,
                                            certificate_visit visit, void *arg, char *ret_cursor,
                                            struct error *err);
    /** How many match (order, limit and after do not count). */
    enum store_outcome (*count_certificates)(struct ledger *ledger,
                                             const struct certificate_filter *filter,
                                             int64_t *ret_count, struct error *err);
    /** How many were registered since then with one of these sources? */
    enum store_outcome (*count_since)(struct ledger *ledger, int64_t since_ms, unsigned sources,
                                      int64_t *ret_count, struct error *err);
    /** Tombstones that are past their notAfter go. */
    enum store_outcome (*drop_tombstones)(struct ledger *ledger, int64_t now_s, struct error *err);

    /** Certificates put after this revision (0: all), in no order; *ret_revision: the newest there
     * is. One consistent view. */
    enum store_outcome (*follow)(struct ledger *ledger, int64_t since_revision, row_visit visit,
                                 void *arg, int64_t *ret_revision, struct error *err);
    /** Has any other connection committed since the last call? Cheap: to be asked often. */
    bool (*has_news)(struct ledger *ledger);

    enum store_outcome (*add_change)(struct ledger *ledger, const struct change_record *change,
                                     struct error *err);
    /** Newest first. */
    enum store_outcome (*find_changes)(struct ledger *ledger, const struct change_filter *filter,
                                       change_visit visit, void *arg, struct error *err);

    /** A whole copy while others write; `path` must not exist. */
    enum store_outcome (*back_up)(struct ledger *ledger, const char *path, struct error *err);
};

/** What every ledger begins with. */
struct ledger {
    const struct store *store;
};

/** All stores, NULL at the end; written by CMake from the folder. */
extern const struct store *const stores[];

/**
 * Find the store of "sqlite:/path/registry.db".
 *
 * ret_place  what stands behind the colon, lent as `location`
 * returns    NULL: err says which kinds there are
 */
const struct store *store_find(const char *location, const char **ret_place, struct error *err);

/** store_find and open. */
enum store_outcome ledger_open(struct ledger **ret_ledger, const char *location,
                               enum store_mode mode, struct error *err);
/** NULL is fine. */
void ledger_close(struct ledger *ledger);

#endif
