/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/explain/explanation_listener.h"

#include <stdio.h>
#include <string.h>

#include "lb/base/draft.h"
#include "lb/base/error.h"
#include "lb/base/nearest.h"
#include "lb/config/config.h"

static const char *protocol_of(const struct listener *listener)
{
    return listener->options->protocol == LISTENER_HTTPS ? "https" : "http";
}

static bool has_port(const struct listener *listener, unsigned port)
{
    for (unsigned i = 0; i < listener->address_count; i++)
        if (address_port(&listener->addresses[i]) == port)
            return true;
    return false;
}

static bool is_of_scheme(const struct destination *destination, const struct listener *listener)
{
    return !destination->scheme || strcmp(destination->scheme, protocol_of(listener)) == 0;
}

/* A port that nobody listens on may be forwarded to lb by something in front. */
static bool does_port_count(const struct destination *destination, const struct config *config)
{
    for (unsigned i = 0; destination->port && i < config->listener_count; i++)
        if (is_of_scheme(destination, &config->listeners[i]) &&
            has_port(&config->listeners[i], destination->port))
            return true;
    return destination->port && destination->is_port_certain;
}

/* Which listeners are asked. */
struct wish {
    const struct destination *destination;
    bool port_counts;
    bool host_counts;
};

static bool fits(const struct wish *wish, const struct listener *listener)
{
    const struct destination *destination = wish->destination;
    if (destination->listener)
        return strcmp(listener->name, destination->listener) == 0;
    return is_of_scheme(destination, listener) &&
           (!wish->port_counts || has_port(listener, destination->port)) &&
           (!wish->host_counts || router_known_domain(listener->router, destination->host));
}

static const struct listener *find(const struct wish *wish, const struct config *config,
                                   unsigned index)
{
    for (unsigned i = 0; i < config->listener_count; i++)
        if (fits(wish, &config->listeners[i]) && index-- == 0)
            return &config->listeners[i];
    return NULL;
}

const struct listener *destination_listener(const struct destination *destination,
                                            const struct config *config, unsigned index)
{
    struct wish wish = {.destination = destination,
                        .port_counts = does_port_count(destination, config),
                        .host_counts = true};
    if (!find(&wish, config, 0))
        wish.host_counts = false;
    return find(&wish, config, index);
}

/* "web (https 0.0.0.0:8443), plain (http 0.0.0.0:8080)" */
static void list(const struct config *config, char *into, size_t room)
{
    struct draft draft = draft_in(into, room - 1);
    for (unsigned i = 0; i < config->listener_count; i++) {
        const struct listener *listener = &config->listeners[i];
        draft_text(&draft, i ? ", " : "");
        draft_text(&draft, listener->name);
        draft_text(&draft, " (");
        draft_text(&draft, protocol_of(listener));
        for (unsigned k = 0; k < listener->address_count; k++) {
            draft_text(&draft, " ");
            draft_text(&draft, listener->addresses[k].text);
        }
        draft_text(&draft, ")");
    }
    into[draft.used] = '\0';
}

bool destination_fault(const struct destination *destination, const struct config *config,
                       struct error *err)
{
    char all[320];
    list(config, all, sizeof all);
    if (!destination->listener && destination->port && destination->is_port_certain)
        return error_set(err, "no %s listener has port %u: there are %s", destination->scheme,
                         destination->port, all);
    if (!destination->listener)
        return error_set(err, "there is no %s listener: there are %s",
                         destination->scheme ? destination->scheme : "such", all);
    struct nearest nearest = nearest_to(destination->listener);
    for (unsigned i = 0; i < config->listener_count; i++)
        nearest_offer(&nearest, config->listeners[i].name);
    if (nearest.best)
        return error_set(err, "there is no listener %.64s: did you mean %s?", destination->listener,
                         nearest.best);
    return error_set(err, "there is no listener %.64s: there are %s", destination->listener, all);
}
