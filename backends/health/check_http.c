/* SPDX-License-Identifier: Apache-2.0 */
/* See check_http.h. Only the head of the answer counts; its body is dropped. */
#include "backends/health/check_http.h"

#include <stdio.h>
#include <string.h>

#include "lb/base/http1.h"
#include "lb/base/limits.h"

/* A path and a host that pool_checks.c let pass, each in a head of CHECK_HEAD_BYTES, and lb's own
 * fields. */
enum { REQUEST_BYTES = 2 * CHECK_HEAD_BYTES + 256 };

/* As in `health_check_method = HEAD | GET`. */
enum http_method check_http_method(const struct pool *pool)
{
    return pool->options->health_check_method == 0 ? HTTP_HEAD : HTTP_GET;
}

void check_http_ask(struct check_run *run)
{
    const struct pool *pool = run->pool;
    char request[REQUEST_BYTES];
    int length = snprintf(request, sizeof request,
                          "%s %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: lb-health-check\r\n"
                          "Accept: */*\r\nConnection: close\r\n\r\n",
                          check_http_method(pool) == HTTP_HEAD ? "HEAD" : "GET",
                          pool->options->health_check_path, check_host(run));
    struct iovec piece = {.iov_base = request, .iov_len = (size_t)length};
    if (connection_write(&run->connection, &piece, 1) == IO_FAILED)
        check_fail(run);
}

/* "1xx-4xx 503", as it was written. */
static void write_codes(const struct option_list *words, char *into, size_t room)
{
    size_t used = 0;
    into[0] = '\0';
    for (unsigned i = 0; i < words->count && used < room; i++)
        used +=
            (size_t)snprintf(into + used, room - used, "%s%s", i > 0 ? " " : "", words->items[i]);
}

void check_http_judge(struct check_run *run, unsigned status)
{
    const char *words = http_status_text(status);
    const char *blank = *words ? " " : "";
    char codes[64];
    if (check_codes_has(&run->pool->check_codes, status)) {
        check_finish(run, CHECK_PASSED, "%u%s%s", status, blank, words);
        return;
    }
    write_codes(&run->pool->options->health_check_codes, codes, sizeof codes);
    check_finish(run, CHECK_FAILED, "%u%s%s is not among %s", status, blank, words, codes);
}

/* HTTP/2 begins with SETTINGS (RFC 9113 3.4): type 4, no flags, stream 0. */
static bool is_http2(const struct buffer *heard)
{
    static const char settings[] = {4, 0, 0, 0, 0, 0};
    enum { LENGTH_BYTES = 3 };
    return buffer_length(heard) >= LENGTH_BYTES + sizeof settings &&
           memcmp(heard->data + heard->start + LENGTH_BYTES, settings, sizeof settings) == 0;
}

static void refuse(struct check_run *run, enum http_fault fault)
{
    if (is_http2(run->heard))
        check_finish(run, CHECK_FAILED, "answer is not HTTP/1.1 but HTTP/2: is it %s = h2?",
                     pool_speaks_h2(run->pool) ? "health_check" : "protocol");
    else if (fault == HTTP_HEAD_TOO_LARGE) /* its own words name a key for clients */
        check_finish(run, CHECK_FAILED, "answer is not HTTP: its head is larger than %d KiB",
                     ANSWER_HEAD_BYTES / 1024);
    else
        check_finish(run, CHECK_FAILED, "answer is not HTTP: %s", http_fault_text(fault));
}

/* Take the heads that are there. false: the check is finished. */
static bool take_heads(struct check_run *run)
{
    struct http_answer answer;
    enum http_fault fault;
    while (buffer_length(run->heard) > 0) {
        const char *bytes = run->heard->data + run->heard->start;
        switch (http_parse_answer(&answer, bytes, buffer_length(run->heard), ANSWER_HEAD_BYTES,
                                  check_http_method(run->pool), &fault)) {
        case HTTP_PARTIAL:
            return true;
        case HTTP_INVALID:
            refuse(run, fault);
            return false;
        case HTTP_COMPLETE:
            break;
        }
        if (answer.status >= 200 || answer.is_upgrade) {
            check_http_judge(run, answer.status);
            return false;
        }
        run->heard->start += answer.bytes;
        if (++run->interim_count > INTERIM_ANSWERS_MOST) {
            check_finish(run, CHECK_FAILED, "more than %d interim (1xx) answers",
                         INTERIM_ANSWERS_MOST);
            return false;
        }
    }
    return true;
}

_Static_assert(ANSWER_HEAD_BYTES <= READ_BYTES, "a head's rest fits one read");

/* One read. true: there may be more. */
static bool hear_once(struct check_run *run)
{
    struct loop_context *context = run->context;
    size_t heard = buffer_length(run->heard);
    size_t got = check_read(run, ANSWER_HEAD_BYTES - heard, heard > 0 ? "the answer's head" : NULL);
    if (got == 0)
        return false;
    if (buffer_append(&context->buffers, &run->heard, context->plain, got, ANSWER_HEAD_BYTES))
        return take_heads(run);
    check_finish(run, CHECK_NOT_MADE, "out of memory");
    return false;
}

void check_http_hear(struct check_run *run, int events)
{
    if (!check_flush(run, events))
        return;
    while (hear_once(run)) {
    }
}
