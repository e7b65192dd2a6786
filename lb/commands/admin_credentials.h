/* SPDX-License-Identifier: Apache-2.0 */
/* What a command shows and trusts when it asks an lb over TCP. By itself, because getopt's `struct
 * option` and that of lb/base/option.h cannot meet in one file. */
#ifndef LB_COMMANDS_ADMIN_CREDENTIALS_H
#define LB_COMMANDS_ADMIN_CREDENTIALS_H

/** PEM files. NULL: not said. */
struct admin_credentials {
    const char *certificate; /* with its chain */
    const char *key;
    const char *ca; /* that lb's own certificate comes from */
};

#endif
