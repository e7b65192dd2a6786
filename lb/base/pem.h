/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PEM texts as people really have them, tidied for OpenSSL, which by itself trips over a BOM or a
 * blank line. When nothing useful is found, the labels of what is there make the message.
 */
#ifndef LB_BASE_PEM_H
#define LB_BASE_PEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct error;

/** A PEM text, tidied; no NUL ends it. It may hold a key: pem_done() cleanses it. */
struct pem {
    char *text;
    size_t length;
};

/** A whole file; one that is a folder, empty or larger than CERTIFICATE_FILE_BYTES is refused, by
 * its path. */
bool pem_read(const char *path, struct pem *pem, struct error *err);
/** The same of a file that is open already: `file` stays the caller's; path is for messages. */
bool pem_read_stream(FILE *file, const char *path, struct pem *pem, struct error *err);
/** The same of a text. what: stands before each message in the place of a path. */
bool pem_copy(const char *text, size_t bytes, const char *what, struct pem *pem, struct error *err);
/** One that is empty or was never filled is fine if it is zero. */
void pem_done(struct pem *pem);

/** Does it hold these words? */
bool pem_has(const struct pem *pem, const char *words);
/** Does it begin as DER does, and not as any text? */
bool pem_is_der(const struct pem *pem);
/** What a text without the wanted PEM block holds, as far as its labels tell: "a private key". */
const char *pem_describe(const struct pem *pem);

/** Does a PEM text hold a private key, encrypted or not? Such a text is a secret. */
bool pem_holds_key(const char *text, size_t bytes);

#endif
