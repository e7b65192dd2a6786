/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an AWS Application Load Balancer sends in its verify mode: serial in hex, names as RFC 2253,
 * Validity "NotBefore=2026-01-31T12:00:00Z;NotAfter=…", Leaf as percent-encoded PEM in which `+`,
 * `=` and `/` stay. That it has none of these says that nobody is verified.
 */
#include "lb/base/limits.h"
#include "listeners/identity.h"
#include "listeners/identity_headers/certificate_pen.h"
#include "listeners/identity_headers/field_pen.h"
#include "listeners/identity_headers/identity_preset.h"

static const char *const fields[] = {
    "X-Amzn-Mtls-Clientcert-Serial-Number", "X-Amzn-Mtls-Clientcert-Issuer",
    "X-Amzn-Mtls-Clientcert-Subject",       "X-Amzn-Mtls-Clientcert-Validity",
    "X-Amzn-Mtls-Clientcert-Leaf",          NULL};

static void write_time(struct field_pen *pen, time_t time)
{
    char text[40];
    struct tm calendar;
    if (gmtime_r(&time, &calendar) && strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &calendar))
        field_pen_text(pen, text);
    else
        field_pen_spoil(pen);
}

static void render(struct field_pen *pen, const struct identity_portrait *portrait)
{
    const struct identity *identity = portrait->identity;
    field_pen_field(pen, "X-Amzn-Mtls-Clientcert-Serial-Number", identity->serial,
                    IDENTITY_SERIAL_BYTES);
    certificate_pen_name_field(pen, "X-Amzn-Mtls-Clientcert-Issuer",
                               X509_get_issuer_name(identity->leaf), CERTIFICATE_NAME_RFC2253);
    certificate_pen_name_field(pen, "X-Amzn-Mtls-Clientcert-Subject",
                               X509_get_subject_name(identity->leaf), CERTIFICATE_NAME_RFC2253);
    field_pen_begin(pen, "X-Amzn-Mtls-Clientcert-Validity", IDENTITY_TIMES_BYTES);
    field_pen_text(pen, "NotBefore=");
    write_time(pen, identity->not_before);
    field_pen_text(pen, ";NotAfter=");
    write_time(pen, identity->not_after);
    field_pen_end(pen);
    field_pen_begin(pen, "X-Amzn-Mtls-Clientcert-Leaf", IDENTITY_PEM_BYTES);
    certificate_pen_pem(pen, identity->leaf, "+=/");
    field_pen_end(pen);
}

const struct identity_preset identity_preset_aws = {
    .name = "aws",
    .fields = fields,
    .render = render,
};
