/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/base/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "lb/base/error.h"
#include "tests/support/check_main.h"

static const struct {
    const char *text;
    const char *said; /* as logs write it */
    const char *host;
    unsigned port;
} good[] = {
    {"127.0.0.1:8081", "127.0.0.1:8081", "127.0.0.1", 8081},
    {"0.0.0.0:0", "0.0.0.0:0", "0.0.0.0", 0},
    {"255.255.255.255:65535", "255.255.255.255:65535", "255.255.255.255", 65535},
    {"localhost:80", "127.0.0.1:80", "127.0.0.1", 80},
    {"[::1]:8443", "[::1]:8443", "::1", 8443},
    {"[::]:1", "[::]:1", "::", 1},
    {"[2001:DB8:0:0:0:0:0:1]:443", "[2001:db8::1]:443", "2001:db8::1", 443},
    {"[::ffff:192.0.2.7]:90", "192.0.2.7:90", "192.0.2.7", 90},
    {"[fe80::1%1]:5", "[fe80::1%1]:5", "fe80::1%1", 5},
};

START_TEST(an_address_is_read_and_written_for_logs)
{
    struct address address;
    struct error err = {""};
    char host[48];
    ck_assert_msg(address_parse(&address, good[_i].text, &err), "%s", err.text);
    ck_assert_str_eq(address.text, good[_i].said);
    ck_assert_uint_eq(address_port(&address), good[_i].port);
    address_host(&address, host, sizeof host);
    ck_assert_str_eq(host, good[_i].host);
}
END_TEST

static const struct {
    const char *text;
    const char *complaint;
} bad[] = {
    {"", "an address is missing: write 127.0.0.1:8443"},
    {"127.0.0.1", "127.0.0.1 has no port: write 127.0.0.1:8443"},
    {"[::1]", "[::1] has no port: write [::1]:8443"},
    {"::1", "\"::1\" is an IPv6 address without brackets: write [::1]:8443"},
    {"::1:80", "\"::1:80\" is an IPv6 address without brackets: write [::1]:8443"},
    {"[::1:80", "\"[::1:80\" lacks the closing bracket: write [::1]:8443"},
    {"[::1]80", "\"[::1]80\" goes on behind the bracket: write [::1]:8443"},
    {":80", "\":80\" has no host: write 0.0.0.0:PORT or [::]:PORT for all"},
    {"[]:80", "\"[]:80\" has no host: write 0.0.0.0:PORT or [::]:PORT for all"},
    {"127.0.0.1:", "\"\" in \"127.0.0.1:\" is no port: write a number from 1 to 65535"},
    {"127.0.0.1:65536",
     "\"65536\" in \"127.0.0.1:65536\" is no port: write a number from 1 to 65535"},
    {"127.0.0.1:http", "\"http\" in \"127.0.0.1:http\" is no port: write a number from 1 to 65535"},
    {"127.0.0.1:+8", "\"+8\" in \"127.0.0.1:+8\" is no port: write a number from 1 to 65535"},
    {"127.0.0.1:000080",
     "\"000080\" in \"127.0.0.1:000080\" is no port: write a number from 1 to 65535"},
    {"[127.0.0.1]:80", "\"127.0.0.1\" is no IPv6 address: write [::1]:8443"},
    {"[example]:80", "\"example\" is no IPv6 address: write [::1]:8443"},
};

START_TEST(a_bad_address_is_refused_with_what_would_be_right)
{
    struct address address;
    struct error err = {""};
    ck_assert(!address_parse(&address, bad[_i].text, &err));
    ck_assert_str_eq(err.text, bad[_i].complaint);
}
END_TEST

START_TEST(a_name_nobody_knows_is_refused)
{
    struct address address;
    struct error err = {""};
    ck_assert(!address_parse(&address, "no-such-host.invalid:80", &err));
    ck_assert_ptr_nonnull(strstr(err.text, "\"no-such-host.invalid\" is neither an address nor"));
    char text[400];
    memset(text, 'a', sizeof text);
    memcpy(text + sizeof text - 4, ":80", 4);
    ck_assert(!address_parse(&address, text, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "too long"));
}
END_TEST

