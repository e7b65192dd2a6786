/* SPDX-License-Identifier: Apache-2.0 */
/* Where an OCSP responder is: an http URL, of an INI file or of a certificate (RFC 5280 4.2.2.1).
 */
#ifndef LB_LISTENERS_OCSP_URL_H
#define LB_LISTENERS_OCSP_URL_H

#include <openssl/x509.h>
#include <stdbool.h>

#include "lb/base/limits.h"

struct error;

struct ocsp_url {
    char authority[OCSP_URL_BYTES]; /* for Host: as it was written */
    char path[OCSP_URL_BYTES];      /* with what is behind '?'; "/" at least */
    char host[DOMAIN_BYTES + 1];    /* without port and brackets */
    unsigned port;
};

/**
 * Read "http://HOST[:PORT][/PATH]". Nothing is accepted that could not stand in a request line or a
 * Host field as it is.
 *
 * Fails: err says what is wrong with it, and what would be right.   Thread: any.
 */
bool ocsp_url_read(struct ocsp_url *url, const char *text, struct error *err);

/**
 * The responder that a certificate names: the first http URL among its OCSP access points.
 *
 * Fails: it names none that can be asked.   Thread: any. Allocates.
 */
bool ocsp_url_of(struct ocsp_url *url, X509 *certificate, struct error *err);

#endif
