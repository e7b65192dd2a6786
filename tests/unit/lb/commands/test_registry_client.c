/* SPDX-License-Identifier: Apache-2.0 */
/* Who is asked: the running lb, and the store only where nobody listens. */
#include "lb/commands/registry_client.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lb/base/unix_socket.h"
#include "lb/commands/arguments.h"
#include "lb/commands/commands.h"
#include "lb/commands/registry_settings.h"
#include "tests/support/check_main.h"
#include "tests/support/folder.h"
#include "tests/support/text.h"

static struct folder folder;
static struct arguments arguments;
static struct registry_client client;
static struct admin_reply reply;
static struct error err;
static struct unix_socket listening;
static struct text heard;

static void begin(void)
{
    folder_make(&folder);
    ck_assert_int_eq(chdir(folder.path), 0);
    arguments = (struct arguments){.config_file = "lb.ini"};
    reply = (struct admin_reply){0};
    heard = (struct text){0};
    listening = (struct unix_socket){.fd = -1};
}

static void end(void)
{
    json_decref(reply.json);
    registry_client_done(&client);
    text_done(&heard);
    if (listening.fd >= 0)
        close(listening.fd);
    ck_assert_int_eq(chdir("/"), 0);
    folder_remove(&folder);
}

static void open_client(const char *ini)
{
    folder_write(&folder, "lb.ini", ini);
    ck_assert_int_eq(registry_client_open(&client, "ca list", &arguments), COMMAND_DONE);
}

static bool ask(const char *method, const char *path, const json_t *body)
{
    json_decref(reply.json);
    reply = (struct admin_reply){0};
    return registry_client_ask(&client, method, path, body, &reply, &err);
}

static bool is_there(const char *file)
{
    return access(folder_file(&folder, file), F_OK) == 0;
}

