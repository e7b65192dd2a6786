/* SPDX-License-Identifier: Apache-2.0 */
/* An explanation as JSON: the answer of POST /v1/explain and of `lb explain --json`, and what its
 * view for people is made from. docs/API.md says what the members mean. */
#ifndef LB_EXPLANATION_JSON_H
#define LB_EXPLANATION_JSON_H

#include <jansson.h>
#include <stdbool.h>

struct error;
struct explainer;
struct explanation;
struct json_writer;

/** Write the whole object. Any thread; live ones: control, for verdicts. Allocates. */
void explanation_write(struct json_writer *writer, const struct explanation *explanation);

/** What became of a question. */
enum explanation_outcome { EXPLANATION_GIVEN, EXPLANATION_BAD_QUESTION, EXPLANATION_NO_MEMORY };

/**
 * Read a question, find out, and write the answer.
 *
 * json    the question, as question_read takes it; borrowed
 * writer  holds the answer where the outcome is GIVEN; else writer_done it unread
 * Fails:  err says what is wrong with the question.   Thread: as explanation_write
 */
enum explanation_outcome explanation_answer(const struct explainer *explainer, const json_t *json,
                                            struct json_writer *writer, struct error *err);

#endif
