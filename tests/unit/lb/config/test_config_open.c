/* SPDX-License-Identifier: Apache-2.0 */
/* What goes on from one config to the next, by name, in whatever order the file has it now. */
#include <stdlib.h>
#include <string.h>

#include "backends/standing.h"
#include "lb/config/config.h"
#include "tests/support/check_main.h"
#include "tests/support/folder.h"
#include "tests/support/text.h"

static struct config *open_config(const struct folder *folder, const char *pools,
                                  struct roster *roster, const struct config *before)
{
    struct text text = {0};
    struct problems problems = {0};
    text_add_format(&text, "[listener web]\naddress = 127.0.0.1:8080\nprotocol = http\n\n");
    for (const char *at = pools; *at; at++)
        text_add_format(&text,
                        "[rule r%c]\nlistener = web\nurl = /%c\npool = %c\n\n"
                        "[pool %c]\nhealth_check = off\nbackend = rs-1 127.0.0.1:81\n\n",
                        *at, *at, *at, *at);
    text_add(&text, "", 1);
    folder_write(folder, "lb.ini", text.bytes);
    struct config *config = config_load(folder_file(folder, "lb.ini"), &problems);
    ck_assert_msg(config != NULL, "%s", problems.count ? problems.items[0].text : "");
    ck_assert(config_open(config, roster, &(struct listener_services){0}, before));
    problems_done(&problems);
    text_done(&text);
    return config;
}

static struct pool *pool_of(const struct config *config, char name)
{
    for (unsigned i = 0; i < config->pool_count; i++)
        if (config->pools[i]->name[0] == name)
            return config->pools[i];
    ck_abort_msg("no pool %c", name);
}

/* Each pool's turn is its letter; those that were not there begin with none. */
static void check_turns(const char *before, const char *after)
{
    struct folder folder;
    folder_make(&folder);
    struct roster *roster = roster_new();
    struct config *first = open_config(&folder, before, roster, NULL);
    for (const char *at = before; *at; at++)
        atomic_store(&pool_of(first, *at)->turn, (unsigned char)*at);
    struct config *second = open_config(&folder, after, roster, first);
    for (const char *at = after; *at; at++)
        ck_assert_msg(atomic_load(&pool_of(second, *at)->turn) ==
                          (strchr(before, *at) ? (unsigned char)*at : 0),
                      "pool %c from %s to %s", *at, before, after);
    config_free(second);
    config_free(first);
    roster_free(roster);
    folder_remove(&folder);
}

START_TEST(pools_go_on_with_their_turns_wherever_they_stand)
{
    check_turns("abcdef", "abcdef");
    check_turns("abcdef", "xabycdefz");
    check_turns("abcdef", "bdf");
    check_turns("abcdef", "fedcba");
    check_turns("abcdef", "cxeafybd");
    check_turns("abcdef", "xyz");
    check_turns("a", "ba");
}
END_TEST

static void add_tests(TCase *cases)
{
    tcase_add_test(cases, pools_go_on_with_their_turns_wherever_they_stand);
}

CHECK_MAIN("config_open", add_tests)
