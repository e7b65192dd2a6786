/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/admin/revocation_report.h"

#include <stdlib.h>
#include <time.h>

#include "lb/admin/json_writer.h"
#include "lb/base/arena.h"
#include "lb/base/certificate.h"
#include "lb/base/text_map.h"
#include "lb/config/config.h"
#include "listeners/ca/ca_set.h"
#include "listeners/crl/crl.h"
#include "listeners/crl/crls.h"
#include "listeners/ocsp/ocsp_memory.h"

/* --- CAs without a list ------------------------------------------------------------------------
 */

/* One way through the checks of a listener: several rules may ask for the same list. */
struct missing_walk {
    const struct listener *listener;
    const struct crl_check *check;
    struct arena arena;
    struct text_map visited[CRL_SOFT + 1]; /* by enum crl_policy; keys of CAs */
    void (*visit)(void *arg, const struct missing_crl *missing);
    void *arg;
};

static bool is_first(struct missing_walk *walk, const unsigned char key[CA_KEY_BYTES])
{
    struct slice text = {arena_copy_bytes(&walk->arena, (const char *)key, CA_KEY_BYTES),
                         CA_KEY_BYTES};
    return !text_map_add(&walk->visited[crl_check_policy(walk->check)], text_hash(text), text,
                         walk->check);
}

static void on_missing(void *arg, X509 *ca, const unsigned char key[CA_KEY_BYTES])
{
    struct missing_walk *walk = arg;
    struct missing_crl missing = {.listener = walk->listener,
                                  .policy = crl_check_policy(walk->check)};
    if (!is_first(walk, key))
        return;
    char *issuer = certificate_name_text(X509_get_subject_name(ca));
    missing.issuer = issuer ? issuer : "";
    ca_id_of(key, missing.id);
    walk->visit(walk->arg, &missing);
    free(issuer);
}

static void walk_listener(struct missing_walk *walk)
{
    const struct listener *listener = walk->listener;
    size_t most = 1;
    for (unsigned i = 0; i < listener->crl_check_count; i++)
        most += (size_t)sk_X509_num(crl_check_ca_set(listener->crl_checks[i])->certificates);
    for (enum crl_policy policy = CRL_HARD; policy <= CRL_SOFT; policy++)
        text_map_init(&walk->visited[policy], most, &walk->arena);
    for (unsigned i = 0; i < listener->crl_check_count; i++) {
        walk->check = listener->crl_checks[i];
        crl_check_each_missing(walk->check, on_missing, walk);
    }
}

void revocation_report_each_missing(const struct config *config,
                                    void (*visit)(void *arg, const struct missing_crl *missing),
                                    void *arg)
{
    for (unsigned i = 0; i < config->listener_count; i++) {
        struct missing_walk walk = {.listener = &config->listeners[i], .visit = visit, .arg = arg};
        if (walk.listener->crl_check_count > 0)
            walk_listener(&walk);
        arena_done(&walk.arena);
    }
}

const char *revocation_report_policy(enum crl_policy policy)
{
    switch (policy) {
    case CRL_HARD:
        return "hard";
    case CRL_SOFT:
        break;
    }
    return "soft";
}

static void write_missing(void *arg, const struct missing_crl *missing)
{
    struct json_writer *writer = arg;
    writer_object(writer, NULL);
    writer_text(writer, "listener", missing->listener->name);
    writer_text(writer, "id", missing->id);
    writer_text(writer, "issuer", missing->issuer);
    writer_text(writer, "policy", revocation_report_policy(missing->policy));
    writer_end(writer);
}

/* --- lists -------------------------------------------------------------------------------------
 */

/* One word for a program; a failure to read the file anew is told beside it. */
static const char *state_of(const struct crl_fact *fact, time_t now)
{
    if (!fact->issuer)
        return "none";
    if (fact->next_update != 0 && now >= fact->next_update)
        return "expired";
    return fact->this_update - CRL_CLOCK_SKEW_S > now ? "not-yet-valid" : "current";
}

static void write_list(void *arg, const struct crl_fact *fact)
{
    struct json_writer *writer = arg;
    writer_object(writer, NULL);
    writer_text(writer, "file", fact->path);
    writer_text(writer, "state", state_of(fact, time(NULL)));
    writer_text(writer, "issuer", fact->issuer);
    writer_text(writer, "number", fact->number);
    writer_number(writer, "entries", (int64_t)fact->entry_count);
    writer_time(writer, "this_update", 1000 * (int64_t)fact->this_update);
    writer_time(writer, "next_update", 1000 * (int64_t)fact->next_update);
    writer_time(writer, "loaded", 1000 * (int64_t)fact->loaded_at);
    writer_text(writer, "failure", fact->failure);
    writer_time(writer, "failed", 1000 * (int64_t)fact->failed_at);
    writer_end(writer);
}

/* --- answers of responders ---------------------------------------------------------------------
 */

static void write_ocsp(struct json_writer *writer, const struct ocsp *ocsp)
{
    writer_object(writer, "ocsp");
    writer_number(writer, "remembered", ocsp ? (int64_t)ocsp_count(ocsp) : 0);
    for (unsigned i = 0; i < OCSP_RESULT_COUNT; i++) {
        enum ocsp_result result = (enum ocsp_result)i;
        writer_number(writer, ocsp_result_name(result),
                      ocsp ? (int64_t)ocsp_result_count(ocsp, result) : 0);
    }
    writer_end(writer);
}

void revocation_report_write(struct json_writer *writer, const struct config *config,
                             const struct listener_services *services)
{
    writer_object(writer, "crls");
    writer_array(writer, "lists");
    crls_each(services->crls, write_list, writer);
    writer_end(writer);
    writer_array(writer, "missing");
    revocation_report_each_missing(config, write_missing, writer);
    writer_end(writer);
    writer_end(writer);
    write_ocsp(writer, services->ocsp);
}
