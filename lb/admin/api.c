/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/admin/api.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lb/admin/api_query.h"
#include "lb/base/error.h"
#include "lb/base/log.h"
#include "listeners/answer/answer.h"
#include "listeners/client.h"

enum {
    PIECE_BYTES =
        64 * 1024, /* of an answer in one write: the loop's other clients have turns, too */
    REASON_BYTES = 1024,
};

/* --- life ---------------------------------------------------------------------------------- */

static struct api_request *request_new(struct api *api, struct stream *stream,
                                       const struct http_request *http)
{
    struct api_request *request = calloc(1, sizeof *request);
    char *query = strndup(http->query.at ? http->query.at : "", http->query.length);
    if (!request || !query) {
        free(request);
        free(query);
        return NULL;
    }
    request->api = api;
    request->stream = stream;
    request->query = query;
    stream->exchange = request;
    api->request_count++;
    return request;
}

/* The last thing: the admin may be gone afterwards. */
static void request_free(struct api_request *request)
{
    struct api *api = request->api;
    bool was_left = request->stream == NULL;
    if (api->inside == request)
        api->inside = NULL;
    buffer_give(api->buffers, &request->body);
    api_path_done(&request->path);
    free(request->query);
    json_decref(request->json);
    writer_done(&request->answer);
    free(request);
    api->request_count--;
    if (was_left)
        api->on_gone(api->admin);
}

static void finish(struct api_request *request, bool clean)
{
    struct stream *stream = request->stream;
    stream->ops->end(stream, clean);
    request_free(request);
}

/* --- answering ----------------------------------------------------------------------------- */

static void write_fields(const struct api_request *request, char *into, size_t room)
{
    const char *allow = request->allow;
    char retry[40] = "";
    if (request->retry_after_s > 0)
        snprintf(retry, sizeof retry, "Retry-After: %u\r\n", request->retry_after_s);
    snprintf(into, room, "Content-Type: %s\r\nCache-Control: no-store\r\n%s%s%s%s",
             request->media_type ? request->media_type : "application/json", allow ? "Allow: " : "",
             allow ? allow : "", allow ? "\r\n" : "", retry);
}

static struct slice next_piece(const struct api_request *request)
{
    size_t left = request->answer.length - request->written;
    return (struct slice){request->answer.bytes + request->written,
                          left < PIECE_BYTES ? left : PIECE_BYTES};
}

static enum stream_write write_piece(struct api_request *request)
{
    struct stream *stream = request->stream;
    struct slice piece = next_piece(request);
    request->written += piece.length;
    bool is_last = request->written == request->answer.length;
    if (request->has_head)
        return stream->ops->write_body(stream, piece, is_last);
    char fields[256];
    write_fields(request, fields, sizeof fields);
    request->has_head = true;
    const struct stream_head head = {
        .status = request->status,
        .reason = slice_of(http_status_text(request->status)),
        .extra = slice_of(fields),
        .framing = HTTP_LENGTH,
        .length = request->answer.length,
        .has_length = true,
        .has_body = true,
    };
    return stream->ops->write_head(stream, &head, piece, is_last);
}

/* As much as the client takes. The request may be gone afterwards. */
static void send_answer(struct api_request *request)
{
    enum stream_write write = STREAM_TAKEN;
    while (write == STREAM_TAKEN && request->written < request->answer.length)
        write = write_piece(request);
    if (write == STREAM_LOST)
        finish(request, false);
    else if (request->written == request->answer.length)
        finish(request, true);
}

void api_answer(struct api_request *request, unsigned status, struct json_writer *answer)
{
    struct stream *stream = request->stream;
    bool is_inside = request->api->inside == request;
    request->status = status;
    request->answer = *answer;
    *answer = (struct json_writer){0};
    request->state = API_ANSWERING;
    if (!stream) {
        request_free(request);
    } else if (request->answer.has_failed) {
        answer_write(stream, 503, "out-of-memory", NULL);
        finish(request, true);
    } else {
        send_answer(request);
    }
    if (stream && !is_inside)
        stream->ops->settle(stream);
}

