/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The calls of the registry's API as commands make them: to the running lb; and where nobody
 * listens there (or [admin] address is off), the same call straight on the store of the INI file.
 * Only then: that lb refuses, is late or may not be asked is told, and never gone around.
 *
 * Straight on the store, of the INI file only [registry], [lb] state_dir and [admin] count,
 * whatever else is wrong with it; but binding hosts to a CA and deleting one need to know what the
 * whole file says, and so want it without errors.
 */
#ifndef LB_COMMANDS_REGISTRY_CLIENT_H
#define LB_COMMANDS_REGISTRY_CLIENT_H

#include <jansson.h>
#include <stdbool.h>

#include "lb/admin/registry/registry_facts.h"
#include "lb/commands/admin_client.h"

struct arguments;
struct config;

struct registry_client {
    const char *verb; /* "cert issue", for messages */
    struct admin_client admin;
    struct config *config;       /* NULL: was not needed; facts.hosts is lent by it */
    struct registry_facts facts; /* of calls on the store */
    bool has_facts;
    char *user; /* of [lb]: whose the registry is; NULL: it is ours */
    char who[REGISTRY_WHO_BYTES];
};

/**
 * Find the INI file or the address, as admin_client_open does.
 *
 * returns  COMMAND_DONE, or the exit status after telling on stderr what is wrong.
 * registry_client_done in every case. Thread: main
 */
int registry_client_open(struct registry_client *client, const char *verb,
                         const struct arguments *arguments);
void registry_client_done(struct registry_client *client);

/**
 * Make one call.
 *
 * path      with its query, percent-encoded
 * body      borrowed; NULL: none
 * Fails:    neither lb nor the store could be asked; err. A refusal is a reply.
 */
bool registry_client_ask(struct registry_client *client, const char *method, const char *path,
                         const json_t *body, struct admin_reply *ret_reply, struct error *err);

/** Make one call, and tell on stderr why there is no answer, or why it is a refusal. returns the
 * answer: json_decref; NULL: it was told */
json_t *registry_client_get(struct registry_client *client, const char *method, const char *path,
                            const json_t *body);

/** "lb cert issue: …" on stderr. returns COMMAND_FAILED. */
int registry_client_tell(const struct registry_client *client, const char *text);

#endif
