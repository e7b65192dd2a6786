/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Devices whose certificates a story registers and changes at random, and what the registry has to
 * know of each: what was acknowledged, and of a change that nobody answered one of two things. The
 * audit log has to tell the same, change by change.
 *
 *   fleet_make(&fleet, 24, scene.folder.path);            // fleet-ca.crt, device-0.crt …
 *   fleet_choose(&fleet.devices[3], &seed, &change);      // something that it may become
 *   … whoever makes the call: change.method, change.target, fleet_body(device, &change) …
 *   fleet_took(&fleet.devices[3], &change);               // it was acknowledged, or
 *   fleet.devices[3].pending = change;                    // nobody knows
 *   fleet_check(&fleet, ask, arg);
 */
#ifndef LB_TESTS_FLEET_H
#define LB_TESTS_FLEET_H

#include <jansson.h>
#include <stdbool.h>

enum { FLEET_MOST = 64, FLEET_WORD_BYTES = 24 };

struct device_change {
    const char *method; /* NULL: none */
    char target[96];
    char status[FLEET_WORD_BYTES]; /* that it has afterwards */
    char client_id[FLEET_WORD_BYTES];
};

struct device {
    char name[FLEET_WORD_BYTES]; /* also its files */
    char serial[64];
    char *pem;
    char status[FLEET_WORD_BYTES]; /* as the API writes it; "": it was never registered */
    char client_id[FLEET_WORD_BYTES];
    bool was_revoked;
    bool stays;                   /* it is not deleted once it is revoked: every second one */
    struct device_change pending; /* was asked for, and nobody answered */
    unsigned changes;             /* that were made since the last check … */
    unsigned told;                /* … and that the audit log tells of */
    char told_status[FLEET_WORD_BYTES];
    char told_client_id[FLEET_WORD_BYTES];
};

struct fleet {
    struct device devices[FLEET_MOST];
    unsigned count;
    char *ca_pem;
    long long last_change; /* the newest id of the audit log that was looked at */
};

/* One question, however it is asked. *json: the caller's. */
typedef unsigned (*fleet_ask)(void *arg, const char *path, json_t **json);

/* Make the CA and so many devices, with files for each in the folder. */
void fleet_make(struct fleet *fleet, unsigned count, const char *folder);
void fleet_done(struct fleet *fleet);

/* {"name": "fleet", "pem": …} */
json_t *fleet_ca_body(const struct fleet *fleet);

unsigned fleet_random(unsigned *seed, unsigned below);
/* false: it cannot become anything any more. Of two neighbours one always can. */
bool fleet_choose(const struct device *device, unsigned *seed, struct device_change *change);
/* NULL: this change has none. */
json_t *fleet_body(const struct device *device, const struct device_change *change);
void fleet_took(struct device *device, const struct device_change *change);
/* All of them at once, to be ACTIVATED; the audit log has one line for all. */
void fleet_was_imported(struct fleet *fleet);
/* May its holder come in? */
bool fleet_may_pass(const struct device *device);

/*
 * Everything is there and nothing is half done: each device is as it has to be, its certificate is
 * whole, and what the audit log tells since the last check leads to just that. Afterwards nothing
 * is pending.
 */
void fleet_check(struct fleet *fleet, fleet_ask ask, void *arg);

#endif
