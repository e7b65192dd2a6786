/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How rules tell those they refuse: refuse_with = alert | 403 | page:FILE | redirect:URL, a rule's
 * own or its listener's. A page that many rules name is read once; a redirect that leads back to
 * the rule that refuses is warned of.
 */
#include <stdlib.h>
#include <string.h>

#include "lb/base/http1.h"
#include "lb/base/nearest.h"
#include "lb/base/text_map.h"
#include "listeners/answer/refusal_page.h"
#include "listeners/load/listener_build.h"
#include "listeners/rules/redirect.h"

static const char alert_word[] = "alert";
static const char redirect_word[] = "redirect:";

/* What a refuse_with says. */
struct choice {
    enum refuse_with refuse_with;
    const struct refusal_page *page;
    const struct redirect *redirect;
};

struct desk {
    struct listener_build *build;
    struct text_map pages; /* by path; `bad` stands for those that were reported */
    struct refusal_page bad;
};

/* A rule that is on two listeners is read for each of them, and told of once. */
static void report(const struct desk *desk, const char *file, unsigned line, const char *text)
{
    const struct problems *known = desk->build->problems;
    for (size_t i = 0; i < known->count; i++)
        if (known->items[i].line == line && strcmp(known->items[i].text, text) == 0 &&
            strcmp(known->items[i].file, file) == 0)
            return;
    problems_add(desk->build->problems, file, line, "%s", text);
}

/* --- reading -----------------------------------------------------------------------------------
 */

/* What somebody may have meant, or NULL. */
static const char *guess(const char *text, struct arena *arena)
{
    size_t length = strlen(text);
    static const char *const endings[] = {".html", ".htm"};
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (length > strlen(endings[i]) && !strchr(text, ':') &&
            strcasecmp(text + length - strlen(endings[i]), endings[i]) == 0)
            return arena_format(arena, "page:%s", text);
    if (text[0] == '/' || strncasecmp(text, "https://", 8) == 0 ||
        strncasecmp(text, "http://", 7) == 0)
        return arena_format(arena, "redirect:%s", text);
    static const struct {
        const char *word, *whole;
    } words[] = {
        {"alert", "alert"}, {"403", "403"}, {"page", "page:FILE"}, {"redirect", "redirect:URL"}};
    struct nearest nearest = nearest_to(arena_copy_bytes(arena, text, strcspn(text, ": \t")));
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        nearest_offer(&nearest, words[i].word);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (nearest.best == words[i].word)
            return words[i].whole;
    return NULL;
}

static bool report_unknown(const struct desk *desk, const char *text, unsigned line)
{
    struct arena *arena = desk->build->arena;
    const char *meant = guess(text, arena);
    report(desk, desk->build->file, line,
           arena_format(
               arena,
               "\"%.200s\" is no value for refuse_with: %s%s%sthere are alert, 403, page:FILE "
               "and redirect:URL",
               text, meant ? "did you mean " : "", meant ? meant : "", meant ? "? " : ""));
    return false;
}

/* NULL: it was reported. */
static const struct refusal_page *find_page(struct desk *desk, const char *file, unsigned line)
{
    struct listener_build *build = desk->build;
    const char *path = option_path(option_folder(build->file, build->arena), file, build->arena);
    struct slice key = slice_of(path);
    const struct refusal_page *page = text_map_get(&desk->pages, text_hash(key), key);
    if (page)
        return page == &desk->bad ? NULL : page;
    struct error err = {0};
    unsigned page_line;
    page = refusal_page_load(path, build->arena, &page_line, &err);
    if (!page && page_line > 0)
        report(desk, path, page_line, err.text);
    else if (!page)
        report(desk, build->file, line, arena_format(build->arena, "refuse_with: %s", err.text));
    text_map_add(&desk->pages, text_hash(key), key, page ? page : &desk->bad);
    return page;
}

static bool read_page(struct desk *desk, const char *file, unsigned line, struct choice *ret_choice)
{
    if (!*file) {
        report(desk, desk->build->file, line,
               "refuse_with = page: names no file: write it like page:refused.html");
        return false;
    }
    *ret_choice = (struct choice){REFUSE_PAGE, find_page(desk, file, line), NULL};
    return ret_choice->page != NULL;
}

static bool read_redirect(struct desk *desk, const char *url, unsigned line,
                          struct choice *ret_choice)
{
    struct error err = {0};
    if (!*url) {
        report(desk, desk->build->file, line,
               "refuse_with = redirect: names no URL: write it like "
               "redirect:https://login.example.com/?why=$reason");
        return false;
    }
    const struct redirect *redirect = redirect_parse_refusal(url, desk->build->arena, &err);
    if (!redirect)
        report(desk, desk->build->file, line, err.text);
    *ret_choice = (struct choice){REFUSE_REDIRECT, NULL, redirect};
    return redirect != NULL;
}

static bool read_choice(struct desk *desk, const char *text, unsigned line,
                        struct choice *ret_choice)
{
    const char *file = refusal_page_file(text);
    if (file)
        return read_page(desk, file, line, ret_choice);
    if (strncmp(text, redirect_word, strlen(redirect_word)) == 0) {
        const char *url = text + strlen(redirect_word);
        return read_redirect(desk, url + strspn(url, " \t"), line, ret_choice);
    }
    bool is_alert = strcmp(text, alert_word) == 0;
    if (!is_alert && strcmp(text, "403") != 0)
        return report_unknown(desk, text, line);
    *ret_choice = (struct choice){is_alert ? REFUSE_ALERT : REFUSE_403, NULL, NULL};
    return true;
}

