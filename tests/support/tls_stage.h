/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A listener built by hand and OpenSSL clients that meet it in memory: handshake.c on one side, a
 * real SSL client on the other, a BIO pair between them. No sockets, no INI file, and the clock is
 * the test's.
 *
 *   stage_open(&stage);
 *   stage.options.sni = true;
 *   stage_rule(&stage, "www.example.com", AUTH_REQUIRE, stage_ca_set(&stage, ca, NULL),
 * REFUSE_UNSET); stage_start(&stage); meet(&stage, &(struct wish){.name = "www.example.com",
 * .certificate = alice}, &meeting); ck_assert(meeting.let_in); part(&meeting); stage_close(&stage);
 */
#ifndef LB_TESTS_TLS_STAGE_H
#define LB_TESTS_TLS_STAGE_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <time.h>

#include "lb/base/arena.h"
#include "listeners/listener.h"
#include "listeners/tls/handshake.h"
#include "tests/support/certificates.h"
#include "tests/support/folder.h"

enum { STAGE_RULES_MOST = 32, STAGE_SETS_MOST = 16, STAGE_MADE_MOST = 64 };

struct stage {
    struct folder folder;
    struct arena arena;
    struct listener listener;
    struct listener_options options; /* change before stage_start() */
    size_t sessions_most;
    unsigned session_lifetime_s;
    time_t later_s; /* what the stage's clock is ahead of the machine's */
    struct chain_cache *chains;
    struct session_cache *borrowed_sessions; /* set before stage_start(): use these, not its own */
    struct handshake_context *context;
    struct handshake_context *second; /* another worker's */
    struct made *server_ca;
    struct rule rules[STAGE_RULES_MOST];
    struct rule_options rule_options[STAGE_RULES_MOST];
    const char *patterns[STAGE_RULES_MOST];
    struct domain domains[STAGE_RULES_MOST];
    struct policy policies[STAGE_RULES_MOST];
    struct credential *credentials[STAGE_RULES_MOST];
    struct ca_set *sets[STAGE_SETS_MOST];
    unsigned set_count;
    unsigned file_count;
};

/** An https listener called "stage", SNI off, sessions for 300 s; no rules yet. */
void stage_open(struct stage *stage);
void stage_close(struct stage *stage);

/** A set of these CAs with depth 4; the list ends with NULL. Freed by stage_close. */
const struct ca_set *stage_ca_set(struct stage *stage, const struct made *ca, ...)
    __attribute__((sentinel));
/** The same with what else there is to choose. */
const struct ca_set *stage_ca_set_like(struct stage *stage, const struct made *ca, int depth,
                                       bool partial);

/** Add a rule for "/0", "/1", … in the order they are added; the first one's domain is the default
 * domain. domain: lives until stage_close. */
void stage_rule(struct stage *stage, const char *domain, enum auth_mode mode,
                const struct ca_set *set, enum refuse_with refuse_with);

/** Build policies (each must be fine), certificates (each domain its own; SNI off: one), router and
 * two contexts. */
void stage_start(struct stage *stage);
/** As stage_start, but says why the contexts cannot be made. */
bool stage_try(struct stage *stage, struct error *err);

/** What a client does. */
struct wish {
    const char *name;               /* SNI; NULL: none */
    const struct made *certificate; /* NULL: none */
    int version;                    /* TLS1_2_VERSION or TLS1_3_VERSION; 0: what both like best */
    SSL_SESSION *session;           /* to resume; NULL: none */
    const char *groups;
    const char *signatures;    /* what server certificates it takes: "RSA-PSS+SHA256" */
    const char *protocols;     /* ALPN, as on the wire */
    const char *second_name;   /* SNI of the ClientHello after a HelloRetryRequest */
    const EVP_PKEY *wrong_key; /* signs with it instead of the certificate's */
    bool second_worker;
};

/** What became of it. */
struct meeting {
    SSL *client;
    SSL *server;
    struct handshake handshake;
    bool let_in; /* both sides finished, and handshake_complete() agrees */
    bool fits;   /* handshake_complete() */
    bool resumed;
    int alert;            /* the fatal alert the client got; -1: none */
    enum refusal refusal; /* handshake_refusal() after a failure */
    SSL_SESSION *session; /* the client's, to resume later; NULL: it got none it could use */
    char shown[128];      /* common name of the server certificate the client saw */
};

void meet(struct stage *stage, const struct wish *wish, struct meeting *meeting);
/** Release it. The session stays good when taken out (set to NULL) before. */
void part(struct meeting *meeting);
/** meet, take the session, part: NULL when there was none. */
SSL_SESSION *meet_for_session(struct stage *stage, const struct wish *wish);

#endif
