/* SPDX-License-Identifier: Apache-2.0 */
/* Problems of a config in lb's own log: at the start and at every reload in the same words. */
#ifndef LB_CONFIG_PROBLEM_LOG_H
#define LB_CONFIG_PROBLEM_LOG_H

struct problem;

/** One line "config.problem": a warning as such, anything else as an error. Any thread. */
void problem_log(const struct problem *problem);

#endif
