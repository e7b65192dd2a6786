/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/admin/client_cas.h"

#include <stdlib.h>

#include "lb/admin/json_writer.h"
#include "lb/base/certificate.h"
#include "lb/config/config.h"

/* --- visiting ------------------------------------------------------------------------------ */

struct walk {
    client_ca_visit visit;
    void *arg;
};

static void describe(struct client_ca *ca, const struct ca_list *list)
{
    if (!ca->use)
        return;
    ca_id_of(ca->use->key, ca->id);
    ca->facts = ca_use_read(list->roll, ca->use);
}

static bool was_visited(const struct ca_list *list, unsigned index)
{
    for (unsigned i = 0; i < index; i++)
        if (list->items[i].use == list->items[index].use)
            return true;
    return false;
}

static void visit_named(const struct walk *walk, struct client_ca ca, unsigned index)
{
    const struct ca_named *named = &ca.list->items[index];
    char *subject = certificate_name_text(X509_get_subject_name(named->certificate));
    ca.certificate = named->certificate;
    ca.use = named->use;
    ca.subject = subject ? subject : "";
    ca.is_again = named->use && was_visited(ca.list, index);
    ca.removal = ca_list_removal(ca.list, index);
    describe(&ca, ca.list);
    walk->visit(walk->arg, &ca);
    free(subject);
}

static void visit_list(const struct walk *walk, const struct listener *listener,
                       const struct ca_list *list)
{
    const struct client_ca blank = {.listener = listener,
                                    .list = list,
                                    .domain = list->roll->domain,
                                    .removal = CA_REMOVAL_UNKNOWN};
    for (unsigned i = 0; i < list->count; i++)
        visit_named(walk, blank, i);
    for (const struct ca_use *use = ca_roll_next(list->roll, NULL); use;
         use = ca_roll_next(list->roll, use)) {
        struct client_ca ca = blank;
        ca.use = use;
        ca.subject = use->subject;
        describe(&ca, list);
        /* One that was taken out of client_ca and not met since is no news. */
        if (!ca_list_has(list, use) && ca.facts.last_seen_s != 0)
            walk->visit(walk->arg, &ca);
    }
}

void client_cas_each(const struct config *config, client_ca_visit visit, void *arg)
{
    const struct walk walk = {visit, arg};
    for (unsigned i = 0; i < config->listener_count; i++) {
        const struct listener *listener = &config->listeners[i];
        for (unsigned k = 0; k < listener->policy_count; k++)
            if (listener->policies[k].cas)
                visit_list(&walk, listener, listener->policies[k].cas);
    }
}

/* --- writing ------------------------------------------------------------------------------- */

static void write_one(void *arg, const struct client_ca *ca)
{
    struct json_writer *writer = arg;
    writer_object(writer, NULL);
    writer_text(writer, "listener", ca->listener->name);
    writer_text(writer, "domain", ca->domain[0] ? ca->domain : NULL);
    writer_text(writer, "id", ca->id);
    writer_text(writer, "subject", ca->subject);
    writer_flag(writer, "in_client_ca", ca->certificate != NULL);
    writer_time(writer, "expires",
                ca->certificate
                    ? 1000 * (int64_t)certificate_time(X509_get0_notAfter(ca->certificate))
                    : 0);
    writer_number(writer, "handshakes", (int64_t)(ca->facts.full + ca->facts.resumed));
    writer_number(writer, "resumed", (int64_t)ca->facts.resumed);
    writer_time(writer, "last_seen", ca->facts.last_seen_s * 1000);
    writer_time(writer, "counted_since", ca->facts.since_s * 1000);
    writer_number(writer, "idle_s", ca->facts.idle_s);
    writer_text(writer, "removal", ca->certificate ? ca_removal_name(ca->removal) : NULL);
    writer_end(writer);
}

void client_cas_write(struct json_writer *writer, const struct config *config)
{
    writer_array(writer, "client_cas");
    client_cas_each(config, write_one, writer);
    writer_end(writer);
}
