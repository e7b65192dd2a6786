/* SPDX-License-Identifier: Apache-2.0 */
/* Links with TLS on a real loop, towards backends that OpenSSL plays in threads of their own. */
#include <arpa/inet.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backends/links/link.h"
#include "backends/tls/backend_tls.h"
#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/folder.h"
#include "tests/support/made_pool.h"
#include "tests/support/port.h"
#include "tests/support/stub_tls.h"

static struct loop_context context;
static uv_loop_t loop;
static struct made_pool made;
static struct pool *pools[1];
static struct links *links;
static struct backend_tls_context *tls;
static struct stub_backend stub;
static struct folder folder;
static struct made *ca;
static struct made *server; /* www.example.com, *.example.org, 127.0.0.1 */
static bool is_closed;

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

/* ---- a borrower that remembers what it was told ---- */

struct borrower {
    struct link_owner owner;
    struct link *link;
    unsigned told_count;
    enum link_outcome outcome;
    char reason[LINK_REASON_BYTES];
    int events;
};

static void on_connected(struct link_owner *owner, struct link *link, enum link_outcome outcome,
                         const char *reason)
{
    struct borrower *borrower = LIST_OWNER(owner, struct borrower, owner);
    borrower->link = link;
    borrower->told_count++;
    borrower->outcome = outcome;
    snprintf(borrower->reason, sizeof borrower->reason, "%s", reason);
}

static void on_ready(struct link_owner *owner, int events)
{
    LIST_OWNER(owner, struct borrower, owner)->events |= events;
}

#define BORROWER                                                                                   \
    {                                                                                              \
        .owner = {.on_connected = on_connected, .on_ready = on_ready }                             \
    }

/* Borrow for this host; returns the pending link, or NULL when an idle one was lent at once. */
static struct link *borrow(struct borrower *borrower, const char *host)
{
    struct link *pending = NULL;
    const struct link_wish wish = {.pool = &made.pool,
                                   .backend = &made.pool.backends[0],
                                   .tls = tls,
                                   .host = slice_of(host),
                                   .owner = &borrower->owner};
    borrower->link = link_borrow(links, &wish, &pending);
    return pending;
}

