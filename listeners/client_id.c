/* SPDX-License-Identifier: Apache-2.0 */
/* Who is verified may say which client it is, where a rule lets it; who is not is nobody. */
#include "listeners/client_id.h"

#include "lb/base/error.h"
#include "lb/base/http1.h"
#include "lb/base/utf8.h"
#include "listeners/identity.h"
#include "listeners/identity_headers.h"
#include "listeners/registry/certificates.h"
#include "listeners/registry/view.h"
#include "listeners/rules/policy.h"
#include "listeners/rules/rule.h"

/* --- names --------------------------------------------------------------------------------- */

/* What has a meaning to HTTP, besides the names that lb acts on; lower case. To write one of these
 * would change what the request asks for, or who asks. */
static const char *const taken_names[] = {"accept", "authorization", "cache-control", "origin",
                                          "pragma", "proxy",         "max-forwards",  "priority",
                                          "range",  "via",           "warning"};
static const char *const taken_prefixes[] = {
    "accept-", "access-control-", "content-", "if-", "proxy-", "sec-", "x-forwarded-"};

/* As identity_header_is_known() has it: CGI makes `_` of `-`, and some servers of every byte that
 * is neither letter nor digit. */
static char plain(char byte)
{
    if (byte >= 'A' && byte <= 'Z')
        return (char)(byte - 'A' + 'a');
    bool is_kept = (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9');
    return is_kept ? byte : '-';
}

static bool begin_alike(struct slice one, struct slice other, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (plain(one.at[i]) != plain(other.at[i]))
            return false;
    return true;
}

static bool are_alike(struct slice one, struct slice other)
{
    return one.length == other.length && begin_alike(one, other, one.length);
}

static bool lb_acts_on(struct slice name)
{
    char dashed[32]; /* no name that lb acts on is as long */
    if (name.length > sizeof dashed)
        return false;
    for (size_t i = 0; i < name.length; i++)
        dashed[i] = plain(name.at[i]);
    return http_name_of((struct slice){dashed, name.length}) != HTTP_OTHER_FIELD;
}

static bool is_taken(struct slice name)
{
    for (size_t i = 0; i < sizeof taken_names / sizeof *taken_names; i++)
        if (are_alike(name, slice_of(taken_names[i])))
            return true;
    for (size_t i = 0; i < sizeof taken_prefixes / sizeof *taken_prefixes; i++) {
        struct slice prefix = slice_of(taken_prefixes[i]);
        if (name.length >= prefix.length && begin_alike(name, prefix, prefix.length))
            return true;
    }
    return false;
}

bool client_id_header_check(const char *name, struct error *err)
{
    struct slice text = slice_of(name);
    if (!http_is_token(text))
        return error_set(err,
                         "client_id_header \"%s\" is no name of a header field: write one of "
                         "letters, digits and \"-\", as in X-Device-Id",
                         name);
    if (identity_header_is_known(text))
        return error_set(err,
                         "client_id_header \"%s\": fields that begin like this tell of the "
                         "client's certificate (client_headers); write another name, as in "
                         "X-Device-Id",
                         name);
    if (lb_acts_on(text) || is_taken(text))
        return error_set(err,
                         "client_id_header \"%s\": that field has a meaning already; write a name "
                         "that nobody else uses, as in X-Device-Id",
                         name);
    return true;
}

bool client_id_fields_add(struct client_id_fields *fields, struct slice name)
{
    if (client_id_fields_have(fields, name))
        return true;
    if (fields->count == CLIENT_ID_FIELDS_MOST)
        return false;
    fields->names[fields->count++] = name;
    return true;
}

bool client_id_fields_have(const struct client_id_fields *fields, struct slice name)
{
    for (unsigned i = 0; i < fields->count; i++)
        if (are_alike(fields->names[i], name))
            return true;
    return false;
}

/* --- ids ----------------------------------------------------------------------------------- */

bool client_id_is_fit(struct slice id)
{
    if (id.length == 0 || id.length > CERTIFICATE_TEXT_BYTES || id.at[0] == ' ' ||
        id.at[id.length - 1] == ' ')
        return false;
    for (size_t i = 0; i < id.length;) {
        size_t step = utf8_length(id.at + i, id.length - i);
        if (step == 0 || utf8_is_hidden(id.at + i, step))
            return false;
        i += step;
    }
    return true;
}

/* false: it is passed more than once, or is none. *ret_id is of length 0 when none is passed: to
 * pass an empty one is to pass none. */
static bool find_passed(struct slice name, const struct http_request *request, struct slice *ret_id)
{
    const struct http_field *found = NULL;
    for (unsigned i = 0; i < request->field_count; i++) {
        const struct http_field *field = &request->fields[i];
        if (field->name.length != name.length ||
            strncasecmp(field->name.at, name.at, name.length) != 0)
            continue;
        if (found)
            return false;
        found = field;
    }
    *ret_id = found ? found->value : (struct slice){NULL, 0};
    return ret_id->length == 0 || client_id_is_fit(*ret_id);
}

static struct slice known_id(const struct identity *identity)
{
    const struct view_entry *entry = atomic_load_explicit(&identity->known, memory_order_acquire);
    const char *registered = entry ? view_client_id(entry) : NULL;
    const char *text = registered ? registered : identity->common_name;
    return text ? slice_of(text) : (struct slice){NULL, 0};
}

bool client_id_find(const struct rule *rule, struct identity *identity,
                    const struct http_request *request, time_t now, struct slice *ret_id)
{
    struct slice passed = {NULL, 0};
    if (!identity || rule->auth.mode == AUTH_OFF ||
        policy_verdict(&rule->auth, identity, now) != REFUSAL_NONE) {
        *ret_id = passed;
        return true;
    }
    if (rule->client_id_header.length > 0 && !find_passed(rule->client_id_header, request, &passed))
        return false;
    struct slice id = passed.length > 0 ? passed : known_id(identity);
    /* A store that others have written to must not put lines into heads. */
    if (rule->client_id_header.length > 0 && passed.length == 0 && !client_id_is_fit(id))
        id = (struct slice){NULL, 0};
    *ret_id = id;
    return true;
}
