/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An admin on a socket file with a config and a host of the test's own, and clients that speak to
 * it byte by byte. Everything runs in one thread: whoever waits turns the loop.
 */
#ifndef LB_TESTS_ADMIN_STAGE_H
#define LB_TESTS_ADMIN_STAGE_H

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "lb/admin/admin.h"
#include "lb/base/connection.h"
#include "lb/base/log.h"
#include "lb/base/unix_socket.h"
#include "lb/config/config.h"
#include "tests/support/check_main.h"
#include "tests/support/eventually.h"
#include "tests/support/folder.h"
#include "tests/support/text.h"

struct admin_stage {
    struct folder folder;
    uv_loop_t loop;
    struct loop_context context;
    struct roster *roster;
    struct config *config;
    struct admin_host host;
    struct admin_facts facts;
    struct listener_services services; /* none */
    struct admin *admin;
    unsigned client_count;
    unsigned published_count;
    unsigned reload_count;
    admin_reloaded reloaded; /* of the last reload that was asked for */
    void *reload_arg;
    bool is_closed;
};

static struct admin_stage *stage_of(struct admin_host *host)
{
    return LIST_OWNER(host, struct admin_stage, host);
}

static const struct config *stage_config(struct admin_host *host)
{
    return stage_of(host)->config;
}

static void stage_tell(struct admin_host *host, struct admin_facts *ret_facts)
{
    *ret_facts = stage_of(host)->facts;
}

static unsigned stage_client_count(struct admin_host *host, const char *listener)
{
    return stage_of(host)->client_count + (listener ? (unsigned)strlen(listener) : 0);
}

static void stage_publish(struct admin_host *host, struct pool *pool)
{
    (void)pool;
    stage_of(host)->published_count++;
}

static void stage_reload(struct admin_host *host, admin_reloaded reloaded, void *arg)
{
    struct admin_stage *stage = stage_of(host);
    stage->reload_count++;
    stage->reloaded = reloaded;
    stage->reload_arg = arg;
}

static const struct listener_services *stage_services(struct admin_host *host)
{
    return &stage_of(host)->services;
}

/* The INI text is loaded from lb.ini of a fresh folder, and its admin opened. */
static inline void stage_open(struct admin_stage *stage, const char *ini)
{
    struct problems problems = {0};
    struct error err = {""};
    *stage = (struct admin_stage){.host = {.config = stage_config,
                                           .tell = stage_tell,
                                           .client_count = stage_client_count,
                                           .publish = stage_publish,
                                           .reload = stage_reload,
                                           .services = stage_services}};
    folder_make(&stage->folder);
    ck_assert(log_open(folder_file(&stage->folder, "log"), LOG_LEVEL_INFO, &err));
    folder_write(&stage->folder, "lb.ini", ini);
    stage->config = config_load(folder_file(&stage->folder, "lb.ini"), &problems);
    ck_assert_msg(stage->config, "%s", problems.count ? problems.items[0].text : "");
    problems_done(&problems);
    stage->roster = roster_new();
    ck_assert(config_open(stage->config, stage->roster, &(struct listener_services){0}, NULL));
    uv_loop_init(&stage->loop);
    loop_context_init(&stage->context, &stage->loop);
    ck_assert_msg(
        admin_open(&stage->admin, &stage->host, stage->config->admin, NULL, &stage->context, &err),
        "%s", err.text);
}

static inline void stage_turn(struct admin_stage *stage)
{
    uv_run(&stage->loop, UV_RUN_NOWAIT);
}

static inline void stage_on_closed(void *arg)
{
    ((struct admin_stage *)arg)->is_closed = true;
}

