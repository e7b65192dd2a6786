/* SPDX-License-Identifier: Apache-2.0 */
/* Paths are compared decoded and with dot segments removed, so a url is written that way. */
#include "listeners/load/rule_url.h"

#include <string.h>

#include "lb/base/error.h"
#include "lb/base/regex.h"

/* A mark that begins another one stands behind it. */
static const struct {
    const char *mark;
    enum rule_url_kind kind;
} marks[] = {
    {"^~", RULE_URL_FINAL}, {"=", RULE_URL_EXACT}, {"~*", RULE_URL_REGEX_ANY_CASE},
    {"~", RULE_URL_REGEX},  {"", RULE_URL_PREFIX},
};

const char *rule_url_mark(enum rule_url_kind kind)
{
    size_t i = 0;
    while (marks[i].kind != kind)
        i++;
    return marks[i].mark;
}

struct rule_url rule_url_split(const char *text)
{
    size_t i = 0;
    while (strncmp(text, marks[i].mark, strlen(marks[i].mark)) != 0)
        i++;
    const char *rest = text + strlen(marks[i].mark);
    if (marks[i].kind != RULE_URL_PREFIX)
        rest += strspn(rest, " \t");
    return (struct rule_url){marks[i].kind, slice_of(rest)};
}

static bool regex_text_check(const char *text, const char *pattern, enum rule_url_kind kind,
                             struct error *err)
{
    if (*pattern == '\0')
        return error_set(err,
                         "url \"%s\" has no regular expression: write one, as in ~ \\.php$, or "
                         "/prefix or =/exact",
                         text);
    return regex_check(pattern, kind == RULE_URL_REGEX_ANY_CASE ? REGEX_ANY_CASE : REGEX_AS_WRITTEN,
                       err);
}

static bool has_dot_segment(const char *path)
{
    for (const char *at = strchr(path, '/'); at; at = strchr(at + 1, '/')) {
        size_t length = strcspn(at + 1, "/");
        if ((length == 1 && at[1] == '.') || (length == 2 && at[1] == '.' && at[2] == '.'))
            return true;
    }
    return false;
}

static bool path_check(const char *text, const char *path, struct error *err)
{
    if (strstr(text, "://"))
        return error_set(err,
                         "url \"%s\" has a scheme and a host: write only the path here, and "
                         "the host as domain",
                         text);
    if (path[0] != '/')
        return error_set(err,
                         "url \"%s\" does not begin with \"/\": write /prefix, ^~/prefix, =/exact "
                         "or ~regex",
                         text);
    if (strchr(path, '%'))
        return error_set(err,
                         "url \"%s\" holds \"%%\": write the character itself, paths are decoded "
                         "before they are compared",
                         text);
    if (strchr(path, '*'))
        return error_set(err,
                         "url \"%s\" holds \"*\": leave it out, /prefix is for everything below "
                         "it, too",
                         text);
    size_t odd = strcspn(path, "?#;\\");
    if (path[odd] != '\0')
        return error_set(err,
                         "url \"%s\" holds \"%c\", which no path that is compared does: write "
                         "/prefix or =/exact",
                         text, path[odd]);
    if (strstr(path, "//") || has_dot_segment(path))
        return error_set(err,
                         "url \"%s\" holds an empty or a dot segment, which no path that is "
                         "compared does",
                         text);
    return true;
}

bool rule_url_parse(struct rule_url *url, const char *text, struct error *err)
{
    struct rule_url parts = rule_url_split(text);
    bool is_good = rule_url_is_regex(parts.kind)
                       ? regex_text_check(text, parts.text.at, parts.kind, err)
                       : path_check(text, parts.text.at, err);
    if (is_good)
        *url = parts;
    return is_good;
}
