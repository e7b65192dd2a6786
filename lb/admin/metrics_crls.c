/* SPDX-License-Identifier: Apache-2.0 */
/* How fresh the revocation lists are, whose are missing, and what OCSP responders said. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "lb/admin/admin.h"
#include "lb/admin/metrics.h"
#include "lb/admin/metrics_writer.h"
#include "lb/admin/revocation_report.h"
#include "listeners/crl/crls.h"
#include "listeners/listener.h"
#include "listeners/ocsp/ocsp_memory.h"

/* One way through all lists. A file may have two of one issuer: they are told apart by their place
 * in it. */
struct crl_walk {
    struct metrics *metrics;
    const struct crl_family *family;
    char path[PATH_MAX]; /* of the visit before; paths come in order */
    unsigned place;      /* in that file, from 1 */
};

static void write_next_update(struct crl_walk *walk, const struct crl_fact *fact);
static void write_entries(struct crl_walk *walk, const struct crl_fact *fact);
static void write_loaded(struct crl_walk *walk, const struct crl_fact *fact);
static void write_error(struct crl_walk *walk, const struct crl_fact *fact);

static const struct crl_family {
    const char *name, *help;
    void (*write)(struct crl_walk *walk, const struct crl_fact *fact);
} families[] = {
    {"lb_crl_next_update_seconds", "When a revocation list is out of date, in seconds since 1970.",
     write_next_update},
    {"lb_crl_entries", "Certificates that a revocation list names.", write_entries},
    {"lb_crl_loaded_seconds", "When a revocation list was read, in seconds since 1970.",
     write_loaded},
    {"lb_crl_errors", "1: the file of revocation lists, as it is now, could not be taken.",
     write_error},
};

static void write_list(const struct crl_walk *walk, const struct crl_fact *fact, int64_t value)
{
    char place[16];
    if (!fact->issuer)
        return; /* nothing of this file is in force */
    snprintf(place, sizeof place, "%u", walk->place);
    metrics_sample(walk->metrics);
    metrics_label(walk->metrics, "file", fact->path);
    metrics_label(walk->metrics, "list", place);
    metrics_label(walk->metrics, "issuer", fact->issuer);
    metrics_value(walk->metrics, value);
}

static void write_next_update(struct crl_walk *walk, const struct crl_fact *fact)
{
    if (fact->next_update != 0) /* it says when */
        write_list(walk, fact, fact->next_update);
}

static void write_entries(struct crl_walk *walk, const struct crl_fact *fact)
{
    write_list(walk, fact, (int64_t)fact->entry_count);
}

static void write_loaded(struct crl_walk *walk, const struct crl_fact *fact)
{
    write_list(walk, fact, fact->loaded_at);
}

/* Once for each file. */
static void write_error(struct crl_walk *walk, const struct crl_fact *fact)
{
    if (walk->place > 1)
        return;
    metrics_sample(walk->metrics);
    metrics_label(walk->metrics, "file", fact->path);
    metrics_value(walk->metrics, fact->failure != NULL);
}

static void on_fact(void *arg, const struct crl_fact *fact)
{
    struct crl_walk *walk = arg;
    walk->place = strcmp(walk->path, fact->path) == 0 ? walk->place + 1 : 1;
    snprintf(walk->path, sizeof walk->path, "%s", fact->path);
    walk->family->write(walk, fact);
}

static void write_missing(void *arg, const struct missing_crl *missing)
{
    struct metrics *metrics = arg;
    metrics_sample(metrics);
    metrics_label(metrics, "listener", missing->listener->name);
    metrics_label(metrics, "ca", missing->id);
    metrics_label(metrics, "issuer", missing->issuer);
    metrics_label(metrics, "policy", revocation_report_policy(missing->policy));
    metrics_value(metrics, 1);
}

static void write_ocsp(struct metrics *metrics, const struct ocsp *ocsp)
{
    metrics_family(
        metrics, "lb_ocsp_answers_total", METRIC_COUNTER,
        "Questions to OCSP responders by what became of them; failed: no answer, or none "
        "that can be believed.");
    for (unsigned i = 0; i < OCSP_RESULT_COUNT; i++) {
        metrics_sample(metrics);
        metrics_label(metrics, "result", ocsp_result_name((enum ocsp_result)i));
        metrics_value(metrics, (int64_t)ocsp_result_count(ocsp, (enum ocsp_result)i));
    }
    metrics_one(metrics, "lb_ocsp_remembered", METRIC_GAUGE,
                "Answers of OCSP responders that are remembered.", (int64_t)ocsp_count(ocsp));
}

void metrics_write_crls(struct metrics *metrics, struct admin_host *host)
{
    struct crls *crls = host->services(host)->crls;
    for (size_t i = 0; crls && i < sizeof families / sizeof *families; i++) {
        struct crl_walk walk = {.metrics = metrics, .family = &families[i]};
        metrics_family(metrics, families[i].name, METRIC_GAUGE, families[i].help);
        crls_each(crls, on_fact, &walk);
    }
    metrics_family(
        metrics, "lb_crl_missing", METRIC_GAUGE,
        "1: clients of this CA are looked up in revocation lists, and it has none; where "
        "policy is hard they are refused.");
    revocation_report_each_missing(host->config(host), write_missing, metrics);
    if (host->services(host)->ocsp)
        write_ocsp(metrics, host->services(host)->ocsp);
}
