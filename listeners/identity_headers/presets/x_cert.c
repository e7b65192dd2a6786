/* SPDX-License-Identifier: Apache-2.0 */
/* The nine fields that Cloudflare's documentation makes of tlsClientAuth; -L are the names in
 * OpenSSL's old one-line form, times are "Dec 22 19:39:00 2018 GMT". */
#include <stdio.h>

#include "lb/base/limits.h"
#include "listeners/identity.h"
#include "listeners/identity_headers/certificate_pen.h"
#include "listeners/identity_headers/field_pen.h"
#include "listeners/identity_headers/identity_preset.h"

static const char *const fields[] = {"X-CERT-ISSUER-DN",   "X-CERT-SUBJECT-DN",
                                     "X-CERT-ISSUER-DN-L", "X-CERT-SUBJECT-DN-L",
                                     "X-CERT-SERIAL",      "X-CERT-FINGER",
                                     "X-CERT-VERIFY",      "X-CERT-NOTBE",
                                     "X-CERT-NOTAF",       NULL};

static void write_time(struct field_pen *pen, const char *field, time_t time)
{
    static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    char text[IDENTITY_TIMES_BYTES];
    struct tm calendar;
    field_pen_begin(pen, field, IDENTITY_TIMES_BYTES);
    if (gmtime_r(&time, &calendar)) {
        snprintf(text, sizeof text, "%s %2d %02d:%02d:%02d %d GMT", months[calendar.tm_mon],
                 calendar.tm_mday, calendar.tm_hour, calendar.tm_min, calendar.tm_sec,
                 1900 + calendar.tm_year);
        field_pen_text(pen, text);
    } else {
        field_pen_spoil(pen);
    }
    field_pen_end(pen);
}

static void render(struct field_pen *pen, const struct identity_portrait *portrait)
{
    const struct identity *identity = portrait->identity;
    const X509_NAME *issuer = X509_get_issuer_name(identity->leaf);
    const X509_NAME *subject = X509_get_subject_name(identity->leaf);
    certificate_pen_name_field(pen, "X-CERT-ISSUER-DN", issuer, CERTIFICATE_NAME_RFC2253);
    certificate_pen_name_field(pen, "X-CERT-SUBJECT-DN", subject, CERTIFICATE_NAME_RFC2253);
    certificate_pen_name_field(pen, "X-CERT-ISSUER-DN-L", issuer, CERTIFICATE_NAME_LEGACY);
    certificate_pen_name_field(pen, "X-CERT-SUBJECT-DN-L", subject, CERTIFICATE_NAME_LEGACY);
    field_pen_field(pen, "X-CERT-SERIAL", identity->serial, IDENTITY_SERIAL_BYTES);
    field_pen_begin(pen, "X-CERT-FINGER", IDENTITY_DIGEST_BYTES);
    certificate_pen_sha1(pen, identity->leaf);
    field_pen_end(pen);
    write_time(pen, "X-CERT-NOTBE", identity->not_before);
    write_time(pen, "X-CERT-NOTAF", identity->not_after);
}

const struct identity_preset identity_preset_x_cert = {
    .name = "x-cert",
    .fields = fields,
    .verify_field = "X-CERT-VERIFY",
    .render = render,
};
