/* SPDX-License-Identifier: Apache-2.0 */
/* Who is closed when the registry changes its mind or a certificate ends. Clients are socket pairs
 * with an identity put on them; both clocks are the test's. */
#include "listeners/inspection.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lb/base/log.h"
#include "listeners/client.h"
#include "listeners/registry/view.h"
#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/tls_stage.h"

enum { FILLERS_MOST = 10000 };

static struct stage stage; /* for its CA sets */
static struct made *ca;
static struct policy policy;
static uv_loop_t loop;
static struct loop_context context;
static struct clients clients;
static struct listener_options options;
static struct listener listener;
static struct hold hold;
static struct door door;
static struct view *view;
static uint64_t now_ms;
static time_t wall_s;
static unsigned gone_count;
static unsigned begun_count;
static unsigned abandoned_count;
static char last_why[64];
static struct client *fillers;
static unsigned filler_count;

/* --- a roof -------------------------------------------------------------------------------- */

static void on_begin(void *roof, struct stream *stream, const struct http_request *request)
{
    (void)roof;
    (void)request;
    begun_count++;
    stream->exchange = stream; /* it never answers */
}

static void on_advance(struct stream *stream, int events)
{
    (void)stream;
    (void)events;
}

static void on_abandon(struct stream *stream, unsigned status, const char *why)
{
    (void)stream;
    (void)status;
    abandoned_count++;
    snprintf(last_why, sizeof last_why, "%s", why);
}

static void on_answered(void *roof, struct stream *stream, unsigned status, const char *why)
{
    (void)roof;
    (void)stream;
    (void)status;
    (void)why;
}

static void on_gone(void *roof, struct client *client)
{
    (void)roof;
    (void)client;
    gone_count++;
}

static const struct stream_events events = {on_begin, on_advance, on_abandon, on_answered, on_gone};

/* --- time ---------------------------------------------------------------------------------- */

static uint64_t fake_now_ms(struct deadlines *deadlines)
{
    (void)deadlines;
    return now_ms;
}

static time_t fake_wall(void *argument)
{
    (void)argument;
    return wall_s;
}

static void turn(void)
{
    uv_run(&loop, UV_RUN_NOWAIT);
}

static void pass_ms(uint64_t ms)
{
    now_ms += ms;
    deadlines_run(&context.deadlines);
    turn();
}

/* The wall clock goes on, too, and every deadline on the way is met. */
static void pass_s(unsigned seconds)
{
    for (unsigned i = 0; i < 4 * seconds; i++) {
        if (i % 4 == 0)
            wall_s++;
        pass_ms(250);
    }
}

/* --- life ---------------------------------------------------------------------------------- */

static void begin(void)
{
    stage_open(&stage);
    ca = made_ca("Client CA");
    const struct client_auth rule = {.mode = AUTH_REQUIRE,
                                     .ca_set = stage_ca_set(&stage, ca, NULL),
                                     .refuse_with = REFUSE_403,
                                     .registration = REGISTRATION_OFF};
    const struct client_auth *rules[] = {&rule};
    ck_assert_int_eq(policy_make(&policy, rules, 1), POLICY_FINE);
    view = view_new();
    now_ms = 1000000;
    wall_s = time(NULL);
    gone_count = begun_count = abandoned_count = 0;
    uv_loop_init(&loop);
    loop_context_init(&context, &loop);
    context.deadlines.now_ms = fake_now_ms;
    option_defaults(&listener_option_table, &options, &stage.arena);
    options.header_timeout = options.keepalive_timeout = UINT32_MAX;
    listener = (struct listener){.name = "web", .options = &options, .view = view};
    hold = (struct hold){.users = 1};
    door = (struct door){.listener = &listener, .hold = &hold};
    clients_init(&clients, &context, &events, NULL);
    clients.inspection.now = fake_wall;
    filler_count = 0;
    fillers = calloc(FILLERS_MOST, sizeof *fillers);
}

