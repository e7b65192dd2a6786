/* SPDX-License-Identifier: Apache-2.0 */
/* Asking the running lb: lb status and its like are small HTTP clients of its admin socket. */
#ifndef LB_COMMANDS_ADMIN_CLIENT_H
#define LB_COMMANDS_ADMIN_CLIENT_H

#include <jansson.h>
#include <stdbool.h>

#include "lb/admin/admin_address.h"
#include "lb/base/arena.h"
#include "lb/base/error.h"
#include "lb/commands/admin_wire.h"

struct arguments;

/** Where the running lb is asked. */
struct admin_client {
    struct arena arena;
    struct admin_address address;
    const char *where; /* it is, for messages: "unix:/run/lb.sock", "10.0.0.1:9443" */
    struct admin_credentials credentials; /* of --admin-cert and its like, lent as the arguments */
    const char *file;                     /* whose [admin] says so; NULL: --admin did */
};

/**
 * Find the address: --admin, else [admin] of -c FILE, else of lb.ini in this folder, else of
 * /etc/lb/lb.ini.
 *
 * returns  COMMAND_DONE; or the exit status after telling on stderr, as "lb VERB: …", what is
 * wrong: no file, a bad address, or off. admin_client_done in every case. Thread:  main
 */
int admin_client_open(struct admin_client *client, const char *verb,
                      const struct arguments *arguments);
/** The same, but that off is no failure: client->address says so. */
int admin_client_find(struct admin_client *client, const char *verb,
                      const struct arguments *arguments);
void admin_client_done(struct admin_client *client);

struct admin_reply {
    unsigned status;
    json_t *json; /* owned: json_decref */
};

/* How long an answer may pause; loading a large config takes its time. */
enum { ADMIN_CLIENT_ASK_MS = 10000, ADMIN_CLIENT_RELOAD_MS = 120000 };

/** What became of a call. */
enum admin_outcome {
    ADMIN_ANSWERED, /* a refusal is an answer */
    ADMIN_NOBODY,   /* no lb listens there; nothing was said to anyone */
    ADMIN_FAILED,   /* it may have been heard: no right to ask, no answer in time, no lb */
};

struct admin_call {
    const char *method; /* "GET" */
    const char *path;   /* "/v1/status?rules=20": printable, without blanks */
    const char *body;   /* JSON; NULL: none */
    size_t body_bytes;
    unsigned timeout_ms; /* how long the answer may pause */
};

/** Ask once, and wait for the answer; err when there is none. */
enum admin_outcome admin_client_call(const struct admin_client *client,
                                     const struct admin_call *call, struct admin_reply *ret_reply,
                                     struct error *err);

/**
 * The same without a body, for those to whom every failure is one.
 *
 * method, path  "GET", "/v1/status": printable, without blanks
 * Fails:        nobody answers there, not in time, or what answers is no lb; err says which.
 *               A refusal is a reply.
 */
bool admin_client_ask(const struct admin_client *client, const char *method, const char *path,
                      unsigned timeout_ms, struct admin_reply *ret_reply, struct error *err);

/**
 * Ask, and tell on stderr, as "lb VERB: …", why there is no answer or why it is a refusal.
 *
 * returns  the answer: json_decref; NULL: it was told
 */
json_t *admin_client_get(const struct admin_client *client, const char *verb, const char *method,
                         const char *path);

/** What a refusal says, for people. Lent as the reply. */
const char *admin_reply_error(const struct admin_reply *reply);

#endif
