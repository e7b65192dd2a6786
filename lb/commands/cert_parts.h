/* SPDX-License-Identifier: Apache-2.0 */
/* What lb cert can do: each part gets its own name as argv[0] and returns the exit status; each has
 * a table of its own options. */
#ifndef LB_COMMANDS_CERT_PARTS_H
#define LB_COMMANDS_CERT_PARTS_H

#include "lb/commands/arguments.h"

/* cert_issue.c */
extern const struct argument_option cert_issue_options[];
extern const char cert_issue_details[];
int cert_issue(int argc, char **argv);

/* cert_register.c */
extern const struct argument_option cert_register_options[];
extern const char cert_register_details[];
int cert_register(int argc, char **argv);

/* cert_import.c */
extern const struct argument_option cert_import_options[];
extern const char cert_import_details[];
int cert_import(int argc, char **argv);

/* cert_list.c */
extern const struct argument_option cert_list_options[];
extern const char cert_list_details[];
int cert_list(int argc, char **argv);

/* cert_show.c */
extern const struct argument_option cert_show_options[];
extern const struct argument_option cert_export_options[];
int cert_show(int argc, char **argv);
int cert_export(int argc, char **argv);

/* cert_change.c */
extern const struct argument_option cert_change_options[];
extern const struct argument_option cert_revoke_options[];
extern const char cert_revoke_details[];
int cert_activate(int argc, char **argv);
int cert_deactivate(int argc, char **argv);
int cert_revoke(int argc, char **argv);
int cert_delete(int argc, char **argv);
int cert_client_id(int argc, char **argv);

#endif
