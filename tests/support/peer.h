/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client that does exactly what a test says, byte by byte: plain TCP, or TLS with a chosen SNI,
 * version, certificate and session. Blocking; whatever takes longer than PEER_PATIENCE_S fails the
 * test. With LB_TEST_HTTP=2 in the environment it says over TLS in HTTP/2 what the test says in
 * HTTP/1.1, see peer_http2.h.
 */
#ifndef LB_TESTS_PEER_H
#define LB_TESTS_PEER_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>

#include "tests/support/text.h"

struct hello_cut;
struct made;
struct peer_http2;

enum { PEER_PATIENCE_S = 20, PEER_NO_ALERT = -1 };

struct peer {
    int fd;
    SSL_CTX *context; /* NULL: plain */
    SSL *tls;
    SSL_SESSION *session; /* the latest that the server gave; owned */
    struct text inbox;    /* received, not yet taken */
    bool ended;           /* the other side sent its end */
    bool was_reset;
    int alert;                /* the description of the alert that was received */
    struct peer_http2 *http2; /* translates, see peer_http2.h; NULL: speaks as the test does */
};

/* What a TLS client asks for and shows. Zero: no SNI, any version, no certificate, nothing to
 * resume. */
struct tls_wish {
    const char *sni;
    int version;         /* TLS1_2_VERSION, TLS1_3_VERSION or 0 */
    const char *folder;  /* where the files are */
    const char *who;     /* shows WHO.crt (certificate, then its chain), has the key of WHO.key */
    const char *trust;   /* the server must come from TRUST.crt */
    const char *sigalgs; /* what the client says it understands: RSA+SHA256, ECDSA+SHA256 … */
    const char *ciphers; /* TLS 1.2 */
    const char *suites;  /* TLS 1.3 */
    const char *groups;
    SSL_SESSION *session;     /* borrowed */
    const struct made *shows; /* instead of `who`: certificates that no file could hold */
    struct hello_cut *cut;    /* how its ClientHello comes, see hello.h; NULL: whole */
    bool is_http1;            /* offers no h2, whatever the environment says */
    const char *alpn;         /* offers this one protocol, and translates nothing */
};

/* Life. */
void peer_connect(struct peer *peer, unsigned port);
/* address: "127.0.0.1" or "::1" */
void peer_connect_to(struct peer *peer, const char *address, unsigned port);
/* The TCP connection alone: whoever waits to be accepted cannot shake hands yet. peer_greet
 * follows. */
void peer_reach(struct peer *peer, const char *address, unsigned port);
/* Shake hands over a connected peer; false: it failed, and `alert` says which alert came, if any.
 */
bool peer_handshake(struct peer *peer, const struct tls_wish *wish);
/* Behind peer_reach, or for a story with a socket of its own: shake hands where peer_connect would
 * have done it, because a plain listener has been secured (secured.h). */
void peer_greet(struct peer *peer, unsigned port);
/* Connect to the port of 127.0.0.1 and shake hands. */
bool peer_connect_tls(struct peer *peer, unsigned port, const struct tls_wish *wish);
void peer_close(struct peer *peer);
/* Close so that the other side sees a reset. */
void peer_reset(struct peer *peer);
/* No more is sent (close_notify in TLS); receiving goes on. */
void peer_finish(struct peer *peer);

/* The session to resume with: TLS 1.3 servers give it after the handshake, so read an answer first.
 * Owned. */
SSL_SESSION *peer_take_session(struct peer *peer);
bool peer_was_resumed(const struct peer *peer);

/* Bytes. */
/* false: the other side does not take them any more. */
bool peer_send(struct peer *peer, const void *bytes, size_t length);
bool peer_say(struct peer *peer, const char *text);
/* As much as goes without waiting. Plain only. */
size_t peer_send_without_waiting(struct peer *peer, const void *bytes, size_t length);
/* One read into the inbox; false: there will be no more (ended, reset or alert). Waits for more
 * than is there: over HTTP/2 an answer may have come while its request was said. */
bool peer_receive(struct peer *peer);
/* Read until the inbox holds this text; false: the end came first. */
bool peer_receive_until(struct peer *peer, const char *text);
/* Read until the inbox holds so many bytes; false: the end came first. */
bool peer_receive_bytes(struct peer *peer, size_t length);
/* Read all there is until the other side closes. */
void peer_receive_all(struct peer *peer);
/* Has something come that is not in the inbox, or that is? Does not wait. */
bool peer_has_more(struct peer *peer);
/*
 * The answer that was read ends its connection in HTTP/1.1, because lb cannot tell what follows
 * from the next request, or does not want to: does the end come, and nothing before it? Over HTTP/2
 * such an answer ends its stream alone: true.
 */
bool peer_ends_here(struct peer *peer);
/* What the access log calls what peers speak: "HTTP/1.1" or "HTTP/2". */
const char *peer_protocol(void);

/* Answers. */
struct answer {
    unsigned status;
    char *head;       /* with its empty line; owned */
    struct text body; /* decoded */
    char *trailers;   /* of a chunked body, as lines that begin with CRLF; owned */
    bool is_chunked;
    bool is_complete; /* false: the connection ended in the middle of the body */
};

/* Read one answer (interim ones are answers, too). method: "HEAD" has no body. false: no whole head
 * came. */
bool peer_read_answer(struct peer *peer, const char *method, struct answer *answer);
void answer_done(struct answer *answer);
/* Send a request as it stands and read the final answer's status; 0: none came. The body is
 * dropped. */
unsigned peer_ask(struct peer *peer, const char *request);
/* GET / of the host; copies the body (without its line end). returns the status, 0: no answer. */
unsigned peer_get(struct peer *peer, const char *host, const char *path, char *body, size_t room);

#endif