#define run_until(condition)                                                                       \
    do {                                                                                           \
        long long end_ms = eventually_now_ms() + EVENTUALLY_MS;                                    \
        while (!(condition)) {                                                                     \
            uv_run(&loop, UV_RUN_NOWAIT);                                                          \
            ck_assert_msg(eventually_now_ms() < end_ms, "never came true: %s", #condition);        \
        }                                                                                          \
    } while (0)

/* A fresh link; what becomes of it is in the borrower. */
static void open_link(struct borrower *borrower, const char *host)
{
    unsigned told = borrower->told_count;
    ck_assert_ptr_nonnull(borrow(borrower, host));
    ck_assert_uint_eq(borrower->told_count, told);
    run_until(borrower->told_count > told);
}

static void connect_to(struct borrower *borrower, const char *host)
{
    open_link(borrower, host);
    ck_assert_msg(borrower->outcome == LINK_READY, "%s: %s", link_outcome_name(borrower->outcome),
                  borrower->reason);
}

static void expect_refusal(const char *host, enum link_outcome outcome, const char *reason)
{
    struct borrower borrower = BORROWER;
    open_link(&borrower, host);
    ck_assert_str_eq(link_outcome_name(borrower.outcome), link_outcome_name(outcome));
    ck_assert_str_eq(borrower.reason, reason);
    ck_assert_ptr_null(borrower.link);
}

static unsigned idle_count(void)
{
    return links_idle_count(links, &made.pool.backends[0]);
}

/* Send and wait for exactly so many bytes. */
static void ask(struct borrower *borrower, const char *question, char *answer, size_t length)
{
    struct iovec piece = {(void *)(uintptr_t)question, strlen(question)};
    struct connection *connection = &borrower->link->connection;
    ck_assert_int_ne(connection_write(connection, &piece, 1), IO_FAILED);
    for (size_t got = 0; got < length;) {
        size_t step = 0;
        enum io io = connection_read(connection, answer + got, length - got, &step);
        ck_assert_int_ne(io, IO_FAILED);
        ck_assert_int_ne(io, IO_END);
        got += step;
        uv_run(&loop, UV_RUN_NOWAIT);
    }
}

/* Until the other side's end or failure shows. */
static enum io read_to_end(struct borrower *borrower)
{
    char bytes[64];
    enum io io = IO_AGAIN;
    run_until((io = connection_read(&borrower->link->connection, bytes, sizeof bytes,
                                    &(size_t){0})) != IO_AGAIN &&
              io != IO_DONE);
    return io;
}

/* ---- the stage ---- */

static struct made *make_server(const struct made *issuer, int64_t until_s)
{
    return made_certificate(&(struct certificate_wish){
        .name = "rs-1",
        .issuer = issuer,
        .usage = "serverAuth",
        .names = "DNS:www.example.com,DNS:*.example.org,IP:127.0.0.1",
        .until_s = until_s,
    });
}

static void begin(void)
{
    folder_make(&folder);
    ca = made_ca("Backend CA");
    server = make_server(ca, 0);
    made_write(ca, folder.path, "ca");
    made_write(server, folder.path, "server");
    made_pool_begin(&made);
    made_pool_key(&made, "protocol", "https");
    made_pool_key(&made, "idle_links", "2");
    is_closed = false;
}

static void key(const char *name, const char *value)
{
    made_pool_key(&made, name, value);
}

static void trust(const char *file)
{
    key("backend_ca", folder_file(&folder, file));
}

/* The pool as its keys say, with its one backend at this port. */
static void open_pool(unsigned port)
{
    char value[64];
    struct error err = {""};
    snprintf(value, sizeof value, "rs-1 127.0.0.1:%u", port);
    made_pool_key(&made, "backend", value);
    ck_assert(made_pool_prepare(&made));
    pools[0] = &made.pool;
    uv_loop_init(&loop);
    loop_context_init(&context, &loop);
    links = links_new(&context);
    links_retain(links, pools, 1);
    tls = backend_tls_context_new(&made.pool, &err);
    ck_assert_msg(tls != NULL, "%s", err.text);
}

enum { KEYS = 3000 };

/* Some bytes come back for each byte; 't' and 'k' are answered by nothing that a borrower reads. */
static void answer_bytes(struct stub_link *link)
{
    while (stub_receive(link)) {
        for (size_t i = 0; i < link->inbox.length; i++) {
            switch (link->inbox.bytes[i]) {
            case 't': /* a session ticket */
                SSL_new_session_ticket(link->ssl);
                SSL_do_handshake(link->ssl);
                break;
            case 'k': /* other keys, please */
                SSL_key_update(link->ssl, SSL_KEY_UPDATE_REQUESTED);
                SSL_do_handshake(link->ssl);
                break;
            case 'f': /* a flood of them */
                for (unsigned times = 0; times < KEYS; times++) {
                    SSL_key_update(link->ssl, SSL_KEY_UPDATE_REQUESTED);
                    SSL_do_handshake(link->ssl);
                }
                stub_say(link, "yes");
                break;
            case 'r': /* hands shaken anew, please */
                SSL_renegotiate(link->ssl);
                SSL_do_handshake(link->ssl);
                break;
            case 'q':
                return;
            default:
                stub_say(link, "yes");
            }
        }
        text_drop(&link->inbox, link->inbox.length);
    }
}

static void open_stub(const struct stub_tls_plan *plan)
{
    stub_tls_start(&stub, "rs-1", answer_bytes, plan);
    open_pool(stub.port);
}

/* The usual: a backend of the CA that is trusted. */
static void open_stage(int version)
{
    trust("ca.crt");
    open_stub(&(struct stub_tls_plan){.certificate = server, .version = version});
}

static void on_closed(void *arg)
{
    *(bool *)arg = true;
}

static void end(void)
{
    backend_tls_context_free(tls);
    if (links)
        links_close(links, on_closed, &is_closed);
    run_until(is_closed);
    loop_context_close(&context);
    uv_run(&loop, UV_RUN_DEFAULT);
    ck_assert_uint_eq(context.buffers.lent_count, 0);
    loop_context_done(&context);
    ck_assert_int_eq(uv_loop_close(&loop), 0);
    made_pool_end(&made);
    if (stub.name)
        stub_stop(&stub);
    made_free(server);
    made_free(ca);
    folder_remove(&folder);
}

/* With TLS 1.3 the backend's side of a handshake ends after ours. */
static void expect_asked(unsigned handshakes, const char *lines)
{
    run_until(atomic_load(&stub.tls->handshakes) == handshakes);
    char *asked = stub_tls_asked(&stub);
    ck_assert_str_eq(asked, lines);
    free(asked);
}

/* ---- shaking hands ---- */

START_TEST(a_link_is_lent_when_hands_are_shaken_and_carries_bytes)
{
    struct borrower borrower = BORROWER;
    char answer[4] = "";
    open_stage(versions[_i]);
    connect_to(&borrower, "www.example.com:8443");
    ck_assert_int_eq(borrower.link->state, LINK_LENT);
    ask(&borrower, "x", answer, 3);
    ck_assert_str_eq(answer, "yes");
    ck_assert_int_eq(SSL_version(borrower.link->connection.ssl), versions[_i]);
    link_discard(borrower.link);
    expect_asked(1, "www.example.com http/1.1 -\n");
}
END_TEST

START_TEST(an_address_is_not_asked_for_but_verified)
{
    struct borrower borrower = BORROWER;
    open_stage(0);
    connect_to(&borrower, "127.0.0.1:80");
    link_discard(borrower.link);
    expect_asked(1, "- http/1.1 -\n");
    expect_refusal("127.0.0.2", LINK_UNVERIFIED,
                   "the certificate is not for 127.0.0.2 but for CN=rs-1, www.example.com, "
                   "*.example.org: set backend_name");
}
END_TEST

START_TEST(the_system_s_cas_are_trusted_where_none_is_named)
{
    struct borrower borrower = BORROWER;
    setenv("SSL_CERT_FILE", folder_file(&folder, "ca.crt"), 1);
    open_stub(&(struct stub_tls_plan){.certificate = server});
    connect_to(&borrower, "www.example.com");
    link_discard(borrower.link);
}
END_TEST

START_TEST(nobody_s_host_is_the_backend_s_own_address)
{
    struct borrower borrower = BORROWER;
    open_stage(0);
    connect_to(&borrower, "");
    link_discard(borrower.link);
}
END_TEST

START_TEST(backend_name_is_asked_for_and_verified_whatever_the_host)
{
    struct borrower borrower = BORROWER;
    key("backend_name", "rs-1.example.org");
    open_stage(0);
    connect_to(&borrower, "somewhere.else.example");
    link_discard(borrower.link);
    expect_asked(1, "rs-1.example.org http/1.1 -\n");
}
END_TEST

START_TEST(what_was_verified_ends_with_the_first_certificate_of_its_chain)
{
    struct borrower borrower = BORROWER;
    open_stage(versions[_i]);
    connect_to(&borrower, "www.example.com");
    struct made *soon = make_server(ca, 3 * MADE_DAY_S);
    struct stub_backend other;
    time_t of_server = backend_tls_good_until(borrower.link->connection.ssl);
    link_discard(borrower.link);
    stub_tls_start(&other, "rs-2", answer_bytes, &(struct stub_tls_plan){.certificate = soon});
    made.pool.backends[0].address.storage = (struct sockaddr_storage){0};
    struct sockaddr_in *address = (void *)&made.pool.backends[0].address.storage;
    *address = (struct sockaddr_in){.sin_family = AF_INET,
                                    .sin_port = htons((in_port_t)other.port),
                                    .sin_addr = {htonl(INADDR_LOOPBACK)}};
    connect_to(&borrower, "a.example.org");
    time_t of_soon = backend_tls_good_until(borrower.link->connection.ssl);
    link_discard(borrower.link);
    ck_assert_int_gt(of_server, time(NULL) + 20 * MADE_DAY_S);
    ck_assert_int_gt(of_soon, time(NULL) + 2 * MADE_DAY_S);
    ck_assert_int_lt(of_soon, time(NULL) + 4 * MADE_DAY_S);
    stub_stop(&other);
    made_free(soon);
}
END_TEST

/* ---- certificates that are refused ---- */

static void replace_server(const struct certificate_wish *wish)
{
    made_free(server);
    server = made_certificate(wish);
}

START_TEST(a_certificate_of_nobody_is_refused_with_what_would_be_right)
{
    replace_server(&(struct certificate_wish){.name = "rs-1", .names = "DNS:www.example.com"});
    open_stage(versions[_i]);
    expect_refusal("www.example.com", LINK_UNVERIFIED,
                   "self-signed certificate (certificate of CN=rs-1): name it in backend_ca");
    eventually(atomic_load(&stub.tls->refused) == 1);
    char *alerts = stub_tls_alerts(&stub);
    ck_assert_str_eq(alerts, "tlsv1 alert unknown ca\n");
    free(alerts);
}
END_TEST

START_TEST(a_self_signed_certificate_that_is_named_is_trusted)
{
    struct borrower borrower = BORROWER;
    replace_server(&(struct certificate_wish){.name = "rs-1", .names = "DNS:www.example.com"});
    made_write(server, folder.path, "server");
    trust("server.crt");
    open_stub(&(struct stub_tls_plan){.certificate = server});
    connect_to(&borrower, "www.example.com");
    link_discard(borrower.link);
    expect_refusal("other.example.com", LINK_UNVERIFIED,
                   "the certificate is not for other.example.com but for CN=rs-1, "
                   "www.example.com: set backend_name");
}
END_TEST

START_TEST(a_backend_s_own_certificate_is_trusted_without_its_ca)
{
    struct borrower borrower = BORROWER;
    trust("server.crt");
    open_stub(&(struct stub_tls_plan){.certificate = server});
    connect_to(&borrower, "www.example.com");
    link_discard(borrower.link);
}
END_TEST

START_TEST(an_old_certificate_with_its_name_in_the_subject_alone_is_taken)
{
    struct borrower borrower = BORROWER;
    replace_server(&(struct certificate_wish){.name = "www.example.com", .issuer = ca, .v1 = true});
    open_stage(0);
    connect_to(&borrower, "www.example.com");
    link_discard(borrower.link);
}
END_TEST

START_TEST(a_certificate_of_another_ca_is_refused)
{
    struct made *other = made_ca("Other CA");
    made_free(server);
    server = make_server(other, 0);
    made_free(other);
    open_stage(versions[_i]);
    expect_refusal("www.example.com", LINK_UNVERIFIED,
                   "unable to get local issuer certificate (certificate of CN=rs-1): name the CA "
                   "that issued it in backend_ca, or let the backend send its intermediates");
}
END_TEST

START_TEST(a_certificate_whose_time_is_over_is_refused)
{
    replace_server(&(struct certificate_wish){.name = "rs-1",
                                              .issuer = ca,
                                              .names = "DNS:www.example.com",
                                              .from_s = -2 * MADE_DAY_S,
                                              .until_s = -MADE_DAY_S});
    open_stage(versions[_i]);
    expect_refusal("www.example.com", LINK_UNVERIFIED,
                   "certificate has expired (certificate of CN=rs-1): the backend needs a new one");
}
END_TEST

START_TEST(a_certificate_whose_time_has_not_come_is_refused)
{
    replace_server(&(struct certificate_wish){.name = "rs-1",
                                              .issuer = ca,
                                              .names = "DNS:www.example.com",
                                              .from_s = MADE_DAY_S,
                                              .until_s = 2 * MADE_DAY_S});
    open_stage(0);
    char reason[256];
    snprintf(reason, sizeof reason, "%s (certificate of CN=rs-1): is the clock right?",
             X509_verify_cert_error_string(X509_V_ERR_CERT_NOT_YET_VALID));
    expect_refusal("www.example.com", LINK_UNVERIFIED, reason);
}
END_TEST

START_TEST(a_certificate_for_clients_is_refused)
{
    replace_server(&(struct certificate_wish){
        .name = "rs-1", .issuer = ca, .names = "DNS:www.example.com", .usage = "clientAuth"});
    open_stage(0);
    struct borrower borrower = BORROWER;
    open_link(&borrower, "www.example.com");
    ck_assert_int_eq(borrower.outcome, LINK_UNVERIFIED);
    ck_assert_ptr_nonnull(strstr(borrower.reason, "it is not meant for servers"));
}
END_TEST

START_TEST(a_weak_certificate_is_refused)
{
    replace_server(&(struct certificate_wish){
        .name = "rs-1", .issuer = ca, .names = "DNS:www.example.com", .key = MADE_KEY_RSA_1024});
    open_stage(versions[_i]);
    expect_refusal(
        "www.example.com", LINK_UNVERIFIED,
        "EE certificate key too weak (certificate of CN=rs-1): RSA of 2048 bits or EC of "
        "224 is the least");
}
END_TEST

START_TEST(a_forged_certificate_is_refused)
{
    replace_server(&(struct certificate_wish){
        .name = "rs-1", .issuer = ca, .names = "DNS:www.example.com", .broken_signature = true});
    open_stage(versions[_i]);
    expect_refusal("www.example.com", LINK_UNVERIFIED,
                   "certificate signature failure (certificate of CN=rs-1)");
}
END_TEST

/* ---- backends that refuse lb ---- */

START_TEST(a_backend_that_wants_a_certificate_says_so_in_the_handshake)
{
    struct borrower borrower = BORROWER;
    trust("ca.crt");
    open_stub(
        &(struct stub_tls_plan){.certificate = server, .client_ca = ca, .version = TLS1_2_VERSION});
    open_link(&borrower, "www.example.com");
    ck_assert_int_eq(borrower.outcome, LINK_DECLINED);
    /* OpenSSL's own words in front of it are not the same in all its versions. */
    ck_assert_ptr_nonnull(strstr(borrower.reason,
                                 "alert handshake failure: the backend finds no common cipher, or "
                                 "wants a client certificate (certificate and certificate_key)"));
}
END_TEST

START_TEST(with_tls_1_3_it_says_so_only_when_it_is_read)
{
    struct borrower borrower = BORROWER;
    trust("ca.crt");
    open_stub(
        &(struct stub_tls_plan){.certificate = server, .client_ca = ca, .version = TLS1_3_VERSION});
    connect_to(&borrower, "www.example.com");
    ck_assert_int_eq(read_to_end(&borrower), IO_FAILED);
    ck_assert_str_eq(link_failure(borrower.link),
                     "tlsv13 alert certificate required: the backend wants a client certificate: "
                     "set certificate and certificate_key");
    ck_assert(link_was_refused(borrower.link));
    link_discard(borrower.link);
}
END_TEST

static void show(const struct made *client)
{
    made_write(client, folder.path, "lb");
    key("certificate", folder_file(&folder, "lb.crt"));
    key("certificate_key", folder_file(&folder, "lb.key"));
}

START_TEST(lb_shows_its_certificate_to_a_backend_that_asks)
{
    struct borrower borrower = BORROWER;
    struct made *client = made_client(ca, "lb");
    char answer[3];
    show(client);
    made_free(client);
    trust("ca.crt");
    open_stub(
        &(struct stub_tls_plan){.certificate = server, .client_ca = ca, .version = versions[_i]});
    connect_to(&borrower, "www.example.com");
    ask(&borrower, "x", answer, 3);
    link_discard(borrower.link);
    expect_asked(1, "www.example.com http/1.1 lb\n");
}
END_TEST

START_TEST(a_backend_that_refuses_lb_s_certificate_is_told_apart)
{
    struct borrower borrower = BORROWER;
    struct made *other = made_ca("Other CA");
    struct made *client = made_client(other, "lb");
    show(client);
    made_free(client);
    made_free(other);
    trust("ca.crt");
    open_stub(
        &(struct stub_tls_plan){.certificate = server, .client_ca = ca, .version = TLS1_3_VERSION});
    connect_to(&borrower, "www.example.com");
    ck_assert_int_eq(read_to_end(&borrower), IO_FAILED);
    ck_assert_str_eq(link_failure(borrower.link),
                     "tlsv1 alert unknown ca: the backend refuses lb's certificate");
    link_discard(borrower.link);
}
END_TEST

/* ---- backends that speak no TLS ---- */

static void speak_http(struct stub_link *link)
{
    stub_receive(link);
    stub_say(link, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
    stub_wait_for_end(link);
}

static void open_plain(stub_serve serve)
{
    trust("ca.crt");
    stub_start(&stub, "rs-1", serve);
    open_pool(stub.port);
}

START_TEST(a_backend_that_speaks_http_is_told_apart)
{
    open_plain(speak_http);
    expect_refusal("www.example.com", LINK_DECLINED,
                   "wrong version number: the backend speaks no TLS: is it protocol = http or h2?");
}
END_TEST

/* A fatal alert (RFC 8446 6), no_application_protocol (RFC 7301 3.2). */
static void choose_no_protocol(struct stub_link *link)
{
    static const unsigned char alert[] = {21, 3, 3, 0, 2, 2, 120};
    stub_receive(link);
    stub_send(link, alert, sizeof alert);
    stub_wait_for_end(link);
}

START_TEST(a_backend_that_speaks_another_http_is_told_apart)
{
    open_plain(choose_no_protocol);
    expect_refusal("www.example.com", LINK_DECLINED,
                   "tlsv1 alert no application protocol: the backend does not speak that HTTP "
                   "(ALPN): https is HTTP/1.1, h2s is HTTP/2");
}
END_TEST

static void hear_and_leave(struct stub_link *link)
{
    stub_receive(link);
}

START_TEST(a_backend_that_leaves_in_the_handshake_is_told)
{
    open_plain(hear_and_leave);
    expect_refusal("www.example.com", LINK_DECLINED, "the backend closed during the TLS handshake");
}
END_TEST

static void hear_and_reset(struct stub_link *link)
{
    stub_receive(link);
    stub_reset(link);
}

START_TEST(a_backend_that_resets_in_the_handshake_is_told)
{
    open_plain(hear_and_reset);
    expect_refusal("www.example.com", LINK_DECLINED, "connection reset by peer");
}
END_TEST

static uint64_t now_ms;

static uint64_t tell_now_ms(struct deadlines *deadlines)
{
    (void)deadlines;
    return now_ms;
}

START_TEST(connect_timeout_counts_the_handshake)
{
    struct borrower borrower = BORROWER;
    open_plain(stub_wait_for_end);
    now_ms = 1000;
    context.deadlines.now_ms = tell_now_ms;
    struct link *pending = borrow(&borrower, "www.example.com");
    run_until(pending->state == LINK_HANDSHAKE);
    now_ms += 3999;
    deadlines_run(&context.deadlines);
    ck_assert_uint_eq(borrower.told_count, 0);
    now_ms += 1;
    deadlines_run(&context.deadlines);
    ck_assert_uint_eq(borrower.told_count, 1);
    ck_assert_int_eq(borrower.outcome, LINK_LATE);
    ck_assert_str_eq(borrower.reason, "no TLS handshake within 4000ms");
}
END_TEST

START_TEST(a_link_that_shakes_hands_can_be_given_up)
{
    struct borrower borrower = BORROWER;
    open_plain(stub_wait_for_end);
    struct link *pending = borrow(&borrower, "www.example.com");
    run_until(pending->state == LINK_HANDSHAKE);
    link_discard(pending);
    for (unsigned i = 0; i < 10; i++)
        uv_run(&loop, UV_RUN_NOWAIT);
    ck_assert_uint_eq(borrower.told_count, 0);
}
END_TEST

START_TEST(what_is_meant_for_tls_is_never_sent_without)
{
    struct borrower borrower = BORROWER;
    open_stage(0);
    struct backend_tls_context *own = tls;
    tls = NULL;
    open_link(&borrower, "www.example.com");
    tls = own;
    ck_assert_int_eq(borrower.outcome, LINK_REFUSED);
    ck_assert_str_eq(borrower.reason, "Protocol error");
}
END_TEST

/* ---- idle links ---- */

START_TEST(an_idle_link_is_lent_for_the_name_it_was_verified_for)
{
    struct borrower one = BORROWER;
    struct borrower other = BORROWER;
    open_stage(versions[_i]);
    connect_to(&one, "a.example.org");
    struct link *link = one.link;
    link_return(link);
    struct link *pending = borrow(&other, "b.example.org");
    ck_assert_ptr_nonnull(pending);
    link_discard(pending);
    ck_assert_ptr_null(borrow(&one, "A.example.org.:8443"));
    ck_assert_ptr_eq(one.link, link);
    ck_assert_uint_eq(link->exchanges, 1);
    link_discard(link);
}
END_TEST

START_TEST(with_backend_name_an_idle_link_is_lent_for_every_name)
{
    struct borrower borrower = BORROWER;
    key("backend_name", "www.example.com");
    open_stage(0);
    connect_to(&borrower, "a.example.org");
    struct link *link = borrower.link;
    link_return(link);
    ck_assert_ptr_null(borrow(&borrower, "b.example.org"));
    ck_assert_ptr_eq(borrower.link, link);
    link_discard(link);
}
END_TEST

START_TEST(names_that_nobody_asks_for_any_more_make_room)
{
    struct borrower borrowers[3] = {BORROWER, BORROWER, BORROWER};
    static const char *const hosts[] = {"a.example.org", "b.example.org", "c.example.org"};
    open_stage(0);
    for (unsigned i = 0; i < 3; i++) {
        connect_to(&borrowers[i], hosts[i]);
        link_return(borrowers[i].link);
    }
    ck_assert_uint_eq(idle_count(), 2);
    ck_assert_ptr_null(borrow(&borrowers[2], hosts[2]));
    ck_assert_ptr_null(borrow(&borrowers[1], hosts[1]));
    link_discard(borrowers[1].link);
    link_discard(borrowers[2].link);
}
END_TEST

static int ready_bytes(const struct link *link)
{
    int bytes = 0;
    ioctl(link->connection.fd, FIONREAD, &bytes);
    return bytes;
}

/* Return a link after a question that is answered only by TLS itself. */
static struct link *return_behind(struct borrower *borrower, const char *question)
{
    struct iovec piece = {(void *)(uintptr_t)question, strlen(question)};
    struct link *link = borrower->link;
    ck_assert_int_eq(connection_write(&link->connection, &piece, 1), IO_DONE);
    link_return(link);
    ck_assert_uint_eq(idle_count(), 1);
    return link;
}

static const char *const questions[] = {"t", "k", "tktkt"};

START_TEST(what_tls_says_by_itself_does_not_end_an_idle_link)
{
    struct borrower borrower = BORROWER;
    char answer[3];
    open_stage(TLS1_3_VERSION);
    connect_to(&borrower, "www.example.com");
    ask(&borrower, "x", answer, 3);
    struct link *link = return_behind(&borrower, questions[_i]);
    eventually(ready_bytes(link) > 0);
    run_until(ready_bytes(link) == 0);
    ck_assert_uint_eq(idle_count(), 1);
    ck_assert_ptr_null(borrow(&borrower, "www.example.com"));
    ask(&borrower, "x", answer, 3);
    link_discard(borrower.link);
}
END_TEST

START_TEST(a_flood_of_new_keys_is_borne)
{
    struct borrower borrower = BORROWER;
    char answer[4] = "";
    open_stage(TLS1_3_VERSION);
    connect_to(&borrower, "www.example.com");
    ask(&borrower, "f", answer, 3);
    ck_assert_str_eq(answer, "yes");
    ask(&borrower, "x", answer, 3);
    ck_assert_str_eq(answer, "yes");
    link_discard(borrower.link);
}
END_TEST

START_TEST(what_tls_said_behind_an_answer_does_not_end_its_link)
{
    struct borrower borrower = BORROWER;
    char answer[3];
    size_t got = 0;
    struct iovec piece = {(char *)"xt", 2};
    open_stage(TLS1_3_VERSION);
    connect_to(&borrower, "www.example.com");
    ask(&borrower, "x", answer, 3);
    ck_assert_int_eq(connection_write(&borrower.link->connection, &piece, 1), IO_DONE);
    eventually(ready_bytes(borrower.link) > 100); /* the answer and the ticket */
    run_until(connection_read(&borrower.link->connection, answer, 3, &got) == IO_DONE);
    ck_assert_uint_eq(got, 3);
    ck_assert(connection_has_unread(&borrower.link->connection));
    link_return(borrower.link);
    ck_assert_uint_eq(idle_count(), 1);
}
END_TEST

START_TEST(an_idle_link_on_which_the_backend_speaks_or_which_it_closes_disappears)
{
    static const char *const causes[] = {"x", "q"};
    struct borrower borrower = BORROWER;
    open_stage(versions[_i % 2]);
    connect_to(&borrower, "www.example.com");
    return_behind(&borrower, causes[_i / 2]);
    run_until(idle_count() == 0);
    ck_assert_int_eq(borrower.events & CONNECTION_WRITABLE, 0);
}
END_TEST

START_TEST(a_backend_cannot_have_hands_shaken_anew)
{
    struct borrower borrower = BORROWER;
    open_stage(TLS1_2_VERSION);
    connect_to(&borrower, "www.example.com");
    return_behind(&borrower, "r");
    run_until(idle_count() == 0); /* OpenSSL's server takes the refusal for an end */
    ck_assert_uint_eq(atomic_load(&stub.tls->handshakes), 1);
}
END_TEST

START_TEST(a_link_that_is_dropped_says_so)
{
    struct borrower borrower = BORROWER;
    char answer[3];
    open_stage(versions[_i]);
    connect_to(&borrower, "www.example.com");
    ask(&borrower, "x", answer, 3);
    link_discard(borrower.link);
    eventually(atomic_load(&stub.tls->farewells) == 1);
    connect_to(&borrower, "www.example.com");
    ask(&borrower, "x", answer, 3);
    link_return(borrower.link);
    links_close(links, on_closed, &is_closed);
    links = NULL;
    eventually(atomic_load(&stub.tls->farewells) == 2);
}
END_TEST

START_TEST(closing_waits_for_a_link_that_shakes_hands)
{
    struct borrower borrower = BORROWER;
    open_stage(0);
    struct link *pending = borrow(&borrower, "www.example.com");
    run_until(pending->state == LINK_HANDSHAKE);
    links_close(links, on_closed, &is_closed);
    links = NULL;
    run_until(borrower.told_count);
    ck_assert_int_eq(borrower.outcome, LINK_READY);
    ck_assert(!is_closed);
    link_return(borrower.link);
    run_until(is_closed);
}
END_TEST

/* ---- sessions ---- */

/* A connection with an answer, whose link is not kept. */
static bool resumes(const char *host)
{
    struct borrower borrower = BORROWER;
    char answer[3];
    connect_to(&borrower, host);
    ask(&borrower, "x", answer, 3);
    bool resumed = SSL_session_reused(borrower.link->connection.ssl);
    link_discard(borrower.link);
    return resumed;
}

START_TEST(the_next_link_resumes_the_session_of_its_name)
{
    open_stage(versions[_i]);
    ck_assert(!resumes("a.example.org"));
    ck_assert(resumes("a.example.org"));
    ck_assert(!resumes("b.example.org"));
    ck_assert(resumes("b.example.org"));
    ck_assert(resumes("a.example.org"));
    ck_assert_uint_eq(atomic_load(&stub.tls->handshakes), 5);
    ck_assert_uint_eq(atomic_load(&stub.tls->resumed), 3);
}
END_TEST

START_TEST(a_backend_that_knows_the_session_no_more_gets_a_full_handshake)
{
    open_stage(versions[_i]);
    ck_assert(!resumes("www.example.com"));
    unsigned port = stub.port;
    stub_stop(&stub);
    stub_tls_start_at(&stub, "rs-1", answer_bytes,
                      &(struct stub_tls_plan){.certificate = server, .version = versions[_i]},
                      port);
    ck_assert(!resumes("www.example.com"));
    ck_assert(resumes("www.example.com"));
}
END_TEST

START_TEST(a_session_that_led_to_a_failed_handshake_is_forgotten)
{
    struct borrower borrower = BORROWER;
    open_stage(versions[_i]);
    ck_assert(!resumes("www.example.com"));
    unsigned port = stub.port;
    stub_stop(&stub);
    stub_start_at(&stub, "rs-1", hear_and_leave, port);
    open_link(&borrower, "www.example.com");
    ck_assert_int_eq(borrower.outcome, LINK_DECLINED);
    stub_stop(&stub);
    stub_tls_start_at(&stub, "rs-1", answer_bytes,
                      &(struct stub_tls_plan){.certificate = server, .version = versions[_i]},
                      port);
    ck_assert(!resumes("www.example.com"));
}
END_TEST

START_TEST(sessions_go_with_the_backends_that_are_not_retained)
{
    open_stage(versions[_i]);
    ck_assert(!resumes("www.example.com"));
    links_retain(links, pools, 1);
    ck_assert(resumes("www.example.com"));
    links_retain(links, NULL, 0);
    links_retain(links, pools, 1);
    ck_assert(!resumes("www.example.com"));
}
END_TEST

START_TEST(a_backend_without_sessions_is_no_trouble)
{
    trust("ca.crt");
    open_stub(&(struct stub_tls_plan){
        .certificate = server, .version = versions[_i], .no_sessions = true});
    ck_assert(!resumes("www.example.com"));
    ck_assert(!resumes("www.example.com"));
}
END_TEST

static void add_handshake_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, a_link_is_lent_when_hands_are_shaken_and_carries_bytes, 0, 2);
    tcase_add_test(tcase, an_address_is_not_asked_for_but_verified);
    tcase_add_test(tcase, the_system_s_cas_are_trusted_where_none_is_named);
    tcase_add_test(tcase, nobody_s_host_is_the_backend_s_own_address);
    tcase_add_test(tcase, backend_name_is_asked_for_and_verified_whatever_the_host);
    tcase_add_loop_test(tcase, what_was_verified_ends_with_the_first_certificate_of_its_chain, 0,
                        2);
    tcase_add_loop_test(tcase, a_certificate_of_nobody_is_refused_with_what_would_be_right, 0, 2);
    tcase_add_test(tcase, a_self_signed_certificate_that_is_named_is_trusted);
    tcase_add_test(tcase, a_backend_s_own_certificate_is_trusted_without_its_ca);
    tcase_add_test(tcase, an_old_certificate_with_its_name_in_the_subject_alone_is_taken);
    tcase_add_loop_test(tcase, a_certificate_of_another_ca_is_refused, 0, 2);
    tcase_add_loop_test(tcase, a_certificate_whose_time_is_over_is_refused, 0, 2);
    tcase_add_test(tcase, a_certificate_whose_time_has_not_come_is_refused);
    tcase_add_test(tcase, a_certificate_for_clients_is_refused);
    tcase_add_loop_test(tcase, a_weak_certificate_is_refused, 0, 2);
    tcase_add_loop_test(tcase, a_forged_certificate_is_refused, 0, 2);
    tcase_add_test(tcase, a_backend_that_wants_a_certificate_says_so_in_the_handshake);
    tcase_add_test(tcase, with_tls_1_3_it_says_so_only_when_it_is_read);
    tcase_add_loop_test(tcase, lb_shows_its_certificate_to_a_backend_that_asks, 0, 2);
    tcase_add_test(tcase, a_backend_that_refuses_lb_s_certificate_is_told_apart);
    tcase_add_test(tcase, a_backend_that_speaks_http_is_told_apart);
    tcase_add_test(tcase, a_backend_that_speaks_another_http_is_told_apart);
    tcase_add_test(tcase, a_backend_that_leaves_in_the_handshake_is_told);
    tcase_add_test(tcase, a_backend_that_resets_in_the_handshake_is_told);
    tcase_add_test(tcase, connect_timeout_counts_the_handshake);
    tcase_add_test(tcase, a_link_that_shakes_hands_can_be_given_up);
    tcase_add_test(tcase, what_is_meant_for_tls_is_never_sent_without);
}

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, begin, end);
    add_handshake_tests(tcase);
    tcase_add_loop_test(tcase, an_idle_link_is_lent_for_the_name_it_was_verified_for, 0, 2);
    tcase_add_test(tcase, with_backend_name_an_idle_link_is_lent_for_every_name);
    tcase_add_test(tcase, names_that_nobody_asks_for_any_more_make_room);
    tcase_add_loop_test(tcase, what_tls_says_by_itself_does_not_end_an_idle_link, 0, 3);
    tcase_add_test(tcase, a_flood_of_new_keys_is_borne);
    tcase_add_test(tcase, what_tls_said_behind_an_answer_does_not_end_its_link);
    tcase_add_loop_test(
        tcase, an_idle_link_on_which_the_backend_speaks_or_which_it_closes_disappears, 0, 4);
    tcase_add_test(tcase, a_backend_cannot_have_hands_shaken_anew);
    tcase_add_loop_test(tcase, a_link_that_is_dropped_says_so, 0, 2);
    tcase_add_test(tcase, closing_waits_for_a_link_that_shakes_hands);
    tcase_add_loop_test(tcase, the_next_link_resumes_the_session_of_its_name, 0, 2);
    tcase_add_loop_test(tcase, a_backend_that_knows_the_session_no_more_gets_a_full_handshake, 0,
                        2);
    tcase_add_loop_test(tcase, a_session_that_led_to_a_failed_handshake_is_forgotten, 0, 2);
    tcase_add_loop_test(tcase, sessions_go_with_the_backends_that_are_not_retained, 0, 2);
    tcase_add_loop_test(tcase, a_backend_without_sessions_is_no_trouble, 0, 2);
}

CHECK_MAIN("link with TLS", add_tests)
