/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/commands/cert.h"

#include <stddef.h>

#include "lb/commands/cert_parts.h"
#include "lb/commands/commands.h"

const char cert_details[] =
    "The states of a certificate:\n"
    "  ACTIVATED       may pass\n"
    "  NOT_ACTIVATED   was deactivated; may be activated again, or deleted\n"
    "  REGISTERED      was never activated yet\n"
    "  REVOKED         for good; may be deleted, and is refused even then\n"
    "Whatever is not ACTIVATED is refused by every rule that asks for certificates, at once: open\n"
    "connections are closed, too.\n\n"
    "SERIAL is a serial number in hex, with or without colons. Where certificates of several CAs "
    "have\n"
    "the same, --ca CA says which.\n\n"
    "Where no lb runs, the same is done straight on the store of the INI file, which the file's "
    "user\n"
    "and root may do.\n";

// clang-format off
const struct command cert_parts[] = {
    {"issue", "--cn NAME [--p12 FILE | --out FILE] [--days N] ...", "make a certificate with the built-in CA, and its key here", cert_issue_details, cert_issue, NULL, cert_issue_options},
    {"register", "FILE|FOLDER... [--ca CA] [--client-id ID] ...", "register certificates that one of your CAs has signed", cert_register_details, cert_register, NULL, cert_register_options},
    {"import", "FILE|FOLDER... [--client-ids CSV] ...", "register a whole fleet at once", cert_import_details, cert_import, NULL, cert_import_options},
    {"list", "[--cn NAME] [--status A,B] [--expiring] ... [--json]", "find certificates", cert_list_details, cert_list, NULL, cert_list_options},
    {"show", "SERIAL [--ca CA] [--pem] [--json]", "all that is known of a certificate, and who is connected with it", "", cert_show, NULL, cert_show_options},
    {"export", "SERIAL [--ca CA] [--out FILE]", "the certificate as PEM; its key is not kept anywhere", "", cert_export, NULL, cert_export_options},
    {"activate", "SERIAL... [--ca CA] [--json]", "let its client come", "", cert_activate, NULL, cert_change_options},
    {"deactivate", "SERIAL... [--ca CA] [--json]", "refuse its client until it is activated again", "", cert_deactivate, NULL, cert_change_options},
    {"revoke", "SERIAL... [--ca CA] [--yes] [--json]", "refuse its client for good", cert_revoke_details, cert_revoke, NULL, cert_revoke_options},
    {"delete", "SERIAL... [--ca CA] [--json]", "forget a certificate that is NOT_ACTIVATED or REVOKED", "", cert_delete, NULL, cert_change_options},
    {"client-id", "SERIAL ID [--ca CA] [--json]", "what its client is called; \"\": by its common name", "", cert_client_id, NULL, cert_change_options},
    {0},
};
// clang-format on

int command_cert(int argc, char **argv)
{
    return command_run_part(argc, argv);
}
