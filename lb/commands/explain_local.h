/* SPDX-License-Identifier: Apache-2.0 */
/* Explaining without a running lb: by the INI file, and by what the registry's store holds. */
#ifndef LB_COMMANDS_EXPLAIN_LOCAL_H
#define LB_COMMANDS_EXPLAIN_LOCAL_H

#include <jansson.h>

/**
 * Load the file as lb check does, and answer the question.
 *
 * question  as POST /v1/explain takes it; borrowed
 * returns   the answer: json_decref; NULL: what is wrong, with the file or the question, was told
 *           on stderr.   Thread: main
 */
json_t *explain_local(const char *file, const json_t *question);

#endif
