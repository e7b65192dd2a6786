/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/server/reload_outcome.h"

#include <assert.h>
#include <stdio.h>
#include <time.h>

#include "lb/base/log.h"
#include "lb/config/problem_log.h"
#include "lb/server/server_state.h"

/* What the text in force is warned of was told when it was put in force. */
static void log_problems(const struct reload *reload)
{
    const struct problems *problems = &reload->problems;
    for (size_t i = 0; i < problems->count; i++) {
        const struct problem *problem = &problems->items[i];
        if (!problem->warning || reload->source != RELOAD_FROM_TEXT)
            problem_log(problem);
    }
}

static void log_outcome(const struct server *server, bool reloaded)
{
    static const struct {
        const char *good, *bad, *then;
    } words[] = {
        [RELOAD_FROM_FILE] = {"lb.reloaded", "lb.not-reloaded",
                              "the config that was in force stays in force"},
        [RELOAD_FROM_TEXT] = {"registry.applied", "registry.not-applied",
                              "what was changed (CAs, and what they are bound to) is kept, but not "
                              "in force: put this right, then lb reload"},
    };
    const struct reload *reload = &server->reload;
    struct log_line line;
    log_begin(&line, reloaded ? LOG_LEVEL_INFO : LOG_LEVEL_ERROR,
              reloaded ? words[reload->source].good : words[reload->source].bad);
    log_text(&line, "file", server->config->file);
    log_number(&line, "took_ms", (int64_t)(uv_now(&server->loop) - reload->began_ms));
    if (!reloaded)
        log_text(&line, "then", words[reload->source].then);
    log_end(&line);
}

/* For those who ask later. */
static void keep_failure(struct reload *reload)
{
    const struct problems *problems = &reload->problems;
    size_t i = 0;
    while (i < problems->count && problems->items[i].warning)
        i++;
    assert(i < problems->count);
    reload->last_failed = true;
    reload->failed_source = reload->source;
    reload->failed_s = time(NULL);
    if (problems->items[i].line > 0)
        snprintf(reload->failure, sizeof reload->failure, "%s:%u: %s", problems->items[i].file,
                 problems->items[i].line, problems->items[i].text);
    else
        snprintf(reload->failure, sizeof reload->failure, "%s: %s", problems->items[i].file,
                 problems->items[i].text);
}

/* That the file is no good stays true whatever becomes of the text. */
static void note_outcome(struct reload *reload, bool reloaded)
{
    bool is_files = reload->last_failed && reload->failed_source == RELOAD_FROM_FILE;
    if (is_files && reload->source == RELOAD_FROM_TEXT)
        return;
    if (reloaded)
        reload->last_failed = false;
    else
        keep_failure(reload);
}

void reload_outcome_note(struct server *server, bool reloaded)
{
    log_problems(&server->reload);
    log_outcome(server, reloaded);
    *(reloaded ? &server->reload.good_count : &server->reload.bad_count) += 1;
    note_outcome(&server->reload, reloaded);
}
