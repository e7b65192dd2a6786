/* SPDX-License-Identifier: Apache-2.0 */
/* Paths are compared decoded and with dot segments removed, so a url is written that way. */
#include "listeners/load/rule_url.h"

#include <string.h>

#include "lb/base/error.h"

static bool kind_check(const char *text, struct error *err)
{
    if (text[0] == '~' || strncmp(text, "^~", 2) == 0)
        return error_set(err,
                         "url \"%s\": regular expressions (~, ~*, ^~) are not supported; write "
                         "/prefix or =/exact",
                         text);
    if (strstr(text, "://"))
        return error_set(err,
                         "url \"%s\" has a scheme and a host: write only the path here, and "
                         "the host as domain",
                         text);
    return true;
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
    if (path[0] != '/')
        return error_set(err, "url \"%s\" does not begin with \"/\": write /prefix or =/exact",
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
    bool is_exact = text[0] == '=';
    const char *path = is_exact ? text + 1 + strspn(text + 1, " \t") : text;
    if (!kind_check(text, err) || !path_check(text, path, err))
        return false;
    url->kind = is_exact ? RULE_URL_EXACT : RULE_URL_PREFIX;
    url->path = slice_of(path);
    return true;
}
