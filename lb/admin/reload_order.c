/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/admin/reload_order.h"

#include "lb/admin/admin.h"
#include "lb/admin/api.h"
#include "lb/base/log.h"

static void write_problem(struct json_writer *writer, const struct problem *problem)
{
    writer_object(writer, NULL);
    writer_text(writer, "file", problem->file);
    writer_number(writer, "line", problem->line);
    writer_text(writer, "severity", problem->warning ? "warning" : "error");
    writer_text(writer, "text", problem->text);
    writer_end(writer);
}

void reload_order_write(struct json_writer *writer, bool is_in_force,
                        const struct problems *problems)
{
    writer_array(writer, is_in_force ? "warnings" : "problems");
    for (size_t i = 0; i < problems->count; i++)
        write_problem(writer, &problems->items[i]);
    writer_end(writer);
}

static void on_reloaded(void *arg, bool is_in_force, const struct problems *problems)
{
    struct api_request *request = arg;
    struct json_writer writer = {0};
    writer_object(&writer, NULL);
    writer_flag(&writer, "reloaded", is_in_force);
    reload_order_write(&writer, is_in_force, problems);
    writer_end(&writer);
    api_answer(request, is_in_force ? 200 : 422, &writer);
}

void reload_order_post(struct api_request *request)
{
    struct admin_host *host = request->api->host;
    struct log_line line;
    api_audit(request, &line, "admin.reload");
    log_end(&line);
    host->reload(host, on_reloaded, request);
}
