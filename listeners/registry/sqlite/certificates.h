/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of certificates, one at a time; those that are looked for by other things than their key
 * are in find.h. */
#ifndef LB_LISTENERS_REGISTRY_SQLITE_CERTIFICATES_H
#define LB_LISTENERS_REGISTRY_SQLITE_CERTIFICATES_H

#include "listeners/registry/store.h"

struct sqlite_ledger;

/* As in struct store. */
enum store_outcome sqlite_add_certificate(struct ledger *ledger,
                                          const struct certificate_record *certificate,
                                          struct error *err);
enum store_outcome sqlite_put_certificate(struct ledger *ledger,
                                          const struct certificate_record *certificate,
                                          struct error *err);
enum store_outcome sqlite_get_certificate(struct ledger *ledger,
                                          const unsigned char key[CERTIFICATE_KEY_BYTES],
                                          certificate_visit visit, void *arg, struct error *err);
enum store_outcome sqlite_count_since(struct ledger *ledger, int64_t since_ms, unsigned sources,
                                      int64_t *ret_count, struct error *err);
enum store_outcome sqlite_drop_tombstones(struct ledger *ledger, int64_t now_s, struct error *err);
enum store_outcome sqlite_follow(struct ledger *ledger, int64_t since_revision, row_visit visit,
                                 void *arg, int64_t *ret_revision, struct error *err);

/** Visit the one of this row. ret_goes_on: what the visitor said. NOTHING: there is none. */
enum store_outcome certificate_visit_id(struct sqlite_ledger *l, int64_t id,
                                        certificate_visit visit, void *arg, bool *ret_goes_on,
                                        struct error *err);

/** What stands for a unit in every index: equal for units that differ in the case of ASCII letters
 * only, nearly always different for others. */
int64_t fold_hash(const char *text);

#endif
