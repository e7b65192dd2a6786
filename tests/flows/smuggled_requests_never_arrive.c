/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What RFC 9112 calls invalid, or what two parsers could read differently, is answered 400 and
 * never forwarded, the same however its bytes are cut into segments: whole, in two at every
 * position, byte by byte. tests/cases/smuggling.txt has the requests.
 */
#include <linux/sockios.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "tests/support/cases.h"
#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/house.h"

enum { SHARDS = 8 };

/* The house has a second rule, so that a path could choose between two. */
static const char admin_rule[] = "\n[rule admin]\nlistener = web\nurl = /admin\npool = app\n";

static void let_arrive(const struct peer *peer)
{
    int unacknowledged = 0;
    eventually(ioctl(peer->fd, SIOCOUTQ, &unacknowledged) == 0 && unacknowledged == 0);
}

/* Sends what goes: lb may have closed after the bytes that were enough to judge. */
static void send_cut(struct peer *peer, const struct text *bytes, size_t first, size_t step)
{
    size_t sent = first;
    bool taken = peer_send(peer, bytes->bytes, first);
    while (taken && sent < bytes->length) {
        let_arrive(peer);
        size_t length = bytes->length - sent < step ? bytes->length - sent : step;
        taken = peer_send(peer, bytes->bytes + sent, length);
        sent += length;
    }
}

/* Pages may well speak of HTTP/1.1, but not with a status behind it. */
static unsigned answer_count(const char *bytes)
{
    return text_count(bytes, "HTTP/1.1 2") + text_count(bytes, "HTTP/1.1 4") +
           text_count(bytes, "HTTP/1.1 5");
}

static void check_cut(struct house *house, const struct test_case *test, size_t first, size_t step)
{
    struct peer peer;
    char where[8];
    unsigned wanted;
    ck_assert_int_eq(sscanf(test->title, "%u %7[a-z]:", &wanted, where), 2);
    unsigned before = atomic_load(&house->backend.requests);
    house_enter(house, &peer);
    send_cut(&peer, &test->bytes, first, step);
    /* The end of what the client has to say: a request that is never complete must not wait for
     * more. */
    peer_receive_all(&peer);
    unsigned status = 0;
    int found = sscanf(peer.inbox.bytes, "HTTP/1.1 %u", &status);
    ck_assert_msg(found == 1 && status == wanted, "%s, cut at %zu/%zu: %s", test->title, first,
                  step, peer.inbox.bytes);
    ck_assert_msg(answer_count(peer.inbox.bytes) == 1, "%s, cut at %zu/%zu: %s", test->title, first,
                  step, peer.inbox.bytes);
    unsigned served = atomic_load(&house->backend.requests) - before;
    ck_assert_msg(served == (strcmp(where, "fine") == 0), "%s, cut at %zu/%zu: %u requests arrived",
                  test->title, first, step, served);
    peer_close(&peer);
}

static void check_heard(struct house *house, const struct test_case *test, unsigned links_before)
{
    char *heard = stub_heard(&house->backend);
    ck_assert_msg(strstr(heard, "/smuggled") == NULL, "%s: %s", test->title, heard);
    if (strstr(test->title, " head: ") != NULL)
        ck_assert_msg(atomic_load(&house->backend.connections) == links_before, "%s: %s",
                      test->title, heard);
    free(heard);
}

static void check_case(struct house *house, const struct test_case *test)
{
    unsigned links_before = atomic_load(&house->backend.connections);
    check_cut(house, test, test->bytes.length, 1);
    check_cut(house, test, 1, 1);
    for (size_t first = 1; first < test->bytes.length; first++)
        check_cut(house, test, first, test->bytes.length);
    check_heard(house, test, links_before);
}

START_TEST(however_it_is_cut_it_gets_its_answer_and_the_connection_ends)
{
    struct house house;
    struct cases cases;
    cases_read(&cases, "smuggling.txt");
    house_open(&house, &(struct house_plan){.rule = admin_rule});
    for (unsigned i = (unsigned)_i; i < cases.count; i += SHARDS)
        check_case(&house, &cases.list[i]);
    house_close(&house);
    cases_done(&cases);
}
END_TEST

START_TEST(a_good_request_before_a_bad_one_is_answered_and_the_bad_one_ends_the_connection)
{
    struct house house;
    struct cases cases;
    cases_read(&cases, "smuggling.txt");
    house_open(&house, &(struct house_plan){.rule = admin_rule});
    for (unsigned i = 0; i < cases.count; i++) {
        struct peer peer;
        struct text both = {0};
        unsigned wanted = (unsigned)strtoul(cases.list[i].title, NULL, 10);
        text_add_format(&both, "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n");
        text_add(&both, cases.list[i].bytes.bytes, cases.list[i].bytes.length);
        house_enter(&house, &peer);
        peer_send(&peer, both.bytes, both.length);
        struct answer answer;
        ck_assert(peer_read_answer(&peer, "GET", &answer));
        ck_assert_msg(answer.status == 200, "%s: %u", cases.list[i].title, answer.status);
        answer_done(&answer);
        ck_assert(peer_read_answer(&peer, "GET", &answer));
        ck_assert_msg(answer.status == wanted, "%s: %u", cases.list[i].title, answer.status);
        answer_done(&answer);
        peer_receive_all(&peer);
        ck_assert_msg(peer.inbox.length == 0, "%s: %s", cases.list[i].title, peer.inbox.bytes);
        peer_close(&peer);
        text_done(&both);
    }
    char *heard = stub_heard(&house.backend);
    ck_assert_ptr_null(strstr(heard, "/smuggled"));
    free(heard);
    house_close(&house);
    cases_done(&cases);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, however_it_is_cut_it_gets_its_answer_and_the_connection_ends, 0,
                        SHARDS);
    tcase_add_test(tcase,
                   a_good_request_before_a_bad_one_is_answered_and_the_bad_one_ends_the_connection);
}

int main(void)
{
    /* Some ten thousand connections. */
    return check_run("smuggled requests never arrive", add_tests, 240);
}
