/* SPDX-License-Identifier: Apache-2.0 */
/* Where a request ends: what a refused client is told, or where one that passes gets to. */
#ifndef LB_EXPLANATION_END_H
#define LB_EXPLANATION_END_H

struct explanation;
struct json_writer;

/** Of a refusal: "told", and "sentence" and "advice" as the client reads them. Any thread. */
void explanation_told_write(struct json_writer *writer, const struct explanation *explanation);

/** "access", and of what passes or may pass "pool", "redirect" or "respond", "client_id" and the
 * fields of the head. Thread: any; live: control. */
void explanation_end_write(struct json_writer *writer, const struct explanation *explanation);

#endif
