/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/base/unix_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lb/base/error.h"
#include "tests/support/check_main.h"
#include "tests/support/folder.h"

static struct folder folder;
static struct unix_socket made;
static struct error err;

static void begin(void)
{
    folder_make(&folder);
    err = (struct error){""};
    made = (struct unix_socket){.fd = -1};
}

static void end(void)
{
    if (made.fd >= 0)
        close(made.fd);
    folder_remove(&folder);
}

static void open_at(const char *name)
{
    ck_assert_msg(unix_socket_open(&made, folder_file(&folder, name), &err), "%s", err.text);
}

static unsigned mode_of(const char *name)
{
    struct stat status;
    ck_assert_int_eq(lstat(folder_file(&folder, name), &status), 0);
    return (unsigned)status.st_mode & 07777;
}

static bool is_there(const char *name)
{
    return access(folder_file(&folder, name), F_OK) == 0;
}

/* As of a program that was killed. */
static void leave_behind(const char *name)
{
    open_at(name);
    close(made.fd);
    made.fd = -1;
    ck_assert(is_there(name));
}

static void expect_refusal(const char *name, const char *words)
{
    struct unix_socket other;
    ck_assert(!unix_socket_open(&other, folder_file(&folder, name), &err));
    ck_assert_int_eq(other.fd, -1);
    ck_assert_msg(strstr(err.text, words), "\"%s\" is not in \"%s\"", words, err.text);
}

START_TEST(file_and_folder_are_for_their_owner_alone_whatever_the_umask)
{
    mode_t before = umask(0);
    open_at("var/admin.sock");
    umask(before);
    ck_assert_uint_eq(mode_of("var/admin.sock"), 0600);
    ck_assert_uint_eq(mode_of("var"), 0700);
}
END_TEST

START_TEST(a_folder_that_is_there_stays_as_it_is)
{
    ck_assert_int_eq(mkdir(folder_file(&folder, "var"), 0750), 0);
    open_at("var/admin.sock");
    ck_assert_uint_eq(mode_of("var"), 0750);
}
END_TEST

START_TEST(who_connects_is_known)
{
    struct unix_peer peer;
    open_at("s");
    int fd = unix_socket_connect(folder_file(&folder, "s"), 1000);
    ck_assert_int_ge(fd, 0);
    int accepted = accept(made.fd, NULL, NULL);
    ck_assert_int_ge(accepted, 0);
    ck_assert(unix_socket_peer(accepted, &peer));
    ck_assert_uint_eq(peer.uid, geteuid());
    ck_assert_int_eq(peer.pid, getpid());
    close(accepted);
    close(fd);
}
END_TEST

START_TEST(nobody_is_known_on_other_sockets)
{
    struct unix_peer peer;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert(!unix_socket_peer(fd, &peer));
    ck_assert(!unix_socket_peer(-1, &peer));
    close(fd);
}
END_TEST

START_TEST(what_a_dead_program_left_behind_is_replaced)
{
    leave_behind("s");
    open_at("s");
    int fd = unix_socket_connect(folder_file(&folder, "s"), 1000);
    ck_assert_int_ge(fd, 0);
    close(fd);
}
END_TEST

START_TEST(the_file_of_a_living_program_is_left_alone)
{
    open_at("s");
    expect_refusal("s", "another program listens on ");
    ck_assert(is_there("s"));
}
END_TEST

START_TEST(a_program_whose_queue_is_full_is_alive)
{
    int fds[256];
    unsigned count = 0;
    open_at("s");
    struct stat before, after;
    ck_assert_int_eq(lstat(made.path, &before), 0);
    for (; count < 256; count++) { /* nobody accepts */
        fds[count] = unix_socket_connect(made.path, 50);
        if (fds[count] < 0)
            break;
    }
    ck_assert_uint_lt(count, 256);
    expect_refusal("s", "another program listens on ");
    ck_assert_int_eq(lstat(made.path, &after), 0);
    ck_assert_uint_eq(before.st_ino, after.st_ino);
    while (count > 0)
        close(fds[--count]);
}
END_TEST

START_TEST(what_is_no_socket_is_not_removed)
{
    folder_write(&folder, "precious", "text");
    expect_refusal("precious", "precious is there already and no socket: remove it or name");
    ck_assert(is_there("precious"));
}
END_TEST

