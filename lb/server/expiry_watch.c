/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/server/expiry_watch.h"

#include <stdio.h>
#include <stdlib.h>

#include "lb/base/certificate.h"
#include "lb/base/log.h"
#include "lb/base/timestamp.h"
#include "lb/config/config.h"

/* One look through a config. */
struct look {
    int64_t before_s, now_s;
    unsigned told_count;
    unsigned untold_count;
    X509 *told[EXPIRY_TOLD_MOST]; /* lent by the config; each is told once */
};

static bool crosses(int64_t left_before_s, int64_t left_s, int64_t line_s)
{
    return left_before_s > line_s && left_s <= line_s;
}

/* Days that are over, below 0, too. */
static int64_t days_of(int64_t seconds)
{
    return (seconds >= 0 ? seconds : seconds - (EXPIRY_DAY_S - 1)) / EXPIRY_DAY_S;
}

bool expiry_is_due(int64_t ends_s, int64_t before_s, int64_t now_s)
{
    int64_t left_s = ends_s - now_s, left_before_s = ends_s - before_s;
    if (left_s > 30 * (int64_t)EXPIRY_DAY_S)
        return false;
    if (before_s == 0 || crosses(left_before_s, left_s, 30 * (int64_t)EXPIRY_DAY_S) ||
        crosses(left_before_s, left_s, 7 * (int64_t)EXPIRY_DAY_S))
        return true;
    return left_s < 7 * (int64_t)EXPIRY_DAY_S && days_of(left_s) < days_of(left_before_s);
}

static bool was_told(const struct look *look, const X509 *certificate)
{
    for (unsigned i = 0; i < look->told_count; i++)
        if (X509_cmp(look->told[i], certificate) == 0)
            return true;
    return false;
}

static void write_end(struct log_line *line, int64_t ends_s, int64_t now_s)
{
    char text[TIMESTAMP_BYTES + 1] = "";
    char message[64];
    int64_t days = days_of(ends_s - now_s);
    timestamp_write(ends_s * 1000, text);
    log_text(line, "ends", text);
    if (ends_s <= now_s)
        snprintf(message, sizeof message, "it has expired: replace it");
    else if (days == 0)
        snprintf(message, sizeof message, "it expires within a day: replace it now");
    else
        snprintf(message, sizeof message, "it expires in %lld day%s: replace it", (long long)days,
                 days == 1 ? "" : "s");
    log_text(line, "message", message);
}

/* event: what it is. file: NULL: nobody knows which. */
static void look_at(struct look *look, const char *event, const struct listener *listener,
                    X509 *certificate, const char *file)
{
    int64_t ends_s = certificate_time(X509_get0_notAfter(certificate));
    if (!expiry_is_due(ends_s, look->before_s, look->now_s) || was_told(look, certificate))
        return;
    if (look->told_count == EXPIRY_TOLD_MOST) {
        look->untold_count++;
        return;
    }
    look->told[look->told_count++] = certificate;
    char *subject = certificate_name_text(X509_get_subject_name(certificate));
    char *serial = certificate_serial_text(certificate);
    struct log_line line;
    log_begin(&line, LOG_LEVEL_WARN, event);
    log_text(&line, "listener", listener->name);
    if (file)
        log_text(&line, "file", file);
    log_text(&line, "subject", subject);
    log_text(&line, "serial", serial);
    write_end(&line, ends_s, look->now_s);
    log_end(&line);
    free(subject);
    free(serial);
}

static void look_at_listener(struct look *look, const struct listener *listener)
{
    for (unsigned i = 0; i < listener->credential_count; i++)
        look_at(look, "certificate.expires", listener, listener->credentials[i]->certificate,
                listener->credentials[i]->certificate_path);
    for (unsigned i = 0; i < listener->ca_set_count; i++)
        for (int k = 0; k < sk_X509_num(listener->ca_sets[i]->certificates); k++)
            look_at(look, "client-ca.expires", listener,
                    sk_X509_value(listener->ca_sets[i]->certificates, k), NULL);
}

unsigned expiry_watch_look(struct expiry_watch *watch, const struct config *config, int64_t now_s)
{
    struct look look = {.before_s = watch->looked_s, .now_s = now_s};
    for (unsigned i = 0; i < config->listener_count; i++)
        look_at_listener(&look, &config->listeners[i]);
    if (look.untold_count > 0)
        log_say(LOG_LEVEL_WARN, "certificate.expires",
                "and %u more: lb_certificate_expires_seconds and lb_client_ca_expires_seconds of "
                "GET /metrics say which",
                look.untold_count);
    watch->looked_s = now_s;
    return look.told_count + look.untold_count;
}

void expiry_watch_forget(struct expiry_watch *watch)
{
    watch->looked_s = 0;
}
