/* SPDX-License-Identifier: Apache-2.0 */
/* How fresh the revocation lists are. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "lb/admin/admin.h"
#include "lb/admin/metrics.h"
#include "lb/admin/metrics_writer.h"
#include "listeners/crl/crls.h"
#include "listeners/listener.h"

static void begin_list(struct metrics *metrics, const struct crl_fact *fact)
{
    metrics_sample(metrics);
    metrics_label(metrics, "file", fact->path);
    metrics_label(metrics, "issuer", fact->issuer);
}

static void write_next_update(void *arg, const struct crl_fact *fact)
{
    if (!fact->issuer || fact->next_update == 0)
        return;
    begin_list(arg, fact);
    metrics_value(arg, fact->next_update);
}

static void write_entries(void *arg, const struct crl_fact *fact)
{
    if (!fact->issuer)
        return;
    begin_list(arg, fact);
    metrics_value(arg, (int64_t)fact->entry_count);
}

static void write_loaded(void *arg, const struct crl_fact *fact)
{
    if (!fact->issuer)
        return;
    begin_list(arg, fact);
    metrics_value(arg, fact->loaded_at);
}

/* A file of several lists is visited once for each: it is told with the first. */
struct files {
    struct metrics *metrics;
    char told[PATH_MAX]; /* paths come in order */
};

static void write_error(void *arg, const struct crl_fact *fact)
{
    struct files *files = arg;
    if (strcmp(files->told, fact->path) == 0)
        return;
    snprintf(files->told, sizeof files->told, "%s", fact->path);
    metrics_sample(files->metrics);
    metrics_label(files->metrics, "file", fact->path);
    metrics_value(files->metrics, fact->failure != NULL);
}

void metrics_write_crls(struct metrics *metrics, struct admin_host *host)
{
    struct crls *crls = host->services(host)->crls;
    struct files files = {.metrics = metrics};
    if (!crls)
        return;
    metrics_family(metrics, "lb_crl_next_update_seconds", METRIC_GAUGE,
                   "When a revocation list is out of date, in seconds since 1970.");
    crls_each(crls, write_next_update, metrics);
    metrics_family(metrics, "lb_crl_entries", METRIC_GAUGE,
                   "Certificates that a revocation list names.");
    crls_each(crls, write_entries, metrics);
    metrics_family(metrics, "lb_crl_loaded_seconds", METRIC_GAUGE,
                   "When a revocation list was read, in seconds since 1970.");
    crls_each(crls, write_loaded, metrics);
    metrics_family(metrics, "lb_crl_errors", METRIC_GAUGE,
                   "1: the file of revocation lists, as it is now, could not be taken.");
    crls_each(crls, write_error, &files);
}
