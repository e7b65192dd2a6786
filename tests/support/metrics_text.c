/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/metrics_text.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lb/base/utf8.h"
#include "tests/support/check_main.h"

enum { NAME_BYTES = 128, FAMILIES_MOST = 256, SAMPLES_MOST = 20000, LINE_BYTES = 8192 };

struct family {
    char name[NAME_BYTES];
    bool has_type;
    bool is_counter;
    bool is_histogram;
};

struct reading {
    struct family families[FAMILIES_MOST];
    unsigned family_count;
    char *samples[SAMPLES_MOST]; /* names with their labels */
    unsigned sample_count;
};

static bool is_name(const char *from, const char *end)
{
    if (from == end || isdigit((unsigned char)*from))
        return false;
    for (; from < end; from++)
        if (!isalnum((unsigned char)*from) && *from != '_')
            return false;
    return true;
}

static struct family *current(struct reading *reading)
{
    return reading->family_count ? &reading->families[reading->family_count - 1] : NULL;
}

static bool is_known(const struct reading *reading, const char *name)
{
    for (unsigned i = 0; i < reading->family_count; i++)
        if (strcmp(reading->families[i].name, name) == 0)
            return true;
    return false;
}

static const char *read_help(struct reading *reading, const char *rest)
{
    const char *blank = strchr(rest, ' ');
    if (!blank || !is_name(rest, blank) || blank - rest >= NAME_BYTES)
        return "a HELP without a name or a text";
    for (const char *at = blank; *at; at++)
        if (*at == '\\' && at[1] != '\\' && at[1] != 'n')
            return "a HELP with an escape that is none";
    struct family family = {.has_type = false};
    memcpy(family.name, rest, (size_t)(blank - rest));
    if (is_known(reading, family.name))
        return "a second HELP of a family";
    if (current(reading) && !current(reading)->has_type)
        return "a family without TYPE";
    ck_assert_uint_lt(reading->family_count, FAMILIES_MOST);
    reading->families[reading->family_count++] = family;
    return NULL;
}

static const char *read_type(struct reading *reading, const char *rest)
{
    struct family *family = current(reading);
    const char *blank = strchr(rest, ' ');
    if (!family || !blank || strncmp(family->name, rest, (size_t)(blank - rest)) != 0 ||
        family->name[blank - rest] != '\0')
        return "a TYPE that does not follow its HELP";
    if (family->has_type)
        return "a second TYPE of a family";
    family->has_type = true;
    family->is_counter = strcmp(blank + 1, "counter") == 0;
    family->is_histogram = strcmp(blank + 1, "histogram") == 0;
    if (!family->is_counter && !family->is_histogram && strcmp(blank + 1, "gauge") != 0)
        return "a TYPE that lb has none of";
    size_t length = strlen(family->name);
    bool is_total = length > 6 && strcmp(family->name + length - 6, "_total") == 0;
    return is_total == family->is_counter ? NULL
                                          : "a counter not called _total, or another that is";
}

/* Behind the closing quote; NULL: it is none. */
static const char *skip_value(const char *at)
{
    if (*at++ != '"')
        return NULL;
    while (*at && *at != '"') {
        size_t length = utf8_length(at, strlen(at));
        if (length == 0)
            return NULL;
        if (*at == '\\' && !strchr("\\\"n", at[1]))
            return NULL;
        at += *at == '\\' ? 2 : (long)length;
    }
    return *at == '"' ? at + 1 : NULL;
}

/* Behind the closing brace; NULL: they are none. */
static const char *skip_labels(const char *at)
{
    const char *end;
    do {
        end = strchr(++at, '=');
        if (!end || !is_name(at, end))
            return NULL;
        at = skip_value(end + 1);
    } while (at && *at == ',');
    return at && *at == '}' ? at + 1 : NULL;
}

static const char *note_sample(struct reading *reading, const char *line, const char *end)
{
    char *sample = strndup(line, (size_t)(end - line));
    for (unsigned i = 0; i < reading->sample_count; i++) {
        if (strcmp(reading->samples[i], sample) == 0) {
            free(sample);
            return "a sample that was there before";
        }
    }
    ck_assert_uint_lt(reading->sample_count, SAMPLES_MOST);
    reading->samples[reading->sample_count++] = sample;
    return NULL;
}

