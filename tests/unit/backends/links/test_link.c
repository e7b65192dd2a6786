/* SPDX-License-Identifier: Apache-2.0 */
/* Links on a real loop, towards sockets that this test listens on. Deadlines follow a clock of the
 * test's own. */
#include "backends/links/link.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/check_main.h"
#include "tests/support/made_pool.h"

static struct loop_context context;
static uv_loop_t loop;
static struct made_pool made;
static struct pool *pools[1];
static struct links *links;
static uint64_t now_ms;
static int listening; /* rs-1's */
static bool is_closed;

/* ---- a backend: a listening socket ---- */

static int listen_somewhere(int backlog, unsigned *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, length), 0);
    ck_assert_int_eq(listen(fd, backlog), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

static int accept_one(void)
{
    int fd = accept(listening, NULL, NULL);
    ck_assert_int_ge(fd, 0);
    return fd;
}

/* ---- a borrower that remembers what it was told ---- */

struct borrower {
    struct link_owner owner;
    struct link *link;
    unsigned told_count;
    enum link_outcome outcome;
    char reason[128];
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

/* Borrow; returns the pending link, or NULL when an idle one was lent at once. */
static struct link *borrow(struct borrower *borrower, bool fresh)
{
    struct link *pending = NULL;
    const struct link_wish wish = {.pool = &made.pool,
                                   .backend = &made.pool.backends[0],
                                   .owner = &borrower->owner,
                                   .fresh = fresh};
    borrower->link = link_borrow(links, &wish, &pending);
    return pending;
}

#define run_until(condition)                                                                       \
    while (!(condition))                                                                           \
    uv_run(&loop, UV_RUN_ONCE)

static void run_briefly(void)
{
    for (unsigned i = 0; i < 10; i++)
        uv_run(&loop, UV_RUN_NOWAIT);
}

static void connect_fresh(struct borrower *borrower)
{
    borrow(borrower, true);
    run_until(borrower->told_count);
    ck_assert_int_eq(borrower->outcome, LINK_READY);
    ck_assert_ptr_nonnull(borrower->link);
}

static unsigned idle_count(void)
{
    return links_idle_count(links, &made.pool.backends[0]);
}

/* ---- the stage ---- */

static uint64_t tell_now_ms(struct deadlines *deadlines)
{
    (void)deadlines;
    return now_ms;
}

static void begin_with(const char *idle_links, unsigned port)
{
    char value[64];
    made_pool_begin(&made);
    snprintf(value, sizeof value, "rs-1 127.0.0.1:%u", port);
    made_pool_key(&made, "backend", value);
    made_pool_key(&made, "idle_links", idle_links);
    ck_assert(made_pool_prepare(&made));
    pools[0] = &made.pool;
    uv_loop_init(&loop);
    loop_context_init(&context, &loop);
    now_ms = 1000;
    context.deadlines.now_ms = tell_now_ms;
    links = links_new(&context);
    ck_assert_ptr_nonnull(links);
    links_retain(links, pools, 1);
    is_closed = false;
}

static void begin(void)
{
    unsigned port;
    listening = listen_somewhere(16, &port);
    begin_with("2", port);
}

static void on_closed(void *arg)
{
    *(bool *)arg = true;
}

/* Everything must be gone by then: uv_loop_close says so. */
static void end(void)
{
    if (links)
        links_close(links, on_closed, &is_closed);
    links = NULL;
    run_until(is_closed);
    loop_context_close(&context);
    uv_run(&loop, UV_RUN_DEFAULT);
    loop_context_done(&context);
    ck_assert_int_eq(uv_loop_close(&loop), 0);
    made_pool_end(&made);
    close(listening);
}

/* ---- connecting ---- */

START_TEST(a_new_link_is_told_by_the_loop_not_inside_the_call)
{
    struct borrower borrower = BORROWER;
    struct link *pending = borrow(&borrower, false);
    ck_assert_ptr_nonnull(pending);
    ck_assert_ptr_null(borrower.link);
    ck_assert_uint_eq(borrower.told_count, 0);
    run_until(borrower.told_count);
    ck_assert_int_eq(borrower.outcome, LINK_READY);
    ck_assert_ptr_eq(borrower.link, pending);
    ck_assert_int_eq(borrower.link->state, LINK_LENT);
    ck_assert_uint_eq(borrower.link->exchanges, 0);
    link_discard(borrower.link);
}
END_TEST

START_TEST(a_lent_link_carries_bytes_and_wakes_its_borrower)
{
    struct borrower borrower = BORROWER;
    connect_fresh(&borrower);
    int fd = accept_one();
    struct iovec hello = {(char *)"hello", 5};
    ck_assert_int_eq(connection_write(&borrower.link->connection, &hello, 1), IO_DONE);
    char bytes[8];
    ck_assert_int_eq(read(fd, bytes, sizeof bytes), 5);
    ck_assert_int_eq(write(fd, "yes", 3), 3);
    run_until(borrower.events & CONNECTION_READABLE);
    size_t got;
    ck_assert_int_eq(connection_read(&borrower.link->connection, bytes, sizeof bytes, &got),
                     IO_DONE);
    ck_assert_uint_eq(got, 3);
    link_discard(borrower.link);
    close(fd);
}
END_TEST

START_TEST(a_connected_link_does_not_wake_for_writing_again_and_again)
{
    struct borrower borrower = BORROWER;
    connect_fresh(&borrower);
    run_briefly();
    ck_assert_int_eq(borrower.events, 0);
    link_discard(borrower.link);
}
END_TEST

START_TEST(a_backend_that_refuses_is_told_with_its_reason)
{
    struct borrower borrower = BORROWER;
    close(listening);
    listening = -1;
    borrow(&borrower, false);
    ck_assert_uint_eq(borrower.told_count, 0);
    run_until(borrower.told_count);
    ck_assert_int_eq(borrower.outcome, LINK_REFUSED);
    ck_assert_ptr_null(borrower.link);
    ck_assert_str_eq(borrower.reason, "Connection refused");
    run_briefly();
    ck_assert_uint_eq(borrower.told_count, 1);
}
END_TEST

/* Out of memory for sockets and the like is met at once, which must not be told inside the call
 * either. */
START_TEST(no_descriptor_left_is_no_room_told_by_the_loop)
{
    struct rlimit before;
    getrlimit(RLIMIT_NOFILE, &before);
    struct rlimit none = {.rlim_cur = 0, .rlim_max = before.rlim_max};
    struct borrower borrower = BORROWER;
    setrlimit(RLIMIT_NOFILE, &none);
    struct link *pending = borrow(&borrower, false);
    setrlimit(RLIMIT_NOFILE, &before);
    ck_assert_ptr_nonnull(pending);
    ck_assert_uint_eq(borrower.told_count, 0);
    run_until(borrower.told_count);
    ck_assert_int_eq(borrower.outcome, LINK_NO_ROOM);
    ck_assert_ptr_null(borrower.link);
}
END_TEST

START_TEST(a_wish_without_a_descriptor_can_be_given_up)
{
    struct rlimit before;
    getrlimit(RLIMIT_NOFILE, &before);
    struct rlimit none = {.rlim_cur = 0, .rlim_max = before.rlim_max};
    struct borrower borrower = BORROWER;
    setrlimit(RLIMIT_NOFILE, &none);
    struct link *pending = borrow(&borrower, false);
    setrlimit(RLIMIT_NOFILE, &before);
    link_discard(pending);
    run_briefly();
    ck_assert_uint_eq(borrower.told_count, 0);
}
END_TEST

START_TEST(a_connecting_link_can_be_given_up)
{
    struct borrower borrower = BORROWER;
    link_discard(borrow(&borrower, false));
    run_briefly();
    ck_assert_uint_eq(borrower.told_count, 0);
}
END_TEST

static struct borrower second = BORROWER;

static void on_refused_try_again(struct link_owner *owner, struct link *link,
                                 enum link_outcome outcome, const char *reason)
{
    on_connected(owner, link, outcome, reason);
    borrow(&second, true);
    ck_assert_uint_eq(second.told_count, 0);
}

START_TEST(a_refused_borrower_may_borrow_again_at_once)
{
    struct borrower borrower = BORROWER;
    borrower.owner.on_connected = on_refused_try_again;
    close(listening);
    listening = -1;
    borrow(&borrower, false);
    run_until(second.told_count);
    ck_assert_int_eq(second.outcome, LINK_REFUSED);
}
END_TEST

static void on_refused_wish_again(struct link_owner *owner, struct link *link,
                                  enum link_outcome outcome, const char *reason)
{
    on_connected(owner, link, outcome, reason);
    ck_assert_msg(LIST_OWNER(owner, struct borrower, owner)->told_count < 1000,
                  "the loop never comes to anything else");
    borrow(LIST_OWNER(owner, struct borrower, owner), true);
}

START_TEST(a_borrower_that_wishes_without_end_does_not_keep_the_loop)
{
    struct rlimit before;
    getrlimit(RLIMIT_NOFILE, &before);
    struct rlimit none = {.rlim_cur = 0, .rlim_max = before.rlim_max};
    struct borrower borrower = BORROWER;
    borrower.owner.on_connected = on_refused_wish_again;
    setrlimit(RLIMIT_NOFILE, &none);
    borrow(&borrower, false);
    while (borrower.told_count < 3) {
        unsigned told = borrower.told_count;
        uv_run(&loop, UV_RUN_ONCE);
        /* One turn of UV_RUN_ONCE looks at the timers before it polls, and once more behind it. */
        ck_assert_uint_le(borrower.told_count - told, 2);
    }
    setrlimit(RLIMIT_NOFILE, &before);
    /* The wish that is still open belongs to this function. */
    borrower.owner.on_connected = on_connected;
    unsigned told = borrower.told_count;
    run_until(borrower.told_count > told);
}
END_TEST

/* ---- too late ---- */

enum { FILLER_COUNT = 4 };

/* With the queue of a listening socket full, Linux drops what asks for a connection: it stays
 * undecided. */
static void begin_full(int *fillers)
{
    unsigned port;
    listening = listen_somewhere(0, &port);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr = {htonl(INADDR_LOOPBACK)},
                                  .sin_port = htons((in_port_t)port)};
    for (unsigned i = 0; i < FILLER_COUNT; i++) {
        fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        connect(fillers[i], (struct sockaddr *)&address, sizeof address);
    }
    begin_with("2", port);
}

START_TEST(a_backend_that_does_not_accept_is_late_after_connect_timeout)
{
    int fillers[FILLER_COUNT];
    begin_full(fillers);
    struct borrower borrower = BORROWER;
    borrow(&borrower, false);
    run_briefly();
    ck_assert_uint_eq(borrower.told_count, 0);
    now_ms += 3999;
    deadlines_run(&context.deadlines);
    ck_assert_uint_eq(borrower.told_count, 0);
    now_ms += 1;
    deadlines_run(&context.deadlines);
    ck_assert_uint_eq(borrower.told_count, 1);
    ck_assert_int_eq(borrower.outcome, LINK_LATE);
    ck_assert_ptr_null(borrower.link);
    ck_assert_str_eq(borrower.reason, "no connection within 4000ms");
    end();
    for (unsigned i = 0; i < FILLER_COUNT; i++)
        close(fillers[i]);
}
END_TEST

START_TEST(a_link_that_is_connected_has_no_deadline_any_more)
{
    struct borrower borrower = BORROWER;
    connect_fresh(&borrower);
    now_ms += 60000;
    deadlines_run(&context.deadlines);
    ck_assert_uint_eq(borrower.told_count, 1);
    ck_assert_int_eq(borrower.link->state, LINK_LENT);
    link_discard(borrower.link);
}
END_TEST

/* ---- idle ---- */

START_TEST(a_returned_link_is_lent_again_at_once)
{
    struct borrower borrower = BORROWER;
    connect_fresh(&borrower);
    struct link *link = borrower.link;
    link_return(link);
    ck_assert_uint_eq(idle_count(), 1);
    struct borrower next = BORROWER;
    ck_assert_ptr_null(borrow(&next, false));
    ck_assert_ptr_eq(next.link, link);
    ck_assert_uint_eq(link->exchanges, 1);
    ck_assert_uint_eq(idle_count(), 0);
    ck_assert_uint_eq(next.told_count, 0);
    link_discard(link);
}
END_TEST

START_TEST(the_link_used_last_is_lent_first)
{
    struct borrower one = BORROWER;
    struct borrower other = BORROWER;
    connect_fresh(&one);
    connect_fresh(&other);
    struct link *first = one.link;
    struct link *last = other.link;
    link_return(first);
    link_return(last);
    borrow(&one, false);
    borrow(&other, false);
    ck_assert_ptr_eq(one.link, last);
    ck_assert_ptr_eq(other.link, first);
    link_discard(first);
    link_discard(last);
}
END_TEST

START_TEST(who_asks_for_a_fresh_link_gets_no_idle_one)
{
    struct borrower borrower = BORROWER;
    connect_fresh(&borrower);
    link_return(borrower.link);
    struct borrower next = BORROWER;
    struct link *pending = borrow(&next, true);
    ck_assert_ptr_nonnull(pending);
    ck_assert_uint_eq(idle_count(), 1);
    link_discard(pending);
}
END_TEST

START_TEST(no_more_than_idle_links_are_kept)
{
    struct borrower borrowers[3] = {BORROWER, BORROWER, BORROWER};
    for (unsigned i = 0; i < 3; i++)
        connect_fresh(&borrowers[i]);
    for (unsigned i = 0; i < 3; i++)
        link_return(borrowers[i].link);
    ck_assert_uint_eq(idle_count(), 2);
}
END_TEST

START_TEST(idle_links_0_keeps_none)
{
    unsigned port;
    listening = listen_somewhere(16, &port);
    begin_with("0", port);
    struct borrower borrower = BORROWER;
    connect_fresh(&borrower);
    link_return(borrower.link);
    ck_assert_uint_eq(idle_count(), 0);
    end();
}
END_TEST

START_TEST(an_idle_link_that_the_backend_closes_disappears)
{
    struct borrower borrower = BORROWER;
    connect_fresh(&borrower);
    int fd = accept_one();
    link_return(borrower.link);
    run_briefly();
    ck_assert_uint_eq(idle_count(), 1);
    close(fd);
    run_until(idle_count() == 0);
    ck_assert_int_eq(borrower.events, 0);
    ck_assert_ptr_nonnull(borrow(&borrower, false));
    run_until(borrower.told_count == 2);
    link_discard(borrower.link);
}
END_TEST

START_TEST(an_idle_link_on_which_the_backend_speaks_disappears)
{
    struct borrower borrower = BORROWER;
    connect_fresh(&borrower);
    int fd = accept_one();
    link_return(borrower.link);
    ck_assert_int_eq(write(fd, "HTTP/1.1 408 Late\r\n\r\n", 21), 21);
    run_until(idle_count() == 0);
    ck_assert_int_eq(borrower.events, 0);
    char byte;
    ck_assert_int_le(read(fd, &byte, 1), 0);
    close(fd);
}
END_TEST

START_TEST(an_idle_link_that_is_reset_disappears)
{
    struct borrower borrower = BORROWER;
    connect_fresh(&borrower);
    int fd = accept_one();
    link_return(borrower.link);
    struct linger reset = {.l_onoff = 1};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(fd);
    run_until(idle_count() == 0);
    ck_assert_int_eq(borrower.events, 0);
}
END_TEST

START_TEST(a_link_with_unsent_bytes_is_not_kept)
{
    struct borrower borrower = BORROWER;
    connect_fresh(&borrower);
    static char many[256 * 1024];
    struct iovec piece = {many, sizeof many};
    while (connection_pending(&borrower.link->connection) == 0)
        ck_assert_int_ne(connection_write(&borrower.link->connection, &piece, 1), IO_FAILED);
    link_return(borrower.link);
    ck_assert_uint_eq(idle_count(), 0);
}
END_TEST

START_TEST(a_link_whose_backend_has_ended_is_not_kept)
{
    struct borrower borrower = BORROWER;
    connect_fresh(&borrower);
    close(accept_one());
    run_until(borrower.events & CONNECTION_READABLE);
    char byte;
    size_t got;
    ck_assert_int_eq(connection_read(&borrower.link->connection, &byte, 1, &got), IO_END);
    link_return(borrower.link);
    ck_assert_uint_eq(idle_count(), 0);
}
END_TEST

START_TEST(a_link_that_waited_for_nothing_waits_for_the_backend_when_idle)
{
    struct borrower borrower = BORROWER;
    connect_fresh(&borrower);
    int fd = accept_one();
    connection_want_read(&borrower.link->connection, false);
    link_return(borrower.link);
    close(fd);
    run_until(idle_count() == 0);
}
END_TEST

/* ---- ending ---- */

START_TEST(closing_waits_for_lent_links_and_closes_idle_ones)
{
    struct borrower lent = BORROWER;
    struct borrower idle = BORROWER;
    connect_fresh(&lent);
    connect_fresh(&idle);
    link_return(idle.link);
    links_close(links, on_closed, &is_closed);
    run_briefly();
    ck_assert(!is_closed);
    ck_assert_uint_eq(idle_count(), 0);
    link_return(lent.link);
    ck_assert(!is_closed);
    links = NULL;
    run_until(is_closed);
}
END_TEST

START_TEST(closing_nothing_is_told_by_the_loop)
{
    links_close(links, on_closed, &is_closed);
    links = NULL;
    ck_assert(!is_closed);
    run_until(is_closed);
}
END_TEST

START_TEST(nothing_is_lent_while_closing)
{
    struct borrower lent = BORROWER;
    struct borrower late = BORROWER;
    connect_fresh(&lent);
    links_close(links, on_closed, &is_closed);
    borrow(&late, false);
    run_until(late.told_count);
    ck_assert_int_eq(late.outcome, LINK_NO_ROOM);
    link_discard(lent.link);
    links = NULL;
    run_until(is_closed);
}
END_TEST

START_TEST(outcomes_have_names)
{
    ck_assert_str_eq(link_outcome_name(LINK_READY), "ready");
    ck_assert_str_eq(link_outcome_name(LINK_REFUSED), "refused");
    ck_assert_str_eq(link_outcome_name(LINK_DECLINED), "declined");
    ck_assert_str_eq(link_outcome_name(LINK_UNVERIFIED), "unverified");
    ck_assert_str_eq(link_outcome_name(LINK_LATE), "late");
    ck_assert_str_eq(link_outcome_name(LINK_NO_ROOM), "no room");
}
END_TEST

static void expect_blame(const struct pool *pool, bool of_handshakes)
{
    ck_assert(!link_outcome_blames(LINK_READY, pool));
    ck_assert(!link_outcome_blames(LINK_NO_ROOM, pool));
    ck_assert(link_outcome_blames(LINK_REFUSED, pool));
    ck_assert(link_outcome_blames(LINK_LATE, pool));
    ck_assert_int_eq(link_outcome_blames(LINK_DECLINED, pool), of_handshakes);
    ck_assert_int_eq(link_outcome_blames(LINK_UNVERIFIED, pool), of_handshakes);
}

START_TEST(handshakes_speak_against_a_backend_only_where_lb_chose_the_name)
{
    struct pool_options options = {0};
    const struct pool pool = {.options = &options};
    expect_blame(&pool, false);
    options.backend_name = "rs.example.com";
    expect_blame(&pool, true);
}
END_TEST

static void add_staged_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, a_new_link_is_told_by_the_loop_not_inside_the_call);
    tcase_add_test(tcase, a_lent_link_carries_bytes_and_wakes_its_borrower);
    tcase_add_test(tcase, a_connected_link_does_not_wake_for_writing_again_and_again);
    tcase_add_test(tcase, a_backend_that_refuses_is_told_with_its_reason);
    tcase_add_test(tcase, no_descriptor_left_is_no_room_told_by_the_loop);
    tcase_add_test(tcase, a_wish_without_a_descriptor_can_be_given_up);
    tcase_add_test(tcase, a_connecting_link_can_be_given_up);
    tcase_add_test(tcase, a_refused_borrower_may_borrow_again_at_once);
    tcase_add_test(tcase, a_borrower_that_wishes_without_end_does_not_keep_the_loop);
    tcase_add_test(tcase, a_link_that_is_connected_has_no_deadline_any_more);
    tcase_add_test(tcase, a_returned_link_is_lent_again_at_once);
    tcase_add_test(tcase, the_link_used_last_is_lent_first);
    tcase_add_test(tcase, who_asks_for_a_fresh_link_gets_no_idle_one);
    tcase_add_test(tcase, no_more_than_idle_links_are_kept);
    tcase_add_test(tcase, an_idle_link_that_the_backend_closes_disappears);
    tcase_add_test(tcase, an_idle_link_on_which_the_backend_speaks_disappears);
    tcase_add_test(tcase, an_idle_link_that_is_reset_disappears);
    tcase_add_test(tcase, a_link_with_unsent_bytes_is_not_kept);
    tcase_add_test(tcase, a_link_whose_backend_has_ended_is_not_kept);
    tcase_add_test(tcase, a_link_that_waited_for_nothing_waits_for_the_backend_when_idle);
    tcase_add_test(tcase, closing_waits_for_lent_links_and_closes_idle_ones);
    tcase_add_test(tcase, closing_nothing_is_told_by_the_loop);
    tcase_add_test(tcase, nothing_is_lent_while_closing);
}

/* Those that need a stage of their own. */
static void add_tests(TCase *tcase)
{
    tcase_add_test(tcase, a_backend_that_does_not_accept_is_late_after_connect_timeout);
    tcase_add_test(tcase, idle_links_0_keeps_none);
    tcase_add_test(tcase, outcomes_have_names);
    tcase_add_test(tcase, handshakes_speak_against_a_backend_only_where_lb_chose_the_name);
}

int main(void)
{
    int staged = check_run("link", add_staged_tests, CHECK_TIMEOUT_S);
    int others = check_run("link without a stage", add_tests, CHECK_TIMEOUT_S);
    return staged == EXIT_SUCCESS ? others : staged;
}
