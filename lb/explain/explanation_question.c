/* SPDX-License-Identifier: Apache-2.0 */
/* The request is written as the client would send it, and read as lb reads every request. */
#include "lb/explain/explanation_question.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lb/admin/registry/call_body.h"
#include "lb/base/certificate.h"
#include "lb/base/error.h"
#include "lb/config/config.h"
#include "lb/explain/explanation_listener.h"

enum {
    HOST_BYTES = DOMAIN_BYTES + 8, /* with a port */
    URL_BYTES = TARGET_BYTES + HOST_BYTES + 8,
    METHOD_BYTES = 32,
    NAME_BYTES = 255,
    ADDRESS_BYTES = 64, /* more than any, so that what is none is shown */
    LISTENER_BYTES = 64,
};

/* clang-format off */
static const struct call_field fields[] = {
    {.name = "pem", .type = FIELD_TEXT, .most = QUESTION_PEM_BYTES},
    {.name = "host", .type = FIELD_TEXT, .most = HOST_BYTES},
    {.name = "url", .type = FIELD_TEXT, .most = URL_BYTES},
    {.name = "method", .type = FIELD_TEXT, .most = METHOD_BYTES},
    {.name = "sni", .type = FIELD_TEXT, .most = NAME_BYTES},
    {.name = "no_sni", .type = FIELD_FLAG},
    {.name = "from", .type = FIELD_TEXT, .most = ADDRESS_BYTES},
    {.name = "listener", .type = FIELD_TEXT, .most = LISTENER_BYTES},
    {0},
};
/* clang-format on */

/* What is said of the request, taken apart. */
struct wish {
    const char *method;
    const char *scheme;             /* NULL: not said */
    char authority[HOST_BYTES + 1]; /* of Host */
    char connected[HOST_BYTES + 1]; /* of the URL: whom the client connects to; "": not said */
    const char *target;
};

/* --- host and URL --------------------------------------------------------------------------- */

static bool authority_check(const char *member, const char *text, struct error *err)
{
    return http_is_authority(slice_of(text)) ||
           error_set(err,
                     "%s \"%.100s\" is no host: write a name or an address, perhaps with a port, "
                     "as in www.example.com or www.example.com:8443",
                     member, text);
}

/* What no request line can hold would be another request. */
static bool target_check(const char *target, struct error *err)
{
    for (const char *at = target; *at; at++)
        if (*at <= ' ' || *at >= 0x7f || *at == '#')
            return error_set(err,
                             "url \"%.100s\" holds what no request does: write blanks, \"#\" and "
                             "everything outside ASCII percent-encoded, as in %%20",
                             target);
    return true;
}

/* The path and all behind it. */
static bool url_is_path(const char *url)
{
    return *url == '/' || strcmp(url, "*") == 0;
}

/* "https://host:port/path?query"; where it has no path it is "/". */
static bool url_split(struct wish *wish, const char *url, struct error *err)
{
    if (strncmp(url, "https://", 8) == 0)
        wish->scheme = "https";
    else if (strncmp(url, "http://", 7) == 0)
        wish->scheme = "http";
    else
        return error_set(err,
                         "url \"%.100s\" is none: write a path, as in /orders?id=1, or a whole "
                         "one, as in https://www.example.com:8443/orders",
                         url);
    const char *authority = url + strlen(wish->scheme) + 3;
    size_t length = strcspn(authority, "/?#");
    if (length > HOST_BYTES)
        return error_set(err, "url \"%.100s\": its host is longer than %d bytes", url, HOST_BYTES);
    snprintf(wish->connected, sizeof wish->connected, "%.*s", (int)length, authority);
    wish->target = authority + length;
    return authority_check("the host of url", wish->connected, err);
}

static bool wish_read(struct wish *wish, const json_t *json, struct error *err)
{
    const char *url = body_text(json, "url"), *host = body_text(json, "host");
    const char *method = body_text(json, "method");
    *wish = (struct wish){.method = method ? method : "GET", .target = url ? url : "/"};
    if (!http_is_token(slice_of(wish->method)) || strcmp(wish->method, "CONNECT") == 0)
        return error_set(err, "method \"%s\": write one that asks for a URL, as in GET or POST",
                         wish->method);
    if (url && !url_is_path(url) && !url_split(wish, url, err))
        return false;
    if (!host && !*wish->connected)
        return error_set(err, "say which host is asked for: host, or a whole url, as in "
                              "https://www.example.com/");
    snprintf(wish->authority, sizeof wish->authority, "%s", host ? host : wish->connected);
    return authority_check("host", wish->authority, err) && target_check(wish->target, err);
}

/* --- the request ---------------------------------------------------------------------------- */

static bool head_write(struct question *question, const struct wish *wish)
{
    const char *slash = *wish->target == '/' || *wish->target == '*' ? "" : "/";
    int length = asprintf(&question->head, "%s %s%s HTTP/1.1\r\nHost: %s\r\n\r\n", wish->method,
                          slash, wish->target, wish->authority);
    if (length < 0)
        question->head = NULL;
    return length >= 0;
}

