/* SPDX-License-Identifier: Apache-2.0 */
#include "listeners/registry/ca_describe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lb/base/certificate.h"
#include "listeners/registry/change.h"
#include "listeners/registry/record_copy.h"

bool ca_result_set(struct ca_result *result, const struct ca_record *record)
{
    void *before = result->memory;
    if (!ca_record_copy(&result->record, record, &result->memory))
        return false;
    free(before); /* last: `record` may be the result's own, changed */
    return true;
}

void ca_result_done(struct ca_result *result)
{
    free(result->memory);
    memset(result, 0, sizeof *result);
}

enum change_refusal ca_describe(X509 *ca, const struct ca_record *like, struct ca_result *result,
                                struct error *err)
{
    struct ca_record record = *like;
    unsigned char *der = NULL;
    int der_bytes = i2d_X509(ca, &der);
    char *subject = certificate_name_text(X509_get_subject_name(ca));
    char *serial = certificate_serial_text(ca);
    char *sha256 = certificate_sha256_text(ca);
    bool good = der_bytes > 0 && subject && serial && sha256 && ca_key_of(ca, record.key);
    if (good) {
        ca_id_of(record.key, record.id);
        record.subject = subject;
        record.serial = serial;
        memcpy(record.sha256, sha256, sizeof record.sha256);
        record.not_before_s = certificate_time(X509_get0_notBefore(ca));
        record.not_after_s = certificate_time(X509_get0_notAfter(ca));
        record.der = der;
        record.der_bytes = (size_t)der_bytes;
        good = ca_result_set(result, &record);
    }
    OPENSSL_free(der);
    free(subject);
    free(serial);
    free(sha256);
    return good ? CHANGE_MADE : change_out_of_memory(err);
}

const char *ca_about(const struct ca_record *ca, char into[CA_ABOUT_BYTES])
{
    snprintf(into, CA_ABOUT_BYTES, "CA %s (%.160s)", ca->name, ca->subject);
    return into;
}
