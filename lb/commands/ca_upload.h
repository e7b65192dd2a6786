/* SPDX-License-Identifier: Apache-2.0 */
/* lb ca upload: a CA of one's own. */
#ifndef LB_COMMANDS_CA_UPLOAD_H
#define LB_COMMANDS_CA_UPLOAD_H

#include <openssl/x509.h>
#include <stdbool.h>

#include "lb/commands/arguments.h"
#include "listeners/registry/cas.h"

extern const struct argument_option ca_upload_options[];

int ca_upload_command(int argc, char **argv);

/** A name that a CA may have, made of a common name: "Example Corp. CA" is "Example-Corp.-CA".
 * Fails: nothing of it is left, or it would be "builtin". */
bool ca_name_from(const char *common_name, char ret_name[CA_NAME_BYTES + 1]);

/** The one that signed none of the others; NULL: there is none such. Lent as the stack. */
X509 *ca_lowest(STACK_OF(X509) * certificates);

#endif
