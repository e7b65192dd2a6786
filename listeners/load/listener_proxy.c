/* SPDX-License-Identifier: Apache-2.0 */
/* proxy_protocol and proxy_protocol_from: which proxies in front may say who a client is. */
#include "lb/base/network.h"
#include "listeners/load/listener_build.h"
#include "listeners/load/network_list.h"
#include "listeners/proxy/proxy_header.h"

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

void listener_build_proxies(struct listener_build *build)
{
    struct listener *listener = build->listener;
    const struct listener_options *options = listener->options;
    struct network_list proxies =
        network_list_read(&options->proxy_protocol_from, "proxy_protocol_from", build->arena,
                          build->file, build->problems);
    for (size_t i = 0; i < proxies.count; i++)
        warn_of_everyone(build, &proxies.items[i], proxies.lines[i]);
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
