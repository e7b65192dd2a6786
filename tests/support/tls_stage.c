/* SPDX-License-Identifier: Apache-2.0 */
/* Everything a config would build, built by hand; and the pump between two SSLs. */
#include "tests/support/tls_stage.h"

#include <check.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lb/base/certificate.h"
#include "lb/base/error.h"
#include "listeners/tls/chain_cache.h"
#include "listeners/tls/session_cache.h"

/* The wire holds a whole flight, also one with a chain that is too large. */
enum { WIRE_BYTES = 256 * 1024, TURNS_MOST = 20 };

static time_t stage_now(void *argument)
{
    const struct stage *stage = argument;
    return time(NULL) + stage->later_s;
}

void stage_open(struct stage *stage)
{
    memset(stage, 0, sizeof *stage);
    folder_make(&stage->folder);
    stage->listener.name = "stage";
    stage->listener.options = &stage->options;
    stage->sessions_most = 1000;
    stage->session_lifetime_s = 300;
    stage->server_ca = made_ca("Server CA");
}

void stage_close(struct stage *stage)
{
    handshake_context_free(stage->context);
    handshake_context_free(stage->second);
    chain_cache_free(stage->chains);
    if (!stage->borrowed_sessions)
        session_cache_unref(stage->listener.sessions);
    for (unsigned i = 0; i < stage->listener.policy_count; i++)
        policy_done(&stage->policies[i]);
    for (unsigned i = 0; i < stage->listener.credential_count; i++)
        credential_free(stage->credentials[i]);
    for (unsigned i = 0; i < stage->set_count; i++)
        ca_set_free(stage->sets[i]);
    made_free(stage->server_ca);
    arena_done(&stage->arena);
    folder_remove(&stage->folder);
}

/* CA sets */

static const struct ca_set *load_set(struct stage *stage, const char *file, int depth, bool partial)
{
    const char *path = folder_file(&stage->folder, file);
    const unsigned line = 1;
    struct problems problems = {0};
    struct ca_set *set = ca_set_load(&path, &line, 1, NULL, depth, partial, "stage.ini", &problems);
    ck_assert_msg(set != NULL, "%s",
                  problems.count ? problems.items[0].text : "no set, no problem");
    problems_done(&problems);
    ck_assert_uint_lt(stage->set_count, STAGE_SETS_MOST);
    stage->sets[stage->set_count++] = set;
    return set;
}

const struct ca_set *stage_ca_set(struct stage *stage, const struct made *ca, ...)
{
    char file[32];
    struct made const *cas[8] = {ca};
    va_list list;
    va_start(list, ca);
    for (unsigned i = 1; i < 7 && (cas[i] = va_arg(list, const struct made *)) != NULL; i++)
        ;
    va_end(list);
    snprintf(file, sizeof file, "set%u.pem", stage->file_count++);
    made_write_bundle(stage->folder.path, file, cas[0], cas[1], cas[2], cas[3], NULL);
    return load_set(stage, file, 4, false);
}

const struct ca_set *stage_ca_set_like(struct stage *stage, const struct made *ca, int depth,
                                       bool partial)
{
    char file[32];
    snprintf(file, sizeof file, "set%u.pem", stage->file_count++);
    made_write_bundle(stage->folder.path, file, ca, NULL);
    return load_set(stage, file, depth, partial);
}

/* Rules, domains, certificates */

void stage_rule(struct stage *stage, const char *domain, enum auth_mode mode,
                const struct ca_set *set, enum refuse_with refuse_with)
{
    unsigned index = stage->listener.rule_count++;
    ck_assert_uint_lt(index, STAGE_RULES_MOST);
    stage->rules[index].name = domain;
    stage->rule_options[index].url = arena_format(&stage->arena, "/%u", index);
    stage->rules[index].options = &stage->rule_options[index];
    stage->rules[index].auth = (struct client_auth){
        .mode = mode, .ca_set = set, .refuse_with = refuse_with, .registration = REGISTRATION_OFF};
    stage->patterns[index] = domain;
}

