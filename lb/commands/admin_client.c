/* SPDX-License-Identifier: Apache-2.0 */
/* One request a connection, which the end of the answer closes. */
#include "lb/commands/admin_client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lb/base/http1.h"
#include "lb/base/limits.h"
#include "lb/commands/arguments.h"
#include "lb/commands/commands.h"

enum { FIRST_BYTES = 64 * 1024 };

/* --- where ---------------------------------------------------------------------------------- */

static const char *usual_file(void)
{
    static const char *const files[] = {"lb.ini", "/etc/lb/lb.ini"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (access(files[i], F_OK) == 0)
            return files[i];
    return NULL;
}

static int told(const char *verb, const struct error *err)
{
    fprintf(stderr, "lb %s: %s\n", verb, err->text);
    return COMMAND_FAILED;
}

static int place(struct admin_client *client, const char *verb)
{
    const struct admin_credentials *said = &client->credentials;
    const struct admin_address *address = &client->address;
    if (address->is_off)
        return COMMAND_DONE;
    client->where = address->path ? arena_format(&client->arena, "unix:%s", address->path)
                                  : arena_copy(&client->arena, address->tcp.text);
    if (address->path && (said->certificate || said->key || said->ca))
        return command_misused(verb,
                               "%s is a socket file: --admin-cert, --admin-key and --admin-ca "
                               "are for --admin HOST:PORT",
                               client->where);
    if (address->path || (said->certificate && said->key && said->ca))
        return COMMAND_DONE;
    return command_misused(verb,
                           "%s is asked over TLS: say --admin-cert FILE, --admin-key FILE and "
                           "--admin-ca FILE, too",
                           client->where);
}

static int find_by_file(struct admin_client *client, const char *verb, const char *file)
{
    struct error err;
    client->file = file;
    return admin_address_of_file(&client->address, file, &client->arena, &err) ? place(client, verb)
                                                                               : told(verb, &err);
}

static int find_by_address(struct admin_client *client, const char *verb, const char *text)
{
    struct error err;
    static const char scheme[] = "https://";
    const char *here = option_folder("lb.ini", &client->arena);
    if (strncmp(text, scheme, strlen(scheme)) == 0)
        text = arena_format(&client->arena, "%.*s", (int)strcspn(text + strlen(scheme), "/"),
                            text + strlen(scheme));
    if (!admin_address_parse(&client->address, text, here, &client->arena, &err))
        return command_misused(verb, "--admin: %s", err.text);
    if (client->address.is_off)
        return command_misused(verb, "--admin off is nobody: write unix:PATH");
    return place(client, verb);
}

int admin_client_find(struct admin_client *client, const char *verb,
                      const struct arguments *arguments)
{
    *client = (struct admin_client){.credentials = arguments->credentials};
    if (arguments->admin && arguments->config_file)
        return command_misused(verb, "-c and --admin both say which lb: one is enough");
    if (arguments->admin)
        return find_by_address(client, verb, arguments->admin);
    const char *file = arguments->config_file ? arguments->config_file : usual_file();
    if (file)
        return find_by_file(client, verb, file);
    return command_misused(verb, "say which lb with -c FILE, its INI file (there is neither lb.ini "
                                 "here nor /etc/lb/lb.ini)");
}

int admin_client_open(struct admin_client *client, const char *verb,
                      const struct arguments *arguments)
{
    struct error err;
    int status = admin_client_find(client, verb, arguments);
    if (status != COMMAND_DONE || !client->address.is_off)
        return status;
    error_set(&err, "%s says that nobody can ask its lb: address = off in [admin]", client->file);
    return told(verb, &err);
}

void admin_client_done(struct admin_client *client)
{
    arena_done(&client->arena);
}

/* --- asking --------------------------------------------------------------------------------- */

static bool is_nobody_there(void)
{
    return errno == ENOENT || errno == ECONNREFUSED || errno == ENOTDIR;
}

static bool explain_connect(const struct admin_client *client, struct error *err)
{
    const char *where = client->where;
    if (is_nobody_there() && !client->file)
        return error_set(err, "no lb answers at %s: is it running?", where);
    if (is_nobody_there())
        return error_set(err,
                         "no lb answers at %s: is it running with %s? If [admin] address was "
                         "changed since it started, --admin unix:OLD asks it",
                         where, client->file);
    if (errno == EACCES || errno == EPERM)
        return error_set(err, "%s: %s: only root and the user that lb runs as may ask it", where,
                         strerror(errno));
    if (errno == EAGAIN)
        return error_set(err, "%s: lb does not answer: it has too much to do", where);
    return error_set(err, "%s: %s", where, strerror(errno));
}

static bool explain_silence(const char *where, unsigned timeout_ms, struct error *err)
{
    if (errno == EAGAIN || errno == EWOULDBLOCK)
        return error_set(err, "%s: no answer within %us", where, timeout_ms / 1000);
    return error_set(err, "%s: %s", where, errno == EPROTO ? admin_wire_fault() : strerror(errno));
}

struct received {
    char *bytes;
    size_t length;
    size_t room;
};

static bool make_room(struct received *received, struct error *err)
{
    if (received->length < received->room)
        return true;
    size_t room = received->room ? 2 * received->room : FIRST_BYTES;
    if (room > ADMIN_ANSWER_BYTES)
        return error_set(err, "the answer is larger than %d bytes", ADMIN_ANSWER_BYTES);
    char *bytes = realloc(received->bytes, room);
    if (!bytes)
        return error_set(err, "out of memory");
    received->bytes = bytes;
    received->room = room;
    return true;
}

static bool receive_all(struct admin_wire *wire, const char *where, unsigned timeout_ms,
                        struct received *received, struct error *err)
{
    for (;;) {
        if (!make_room(received, err))
            return false;
        ssize_t got = admin_wire_receive(wire, received->bytes + received->length,
                                         received->room - received->length);
        if (got == 0)
            return true;
        if (got < 0)
            return explain_silence(where, timeout_ms, err);
        received->length += (size_t)got;
    }
}

static bool read_reply(const struct received *received, const char *where,
                       struct admin_reply *ret_reply, struct error *err)
{
    struct http_answer head;
    enum http_fault fault;
    if (received->length == 0)
        return error_set(err, "%s: lb ended before it answered", where);
    if (http_parse_answer(&head, received->bytes, received->length, ANSWER_HEAD_BYTES, HTTP_GET,
                          &fault) != HTTP_COMPLETE)
        return error_set(err, "%s: what answers there is no lb", where);
    if (head.has_length && received->length - head.bytes < head.length)
        return error_set(err, "%s: lb ended within its answer", where);
    json_t *json = json_loadb(received->bytes + head.bytes, received->length - head.bytes, 0, NULL);
    if (!json)
        return error_set(err, "%s: what answers there (%u %s) is no lb of this version", where,
                         head.status, http_status_text(head.status));
    *ret_reply = (struct admin_reply){head.status, json};
    return true;
}

static char *write_head(const struct admin_call *call)
{
    char fields[96] = "";
    char *head;
    if (call->body)
        snprintf(fields, sizeof fields, "Content-Type: application/json\r\nContent-Length: %zu\r\n",
                 call->body_bytes);
    if (asprintf(&head, "%s %s HTTP/1.1\r\nHost: lb\r\nConnection: close\r\n%s\r\n", call->method,
                 call->path, fields) < 0)
        return NULL;
    return head;
}

/* Who answers before he has read all of it hangs up, and has answered all the same. */
static bool send_call(struct admin_wire *wire, const struct admin_call *call, const char *where,
                      struct error *err)
{
    char *head = write_head(call);
    if (!head)
        return error_set(err, "out of memory");
    bool sent = admin_wire_send(wire, head, strlen(head)) &&
                (!call->body || admin_wire_send(wire, call->body, call->body_bytes));
    free(head);
    return sent || errno == EPIPE || errno == ECONNRESET ||
           explain_silence(where, call->timeout_ms, err);
}

enum admin_outcome admin_client_call(const struct admin_client *client,
                                     const struct admin_call *call, struct admin_reply *ret_reply,
                                     struct error *err)
{
    const char *where = client->where;
    struct received received = {0};
    struct admin_wire wire;
    enum admin_wire_outcome outcome =
        admin_wire_open(&wire, &client->address, &client->credentials, call->timeout_ms, err);
    if (outcome == ADMIN_WIRE_NOBODY) {
        bool nobody = is_nobody_there();
        explain_connect(client, err);
        return nobody ? ADMIN_NOBODY : ADMIN_FAILED;
    }
    if (outcome == ADMIN_WIRE_FAILED)
        return ADMIN_FAILED;
    bool good = send_call(&wire, call, where, err) &&
                receive_all(&wire, where, call->timeout_ms, &received, err) &&
                read_reply(&received, where, ret_reply, err);
    free(received.bytes);
    admin_wire_close(&wire);
    return good ? ADMIN_ANSWERED : ADMIN_FAILED;
}

bool admin_client_ask(const struct admin_client *client, const char *method, const char *path,
                      unsigned timeout_ms, struct admin_reply *ret_reply, struct error *err)
{
    const struct admin_call call = {.method = method, .path = path, .timeout_ms = timeout_ms};
    return admin_client_call(client, &call, ret_reply, err) == ADMIN_ANSWERED;
}

const char *admin_reply_error(const struct admin_reply *reply)
{
    const json_t *error = json_object_get(reply->json, "error");
    const char *text = json_string_value(json_object_get(error, "text"));
    return text ? text : http_status_text(reply->status);
}

json_t *admin_client_get(const struct admin_client *client, const char *verb, const char *method,
                         const char *path)
{
    struct admin_reply reply;
    struct error err;
    if (!admin_client_ask(client, method, path, ADMIN_CLIENT_ASK_MS, &reply, &err)) {
        told(verb, &err);
        return NULL;
    }
    if (reply.status == 200)
        return reply.json;
    fprintf(stderr, "lb %s: %s\n", verb, admin_reply_error(&reply));
    json_decref(reply.json);
    return NULL;
}
