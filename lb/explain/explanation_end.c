/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/explain/explanation_end.h"

#include <stdlib.h>
#include <string.h>

#include "backends/backend.h"
#include "lb/admin/backend_report.h"
#include "lb/admin/json_writer.h"
#include "lb/config/config.h"
#include "lb/exchange/own_answer.h"
#include "lb/explain/explanation.h"
#include "lb/explain/explanation_advice.h"
#include "lb/explain/explanation_fields.h"
#include "listeners/access/access_tally.h"

/* --- refused -------------------------------------------------------------------------------- */

/* "status", and "location" where the client is sent somewhere. */
static void write_way(struct json_writer *writer, struct own_answer_way *way)
{
    writer_number(writer, "status", way->status);
    if (way->length == 0)
        return;
    way->location[way->length < LOCATION_BYTES ? way->length : LOCATION_BYTES - 1] = '\0';
    writer_text(writer, "location", way->location);
}

static void write_alert(struct json_writer *writer, enum refusal refusal)
{
    writer_object(writer, "told");
    writer_text(writer, "by", "alert");
    writer_text(writer, "alert", explanation_alert(refusal, true));
    writer_text(writer, "alert_tls_1_2", explanation_alert(refusal, false));
    writer_end(writer);
}

static void write_answer(struct json_writer *writer, const struct explanation *explanation)
{
    const struct decision *decision = &explanation->decision;
    const char *by =
        decision->outcome == DECISION_REFUSED && decision->rule->auth.page ? "page" : "answer";
    struct own_answer_way way;
    own_answer_way(&way, decision, &explanation->question->request);
    writer_object(writer, "told");
    writer_text(writer, "by", way.length > 0 ? "redirect" : by);
    write_way(writer, &way);
    writer_end(writer);
}

void explanation_told_write(struct json_writer *writer, const struct explanation *explanation)
{
    enum refusal refusal = explanation->handshake_refusal;
    const char *sentence = refusal_sentence(refusal);
    const char *advice = refusal_advice(refusal);
    if (refusal != REFUSAL_NONE) {
        write_alert(writer, refusal);
    } else {
        write_answer(writer, explanation);
        sentence = decision_sentence(&explanation->decision);
        advice = decision_advice(&explanation->decision);
    }
    if (sentence)
        writer_text(writer, "sentence", sentence);
    if (advice)
        writer_text(writer, "advice", advice);
}

/* --- passed --------------------------------------------------------------------------------- */

static void write_access(struct json_writer *writer, const struct access_rule *access)
{
    if (!access)
        return;
    writer_object(writer, "access");
    writer_text(writer, "name", access->name);
    writer_number(writer, "line", access->line);
    writer_text(writer, "action", access_action_name(access->action));
    writer_end(writer);
}

/* Of a file that nobody serves from, backends have neither verdicts nor anything else. */
static void write_backend(struct json_writer *writer, const struct backend *backend, bool is_live)
{
    writer_object(writer, NULL);
    writer_text(writer, "name", backend->name);
    writer_text(writer, "address", backend->address.text);
    if (is_live)
        writer_text(writer, "state", backend_report_state(backend->standing));
    writer_end(writer);
}

static void write_pool(struct json_writer *writer, const struct explanation *explanation)
{
    const struct explainer *explainer = explanation->explainer;
    const struct pool *pool = explainer->config->pools[explanation->decision.rule->pool];
    writer_object(writer, "pool");
    writer_text(writer, "name", pool->name);
    if (explainer->is_live)
        writer_text(writer, "state", pool_state_name(pool->state));
    writer_array(writer, "backends");
    for (unsigned i = 0; i < pool->backend_count; i++)
        write_backend(writer, &pool->backends[i], explainer->is_live);
    writer_end(writer);
    writer_end(writer);
    explanation_fields_write(writer, explanation);
}

static void write_own_answer(struct json_writer *writer, const struct explanation *explanation)
{
    const struct rule *rule = explanation->decision.rule;
    bool moves = rule->redirect || explanation->decision.outcome == DECISION_SLASH;
    struct own_answer_way way;
    own_answer_way(&way, &explanation->decision, &explanation->question->request);
    writer_object(writer, moves ? "redirect" : "respond");
    write_way(writer, &way);
    writer_end(writer);
}

static void write_client_id(struct json_writer *writer, struct slice id)
{
    char *text = id.length > 0 ? strndup(id.at, id.length) : NULL;
    if (text)
        writer_text(writer, "client_id", text);
    free(text);
}

void explanation_end_write(struct json_writer *writer, const struct explanation *explanation)
{
    const struct decision *decision = &explanation->decision;
    write_access(writer, decision->access);
    if (explanation->result == EXPLANATION_REFUSED || !decision->rule)
        return;
    write_client_id(writer, decision->client_id);
    if (decision->rule->pool != RULE_NO_POOL && decision->outcome != DECISION_SLASH)
        write_pool(writer, explanation);
    else if (decision->outcome == DECISION_SLASH || decision->outcome == DECISION_REDIRECT ||
             decision->outcome == DECISION_RESPOND)
        write_own_answer(writer, explanation);
}