START_TEST(equal_means_family_host_and_port)
{
    struct address one;
    struct address other;
    ck_assert(address_parse(&one, "127.0.0.1:80", NULL));
    ck_assert(address_parse(&other, "[::ffff:127.0.0.1]:80", NULL));
    ck_assert(address_equal(&one, &other));
    ck_assert(address_parse(&other, "127.0.0.1:81", NULL));
    ck_assert(!address_equal(&one, &other));
    ck_assert(address_parse(&other, "[::1]:80", NULL));
    ck_assert(!address_equal(&one, &other));
    ck_assert(address_parse(&one, "[::1]:80", NULL));
    ck_assert(address_equal(&one, &other));
    ck_assert(address_parse(&one, "[::2]:80", NULL));
    ck_assert(!address_equal(&one, &other));
}
END_TEST

START_TEST(a_unix_peer_has_a_name_for_logs_and_no_port)
{
    struct sockaddr_un from = {.sun_family = AF_UNIX};
    struct address address;
    char host[48];
    address_set(&address, (const struct sockaddr *)&from, sizeof from);
    ck_assert_str_eq(address.text, "unix");
    ck_assert_uint_eq(address_port(&address), 0);
    address_host(&address, host, sizeof host);
    ck_assert_str_eq(host, "unix");
}
END_TEST

static int option_of(int fd, int level, int option)
{
    int value = -1;
    socklen_t length = sizeof value;
    ck_assert_int_eq(getsockopt(fd, level, option, &value, &length), 0);
    return value;
}

static void assert_fast_and_private(int fd)
{
    ck_assert(fcntl(fd, F_GETFL) & O_NONBLOCK);
    ck_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    ck_assert_int_ne(option_of(fd, IPPROTO_TCP, TCP_NODELAY), 0);
}

static void wait_for(int fd, short events)
{
    struct pollfd ready = {.fd = fd, .events = events};
    ck_assert_int_eq(poll(&ready, 1, 20000), 1);
}

/* Listen on a free port of `text`, and tell the address it became. */
static int listen_on(const char *text, struct address *bound)
{
    struct error err = {""};
    struct sockaddr_storage name;
    socklen_t length = sizeof name;
    ck_assert(address_parse(bound, text, &err));
    int listening = socket_listen(bound, 16, &err);
    ck_assert_msg(listening >= 0, "%s", err.text);
    ck_assert_int_eq(getsockname(listening, (struct sockaddr *)&name, &length), 0);
    address_set(bound, (const struct sockaddr *)&name, length);
    return listening;
}

/* Some machines have no IPv6; there is nothing to prove there. */
static bool has_ipv6(void)
{
    struct sockaddr_in6 loopback = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool bound = fd >= 0 && bind(fd, (struct sockaddr *)&loopback, sizeof loopback) == 0;
    if (fd >= 0)
        close(fd);
    return bound;
}

START_TEST(listening_connecting_and_accepting_meet)
{
    if (_i == 1 && !has_ipv6())
        return;
    static const char *const hosts[] = {"127.0.0.1:0", "[::1]:0"};
    struct address bound;
    struct address peer;
    struct sockaddr_storage name;
    socklen_t length = sizeof name;
    int listening = listen_on(hosts[_i], &bound);
    errno = 0;
    ck_assert_int_eq(socket_accept(listening, &peer), -1);
    ck_assert_int_eq(errno, EAGAIN);
    int connecting = socket_connect(&bound);
    ck_assert_int_ge(connecting, 0);
    wait_for(connecting, POLLOUT);
    ck_assert_int_eq(socket_connect_result(connecting), 0);
    wait_for(listening, POLLIN);
    int accepted = socket_accept(listening, &peer);
    ck_assert_int_ge(accepted, 0);
    ck_assert_int_eq(getsockname(connecting, (struct sockaddr *)&name, &length), 0);
    struct address own;
    address_set(&own, (const struct sockaddr *)&name, length);
    ck_assert_str_eq(peer.text, own.text);
    assert_fast_and_private(listening);
    assert_fast_and_private(connecting);
    assert_fast_and_private(accepted);
    close(accepted);
    close(connecting);
    close(listening);
}
END_TEST

