/* SPDX-License-Identifier: Apache-2.0 */
/* The bodies of lb's own answers: a page of HTML that needs nothing else, JSON, or text. */
#ifndef LB_LISTENERS_ANSWER_FORMS_H
#define LB_LISTENERS_ANSWER_FORMS_H

#include "lb/base/draft.h"
#include "listeners/answer/answer.h"

/** The fields that say what the body is, as whole lines. Static. */
const char *answer_forms_fields(enum answer_form form);

/** Append the body. Any thread. */
void answer_forms_write(enum answer_form form, const struct answer_words *words,
                        struct draft *draft);

/** Put sentence and advice where there are none, as far as the status tells. */
void answer_forms_complete(struct answer_words *words);

#endif