static void end(void)
{
    for (unsigned i = 0; i < filler_count; i++)
        if (fillers[i].node.next != &fillers[i].node)
            clients_forget(&fillers[i]);
    clients_close_all(&clients);
    loop_context_close(&context);
    uv_run(&loop, UV_RUN_DEFAULT);
    ck_assert_uint_eq(clients.count, 0);
    ck_assert(list_is_empty(&clients.walks));
    ck_assert_uint_eq(context.buffers.lent_count, 0);
    loop_context_done(&context);
    ck_assert_int_eq(uv_loop_close(&loop), 0);
    view_free(view);
    policy_done(&policy);
    made_free(ca);
    stage_close(&stage);
    free(fillers);
}

/* --- clients ------------------------------------------------------------------------------- */

static struct identity *identify(const struct made *made)
{
    unsigned char hash[32] = {0};
    STACK_OF(X509) *chain = X509_chain_up_ref(made->chain);
    X509_up_ref(made->certificate);
    sk_X509_unshift(chain, made->certificate);
    struct identity *identity = identity_new(&policy, chain, hash, wall_s);
    ck_assert_ptr_nonnull(identity);
    sk_X509_pop_free(chain, X509_free);
    return identity;
}

/* Its own end is *ret_peer. identity: taken; NULL: it shows none. */
static struct client *come(struct identity *identity, int *ret_peer)
{
    struct address from = {.text = "192.0.2.1:5"};
    int ends[2];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    ck_assert(client_accept(&clients, &door, ends[0], &from, 443, 1));
    struct client *client = LIST_OWNER(clients.all.prev, struct client, node);
    client->handshake.identity = identity;
    inspection_add(&clients.inspection, client); /* as after a handshake */
    *ret_peer = ends[1];
    return client;
}

static struct identity *somebody(const char *name)
{
    struct made *made = made_client(ca, name);
    struct identity *identity = identify(made);
    made_free(made);
    return identity;
}

/* until_s: from now on. */
static struct identity *until(int64_t until_s)
{
    struct made *made = made_certificate(&(struct certificate_wish){
        .name = "late", .issuer = ca, .usage = "clientAuth", .until_s = until_s});
    struct identity *identity = identify(made);
    made_free(made);
    return identity;
}

static void put(const struct identity *identity, enum certificate_status status)
{
    struct certificate_row row = {.status = status, .client_id = ""};
    memcpy(row.key, identity->key, sizeof row.key);
    memcpy(row.tbs, identity->tbs, sizeof row.tbs);
    ck_assert(view_put(view, &row));
}