START_TEST(keys_that_a_command_has_are_in_no_core_file)
{
    struct rlimit core;
    ck_assert_int_eq(getrlimit(RLIMIT_CORE, &core), 0);
    core.rlim_cur = core.rlim_max;
    ck_assert_int_eq(setrlimit(RLIMIT_CORE, &core), 0);
    open_client("[lb]\n");
    ck_assert_int_eq(getrlimit(RLIMIT_CORE, &core), 0);
    ck_assert_uint_eq(core.rlim_cur, 0);
    ck_assert_int_eq(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
}
END_TEST

/* --- without lb ----------------------------------------------------------------------------- */

START_TEST(where_nobody_listens_the_store_is_asked)
{
    open_client("[lb]\nstate_dir = state\n");
    ck_assert_msg(ask("GET", "/v1/cas", NULL), "%s", err.text);
    ck_assert_uint_eq(reply.status, 200);
    ck_assert_uint_eq(json_array_size(json_object_get(reply.json, "cas")), 0);
    ck_assert(!is_there("state/registry.db"));
}
END_TEST

START_TEST(what_was_left_by_an_lb_that_fell_is_nobody)
{
    open_client("[admin]\naddress = unix:s\n");
    ck_assert(unix_socket_open(&listening, folder_file(&folder, "s"), &err));
    close(listening.fd);
    listening.fd = -1;
    ck_assert_msg(ask("GET", "/v1/cas", NULL), "%s", err.text);
    ck_assert_uint_eq(reply.status, 200);
}
END_TEST

START_TEST(where_lb_cannot_be_asked_at_all_the_store_is)
{
    open_client("[admin]\naddress = off\n[registry]\nstore = sqlite:here.db\n");
    json_t *body = json_pack("{s:s}", "common_name", "test");
    ck_assert_msg(ask("POST", "/v1/cas/builtin", body), "%s", err.text);
    json_decref(body);
    ck_assert_uint_eq(reply.status, 201);
    ck_assert(is_there("here.db"));
    ck_assert(ask("GET", "/v1/audit", NULL));
    const json_t *change = json_array_get(json_object_get(reply.json, "changes"), 0);
    char who[64];
    snprintf(who, sizeof who, "uid %u (pid %d), without lb", getuid(), getpid());
    ck_assert_str_eq(json_string_value(json_object_get(change, "who")), who);
}
END_TEST

START_TEST(a_socket_by_its_name_has_no_store)
{
    arguments = (struct arguments){.admin = "unix:s"};
    ck_assert_int_eq(registry_client_open(&client, "ca list", &arguments), COMMAND_DONE);
    ck_assert(!ask("GET", "/v1/cas", NULL));
    ck_assert_ptr_nonnull(strstr(err.text, "is it running?"));
}
END_TEST

/* An INI file that lb would not start with is no reason not to revoke. */
START_TEST(a_broken_file_stands_in_the_way_of_hosts_only)
{
    open_client(
        "[listener web]\ncertificate = none.crt\nnonsense = 1\n[lb]\nuser = nobody-there\n");
    ck_assert_msg(ask("GET", "/v1/certificates", NULL), "%s", err.text);
    ck_assert_uint_eq(reply.status, 200);
    json_t *body = json_pack("{s:[s]}", "hosts", "a.example");
    ck_assert(!ask("POST", "/v1/cas/corp/hosts", body));
    ck_assert_ptr_nonnull(strstr(err.text, "lb.ini has errors"));
    ck_assert(!ask("DELETE", "/v1/cas/corp", NULL));
    ck_assert_msg(ask("DELETE", "/v1/cas/corp/hosts", body), "%s", err.text);
    ck_assert_uint_eq(reply.status, 404);
    json_decref(body);
}
END_TEST

START_TEST(a_mistake_in_registry_is_told)
{
    open_client("[lb]\n[registry]\nstroe = sqlite:other.db\n");
    ck_assert(!ask("GET", "/v1/cas", NULL));
    ck_assert_msg(strstr(err.text, "lb.ini:3: ") && strstr(err.text, "store"), "%s", err.text);
}
END_TEST

START_TEST(settings_are_those_of_the_file)
{
    struct registry_facts facts;
    char *user;
    folder_write(&folder, "lb.ini",
                 "[registry]\nstore = sqlite:a/b.db\nmax_cas = 3\n"
                 "signups_per_second = 7\nexpiring_within = 2d\n"
                 "ca_passphrase_file = p\n[lb]\nstate_dir = s\nuser = somebody\n");
    ck_assert_msg(registry_settings_read(&facts, &user, "lb.ini", &err), "%s", err.text);
    ck_assert_str_eq(facts.location + strlen("sqlite:"), folder_file(&folder, "a/b.db"));
    ck_assert_str_eq(facts.state_dir, folder_file(&folder, "s"));
    ck_assert_str_eq(facts.passphrase_file, folder_file(&folder, "p"));
    ck_assert_uint_eq(facts.max_cas, 3);
    ck_assert_uint_eq(facts.signups_per_second, 7);
    ck_assert_uint_eq(facts.expiring_within_s, 2 * 24 * 60 * 60);
    ck_assert_str_eq(user, "somebody");
    free(user);
    registry_facts_done(&facts);
    ck_assert(!registry_settings_read(&facts, &user, "none.ini", &err));
    ck_assert_ptr_null(user);
    registry_facts_done(&facts);
}
END_TEST

/* --- with somebody there -------------------------------------------------------------------- */

/* Takes one call and answers with this. */
static void *serve(void *arg)
{
    struct pollfd somebody = {.fd = listening.fd, .events = POLLIN};
    char piece[4096];
    poll(&somebody, 1, -1);
    int fd = accept(listening.fd, NULL, NULL);
    while (!heard.bytes || !strstr(heard.bytes, "}")) {
        ssize_t got = recv(fd, piece, sizeof piece, 0);
        if (got <= 0)
            break;
        text_add(&heard, piece, (size_t)got);
    }
    const char *answer = arg;
    send(fd, answer, strlen(answer), MSG_NOSIGNAL);
    close(fd);
    return NULL;
}

static bool ask_one_that_says(char *answer)
{
    pthread_t thread;
    json_t *body = json_pack("{s:s}", "common_name", "test");
    open_client("[admin]\naddress = unix:s\n");
    ck_assert(unix_socket_open(&listening, folder_file(&folder, "s"), &err));
    ck_assert_int_eq(pthread_create(&thread, NULL, serve, answer), 0);
    bool good = ask("POST", "/v1/cas/builtin", body);
    pthread_join(thread, NULL);
    json_decref(body);
    return good;
}

START_TEST(the_running_lb_is_asked_with_the_body)
{
    static char answer[] = "HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}";
    ck_assert_msg(ask_one_that_says(answer), "%s", err.text);
    ck_assert_uint_eq(reply.status, 201);
    ck_assert_ptr_nonnull(strstr(heard.bytes, "POST /v1/cas/builtin HTTP/1.1\r\n"));
    ck_assert_ptr_nonnull(strstr(heard.bytes, "\r\nContent-Length: 22\r\n"));
    ck_assert_ptr_nonnull(strstr(heard.bytes, "\r\n\r\n{\"common_name\":\"test\"}"));
    ck_assert(!is_there("var"));
}
END_TEST

START_TEST(a_refusal_is_not_gone_around)
{
    static char answer[] = "HTTP/1.1 403 Forbidden\r\nContent-Length: 44\r\n\r\n"
                           "{\"error\":{\"reason\":\"forbidden\",\"text\":\"no\"}}";
    ck_assert_msg(ask_one_that_says(answer), "%s", err.text);
    ck_assert_uint_eq(reply.status, 403);
    ck_assert(!is_there("var"));
}
END_TEST

START_TEST(an_lb_that_falls_meanwhile_is_not_gone_around)
{
    static char answer[] = "";
    ck_assert(!ask_one_that_says(answer));
    ck_assert_ptr_nonnull(strstr(err.text, "lb ended before it answered"));
    ck_assert(!is_there("var"));
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, keys_that_a_command_has_are_in_no_core_file);
    tcase_add_test(tcase, where_nobody_listens_the_store_is_asked);
    tcase_add_test(tcase, what_was_left_by_an_lb_that_fell_is_nobody);
    tcase_add_test(tcase, where_lb_cannot_be_asked_at_all_the_store_is);
    tcase_add_test(tcase, a_socket_by_its_name_has_no_store);
    tcase_add_test(tcase, a_broken_file_stands_in_the_way_of_hosts_only);
    tcase_add_test(tcase, a_mistake_in_registry_is_told);
    tcase_add_test(tcase, settings_are_those_of_the_file);
    tcase_add_test(tcase, the_running_lb_is_asked_with_the_body);
    tcase_add_test(tcase, a_refusal_is_not_gone_around);
    tcase_add_test(tcase, an_lb_that_falls_meanwhile_is_not_gone_around);
}

CHECK_MAIN("registry client", add_tests)