/* Is the name that ends at `end` the family's, or of one of its parts? */
static bool is_of_family(const struct family *family, const char *name, const char *end)
{
    size_t length = strlen(family->name), rest = (size_t)(end - name) - length;
    if ((size_t)(end - name) < length || strncmp(family->name, name, length) != 0)
        return false;
    if (!family->is_histogram)
        return rest == 0;
    const char *part = name + length;
    return (rest == 7 && strncmp(part, "_bucket", rest) == 0) ||
           (rest == 4 && strncmp(part, "_sum", rest) == 0) ||
           (rest == 6 && strncmp(part, "_count", rest) == 0);
}

static const char *read_sample(struct reading *reading, const char *line)
{
    const struct family *family = current(reading);
    const char *end = line + strcspn(line, "{ ");
    if (!is_name(line, end))
        return "a sample without a name";
    if (!family || !family->has_type || !is_of_family(family, line, end))
        return "a sample outside of its family";
    if (*end == '{')
        end = skip_labels(end);
    if (!end || *end != ' ')
        return "labels that are none";
    char *rest;
    double value = strtod(end + 1, &rest);
    if (rest == end + 1 || *rest || isspace((unsigned char)end[1]))
        return "a value that is none";
    if ((family->is_counter || family->is_histogram) && value < 0)
        return "a counter below 0";
    return note_sample(reading, line, end);
}

static const char *read_line(struct reading *reading, const char *line)
{
    if (strncmp(line, "# HELP ", 7) == 0)
        return read_help(reading, line + 7);
    if (strncmp(line, "# TYPE ", 7) == 0)
        return read_type(reading, line + 7);
    return *line == '#' || !*line ? "a comment or an empty line" : read_sample(reading, line);
}

static const char *read_all(struct reading *reading, const char *text, char line[LINE_BYTES])
{
    line[0] = '\0';
    while (*text) {
        const char *end = strchr(text, '\n');
        if (!end)
            return "a last line without its end";
        ck_assert_uint_lt((size_t)(end - text), LINE_BYTES);
        snprintf(line, LINE_BYTES, "%.*s", (int)(end - text), text);
        const char *fault = read_line(reading, line);
        if (fault)
            return fault;
        text = end + 1;
    }
    return reading->family_count > 0 && current(reading)->has_type ? NULL : "no whole family";
}

const char *metrics_text_fault(const char *text)
{
    static char fault[LINE_BYTES + NAME_BYTES];
    static char line[LINE_BYTES];
    struct reading *reading = calloc(1, sizeof *reading);
    ck_assert_ptr_nonnull(reading);
    const char *what = read_all(reading, text, line);
    if (what)
        snprintf(fault, sizeof fault, "%s: %s", what, line);
    for (unsigned i = 0; i < reading->sample_count; i++)
        free(reading->samples[i]);
    free(reading);
    return what ? fault : NULL;
}

/* Does the sample that this line is have the label, as it is written? */
static bool has_label(const char *line, const char *end, const char *label)
{
    size_t length = strlen(label);
    for (const char *at = strstr(line, label); at && at + length < end; at = strstr(at + 1, label))
        if ((at[-1] == '{' || at[-1] == ',') && (at[length] == ',' || at[length] == '}'))
            return true;
    return false;
}

static bool fits(const char *line, const char *end, const char *name, va_list labels)
{
    size_t length = strlen(name);
    if (strncmp(line, name, length) != 0 || (line[length] != '{' && line[length] != ' '))
        return false;
    for (const char *label = va_arg(labels, const char *); label;
         label = va_arg(labels, const char *))
        if (!has_label(line, end, label))
            return false;
    return true;
}

bool metrics_text_find(const char *text, double *ret_value, const char *name, ...)
{
    unsigned found = 0;
    while (*text) {
        const char *end = text + strcspn(text, "\n");
        va_list labels;
        va_start(labels, name);
        if (fits(text, end, name, labels)) {
            const char *value = end;
            while (value[-1] != ' ')
                value--;
            *ret_value = strtod(value, NULL);
            found++;
        }
        va_end(labels);
        text = *end ? end + 1 : end;
    }
    ck_assert_msg(found <= 1, "%u samples of %s have these labels", found, name);
    return found == 1;
}
