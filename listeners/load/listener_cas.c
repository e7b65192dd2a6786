/* SPDX-License-Identifier: Apache-2.0 */
/* client_ca = builtin, registry or registry:NAME: which CAs of the registry that is, for a rule of
 * some domain. */
#include <openssl/x509v3.h>

#include "lb/base/nearest.h"
#include "listeners/load/client_ca.h"
#include "listeners/load/listener_build.h"
#include "listeners/registry/cas.h"

bool listener_cas_are_named(const struct option_list *client_ca)
{
    for (unsigned i = 0; i < client_ca->count; i++)
        if (!client_ca_is_file(client_ca->items[i]))
            return true;
    return false;
}

static const char *nearest_name(const struct cas *cas, const char *name)
{
    struct nearest nearest = nearest_to(name);
    for (size_t i = 0; i < cas->count; i++)
        nearest_offer(&nearest, cas->items[i].record.name);
    return nearest.best;
}

static void report_unknown(struct listener_build *build, const char *name, unsigned line)
{
    const char *nearest = nearest_name(build->cas, name);
    if (*name == '\0')
        LISTENER_ERROR(build, line,
                       "client_ca = registry: names no CA: write registry:NAME, or registry alone "
                       "for those that are bound to the rule's domain");
    else if (nearest)
        LISTENER_ERROR(build, line,
                       "client_ca = registry:%s: the registry has no CA of this name; did you mean "
                       "registry:%s? (lb ca list shows all)",
                       name, nearest);
    else
        LISTENER_ERROR(build, line,
                       "client_ca = registry:%s: the registry has no CA of this name; lb ca list "
                       "shows those it has, lb ca upload adds one",
                       name);
}

bool listener_cas_check(struct listener_build *build, const struct option_list *client_ca)
{
    bool are_known = true;
    for (unsigned i = 0; build->cas && i < client_ca->count; i++) {
        const char *value = client_ca->items[i];
        const char *name = client_ca_is_file(value) ? NULL : client_ca_name(value);
        if (!name || cas_find(build->cas, name))
            continue;
        report_unknown(build, name, client_ca->lines[i]);
        are_known = false;
    }
    return are_known;
}

/* Is this CA among those that one value of client_ca stands for? With `registry` every one is that
 * is bound, to whatever domain: that is for the caller to ask. */
static bool value_names(const struct cas *cas, const char *value, const struct cas_item *item)
{
    if (client_ca_is_file(value))
        return false;
    const char *name = client_ca_name(value);
    return !name || cas_find(cas, name) == item;
}

static bool value_means(const struct cas *cas, const char *value, const struct cas_item *item,
                        const char *pattern)
{
    return value_names(cas, value, item) &&
           (client_ca_name(value) || cas_item_is_bound(item, pattern));
}

unsigned listener_cas_collect(const struct listener_build *build,
                              const struct option_list *client_ca, const char *pattern, X509 **into,
                              unsigned *ret_enabled_count)
{
    unsigned count = 0;
    *ret_enabled_count = 0;
    for (size_t i = 0; build->cas && i < build->cas->count; i++) {
        const struct cas_item *item = &build->cas->items[i];
        bool is_meant = false;
        for (unsigned k = 0; k < client_ca->count && !is_meant; k++)
            is_meant = value_means(build->cas, client_ca->items[k], item, pattern);
        if (!is_meant)
            continue;
        into[count++] = item->certificate;
        *ret_enabled_count += item->record.is_enabled;
    }
    return count;
}

bool listener_cas_are_bound(const struct listener_build *build, const struct option_list *client_ca,
                            const char *pattern)
{
    for (size_t i = 0; build->cas && i < build->cas->count; i++) {
        const struct cas_item *item = &build->cas->items[i];
        if (!cas_item_is_bound(item, pattern))
            continue;
        for (unsigned k = 0; k < client_ca->count; k++)
            if (value_names(build->cas, client_ca->items[k], item))
                return true;
    }
    return false;
}

static bool is_in_reach(const struct ca_set *set, const struct cas_item *item)
{
    for (int i = 0; i < sk_X509_num(set->certificates); i++) {
        X509 *ca = sk_X509_value(set->certificates, i);
        unsigned char key[CA_KEY_BYTES];
        if (ca_key_of(ca, key) && memcmp(key, item->record.key, sizeof key) == 0)
            return true;
        if (X509_check_issued(ca, item->certificate) == X509_V_OK)
            return true;
    }
    return false;
}

bool listener_cas_are_registered(const struct listener_build *build, const struct ca_set *set)
{
    for (size_t i = 0; build->cas && i < build->cas->count; i++) {
        const struct cas_item *item = &build->cas->items[i];
        if (item->record.is_enabled && is_in_reach(set, item))
            return true;
    }
    return false;
}
