/* SPDX-License-Identifier: Apache-2.0 */
/* What the registry knows, as the API shows it. Members are added to the innermost object of the
 * writer. */
#ifndef LB_ADMIN_REGISTRY_RECORD_JSON_H
#define LB_ADMIN_REGISTRY_RECORD_JSON_H

#include <stddef.h>
#include <stdint.h>

#include "lb/admin/json_writer.h"
#include "listeners/registry/record.h"

struct census;

/** An object; key NULL: within an array. ca_name NULL: its CA was deleted. */
void record_json_certificate(struct json_writer *writer, const char *key,
                             const struct certificate_record *record, const char *ca_name);
void record_json_ca(struct json_writer *writer, const char *key, const struct ca_record *record);
/** "hosts": […] */
void record_json_hosts(struct json_writer *writer, const struct ca_record *record);
void record_json_change(struct json_writer *writer, const struct change_record *change);

/** A text: the certificate of this DER as PEM; null when it is none. */
void record_json_pem(struct json_writer *writer, const char *key, const unsigned char *der,
                     size_t bytes);
/** "signature_algorithm": "ecdsa-with-SHA256" */
void record_json_algorithm(struct json_writer *writer, const unsigned char *der, size_t bytes);

/** "clients", "client_count", "last_seen". census NULL: nobody. */
void record_json_census(struct json_writer *writer, const struct census *census,
                        int64_t last_seen_ms);

#endif
