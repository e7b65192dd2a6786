/* SPDX-License-Identifier: Apache-2.0 */
/* Which certificates end when, and whose CAs' clients come. */
#include <stdlib.h>

#include "lb/admin/admin.h"
#include "lb/admin/client_cas.h"
#include "lb/admin/metrics.h"
#include "lb/admin/metrics_writer.h"
#include "lb/base/arena.h"
#include "lb/base/certificate.h"
#include "lb/base/text_map.h"
#include "lb/config/config.h"

/* --- server certificates ------------------------------------------------------------------- */

static int64_t end_of(const X509 *certificate)
{
    return certificate_time(X509_get0_notAfter(certificate));
}

static void write_certificate(struct metrics *metrics, const struct listener *listener,
                              const struct credential *credential)
{
    char *subject = certificate_name_text(X509_get_subject_name(credential->certificate));
    char *serial = certificate_serial_text(credential->certificate);
    metrics_sample(metrics);
    metrics_label(metrics, "listener", listener->name);
    metrics_label(metrics, "file", credential->certificate_path);
    metrics_label(metrics, "subject", subject);
    metrics_label(metrics, "serial", serial);
    metrics_value(metrics, end_of(credential->certificate));
    free(subject);
    free(serial);
}

/* A file is loaded once for each key that is named with it: it is told once. */
static void write_certificates_of(struct metrics *metrics, const struct listener *listener)
{
    struct arena arena = {0};
    struct text_map told;
    text_map_init(&told, listener->credential_count + 1, &arena);
    for (unsigned i = 0; i < listener->credential_count; i++) {
        const struct credential *credential = listener->credentials[i];
        struct slice path = slice_of(credential->certificate_path);
        if (!text_map_add(&told, text_hash(path), path, credential))
            write_certificate(metrics, listener, credential);
    }
    arena_done(&arena);
}

/* --- client CAs ---------------------------------------------------------------------------- */

static void begin_ca(struct metrics *metrics, const struct client_ca *ca)
{
    metrics_sample(metrics);
    metrics_label(metrics, "listener", ca->listener->name);
    metrics_label(metrics, "domain", ca->domain);
    metrics_label(metrics, "ca", ca->id);
    metrics_label(metrics, "subject", ca->subject);
}

static void write_end(void *arg, const struct client_ca *ca)
{
    struct metrics *metrics = arg;
    if (!ca->certificate)
        return;
    char *sha256 = certificate_sha256_text(ca->certificate);
    begin_ca(metrics, ca);
    metrics_label(metrics, "sha256", sha256);
    metrics_value(metrics, end_of(ca->certificate));
    free(sha256);
}

/* A CA whose certificate was renewed is one CA. */
static bool is_counted(const struct client_ca *ca)
{
    return ca->use && !ca->is_again;
}

static void write_handshakes(void *arg, const struct client_ca *ca)
{
    struct metrics *metrics = arg;
    for (int resumed = 0; resumed < 2 && is_counted(ca); resumed++) {
        begin_ca(metrics, ca);
        metrics_label(metrics, "handshake", resumed ? "resumed" : "full");
        metrics_value(metrics, (int64_t)(resumed ? ca->facts.resumed : ca->facts.full));
    }
}

static void write_last_seen(void *arg, const struct client_ca *ca)
{
    if (!is_counted(ca))
        return;
    begin_ca(arg, ca);
    metrics_value(arg, ca->facts.last_seen_s);
}

static void write_idle(void *arg, const struct client_ca *ca)
{
    if (!is_counted(ca))
        return;
    begin_ca(arg, ca);
    metrics_value(arg, ca->facts.idle_s);
}

static void write_since(void *arg, const struct client_ca *ca)
{
    if (!is_counted(ca))
        return;
    begin_ca(arg, ca);
    metrics_value(arg, ca->facts.since_s);
}

static const struct {
    const char *name;
    enum metric_type type;
    const char *help;
    client_ca_visit write;
} ca_families[] = {
    {"lb_client_ca_expires_seconds", METRIC_GAUGE,
     "When a CA of client_ca ends, in seconds since 1970.", write_end},
    {"lb_client_ca_handshakes_total", METRIC_COUNTER,
     "Handshakes with clients that the CA has verified, by itself or by one below it.",
     write_handshakes},
    {"lb_client_ca_last_seen_seconds", METRIC_GAUGE,
     "When a client of the CA was there last, in seconds since 1970; 0: never.", write_last_seen},
    {"lb_client_ca_idle_seconds", METRIC_GAUGE,
     "For how long lb has been running since a client of the CA was there.", write_idle},
    {"lb_client_ca_counted_since_seconds", METRIC_GAUGE,
     "Since when the CA is counted, in seconds since 1970.", write_since},
};

void metrics_write_certificates(struct metrics *metrics, struct admin_host *host)
{
    const struct config *config = host->config(host);
    metrics_family(metrics, "lb_certificate_expires_seconds", METRIC_GAUGE,
                   "When a server certificate ends, in seconds since 1970.");
    for (unsigned i = 0; i < config->listener_count; i++)
        write_certificates_of(metrics, &config->listeners[i]);
    for (size_t i = 0; i < sizeof ca_families / sizeof *ca_families; i++) {
        metrics_family(metrics, ca_families[i].name, ca_families[i].type, ca_families[i].help);
        client_cas_each(config, ca_families[i].write, metrics);
    }
}