static struct credential *new_credential(struct stage *stage, const char *name)
{
    struct error err = {{0}};
    char file[32];
    struct made *server = made_server(stage->server_ca, name);
    snprintf(file, sizeof file, "server%u", stage->listener.credential_count);
    made_write(server, stage->folder.path, file);
    made_free(server);
    char *certificate = arena_format(&stage->arena, "%s/%s.crt", stage->folder.path, file);
    char *key = arena_format(&stage->arena, "%s/%s.key", stage->folder.path, file);
    struct credential *credential = credential_load(certificate, key, &err);
    ck_assert_msg(credential != NULL, "%s", err.text);
    stage->credentials[stage->listener.credential_count++] = credential;
    return credential;
}

static struct domain *domain_of(struct stage *stage, const char *pattern)
{
    for (unsigned i = 0; i < stage->listener.domain_count; i++)
        if (strcmp(stage->domains[i].pattern, pattern) == 0)
            return &stage->domains[i];
    struct domain *domain = &stage->domains[stage->listener.domain_count];
    domain->pattern = pattern;
    domain->index = stage->listener.domain_count++;
    return domain;
}

/* The rules' union; all of them where `pattern` is NULL. */
static const struct policy *join_rules(struct stage *stage, const char *pattern)
{
    const struct client_auth *wants[STAGE_RULES_MOST];
    unsigned count = 0;
    for (unsigned i = 0; i < stage->listener.rule_count; i++)
        if (!pattern || strcmp(stage->patterns[i], pattern) == 0)
            wants[count++] = &stage->rules[i].auth;
    struct policy *policy = &stage->policies[stage->listener.policy_count++];
    ck_assert_int_eq(policy_make(policy, wants, count), POLICY_FINE);
    return policy;
}

static void give_credentials(struct stage *stage, struct domain *domain, struct credential *shared)
{
    if (domain->credentials)
        return;
    struct credential **list = arena_alloc(&stage->arena, sizeof *list);
    *list = shared ? shared
                   : new_credential(stage, *domain->pattern ? domain->pattern : "default.example");
    domain->credentials = list;
    domain->credential_count = 1;
}

bool stage_try(struct stage *stage, struct error *err)
{
    struct listener *listener = &stage->listener;
    for (unsigned i = 0; i < listener->rule_count; i++)
        stage->rules[i].domain = domain_of(stage, stage->patterns[i]);
    bool sni = stage->options.sni;
    const struct policy *all = sni ? NULL : join_rules(stage, NULL);
    struct credential *shared = sni ? NULL : new_credential(stage, "stage.example");
    for (unsigned i = 0; i < listener->domain_count; i++) {
        struct domain *domain = &stage->domains[i];
        domain->policy = all ? all : join_rules(stage, domain->pattern);
        give_credentials(stage, domain, shared);
    }
    listener->rules = stage->rules;
    listener->domains = stage->domains;
    listener->policies = stage->policies;
    listener->credentials = stage->credentials;
    listener->router = router_new(stage->domains, listener->domain_count, stage->rules,
                                  listener->rule_count, 0, &stage->arena);
    listener->sessions = stage->borrowed_sessions
                             ? stage->borrowed_sessions
                             : session_cache_new(stage->sessions_most, stage->session_lifetime_s);
    stage->chains = chain_cache_new(1000);
    stage->context = handshake_context_new(listener, stage->chains, err);
    stage->second = stage->context ? handshake_context_new(listener, stage->chains, err) : NULL;
    if (!stage->second)
        return false;
    handshake_context_set_clock(stage->context, stage_now, stage);
    handshake_context_set_clock(stage->second, stage_now, stage);
    return true;
}

void stage_start(struct stage *stage)
{
    struct error err = {{0}};
    ck_assert_msg(stage_try(stage, &err), "%s", err.text);
}

/* Clients */

