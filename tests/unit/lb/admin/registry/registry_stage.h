/* SPDX-License-Identifier: Apache-2.0 */
/* The registry's API as commands call it, on a store in a fresh folder, with facts of the test's
 * own. */
#ifndef LB_TESTS_REGISTRY_STAGE_H
#define LB_TESTS_REGISTRY_STAGE_H

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lb/admin/registry/registry_local.h"
#include "lb/base/certificate.h"
#include "tests/support/certificates.h"
#include "tests/support/check_main.h"
#include "tests/support/folder.h"

struct registry_stage {
    struct folder folder;
    struct registry_facts facts;
    char location[4096];
    json_t *json; /* the last answer */
};

/* Everything below example.com is served, and whatever has no rule of its own. */
static inline bool stage_is_served(void *arg, const char *host, struct error *why_not)
{
    (void)arg;
    return strcmp(host, "*") == 0 || strcasestr(host, "example.com") ||
           error_set(why_not, "no rule serves %s: did you mean www.example.com?", host);
}

static inline void stage_begin(struct registry_stage *stage)
{
    *stage = (struct registry_stage){.json = NULL};
    folder_make(&stage->folder);
    snprintf(stage->location, sizeof stage->location, "sqlite:%s",
             folder_file(&stage->folder, "registry.db"));
    stage->facts = (struct registry_facts){
        .location = stage->location,
        .state_dir = stage->folder.path,
        .max_cas = 3,
        .signups_per_second = 100000,
        .expiring_within_s = 30 * MADE_DAY_S,
        .hosts = {stage_is_served, NULL},
    };
}

static inline void stage_end(struct registry_stage *stage)
{
    json_decref(stage->json);
    folder_remove(&stage->folder);
}

/* One call; its answer is kept until the next one. body: taken; NULL: none. */
static inline unsigned stage_call(struct registry_stage *stage, const char *method,
                                  const char *target, json_t *body)
{
    unsigned status = 0;
    json_decref(stage->json);
    stage->json = NULL;
    ck_assert(registry_call_local(method, target, body, &stage->facts, "uid 7 (pid 8)", &status,
                                  &stage->json));
    ck_assert(json_is_object(stage->json));
    json_decref(body);
    return status;
}

/* The member on a way such as "cas.0.name" of the last answer; NULL: none. */
static inline const json_t *stage_at(const struct registry_stage *stage, const char *way)
{
    const json_t *json = stage->json;
    char copy[128];
    snprintf(copy, sizeof copy, "%s", way);
    for (char *rest = copy, *step = strsep(&rest, "."); step; step = strsep(&rest, "."))
        json = json_is_array(json) ? json_array_get(json, strtoul(step, NULL, 10))
                                   : json_object_get(json, step);
    return json;
}

static inline const char *stage_text(const struct registry_stage *stage, const char *way)
{
    const char *text = json_string_value(stage_at(stage, way));
    return text ? text : "(none)";
}

static inline long long stage_number(const struct registry_stage *stage, const char *way)
{
    const json_t *json = stage_at(stage, way);
    ck_assert_msg(json_is_integer(json), "%s is no number", way);
    return (long long)json_integer_value(json);
}

/* What was asked for was done. */
static inline void stage_expect(struct registry_stage *stage, unsigned wanted, const char *method,
                                const char *target, json_t *body)
{
    unsigned status = stage_call(stage, method, target, body);
    ck_assert_msg(status == wanted, "%s %s: %u %s: %s", method, target, status,
                  stage_text(stage, "error.reason"), stage_text(stage, "error.text"));
}

/* It was refused, for this reason, and the text says this. */
static inline void stage_refused(struct registry_stage *stage, unsigned wanted, const char *reason,
                                 const char *told, const char *method, const char *target,
                                 json_t *body)
{
    stage_expect(stage, wanted, method, target, body);
    ck_assert_str_eq(stage_text(stage, "error.reason"), reason);
    ck_assert_msg(strstr(stage_text(stage, "error.text"), told) != NULL, "%s",
                  stage_text(stage, "error.text"));
}

/* {"name": …, "pem": …} of a CA. */
static inline json_t *stage_ca_body(const char *name, const struct made *ca)
{
    char *pem = made_certificate_pem(ca);
    json_t *body = json_pack("{s:s, s:s}", "name", name, "pem", pem);
    free(pem);
    return body;
}

static inline void stage_upload(struct registry_stage *stage, const char *name,
                                const struct made *ca)
{
    stage_expect(stage, 201, "POST", "/v1/cas", stage_ca_body(name, ca));
}

/* {"pem": …} of a certificate, with its chain behind it. */
static inline json_t *stage_pem_body(const struct made *made)
{
    char *pem = made_certificate_pem(made);
    json_t *body = json_pack("{s:s}", "pem", pem);
    free(pem);
    return body;
}

static inline void stage_register(struct registry_stage *stage, const struct made *made)
{
    stage_expect(stage, 201, "POST", "/v1/certificates/register", stage_pem_body(made));
}

/* "/v1/certificates/SERIAL" and what stands behind it; the last of eight such texts. */
static inline const char *stage_target(const struct made *made, const char *rest)
{
    static char targets[8][256];
    static unsigned next;
    char *target = targets[next++ % 8];
    char *serial = certificate_serial_text(made->certificate);
    snprintf(target, sizeof targets[0], "/v1/certificates/%s%s", serial, rest);
    free(serial);
    return target;
}

#endif
