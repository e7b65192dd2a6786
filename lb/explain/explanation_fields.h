/* SPDX-License-Identifier: Apache-2.0 */
/* The head that a backend would get, as JSON: written by what writes it for every request. */
#ifndef LB_EXPLANATION_FIELDS_H
#define LB_EXPLANATION_FIELDS_H

struct explanation;
struct json_writer;

/**
 * Write "backend_fields", a list of {"name", "value"}: what lb itself says to the backend;
 * "client_fields", what it adds to the answer of that; and "fields_first_only": who the client is
 * stands in the first request and answer of a connection alone. Left out are the id, which is
 * another one for each request, and the client's address where that was not said.
 *
 * explanation  of a request that goes to a pool
 * Thread:      any. Allocates.
 */
void explanation_fields_write(struct json_writer *writer, const struct explanation *explanation);

#endif
