/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What people have nginx set from its variables:
 *
 *   X-SSL-Client-Verify       $ssl_client_verify, with lb's reasons behind FAILED:
 *   X-SSL-Client-S-DN, -I-DN  $ssl_client_s_dn, _i_dn: RFC 2253, all but printable ASCII as \XX
 *   X-SSL-Client-Serial       $ssl_client_serial: upper-case hex
 *   X-SSL-Client-Fingerprint  $ssl_client_fingerprint: SHA-1 of the DER, lower-case hex
 *   X-SSL-Client-Cert         $ssl_client_escaped_cert: PEM, percent-encoded
 */
#include "lb/base/limits.h"
#include "listeners/identity.h"
#include "listeners/identity_headers/certificate_pen.h"
#include "listeners/identity_headers/field_pen.h"
#include "listeners/identity_headers/identity_preset.h"

static const char *const fields[] = {"X-SSL-Client-Verify",
                                     "X-SSL-Client-S-DN",
                                     "X-SSL-Client-I-DN",
                                     "X-SSL-Client-Serial",
                                     "X-SSL-Client-Fingerprint",
                                     "X-SSL-Client-Cert",
                                     NULL};

static void render(struct field_pen *pen, const struct identity_portrait *portrait)
{
    const struct identity *identity = portrait->identity;
    certificate_pen_name_field(pen, "X-SSL-Client-S-DN", X509_get_subject_name(identity->leaf),
                               CERTIFICATE_NAME_RFC2253);
    certificate_pen_name_field(pen, "X-SSL-Client-I-DN", X509_get_issuer_name(identity->leaf),
                               CERTIFICATE_NAME_RFC2253);
    field_pen_field(pen, "X-SSL-Client-Serial", identity->serial, IDENTITY_SERIAL_BYTES);
    field_pen_begin(pen, "X-SSL-Client-Fingerprint", IDENTITY_DIGEST_BYTES);
    certificate_pen_sha1(pen, identity->leaf);
    field_pen_end(pen);
    field_pen_begin(pen, "X-SSL-Client-Cert", IDENTITY_PEM_BYTES);
    certificate_pen_pem(pen, identity->leaf, "");
    field_pen_end(pen);
}

const struct identity_preset identity_preset_nginx = {
    .name = "nginx",
    .fields = fields,
    .verify_field = "X-SSL-Client-Verify",
    .render = render,
};
