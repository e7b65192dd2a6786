/* SPDX-License-Identifier: Apache-2.0 */
/* What one file of revocation lists held when it was read: immutable, counted. */
#ifndef LB_LISTENERS_CRL_FILE_H
#define LB_LISTENERS_CRL_FILE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <time.h>

#include "lb/base/limits.h"
#include "listeners/crl/crl.h"

/** By what a file is known to be as it was: any change changes it. Zeroed: of no file. */
struct crl_stamp {
    dev_t device;
    ino_t inode;
    off_t bytes;
    struct timespec modified;
    struct timespec changed; /* of the inode: also where the time of modification was put back */
};

struct crl_stamp crl_stamp_of(const struct stat *status);
bool crl_stamp_equal(const struct crl_stamp *one, const struct crl_stamp *other);

enum { CRL_FILE_DIGEST_BYTES = 32 };

struct crl_file {
    atomic_uint references;
    struct crl_stamp stamp;
    unsigned char digest[CRL_FILE_DIGEST_BYTES]; /* SHA-256 of its bytes */
    time_t loaded_at;
    unsigned count;
    struct crl *lists[CRL_FILE_LISTS_MOST];
    unsigned left_out_count;         /* lists of CAs that are not known … */
    char left_out[ERROR_TEXT_BYTES]; /* … what is to be said of the first */
};

/**
 * Read a file: PEM with one or more lists, or DER with one.
 *
 * issuers  CAs that may have signed them; lent
 * returns  the file, for crl_file_unref; lists of CAs that are not known are left out of it. NULL:
 *          it cannot be read, or one of its lists is no good: err says so, beginning with the path
 * Thread:  any. Blocks for the disk; takes 0.3 s for 500,000 entries.
 */
struct crl_file *crl_file_read(const char *path, STACK_OF(X509) * issuers, time_t now,
                               struct error *err);

/** What the file of this path is now. false: err. Blocks for the disk. */
bool crl_file_look(const char *path, struct crl_stamp *ret, struct error *err);

struct crl_file *crl_file_ref(struct crl_file *file);
/** NULL is fine. The last one frees. Any thread. */
void crl_file_unref(struct crl_file *file);

#endif
