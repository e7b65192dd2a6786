/* SPDX-License-Identifier: Apache-2.0 */
#include "listeners/load/access_wider.h"

#include <string.h>

#include "lb/base/arena.h"
#include "listeners/load/rule_domain.h"

/* "*.example.com" and "*.com" of "www.example.com"; a pattern's own dots behind "*" come later. */
static bool visit_suffixes(const char *pattern, access_wider_visitor visit, void *arg)
{
    char text[RULE_DOMAIN_BYTES + 1] = "*";
    for (const char *dot = strchr(pattern + 1, '.'); dot; dot = strchr(dot + 1, '.')) {
        size_t length = strlen(dot);
        if (length + 1 >= sizeof text)
            continue;
        memcpy(text + 1, dot, length + 1);
        if (strcmp(text, pattern) != 0 && visit(arg, (struct slice){text, length + 1}))
            return true;
    }
    return false;
}

/* "www.*" and "www.example.*" of "www.example.com". */
static bool visit_prefixes(const char *pattern, access_wider_visitor visit, void *arg)
{
    char text[RULE_DOMAIN_BYTES + 1];
    for (const char *dot = strchr(pattern, '.'); dot; dot = strchr(dot + 1, '.')) {
        size_t length = (size_t)(dot - pattern) + 2;
        if (length >= sizeof text)
            break;
        memcpy(text, pattern, length - 1);
        text[length - 1] = '*';
        text[length] = '\0';
        if (strcmp(text, pattern) != 0 && visit(arg, (struct slice){text, length}))
            return true;
    }
    return false;
}

bool access_wider_visit(const char *pattern, access_wider_visitor visit, void *arg)
{
    if (visit(arg, slice_of(pattern)))
        return true;
    switch (rule_domain_kind_of(pattern)) {
    case RULE_DOMAIN_ANY:
        return false;
    case RULE_DOMAIN_NAME:
        if (visit_suffixes(pattern, visit, arg) || visit_prefixes(pattern, visit, arg))
            return true;
        break;
    case RULE_DOMAIN_SUFFIX:
        if (visit_suffixes(pattern, visit, arg))
            return true;
        break;
    case RULE_DOMAIN_PREFIX:
        if (visit_prefixes(pattern, visit, arg))
            return true;
        break;
    case RULE_DOMAIN_REGEX:
        break;
    }
    return visit(arg, slice_of(""));
}

const char *access_wider_sample(const char *pattern, struct arena *arena)
{
    switch (rule_domain_kind_of(pattern)) {
    case RULE_DOMAIN_NAME:
        return pattern;
    case RULE_DOMAIN_SUFFIX:
        return arena_format(arena, "a%s", pattern + 1);
    case RULE_DOMAIN_ANY:
    case RULE_DOMAIN_PREFIX:
    case RULE_DOMAIN_REGEX:
        break;
    }
    return "";
}
