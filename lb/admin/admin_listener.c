/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/admin/admin_listener.h"

#include <stdlib.h>

#include "lb/base/list.h"
#include "listeners/load/rule_section.h"
#include "listeners/tls/handshake.h"

static void on_unused(struct hold *hold)
{
    struct admin_listener *listener = LIST_OWNER(hold, struct admin_listener, hold);
    handshake_context_free(listener->handshake);
    listener_done(&listener->listener);
    arena_done(&listener->arena);
    free(listener);
}

static struct option_list copy_list(const struct option_list *list, struct arena *arena)
{
    struct option_list copy = {
        .items = arena_alloc(arena, (list->count + 1) * sizeof(const char *)),
        .lines = arena_alloc(arena, (list->count + 1) * sizeof(unsigned)),
        .count = list->count,
    };
    for (unsigned i = 0; i < list->count; i++) {
        copy.items[i] = arena_copy(arena, list->items[i]);
        copy.lines[i] = list->lines[i];
    }
    return copy;
}

/* Those that are no socket file. */
static struct option_list tcp_addresses(const struct option_list *all, struct arena *arena)
{
    struct option_list list = copy_list(all, arena);
    list.count = 0;
    for (unsigned i = 0; i < all->count; i++) {
        if (admin_address_path(all->items[i]))
            continue;
        list.items[list.count] = list.items[i];
        list.lines[list.count++] = list.lines[i];
    }
    return list;
}

static int choice(const char *key, const char *word)
{
    return option_choice_index(option_find(&listener_option_table, key), word);
}

static void set_options(struct admin_listener *made, const struct admin_options *options,
                        unsigned line)
{
    struct listener_options *own = &made->options;
    option_defaults(&listener_option_table, own, &made->arena);
    own->address = tcp_addresses(&options->address, &made->arena);
    own->certificate = copy_list(&options->certificate, &made->arena);
    own->certificate_line = options->certificate_line;
    own->certificate_key = copy_list(&options->certificate_key, &made->arena);
    own->certificate_key_line = options->certificate_key_line;
    own->client_ca = copy_list(&options->client_ca, &made->arena);
    own->client_ca_line = options->client_ca_line;
    own->mutual_auth = choice("mutual_auth", "require");
    own->mutual_auth_line = line;
    own->refuse_with = "alert";
    own->refuse_with_line = line;
    own->session_timeout = 0;
    own->http2 = false; /* a question at a time, as over the socket file */
}

/* The API answers, whatever the rule says. */
static void set_rule(struct admin_listener *made, unsigned line, const char *file,
                     struct problems *problems)
{
    option_defaults(&rule_option_table, &made->rule_options, &made->arena);
    made->rule_options.respond = "404";
    made->rule = (struct rule_section){
        .name = "admin", .line = line, .options = &made->rule_options, .pool = RULE_NO_POOL};
    rule_section_read(&made->rule, &made->arena, file, problems);
}

struct admin_listener *admin_listener_new(const struct admin_options *options, unsigned line,
                                          const struct cas *cas, const char *file,
                                          struct problems *problems)
{
    if (!admin_options_have_tcp(options))
        return NULL;
    struct admin_listener *made = calloc(1, sizeof *made);
    if (!made)
        error_out_of_memory();
    made->hold = (struct hold){.users = 1, .on_unused = on_unused};
    made->listener = (struct listener){.name = "admin", .line = line, .options = &made->options};
    set_options(made, options, line);
    set_rule(made, line, file, problems);
    if (listener_prepare(&made->listener, &made->rule, 1, cas, &made->arena, file, problems))
        return made;
    admin_listener_leave(made);
    return NULL;
}

bool admin_listener_open(struct admin_listener *listener, struct registry *registry,
                         struct error *err)
{
    const struct listener_services services = {.registry = registry};
    listener_open(&listener->listener, &services);
    listener->handshake = handshake_context_new(&listener->listener, NULL, err);
    return listener->handshake != NULL;
}

void admin_listener_leave(struct admin_listener *listener)
{
    if (listener)
        hold_give(&listener->hold);
}
