/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/config/problem_log.h"

#include "lb/base/error.h"
#include "lb/base/log.h"

void problem_log(const struct problem *problem)
{
    struct log_line line;
    log_begin(&line, problem->warning ? LOG_LEVEL_WARN : LOG_LEVEL_ERROR, "config.problem");
    log_text(&line, "file", problem->file);
    if (problem->line > 0)
        log_number(&line, "line", problem->line);
    log_text(&line, "problem", problem->text);
    log_end(&line);
}
