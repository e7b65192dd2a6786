/* SPDX-License-Identifier: Apache-2.0 */
/* The answer of a stream: heads, body, trailers and failures, in the order they came. */
#include <stdio.h>

#include "backends/http2/h2_link.h"

static enum errand_read failed(struct errand *errand, const char *trouble)
{
    errand->trouble = trouble;
    return ERRAND_FAILED;
}

/* ---- why it failed ---- */

static const char *why_reset(struct h2_errand *mine)
{
    if (mine->lib_error != 0)
        snprintf(mine->words, sizeof mine->words, "the backend's answer breaks HTTP/2: %s",
                 nghttp2_strerror(mine->lib_error));
    else if (mine->is_reset_here)
        return "the backend's answer breaks HTTP/2";
    else
        snprintf(mine->words, sizeof mine->words, "the backend reset the stream (%s)",
                 nghttp2_http2_strerror(mine->error_code));
    return mine->words;
}

static enum errand_read closed(struct errand *errand)
{
    struct h2_errand *mine = &errand->h2;
    bool is_lost = mine->on->state == H2_LOST;
    errand->is_unprocessed =
        !errand->heard && (mine->error_code == NGHTTP2_REFUSED_STREAM || !mine->is_headers_sent);
    errand->is_link_over = mine->on->is_leaving;
    if (mine->fault)
        return failed(errand, mine->fault);
    if (!is_lost)
        return failed(errand, why_reset(mine));
    return failed(errand, errand->heard ? "the backend closed within its answer"
                                        : "the backend closed before it answered");
}

/* ---- what came ---- */

/* The final or an interim head, out of the text. */
static enum errand_read take_head(struct errand *errand, struct errand_news *news)
{
    struct h2_errand *mine = &errand->h2;
    struct http_answer *head = &mine->on->links->head;
    enum http_fault fault = HTTP_FINE;
    switch (http_parse_answer(head, mine->text->data + mine->text->start, buffer_length(mine->text),
                              ANSWER_HEAD_BYTES, errand->method, &fault)) {
    case HTTP_PARTIAL:
        return failed(errand, "the backend's head is incomplete");
    case HTTP_INVALID:
        return failed(errand, fault == HTTP_HEAD_TOO_LARGE ? "the backend's head is too large"
                                                           : http_fault_text(fault));
    case HTTP_COMPLETE:
        break;
    }
    if (head->is_upgrade)
        return failed(errand, "the backend switched protocols without being asked");
    mine->text->start += head->bytes;
    mine->heads_ready--;
    mine->is_final_read = head->status >= 200;
    mine->is_bodiless = mine->is_final_read && head->framing == HTTP_NO_BODY;
    news->head = head;
    news->more = mine->heads_ready > 0;
    return ERRAND_NEWS;
}

static void take_body(struct errand *errand, struct errand_news *news)
{
    struct h2_errand *mine = &errand->h2;
    size_t length = buffer_length(mine->in);
    errand->got = length;
    if (length == 0)
        return;
    mine->lent = mine->in;
    mine->in = NULL;
    news->data = (struct slice){mine->lent->data + mine->lent->start, length};
    if (mine->on->state == H2_LOST)
        return;
    h2_link_release(mine->on, length);
    if (!mine->is_closed)
        nghttp2_session_consume_stream(mine->on->session, mine->stream, length);
    h2_output_due(mine->on);
}

unsigned h2_errand_trailers(struct errand *errand, struct http_field *fields, unsigned room)
{
    return http_chunks_trailers(&errand->h2.answer_trailers, fields, room);
}

/* ---- reading ---- */

/* What the last read lent, and text that is used up. */
static void give_back_read(struct errand *errand)
{
    struct h2_errand *mine = &errand->h2;
    struct buffer_pool *buffers = &mine->on->links->context->buffers;
    buffer_give(buffers, &mine->lent);
    if (buffer_length(mine->text) == 0)
        buffer_give(buffers, &mine->text);
}

enum errand_read h2_errand_read(struct errand *errand, struct errand_news *news)
{
    struct h2_errand *mine = &errand->h2;
    *news = (struct errand_news){0};
    mine->is_held = false;
    give_back_read(errand);
    if (mine->heads_ready > 0 && take_head(errand, news) == ERRAND_FAILED)
        return ERRAND_FAILED;
    if (mine->is_final_read && !news->more && !(news->head && news->head->status < 200)) {
        take_body(errand, news);
        news->last = (mine->is_ended || mine->is_bodiless) && !mine->is_all_read;
    }
    /* Behind an answer without a body half of them may have come: these are none. */
    news->trailed = news->last && mine->is_ended && mine->answer_trailers.trailer_length > 0;
    mine->is_all_read = mine->is_all_read || news->last;
    if (news->head || news->data.length > 0 || news->last) {
        errand->moved = true;
        return ERRAND_NEWS;
    }
    return mine->is_closed ? closed(errand) : ERRAND_AGAIN;
}
