/* SPDX-License-Identifier: Apache-2.0 */
/* Enable, disable, delete, show. */
#include "listeners/registry/ca_change.h"

#include <stdio.h>
#include <string.h>

#include "listeners/registry/ca_describe.h"
#include "listeners/registry/ca_snapshot.h"
#include "listeners/registry/change.h"

static enum change_refusal change_one(struct ledger *ledger, void *arg, bool *ret_changed,
                                      struct error *err)
{
    struct ca_changing *changing = arg;
    const struct cas_item *item = NULL;
    struct cas *cas = cas_of(ledger, err);
    if (!cas)
        return CHANGE_STORE;
    enum change_refusal refusal = cas_pick(cas, changing->which, &item, err);
    if (refusal == CHANGE_MADE && !ca_result_set(changing->result, &item->record))
        refusal = change_out_of_memory(err);
    if (refusal == CHANGE_MADE)
        refusal = changing->apply(ledger, changing, &item->record, err);
    cas_free(cas);
    *ret_changed = changing->result->changed;
    return refusal;
}

enum change_refusal ca_change_run(struct ledger *ledger, struct ca_changing *changing,
                                  struct error *err)
{
    enum change_refusal refusal = change_run(ledger, change_one, changing, err);
    if (refusal != CHANGE_MADE)
        ca_result_done(changing->result);
    return refusal;
}

static enum change_refusal log_change(struct ledger *ledger, const struct ca_changing *changing,
                                      const struct ca_record *ca, const char *action,
                                      const char *before, const char *after, struct error *err)
{
    char about[CA_ABOUT_BYTES];
    return change_log(ledger, changing->actor,
                      &(struct change_record){.action = action,
                                              .ca = ca->id,
                                              .subject = ca_about(ca, about),
                                              .before = before,
                                              .after = after},
                      err);
}

enum change_refusal ca_change_put(struct ledger *ledger, struct ca_changing *changing,
                                  struct ca_record *ca, const char *action, const char *before,
                                  const char *after, struct error *err)
{
    ca->updated_ms = changing->actor->now_ms;
    enum change_refusal refusal = change_of_store(ledger->store->put_ca(ledger, ca, err), err);
    if (refusal == CHANGE_MADE)
        refusal = log_change(ledger, changing, ca, action, before, after, err);
    if (refusal == CHANGE_MADE && !ca_result_set(changing->result, ca))
        refusal = change_out_of_memory(err);
    changing->result->changed = true;
    return refusal;
}

static const char *standing(bool is_enabled)
{
    return is_enabled ? "active" : "inactive";
}

struct enabling {
    struct ca_changing changing;
    bool enable;
};

static enum change_refusal enable_it(struct ledger *ledger, struct ca_changing *changing,
                                     const struct ca_record *ca, struct error *err)
{
    bool enable = ((struct enabling *)changing)->enable;
    struct ca_record changed = *ca;
    if (ca->is_enabled == enable)
        return CHANGE_MADE;
    changed.is_enabled = enable;
    return ca_change_put(ledger, changing, &changed, enable ? "ca.enable" : "ca.disable",
                         standing(!enable), standing(enable), err);
}

enum change_refusal ca_enable(struct ledger *ledger, const char *which, bool enable,
                              const struct actor *actor, struct ca_result *result,
                              struct error *err)
{
    struct enabling enabling = {{which, actor, result, enable_it}, enable};
    return ca_change_run(ledger, &enabling.changing, err);
}

/* The first of its hosts, and how many more. */
static enum change_refusal refuse_bound(const struct ca_record *ca, struct error *err)
{
    enum { HOSTS_TOLD = 3 };
    char hosts[320];
    char more[40] = "";
    size_t used = 0;
    unsigned told = ca->host_count < HOSTS_TOLD ? ca->host_count : HOSTS_TOLD;
    for (unsigned i = 0; i < told; i++)
        used += (size_t)snprintf(hosts + used, sizeof hosts - used, "%s%.100s", i ? ", " : "",
                                 ca->hosts[i]);
    if (ca->host_count > told)
        snprintf(more, sizeof more, " and %u more", ca->host_count - told);
    return change_refuse(CHANGE_BOUND, err,
                         "hosts are bound to CA %s: %s%s; unbind them first (lb ca unbind)",
                         ca->name, hosts, more);
}

static enum change_refusal delete_it(struct ledger *ledger, struct ca_changing *changing,
                                     const struct ca_record *ca, struct error *err)
{
    if (ca->is_builtin)
        return change_refuse(CHANGE_ILLEGAL, err,
                             "lb's own CA cannot be deleted; lb ca disable %s puts it out of use",
                             ca->name);
    if (ca->host_count)
        return refuse_bound(ca, err);
    changing->result->changed = true;
    enum change_refusal refusal = change_of_store(ledger->store->drop_ca(ledger, ca->id, err), err);
    if (refusal == CHANGE_MADE)
        refusal = log_change(ledger, changing, ca, "ca.delete", standing(ca->is_enabled), "", err);
    return refusal;
}

enum change_refusal ca_delete(struct ledger *ledger, const char *which, const struct actor *actor,
                              struct ca_result *result, struct error *err)
{
    struct ca_changing changing = {which, actor, result, delete_it};
    return ca_change_run(ledger, &changing, err);
}

enum change_refusal ca_get(struct ledger *ledger, const char *which, struct ca_result *result,
                           struct error *err)
{
    const struct cas_item *item = NULL;
    struct cas *cas = cas_of(ledger, err);
    if (!cas)
        return CHANGE_STORE;
    enum change_refusal refusal = cas_pick(cas, which, &item, err);
    if (refusal == CHANGE_MADE && !ca_result_set(result, &item->record))
        refusal = change_out_of_memory(err);
    cas_free(cas);
    return refusal;
}
