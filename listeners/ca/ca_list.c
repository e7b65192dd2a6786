/* SPDX-License-Identifier: Apache-2.0 */
/* The CAs that one policy names, each with its use, and which of them nobody needs any more. */
#include <stdlib.h>

#include "lb/base/certificate.h"
#include "listeners/ca/ca_uses.h"
#include "listeners/rules/policy.h"

static void name(struct ca_use *use, const struct ca_uses *uses)
{
    if (use->name_count++ > 0)
        return;
    atomic_store(&use->is_named, true);
    if (!use->was_named) /* else without a break since the run before: its idle time goes on */
        atomic_store_explicit(&use->idle_from_s, ca_uses_run_s(uses), memory_order_relaxed);
}

static void unname(struct ca_use *use)
{
    if (--use->name_count == 0)
        atomic_store(&use->is_named, false);
}

/* Among the first `count`, which sets before this one brought. */
static bool is_there(const struct ca_list *list, unsigned count, const struct ca_use *use,
                     const X509 *certificate)
{
    for (unsigned i = 0; i < count; i++)
        if (list->items[i].use == use && X509_cmp(list->items[i].certificate, certificate) == 0)
            return true;
    return false;
}

/* A name is written only where there is a new use to keep it: a domain may name a hundred CAs, and
 * there may be thousands of such domains. */
static struct ca_use *use_of(struct ca_roll *roll, const unsigned char key[CA_KEY_BYTES],
                             const X509 *certificate)
{
    struct ca_use *use = ca_roll_find(roll, key);
    if (use || ca_uses_are_full(roll->all))
        return use;
    char *subject = certificate_name_text(X509_get_subject_name(certificate));
    use = subject ? ca_roll_use(roll, key, subject, false) : NULL;
    free(subject);
    return use;
}

static void add_set(struct ca_list *list, const struct ca_set *set)
{
    unsigned before = list->count;
    for (int i = 0; i < sk_X509_num(set->certificates); i++) {
        X509 *certificate = sk_X509_value(set->certificates, i);
        struct ca_use *use = use_of(list->roll, set->keys[i].bytes, certificate);
        if (is_there(list, before, use, certificate))
            continue;
        if (use)
            name(use, list->roll->all);
        list->items[list->count++] = (struct ca_named){use, certificate};
    }
}

struct ca_list *ca_list_new(struct ca_uses *uses, const char *listener, const char *domain,
                            const struct policy *policy)
{
    size_t most = 0;
    for (unsigned i = 0; i < policy->set_count; i++)
        most += (size_t)sk_X509_num(policy->sets[i]->certificates);
    struct ca_roll *roll = most > 0 ? ca_uses_roll(uses, listener, domain) : NULL;
    struct ca_list *list = roll ? malloc(sizeof *list + most * sizeof list->items[0]) : NULL;
    if (!list)
        return NULL;
    *list = (struct ca_list){.roll = roll};
    for (unsigned i = 0; i < policy->set_count; i++)
        add_set(list, policy->sets[i]);
    return list;
}

void ca_list_free(struct ca_list *list)
{
    for (unsigned i = 0; list && i < list->count; i++)
        if (list->items[i].use)
            unname(list->items[i].use);
    free(list);
}

bool ca_list_has(const struct ca_list *list, const struct ca_use *use)
{
    for (unsigned i = 0; i < list->count; i++)
        if (list->items[i].use == use)
            return true;
    return false;
}

/* Has another one than `use` been seen lately? ret_is_there: there is another one. */
static bool another_is_used(const struct ca_list *list, const struct ca_use *use,
                            bool *ret_is_there)
{
    *ret_is_there = false;
    for (unsigned i = 0; i < list->count; i++) {
        const struct ca_use *other = list->items[i].use;
        if (!other || other == use)
            continue;
        *ret_is_there = true;
        const struct ca_use_facts facts = ca_use_read(list->roll, other);
        if (facts.last_seen_s != 0 && facts.idle_s < CA_UNUSED_S)
            return true;
    }
    return false;
}

enum ca_removal ca_list_removal(const struct ca_list *list, unsigned index)
{
    const struct ca_use *use = list->items[index].use;
    bool has_others = false;
    if (!use)
        return CA_REMOVAL_UNKNOWN;
    bool others_are_used = another_is_used(list, use, &has_others);
    if (!has_others)
        return CA_REMOVAL_ONLY;
    const struct ca_use_facts facts = ca_use_read(list->roll, use);
    if (facts.idle_s < CA_UNUSED_S)
        return facts.last_seen_s != 0 ? CA_REMOVAL_USED : CA_REMOVAL_EARLY;
    return others_are_used ? CA_REMOVAL_SAFE : CA_REMOVAL_SILENT;
}

const char *ca_removal_name(enum ca_removal removal)
{
    switch (removal) {
    case CA_REMOVAL_ONLY:
        return "only";
    case CA_REMOVAL_USED:
        return "used";
    case CA_REMOVAL_EARLY:
        return "early";
    case CA_REMOVAL_SILENT:
        return "silent";
    case CA_REMOVAL_SAFE:
        return "safe";
    case CA_REMOVAL_UNKNOWN:
        return "unknown";
    }
    return "unknown";
}
