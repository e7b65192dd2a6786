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

void metrics_write_crls(struct metrics *metrics, struct admin_host *host)
{
    struct crls *crls = host->services(host)->crls;
    for (size_t i = 0; crls && i < sizeof families / sizeof *families; i++) {
        struct crl_walk walk = {.metrics = metrics, .family = &families[i]};
        metrics_family(metrics, families[i].name, METRIC_GAUGE, families[i].help);
        crls_each(crls, on_fact, &walk);
    }
}
