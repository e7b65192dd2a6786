/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 9110 7.6 (what a proxy removes), RFC 7239 (Forwarded), the X-Forwarded family, identity
 * fields. */
#include "lb/exchange/forwarded.h"

#include <string.h>

#include "lb/base/draft.h"
#include "lb/exchange/request_id.h"
#include "listeners/client.h"
#include "listeners/client_id.h"

/* Besides the client's own head: names, addresses, Forwarded, the id, framing, a pool's name as
 * Host, all at their longest, are 521. Small, so that most heads are kept in a small buffer. */
enum { OWN_FIELDS_BYTES = 640 };

static bool is_alphanumeric(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9');
}

/** `_` reads as `-` behind CGI and WSGI, and every byte that is neither letter nor digit behind
 * some servers: all spellings of a name that lb vouches for are stripped. */
static enum http_name name_with_dashes(struct slice name)
{
    char dashed[32];
    bool is_spelled_otherwise = false;
    if (name.length >= sizeof dashed) {
        return HTTP_OTHER_FIELD;
    }
    for (size_t i = 0; i < name.length; i++) {
        dashed[i] = is_alphanumeric(name.at[i]) ? name.at[i] : '-';
        is_spelled_otherwise = is_spelled_otherwise || dashed[i] != name.at[i];
    }
    return is_spelled_otherwise ? http_name_of((struct slice){dashed, name.length})
                                : HTTP_OTHER_FIELD;
}

/** Of a name that lb does not act on: is it one that says who the client is? */
static bool is_of_identity(const struct rule *rule, struct slice name)
{
    if (rule->client_id_fields && client_id_fields_have(rule->client_id_fields, name)) {
        return true;
    }
    return identity_header_is_known(name);
}

bool forwarded_strips(const struct rule *rule, const struct http_field *field)
{
    enum http_name name = field->known;
    if (name == HTTP_OTHER_FIELD) {
        name = name_with_dashes(field->name);
    }
    if (name == HTTP_OTHER_FIELD) {
        return is_of_identity(rule, field->name);
    }
    /* Any spelling of these is lb's own business; a client's X-Forwarded-For is read, never copied.
     */
    if (name != field->known) {
        return true;
    }
    return name == HTTP_X_FORWARDED_FOR || name == HTTP_X_FORWARDED_PROTO ||
           name == HTTP_X_FORWARDED_HOST || name == HTTP_X_FORWARDED_PORT ||
           name == HTTP_X_REAL_IP || name == HTTP_FORWARDED || name == HTTP_X_REQUEST_ID ||
           name == HTTP_HOST || name == HTTP_CONTENT_LENGTH || name == HTTP_TRANSFER_ENCODING ||
           name == HTTP_EXPECT || name == HTTP_HTTP2_SETTINGS;
}

static void put_request_line(struct draft *draft, struct forwarding *forwarding)
{
    const struct http_request *request = forwarding->request;
    forwarding->method = draft_put(draft, request->method_text);
    draft_text(draft, " ");
    forwarding->uri = draft_put(draft, request->target);
    draft_text(draft, " HTTP/1.1\r\n");
    /* An HTTP/1.0 client need not name a host, an HTTP/1.1 backend wants one: the pool's name. */
    if (request->authority.length > 0) {
        forwarding->host = draft_field(draft, slice_of("Host"), request->authority);
    } else {
        draft_field(draft, slice_of("Host"), slice_of(forwarding->rule->options->pool));
    }
}

static void put_client_fields(struct draft *draft, struct forwarding *forwarding)
{
    const struct http_request *request = forwarding->request;
    for (unsigned i = 0; i < request->field_count; i++) {
        const struct http_field *field = &request->fields[i];
        if (field->hop_by_hop || forwarded_strips(forwarding->rule, field)) {
            continue;
        }
        struct slice value = draft_field(draft, field->name, field->value);
        if (field->known == HTTP_USER_AGENT) {
            forwarding->user_agent = value;
        } else if (field->known == HTTP_REFERER) {
            forwarding->referer = value;
        }
    }
}

static void put_forwarded_for(struct draft *draft, const struct forwarding *forwarding)
{
    const struct http_request *request = forwarding->request;
    const struct client *client = forwarding->client;
    draft_text(draft, "X-Forwarded-For: ");
    if (http_request_has(request, HTTP_X_FORWARDED_FOR) &&
        client->door->listener->options->forwarded_for == FORWARDED_FOR_APPEND) {
        for (unsigned i = 0; i < request->field_count; i++) {
            const struct http_field *field = &request->fields[i];
            if (field->known == HTTP_X_FORWARDED_FOR && field->value.length > 0) {
                draft_put(draft, field->value);
                draft_text(draft, ", ");
            }
        }
    }
    draft_text(draft, client->peer_host);
    draft_text(draft, "\r\n");
}

static void put_forwarded(struct draft *draft, const struct forwarding *forwarding,
                          const char *proto)
{
    const struct client *client = forwarding->client;
    if (!client->door->listener->options->forwarded) {
        return;
    }
    bool v6 = strchr(client->peer_host, ':') != NULL;
    draft_text(draft, v6 ? "Forwarded: for=\"[" : "Forwarded: for=");
    draft_text(draft, client->peer_host);
    draft_text(draft, v6 ? "]\"" : "");
    draft_text(draft, ";proto=");
    draft_text(draft, proto);
    if (forwarding->request->authority.length > 0) {
        draft_text(draft, ";host=\"");
        draft_put(draft, forwarding->request->authority);
        draft_text(draft, "\"");
    }
    draft_text(draft, "\r\n");
}