/* A private key that claims to be the certificate's: its public half is, its private half is not.
 */
static EVP_PKEY *disguise(const EVP_PKEY *wrong, const EVP_PKEY *public)
{
    unsigned char point[256];
    size_t length = 0;
    BIGNUM *secret = NULL;
    ck_assert_int_eq(EVP_PKEY_get_octet_string_param(public, "pub", point, sizeof point, &length),
                     1);
    ck_assert_int_eq(EVP_PKEY_get_bn_param(wrong, "priv", &secret), 1);
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    OSSL_PARAM_BLD_push_utf8_string(build, "group", "prime256v1", 0);
    OSSL_PARAM_BLD_push_octet_string(build, "pub", point, length);
    OSSL_PARAM_BLD_push_BN(build, "priv", secret);
    OSSL_PARAM *parameters = OSSL_PARAM_BLD_to_param(build);
    EVP_PKEY_CTX *maker = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    EVP_PKEY *key = NULL;
    ck_assert_int_eq(EVP_PKEY_fromdata_init(maker), 1);
    ck_assert_int_eq(EVP_PKEY_fromdata(maker, &key, EVP_PKEY_KEYPAIR, parameters), 1);
    EVP_PKEY_CTX_free(maker);
    OSSL_PARAM_free(parameters);
    OSSL_PARAM_BLD_free(build);
    BN_free(secret);
    return key;
}

static void present(SSL *client, const struct wish *wish)
{
    const struct made *made = wish->certificate;
    if (!made)
        return;
    EVP_PKEY *key = wish->wrong_key ? disguise(wish->wrong_key, made->key) : NULL;
    ck_assert_int_eq(
        SSL_use_cert_and_key(client, made->certificate, key ? key : made->key, made->chain, 1), 1);
    EVP_PKEY_free(key);
}

static SSL *new_client(const struct wish *wish)
{
    SSL_CTX *tls = SSL_CTX_new(TLS_client_method());
    ck_assert_ptr_nonnull(tls);
    SSL_CTX_set_security_level(tls, 0); /* it may present what no server should take */
    SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_set_max_cert_list(tls, WIRE_BYTES);
    SSL_CTX_set_mode(tls, SSL_MODE_NO_AUTO_CHAIN);
    SSL *client = SSL_new(tls);
    SSL_CTX_free(tls);
    if (wish->version) {
        SSL_set_min_proto_version(client, wish->version);
        SSL_set_max_proto_version(client, wish->version);
    }
    if (wish->name)
        ck_assert_int_eq(SSL_set_tlsext_host_name(client, wish->name), 1);
    if (wish->groups)
        ck_assert_int_eq(SSL_set1_groups_list(client, wish->groups), 1);
    if (wish->signatures)
        ck_assert_int_eq(SSL_set1_sigalgs_list(client, wish->signatures), 1);
    if (wish->protocols)
        SSL_set_alpn_protos(client, (const unsigned char *)wish->protocols,
                            (unsigned)strlen(wish->protocols));
    present(client, wish);
    if (wish->session)
        ck_assert_int_eq(SSL_set_session(client, wish->session), 1);
    SSL_set_connect_state(client);
    return client;
}

/* As connection_tls.c: the first error in TLS's own words, else in a lower layer's. */
static unsigned long failure_of(void)
{
    unsigned long failure = ERR_get_error();
    for (unsigned long next = failure; next != 0; next = ERR_get_error())
        if (ERR_GET_LIB(next) == ERR_LIB_SSL && ERR_GET_LIB(failure) != ERR_LIB_SSL)
            failure = next;
    return failure;
}

/* One step of one side. 1: done, 0: waits, -1: failed. What did not fail has left no error behind,
 * or the next look at OpenSSL's queue would take it for its own. */
