/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A folder with INI files and the certificates they name, and what config_load() says of them:
 *   certs/ca, partner, intermediate   client CAs; the last one is issued by ca
 *   certs/namesake, old-ca            CAs: one has the server's common name, one has expired
 *   certs/server, server-rsa, other   server certificates: www.example.com twice, other.example.com
 *   certs/weak                        a server certificate that OpenSSL refuses: RSA of 1024 bits
 *   certs/late, early                 server certificates that are not valid now
 *   certs/client                      no CA
 *   certs/ca.crl, delta.crl           revocation lists of ca: a good one, one that lb does not use
 *   certs/stranger.crl                a revocation list of a CA that is not here
 *   refused.html, wrong.html          pages for refused clients: a good one, one with an unknown
 *                                     placeholder in its third line
 */
#ifndef LB_TESTS_CONFIG_FOLDER_H
#define LB_TESTS_CONFIG_FOLDER_H

#include "lb/config/config.h"
#include "tests/support/folder.h"

void config_folder_make(struct folder *folder);

/* Load a file of the folder; the messages as `lb check` writes them, without the folder's path, and
 * behind them what is fine. The caller frees both. */
struct config *config_folder_load(const struct folder *folder, const char *file,
                                  char **ret_messages);
/* Write a text into the folder and load it; fails the test unless it is fine. */
struct config *config_folder_load_text(const struct folder *folder, const char *text);

/* "ROOT/name" in the source tree, which LB_SOURCE names; lent until the next call. */
const char *config_folder_source(const char *name);
/* The text of a file in the source tree; the caller frees it. Fails the test when there is none. */
char *config_folder_source_read(const char *name);

#endif
