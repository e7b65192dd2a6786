/* SPDX-License-Identifier: Apache-2.0 */
/* client_ocsp and client_ocsp_responder of a rule, its own or the listener's. Rules that ask alike
 * share one check. */
#include <string.h>

#include "listeners/load/listener_build.h"
#include "listeners/ocsp/ocsp_check.h"

enum client_ocsp { CLIENT_OCSP_OFF, CLIENT_OCSP_SOFT, CLIENT_OCSP_HARD };

/* What a rule and its listener say together. */
struct wish {
    enum client_ocsp mode;
    const char *responder; /* NULL: the certificate's */
    unsigned responder_line;
};

static struct wish wish_of(const struct listener *listener, const struct rule *rule)
{
    const struct listener_options *general = listener->options;
    const struct rule_options *own = rule->options;
    return (struct wish){
        .mode = (enum client_ocsp)(own->client_ocsp_line ? own->client_ocsp : general->client_ocsp),
        .responder = own->client_ocsp_responder_line ? own->client_ocsp_responder
                                                     : general->client_ocsp_responder,
        .responder_line = own->client_ocsp_responder_line ? own->client_ocsp_responder_line
                                                          : general->client_ocsp_responder_line,
    };
}

static bool is_alike(const struct ocsp_check *check, const struct wish *wish)
{
    if (check->is_hard != (wish->mode == CLIENT_OCSP_HARD))
        return false;
    if (!check->responder || !wish->responder)
        return check->responder == wish->responder;
    return strcmp(check->responder, wish->responder) == 0;
}

static const struct ocsp_check *find(const struct listener *listener, const struct wish *wish)
{
    for (unsigned i = 0; i < listener->ocsp_check_count; i++)
        if (is_alike(listener->ocsp_checks[i], wish))
            return listener->ocsp_checks[i];
    return NULL;
}

/* A rule without the check must not be served. */
static void report(struct listener_build *build, const struct wish *wish, const struct error *err)
{
    LISTENER_ERROR(build, wish->responder_line, "client_ocsp_responder \"%s\": %s",
                   wish->responder ? wish->responder : "", err->text);
}

static void warn_of_idle(struct listener_build *build, const struct rule *rule)
{
    if (rule->options->client_ocsp_responder_line)
        LISTENER_WARN(build, rule->options->client_ocsp_responder_line,
                      "client_ocsp_responder of rule %s has no effect, because client_ocsp is off: "
                      "say client_ocsp = hard (or soft)",
                      rule->name);
}

void listener_build_ocsp(struct listener_build *build, struct rule *rule)
{
    struct listener *listener = build->listener;
    const struct wish wish = wish_of(listener, rule);
    struct error err = {""};
    if (wish.mode == CLIENT_OCSP_OFF) {
        warn_of_idle(build, rule);
        return;
    }
    rule->auth.ocsp = find(listener, &wish);
    if (rule->auth.ocsp)
        return;
    if (!listener->ocsp_checks)
        listener->ocsp_checks =
            arena_alloc(build->arena, listener->rule_count * sizeof(struct ocsp_check *));
    struct ocsp_check *check = arena_alloc(build->arena, sizeof *check);
    listener->ocsp_checks[listener->ocsp_check_count++] = check;
    rule->auth.ocsp = check;
    if (!ocsp_check_init(check, wish.mode == CLIENT_OCSP_HARD, wish.responder, &err))
        report(build, &wish, &err);
}

void listener_warn_of_idle_ocsp(struct listener_build *build)
{
    const struct listener *listener = build->listener;
    const struct listener_options *options = listener->options;
    bool is_asked = false;
    bool is_responder_used = false;
    for (unsigned i = 0; i < listener->rule_count; i++) {
        const struct rule *rule = &listener->rules[i];
        is_asked |= rule->auth.ocsp && !rule->options->client_ocsp_line;
        is_responder_used |= rule->auth.ocsp && !rule->options->client_ocsp_responder_line;
    }
    if (listener->rule_count == 0)
        return;
    if (options->client_ocsp != CLIENT_OCSP_OFF && !is_asked)
        LISTENER_WARN(build, options->client_ocsp_line,
                      "client_ocsp of listener %s is used by none of its rules: only clients that "
                      "show a certificate (mutual_auth) are asked about",
                      listener->name);
    if (options->client_ocsp_responder_line && !is_responder_used)
        LISTENER_WARN(build, options->client_ocsp_responder_line,
                      "client_ocsp_responder of listener %s is used by none of its rules: say "
                      "client_ocsp = hard (or soft)",
                      listener->name);
}
