/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/admin/api_route.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lb/admin/api_query.h"

bool api_path_read(struct api_path *path, struct slice text)
{
    *path = (struct api_path){.text = strndup(text.at, text.length)};
    if (!path->text || path->text[0] != '/')
        return false;
    for (char *rest = path->text + 1; rest;) {
        char *segment = strsep(&rest, "/");
        if (path->count == API_SEGMENTS_MOST)
            return false;
        path->segments[path->count++] = segment;
        if (!api_decode(segment))
            return false;
    }
    return true;
}

void api_path_done(struct api_path *path)
{
    free(path->text);
    *path = (struct api_path){0};
}

static bool fits(const char *pattern, const struct api_path *path,
                 const char *parts[API_PARTS_MOST])
{
    unsigned part = 0, i = 0;
    for (; *pattern == '/' && i < path->count; i++) {
        const char *segment = path->segments[i];
        size_t length = strcspn(++pattern, "/");
        bool is_open = length == 2 && strncmp(pattern, "{}", 2) == 0;
        if (is_open ? *segment == '\0'
                    : strlen(segment) != length || strncmp(segment, pattern, length) != 0)
            return false;
        if (is_open)
            parts[part++] = segment;
        pattern += length;
    }
    return *pattern == '\0' && i == path->count;
}

static const char *method_name(enum http_method method)
{
    switch (method) {
    case HTTP_GET:
        return "GET, HEAD";
    case HTTP_POST:
        return "POST";
    case HTTP_PUT:
        return "PUT";
    case HTTP_PATCH:
        return "PATCH";
    case HTTP_DELETE:
        return "DELETE";
    case HTTP_HEAD:
    case HTTP_OPTIONS:
    case HTTP_TRACE:
    case HTTP_CONNECT:
    case HTTP_OTHER_METHOD:
        break;
    }
    return "";
}

const struct api_route *api_route_find(const struct api_route *routes, enum http_method method,
                                       const struct api_path *path,
                                       const char *parts[API_PARTS_MOST], char *allow,
                                       size_t allow_room)
{
    enum http_method wanted = method == HTTP_HEAD ? HTTP_GET : method;
    size_t used = 0;
    allow[0] = '\0';
    for (const struct api_route *route = routes; route->path; route++) {
        if (!fits(route->path, path, parts))
            continue;
        if (route->method == wanted)
            return route;
        if (used < allow_room)
            used += (size_t)snprintf(allow + used, allow_room - used, "%s%s", used ? ", " : "",
                                     method_name(route->method));
    }
    return NULL;
}
