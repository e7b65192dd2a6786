/* SPDX-License-Identifier: Apache-2.0 */
/* Which form of an answer of lb's own a client wants, by its Accept fields (RFC 9110 12.5.1), or by
 * what it speaks itself. */
#ifndef LB_LISTENERS_ACCEPT_H
#define LB_LISTENERS_ACCEPT_H

#include "lb/base/http1.h"

enum answer_form { ANSWER_TEXT, ANSWER_HTML, ANSWER_JSON, ANSWER_GRPC };

/**
 * ANSWER_GRPC for a request of gRPC (Content-Type), which names no form; else the form that is
 * named with the greatest weight, of equals the first: text/html (or application/xhtml+xml),
 * application/json (or anything +json), text/plain. Only names count: who takes everything, as
 * tools do by default, or nothing that lb has, gets text.
 *
 * request  whose head was parsed; at most ACCEPT_ELEMENTS_MOST elements of it are looked at, and
 *          those that are not well-formed are passed over
 * Thread:  any. Does not allocate.
 */
enum answer_form accept_form(const struct http_request *request);

#endif
