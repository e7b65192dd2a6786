/* SPDX-License-Identifier: Apache-2.0 */
#include "listeners/load/access_section.h"

#include <string.h>

#include "lb/base/arena.h"
#include "lb/base/error.h"
#include "lb/base/nearest.h"
#include "listeners/load/rule_domain.h"
#include "listeners/rules/redirect.h"

static const char redirect_word[] = "redirect:";

static bool action_unknown(const char *text, struct error *err)
{
    struct nearest nearest = nearest_to(text);
    nearest_offer(&nearest, "block");
    nearest_offer(&nearest, "log");
    nearest_offer(&nearest, "redirect");
    return error_set(err, "\"%.200s\" is no action%s%s%s: write block, log or redirect:URL", text,
                     nearest.best ? ", did you mean " : "", nearest.best ? nearest.best : "",
                     nearest.best ? "?" : "");
}

static bool action_read(struct access_rule *rule, const char *text, struct arena *arena,
                        struct error *err)
{
    size_t length = strlen(redirect_word);
    if (strcmp(text, "block") == 0) {
        rule->action = ACCESS_BLOCK;
    } else if (strcmp(text, "log") == 0) {
        rule->action = ACCESS_LOG;
    } else if (strncmp(text, redirect_word, length) == 0) {
        rule->action = ACCESS_REDIRECT;
        rule->redirect =
            redirect_parse_refusal(text + length + strspn(text + length, " \t"), arena, err);
        return rule->redirect;
    } else {
        return action_unknown(text, err);
    }
    return true;
}

static const char *who(enum access_condition condition)
{
    switch (condition) {
    case ACCESS_VERIFIED:
        return "whose client is verified";
    case ACCESS_UNVERIFIED:
        return "whose client is not verified";
    case ACCESS_MISSING:
        return "whose client shows no certificate";
    case ACCESS_INVALID:
        return "whose client's certificate is not good";
    }
    return "";
}

static const char *what(enum access_action action)
{
    switch (action) {
    case ACCESS_BLOCK:
        return "blocks";
    case ACCESS_LOG:
        return "logs";
    case ACCESS_REDIRECT:
        return "redirects";
    }
    return "";
}

static void warn_of_every_host(const struct access_section *section, const char *file,
                               struct problems *problems)
{
    bool is_narrow = section->options->listener.count > 0;
    problems_warn(problems, file, section->rule.line,
                  "access %s has no domain: it %s every request%s %s, for whatever host; add "
                  "domain = the host that is meant",
                  section->rule.name, what(section->rule.action),
                  is_narrow ? " to its listeners" : "", who(section->rule.condition));
}

void access_section_read(struct access_section *section, struct arena *arena, const char *file,
                         struct problems *problems)
{
    const struct access_options *options = section->options;
    struct access_rule *rule = &section->rule;
    struct error err = {0};
    size_t errors_before = problems->error_count;
    rule->condition = (enum access_condition)options->client_certificate;
    section->pattern = "";
    if (options->domain && !rule_domain_parse(options->domain, &section->pattern, arena, &err))
        problems_add(problems, file, options->domain_line, "%s", err.text);
    if (!rule_url_parse(&section->url, options->url, &err))
        problems_add(problems, file, options->url_line, "%s", err.text);
    if (!action_read(rule, options->action, arena, &err))
        problems_add(problems, file, options->action_line, "%s", err.text);
    section->is_wrong = problems->error_count > errors_before;
    if (!section->is_wrong && !options->domain)
        warn_of_every_host(section, file, problems);
}

unsigned access_section_wants(const struct access_section *section)
{
    switch (section->rule.condition) {
    case ACCESS_VERIFIED:
        return ACCESS_OF_VERIFIED;
    case ACCESS_MISSING:
        return ACCESS_OF_MISSING;
    case ACCESS_INVALID:
        return ACCESS_OF_INVALID;
    case ACCESS_UNVERIFIED:
        break;
    }
    return ACCESS_OF_MISSING | ACCESS_OF_INVALID;
}

bool access_url_takes(const struct rule_url *url, struct slice path)
{
    struct slice text = url->text;
    bool is_folder = text.at[text.length - 1] == '/';
    if (slice_equal(path, text))
        return true;
    if (url->kind == RULE_URL_EXACT)
        return false;
    if (is_folder && path.length == text.length - 1)
        return memcmp(path.at, text.at, path.length) == 0 && path.length > 0;
    return path.length > text.length && memcmp(path.at, text.at, text.length) == 0 &&
           (is_folder || path.at[text.length] == '/');
}
