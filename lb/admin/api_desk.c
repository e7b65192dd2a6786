/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A registry's desk closes without a word of its own: it is gone when the loop has run its closing
 * handles once. So the loop turns twice in idle, first to close the desk (who calls may stand in a
 * callback of that very desk), then to know that it is closed.
 */
#include "lb/admin/api_desk.h"

#include <stdlib.h>
#include <uv.h>

#include "lb/admin/api.h"
#include "listeners/registry/registry.h"

struct api_desk {
    struct registry_desk desk;
    uv_idle_t ending;
    bool is_closed;
    void (*closed)(void *arg);
    void *arg;
};

struct registry_desk *api_desk_of(struct api *api)
{
    if (api->desk)
        return &api->desk->desk;
    struct api_desk *desk = calloc(1, sizeof *desk);
    if (!desk)
        return NULL;
    if (!registry_desk_open(&desk->desk, api->loop)) {
        free(desk);
        return NULL;
    }
    uv_idle_init(api->loop, &desk->ending);
    uv_unref((uv_handle_t *)&desk->ending);
    desk->ending.data = desk;
    api->desk = desk;
    return &desk->desk;
}

static void on_ended(uv_handle_t *handle)
{
    struct api_desk *desk = handle->data;
    void (*closed)(void *arg) = desk->closed;
    void *arg = desk->arg;
    free(desk);
    closed(arg);
}

static void on_idle(uv_idle_t *idle)
{
    struct api_desk *desk = idle->data;
    if (desk->is_closed)
        uv_close((uv_handle_t *)idle, on_ended);
    else
        registry_desk_close(&desk->desk);
    desk->is_closed = true;
}

void api_desk_close(struct api_desk *desk, void (*closed)(void *arg), void *arg)
{
    desk->closed = closed;
    desk->arg = arg;
    uv_ref((uv_handle_t *)&desk->ending);
    uv_idle_start(&desk->ending, on_idle);
}
