/* SPDX-License-Identifier: Apache-2.0 */
/* The certificates of a client as files have them: PEM, DER or PKCS #12. */
#ifndef LB_COMMANDS_EXPLAIN_CERTIFICATE_H
#define LB_COMMANDS_EXPLAIN_CERTIFICATE_H

struct error;

/**
 * Read what a client would send: its own certificate first, then those behind it. Private keys that
 * stand in the files are passed over.
 *
 * path    PEM, DER or, without a password, PKCS #12
 * chain   PEM: what it sends besides; NULL: nothing
 * returns as PEM, for free(); NULL: err names the file and says what it holds instead
 * Thread: main. Reads files.
 */
char *explain_certificate_read(const char *path, const char *chain, struct error *err);

#endif