START_TEST(workers_listen_beside_each_other_on_both_families)
{
    struct address bound;
    struct error err = {""};
    int first = listen_on("0.0.0.0:0", &bound);
    int second = socket_listen(&bound, 16, &err);
    ck_assert_msg(second >= 0, "%s", err.text);
    char text[32];
    snprintf(text, sizeof text, "[::]:%u", address_port(&bound));
    if (has_ipv6())
        close(listen_on(text, &bound)); /* IPv6 alone: it does not take IPv4's place */
    close(first);
    close(second);
}
END_TEST

START_TEST(what_cannot_be_bound_is_said_with_advice)
{
    struct address bound;
    struct error err = {""};
    int taken = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0); /* without SO_REUSEPORT */
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof any;
    ck_assert_int_eq(bind(taken, (struct sockaddr *)&any, length), 0);
    ck_assert_int_eq(listen(taken, 1), 0);
    ck_assert_int_eq(getsockname(taken, (struct sockaddr *)&any, &length), 0);
    address_set(&bound, (struct sockaddr *)&any, length);
    ck_assert_int_eq(socket_listen(&bound, 1, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, bound.text));
    ck_assert_ptr_nonnull(strstr(err.text, "another program listens there"));
    ck_assert(address_parse(&bound, "192.0.2.1:8443", &err));
    ck_assert_int_eq(socket_listen(&bound, 1, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "cannot listen on 192.0.2.1:8443"));
    ck_assert_ptr_nonnull(strstr(err.text, "no interface of this machine has that address"));
    close(taken);
}
END_TEST

/* In the place of the C library's: who listens, if only for a moment, may be found by clients. */
static unsigned listens;

int listen(int fd, int backlog)
{
    listens++;
    return (int)syscall(SYS_listen, fd, backlog);
}

START_TEST(whether_an_address_is_free_is_found_out_without_listening)
{
    struct address bound;
    struct error err = {""};
    int listening = listen_on("127.0.0.1:0", &bound);
    listens = 0;
    ck_assert(!socket_is_free(&bound, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "another program listens there"));
    close(listening);
    ck_assert_msg(socket_is_free(&bound, &err), "%s", err.text);
    ck_assert_uint_eq(listens, 0);
}
END_TEST

START_TEST(a_refused_connect_tells_so_when_it_is_decided)
{
    struct address bound;
    close(listen_on("127.0.0.1:0", &bound));
    int fd = socket_connect(&bound);
    int failure = errno;
    if (fd >= 0) {
        wait_for(fd, POLLOUT);
        failure = socket_connect_result(fd);
        close(fd);
    }
    ck_assert_int_eq(failure, ECONNREFUSED);
    ck_assert_int_eq(socket_connect_result(-1), EBADF);
}
END_TEST

START_TEST(a_shortage_is_ours_and_a_refusal_is_theirs)
{
    static const int ours[] = {EMFILE, ENFILE, ENOBUFS, ENOMEM, EADDRNOTAVAIL};
    static const int theirs[] = {0, ECONNREFUSED, ECONNRESET, ETIMEDOUT, EHOSTUNREACH, EPIPE};
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        ck_assert_msg(socket_is_shortage(ours[i]), "%s", strerror(ours[i]));
    for (size_t i = 0; i < sizeof theirs / sizeof *theirs; i++)
        ck_assert_msg(!socket_is_shortage(theirs[i]), "%s", strerror(theirs[i]));
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, an_address_is_read_and_written_for_logs, 0,
                        sizeof good / sizeof good[0]);
    tcase_add_loop_test(tcase, a_bad_address_is_refused_with_what_would_be_right, 0,
                        sizeof bad / sizeof bad[0]);
    tcase_add_test(tcase, a_name_nobody_knows_is_refused);
    tcase_add_test(tcase, equal_means_family_host_and_port);
    tcase_add_test(tcase, a_unix_peer_has_a_name_for_logs_and_no_port);
    tcase_add_loop_test(tcase, listening_connecting_and_accepting_meet, 0, 2);
    tcase_add_test(tcase, workers_listen_beside_each_other_on_both_families);
    tcase_add_test(tcase, what_cannot_be_bound_is_said_with_advice);
    tcase_add_test(tcase, whether_an_address_is_free_is_found_out_without_listening);
    tcase_add_test(tcase, a_refused_connect_tells_so_when_it_is_decided);
    tcase_add_test(tcase, a_shortage_is_ours_and_a_refusal_is_theirs);
}

CHECK_MAIN("socket", add_tests)
