/* SPDX-License-Identifier: Apache-2.0 */
/* See statements.h. */
#include "listeners/registry/sqlite/statements.h"

/* A record as certificates.c reads it. */
#define GET_CERTIFICATE                                                                            \
    "SELECT c.id, c.key, c.tbs, c.ca, c.serial, b.subject, b.issuer, c.common_name, c.unit,"       \
    " c.client_id, b.sha256, c.status, c.was_revoked, c.source, c.not_before_s, c.not_after_s,"    \
    " c.created_ms, c.updated_ms, c.activated_ms, c.deactivated_ms, b.der"                         \
    " FROM certificate c CROSS JOIN certificate_body b ON b.id = c.id"

/* What the view needs. */
#define FOLLOW "SELECT key, tbs, ca, status, was_revoked, client_id, not_after_s FROM certificate"

// clang-format off
static const char *const texts[STATEMENT_COUNT] = {
    [STATEMENT_BEGIN] = "BEGIN IMMEDIATE",
    [STATEMENT_COMMIT] = "COMMIT",
    [STATEMENT_ROLLBACK] = "ROLLBACK",
    [STATEMENT_LOOK] = "BEGIN",
    [STATEMENT_DATA_VERSION] = "PRAGMA data_version",
    [STATEMENT_REVISION] = "SELECT revision FROM meta",
    [STATEMENT_NEXT_REVISION] = "UPDATE meta SET revision = revision + 1",

    [STATEMENT_CA_NUMBER] = "SELECT number FROM ca_number WHERE id = ?",
    [STATEMENT_CA_OF_NUMBER] = "SELECT id FROM ca_number WHERE number = ?",
    [STATEMENT_ADD_CA_NUMBER] = "INSERT INTO ca_number (id) VALUES (?)",

    [STATEMENT_PUT_CA] =
        "INSERT INTO ca (key, id, revision, name, subject, serial, sha256, is_builtin, is_enabled,"
        " not_before_s, not_after_s, created_ms, updated_ms, der, chain_pem)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (key) DO UPDATE SET id = excluded.id, revision = excluded.revision,"
        " name = excluded.name, subject = excluded.subject, serial = excluded.serial,"
        " sha256 = excluded.sha256, is_builtin = excluded.is_builtin,"
        " is_enabled = excluded.is_enabled, not_before_s = excluded.not_before_s,"
        " not_after_s = excluded.not_after_s, created_ms = excluded.created_ms,"
        " updated_ms = excluded.updated_ms, der = excluded.der, chain_pem = excluded.chain_pem",
    [STATEMENT_DROP_CA] = "DELETE FROM ca WHERE id = ?",
    [STATEMENT_EACH_CA] =
        "SELECT key, id, name, subject, serial, sha256, is_builtin, is_enabled, not_before_s,"
        " not_after_s, created_ms, updated_ms, der, chain_pem FROM ca ORDER BY name",
    [STATEMENT_DROP_HOSTS] = "DELETE FROM ca_host WHERE ca = ?",
    [STATEMENT_ADD_HOST] = "INSERT INTO ca_host (ca, host) VALUES (?, ?) ON CONFLICT DO NOTHING",
    [STATEMENT_EACH_HOST] = "SELECT host FROM ca_host WHERE ca = ? ORDER BY host",

    [STATEMENT_ADD_CERTIFICATE] =
        "INSERT INTO certificate (revision, tbs, ca, serial, common_name, unit, unit_hash,"
        " client_id, status, was_revoked, source, not_before_s, not_after_s, created_ms,"
        " updated_ms, activated_ms, deactivated_ms, key)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [STATEMENT_PUT_CERTIFICATE] =
        "UPDATE certificate SET revision = ?, tbs = ?, ca = ?, serial = ?, common_name = ?,"
        " unit = ?, unit_hash = ?, client_id = ?, status = ?, was_revoked = ?, source = ?,"
        " not_before_s = ?, not_after_s = ?, created_ms = ?, updated_ms = ?, activated_ms = ?,"
        " deactivated_ms = ? WHERE key = ?",
    [STATEMENT_ADD_BODY] =
        "INSERT INTO certificate_body (subject, issuer, sha256, der, id) VALUES (?, ?, ?, ?, ?)",
    [STATEMENT_PUT_BODY] =
        "UPDATE certificate_body SET subject = ?, issuer = ?, sha256 = ?, der = ?"
        " WHERE id = (SELECT id FROM certificate WHERE key = ?)",
    [STATEMENT_GET_BY_KEY] = GET_CERTIFICATE " WHERE c.key = ?",
    [STATEMENT_GET_BY_ID] = GET_CERTIFICATE " WHERE c.id = ?",
    [STATEMENT_FOLLOW_ALL] = FOLLOW " NOT INDEXED",
    [STATEMENT_FOLLOW] = FOLLOW " INDEXED BY certificate_by_updated WHERE revision > ?",
    [STATEMENT_COUNT_SINCE] =
        "SELECT count(*) FROM certificate INDEXED BY certificate_by_created"
        " WHERE created_ms >= ? AND (? & (1 << source)) <> 0",
    [STATEMENT_DROP_TOMBSTONES] =
        "DELETE FROM certificate INDEXED BY certificate_by_odd_status"
        " WHERE status > 0 AND status = 4 AND not_after_s < ?",

    [STATEMENT_ADD_CHANGE] =
        "INSERT INTO change (at_ms, who, action, ca, certificate_key, serial, subject, state_before,"
        " state_after) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
};
// clang-format on

const char *statement_text(enum statement statement)
{
    return texts[statement];
}
