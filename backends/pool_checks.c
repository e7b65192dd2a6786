/* SPDX-License-Identifier: Apache-2.0 */
/* The health_check keys of a pool: what is asked, when, and what passes. */
#include "backends/pool_checks.h"

#include <stdio.h>
#include <string.h>

#include "backends/health/check.h"
#include "backends/pool.h"
#include "backends/pool_place.h"
#include "lb/base/http1.h"
#include "lb/base/limits.h"

/* Unset: what the backends speak. */
static const char *check_name(const struct pool_options *options, char *into, size_t room)
{
    if (options->health_check)
        return options->health_check;
    return option_choice_word(option_find(&pool_option_table, "protocol"), options->protocol, into,
                              room);
}

static void choose_check(struct pool *pool, const struct pool_place *place)
{
    char protocol[16];
    const char *name = check_name(pool->options, protocol, sizeof protocol);
    pool->check = check_find(name);
    if (pool->check && pool->check->needs_tls && !pool_speaks_tls(pool))
        problems_add(
            place->problems, place->file, pool_place_line(place, pool->options->health_check_line),
            "health_check = %s needs protocol = https or h2s, whose keys say how backends are "
            "verified: use %s",
            name, pool_speaks_h2(pool) ? "h2, grpc or tcp" : "http or tcp");
    if (pool->check || strcmp(name, "off") == 0)
        return;
    char names[256];
    const char *nearest = check_nearest(name);
    problems_add(place->problems, place->file,
                 pool_place_line(place, pool->options->health_check_line),
                 "\"%s\" is no known way to check a backend: %s%s%s", name,
                 nearest ? "did you mean " : "there are ",
                 nearest ? nearest : check_names(names, sizeof names), nearest ? "?" : "");
}

/* At a port of its own a backend may well speak otherwise. */
static void compare_versions(const struct pool *pool, const struct pool_place *place)
{
    static const char *const versions[] = {"", "HTTP/1.1", "HTTP/2"};
    const struct pool_options *options = pool->options;
    unsigned spoken = pool_speaks_h2(pool) ? 2 : 1;
    char protocol[16];
    if (!pool->check || pool->check->http == 0 || pool->check->http == spoken ||
        options->health_check_port != 0)
        return;
    option_choice_word(option_find(&pool_option_table, "protocol"), options->protocol, protocol,
                       sizeof protocol);
    problems_warn(place->problems, place->file, pool_place_line(place, options->health_check_line),
                  "health_check = %s asks in %s, but requests go in %s (protocol = %s): who "
                  "understands the one may not understand the other; make the two fit, or say "
                  "health_check_port if another port is asked",
                  pool->check->name, versions[pool->check->http], versions[spoken], protocol);
}

static void examine_times(const struct pool *pool, const struct pool_place *place)
{
    const struct pool_options *options = pool->options;
    bool is_off = options->health_check && strcmp(options->health_check, "off") == 0;
    if (is_off || options->health_check_timeout < options->health_check_interval)
        return;
    unsigned line = options->health_check_timeout_line ? options->health_check_timeout_line
                                                       : options->health_check_interval_line;
    problems_add(place->problems, place->file, pool_place_line(place, line),
                 "health_check_timeout (%ums) must be less than health_check_interval (%ums)",
                 options->health_check_timeout, options->health_check_interval);
}

/* Would our own parser take a request for it? Backends are no less strict. */
static bool can_be_asked(const char *path, const char *host)
{
    struct http_request request;
    enum http_fault fault;
    char head[CHECK_HEAD_BYTES];
    int length = snprintf(head, sizeof head, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", path, host);
    return length > 0 && (size_t)length < sizeof head &&
           http_parse_request(&request, head, (size_t)length, sizeof head, &fault) == HTTP_COMPLETE;
}

/* Any text may name a service; blanks and control characters come by mistake. */
static void settle_service(const struct pool_options *options, const struct pool_place *place)
{
    const char *service = options->health_check_service;
    for (size_t i = 0; service && service[i]; i++) {
        if (service[i] > ' ' && service[i] <= '~')
            continue;
        problems_add(place->problems, place->file,
                     pool_place_line(place, options->health_check_service_line),
                     "\"%s\" is no name of a service: write one of ASCII without blanks, such as "
                     "helloworld.Greeter",
                     service);
        return;
    }
}

static void settle_request(struct pool *pool, const struct pool_place *place)
{
    const struct pool_options *options = pool->options;
    const char *path = options->health_check_path;
    if (path[0] != '/' || !can_be_asked(path, "a"))
        problems_add(place->problems, place->file,
                     pool_place_line(place, options->health_check_path_line),
                     "\"%.200s\" is no path to ask for: write one that begins with \"/\", without "
                     "blanks and \"#\", such as /healthz",
                     path);
    settle_service(options, place);
    if (!options->health_check_host)
        return;
    pool->check_host = options->health_check_host;
    if (!can_be_asked("/", pool->check_host))
        problems_add(place->problems, place->file,
                     pool_place_line(place, options->health_check_host_line),
                     "\"%s\" is no host to ask for: write a name or an address, perhaps with a "
                     "port, such as www.example.com",
                     pool->check_host);
}

static void settle_codes(struct pool *pool, const struct pool_place *place)
{
    const struct option_list *words = &pool->options->health_check_codes;
    for (unsigned i = 0; i < words->count; i++) {
        struct error err = {0};
        if (!check_codes_add(&pool->check_codes, words->items[i], &err))
            problems_add(place->problems, place->file, pool_place_line(place, words->lines[i]),
                         "%s", err.text);
    }
}

void pool_prepare_checks(struct pool *pool, const char *file, struct problems *problems)
{
    struct pool_place place = {file, pool->line, problems};
    choose_check(pool, &place);
    compare_versions(pool, &place);
    examine_times(pool, &place);
    settle_request(pool, &place);
    settle_codes(pool, &place);
}
