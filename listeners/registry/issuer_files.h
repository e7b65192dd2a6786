/* SPDX-License-Identifier: Apache-2.0 */
/* The files of the built-in CA: who may have them, reading them, putting new ones there. For
 * issuer*.c and issue_*.c only. */
#ifndef LB_LISTENERS_REGISTRY_ISSUER_FILES_H
#define LB_LISTENERS_REGISTRY_ISSUER_FILES_H

#include <limits.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <sys/types.h>

#include "lb/base/error.h"
#include "listeners/registry/issuer.h"

#define ISSUER_CERTIFICATE_NAME "ca.crt"
#define ISSUER_KEY_NAME "ca.key"

/** The folder they are in, open. */
struct issuer_folder {
    int fd;
    char path[PATH_MAX]; /* without slashes at its end, for messages */
    uid_t owner;
    const char *passphrase_file; /* borrowed of the place; NULL: none */
};

/** Open it. make: also when it is not there yet, else that is MISSING. */
enum issuer_outcome issuer_folder_open(struct issuer_folder *folder,
                                       const struct issuer_place *place, bool make,
                                       struct error *err);
void issuer_folder_close(struct issuer_folder *folder);

/** Read one of them. DONE, MISSING or FAILED; what is read is the caller's. */
enum issuer_outcome issuer_folder_certificate(const struct issuer_folder *folder, X509 **ret_ca,
                                              struct error *err);
enum issuer_outcome issuer_folder_key(const struct issuer_folder *folder, EVP_PKEY **ret_key,
                                      struct error *err);

/** Put one there. DONE, EXISTS (and what is there is as it was) or FAILED. The key is encrypted if
 * there is a passphrase. */
enum issuer_outcome issuer_folder_put_certificate(const struct issuer_folder *folder, X509 *ca,
                                                  struct error *err);
enum issuer_outcome issuer_folder_put_key(const struct issuer_folder *folder, const EVP_PKEY *key,
                                          struct error *err);

/** Where the files were put: ca.crt.old-20261231T235959Z and ca.key.old-20261231T235959Z. */
struct issuer_aside {
    char suffix[40]; /* ".old-20261231T235959Z" */
    bool has_certificate, has_key;
};
/** Move both out of the way, as far as they are there; both or none. */
bool issuer_folder_set_aside(const struct issuer_folder *folder, struct issuer_aside *ret_aside,
                             struct error *err);
/** And back again, where no other one is there meanwhile. */
void issuer_folder_take_back(const struct issuer_folder *folder, const struct issuer_aside *aside);

#endif
