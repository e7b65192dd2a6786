/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One call of the registry's API, whoever makes it: the admin socket of a running lb
 * (registry_api.c) or a command in its own process (registry_local.c).
 *
 *   begin ──> prepare ──> work ──> tell ──> the answer stands in `answer`
 *
 *   begin     the caller's thread: query, body and what only the config knows
 *   prepare   any thread, without a ledger: keys are made, certificates signed. May take seconds
 *   work      with the ledger, on a lane
 *   tell      the caller's thread: what only the running lb knows
 *
 * Each step may refuse; then the answer is the refusal and the rest of the steps does nothing.
 * Which calls there are: registry_calls.def. Each has its steps in one of the files beside.
 */
#ifndef LB_ADMIN_REGISTRY_REGISTRY_CALL_H
#define LB_ADMIN_REGISTRY_REGISTRY_CALL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lb/admin/api_query.h"
#include "lb/admin/api_route.h"
#include "lb/admin/json_writer.h"
#include "lb/admin/registry/call_body.h"
#include "lb/admin/registry/registry_facts.h"
#include "lb/base/error.h"
#include "listeners/registry/cas.h"
#include "listeners/registry/certificates.h"
#include "listeners/registry/registry.h"

struct census;
struct registry_call;

enum {
    /* A chain of CAs as large as they may be, with its line ends escaped. */
    CALL_BODY_BYTES = 192 * 1024,
    /* Some ten thousand certificates; a fleet comes in several calls. */
    CALL_IMPORT_BYTES = 8 * 1024 * 1024,
    CALL_PEM_BYTES = CA_UPLOAD_BYTES,
    CALL_SUBJECT_BYTES = 512, /* of a log line */
};

/** What a kind of call does. NULL: nothing. */
struct call_steps {
    const struct call_field *fields; /* of its body; NULL: it takes none */
    const char *const *keys;         /* of its query, NULL at the end; NULL: it takes none */
    bool (*begin)(struct registry_call *call);
    bool (*prepare)(struct registry_call *call);
    void (*work)(struct registry_call *call, struct ledger *ledger);
    /** Of a question: nothing was registered yet, there is no store. */
    void (*nothing)(struct registry_call *call);
    void (*done)(struct registry_call *call); /* free `own` */
};

struct call_kind {
    enum http_method method;
    const char *path;
    enum registry_lane lane;
    const struct call_steps *steps;
};

/** What an answer that is not closed yet waits for. */
enum call_wait {
    CALL_WAITS_FOR_NOTHING,
    CALL_WAITS_FOR_CENSUS,   /* who is connected with `key`? */
    CALL_WAITS_FOR_IN_FORCE, /* CAs have changed: is the config in force with them? */
};

struct registry_call {
    const struct call_kind *kind;
    const struct registry_facts *facts; /* borrowed */
    const char *const *parts;           /* what the {} of the path stand for; borrowed */
    const json_t *json;                 /* the body; borrowed; NULL: none */
    struct actor actor;                 /* its `who` is borrowed */
    bool is_local;                      /* in a command's own process: no lb runs */
    struct api_query query;
    void *own; /* the kind's */
    /* The outcome. */
    unsigned status; /* 0: not answered yet */
    unsigned retry_after_s;
    struct json_writer answer;
    enum call_wait wait;
    unsigned char key[CERTIFICATE_KEY_BYTES];
    /* For the log: set where something was changed. */
    const char *event; /* "registry.certificate-revoked" */
    char subject[CALL_SUBJECT_BYTES];
    /* Of the certificate that it is about; "": it is about none. */
    char serial[SERIAL_TEXT_BYTES];
    char ca[CA_ID_LENGTH + 1];
};

/** The call of a row of api_routes, or NULL. */
const struct call_kind *registry_call_kind(const struct api_route *route);

/**
 * call    zeroed but for kind, facts, parts, json, actor and is_local
 * query   what stands behind the '?', as it came
 * returns false: it is answered. registry_call_done after either.
 */
bool registry_call_begin(struct registry_call *call, const char *query);
bool registry_call_has_prepare(const struct registry_call *call);
/** false: it is answered. */
bool registry_call_prepare(struct registry_call *call);
/** ledger NULL: it cannot be had; opened and why as in struct registry_job. Afterwards it is
 * answered, or waits. */
void registry_call_work(struct registry_call *call, struct ledger *ledger,
                        enum store_outcome opened, const char *why);

/** census NULL: nobody knows, so nobody is told. last_seen_ms: 0: never. Then it is answered. */
void registry_call_tell_census(struct registry_call *call, const struct census *census,
                               int64_t last_seen_ms);
/** problems NULL: there is no running lb, and "in_force" is left out. */
void registry_call_tell_in_force(struct registry_call *call, bool is_in_force,
                                 const struct problems *problems);

void registry_call_done(struct registry_call *call);

/* For the steps. All that refuse return false. */

/** Answer {"error":{"reason","text"}}, instead of what may have been written. */
bool registry_call_refuse(struct registry_call *call, unsigned status, const char *reason,
                          const char *format, ...) __attribute__((format(printf, 4, 5)));
bool registry_call_refuse_change(struct registry_call *call, enum change_refusal refusal,
                                 const struct error *err);
/** 400 "bad-input". */
bool registry_call_refuse_input(struct registry_call *call, const struct error *err);
/** 503 "store". outcome NOTHING is 404 "unknown". */
bool registry_call_refuse_store(struct registry_call *call, enum store_outcome outcome,
                                const char *why);
bool registry_call_refuse_memory(struct registry_call *call);

/** Begin a good answer's object. */
struct json_writer *registry_call_answer(struct registry_call *call, unsigned status);
/** Close it. */
void registry_call_end(struct registry_call *call);
/** Something was changed: for the log. */
void registry_call_log(struct registry_call *call, const char *event, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#define CALL(method, path, body_bytes, lane, steps) extern const struct call_steps steps;
#include "lb/admin/registry/registry_calls.def"
#undef CALL

#endif
