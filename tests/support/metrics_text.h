/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Metrics as text, read as strictly as the format (Prometheus' text format 0.0.4) is written: each
 * family has its HELP, its TYPE and then all its samples, once; names, labels and escapes are as
 * they must be, no sample is there twice, counters end with _total and are not negative, and the
 * last line ends.
 */
#ifndef LB_TESTS_METRICS_TEXT_H
#define LB_TESTS_METRICS_TEXT_H

#include <stdbool.h>

/* NULL: it is well-formed; else what is wrong with which line. Lent until the next call. */
const char *metrics_text_fault(const char *text);

/*
 * The value of the one sample of this name that has all of these labels, each as it is written
 * (listener="web"), closed by NULL.
 *
 * returns  false: there is none; fails the test when there are several
 */
bool metrics_text_find(const char *text, double *ret_value, const char *name, ...)
    __attribute__((sentinel));

#endif
