/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/admin/registry/record_json.h"

#include <openssl/objects.h>
#include <stdlib.h>

#include "lb/base/certificate.h"
#include "lb/server/census.h"

/* Certificates know whole seconds. */
static void write_seconds(struct json_writer *writer, const char *key, int64_t seconds)
{
    writer_time(writer, key, seconds * 1000);
}

void record_json_certificate(struct json_writer *writer, const char *key,
                             const struct certificate_record *record, const char *ca_name)
{
    writer_object(writer, key);
    writer_text(writer, "serial", record->serial);
    writer_text(writer, "ca", record->ca);
    writer_text(writer, "ca_name", ca_name);
    writer_text(writer, "status", certificate_status_name(record->status));
    writer_text(writer, "source", certificate_source_name(record->source));
    writer_text(writer, "common_name", record->common_name);
    writer_text(writer, "unit", record->unit);
    writer_text(writer, "client_id", record->client_id);
    writer_text(writer, "subject", record->subject);
    writer_text(writer, "issuer", record->issuer);
    writer_text(writer, "sha256", record->sha256);
    write_seconds(writer, "not_before", record->not_before_s);
    write_seconds(writer, "not_after", record->not_after_s);
    writer_time(writer, "created", record->created_ms);
    writer_time(writer, "updated", record->updated_ms);
    writer_time(writer, "activated", record->activated_ms);
    writer_time(writer, "deactivated", record->deactivated_ms);
    writer_end(writer);
}

void record_json_hosts(struct json_writer *writer, const struct ca_record *record)
{
    writer_array(writer, "hosts");
    for (unsigned i = 0; i < record->host_count; i++)
        writer_text(writer, NULL, record->hosts[i]);
    writer_end(writer);
}

void record_json_ca(struct json_writer *writer, const char *key, const struct ca_record *record)
{
    writer_object(writer, key);
    writer_text(writer, "id", record->id);
    writer_text(writer, "name", record->name);
    writer_flag(writer, "builtin", record->is_builtin);
    writer_text(writer, "status", record->is_enabled ? "active" : "inactive");
    writer_text(writer, "subject", record->subject);
    writer_text(writer, "serial", record->serial);
    writer_text(writer, "sha256", record->sha256);
    write_seconds(writer, "not_before", record->not_before_s);
    write_seconds(writer, "not_after", record->not_after_s);
    writer_time(writer, "created", record->created_ms);
    writer_time(writer, "updated", record->updated_ms);
    record_json_hosts(writer, record);
    record_json_pem(writer, "pem", record->der, record->der_bytes);
    writer_end(writer);
}

void record_json_change(struct json_writer *writer, const struct change_record *change)
{
    writer_object(writer, NULL);
    writer_number(writer, "id", change->id);
    writer_time(writer, "at", change->at_ms);
    writer_text(writer, "who", change->who);
    writer_text(writer, "action", change->action);
    writer_text(writer, "ca", change->ca);
    writer_text(writer, "serial", change->serial);
    writer_text(writer, "subject", change->subject);
    writer_text(writer, "before", change->before);
    writer_text(writer, "after", change->after);
    writer_end(writer);
}

static X509 *read_der(const unsigned char *der, size_t bytes)
{
    return der ? d2i_X509(NULL, &der, (long)bytes) : NULL;
}

void record_json_pem(struct json_writer *writer, const char *key, const unsigned char *der,
                     size_t bytes)
{
    X509 *certificate = read_der(der, bytes);
    char *pem = certificate ? certificate_pem_text(certificate) : NULL;
    writer_text(writer, key, pem);
    free(pem);
    X509_free(certificate);
}

void record_json_algorithm(struct json_writer *writer, const unsigned char *der, size_t bytes)
{
    X509 *certificate = read_der(der, bytes);
    writer_text(writer, "signature_algorithm",
                certificate ? OBJ_nid2ln(X509_get_signature_nid(certificate)) : NULL);
    X509_free(certificate);
}

static void write_client(struct json_writer *writer, const struct census_client *client)
{
    writer_object(writer, NULL);
    writer_text(writer, "address", client->address);
    writer_number(writer, "port", client->port);
    writer_text(writer, "listener", client->listener);
    writer_time(writer, "since", client->since_ms);
    writer_number(writer, "requests", client->requests);
    writer_text(writer, "sni", client->sni);
    writer_end(writer);
}

void record_json_census(struct json_writer *writer, const struct census *census,
                        int64_t last_seen_ms)
{
    writer_array(writer, "clients");
    for (unsigned i = 0; census && i < census->row_count; i++)
        write_client(writer, &census->rows[i]);
    writer_end(writer);
    writer_number(writer, "client_count", census ? census->client_count : 0);
    writer_time(writer, "last_seen", last_seen_ms);
}
