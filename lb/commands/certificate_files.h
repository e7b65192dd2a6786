/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The certificates of files and folders, one after the other, however many there are: a fleet's
 * file is read line by line. PEM as people have it (CRLF, BOM, blank lines, text and keys around)
 * or DER; of a folder the files *.pem, *.crt, *.cer and *.der in order of their names.
 *
 * What is a CA belongs to the chains of the others: certificate_files_chains reads all of them
 * first, so that it matters not where they stand.
 */
#ifndef LB_COMMANDS_CERTIFICATE_FILES_H
#define LB_COMMANDS_CERTIFICATE_FILES_H

#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>

#include "lb/base/error.h"

/** Where something stands. */
struct file_place {
    const char *path;   /* lent for the call */
    unsigned long line; /* where it begins; 0: the file as a whole */
};

/** Visitors return false to stop. */
struct certificate_visitor {
    bool (*found)(void *arg, X509 *certificate, const struct file_place *place);
    bool (*wrong)(void *arg, const struct file_place *place, const char *reason);
    void *arg;
};

/** Read them. Files that hold no certificate, and blocks that cannot be decoded, are `wrong`. */
void certificate_files_walk(char *const *paths, int path_count,
                            const struct certificate_visitor *visitor);

enum { CHAIN_CAS_MOST = 1000, CHAIN_LENGTH_MOST = 8 };

/** CAs that stand between clients and those the registry has. */
struct chain_cas {
    STACK_OF(X509) * cas;
};

/** All CAs among the files, each once. Fails: there are more than CHAIN_CAS_MOST; out of memory. */
bool certificate_files_chains(char *const *paths, int path_count, struct chain_cas *ret_cas,
                              struct error *err);
void chain_cas_done(struct chain_cas *cas);

/**
 * A certificate and the CAs above it as PEM, itself first.
 *
 * returns  owned, for free(); NULL: out of memory
 */
char *chain_pem(const struct chain_cas *cas, X509 *certificate);

/** "devices.pem:120" or "device.der". */
enum { PLACE_BYTES = 512 };
const char *file_place_text(const struct file_place *place, char into[PLACE_BYTES]);

#endif
