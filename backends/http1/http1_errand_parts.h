/* SPDX-License-Identifier: Apache-2.0 */
/* The seam inside http1_errand.h: http1_errand_read.c reads for http1_errand.c. For these only; see
 * errand.h for what the two do. */
#ifndef LB_BACKENDS_HTTP1_HTTP1_ERRAND_PARTS_H
#define LB_BACKENDS_HTTP1_HTTP1_ERRAND_PARTS_H

#include "backends/errand.h"

enum errand_read http1_errand_read(struct errand *errand, struct errand_news *news);
unsigned http1_errand_trailers(struct errand *errand, struct http_field *fields, unsigned room);

#endif
