/* SPDX-License-Identifier: Apache-2.0 */
/* Names of faults as the text tables write them, and copies that end where the bytes end. */
#ifndef LB_TESTS_HTTP_FAULTS_H
#define LB_TESTS_HTTP_FAULTS_H

#include <stddef.h>

#include "lb/base/http1.h"

/** "BAD_HOST" for HTTP_BAD_HOST; "fine" for HTTP_FINE. */
const char *http_fault_name(enum http_fault fault);

/** The first `length` bytes in memory of exactly that size, so that sanitizers see every byte read
 * too many. */
char *exact_copy(const char *bytes, size_t length);

#endif