void api_refuse(struct api_request *request, unsigned status, const char *reason,
                const char *format, ...)
{
    struct json_writer answer = {0};
    char text[REASON_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    writer_object(&answer, NULL);
    writer_object(&answer, "error");
    writer_text(&answer, "reason", reason);
    writer_text(&answer, "text", text);
    writer_end(&answer);
    writer_end(&answer);
    api_answer(request, status, &answer);
}

/* --- the body ------------------------------------------------------------------------------ */

/* false: it was refused. */
static bool read_json(struct api_request *request)
{
    json_error_t wrong;
    size_t length = buffer_length(request->body);
    if (length == 0)
        return true;
    request->json = json_loadb(request->body->data + request->body->start, length,
                               JSON_REJECT_DUPLICATES, &wrong);
    buffer_give(request->api->buffers, &request->body);
    if (request->json)
        return true;
    api_refuse(request, 400, "no-json", "the body is no JSON: line %d, column %d: %s", wrong.line,
               wrong.column, wrong.text);
    return false;
}

static void handle(struct api_request *request)
{
    if (!read_json(request))
        return;
    request->state = API_HANDLED;
    request->route->handle(request);
}

/* Large bodies grow by doubling: buffers of the pool end at half a MiB, and what is larger is
 * copied whole with each piece otherwise. */
static bool append(struct api_request *request, struct slice data, size_t most)
{
    struct buffer_pool *pool = request->api->buffers;
    size_t length = buffer_length(request->body);
    size_t room = data.length > length ? data.length : length;
    if (room > most - length)
        room = most - length;
    return buffer_reserve(pool, &request->body, room, most) &&
           buffer_append(pool, &request->body, data.at, data.length, most);
}

/* false: it was refused. */
static bool keep(struct api_request *request, struct slice data)
{
    size_t most = request->route->body_bytes;
    if (most == 0) {
        api_refuse(request, 413, "too-large", "no body is taken here");
        return false;
    }
    if (buffer_length(request->body) + data.length > most) {
        api_refuse(request, 413, "too-large", "the body is larger than %zu bytes", most);
        return false;
    }
    if (append(request, data, most))
        return true;
    api_refuse(request, 503, "out-of-memory", "out of memory");
    return false;
}

/* Who waits to be told that its body is welcome is told so. */
static void invite(struct api_request *request)
{
    struct stream *stream = request->stream;
    const struct stream_head head = {
        .status = 100, .reason = slice_of(http_status_text(100)), .interim = true};
    if (stream->holds_body)
        stream->ops->write_head(stream, &head, (struct slice){"", 0}, false);
}

static void read_body(struct api_request *request)
{
    struct stream *stream = request->stream;
    for (;;) {
        struct slice data;
        switch (stream->ops->read(stream, &data)) {
        case STREAM_DATA:
            if (!keep(request, data))
                return;
            break;
        case STREAM_AGAIN:
            return;
        case STREAM_END:
            handle(request);
            return;
        case STREAM_BAD:
            api_refuse(request, stream->fault_status, "bad-body", "%s", stream->fault_text);
            return;
        case STREAM_GONE:
            finish(request, false);
            return;
        }
    }
}

/* --- beginning ----------------------------------------------------------------------------- */

static void refuse_stranger(struct api_request *request, const struct http_request *http,
                            const struct error *why)
{
    struct log_line line;
    log_begin(&line, LOG_LEVEL_WARN, "admin.refused");
    api_peer_log(&request->peer, &line);
    log_text(&line, "message", why->text);
    log_bytes(&line, "method", http->method_text.at, http->method_text.length);
    log_bytes(&line, "path", http->path.at, http->path.length);
    log_end(&line);
    api_refuse(request, 403, "not-allowed", "%s", why->text);
}

/* Browsers say which page makes a call. One that somebody looks at whose browser has a certificate
 * for the admin must not steer lb with it. */
static bool is_of_a_page(const struct http_request *http)
{
    for (unsigned i = 0; i < http->field_count; i++)
        if (slice_is_nocase(http->fields[i].name, "Origin"))
            return true;
    return false;
}

static bool may_speak(struct api_request *request, const struct http_request *http,
                      struct error *why)
{
    if (!api_peer_find(&request->peer, request->stream->client, why))
        return false;
    return !is_of_a_page(http) || error_set(why, "pages of browsers may not speak to this lb");
}

static void start(struct api_request *request, const struct http_request *http)
{
    char allow[64];
    struct error why;
    if (!may_speak(request, http, &why)) {
        refuse_stranger(request, http, &why);
        return;
    }
    if (!api_path_read(&request->path, http->path)) {
        api_refuse(request, 404, "no-such-path", "there is nothing of this path");
        return;
    }
    request->route = api_route_find(api_routes, http->method, &request->path, request->parts, allow,
                                    sizeof allow);
    if (request->route && !api_query_fits(request, &why)) {
        api_refuse(request, 400, "bad-input", "%s", why.text);
    } else if (request->route) {
        invite(request);
        read_body(request);
    } else if (allow[0]) {
        request->allow = allow; /* the head is written within the call */
        api_refuse(request, 405, "wrong-method", "this path takes %s", allow);
    } else {
        api_refuse(request, 404, "no-such-path", "there is nothing of this path");
    }
}

/* --- what clients call --------------------------------------------------------------------- */

static void begin(void *roof, struct stream *stream, const struct http_request *http)
{
    struct api *api = roof;
    struct api_request *request = request_new(api, stream, http);
    if (!request) {
        answer_write(stream, 503, "out-of-memory", NULL);
        stream->ops->end(stream, true);
        return;
    }
    api->inside = request;
    start(request, http);
    api->inside = NULL;
}

static void advance(struct stream *stream, int events)
{
    struct api_request *request = stream->exchange;
    (void)events;
    if (!request)
        return;
    struct api *api = request->api;
    api->inside = request;
    switch (request->state) {
    case API_READING:
        read_body(request);
        break;
    case API_HANDLED:
        break;
    case API_ANSWERING:
        if (!stream->ops->is_full(stream))
            send_answer(request);
        break;
    }
    api->inside = NULL;
}

static void abandon(struct stream *stream, unsigned status, const char *why)
{
    struct api_request *request = stream->exchange;
    (void)status;
    (void)why;
    request->stream = NULL;
    if (request->state != API_HANDLED)
        request_free(request);
}

/* The client's side logged it. */
static void answered(void *roof, struct stream *stream, unsigned status, const char *why)
{
    (void)roof;
    (void)stream;
    (void)status;
    (void)why;
}

static void gone(void *roof, struct client *client)
{
    struct api *api = roof;
    (void)client;
    api->on_gone(api->admin);
}

const struct stream_events api_events = {
    .begin = begin,
    .advance = advance,
    .abandon = abandon,
    .answered = answered,
    .gone = gone,
};

/* --- for handlers -------------------------------------------------------------------------- */

void api_who(const struct api_request *request, char ret_who[API_WHO_BYTES])
{
    snprintf(ret_who, API_WHO_BYTES, "%s", request->peer.who);
}

void api_audit(const struct api_request *request, struct log_line *line, const char *event)
{
    log_begin(line, LOG_LEVEL_INFO, event);
    api_peer_log(&request->peer, line);
}
