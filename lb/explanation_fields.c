/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/explanation_fields.h"

#include <stdlib.h>
#include <string.h>

#include "lb/admin/json_writer.h"
#include "lb/explanation.h"
#include "lb/forwarded.h"
#include "lb/request_id.h"
#include "listeners/client.h"

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
    memcpy(self->client.peer_host, question->from, sizeof question->from);
    return self;
}

static bool is_left_out(struct slice name, bool has_address)
{
    static const char *const of_address[] = {"X-Forwarded-For", "X-Real-IP", "Forwarded"};
    for (size_t i = 0; !has_address && i < sizeof of_address / sizeof *of_address; i++)
        if (slice_is(name, of_address[i]))
            return true;
    return slice_is(name, "X-Request-ID");
}

static void write_text(struct json_writer *writer, const char *key, struct slice text)
{
    char *copy = strndup(text.at, text.length);
    writer_text(writer, key, copy ? copy : "");
    free(copy);
}

/* "Name: value" lines behind the request line, up to the empty one. */
static void write_lines(struct json_writer *writer, struct slice head, bool has_address)
{
    const char *end = head.at + head.length;
    for (const char *at = memmem(head.at, head.length, "\r\n", 2); at && at + 2 < end;) {
        const char *name = at + 2;
        at = memmem(name, (size_t)(end - name), "\r\n", 2);
        const char *colon = at ? memmem(name, (size_t)(at - name), ": ", 2) : NULL;
        if (!colon)
            break;
        struct slice field = {name, (size_t)(colon - name)};
        if (is_left_out(field, has_address))
            continue;
        writer_object(writer, NULL);
        write_text(writer, "name", field);
        write_text(writer, "value", (struct slice){colon + 2, (size_t)(at - colon - 2)});
        writer_end(writer);
    }
}

void explanation_fields_write(struct json_writer *writer, const struct explanation *explanation)
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
    write_lines(writer, (struct slice){head ? head : "", length},
                explanation->question->from[0] != '\0');
    writer_end(writer);
    free(head);
    free(client);
}