static int step(SSL *ssl, unsigned long *ret_failure)
{
    ERR_clear_error();
    int result = SSL_do_handshake(ssl);
    int error = result == 1 ? SSL_ERROR_NONE : SSL_get_error(ssl, result);
    *ret_failure = failure_of();
    if (error != SSL_ERROR_NONE && error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
        return -1;
    ck_assert_uint_eq(*ret_failure, 0);
    return result == 1 ? 1 : 0;
}

/* The client reads until the server's byte, an alert or nothing more comes. */
static void read_on(struct meeting *meeting)
{
    char byte;
    ERR_clear_error();
    if (SSL_read(meeting->client, &byte, 1) == 1)
        return;
    unsigned long failure = ERR_peek_error();
    if (failure && ERR_GET_REASON(failure) > SSL_AD_REASON_OFFSET)
        meeting->alert = ERR_GET_REASON(failure) - SSL_AD_REASON_OFFSET;
}

static void pump(const struct wish *wish, struct meeting *meeting)
{
    unsigned long failure = 0;
    int client = 0;
    int server = 0;
    for (int turn = 0; turn < TURNS_MOST && (client == 0 || server == 0); turn++) {
        if (client == 0) {
            client = step(meeting->client, &failure);
            if (client < 0 && ERR_GET_REASON(failure) > SSL_AD_REASON_OFFSET)
                meeting->alert = ERR_GET_REASON(failure) - SSL_AD_REASON_OFFSET;
        }
        if (server == 0) {
            server = step(meeting->server, &failure);
            if (server < 0)
                meeting->refusal = handshake_refusal(&meeting->handshake, meeting->server, failure);
        }
        if (turn == 0 && wish->second_name)
            SSL_set_tlsext_host_name(meeting->client, wish->second_name);
        if (client < 0 || (server < 0 && client > 0))
            break;
    }
    if (server == 1) {
        meeting->fits = handshake_complete(&meeting->handshake, meeting->server);
        ck_assert_int_eq(SSL_write(meeting->server, "x", 1), 1);
    }
    if (client == 1)
        read_on(meeting);
    meeting->let_in = client == 1 && server == 1 && meeting->fits && meeting->alert < 0;
}

static void note_shown(struct meeting *meeting)
{
    X509 *shown = SSL_get0_peer_certificate(meeting->client);
    if (shown)
        made_common_name(shown, meeting->shown, sizeof meeting->shown);
}

void meet(struct stage *stage, const struct wish *wish, struct meeting *meeting)
{
    memset(meeting, 0, sizeof *meeting);
    meeting->alert = -1;
    meeting->client = new_client(wish);
    meeting->server =
        handshake_begin(wish->second_worker ? stage->second : stage->context, &meeting->handshake);
    ck_assert_ptr_nonnull(meeting->server);
    BIO *near = NULL;
    BIO *far = NULL;
    ck_assert_int_eq(BIO_new_bio_pair(&near, WIRE_BYTES, &far, WIRE_BYTES), 1);
    SSL_set_bio(meeting->client, near, near);
    SSL_set_bio(meeting->server, far, far);
    pump(wish, meeting);
    note_shown(meeting);
    if (!meeting->let_in)
        return;
    meeting->resumed = SSL_session_reused(meeting->server);
    SSL_SESSION *session = SSL_get1_session(meeting->client);
    if (session && SSL_SESSION_is_resumable(session))
        meeting->session = session;
    else
        SSL_SESSION_free(session);
}

void part(struct meeting *meeting)
{
    /* The client says goodbye to itself, or OpenSSL would spoil its session; the server learns
     * nothing of it: that is how most clients leave. */
    SSL_set_shutdown(meeting->client, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(meeting->client);
    SSL_free(meeting->server);
    handshake_done(&meeting->handshake);
    SSL_SESSION_free(meeting->session);
    memset(meeting, 0, sizeof *meeting);
}

SSL_SESSION *meet_for_session(struct stage *stage, const struct wish *wish)
{
    struct meeting meeting;
    meet(stage, wish, &meeting);
    SSL_SESSION *session = meeting.session;
    meeting.session = NULL;
    part(&meeting);
    return session;
}
