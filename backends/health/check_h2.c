/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/health/check_h2.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends/health/check_h2_call.h"
#include "backends/health/check_tls.h"

/* Send what there is to say. That a write failed is told by the next read, behind what the backend
 * said before. */
static void speak(struct check_run *run)
{
    const uint8_t *bytes;
    ssize_t length;
    while ((length = nghttp2_session_mem_send(run->h2->session, &bytes)) > 0) {
        struct iovec piece = {.iov_base = (void *)bytes, .iov_len = (size_t)length};
        if (connection_write(&run->connection, &piece, 1) == IO_FAILED)
            return;
    }
    if (length < 0)
        check_h2_call_fault(run->h2, "HTTP/2: ", nghttp2_strerror((int)length));
}

/* Say that the connection ends, then tell. */
static void leave(struct check_run *run)
{
    nghttp2_session_terminate_session(run->h2->session, NGHTTP2_NO_ERROR);
    speak(run);
}

static void fail(struct check_run *run)
{
    leave(run);
    check_finish(run, CHECK_FAILED, "%s", run->h2->fault);
}

/* ---- asking and hearing ---- */

static void ask(struct check_run *run)
{
    struct check_h2_call *call = run->h2;
    if (run->connection.ssl && !connection_chose_h2(&run->connection)) {
        check_finish(run, CHECK_FAILED,
                     "backend does not speak HTTP/2: it did not choose h2 (ALPN)");
        return;
    }
    call->kind->compose(run, &call->request);
    const char *scheme = run->connection.ssl ? "https" : "http";
    if (!check_h2_call_begin(call, scheme, check_host(run))) {
        check_finish(run, CHECK_NOT_MADE, "out of memory");
        return;
    }
    speak(run);
    if (connection_has_unread(&run->connection))
        check_h2_ready(run, CONNECTION_READABLE);
}

/* The bytes of one read. */
static void take(struct check_run *run, size_t length)
{
    struct check_h2_call *call = run->h2;
    const char *bytes = run->context->plain;
    if (call->heard_bytes == 0)
        call->is_bare_http = length >= 5 && memcmp(bytes, "HTTP/", 5) == 0;
    call->heard_bytes += length;
    ssize_t taken = nghttp2_session_mem_recv(call->session, (const uint8_t *)bytes, length);
    if (taken < 0)
        check_h2_call_fault(call, CHECK_H2_BREAKS, nghttp2_strerror((int)taken));
}

/* What was noted decides the check. false: not yet. */
static bool decide(struct check_run *run)
{
    struct check_h2_call *call = run->h2;
    const struct check_answer *answer = &call->answer;
    bool may_end = !call->kind->needs_all || answer->is_whole || answer->status != 200;
    if (answer->has_head && may_end) {
        leave(run);
        call->kind->judge(run, answer);
        return true;
    }
    if (call->fault[0] != '\0' && (!call->has_settings || call->is_bare_http))
        snprintf(call->fault, sizeof call->fault, "backend does not speak HTTP/2%s",
                 call->is_bare_http ? ": it answered in HTTP/1" : "");
    if (call->heard_bytes > CHECK_HEARD_BYTES)
        check_h2_call_fault(call, "backend says much and does not answer", "");
    if (call->fault[0] == '\0')
        return false;
    fail(run);
    return true;
}

/* One read. true: there may be more. */
static bool hear_once(struct check_run *run)
{
    size_t got = check_read(run, READ_BYTES, run->h2->answer.has_head ? "the answer" : NULL);
    if (got == 0)
        return false;
    take(run, got);
    speak(run);
    return !decide(run);
}

void check_h2_ready(struct check_run *run, int events)
{
    if (check_tls_is_shaking(run)) {
        if (check_tls_shake_hands(run))
            ask(run);
        return;
    }
    if (!check_flush(run, events))
        return;
    while (hear_once(run)) {
    }
}

static void release(struct check_run *run)
{
    nghttp2_session_del(run->h2->session);
    free(run->h2);
    run->h2 = NULL;
}

void check_h2_connected(struct check_run *run, const struct check_h2_kind *kind, bool over_tls)
{
    run->h2 = calloc(1, sizeof *run->h2);
    if (!run->h2) {
        check_finish(run, CHECK_NOT_MADE, "out of memory");
        return;
    }
    run->h2->kind = kind;
    run->release = release;
    if (!over_tls || check_tls_start(run, "h2"))
        ask(run);
}
