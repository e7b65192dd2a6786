/* SPDX-License-Identifier: Apache-2.0 */
/* The [access] sections that hold on a listener, and warnings of those that do what nobody can
 * want. */
#include <string.h>

#include "listeners/access/access_index.h"
#include "listeners/load/access_section.h"
#include "listeners/load/access_wider.h"
#include "listeners/load/listener_build.h"
#include "listeners/load/rule_domain.h"
#include "listeners/rules/redirect.h"

/* What the rules that a section is for have in common. */
struct meeting {
    bool is_met;
    bool is_asked; /* some rule asks for certificates */
};

static bool asks(const struct listener *listener, const struct rule *rule)
{
    int mode = rule->options->mutual_auth_line ? rule->options->mutual_auth
                                               : listener->options->mutual_auth;
    return rule->auth.mode != AUTH_OFF || mode == MUTUAL_AUTH_WHEN_BOUND;
}

/* By the domain's index: does one of its rules ask for certificates? */
static bool *asking_domains(struct listener_build *build)
{
    const struct listener *listener = build->listener;
    bool *all = arena_alloc(build->arena, (listener->domain_count + 1) * sizeof *all);
    for (unsigned i = 0; i < listener->rule_count; i++)
        all[listener->rules[i].domain->index] |= asks(listener, &listener->rules[i]);
    return all;
}

static void meet(struct meeting *meeting, const struct domain *domain, const bool *asking)
{
    meeting->is_met = true;
    meeting->is_asked |= asking[domain->index];
}

/* Rules of a narrower or wider domain than the section's are only found by a name, as requests find
 * them. */
static void meet_by_name(struct listener_build *build, struct meeting *meeting,
                         const struct access_section *section, const bool *asking)
{
    const struct router *router = build->listener->router;
    const struct domain *fallback = router_default_domain(router);
    struct slice sample = slice_of(access_wider_sample(section->pattern, build->arena));
    const struct domain *known = router_known_domain(router, sample);
    if (known)
        meet(meeting, known, asking);
    if (*fallback->pattern == '\0' || sample.length == 0)
        meet(meeting, fallback, asking);
}

/* By the index of a set. */
static struct meeting *meet_domains(const struct listener_build *build, const bool *asking)
{
    const struct listener *listener = build->listener;
    const struct access_index *index = listener->access;
    struct meeting *meetings = arena_alloc(build->arena, index->set_count * sizeof *meetings);
    for (unsigned i = 0; i < listener->domain_count; i++) {
        for (unsigned who = 0; who < ACCESS_CLASS_COUNT; who++) {
            const struct access_sets *sets = &index->domains[i].sets[who];
            for (unsigned k = 0; k < sets->count; k++)
                meet(&meetings[sets->items[k] - index->sets], &listener->domains[i], asking);
        }
    }
    return meetings;
}

/* --- warnings --------------------------------------------------------------------------------- */

static void warn_of_everybody(struct listener_build *build, const struct access_section *section)
{
    const struct access_rule *rule = &section->rule;
    if (rule->action != ACCESS_BLOCK ||
        (rule->condition != ACCESS_UNVERIFIED && rule->condition != ACCESS_MISSING))
        return;
    if (listener_build_is_https(build))
        LISTENER_WARN(build, rule->line,
                      "access %s blocks everybody on listener %s: no rule that it is for asks for "
                      "certificates; say mutual_auth = request there (or require)",
                      rule->name, build->listener->name);
    else
        LISTENER_WARN(build, rule->line,
                      "access %s blocks everybody on listener %s, which has protocol = http and so "
                      "no client with a certificate; name the other listeners in it",
                      rule->name, build->listener->name);
}

static bool is_own_host(const struct access_section *section, struct slice host)
{
    char name[RULE_DOMAIN_BYTES];
    if (slice_is(host, "$host"))
        return true;
    struct slice normal = {name, rule_domain_of_host(host, name)};
    return normal.length > 0 && slice_is(normal, section->pattern);
}

/* The path of a redirect that leads to the same host, with its scheme and port; at NULL: it leads
 * elsewhere, or that is not plain to see. */
static const char *own_path(struct listener_build *build, const struct access_section *section,
                            const char *to)
{
    const char *scheme = listener_build_is_https(build) ? "https://" : "http://";
    if (*to == '/')
        return to;
    if (strncasecmp(to, scheme, strlen(scheme)) != 0)
        return NULL;
    to += strlen(scheme);
    size_t length = strcspn(to, "/?#");
    const char *uri = strstr(to, "$uri");
    if (uri && (size_t)(uri - to) < length)
        length = (size_t)(uri - to);
    return is_own_host(section, (struct slice){to, length}) ? to + length : NULL;
}

static void warn_of_loop(struct listener_build *build, const struct access_section *section)
{
    const char *text = section->options->action;
    const char *to = section->rule.redirect ? strchr(text, ':') : NULL;
    if (!to)
        return;
    to++;
    const char *path = own_path(build, section, to + strspn(to, " \t"));
    if (!path)
        return;
    struct slice plain = {path, strcspn(path, "?#")};
    bool is_same = strncmp(path, "$uri", 4) == 0;
    bool is_taken = plain.length > 0 && !memchr(plain.at, '$', plain.length) &&
                    !rule_url_is_regex(section->url.kind) && access_url_takes(&section->url, plain);
    if (is_same || is_taken)
        LISTENER_WARN(build, section->options->action_line,
                      "access %s sends clients in a circle: it is for what %s leads to, too; "
                      "narrow its url, or redirect elsewhere",
                      section->rule.name, text + strlen("redirect:"));
}

void listener_build_access(struct listener_build *build)
{
    struct listener *listener = build->listener;
    unsigned count = listener->access_count;
    if (count == 0)
        return;
    listener->access = access_index_new(listener->access_sections, count, listener->domains,
                                        listener->domain_count, build->arena);
    const bool *asking = asking_domains(build);
    const struct meeting *meetings = meet_domains(build, asking);
    for (unsigned i = 0; i < count; i++) {
        struct access_section *section = listener->access_sections[i];
        struct meeting meeting =
            meetings[listener->access->entries[i].set - listener->access->sets];
        meet_by_name(build, &meeting, section, asking);
        section->is_met |= meeting.is_met;
        if (meeting.is_met && !meeting.is_asked)
            warn_of_everybody(build, section);
        if (meeting.is_met)
            warn_of_loop(build, section);
    }
    listener_warn_of_idle_access(build);
    listener_note_access_clients(build);
}
