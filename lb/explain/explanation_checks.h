/* SPDX-License-Identifier: Apache-2.0 */
/* Each question of a rule about the client, with its result and what stands behind it, as JSON. */
#ifndef LB_EXPLANATION_CHECKS_H
#define LB_EXPLANATION_CHECKS_H

struct explanation;
struct json_writer;

/** Write "checks": an object for each question, in the order in which they are asked. Any thread.
 */
void explanation_checks_write(struct json_writer *writer, const struct explanation *explanation);

#endif
