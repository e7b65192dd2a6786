/* SPDX-License-Identifier: Apache-2.0 */
/* Reading answers: a second, simple reader that shares nothing with the program's own parser. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/peer.h"

/* The head's end is taken out of the inbox. */
static bool read_head(struct peer *peer, struct answer *answer)
{
    if (!peer_receive_until(peer, "\r\n\r\n"))
        return false;
    size_t length = (size_t)(strstr(peer->inbox.bytes, "\r\n\r\n") - peer->inbox.bytes) + 4;
    answer->head = strndup(peer->inbox.bytes, length);
    text_drop(&peer->inbox, length);
    ck_assert_msg(strncmp(answer->head, "HTTP/1.", 7) == 0, "no answer: %s", answer->head);
    answer->status = (unsigned)strtoul(answer->head + 9, NULL, 10);
    return true;
}

static bool take(struct peer *peer, size_t length, struct text *into)
{
    bool whole = peer_receive_bytes(peer, length);
    size_t got = whole ? length : peer->inbox.length;
    if (into != NULL)
        text_add(into, peer->inbox.bytes, got);
    text_drop(&peer->inbox, got);
    return whole;
}

/* One line with its CRLF, which is taken off. */
static bool take_line(struct peer *peer, char *line, size_t room)
{
    if (!peer_receive_until(peer, "\r\n"))
        return false;
    size_t length = (size_t)(strstr(peer->inbox.bytes, "\r\n") - peer->inbox.bytes);
    ck_assert_uint_lt(length, room);
    snprintf(line, room, "%.*s", (int)length, peer->inbox.bytes);
    text_drop(&peer->inbox, length + 2);
    return true;
}

static bool read_trailers(struct peer *peer, struct answer *answer)
{
    struct text lines = {0};
    char line[4096];
    bool whole;
    text_add(&lines, "", 0);
    while ((whole = take_line(peer, line, sizeof line)) && line[0] != '\0')
        text_add_format(&lines, "\r\n%s", line);
    answer->trailers = lines.bytes;
    return whole;
}

static bool read_chunks(struct peer *peer, struct answer *answer)
{
    char line[4096];
    while (take_line(peer, line, sizeof line)) {
        size_t length = strtoul(line, NULL, 16);
        if (length == 0)
            return read_trailers(peer, answer);
        if (!take(peer, length, &answer->body) || !take(peer, 2, NULL))
            return false;
    }
    return false;
}

static bool read_body(struct peer *peer, const char *method, struct answer *answer)
{
    char value[64];
    if (answer->status < 200 || answer->status == 204 || answer->status == 304 ||
        strcmp(method, "HEAD") == 0)
        return true;
    if (text_field(answer->head, "Transfer-Encoding", value, sizeof value)) {
        ck_assert_str_eq(value, "chunked");
        answer->is_chunked = true;
        return read_chunks(peer, answer);
    }
    if (text_field(answer->head, "Content-Length", value, sizeof value))
        return take(peer, strtoul(value, NULL, 10), &answer->body);
    peer_receive_all(peer);
    return take(peer, peer->inbox.length, &answer->body);
}

bool peer_read_answer(struct peer *peer, const char *method, struct answer *answer)
{
    *answer = (struct answer){0};
    text_add(&answer->body, "", 0);
    if (!read_head(peer, answer))
        return false;
    answer->is_complete = read_body(peer, method, answer);
    return true;
}

void answer_done(struct answer *answer)
{
    free(answer->head);
    free(answer->trailers);
    text_done(&answer->body);
}

unsigned peer_ask(struct peer *peer, const char *request)
{
    struct answer answer;
    if (!peer_say(peer, request))
        return 0;
    unsigned status = 0;
    const char *method = strncmp(request, "HEAD ", 5) == 0 ? "HEAD" : "";
    do {
        status = peer_read_answer(peer, method, &answer) ? answer.status : 0;
        answer_done(&answer);
    } while (status >= 100 && status < 200 && status != 101);
    return status;
}

unsigned peer_get(struct peer *peer, const char *host, const char *path, char *body, size_t room)
{
    struct text request = {0};
    struct answer answer = {0};
    text_add_format(&request, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", path, host);
    unsigned status = 0;
    if (peer_send(peer, request.bytes, request.length) && peer_read_answer(peer, "GET", &answer)) {
        status = answer.status;
        if (body != NULL)
            snprintf(body, room, "%.*s", (int)strcspn(answer.body.bytes, "\r\n"),
                     answer.body.bytes);
    }
    answer_done(&answer);
    text_done(&request);
    return status;
}