/* --- giving it to the rules --------------------------------------------------------------------
 */

static void set(struct client_auth *auth, const struct choice *choice)
{
    if (auth->mode == AUTH_OFF)
        return;
    auth->refuse_with = choice->refuse_with;
    auth->page = choice->page;
    auth->redirect = choice->redirect;
}

void listener_build_refusals(struct listener_build *build)
{
    struct listener *listener = build->listener;
    const struct listener_options *general = listener->options;
    struct desk desk = {.build = build};
    struct choice common = {.refuse_with = REFUSE_UNSET};
    text_map_init(&desk.pages, listener->rule_count + 1, build->arena);
    if (general->refuse_with)
        read_choice(&desk, general->refuse_with, general->refuse_with_line, &common);
    for (unsigned i = 0; i < listener->rule_count; i++) {
        struct rule *rule = &listener->rules[i];
        const struct rule_options *own = rule->options;
        struct choice choice = {.refuse_with = REFUSE_UNSET};
        rule->auth.refuse_with = REFUSE_UNSET;
        build->refuse_lines[i] =
            own->refuse_with ? own->refuse_with_line : general->refuse_with_line;
        if (!own->refuse_with)
            choice = common;
        else if (!read_choice(&desk, own->refuse_with, own->refuse_with_line, &choice))
            continue;
        set(&rule->auth, &choice);
    }
}

bool listener_build_says_alert(const struct listener *listener, const struct rule *rule)
{
    const char *said =
        rule->options->refuse_with ? rule->options->refuse_with : listener->options->refuse_with;
    return said && strcmp(said, alert_word) == 0;
}

/* --- redirects that lead back ------------------------------------------------------------------
 */

/* A Location, taken apart. */
struct place {
    bool is_relative;
    struct slice host;
    unsigned port;
    struct slice path;
};

/* A host that the rule's domain has; NULL: one cannot tell. */
static const char *sample_host(const struct rule *rule, struct arena *arena)
{
    const char *pattern = rule->domain->pattern;
    size_t length = strlen(pattern);
    if (*pattern == '~')
        return NULL;
    if (*pattern == '*')
        return arena_format(arena, "a%s", pattern + 1);
    if (length > 0 && pattern[length - 1] == '*')
        return arena_format(arena, "%.*sa", (int)(length - 1), pattern);
    return *pattern ? pattern : "lb.invalid";
}

/* A path that the rule has; NULL: one cannot tell. */
static const char *sample_path(const struct rule *rule)
{
    const char *path = strchr(rule->options->url, '/');
    return *rule->options->url == '~' ? NULL : path;
}

static struct place place_of(struct slice location)
{
    const char *end = location.at + location.length;
    struct place place = {.is_relative = location.at[0] == '/', .port = 443};
    const char *at = location.at;
    if (!place.is_relative) {
        at = strchr(at, ':') + 3;
        size_t length = strcspn(at, "/?#");
        size_t bare = *at == '[' ? strcspn(at, "]") + 1 : strcspn(at, ":/?#");
        place.host = (struct slice){at, bare};
        if (bare < length)
            place.port = (unsigned)strtoul(at + bare + 1, NULL, 10);
        at += length;
    }
    size_t length = strcspn(at, "?#");
    place.path = at < end && length > 0 ? (struct slice){at, length} : slice_of("/");
    return place;
}

static bool has_port(const struct listener *listener, unsigned port)
{
    for (unsigned i = 0; i < listener->address_count; i++)
        if (address_port(&listener->addresses[i]) == port)
            return true;
    return false;
}

/* The domain of this listener that a place is in; NULL: none that is plain to see. */
static const struct domain *domain_of(const struct listener *listener, const struct rule *rule,
                                      const struct place *place, const char *host)
{
    if (place->is_relative)
        return rule->domain;
    if (!has_port(listener, place->port))
        return NULL;
    return slice_is_nocase(place->host, host) ? rule->domain
                                              : router_known_domain(listener->router, place->host);
}

/* Would a client that the rule refuses be sent to the rule itself? */
static bool is_circle(const struct listener_build *build, const struct rule *rule)
{
    const struct listener *listener = build->listener;
    const char *host = sample_host(rule, build->arena);
    const char *path = sample_path(rule);
    char location[LOCATION_BYTES + 1];
    if (!host || !path)
        return false;
    size_t length = redirect_write_refusal(rule->auth.redirect, slice_of(host), slice_of(path),
                                           refusal_name(REFUSAL_MISSING), location, LOCATION_BYTES);
    location[length] = '\0';
    if (length == 0 || strncasecmp(location, "http://", 7) == 0)
        return false; /* plain text asks for no certificate */
    struct place place = place_of((struct slice){location, length});
    const struct domain *domain = domain_of(listener, rule, &place, host);
    const struct rule *found = NULL;
    return domain && router_rule(listener->router, domain, place.path, &found) == ROUTE_FOUND &&
           found == rule;
}

void listener_warn_of_circles(struct listener_build *build)
{
    const struct listener *listener = build->listener;
    for (unsigned i = 0; i < listener->rule_count; i++) {
        const struct rule *rule = &listener->rules[i];
        if (rule->auth.redirect && is_circle(build, rule))
            LISTENER_WARN(build, build->refuse_lines[i],
                          "refuse_with: rule %s (line %u) sends those it refuses to itself, where "
                          "they are refused again: send them to a rule with mutual_auth = off, or "
                          "to another host",
                          rule->name, rule->line);
    }
}
