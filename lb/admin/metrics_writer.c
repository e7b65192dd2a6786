/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/admin/metrics_writer.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lb/base/utf8.h"

static void put(struct metrics *metrics, const char *text)
{
    writer_raw(metrics->into, text, strlen(text));
}

static const char *type_name(enum metric_type type)
{
    switch (type) {
    case METRIC_GAUGE:
        break;
    case METRIC_COUNTER:
        return " counter\n";
    case METRIC_HISTOGRAM:
        return " histogram\n";
    }
    return " gauge\n";
}

void metrics_family(struct metrics *metrics, const char *name, enum metric_type type,
                    const char *help)
{
    metrics->name = name;
    put(metrics, "# HELP ");
    put(metrics, name);
    put(metrics, " ");
    put(metrics, help);
    put(metrics, "\n# TYPE ");
    put(metrics, name);
    put(metrics, type_name(type));
}

void metrics_sample(struct metrics *metrics)
{
    put(metrics, metrics->name);
    metrics->has_labels = false;
}

void metrics_part(struct metrics *metrics, const char *part)
{
    metrics_sample(metrics);
    put(metrics, part);
}

static bool is_plain(char byte)
{
    return byte != '"' && byte != '\\' && byte != '\n' && (unsigned char)byte < 0x80;
}

/* What stands at `value`, which is not plain; returns how many bytes of it were taken. */
static size_t put_special(struct metrics *metrics, const char *value, size_t left)
{
    size_t length = utf8_length(value, left);
    if (*value == '\n')
        put(metrics, "\\n");
    else if (*value == '"')
        put(metrics, "\\\"");
    else if (*value == '\\')
        put(metrics, "\\\\");
    else if (length > 1)
        writer_raw(metrics->into, value, length);
    else
        put(metrics, "\xef\xbf\xbd");
    return length > 1 ? length : 1;
}

static void put_escaped(struct metrics *metrics, const char *value)
{
    size_t left = strlen(value);
    while (left > 0) {
        size_t taken = 0;
        while (taken < left && is_plain(value[taken]))
            taken++;
        writer_raw(metrics->into, value, taken);
        if (taken < left)
            taken += put_special(metrics, value + taken, left - taken);
        value += taken;
        left -= taken;
    }
}

void metrics_label(struct metrics *metrics, const char *name, const char *value)
{
    put(metrics, metrics->has_labels ? "," : "{");
    metrics->has_labels = true;
    put(metrics, name);
    put(metrics, "=\"");
    put_escaped(metrics, value ? value : "");
    put(metrics, "\"");
}

void metrics_value(struct metrics *metrics, int64_t value)
{
    char text[32];
    snprintf(text, sizeof text, "%s %" PRId64 "\n", metrics->has_labels ? "}" : "", value);
    put(metrics, text);
}

void metric_seconds(uint64_t ms, char into[METRIC_SECONDS_BYTES])
{
    int length =
        snprintf(into, METRIC_SECONDS_BYTES, "%" PRIu64 ".%03u", ms / 1000, (unsigned)(ms % 1000));
    while (into[length - 1] == '0')
        length--;
    if (into[length - 1] == '.')
        length--;
    into[length] = '\0';
}

void metrics_value_ms(struct metrics *metrics, uint64_t ms)
{
    char seconds[METRIC_SECONDS_BYTES];
    metric_seconds(ms, seconds);
    put(metrics, metrics->has_labels ? "} " : " ");
    put(metrics, seconds);
    put(metrics, "\n");
}

void metrics_one(struct metrics *metrics, const char *name, enum metric_type type, const char *help,
                 int64_t value)
{
    metrics_family(metrics, name, type, help);
    metrics_sample(metrics);
    metrics_value(metrics, value);
}
