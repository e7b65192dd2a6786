/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `lb explain` is asked: a client as it would come and the request it would make. It is a JSON
 * object, whoever answers: the running lb (POST /v1/explain) or the command itself.
 */
#ifndef LB_EXPLANATION_QUESTION_H
#define LB_EXPLANATION_QUESTION_H

#include <jansson.h>
#include <openssl/x509.h>
#include <stdbool.h>

#include "lb/base/http1.h"
#include "lb/base/slice.h"

struct config;
struct error;
struct listener;

enum {
    /* Certificates of one client: many times what a handshake takes, so that too much is
       explained. */
    QUESTION_PEM_BYTES = 512 * 1024,
    /* The PEM with its line ends escaped, and the rest. */
    QUESTION_BODY_BYTES = 640 * 1024,
    QUESTION_ADDRESS_BYTES = 46,
    QUESTION_ALSO_MOST = 16,
};

struct question {
    const struct listener *listener; /* of the config */
    bool is_listener_said;           /* by its name; else host and port have chosen it */
    unsigned also_count;             /* others that would serve it as well */
    const struct listener *also[QUESTION_ALSO_MOST];
    STACK_OF(X509) * chain;            /* as the client would send it, its own first; NULL: none */
    bool has_name;                     /* it asks for a name in its ClientHello (SNI) */
    char *name;                        /* owned */
    char from[QUESTION_ADDRESS_BYTES]; /* numeric; "": not said */
    unsigned port;                     /* that it comes to; 0: nobody knows */
    char *head;                        /* owned; what `request` points into */
    struct http_request request;
};

/**
 * Read a question.
 *
 * json     the members of docs/API.md's POST /v1/explain
 * config   borrowed for the question's life
 * Fails:   err names the member, says what is wrong with it and what would be right.
 *          question_done after true and false alike.
 * Thread:  any. Allocates.
 */
bool question_read(struct question *question, const json_t *json, const struct config *config,
                   struct error *err);
void question_done(struct question *question);

#endif