/* The loop turns until the condition is true. */
#define stage_until(stage, condition)                                                              \
    do {                                                                                           \
        long long until_ms = eventually_now_ms() + EVENTUALLY_MS;                                  \
        while (!(condition)) {                                                                     \
            stage_turn(stage);                                                                     \
            ck_assert_msg(eventually_now_ms() < until_ms, "never came true: %s", #condition);      \
        }                                                                                          \
    } while (0)

/* Everything must be closed and given back by then. */
static inline void stage_close(struct admin_stage *stage)
{
    if (stage->admin)
        admin_close(stage->admin, stage_on_closed, stage);
    stage_until(stage, !stage->admin || stage->is_closed);
    loop_context_close(&stage->context);
    uv_run(&stage->loop, UV_RUN_DEFAULT);
    ck_assert_uint_eq(stage->context.buffers.lent_count, 0);
    loop_context_done(&stage->context);
    ck_assert_int_eq(uv_loop_close(&stage->loop), 0);
    config_free(stage->config);
    roster_free(stage->roster);
    log_close();
    folder_remove(&stage->folder);
}

/* One client. */
struct caller {
    int fd;
    struct text inbox;
    bool ended;
};

static inline void caller_connect(struct admin_stage *stage, struct caller *caller)
{
    *caller = (struct caller){
        .fd = unix_socket_connect(folder_file(&stage->folder, "var/admin.sock"), 1000)};
    ck_assert_int_ge(caller->fd, 0);
    text_add(&caller->inbox, "", 0);
}

static inline void caller_done(struct caller *caller)
{
    close(caller->fd);
    text_done(&caller->inbox);
}

static inline void caller_say(const struct caller *caller, const char *bytes, size_t length)
{
    ck_assert_int_eq(send(caller->fd, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT), (ssize_t)length);
}

/* What is there now; the end is noted. */
static inline void caller_receive(struct caller *caller)
{
    char piece[16384];
    ssize_t got = recv(caller->fd, piece, sizeof piece, MSG_DONTWAIT);
    if (got > 0)
        text_add(&caller->inbox, piece, (size_t)got);
    else if (got == 0 || errno != EAGAIN)
        caller->ended = true;
}

static inline bool caller_has_ended(struct caller *caller)
{
    caller_receive(caller);
    return caller->ended;
}

/* The status and the JSON of one whole answer that the end of the connection follows. */
static inline unsigned caller_answer(struct admin_stage *stage, struct caller *caller,
                                     json_t **ret_json)
{
    unsigned status = 0;
    stage_until(stage, caller_has_ended(caller));
    text_add(&caller->inbox, "", 0);
    ck_assert_msg(sscanf(caller->inbox.bytes, "HTTP/1.1 %u ", &status) == 1, "%s",
                  caller->inbox.bytes);
    const char *body = strstr(caller->inbox.bytes, "\r\n\r\n");
    ck_assert_ptr_nonnull(body);
    *ret_json = json_loads(body + 4, 0, NULL);
    return status;
}

/* One request on a connection of its own; the JSON is the caller's. */
static inline unsigned stage_ask(struct admin_stage *stage, const char *method, const char *target,
                                 json_t **ret_json)
{
    struct caller caller;
    struct text request = {0};
    text_add_format(&request, "%s %s HTTP/1.1\r\nHost: lb\r\nConnection: close\r\n\r\n", method,
                    target);
    caller_connect(stage, &caller);
    caller_say(&caller, request.bytes, request.length);
    unsigned status = caller_answer(stage, &caller, ret_json);
    text_done(&request);
    caller_done(&caller);
    return status;
}

/* The text of a member on a way such as "pools.0.name"; "" when there is none. */
static inline const char *json_at(const json_t *json, const char *way, const json_t **ret_json)
{
    char copy[128];
    snprintf(copy, sizeof copy, "%s", way);
    for (char *rest = copy, *step = strsep(&rest, "."); step; step = strsep(&rest, "."))
        json = json_is_array(json) ? json_array_get(json, strtoul(step, NULL, 10))
                                   : json_object_get(json, step);
    if (ret_json)
        *ret_json = json;
    const char *text = json_string_value(json);
    return text ? text : "";
}

static inline long long json_number_at(const json_t *json, const char *way)
{
    const json_t *found;
    json_at(json, way, &found);
    ck_assert_msg(json_is_integer(found), "%s is no number", way);
    return (long long)json_integer_value(found);
}

#endif
