/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/admin/metrics_writer.h"

#include <stdio.h>
#include <string.h>

#include "tests/support/check_main.h"
#include "tests/support/metrics_text.h"

static struct json_writer text;
static struct metrics metrics;

static void begin(void)
{
    text = (struct json_writer){0};
    metrics = (struct metrics){.into = &text};
}

static void end(void)
{
    writer_done(&text);
}

/* What is written so far, ended by a NUL. */
static const char *written(void)
{
    writer_raw(&text, "", 1);
    return text.bytes;
}

START_TEST(a_family_is_its_help_its_type_and_its_samples)
{
    metrics_family(&metrics, "lb_things_total", METRIC_COUNTER, "Things.");
    metrics_sample(&metrics);
    metrics_label(&metrics, "kind", "one");
    metrics_label(&metrics, "size", NULL);
    metrics_value(&metrics, 12345678901);
    metrics_one(&metrics, "lb_level", METRIC_GAUGE, "The level.", -3);
    ck_assert_str_eq(written(), "# HELP lb_things_total Things.\n"
                                "# TYPE lb_things_total counter\n"
                                "lb_things_total{kind=\"one\",size=\"\"} 12345678901\n"
                                "# HELP lb_level The level.\n"
                                "# TYPE lb_level gauge\n"
                                "lb_level -3\n");
}
END_TEST

START_TEST(a_histogram_has_parts_and_tells_seconds)
{
    char seconds[METRIC_SECONDS_BYTES];
    static const struct {
        uint64_t ms;
        const char *seconds;
    } times[] = {{0, "0"},    {5, "0.005"},  {250, "0.25"},
                 {1000, "1"}, {10000, "10"}, {61001, "61.001"}};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        metric_seconds(times[i].ms, seconds);
        ck_assert_str_eq(seconds, times[i].seconds);
    }
    metrics_family(&metrics, "lb_took_seconds", METRIC_HISTOGRAM, "Time.");
    metrics_part(&metrics, "_bucket");
    metrics_label(&metrics, "le", "+Inf");
    metrics_value(&metrics, 2);
    metrics_part(&metrics, "_sum");
    metrics_value_ms(&metrics, 1500);
    metrics_part(&metrics, "_count");
    metrics_value(&metrics, 2);
    ck_assert_str_eq(written(), "# HELP lb_took_seconds Time.\n"
                                "# TYPE lb_took_seconds histogram\n"
                                "lb_took_seconds_bucket{le=\"+Inf\"} 2\n"
                                "lb_took_seconds_sum 1.5\n"
                                "lb_took_seconds_count 2\n");
}
END_TEST

/* What a certificate may call itself, and what becomes of it. */
static const struct {
    const char *value, *label;
} values[] = {
    {"CN=O\\, \"quoted\"\nand more", "CN=O\\\\, \\\"quoted\\\"\\nand more"},
    {"CN=\xc3\xbc\xe2\x82\xac", "CN=\xc3\xbc\xe2\x82\xac"},
    {"CN=\xff\xc3(", "CN=\xef\xbf\xbd\xef\xbf\xbd("},
    {"x\xc3", "x\xef\xbf\xbd"},
    {"\x01\t{},= ", "\x01\t{},= "},
    {"\\n", "\\\\n"},
};

START_TEST(no_name_of_a_certificate_breaks_the_text)
{
    char expected[256];
    metrics_family(&metrics, "lb_ca", METRIC_GAUGE, "CAs.");
    metrics_sample(&metrics);
    metrics_label(&metrics, "subject", values[_i].value);
    metrics_value(&metrics, 1);
    snprintf(expected, sizeof expected, "lb_ca{subject=\"%s\"} 1\n", values[_i].label);
    ck_assert_ptr_nonnull(strstr(written(), expected));
    ck_assert_ptr_null(metrics_text_fault(written()));
}
END_TEST

/* What the strict reader must not let pass, or it would prove nothing. */
static const struct {
    const char *text, *fault;
} faulty[] = {
    {"", "no whole family"},
    {"# HELP a b\n# TYPE a gauge\na 1", "without its end"},
    {"# HELP a b\n# TYPE a counter\na 1\n", "_total"},
    {"# HELP a_total b\n# TYPE a_total gauge\n", "_total"},
    {"# HELP a_total b\n# TYPE a_total counter\na_total -1\n", "below 0"},
    {"# HELP a b\na 1\n", "outside of its family"},
    {"# HELP a b\n# TYPE a gauge\nb 1\n", "outside of its family"},
    {"# HELP a b\n# TYPE a gauge\na 1\na 2\n", "there before"},
    {"# HELP a b\n# TYPE a gauge\n# HELP a b\n", "second HELP"},
    {"# HELP a b\n# TYPE a gauge\na{x=\"1} 1\n", "labels"},
    {"# HELP a b\n# TYPE a gauge\na{x=\"\\t\"} 1\n", "labels"},
    {"# HELP a b\n# TYPE a gauge\na{x=\"\xff\"} 1\n", "labels"},
    {"# HELP a b\n# TYPE a gauge\na{x-y=\"1\"} 1\n", "labels"},
    {"# HELP a b\n# TYPE a gauge\na{x=\"1\"}  1\n", "value"},
    {"# HELP a b\n# TYPE a gauge\na one\n", "value"},
    {"# HELP a b\n# TYPE a gauge\n\n", "empty line"},
    {"# HELP a b\n# TYPE a summary\n", "none of"},
};

START_TEST(the_reader_of_the_tests_is_strict)
{
    const char *fault = metrics_text_fault(faulty[_i].text);
    ck_assert_msg(fault && strstr(fault, faulty[_i].fault), "%s: %s", faulty[_i].text,
                  fault ? fault : "fine");
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_test(tcase, a_family_is_its_help_its_type_and_its_samples);
    tcase_add_test(tcase, a_histogram_has_parts_and_tells_seconds);
    tcase_add_loop_test(tcase, no_name_of_a_certificate_breaks_the_text, 0,
                        sizeof values / sizeof values[0]);
    tcase_add_loop_test(tcase, the_reader_of_the_tests_is_strict, 0,
                        sizeof faulty / sizeof faulty[0]);
}

CHECK_MAIN("metrics writer", add_tests)