static bool is_open(int peer)
{
    char byte;
    turn();
    return recv(peer, &byte, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

/* Clients without a certificate, that only take their turn. */
static void fill(unsigned count)
{
    filler_count = count;
    for (unsigned i = 0; i < count; i++) {
        fillers[i] = (struct client){.clients = &clients, .state = CLIENT_SERVING, .door = &door};
        clients_add(&fillers[i]);
    }
}

/* --- the registry -------------------------------------------------------------------------- */

START_TEST(whom_the_registry_objects_to_is_closed_and_others_stay)
{
    static const enum certificate_status bad[] = {CERTIFICATE_REVOKED, CERTIFICATE_NOT_ACTIVATED,
                                                  CERTIFICATE_REGISTERED, CERTIFICATE_DELETED};
    struct identity *alice = somebody("alice");
    struct identity *bob = somebody("bob");
    int alices[2], bobs, strangers;
    put(alice, CERTIFICATE_ACTIVATED);
    put(bob, CERTIFICATE_ACTIVATED);
    come(identity_ref(alice), &alices[0]);
    come(bob, &bobs);
    come(NULL, &strangers);
    come(identity_ref(alice), &alices[1]);
    inspection_ask(&clients.inspection);
    ck_assert(is_open(alices[0]));
    put(alice, bad[_i]);
    pass_ms(INSPECTION_PAUSE_MS);
    inspection_ask(&clients.inspection);
    ck_assert(!is_open(alices[0]));
    ck_assert(!is_open(alices[1]));
    ck_assert(is_open(bobs));
    ck_assert(is_open(strangers));
    ck_assert_uint_eq(gone_count, 2);
    identity_unref(alice);
    close(alices[0]);
    close(alices[1]);
    close(bobs);
    close(strangers);
}
END_TEST

START_TEST(a_request_in_flight_is_abandoned)
{
    static const char request[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    struct identity *alice = somebody("alice");
    int peer;
    come(alice, &peer);
    ck_assert_int_gt(send(peer, request, strlen(request), MSG_NOSIGNAL), 0);
    while (begun_count == 0)
        turn();
    put(alice, CERTIFICATE_REVOKED);
    inspection_ask(&clients.inspection);
    ck_assert_uint_eq(abandoned_count, 1);
    ck_assert_str_eq(last_why, "its certificate may not pass any more");
    ck_assert(!is_open(peer));
    close(peer);
}
END_TEST

START_TEST(who_leaves_politely_is_closed_at_once)
{
    struct identity *alice = somebody("alice");
    int peer;
    struct client *client = come(alice, &peer);
    client_end(client);
    turn();
    ck_assert_uint_eq(gone_count, 0);
    put(alice, CERTIFICATE_REVOKED);
    inspection_ask(&clients.inspection);
    turn();
    ck_assert_uint_eq(gone_count, 1);
    close(peer);
}
END_TEST

START_TEST(who_still_shakes_hands_is_left_to_the_handshake)
{
    struct identity *alice = somebody("alice");
    int peer;
    struct client *client = come(alice, &peer);
    client->shaking = &hold;
    hold_take(&hold);
    put(alice, CERTIFICATE_REVOKED);
    inspection_ask(&clients.inspection);
    ck_assert(is_open(peer));
    close(peer);
}
END_TEST

START_TEST(who_signs_up_is_left_to_the_answer_of_his_request)
{
    struct identity *alice = somebody("alice");
    int peer;
    struct client *client = come(alice, &peer);
    client->signup = (struct signup *)&peer; /* nobody looks behind it */
    put(alice, CERTIFICATE_REGISTERED);
    inspection_ask(&clients.inspection);
    ck_assert(is_open(peer));
    client->signup = NULL;
    close(peer);
}
END_TEST

START_TEST(the_log_says_who_was_closed_and_why)
{
    struct error err;
    struct identity *alice = somebody("alice");
    int peer;
    ck_assert(log_open(folder_file(&stage.folder, "log"), LOG_LEVEL_INFO, &err));
    come(alice, &peer);
    put(alice, CERTIFICATE_REVOKED);
    inspection_ask(&clients.inspection);
    turn();
    log_close();
    char *log = folder_read(&stage.folder, "log");
    ck_assert_msg(strstr(log, "client.closed"), "%s", log);
    ck_assert_msg(strstr(log, "revoked"), "%s", log);
    ck_assert_msg(strstr(log, "CN=alice"), "%s", log);
    free(log);
    close(peer);
}
END_TEST

/* --- walks --------------------------------------------------------------------------------- */

START_TEST(a_walk_goes_in_slices_and_meets_everybody)
{
    struct identity *alice = somebody("alice");
    int peer;
    fill(FILLERS_MOST);
    come(alice, &peer);
    put(alice, CERTIFICATE_REVOKED);
    inspection_ask(&clients.inspection);
    ck_assert(clients.inspection.is_walking);
    ck_assert(is_open(peer));
    clients_forget(LIST_OWNER(clients.inspection.walk.next, struct client, node));
    for (unsigned i = 0; i < FILLERS_MOST && clients.inspection.is_walking; i++)
        pass_ms(1);
    ck_assert(!clients.inspection.is_walking);
    ck_assert(!is_open(peer));
    close(peer);
}
END_TEST

START_TEST(what_changes_behind_a_walk_begins_another)
{
    struct identity *alice = somebody("alice");
    int peer;
    come(alice, &peer);
    fill(FILLERS_MOST);
    inspection_ask(&clients.inspection);
    ck_assert(clients.inspection.is_walking);
    put(alice, CERTIFICATE_REVOKED);
    inspection_ask(&clients.inspection);
    ck_assert(is_open(peer));
    for (unsigned i = 0; i <= 2 * INSPECTION_PAUSE_MS; i++)
        pass_ms(1);
    ck_assert(!is_open(peer));
    close(peer);
}
END_TEST

START_TEST(a_row_of_changes_is_one_walk_after_a_pause)
{
    struct identity *alice = somebody("alice");
    int peer;
    come(alice, &peer);
    inspection_ask(&clients.inspection);
    put(alice, CERTIFICATE_REVOKED);
    inspection_ask(&clients.inspection);
    inspection_ask(&clients.inspection);
    pass_ms(INSPECTION_PAUSE_MS - 1);
    ck_assert(is_open(peer));
    pass_ms(1);
    ck_assert(!is_open(peer));
    close(peer);
}
END_TEST

/* --- ends ---------------------------------------------------------------------------------- */

START_TEST(who_has_ended_is_closed_within_a_second)
{
    int ending, other;
    come(until(10), &ending);
    come(until(100), &other);
    pass_s(9);
    ck_assert(is_open(ending));
    pass_s(2);
    ck_assert(!is_open(ending));
    ck_assert(is_open(other));
    pass_s(90);
    ck_assert(!is_open(other));
    ck_assert(!clients.inspection.tick.armed);
    close(ending);
    close(other);
}
END_TEST

START_TEST(ends_far_away_cost_no_walk)
{
    int peer;
    come(until(1000), &peer);
    pass_s(900);
    ck_assert(!clients.inspection.has_walked);
    close(peer);
}
END_TEST

START_TEST(who_was_never_verified_does_not_end)
{
    int peer;
    struct made *other_ca = made_ca("Other CA");
    struct made *stranger = made_certificate(
        &(struct certificate_wish){.name = "stranger", .issuer = other_ca, .until_s = 10});
    struct identity *identity = identify(stranger);
    ck_assert_int_eq(inspection_end_of(identity), 0);
    come(identity, &peer);
    ck_assert(!clients.inspection.tick.armed);
    pass_s(20);
    ck_assert(is_open(peer));
    made_free(stranger);
    made_free(other_ca);
    close(peer);
}
END_TEST

START_TEST(a_clock_that_is_set_is_believed)
{
    int ending, other;
    come(until(3600), &ending);
    come(until(10), &other);
    wall_s -= 1000;
    pass_s(20);
    ck_assert(is_open(other));
    wall_s += 4600;
    pass_s(1);
    ck_assert(!is_open(ending));
    ck_assert(!is_open(other));
    close(ending);
    close(other);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_loop_test(tcase, whom_the_registry_objects_to_is_closed_and_others_stay, 0, 4);
    tcase_add_test(tcase, a_request_in_flight_is_abandoned);
    tcase_add_test(tcase, who_leaves_politely_is_closed_at_once);
    tcase_add_test(tcase, who_still_shakes_hands_is_left_to_the_handshake);
    tcase_add_test(tcase, who_signs_up_is_left_to_the_answer_of_his_request);
    tcase_add_test(tcase, the_log_says_who_was_closed_and_why);
    tcase_add_test(tcase, a_walk_goes_in_slices_and_meets_everybody);
    tcase_add_test(tcase, what_changes_behind_a_walk_begins_another);
    tcase_add_test(tcase, a_row_of_changes_is_one_walk_after_a_pause);
    tcase_add_test(tcase, who_has_ended_is_closed_within_a_second);
    tcase_add_test(tcase, ends_far_away_cost_no_walk);
    tcase_add_test(tcase, who_was_never_verified_does_not_end);
    tcase_add_test(tcase, a_clock_that_is_set_is_believed);
}

CHECK_MAIN("inspection", add_tests)
