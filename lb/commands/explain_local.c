/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/commands/explain_local.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lb/admin/json_writer.h"
#include "lb/admin/registry/call_body.h"
#include "lb/base/certificate.h"
#include "lb/commands/check.h"
#include "lb/config/config.h"
#include "lb/config/places.h"
#include "lb/explain/explanation.h"
#include "lb/explain/explanation_json.h"
#include "lb/explain/explanation_registry.h"
#include "listeners/registry/registry_options.h"
#include "listeners/registry/view.h"

/* The registry as it is now, read with its owner's rights. NULL: err says why not. */
static struct view *read_view(const struct config *config, const X509 *certificate,
                              struct error *err)
{
    struct stand_in stand_in;
    if (!places_stand_in(config->options->user, NULL, NULL, &stand_in, err))
        return NULL;
    struct view *view = explanation_view(config->registry->store, certificate, err);
    stand_in_end(&stand_in);
    return view;
}

/* false: there is a certificate, and the registry cannot be asked about it. A certificate that
 * cannot be read is the question's own fault, told when it is answered. */
static bool find_view(const struct config *config, const json_t *question, struct view **ret_view,
                      struct error *err)
{
    const char *pem = body_text(question, "pem");
    struct error ignored;
    STACK_OF(X509) *chain =
        pem ? certificates_read(pem, strlen(pem), "certificate", &ignored) : NULL;
    bool is_known = !chain || (*ret_view = read_view(config, sk_X509_value(chain, 0), err));
    sk_X509_pop_free(chain, X509_free);
    return is_known;
}

static void open_listeners(struct config *config, const struct view *view)
{
    const struct listener_services services = {0};
    for (unsigned i = 0; i < config->listener_count; i++) {
        listener_open(&config->listeners[i], &services);
        config->listeners[i].view = view;
    }
}

static json_t *answer(struct config *config, const json_t *question)
{
    struct json_writer writer = {0};
    struct error fault = {""}, err = {""};
    struct view *view = NULL;
    bool is_known = find_view(config, question, &view, &fault);
    const struct explainer explainer = {
        .config = config,
        .registry_fault = is_known ? NULL : fault.text,
        .now = time(NULL),
    };
    json_t *json = NULL;
    open_listeners(config, view);
    switch (explanation_answer(&explainer, question, &writer, &err)) {
    case EXPLANATION_GIVEN:
        json = json_loadb(writer.bytes, writer.length, 0, NULL);
        break;
    case EXPLANATION_BAD_QUESTION:
        fprintf(stderr, "lb explain: %s\n", err.text);
        break;
    case EXPLANATION_NO_MEMORY:
        fprintf(stderr, "lb explain: out of memory\n");
        break;
    }
    writer_done(&writer);
    /* Listeners lend it to nobody any more: nobody asks them. */
    open_listeners(config, NULL);
    view_free(view);
    return json;
}

/* What is only odd does not stand between a question and its answer. */
static void tell_problems(const struct problems *problems, const char *file)
{
    if (problems->error_count > 0)
        check_write_problems(problems, stderr);
    else if (problems->count > 0)
        fprintf(stderr, "lb explain: %s: %zu warning%s: lb check tells them\n", file,
                problems->count, problems->count == 1 ? "" : "s");
}

json_t *explain_local(const char *file, const json_t *question)
{
    struct problems problems = {0};
    json_t *json = NULL;
    struct config *config = config_load(file, &problems);
    problems_sort(&problems);
    tell_problems(&problems, file);
    if (config)
        json = answer(config, question);
    config_free(config);
    problems_done(&problems);
    return json;
}
