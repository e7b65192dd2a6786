/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/visitor_plan.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "tests/bench/visitor.h"

/* Several records a read: large answers must not wait for this program. */
enum { READ_AHEAD_BYTES = 64 * 1024 };

/* TLS 1.3 servers may send several tickets: the newest wins. */
static int on_session(SSL *tls, SSL_SESSION *session)
{
    struct visitor *visitor = SSL_get_app_data(tls);
    SSL_SESSION_free(visitor->session);
    visitor->session = session;
    return 1;
}

static bool load_files(SSL_CTX *context, const struct load_options *options)
{
    if (options->ca != NULL) {
        if (SSL_CTX_load_verify_file(context, options->ca) != 1)
            return false;
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    }
    if (options->key == NULL)
        return true;
    return (options->certificate == NULL ||
            SSL_CTX_use_certificate_chain_file(context, options->certificate) == 1) &&
           SSL_CTX_use_PrivateKey_file(context, options->key, SSL_FILETYPE_PEM) == 1 &&
           (options->certificate == NULL || SSL_CTX_check_private_key(context) == 1);
}

static bool make_context(struct visitor_plan *plan)
{
    static const unsigned char alpn[] = {2, 'h', '2'};
    const struct load_options *options = plan->options;
    plan->context = SSL_CTX_new(TLS_client_method());
    if (plan->context == NULL || !load_files(plan->context, options))
        return false;
    uint64_t mode = SSL_MODE_NO_AUTO_CHAIN;
    if (options->mode == LOAD_IDLE)
        mode |= SSL_MODE_RELEASE_BUFFERS; /* thousands of them shall fit */
    SSL_CTX_set_mode(plan->context, (long)mode);
    SSL_CTX_set_read_ahead(plan->context, 1);
    if (options->mode != LOAD_IDLE)
        SSL_CTX_set_default_read_buffer_len(plan->context, READ_AHEAD_BYTES);
    if (options->streams > 0 && SSL_CTX_set_alpn_protos(plan->context, alpn, sizeof alpn) != 0)
        return false;
    if (options->mode == LOAD_RESUMED) {
        SSL_CTX_set_session_cache_mode(plan->context,
                                       SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
        SSL_CTX_sess_set_new_cb(plan->context, on_session);
    }
    return SSL_CTX_set_min_proto_version(plan->context, options->tls_version) == 1 &&
           SSL_CTX_set_max_proto_version(plan->context, options->tls_version) == 1 &&
           SSL_CTX_set1_groups_list(plan->context, options->groups) == 1;
}

/* false: it is too long. */
static bool write_request(struct visitor_plan *plan)
{
    const struct load_options *options = plan->options;
    char length[48] = "";
    if (options->body_bytes >= 0)
        snprintf(length, sizeof length, "Content-Length: %lld\r\n", (long long)options->body_bytes);
    plan->request_bytes =
        snprintf(plan->request, sizeof plan->request,
                 "%s %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: load/1\r\n"
                 "Accept: */*\r\n%s\r\n",
                 options->body_bytes >= 0 ? "POST" : "GET", options->path, options->host, length);
    plan->body_bytes = options->body_bytes > 0 ? (uint64_t)options->body_bytes : 0;
    return plan->request_bytes < (int)sizeof plan->request;
}

static void add_field(struct visitor_plan *plan, const char *name, const char *value)
{
    plan->fields[plan->field_count++] =
        (nghttp2_nv){.name = (uint8_t *)(uintptr_t)name,
                     .namelen = strlen(name),
                     .value = (uint8_t *)(uintptr_t)value,
                     .valuelen = strlen(value),
                     .flags = NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE};
}

void visitor_plan_ask(struct visitor_plan *plan, const char *path)
{
    const struct load_options *options = plan->options;
    plan->field_count = 0;
    add_field(plan, ":method", options->body_bytes >= 0 ? "POST" : "GET");
    add_field(plan, ":scheme", "https");
    add_field(plan, ":authority", options->host);
    add_field(plan, ":path", path);
    add_field(plan, "user-agent", "load/1");
    add_field(plan, "accept", "*/*");
    if (options->body_bytes < 0)
        return;
    snprintf(plan->length, sizeof plan->length, "%lld", (long long)options->body_bytes);
    add_field(plan, "content-length", plan->length);
}

bool visitor_plan_init(struct visitor_plan *plan, const struct load_options *options)
{
    *plan = (struct visitor_plan){.options = options, .epoll = epoll_create1(EPOLL_CLOEXEC)};
    if (!write_request(plan)) {
        snprintf(plan->failure, sizeof plan->failure, "path or host is too long");
        return false;
    }
    if (options->faces != NULL && !faces_read(&plan->faces, options->faces)) {
        snprintf(plan->failure, sizeof plan->failure, "there are no certificates to be read in %s",
                 options->faces);
        return false;
    }
    visitor_plan_ask(plan, options->mode == LOAD_HELD ? "/" : options->path);
    if (plan->epoll >= 0 && make_context(plan) && pattern_init(&plan->pattern))
        return true;
    const char *reason = ERR_reason_error_string(ERR_peek_error());
    snprintf(plan->failure, sizeof plan->failure, "preparing TLS: %s",
             reason != NULL ? reason : strerror(errno));
    return false;
}

void visitor_plan_done(struct visitor_plan *plan)
{
    pattern_done(&plan->pattern);
    faces_done(&plan->faces);
    SSL_CTX_free(plan->context);
    if (plan->epoll >= 0)
        close(plan->epoll);
}
