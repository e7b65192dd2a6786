/* SPDX-License-Identifier: Apache-2.0 */
/* Domain + URL -> pool (or a redirect, or an answer of lb's own), with its own client
 * authentication: one [rule] section as it stands on one listener. */
#ifndef LB_LISTENERS_RULES_RULE_H
#define LB_LISTENERS_RULES_RULE_H

#include <limits.h>
#include <stdbool.h>

#include "lb/base/option.h"
#include "lb/base/slice.h"
#include "listeners/rules/policy.h"

struct client_id_fields;
struct domain;
struct redirect;

/* Instead of a pool's index: the rule redirects or responds. */
#define RULE_NO_POOL UINT_MAX

struct rule_options {
#define OPTION OPTION_MEMBER
#include "listeners/rules/rule_options.def"
#undef OPTION
};
extern const struct option_table rule_option_table;

/** What mutual_auth may say beyond enum auth_mode: required where a CA of client_ca is bound to the
 * rule's domain, else off. */
enum { MUTUAL_AUTH_WHEN_BOUND = AUTH_REQUIRE + 1 };

/** The choices of client_headers_to, in their order. */
enum client_headers_to {
    CLIENT_HEADERS_TO_BACKEND,
    CLIENT_HEADERS_TO_CLIENT,
    CLIENT_HEADERS_TO_BOTH
};
/** The choices of client_headers_when. */
enum client_headers_when { CLIENT_HEADERS_EVERY, CLIENT_HEADERS_FIRST };

/** Who is told who the client is, and when. Presets are bits, 1 << identity_preset_index(). */
struct client_headers {
    unsigned to_backend;
    unsigned to_client; /* less those that must not stand in answers */
    bool first_only;    /* with the first request of a connection alone */
    /* What backends say of it must not reach the client, whether lb says something or not. */
    bool guards_answers;
};

/** What lb answers for a rule that says so; the sentence is the body, NULL: the status in words. */
struct respond {
    unsigned status;
    const char *sentence;
};

/** One [rule] section as it was read and checked (listeners/load/rule_section.h): what a listener
 * builds its rule from. */
struct rule_section {
    const char *name;
    unsigned line;
    const struct rule_options *options;
    unsigned pool;       /* index into the config's pools, or RULE_NO_POOL */
    bool is_wrong;       /* something of it was reported: a listener with it is not built */
    const char *pattern; /* of its domain, see rule_domain.h; "": it has none */
    bool has_url;        /* false: its url was reported */
    struct client_headers client_headers;
    struct slice client_id_header;                   /* length 0: none */
    const struct client_id_fields *client_id_fields; /* that its pool has; NULL: none */
    const struct redirect *redirect;                 /* NULL: none */
    const struct respond *respond;                   /* NULL: none */
    const struct allow_list *allow;                  /* NULL: none */
    const struct network_set *exempt;                /* NULL: none */
};

struct rule {
    const char *name;
    unsigned line;
    const struct rule_options *options;
    const struct domain *domain;
    unsigned pool;           /* index into the config's pools, or RULE_NO_POOL */
    struct client_auth auth; /* its own or the listener's */
    struct client_headers client_headers;
    struct slice client_id_header; /* length 0: none */
    const struct client_id_fields
        *client_id_fields;           /* that any rule of its pool names; NULL: none */
    const struct redirect *redirect; /* instead of a pool; or NULL */
    const struct respond *respond;   /* instead of a pool; or NULL */
};

/**
 * The presets that `client_headers` names, as a set of bits.
 *
 * Fails: an unknown word, or `off` beside another; err says what would be right.
 */
bool rule_client_headers(const struct rule_options *options, unsigned *ret_presets,
                         struct error *err);

/**
 * Who gets these presets, as client_headers_when and client_headers_to say.
 *
 * Fails: a preset whose fields must not stand in answers would go nowhere; err says what would be
 * right.
 */
bool rule_client_headers_to(const struct rule_options *options, unsigned presets,
                            struct client_headers *ret_headers, struct error *err);

#endif
