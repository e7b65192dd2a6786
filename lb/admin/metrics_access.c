/* SPDX-License-Identifier: Apache-2.0 */
/* What [access] sections decided. */
#include "lb/admin/admin.h"
#include "lb/admin/metrics.h"
#include "lb/admin/metrics_writer.h"
#include "lb/base/arena.h"
#include "lb/base/text_map.h"
#include "lb/config/config.h"
#include "listeners/access/access_tally.h"
#include "listeners/load/access_section.h"

/* To the struct access_rule of each section in force, by its name. */
static void find_rules(const struct config *config, struct text_map *rules, struct arena *arena)
{
    size_t most = 1;
    for (unsigned i = 0; i < config->listener_count; i++)
        most += config->listeners[i].access_count;
    text_map_init(rules, most, arena);
    for (unsigned i = 0; i < config->listener_count; i++) {
        const struct listener *listener = &config->listeners[i];
        for (unsigned k = 0; k < listener->access_count; k++) {
            const struct access_rule *rule = &listener->access_sections[k]->rule;
            struct slice name = slice_of(rule->name);
            text_map_add(rules, text_hash(name), name, rule);
        }
    }
}

/* What a section in force does is there with 0, too: who watches for a rise must have seen it. */
static void write_tally(struct metrics *metrics, const struct access_tally *tally,
                        const struct access_rule *rule)
{
    for (unsigned i = 0; i < ACCESS_ACTION_COUNT; i++) {
        enum access_action action = (enum access_action)i;
        uint64_t count = access_tally_read(tally, action);
        if (count == 0 && !(rule && rule->action == action))
            continue;
        metrics_sample(metrics);
        metrics_label(metrics, "access", tally->name);
        metrics_label(metrics, "action", access_action_name(action));
        metrics_value(metrics, (int64_t)count);
    }
}

void metrics_write_access(struct metrics *metrics, struct admin_host *host)
{
    const struct access_tallies *tallies = host->services(host)->access_tallies;
    struct arena arena = {0};
    struct text_map rules;
    if (!tallies)
        return;
    find_rules(host->config(host), &rules, &arena);
    metrics_family(metrics, "lb_access_total", METRIC_COUNTER,
                   "Requests that an [access] section decided about, by what it does.");
    for (const struct access_tally *tally = access_tallies_first(tallies); tally;
         tally = tally->next) {
        struct slice name = slice_of(tally->name);
        write_tally(metrics, tally, text_map_get(&rules, text_hash(name), name));
    }
    arena_done(&arena);
}
