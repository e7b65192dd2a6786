/* SPDX-License-Identifier: Apache-2.0 */
/* The key as configs meet it: asked for only where a pool wants cookies, and the same ever after.
 */
#include "lb/keys/persistence_key.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backends/persistence/pool_persistence.h"
#include "lb/config/config.h"
#include "tests/support/check_main.h"
#include "tests/support/folder.h"

static struct folder folder;
static struct persistence_key key;
static struct config *config;
static struct error err;

static void begin(void)
{
    folder_make(&folder);
    key = (struct persistence_key){0};
    err = (struct error){""};
    config = NULL;
}

static void end(void)
{
    config_free(config);
    persistence_key_done(&key);
    folder_remove(&folder);
}

/* In the place of the one before. */
static void load_config(const char *pool_keys)
{
    struct problems problems = {0};
    char ini[1024];
    snprintf(ini, sizeof ini,
             "[lb]\nstate_dir = state/\n"
             "[listener web]\naddress = 127.0.0.1:8080\nprotocol = http\n"
             "[rule all]\nlistener = web\npool = app\n"
             "[rule other]\nlistener = web\nurl = /other\npool = other\n"
             "[pool app]\nbackend = rs-1 127.0.0.1:9001\n%s"
             "[pool other]\nbackend = rs-1 127.0.0.1:9001\n",
             pool_keys);
    folder_write(&folder, "lb.ini", ini);
    config_free(config);
    config = config_load(folder_file(&folder, "lb.ini"), &problems);
    ck_assert_msg(config != NULL, "%s", problems.count ? problems.items[0].text : "");
    problems_done(&problems);
}

static const char wished[] = "session_persistence = cookie\n";

static bool is_there(const char *name)
{
    struct stat status;
    return stat(folder_file(&folder, name), &status) == 0;
}

START_TEST(without_cookies_nothing_is_made)
{
    load_config("");
    ck_assert(persistence_key_load(&key, config, &err));
    ck_assert(!is_there("state"));
    ck_assert(!key.is_loaded);
    load_config("session_persistence = client-certificate\n");
    ck_assert(persistence_key_load(&key, config, &err));
    ck_assert(!is_there("state"));
}
END_TEST

START_TEST(pools_that_want_cookies_get_the_key_and_others_do_not)
{
    load_config(wished);
    ck_assert_msg(persistence_key_load(&key, config, &err), "%s", err.text);
    ck_assert(is_there("state/persistence.key"));
    ck_assert_ptr_nonnull(config->pools[0]->persistence);
    ck_assert_ptr_null(config->pools[1]->persistence);
}
END_TEST

static void write_token(char *token)
{
    const struct pool *pool = config->pools[0];
    ck_assert(pool_persistence_token(pool, &pool->backends[0], 1000, token));
}

START_TEST(a_restart_reads_it_again)
{
    char before[PERSISTENCE_TOKEN_CHARS], after[PERSISTENCE_TOKEN_CHARS];
    load_config(wished);
    ck_assert(persistence_key_load(&key, config, &err));
    write_token(before);
    persistence_key_done(&key);
    load_config(wished);
    ck_assert(persistence_key_load(&key, config, &err));
    write_token(after);
    ck_assert_mem_eq(before, after, sizeof before);
}
END_TEST

START_TEST(a_reload_does_not_ask_the_disk_again)
{
    char before[PERSISTENCE_TOKEN_CHARS], after[PERSISTENCE_TOKEN_CHARS];
    load_config(wished);
    ck_assert(persistence_key_load(&key, config, &err));
    write_token(before);
    ck_assert_int_eq(unlink(folder_file(&folder, "state/persistence.key")), 0);
    load_config(wished);
    ck_assert(persistence_key_load(&key, config, &err));
    write_token(after);
    ck_assert_mem_eq(before, after, sizeof before);
    ck_assert(!is_there("state/persistence.key"));
}
END_TEST

START_TEST(a_reload_loads_it_when_cookies_are_new)
{
    load_config("");
    ck_assert(persistence_key_load(&key, config, &err));
    load_config(wished);
    ck_assert(persistence_key_load(&key, config, &err));
    ck_assert(key.is_loaded);
    ck_assert_ptr_nonnull(config->pools[0]->persistence);
}
END_TEST

START_TEST(a_key_that_others_may_read_is_said_and_given_to_nobody)
{
    load_config(wished);
    ck_assert(persistence_key_load(&key, config, &err));
    persistence_key_done(&key);
    ck_assert_int_eq(chmod(folder_file(&folder, "state/persistence.key"), 0644), 0);
    load_config(wished);
    ck_assert(!persistence_key_load(&key, config, &err));
    ck_assert_msg(strstr(err.text, "/state/persistence.key may be read or written by others"), "%s",
                  err.text);
    ck_assert_ptr_null(config->pools[0]->persistence);
}
END_TEST

START_TEST(a_key_that_is_done_is_gone_from_memory)
{
    static const unsigned char zeros[PERSISTENCE_KEY_BYTES] = {0};
    load_config(wished);
    ck_assert(persistence_key_load(&key, config, &err));
    ck_assert_mem_ne(key.bytes, zeros, sizeof zeros);
    persistence_key_done(&key);
    ck_assert_mem_eq(key.bytes, zeros, sizeof zeros);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, without_cookies_nothing_is_made);
    tcase_add_test(tcase, pools_that_want_cookies_get_the_key_and_others_do_not);
    tcase_add_test(tcase, a_restart_reads_it_again);
    tcase_add_test(tcase, a_reload_does_not_ask_the_disk_again);
    tcase_add_test(tcase, a_reload_loads_it_when_cookies_are_new);
    tcase_add_test(tcase, a_key_that_others_may_read_is_said_and_given_to_nobody);
    tcase_add_test(tcase, a_key_that_is_done_is_gone_from_memory);
}

CHECK_MAIN("persistence key", add_tests)
