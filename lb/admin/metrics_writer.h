/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Metrics in Prometheus' text format (version 0.0.4):
 *
 *   metrics_family(&m, "lb_clients", METRIC_GAUGE, "Open connections of clients.");
 *   metrics_sample(&m);
 *   metrics_label(&m, "listener", "web");
 *   metrics_value(&m, 12);
 *
 * Names, labels' names and help texts are literals of ours and written as they are; values of
 * labels are escaped, and get U+FFFD in the place of bytes that are no UTF-8.
 */
#ifndef LB_ADMIN_METRICS_WRITER_H
#define LB_ADMIN_METRICS_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "lb/admin/json_writer.h"

enum metric_type { METRIC_GAUGE, METRIC_COUNTER, METRIC_HISTOGRAM };

struct metrics {
    struct json_writer *into; /* borrowed */
    const char *name;         /* of the family that is open */
    bool has_labels;          /* of the sample that is open */
};

/** Begin a family: all its samples follow. type COUNTER: the name ends with "_total". */
void metrics_family(struct metrics *metrics, const char *name, enum metric_type type,
                    const char *help);
/** Begin a sample: its labels follow, then its value. */
void metrics_sample(struct metrics *metrics);
/** The same in a histogram: the part that the sample is of, "_bucket", "_sum" or "_count". */
void metrics_part(struct metrics *metrics, const char *part);
/** value NULL: "". */
void metrics_label(struct metrics *metrics, const char *name, const char *value);
/** End the sample. */
void metrics_value(struct metrics *metrics, int64_t value);
/** The same; told in seconds. */
void metrics_value_ms(struct metrics *metrics, uint64_t ms);

enum { METRIC_SECONDS_BYTES = 32 };
/** "0.005", "10", …: milliseconds as seconds, without zeros that say nothing. */
void metric_seconds(uint64_t ms, char into[METRIC_SECONDS_BYTES]);

/** A family of one sample without labels. */
void metrics_one(struct metrics *metrics, const char *name, enum metric_type type, const char *help,
                 int64_t value);

#endif
