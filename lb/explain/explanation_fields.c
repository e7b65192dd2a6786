/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/explain/explanation_fields.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lb/admin/json_writer.h"
#include "lb/exchange/forwarded.h"
#include "lb/exchange/request_id.h"
#include "lb/explain/explanation.h"
#include "listeners/client.h"
#include "listeners/identity_headers.h"

/* Stands where nobody has said from where the client comes. */
static const char unknown_address[] = "(the client's address)";

_Static_assert(sizeof unknown_address <= QUESTION_ADDRESS_BYTES, "it stands for an address");

/* The client as it would be: all that the head is written from. */
struct stand_in_client {
    struct door door;
    struct client client;
    struct request_ids ids;
};

static unsigned port_of(const struct question *question)
{
    return question->port || question->listener->address_count == 0
               ? question->port
               : address_port(&question->listener->addresses[0]);
}

static struct stand_in_client *client_new(const struct explanation *explanation)
{
    const struct question *question = explanation->question;
    struct stand_in_client *self = calloc(1, sizeof *self);
    if (!self)
        return NULL;
    self->door.listener = question->listener;
    self->client.door = &self->door;
    self->client.requests = 1;
    self->client.handshake.listener = question->listener;
    self->client.handshake.domain = explanation->settled;
    self->client.handshake.identity = explanation->identity;
    self->client.local_port = (uint16_t)port_of(question);
    snprintf(self->client.peer_host, sizeof self->client.peer_host, "%s",
             *question->from ? question->from : unknown_address);
    return self;
}

static void write_text(struct json_writer *writer, const char *key, struct slice text)
{
    char *copy = strndup(text.at, text.length);
    writer_text(writer, key, copy ? copy : "");
    free(copy);
}

/* "Name: value" lines, up to an empty one or the end. */
static void write_lines(struct json_writer *writer, struct slice lines)
{
    const char *end = lines.at + lines.length;
    for (const char *name = lines.at; name < end;) {
        const char *stop = memmem(name, (size_t)(end - name), "\r\n", 2);
        const char *colon = stop ? memmem(name, (size_t)(stop - name), ": ", 2) : NULL;
        if (!colon)
            break;
        struct slice field = {name, (size_t)(colon - name)};
        name = stop + 2;
        if (slice_is(field, "X-Request-ID")) /* of each request another one */
            continue;
        writer_object(writer, NULL);
        write_text(writer, "name", field);
        write_text(writer, "value", (struct slice){colon + 2, (size_t)(stop - colon - 2)});
        writer_end(writer);
    }
}

/* What stands behind the request line. */
static struct slice behind_first_line(const char *head, size_t length)
{
    const char *stop = head ? memmem(head, length, "\r\n", 2) : NULL;
    return stop ? (struct slice){stop + 2, length - (size_t)(stop + 2 - head)}
                : (struct slice){"", 0};
}

static void write_backend_fields(struct json_writer *writer, const struct explanation *explanation)
{
    struct stand_in_client *client = client_new(explanation);
    struct forwarding forwarding = {.rule = explanation->decision.rule,
                                    .request = &explanation->question->request,
                                    .now = explanation->explainer->now,
                                    .client_id = explanation->decision.client_id};
    if (client) {
        forwarding.client = &client->client;
        forwarding.ids = &client->ids;
    }
    size_t room = client ? forwarded_room(&forwarding) : 0;
    char *head = room ? malloc(room) : NULL;
    size_t length = head ? forwarded_write(&forwarding, head, room) : 0;
    writer->has_failed |= length == 0;
    writer_array(writer, "backend_fields");
    write_lines(writer, behind_first_line(head, length));
    writer_end(writer);
    free(head);
    free(client);
}

/* What lb adds to the backend's answer. */
static void write_client_fields(struct json_writer *writer, const struct explanation *explanation)
{
    const struct rule *rule = explanation->decision.rule;
    const struct identity_headers headers =
        identity_headers_find(rule->client_headers.to_client, &rule->auth, explanation->identity,
                              explanation->explainer->now);
    char *text = headers.bytes > 0 ? malloc(headers.bytes) : NULL;
    size_t length = text && !headers.is_lost ? identity_headers_put(&headers, text) : 0;
    writer->has_failed |= headers.is_lost || (headers.bytes > 0 && !text);
    writer_array(writer, "client_fields");
    write_lines(writer, (struct slice){text ? text : "", length});
    writer_end(writer);
    free(text);
}

void explanation_fields_write(struct json_writer *writer, const struct explanation *explanation)
{
    write_backend_fields(writer, explanation);
    write_client_fields(writer, explanation);
    writer_flag(writer, "fields_first_only", explanation->decision.rule->client_headers.first_only);
}
