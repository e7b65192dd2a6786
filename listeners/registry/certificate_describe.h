/* SPDX-License-Identifier: Apache-2.0 */
/* From an X.509 certificate to what the registry keeps of it. Private to this folder. */
#ifndef LB_LISTENERS_REGISTRY_CERTIFICATE_DESCRIBE_H
#define LB_LISTENERS_REGISTRY_CERTIFICATE_DESCRIBE_H

#include "listeners/registry/certificates.h"

/**
 * A record of the certificate in `result`.
 *
 * like     gives what the certificate does not: key, ca, status, source, client id and the
 *          registry's times
 * returns  BAD_INPUT: its serial, common name or unit cannot be kept
 */
enum change_refusal certificate_describe(X509 *certificate, const struct certificate_record *like,
                                         struct certificate_result *result, struct error *err);

/** UTF-8 without control characters, at most CERTIFICATE_TEXT_BYTES? what: "its common name". */
enum change_refusal certificate_text_check(const char *what, const char *text, size_t bytes,
                                           struct error *err);
/** The same, and no blank at its ends, which a header field would lose. NULL is fine. */
enum change_refusal client_id_check(const char *client_id, struct error *err);

enum { NAME_BRIEF_BYTES = 160 };
/** A name for messages, cut between characters; "(no name)". */
const char *name_brief(const X509_NAME *name, char into[NAME_BRIEF_BYTES]);

#endif