START_TEST(a_link_to_a_dead_socket_is_not_followed)
{
    leave_behind("s");
    ck_assert_int_eq(symlink("s", folder_file(&folder, "link")), 0);
    expect_refusal("link", "link is there already and no socket");
    ck_assert(is_there("s"));
}
END_TEST

START_TEST(only_one_folder_is_made)
{
    expect_refusal("a/b/s", "cannot make the folder ");
    folder_write(&folder, "file", "");
    expect_refusal("file/s", "cannot open the folder ");
}
END_TEST

START_TEST(two_programs_that_begin_at_once_are_told_apart)
{
    leave_behind("s");
    int fd = open(folder.path, O_RDONLY | O_DIRECTORY);
    ck_assert_int_eq(flock(fd, LOCK_EX), 0);
    expect_refusal("s", "another program makes a socket there now");
    close(fd);
    open_at("s");
}
END_TEST

START_TEST(a_path_that_no_socket_can_have_is_refused_with_the_length_it_may_have)
{
    char path[256];
    memset(path, 'x', sizeof path);
    path[0] = '/';
    path[108] = '\0';
    ck_assert(!unix_socket_open(&made, path, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "has 108 bytes: the path of a socket may have 107"));
    ck_assert_int_eq(unix_socket_connect(path, 1000), -1);
    ck_assert_int_eq(errno, ENAMETOOLONG);
}
END_TEST

START_TEST(the_longest_path_works)
{
    char path[UNIX_SOCKET_PATH_BYTES];
    size_t used = strlen(folder.path);
    memset(path, 'x', sizeof path);
    memcpy(path, folder.path, used);
    path[used] = '/';
    path[sizeof path - 1] = '\0';
    ck_assert_msg(unix_socket_open(&made, path, &err), "%s", err.text);
    ck_assert_int_eq(access(path, F_OK), 0);
    int fd = unix_socket_connect(path, 1000);
    ck_assert_int_ge(fd, 0);
    close(fd);
}
END_TEST

START_TEST(the_file_goes_unless_it_is_another_ones)
{
    open_at("s");
    unix_socket_remove(&made);
    ck_assert(!is_there("s"));
    struct unix_socket first = made;
    open_at("s");
    unix_socket_remove(&first);
    ck_assert(is_there("s"));
    close(first.fd);
}
END_TEST

START_TEST(a_connect_says_why_it_failed)
{
    ck_assert_int_eq(unix_socket_connect(folder_file(&folder, "s"), 1000), -1);
    ck_assert_int_eq(errno, ENOENT);
    leave_behind("s");
    ck_assert_int_eq(unix_socket_connect(folder_file(&folder, "s"), 1000), -1);
    ck_assert_int_eq(errno, ECONNREFUSED);
}
END_TEST

START_TEST(who_never_answers_is_given_up)
{
    char byte;
    open_at("s");
    int fd = unix_socket_connect(folder_file(&folder, "s"), 20);
    ck_assert_int_eq(recv(fd, &byte, 1, 0), -1);
    ck_assert_int_eq(errno, EAGAIN);
    close(fd);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, file_and_folder_are_for_their_owner_alone_whatever_the_umask);
    tcase_add_test(tcase, a_folder_that_is_there_stays_as_it_is);
    tcase_add_test(tcase, who_connects_is_known);
    tcase_add_test(tcase, nobody_is_known_on_other_sockets);
    tcase_add_test(tcase, what_a_dead_program_left_behind_is_replaced);
    tcase_add_test(tcase, the_file_of_a_living_program_is_left_alone);
    tcase_add_test(tcase, a_program_whose_queue_is_full_is_alive);
    tcase_add_test(tcase, what_is_no_socket_is_not_removed);
    tcase_add_test(tcase, a_link_to_a_dead_socket_is_not_followed);
    tcase_add_test(tcase, only_one_folder_is_made);
    tcase_add_test(tcase, two_programs_that_begin_at_once_are_told_apart);
    tcase_add_test(tcase, a_path_that_no_socket_can_have_is_refused_with_the_length_it_may_have);
    tcase_add_test(tcase, the_longest_path_works);
    tcase_add_test(tcase, the_file_goes_unless_it_is_another_ones);
    tcase_add_test(tcase, a_connect_says_why_it_failed);
    tcase_add_test(tcase, who_never_answers_is_given_up);
}

CHECK_MAIN("unix socket", add_tests)
