/* SPDX-License-Identifier: Apache-2.0 */
/* The two fields of Cloudflare's client certificate forwarding: DER in base64, and its SHA-256 in
 * lower-case hex. */
#include "lb/base/limits.h"
#include "listeners/identity.h"
#include "listeners/identity_headers/certificate_pen.h"
#include "listeners/identity_headers/field_pen.h"
#include "listeners/identity_headers/identity_preset.h"

static const char *const fields[] = {"Cf-Client-Cert-Der-Base64", "Cf-Client-Cert-Sha256", NULL};

static void render(struct field_pen *pen, const struct identity_portrait *portrait)
{
    field_pen_begin(pen, "Cf-Client-Cert-Der-Base64", IDENTITY_LEAF_BYTES);
    certificate_pen_der(pen, portrait->identity->leaf);
    field_pen_end(pen);
    field_pen_field(pen, "Cf-Client-Cert-Sha256", portrait->identity->sha256,
                    IDENTITY_DIGEST_BYTES);
}

const struct identity_preset identity_preset_cloudflare = {
    .name = "cloudflare",
    .fields = fields,
    .render = render,
};
