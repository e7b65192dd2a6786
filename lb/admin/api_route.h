/* SPDX-License-Identifier: Apache-2.0 */
/* Which route of the API does a path mean? */
#ifndef LB_ADMIN_API_ROUTE_H
#define LB_ADMIN_API_ROUTE_H

#include <stdbool.h>
#include <stddef.h>

#include "lb/base/http1.h"

struct api_request;

/** One row of the table. */
struct api_route {
    enum http_method method;
    const char *path;  /* "/v1/backends/{}/{}/drain": {} is any segment that is not empty */
    size_t body_bytes; /* the largest body it takes; 0: none */
    void (*handle)(struct api_request *request);
    const char *const *keys; /* of its query, closed by NULL; NULL: it takes none */
};

/** For a route whose handler looks at the keys of its query itself. */
extern const char *const api_keys_of_handler[];

/** Closed by a row without a path. */
extern const struct api_route api_routes[];

enum { API_SEGMENTS_MOST = 8, API_PARTS_MOST = 4 };

/** A path cut at its slashes, each segment decoded. */
struct api_path {
    char *text; /* owned */
    unsigned count;
    const char *segments[API_SEGMENTS_MOST];
};

/** Fails: out of memory, too many segments, an escape that is none or means NUL.
 * api_path_done after true and false alike. */
bool api_path_read(struct api_path *path, struct slice text);
void api_path_done(struct api_path *path);

/**
 * The route of a method and a path (HEAD is answered like GET).
 *
 * parts     what the {} of the route stand for, in their order; lent as long as the path
 * allow     when there is none of this method: the methods of this path, as for an Allow field;
 *           empty: the path means nothing
 * returns   NULL: none
 */
const struct api_route *api_route_find(const struct api_route *routes, enum http_method method,
                                       const struct api_path *path,
                                       const char *parts[API_PARTS_MOST], char *allow,
                                       size_t allow_room);

#endif
