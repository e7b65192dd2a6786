/* SPDX-License-Identifier: Apache-2.0 */
/* proxy_protocol and proxy_protocol_from: which proxies in front may say who a client is. */
#include <string.h>

#include "lb/base/network.h"
#include "listeners/load/listener_build.h"
#include "listeners/proxy_header.h"

struct proxies {
    struct network *items;
    size_t count;
    size_t wrong_count; /* words that are no networks, and were reported */
};

/* Who believes everyone lets every client choose its own address. */
static void warn_of_everyone(struct listener_build *build, const struct network *network,
                             unsigned line)
{
    char written[NETWORK_TEXT_BYTES];
    if (network->prefix_bits == 0)
        LISTENER_WARN(build, line,
                      "proxy_protocol_from = %s believes everyone: whoever can connect to listener "
                      "%s may say it comes from any address; name the networks of the proxies",
                      network_write(network, written), build->listener->name);
}

static void add_network(struct listener_build *build, struct proxies *proxies, const char *word,
                        unsigned line)
{
    struct error err = {0};
    struct network *network = &proxies->items[proxies->count];
    if (!network_parse(network, word, &err)) {
        LISTENER_ERROR(build, line, "proxy_protocol_from: %s", err.text);
        proxies->wrong_count++;
        return;
    }
    warn_of_everyone(build, network, line);
    proxies->count++;
}

static struct proxies read_networks(struct listener_build *build)
{
    const struct option_list *lines = &build->listener->options->proxy_protocol_from;
    struct proxies proxies = {0};
    size_t most = 0;
    for (unsigned i = 0; i < lines->count; i++)
        most += strlen(lines->items[i]) / 2 + 1; /* each word but the last has a blank behind it */
    proxies.items = arena_alloc(build->arena, (most + 1) * sizeof *proxies.items);
    for (unsigned i = 0; i < lines->count; i++) {
        char *rest = NULL;
        char *word = strtok_r(arena_copy(build->arena, lines->items[i]), " \t", &rest);
        for (; word; word = strtok_r(NULL, " \t", &rest))
            add_network(build, &proxies, word, lines->lines[i]);
    }
    return proxies;
}

void listener_build_proxies(struct listener_build *build)
{
    struct listener *listener = build->listener;
    const struct listener_options *options = listener->options;
    struct proxies proxies = read_networks(build);
    if (options->proxy_protocol == PROXY_PROTOCOL_OFF) {
        if (options->proxy_protocol_from.count > 0)
            LISTENER_WARN(
                build, options->proxy_protocol_from.lines[0],
                "proxy_protocol_from has no effect on listener %s, because proxy_protocol "
                "is off: say proxy_protocol = v2 (or v1)",
                listener->name);
        return;
    }
    if (proxies.count == 0 && proxies.wrong_count == 0)
        LISTENER_ERROR(build, options->proxy_protocol_line,
                       "proxy_protocol needs the networks that the proxy connects from: add "
                       "proxy_protocol_from to listener %s, as in \"proxy_protocol_from = "
                       "10.0.0.0/8 2001:db8::/32\"",
                       listener->name);
    struct network_set *set = arena_alloc(build->arena, sizeof *set);
    network_set_make(set, proxies.items, proxies.count, build->arena);
    listener->proxies = set;
}
