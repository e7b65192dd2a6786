/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/admin/admin_address.h"

#include <stdio.h>
#include <string.h>

#include "tests/support/check_main.h"
#include "tests/support/folder.h"

static struct arena arena;
static struct folder folder;
static struct error err;
static struct admin_address address;

static void begin(void)
{
    arena = (struct arena){0};
    err = (struct error){""};
    folder_make(&folder);
}

static void end(void)
{
    arena_done(&arena);
    folder_remove(&folder);
}

START_TEST(a_path_is_relative_to_the_folder)
{
    ck_assert(admin_address_parse(&address, "unix:var/admin.sock", "/etc/lb", &arena, &err));
    ck_assert(!address.is_off);
    ck_assert_str_eq(address.path, "/etc/lb/var/admin.sock");
    ck_assert(admin_address_parse(&address, "unix:/run/lb.sock", "/etc/lb", &arena, &err));
    ck_assert_str_eq(address.path, "/run/lb.sock");
}
END_TEST

START_TEST(tcp_is_a_host_and_a_port)
{
    static const struct {
        const char *text, *host, *written;
    } good[] = {
        {"127.0.0.1:9443", "127.0.0.1", "127.0.0.1:9443"},
        {"[::1]:9443", "::1", "[::1]:9443"},
        {"localhost:9443", "localhost", "127.0.0.1:9443"},
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        ck_assert(admin_address_parse(&address, good[i].text, "/etc/lb", &arena, &err));
        ck_assert(address.is_tcp);
        ck_assert_ptr_null(address.path);
        ck_assert_str_eq(address.host, good[i].host);
        ck_assert_str_eq(address.tcp.text, good[i].written);
    }
}
END_TEST

START_TEST(off_is_no_path)
{
    ck_assert(admin_address_parse(&address, "off", "/etc/lb", &arena, &err));
    ck_assert(address.is_off);
    ck_assert_ptr_null(address.path);
}
END_TEST

static const struct {
    const char *text;
    const char *complaint;
} bad[] = {
    {"127.0.0.1", "\"127.0.0.1\" is no address for [admin]: write unix:PATH"},
    {"127.0.0.1:0", "127.0.0.1:0: nobody can find port 0"},
    {"127.0.0.1:many", "\"many\" in \"127.0.0.1:many\" is no port"},
    {"::1:9443", "\"::1:9443\" is an IPv6 address without brackets"},
    {"https://127.0.0.1:9443", "is no address for [admin]: write unix:PATH"},
    {"var/admin.sock", "\"var/admin.sock\" is no address for [admin]: write unix:PATH"},
    {"on", "\"on\" is no address for [admin]"},
    {"unix:", "\"unix:\" names no file"},
    {"unix:var/", "\"unix:var/\" names no file"},
};

START_TEST(a_bad_address_is_refused_with_what_would_be_right)
{
    ck_assert(!admin_address_parse(&address, bad[_i].text, "/etc/lb", &arena, &err));
    ck_assert_msg(strstr(err.text, bad[_i].complaint), "%s", err.text);
}
END_TEST

START_TEST(a_path_that_is_too_long_is_told_its_length)
{
    char deep[121];
    memset(deep, 'x', sizeof deep);
    deep[0] = '/';
    deep[sizeof deep - 1] = '\0';
    ck_assert(!admin_address_parse(&address, "unix:a", deep, &arena, &err));
    ck_assert_msg(strstr(err.text, "has 122 bytes: the path of a socket may have 107"), "%s",
                  err.text);
}
END_TEST

static bool of_file(const char *text)
{
    folder_write(&folder, "lb.ini", text);
    return admin_address_of_file(&address, folder_file(&folder, "lb.ini"), &arena, &err);
}

static void expect_path(const char *name)
{
    ck_assert_msg(*err.text == '\0', "%s", err.text);
    ck_assert_str_eq(address.path, folder_file(&folder, name));
}

START_TEST(a_file_that_says_nothing_means_the_default)
{
    ck_assert(of_file(""));
    expect_path("var/admin.sock");
    ck_assert(of_file("[lb]\naddress = unix:wrong\n[admin]\naddress =\n"));
    expect_path("var/admin.sock");
}
END_TEST

START_TEST(what_else_is_wrong_with_the_file_does_not_matter)
{
    ck_assert(
        of_file("nonsense\n[pool app]\nbackend = what\n[rul x]\n[admin]\nadress = 1\n"
                "address = unix:here.sock\naddress = unix:there.sock\n[listener\nx = \x01\n"));
    expect_path("here.sock");
}
END_TEST

START_TEST(a_bad_address_is_told_with_its_line)
{
    char place[128];
    ck_assert(!of_file("[lb]\n[admin]\naddress = tcp\n"));
    snprintf(place, sizeof place, "%s:3: ", folder_file(&folder, "lb.ini"));
    ck_assert_msg(strncmp(err.text, place, strlen(place)) == 0, "%s", err.text);
}
END_TEST

START_TEST(a_file_that_is_not_there_is_told)
{
    ck_assert(!admin_address_of_file(&address, folder_file(&folder, "none"), &arena, &err));
    ck_assert_msg(strstr(err.text, "/none: cannot be opened: No such file"), "%s", err.text);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, a_path_is_relative_to_the_folder);
    tcase_add_test(tcase, tcp_is_a_host_and_a_port);
    tcase_add_test(tcase, off_is_no_path);
    tcase_add_loop_test(tcase, a_bad_address_is_refused_with_what_would_be_right, 0,
                        sizeof bad / sizeof *bad);
    tcase_add_test(tcase, a_path_that_is_too_long_is_told_its_length);
    tcase_add_test(tcase, a_file_that_says_nothing_means_the_default);
    tcase_add_test(tcase, what_else_is_wrong_with_the_file_does_not_matter);
    tcase_add_test(tcase, a_bad_address_is_told_with_its_line);
    tcase_add_test(tcase, a_file_that_is_not_there_is_told);
}

CHECK_MAIN("admin address", add_tests)
