/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parts of certificates as values of fields. Whatever stands in a certificate, what is written has
 * none but printable ASCII characters; what cannot be written spoils the value. Thread: any.
 */
#ifndef LB_LISTENERS_CERTIFICATE_PEN_H
#define LB_LISTENERS_CERTIFICATE_PEN_H

#include <openssl/x509.h>

struct field_pen;

enum certificate_name_form {
    /* RFC 2253: "CN=alice,O=Example\, Inc."; all but printable ASCII as \XX */
    CERTIFICATE_NAME_RFC2253,
    /* The same for between double quotes: every escape is \XX, so that neither a quote nor a
     * backslash before one, nor a comma or semicolon of a value stands in it */
    CERTIFICATE_NAME_QUOTED,
    /* "/O=Example, Inc./CN=alice", in the order of the certificate; all but printable ASCII, and
     * slash and backslash of a value, as \xXX: a name cannot look like two */
    CERTIFICATE_NAME_LEGACY,
};

void certificate_pen_name(struct field_pen *pen, const X509_NAME *name,
                          enum certificate_name_form form);
/** A whole field. */
void certificate_pen_name_field(struct field_pen *pen, const char *field, const X509_NAME *name,
                                enum certificate_name_form form);
/** SHA-1 of the DER in lower-case hex: an index, as people are used to it, no proof of anything. */
void certificate_pen_sha1(struct field_pen *pen, const X509 *certificate);
/** Base64 of the DER. */
void certificate_pen_der(struct field_pen *pen, const X509 *certificate);
/** PEM, percent-encoded but for unreserved characters and those of `safe`. */
void certificate_pen_pem(struct field_pen *pen, const X509 *certificate, const char *safe);

#endif
