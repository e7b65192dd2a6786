/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/stub_responder.h"

#include <check.h>
#include <string.h>

#include "lb/base/list.h"

/* --- answers -----------------------------------------------------------------------------------
 */

static OCSP_CERTID *id_asked_for(const void *question, size_t length, bool is_other)
{
    const unsigned char *at = question;
    OCSP_REQUEST *request = d2i_OCSP_REQUEST(NULL, &at, (long)length);
    ck_assert_ptr_nonnull(request);
    ck_assert_int_eq(OCSP_request_onereq_count(request), 1);
    OCSP_CERTID *id = OCSP_CERTID_dup(OCSP_onereq_get0_id(OCSP_request_onereq_get0(request, 0)));
    OCSP_REQUEST_free(request);
    if (is_other) {
        ASN1_INTEGER *serial = NULL;
        ck_assert(OCSP_id_get0_info(NULL, NULL, NULL, &serial, id));
        ck_assert(ASN1_INTEGER_set(serial, 4711));
    }
    return id;
}

static OCSP_BASICRESP *make_basic(const struct made *ca, const struct ocsp_wish *wish,
                                  OCSP_CERTID *id)
{
    const struct made *signer = wish->signer ? wish->signer : ca;
    OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
    ASN1_TIME *made = X509_gmtime_adj(NULL, (long)wish->made_s);
    ASN1_TIME *next = X509_gmtime_adj(NULL, wish->next_s ? (long)wish->next_s : 3600);
    bool is_revoked = wish->status == V_OCSP_CERTSTATUS_REVOKED;
    ck_assert(OCSP_basic_add1_status(basic, id, wish->status, OCSP_REVOKED_STATUS_KEYCOMPROMISE,
                                     is_revoked ? made : NULL, made,
                                     wish->has_no_next ? NULL : next));
    ck_assert(OCSP_basic_sign(basic, signer->certificate, signer->key, EVP_sha256(), NULL, 0));
    if (wish->is_bent)
        ((unsigned char *)ASN1_STRING_get0_data(OCSP_resp_get0_signature(basic)))[20] ^= 1;
    ASN1_TIME_free(made);
    ASN1_TIME_free(next);
    return basic;
}

struct text ocsp_answer(const struct made *ca, const struct ocsp_wish *wish, const void *question,
                        size_t length)
{
    struct text answer = {0};
    unsigned char *encoded = NULL;
    OCSP_CERTID *id = id_asked_for(question, length, wish->is_of_another);
    OCSP_BASICRESP *basic = wish->refuses ? NULL : make_basic(ca, wish, id);
    OCSP_RESPONSE *response = OCSP_response_create(wish->refuses, basic);
    int bytes = i2d_OCSP_RESPONSE(response, &encoded);
    ck_assert_int_gt(bytes, 0);
    text_add(&answer, encoded, (size_t)bytes);
    OPENSSL_free(encoded);
    OCSP_RESPONSE_free(response);
    OCSP_BASICRESP_free(basic);
    OCSP_CERTID_free(id);
    return answer;
}

/* --- manners -----------------------------------------------------------------------------------
 */

static const char head[] = "HTTP/1.1 200 OK\r\nContent-Type: application/ocsp-response\r\n";

static void say_whole(struct stub_link *link, const void *body, size_t length)
{
    struct text said = {0};
    text_add_format(&said, "%sContent-Length: %zu\r\n\r\n", head, length);
    text_add(&said, body, length);
    stub_send(link, said.bytes, said.length);
    text_done(&said);
}

static void say_chunked(struct stub_link *link, const struct text *body)
{
    struct text said = {0};
    text_add_format(&said, "HTTP/1.1 103 Early Hints\r\n\r\n%sTransfer-Encoding: chunked\r\n\r\n",
                    head);
    for (size_t at = 0; at < body->length; at += 7) {
        size_t part = body->length - at < 7 ? body->length - at : 7;
        text_add_format(&said, "%zx\r\n", part);
        text_add(&said, body->bytes + at, part);
        text_add_format(&said, "\r\n");
    }
    text_add_format(&said, "0\r\n\r\n");
    for (size_t at = 0; at < said.length; at += 50)
        stub_send(link, said.bytes + at, said.length - at < 50 ? said.length - at : 50);
    text_done(&said);
}

