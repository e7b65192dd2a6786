/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/config/config_crls.h"

#include <string.h>
#include <time.h>

#include "lb/config/config.h"
#include "lb/config/config_sections.h"
#include "listeners/crl/crl_loading.h"

void config_crls_read(const struct config *config, const struct config_loading *loading,
                      const struct config_source *source)
{
    unsigned count = 0;
    for (unsigned i = 0; i < config->listener_count; i++)
        count += config->listeners[i].crl_check_count;
    if (count == 0)
        return;
    struct crl_check **checks = arena_alloc(source->arena, count * sizeof *checks);
    count = 0;
    for (unsigned i = 0; i < config->listener_count; i++)
        for (unsigned k = 0; k < config->listeners[i].crl_check_count; k++)
            checks[count++] = config->listeners[i].crl_checks[k];
    const struct crl_loading reading = {
        .crls = loading->crls,
        .is_lenient = loading->again,
        .now = time(NULL),
        .file = source->file,
        .arena = source->arena,
        .problems = source->problems,
    };
    crl_loading_read(&reading, checks, count);
}
