/* SPDX-License-Identifier: Apache-2.0 */
/* What the scripted backend reads of a request; simple, and shares nothing with the program's own
 * parser. */
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/stub_backend.h"

/* Runs in a stub's thread: whatever is wrong ends the link, and the story sees that no answer came.
 */

static bool receive_until(struct stub_link *link, const char *mark, size_t *ret_end)
{
    for (;;) {
        text_add(&link->inbox, "", 0);
        const char *at = memmem(link->inbox.bytes, link->inbox.length, mark, strlen(mark));
        if (at != NULL) {
            *ret_end = (size_t)(at - link->inbox.bytes) + strlen(mark);
            return true;
        }
        if (!stub_receive(link))
            return false;
    }
}

static bool take(struct stub_link *link, size_t length, struct text *into)
{
    while (link->inbox.length < length)
        if (!stub_receive(link))
            return false;
    if (into != NULL && length > 0)
        text_add(into, link->inbox.bytes, length);
    if (length > 0)
        text_drop(&link->inbox, length);
    return true;
}

bool stub_read_head(struct stub_link *link, struct stub_request *request)
{
    size_t end;
    *request = (struct stub_request){0};
    text_add(&request->head, "", 0);
    text_add(&request->body, "", 0);
    text_add(&request->trailers, "", 0);
    return receive_until(link, "\r\n\r\n", &end) && take(link, end, &request->head);
}

static bool read_trailers(struct stub_link *link, struct stub_request *request)
{
    size_t end;
    while (receive_until(link, "\r\n", &end)) {
        if (end == 2)
            return take(link, 2, NULL);
        text_add(&request->trailers, "\r\n", 2);
        text_add(&request->trailers, link->inbox.bytes, end - 2);
        take(link, end, NULL);
    }
    return false;
}

static bool read_chunks(struct stub_link *link, struct stub_request *request)
{
    size_t end;
    while (receive_until(link, "\r\n", &end)) {
        size_t length = strtoul(link->inbox.bytes, NULL, 16);
        take(link, end, NULL);
        if (length == 0)
            return read_trailers(link, request);
        if (!take(link, length, &request->body) || !take(link, 2, NULL))
            return false;
    }
    return false;
}

static bool is_check(const struct stub_request *request)
{
    char value[64];
    return text_field(request->head.bytes, "User-Agent", value, sizeof value) &&
           strcmp(value, "lb-health-check") == 0;
}

bool stub_read(struct stub_link *link, struct stub_request *request)
{
    char value[64];
    if (!stub_read_head(link, request))
        return false;
    bool whole = true;
    if (text_field_count(request->head.bytes, "Expect") > 0)
        stub_say(link, "HTTP/1.1 100 Continue\r\n\r\n");
    if (text_field(request->head.bytes, "Transfer-Encoding", value, sizeof value))
        whole = read_chunks(link, request);
    else if (text_field(request->head.bytes, "Content-Length", value, sizeof value))
        whole = take(link, strtoul(value, NULL, 10), &request->body);
    if (whole)
        atomic_fetch_add(is_check(request) ? &link->stub->checks : &link->stub->requests, 1);
    return whole;
}

void stub_request_done(struct stub_request *request)
{
    text_done(&request->head);
    text_done(&request->body);
    text_done(&request->trailers);
}

static bool answer(struct stub_link *link, const struct stub_request *request)
{
    struct text text = {0};
    const char *head = request->head.bytes;
    const char *path = strchr(head, ' ');
    bool is_echo = path != NULL && strncmp(path, " /echo", 6) == 0;
    const char *body = is_echo ? head : link->stub->name;
    text_add_format(&text, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n",
                    strlen(body));
    text_add_format(&text, "X-Backend: %s\r\n\r\n", link->stub->name);
    if (strncmp(head, "HEAD ", 5) != 0)
        text_add(&text, body, strlen(body));
    bool sent = stub_send(link, text.bytes, text.length);
    text_done(&text);
    return sent;
}

void stub_answer_by_name(struct stub_link *link)
{
    struct stub_request request;
    while (stub_read(link, &request)) {
        bool sent = answer(link, &request);
        stub_request_done(&request);
        if (!sent)
            return;
    }
    stub_request_done(&request);
}

bool stub_websocket_accept(const char *head, char ret_accept[STUB_ACCEPT_BYTES])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned length;
    char key[128];
    if (!text_field(head, "Sec-WebSocket-Key", key, sizeof key / 2))
        return false;
    strcat(key, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    if (EVP_Digest(key, strlen(key), digest, &length, EVP_sha1(), NULL) != 1)
        return false;
    EVP_EncodeBlock((unsigned char *)ret_accept, digest, (int)length);
    return true;
}

bool stub_switch(struct stub_link *link, const struct stub_request *request, const char *text)
{
    struct text answer = {0};
    char accept[STUB_ACCEPT_BYTES];
    text_add_format(&answer, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
                             "Upgrade: websocket\r\n");
    if (stub_websocket_accept(request->head.bytes, accept))
        text_add_format(&answer, "Sec-WebSocket-Accept: %s\r\n", accept);
    text_add_format(&answer, "\r\n%s", text);
    bool sent = stub_send(link, answer.bytes, answer.length);
    text_done(&answer);
    return sent;
}