/* As the listener reads it: what it would answer with 400, 414 or 431 is told as such. */
static bool request_read(struct question *question, const struct wish *wish, struct error *err)
{
    enum http_fault fault = HTTP_FINE;
    if (!head_write(question, wish))
        return error_set(err, "out of memory");
    enum http_parse parse = http_parse_request(&question->request, question->head,
                                               strlen(question->head), HEAD_MOST_BYTES, &fault);
    if (parse == HTTP_COMPLETE)
        return true;
    return error_set(err, "lb would not read this request: %s (%u)", http_fault_text(fault),
                     http_fault_status(fault));
}

/* --- the client ----------------------------------------------------------------------------- */

/* Clients ask for names without a final dot, and for no addresses (RFC 6066 section 3). */
static bool is_name(const char *host)
{
    unsigned char bytes[sizeof(struct in6_addr)];
    return *host && *host != '[' && inet_pton(AF_INET, host, bytes) != 1;
}

static bool name_find(struct question *question, const struct wish *wish, const json_t *json,
                      struct error *err)
{
    const char *said = body_text(json, "sni");
    char name[NAME_BYTES + 1];
    if (body_flag(json, "no_sni", false))
        return !said || error_set(err, "sni and no_sni together: one of them is meant");
    if (said && (!*said || strchr(said, ':') || !http_is_authority(slice_of(said))))
        return error_set(err, "sni \"%.100s\" is no host name: write one, as in www.example.com",
                         said);
    const char *host = *wish->connected ? wish->connected : wish->authority;
    snprintf(name, sizeof name, "%.*s", (int)(*host == '[' ? 1 : strcspn(host, ":")), host);
    size_t length = strlen(name);
    if (length > 1 && name[length - 1] == '.')
        name[length - 1] = '\0';
    question->has_name = said || is_name(name);
    question->name = strdup(said ? said : name);
    return question->name || error_set(err, "out of memory");
}

static bool from_find(struct question *question, const json_t *json, struct error *err)
{
    const char *from = body_text(json, "from");
    unsigned char bytes[sizeof(struct in6_addr)];
    if (!from)
        return true;
    if (inet_pton(AF_INET, from, bytes) != 1 && inet_pton(AF_INET6, from, bytes) != 1)
        return error_set(err,
                         "from \"%s\" is no address: write one in numbers and without a port, as "
                         "in 192.0.2.7 or 2001:db8::7",
                         from);
    snprintf(question->from, sizeof question->from, "%s", from);
    return true;
}

static bool chain_find(struct question *question, const json_t *json, struct error *err)
{
    const char *pem = body_text(json, "pem");
    if (!pem)
        return true;
    question->chain = certificates_read(pem, strlen(pem), "certificate", err);
    return question->chain != NULL;
}

/* --- the listener --------------------------------------------------------------------------- */

static unsigned port_of(const struct wish *wish)
{
    const char *authority = *wish->connected ? wish->connected : wish->authority;
    const char *end = *authority == '[' ? strchr(authority, ']') : authority;
    const char *colon = end ? strchr(end, ':') : NULL;
    if (colon)
        return (unsigned)strtoul(colon + 1, NULL, 10);
    if (!wish->scheme)
        return 0;
    return strcmp(wish->scheme, "https") == 0 ? 443 : 80;
}

static struct destination destination_of(const struct question *question, const struct wish *wish,
                                         const char *listener)
{
    size_t length = strlen(wish->connected);
    return (struct destination){
        .listener = listener,
        .scheme = wish->scheme,
        .port = port_of(wish),
        .is_port_certain =
            length > 0 && strchr(wish->connected, ':') && wish->connected[length - 1] != ']',
        .host = question->request.host,
    };
}

static bool listener_find(struct question *question, const struct wish *wish, const json_t *json,
                          const struct config *config, struct error *err)
{
    struct destination destination = destination_of(question, wish, body_text(json, "listener"));
    question->is_listener_said = destination.listener != NULL;
    question->listener = destination_listener(&destination, config, 0);
    if (!question->listener)
        return destination_fault(&destination, config, err);
    question->port = destination.port;
    while (question->also_count < QUESTION_ALSO_MOST) {
        const struct listener *more =
            destination_listener(&destination, config, question->also_count + 1);
        if (!more)
            break;
        question->also[question->also_count++] = more;
    }
    return true;
}

bool question_read(struct question *question, const json_t *json, const struct config *config,
                   struct error *err)
{
    struct wish wish;
    *question = (struct question){0};
    return call_body_check(fields, json, err) && wish_read(&wish, json, err) &&
           request_read(question, &wish, err) && name_find(question, &wish, json, err) &&
           from_find(question, json, err) && chain_find(question, json, err) &&
           listener_find(question, &wish, json, config, err);
}

void question_done(struct question *question)
{
    sk_X509_pop_free(question->chain, X509_free);
    free(question->name);
    free(question->head);
    *question = (struct question){0};
}
