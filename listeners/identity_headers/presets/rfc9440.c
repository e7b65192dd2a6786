/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RFC 9440: Client-Cert is the client's certificate, Client-Cert-Chain what verified it, in the
 * order of TLS and with the anchor, because lb does not know whether the backend has it. Each is
 * DER as a byte sequence of a structured field: base64 between colons.
 *
 * RFC 9440 2.2 and 2.3: neither may stand in an answer. A chain that is too large leaves the
 * certificate. A chain is told beside its certificate only (2.3): where that is too large the chain
 * is left out, and said to be too large only where it is.
 */
#include "lb/base/limits.h"
#include "listeners/identity.h"
#include "listeners/identity_headers/certificate_pen.h"
#include "listeners/identity_headers/field_pen.h"
#include "listeners/identity_headers/identity_preset.h"

static const char *const fields[] = {"Client-Cert", "Client-Cert-Chain", NULL};

static void write_item(struct field_pen *pen, const X509 *certificate)
{
    field_pen_text(pen, ":");
    certificate_pen_der(pen, certificate);
    field_pen_text(pen, ":");
}

static void render(struct field_pen *pen, const struct identity_portrait *portrait)
{
    field_pen_begin(pen, "Client-Cert", IDENTITY_LEAF_BYTES);
    write_item(pen, portrait->identity->leaf);
    bool is_leaf_told = pen->used - pen->value_at <= IDENTITY_LEAF_BYTES;
    field_pen_end(pen);
    if (portrait->ca_count == 0)
        return;
    field_pen_begin(pen, "Client-Cert-Chain", IDENTITY_CHAIN_BYTES);
    for (unsigned i = 0; i < portrait->ca_count; i++) {
        field_pen_text(pen, i > 0 ? ", " : "");
        write_item(pen, portrait->cas[i]);
    }
    bool is_too_large = pen->used - pen->value_at > IDENTITY_CHAIN_BYTES;
    if (is_leaf_told || is_too_large)
        field_pen_end(pen);
    else
        field_pen_drop(pen);
}

const struct identity_preset identity_preset_rfc9440 = {
    .name = "rfc9440",
    .fields = fields,
    .reads_chain = true,
    .is_requests_only = true,
    .render = render,
};
