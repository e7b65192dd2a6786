/* SPDX-License-Identifier: Apache-2.0 */
/* The four forms of a request target (RFC 9112 3.2). Its bytes are known to be printable and no
 * '#'. */
#include "lb/base/http1_scan.h"

static void cut_query(struct http_request *request)
{
    struct slice target = request->target;
    const char *end = target.at + target.length;
    const char *mark = memchr(target.at, '?', target.length);
    request->path = slice_between(target.at, mark ? mark : end);
    if (mark)
        request->query = slice_between(mark + 1, end);
}

/* What follows "http://" or "https://"; NULL: the target begins otherwise. */
static const char *behind_scheme(struct slice target)
{
    static const char *const schemes[] = {"http://", "https://"};
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        size_t length = strlen(schemes[i]);
        if (target.length >= length && strncasecmp(target.at, schemes[i], length) == 0)
            return target.at + length;
    }
    return NULL;
}

/*
 * "http://host:port/path": from then on the target is "/path". Without a path it is "/", or "*" for
 * OPTIONS (RFC 9112 3.2.4); a query without a path would have to be rewritten and is refused.
 */
static enum http_fault read_absolute(struct http_request *request,
                                     struct http_authority *ret_authority)
{
    const char *start = behind_scheme(request->target);
    const char *end = request->target.at + request->target.length;
    if (!start)
        return HTTP_BAD_TARGET;
    const char *path = start;
    while (path < end && *path != '/' && *path != '?')
        path++;
    if (!http_read_authority(slice_between(start, path), ret_authority) ||
        (path < end && *path == '?'))
        return HTTP_BAD_TARGET;
    if (path < end)
        request->target = slice_between(path, end);
    else
        request->target = slice_of(request->method == HTTP_OPTIONS ? "*" : "/");
    cut_query(request);
    return HTTP_FINE;
}

enum http_fault http_read_target(struct http_request *request, struct http_authority *ret_authority)
{
    ret_authority->text = (struct slice){NULL, 0};
    if (request->method == HTTP_CONNECT) {
        bool fine = http_read_authority(request->target, ret_authority) && ret_authority->port > 0;
        return fine ? HTTP_FINE : HTTP_BAD_TARGET;
    }
    if (request->target.at[0] == '/') {
        cut_query(request);
        return HTTP_FINE;
    }
    if (slice_is(request->target, "*")) {
        request->path = request->target;
        return request->method == HTTP_OPTIONS ? HTTP_FINE : HTTP_BAD_TARGET;
    }
    return read_absolute(request, ret_authority);
}