static void say_without_end(struct stub_link *link)
{
    char noise[4096];
    memset(noise, 'x', sizeof noise);
    if (stub_say(link, head) && stub_say(link, "\r\n"))
        while (stub_send(link, noise, sizeof noise))
            continue;
}

/* What is to be done; waits while that is to be held. */
static enum responder_manner decide(struct stub_responder *responder, struct ocsp_wish *wish)
{
    pthread_mutex_lock(&responder->lock);
    responder->holding++;
    while (responder->manner == RESPONDER_HELD)
        pthread_cond_wait(&responder->changed, &responder->lock);
    responder->holding--;
    enum responder_manner manner = responder->manner;
    *wish = responder->wish;
    pthread_mutex_unlock(&responder->lock);
    return manner;
}

static void answer(struct stub_link *link, enum responder_manner manner, const struct text *body)
{
    switch (manner) {
    case RESPONDER_HELD:
    case RESPONDER_ANSWERS:
        say_whole(link, body->bytes, body->length);
        return;
    case RESPONDER_CHUNKED:
        say_chunked(link, body);
        return;
    case RESPONDER_UNTIL_CLOSE:
        if (stub_say(link, head) && stub_say(link, "\r\n"))
            stub_send(link, body->bytes, body->length);
        return;
    case RESPONDER_GARBAGE:
        say_whole(link, "this is no answer", 17);
        return;
    case RESPONDER_NO_HTTP:
        stub_say(link, "SSH-2.0-OpenSSH_9.2\r\n\r\n");
        return;
    case RESPONDER_HUGE:
        say_without_end(link);
        return;
    case RESPONDER_FAILING:
        stub_say(link, "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n");
        return;
    case RESPONDER_REFUSING:
        stub_say(link, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
        return;
    case RESPONDER_LEAVING:
        stub_say(link, head);
        return;
    }
}

static void serve(struct stub_link *link)
{
    struct stub_responder *responder = LIST_OWNER(link->stub, struct stub_responder, stub);
    struct stub_request request;
    struct ocsp_wish wish;
    if (stub_read(link, &request)) {
        ck_assert_ptr_nonnull(strstr(request.head.bytes, "application/ocsp-request"));
        atomic_fetch_add(&responder->asked, 1);
        enum responder_manner manner = decide(responder, &wish);
        struct text body =
            ocsp_answer(responder->ca, &wish, request.body.bytes, request.body.length);
        answer(link, manner, &body);
        text_done(&body);
    }
    stub_request_done(&request);
}

/* --- life --------------------------------------------------------------------------------------
 */

void responder_start_at(struct stub_responder *responder, const struct made *ca, unsigned port)
{
    *responder = (struct stub_responder){.ca = ca};
    pthread_mutex_init(&responder->lock, NULL);
    pthread_cond_init(&responder->changed, NULL);
    if (port == 0)
        stub_start(&responder->stub, "responder", serve);
    else
        stub_start_at(&responder->stub, "responder", serve, port);
}

void responder_start(struct stub_responder *responder, const struct made *ca)
{
    responder_start_at(responder, ca, 0);
}

void responder_set(struct stub_responder *responder, enum responder_manner manner,
                   const struct ocsp_wish *wish)
{
    pthread_mutex_lock(&responder->lock);
    responder->manner = manner;
    if (wish)
        responder->wish = *wish;
    pthread_cond_broadcast(&responder->changed);
    pthread_mutex_unlock(&responder->lock);
}

void responder_stop(struct stub_responder *responder)
{
    responder_set(responder, RESPONDER_LEAVING, NULL);
    stub_stop(&responder->stub);
    pthread_cond_destroy(&responder->changed);
    pthread_mutex_destroy(&responder->lock);
}

unsigned responder_holding(struct stub_responder *responder)
{
    pthread_mutex_lock(&responder->lock);
    unsigned holding = responder->holding;
    pthread_mutex_unlock(&responder->lock);
    return holding;
}

unsigned responder_asked(struct stub_responder *responder)
{
    return atomic_load(&responder->asked);
}