static void put_addresses(struct draft *draft, const struct forwarding *forwarding)
{
    const struct client *client = forwarding->client;
    const char *proto =
        client->door->listener->options->protocol == LISTENER_HTTPS ? "https" : "http";
    put_forwarded_for(draft, forwarding);
    draft_field(draft, slice_of("X-Forwarded-Proto"), slice_of(proto));
    if (forwarding->request->authority.length > 0) {
        draft_field(draft, slice_of("X-Forwarded-Host"), forwarding->request->authority);
    }
    draft_text(draft, "X-Forwarded-Port: ");
    draft_number(draft, client->local_port, 1);
    draft_text(draft, "\r\n");
    draft_field(draft, slice_of("X-Real-IP"), slice_of(client->peer_host));
    put_forwarded(draft, forwarding, proto);
}

/** The client's own, if it is fit; length 0: none is. */
static struct slice request_id_of(const struct http_request *request)
{
    if (!http_request_has(request, HTTP_X_REQUEST_ID)) {
        return (struct slice){NULL, 0};
    }
    for (unsigned i = 0; i < request->field_count; i++) {
        const struct http_field *field = &request->fields[i];
        if (field->known == HTTP_X_REQUEST_ID && request_id_is_fit(field->value)) {
            return field->value;
        }
    }
    return (struct slice){NULL, 0};
}

static void put_request_id(struct draft *draft, struct forwarding *forwarding)
{
    char made[REQUEST_ID_LENGTH];
    struct slice id = request_id_of(forwarding->request);
    if (id.length == 0) {
        request_id_write(forwarding->ids, made);
        id = (struct slice){made, sizeof made};
    }
    forwarding->request_id = draft_field(draft, slice_of("X-Request-ID"), id);
}

static void put_identity(struct draft *draft, const struct forwarding *forwarding)
{
    const struct identity_headers *identity = &forwarding->identity;
    if (identity->presets == 0)
        return;
    if (identity->is_lost || identity->bytes > draft->room - draft->used)
        draft->fits = false;
    else
        draft->used += identity_headers_put(identity, draft->at + draft->used);
}

static void put_client_id(struct draft *draft, struct forwarding *forwarding)
{
    if (forwarding->rule->client_id_header.length > 0 && forwarding->client_id.length > 0) {
        forwarding->client_id =
            draft_field(draft, forwarding->rule->client_id_header, forwarding->client_id);
    }
}

bool forwarded_upgrades(const struct http_request *request)
{
    return request->wants_upgrade && !http_list_has(request->upgrade, "h2c");
}

static bool takes_trailers(const struct http_request *request)
{
    if (!http_request_has(request, HTTP_TE)) {
        return false;
    }
    for (unsigned i = 0; i < request->field_count; i++) {
        const struct http_field *field = &request->fields[i];
        if (field->known == HTTP_TE && http_list_has(field->value, "trailers")) {
            return true;
        }
    }
    return false;
}

static void put_framing(struct draft *draft, const struct http_request *request)
{
    if (request->framing == HTTP_CHUNKED) {
        draft_text(draft, "Transfer-Encoding: chunked\r\n");
    } else if (request->framing == HTTP_LENGTH) {
        draft_text(draft, "Content-Length: ");
        draft_number(draft, request->length, 1);
        draft_text(draft, "\r\n");
    }
    if (request->expects_continue) {
        draft_text(draft, "Expect: 100-continue\r\n");
    }
    if (forwarded_upgrades(request)) {
        draft_text(draft, "Connection: Upgrade\r\n");
        draft_field(draft, slice_of("Upgrade"), request->upgrade);
    } else if (takes_trailers(request)) {
        draft_text(draft, "Connection: TE\r\nTE: trailers\r\n");
    }
}

bool forwarded_tells(const struct rule *rule, const struct client *client)
{
    return !rule->client_headers.first_only || client->requests <= 1;
}

size_t forwarded_room(struct forwarding *forwarding)
{
    const struct rule *rule = forwarding->rule;
    const struct client *client = forwarding->client;
    unsigned presets = forwarded_tells(rule, client) ? rule->client_headers.to_backend : 0;
    forwarding->identity =
        identity_headers_find(presets, &rule->auth, client->handshake.identity, forwarding->now);
    /* Host stands in the head three times at most, X-Forwarded-Host and Forwarded included. */
    return 2 * forwarding->request->bytes + OWN_FIELDS_BYTES +
           2 * forwarding->request->authority.length + rule->client_id_header.length +
           forwarding->client_id.length + forwarding->identity.bytes;
}

size_t forwarded_write(struct forwarding *forwarding, char *into, size_t room)
{
    struct draft draft = draft_in(into, room);
    put_request_line(&draft, forwarding);
    put_client_fields(&draft, forwarding);
    put_addresses(&draft, forwarding);
    put_request_id(&draft, forwarding);
    put_identity(&draft, forwarding);
    put_client_id(&draft, forwarding);
    put_framing(&draft, forwarding->request);
    draft_text(&draft, "\r\n");
    return draft.fits ? draft.used : 0;
}
