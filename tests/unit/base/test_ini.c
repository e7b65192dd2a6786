/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an INI file becomes: tests/cases/ini/NAME.ini and NAME.expected side by side, and here what
 * a text file cannot show. An expected file holds one line per entry, then one per problem.
 */
#include "lb/base/ini.h"

#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lb/base/limits.h"
#include "tests/support/check_main.h"
#include "tests/support/folder.h"

static struct arena arena;
static struct problems problems;
static struct ini ini;
static glob_t cases;

static void begin(void)
{
    arena = (struct arena){0};
    problems = (struct problems){0};
    ini = (struct ini){0};
}

static void end(void)
{
    problems_done(&problems);
    arena_done(&arena);
}

static void read_bytes(const char *bytes, size_t length)
{
    ini_read_bytes(&ini, "lb.ini", bytes, length, &arena, &problems);
    problems_sort(&problems);
}

static void read_text(const char *text)
{
    read_bytes(text, strlen(text));
}

static void entry_write(const struct ini_entry *entry, FILE *out)
{
    const char *blank = *entry->name ? " " : "";
    if (!entry->key)
        fprintf(out, "%u [%s%s%s]\n", entry->line, entry->section, blank, entry->name);
    else
        fprintf(out, "%u %s =%s%s\n", entry->line, entry->key, *entry->value ? " " : "",
                entry->value);
}

/* A key must carry the header it stands below. */
static void write_all(FILE *out)
{
    const struct ini_entry *header = NULL;
    for (size_t i = 0; i < ini.count; i++) {
        const struct ini_entry *entry = &ini.entries[i];
        header = entry->key ? header : entry;
        ck_assert_ptr_nonnull(header);
        ck_assert_str_eq(entry->section, header->section);
        ck_assert_str_eq(entry->name, header->name);
        ck_assert_uint_eq(entry->section_line, header->line);
        entry_write(entry, out);
    }
    for (size_t i = 0; i < problems.count; i++)
        fprintf(out, "%s:%u: %s\n", problems.items[i].file, problems.items[i].line,
                problems.items[i].text);
}

static char *file_text(const char *path)
{
    char *text = NULL;
    size_t length = 0;
    FILE *file = fopen(path, "r");
    ck_assert_msg(file != NULL, "%s is missing", path);
    ck_assert_int_ge((int)getdelim(&text, &length, '\0', file), 0);
    fclose(file);
    return text;
}

START_TEST(a_file_becomes_what_stands_beside_it)
{
    const char *path = cases.gl_pathv[_i];
    char *source = file_text(path);
    read_text(source);
    char *found = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&found, &length);
    write_all(out);
    fclose(out);
    char *expected_path = NULL;
    ck_assert_int_gt(asprintf(&expected_path, "%.*s.expected", (int)(strlen(path) - 4), path), 0);
    char *expected = file_text(expected_path);
    ck_assert_msg(strcmp(found, expected) == 0, "%s gives\n%s", path, found);
    free(expected);
    free(expected_path);
    free(found);
    free(source);
}
END_TEST

static void expect_entries(size_t count, const char *last_value)
{
    ck_assert_uint_eq(ini.count, count);
    if (last_value)
        ck_assert_str_eq(ini.entries[count - 1].value, last_value);
}

static void expect_problem(unsigned line, const char *text)
{
    ck_assert_uint_eq(problems.count, 1);
    ck_assert_str_eq(problems.items[0].file, "lb.ini");
    ck_assert_uint_eq(problems.items[0].line, line);
    ck_assert_str_eq(problems.items[0].text, text);
}

START_TEST(a_byte_order_mark_and_crlf_are_fine)
{
    read_text("\xEF\xBB\xBF[lb]\r\n; a comment\r\nworkers = 4\r\nlog =\r\n");
    ck_assert_uint_eq(problems.count, 0);
    expect_entries(3, "");
    ck_assert_str_eq(ini.entries[0].section, "lb");
    ck_assert_str_eq(ini.entries[1].value, "4");
    ck_assert_uint_eq(ini.entries[2].line, 4);
}
END_TEST

START_TEST(the_last_line_needs_no_end)
{
    read_text("[lb]\nworkers = 4");
    ck_assert_uint_eq(problems.count, 0);
    expect_entries(2, "4");
}
END_TEST

START_TEST(nothing_is_no_problem)
{
    read_text("");
    expect_entries(0, NULL);
    read_text("\xEF\xBB\xBF");
    expect_entries(0, NULL);
    read_text("\n\n\r\n");
    expect_entries(0, NULL);
    ck_assert_uint_eq(problems.count, 0);
}
END_TEST

START_TEST(nul_bytes_are_refused)
{
    const char text[] = "[lb]\nlog = a\0b\nworkers = 4\n";
    read_bytes(text, sizeof text - 1);
    expect_problem(2, "NUL byte in column 8: an INI file is plain text");
    expect_entries(2, "4");
}
END_TEST

START_TEST(control_characters_are_refused)
{
    read_text("[lb]\nlog = a\x1B[31m\nworkers = 4\n");
    expect_problem(2, "control character 0x1B in column 8: remove it");
    problems_done(&problems);
    read_text("[lb]\rworkers = 4\r");
    expect_problem(1, "control character 0x0D in column 5: remove it");
}
END_TEST

static const struct {
    const char *bytes, *problem;
} not_utf8[] = {
    {"log = \xFF", "byte 0xFF in column 7 is not UTF-8: save the file as UTF-8"},
    {"; f\xFCr", "byte 0xFC in column 4 is not UTF-8: save the file as UTF-8"},
    {"\xC0\x80", "byte 0xC0 in column 1 is not UTF-8: save the file as UTF-8"},
    {"\xC1\xBF", "byte 0xC1 in column 1 is not UTF-8: save the file as UTF-8"},
    {"\xE0\x9F\xBF", "byte 0xE0 in column 1 is not UTF-8: save the file as UTF-8"},
    {"\xED\xA0\x80", "byte 0xED in column 1 is not UTF-8: save the file as UTF-8"},
    {"\xF0\x8F\xBF\xBF", "byte 0xF0 in column 1 is not UTF-8: save the file as UTF-8"},
    {"\xF4\x90\x80\x80", "byte 0xF4 in column 1 is not UTF-8: save the file as UTF-8"},
    {"a\x80", "byte 0x80 in column 2 is not UTF-8: save the file as UTF-8"},
    {"a \xE2\x82", "byte 0xE2 in column 3 is not UTF-8: save the file as UTF-8"},
    {"a \xE2\x82\n\xAC", "byte 0xE2 in column 3 is not UTF-8: save the file as UTF-8"},
};

START_TEST(bytes_that_are_not_utf8_are_refused)
{
    read_text(not_utf8[_i].bytes);
    ck_assert_uint_ge(problems.count, 1);
    ck_assert_str_eq(problems.items[0].text, not_utf8[_i].problem);
    expect_entries(0, NULL);
}
END_TEST

START_TEST(every_length_of_utf8_is_fine)
{
    read_text("[lb]\nlog = \x7E\xC2\x80\xDF\xBF\xE0\xA0\x80\xED\x9F\xBF\xEF\xBF\xBF"
              "\xF0\x90\x80\x80\xF4\x8F\xBF\xBF\n");
    ck_assert_uint_eq(problems.count, 0);
    expect_entries(2, "~\xC2\x80\xDF\xBF\xE0\xA0\x80\xED\x9F\xBF\xEF\xBF\xBF"
                      "\xF0\x90\x80\x80\xF4\x8F\xBF\xBF");
}
END_TEST

/* "log = xxx…" of `length` bytes in line 2. */
static void read_long_line(int length)
{
    char *text = NULL;
    ck_assert_int_gt(asprintf(&text, "[lb]\nlog = %0*d\nworkers = 4\n", length - 6, 0), 0);
    read_text(text);
    free(text);
}

/* 199 is what inih itself reads of a line. */
START_TEST(a_line_is_read_whole_beyond_what_inih_has_room_for)
{
    static const int lengths[] = {198, 199, 200, 201, 1999, INI_LINE_BYTES};
    read_long_line(lengths[_i]);
    ck_assert_uint_eq(problems.count, 0);
    expect_entries(3, "4");
    ck_assert_uint_eq(strlen(ini.entries[1].value), (size_t)lengths[_i] - 6);
    ck_assert_str_eq(ini.entries[1].key, "log");
    ck_assert_uint_eq(ini.entries[1].line, 2);
    ck_assert_uint_eq(ini.entries[2].line, 3);
}
END_TEST

START_TEST(a_longer_line_is_refused_and_the_next_is_read)
{
    read_long_line(INI_LINE_BYTES + 1);
    expect_problem(2, "line is 2001 characters long; at most 2000 are read: shorten it: no value "
                      "goes on in a second line; a key that may be repeated takes several");
    expect_entries(2, "4");
    ck_assert_uint_eq(ini.entries[1].line, 3);
}
END_TEST

START_TEST(what_is_too_long_and_not_ascii_is_counted_in_bytes)
{
    char *text = NULL;
    ck_assert_int_gt(asprintf(&text, "; \xC3\xA4%0*d\n", INI_LINE_BYTES, 0), 0);
    read_text(text);
    free(text);
    expect_problem(1,
                   "line is 2004 bytes long; at most 2000 are read: shorten it: no value goes on "
                   "in a second line; a key that may be repeated takes several");
}
END_TEST

/* "log = xxx…BEHIND", long enough that inih does not see the value. */
static void read_long_value(const char *before, const char *behind)
{
    char *text = NULL;
    ck_assert_int_gt(asprintf(&text, "[lb]\n%s%0300d%s\nworkers = 4\n", before, 0, behind), 0);
    read_text(text);
    free(text);
}

START_TEST(a_long_value_ends_as_a_short_one_does)
{
    static const struct {
        const char *before, *behind, *value; /* value: what stands behind the zeros */
    } samples[] = {
        {"log = ", "", ""},
        {"log=", " \t", ""},
        {"log \t=\t ", " ; why", ""},
        {"log = ", "; no comment", "; no comment"},
        {"log = ", " # none = either:", " # none = either:"},
        {"log = ", "\xC3\xA4\r", "\xC3\xA4"},
    };
    read_long_value(samples[_i].before, samples[_i].behind);
    ck_assert_uint_eq(problems.count, 0);
    expect_entries(3, "4");
    ck_assert_str_eq(ini.entries[1].key, "log");
    ck_assert_str_eq(ini.entries[1].value + 300, samples[_i].value);
    ck_assert_uint_eq(strspn(ini.entries[1].value, "0"), 300);
}
END_TEST

START_TEST(a_long_line_that_says_nothing_is_told_what_a_short_one_is)
{
    static const struct {
        const char *before, *problem;
    } samples[] = {
        {"backend rs-1 ", "no \"=\" between key and value: write backend = rs-1 0"},
        {" log = ",
         "line is indented, which would continue the value above it: begin it in column 1"},
        {"= ", "no key before \"=\": write KEY = VALUE"},
    };
    read_long_value(samples[_i].before, "");
    ck_assert_uint_eq(problems.count, 1);
    ck_assert_msg(
        strncmp(problems.items[0].text, samples[_i].problem, strlen(samples[_i].problem)) == 0,
        "%s", problems.items[0].text);
    ck_assert_uint_eq(problems.items[0].line, 2);
}
END_TEST

START_TEST(a_long_comment_is_a_comment)
{
    read_long_value("; ", "");
    ck_assert_uint_eq(problems.count, 0);
    expect_entries(2, "4");
}
END_TEST

START_TEST(a_key_that_no_key_can_be_is_refused)
{
    read_long_value("", " = 1");
    expect_problem(2, "key is 300 characters long, and lb has no such key: write KEY = VALUE");
    expect_entries(2, "4");
}
END_TEST

START_TEST(a_section_name_of_49_characters_is_kept_whole)
{
    char text[128];
    snprintf(text, sizeof text, "[pool %044d]\nretries = 2\n", 7);
    read_text(text);
    ck_assert_uint_eq(problems.count, 0);
    expect_entries(2, "2");
    ck_assert_uint_eq(strlen(ini.entries[1].name), 44);
}
END_TEST

START_TEST(keys_below_a_refused_header_join_no_other_section)
{
    char text[2 * INI_LINE_BYTES];
    snprintf(text, sizeof text, "[lb]\nworkers = 4\n[pool %0*d]\nretries = 2\n", INI_LINE_BYTES, 7);
    read_text(text);
    expect_entries(2, "4");
    ck_assert_uint_eq(problems.count, 1);
    ck_assert_uint_eq(problems.items[0].line, 3);
}
END_TEST

START_TEST(a_wrong_file_does_not_give_a_million_problems)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    for (int i = 0; i < 3 * INI_PROBLEMS_MOST; i++)
        fputs("prose\n", out);
    fclose(out);
    read_text(text);
    free(text);
    ck_assert_uint_eq(problems.count, INI_PROBLEMS_MOST + 1);
    ck_assert_str_eq(problems.items[INI_PROBLEMS_MOST].text,
                     "1000 problems up to here: mend these first, the rest of the file was not "
                     "read");
}
END_TEST

START_TEST(a_section_repeated_without_end_gives_bounded_problems)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    for (int i = 0; i < 3 * INI_PROBLEMS_MOST; i++)
        fputs("[lb]\n", out);
    fclose(out);
    read_text(text);
    free(text);
    ck_assert_uint_eq(problems.count, INI_PROBLEMS_MOST);
    expect_entries(1, NULL);
}
END_TEST

/* Files. */

static struct folder folder;

static const char *path_of_ini(void)
{
    return folder_file(&folder, "lb.ini");
}

static void folder_begin(void)
{
    begin();
    folder_make(&folder);
}

static void folder_end(void)
{
    folder_remove(&folder);
    end();
}

static void expect_refused_file(const char *path, const char *text)
{
    ck_assert(!ini_read_file(&ini, path, &arena, &problems));
    ck_assert_uint_eq(problems.count, 1);
    ck_assert_uint_eq(problems.items[0].line, 0);
    ck_assert_str_eq(problems.items[0].file, path);
    ck_assert_str_eq(problems.items[0].text, text);
    expect_entries(0, NULL);
}

START_TEST(a_file_is_read)
{
    folder_write(&folder, "lb.ini", "[lb]\nworkers = 4\nprose\n");
    ck_assert(ini_read_file(&ini, path_of_ini(), &arena, &problems));
    expect_entries(2, "4");
    ck_assert_uint_eq(problems.count, 1);
    ck_assert_str_eq(problems.items[0].file, path_of_ini());
    ck_assert_uint_eq(problems.items[0].line, 3);
}
END_TEST

START_TEST(a_file_that_is_not_there_is_a_problem)
{
    expect_refused_file(path_of_ini(), "cannot be opened: No such file or directory");
}
END_TEST

START_TEST(a_folder_is_a_problem)
{
    expect_refused_file(folder.path, "cannot be read: Is a directory");
}
END_TEST

START_TEST(a_file_over_the_limit_is_a_problem)
{
    FILE *file = fopen(path_of_ini(), "w");
    ck_assert_int_eq(ftruncate(fileno(file), INI_FILE_BYTES + 1), 0);
    fclose(file);
    expect_refused_file(path_of_ini(), "is larger than 16 MiB: is this the INI file?");
}
END_TEST

START_TEST(a_file_at_the_limit_is_read)
{
    FILE *file = fopen(path_of_ini(), "w");
    fputs("[lb]\n", file);
    for (int i = 5; i < INI_FILE_BYTES; i++)
        fputc('\n', file);
    fclose(file);
    ck_assert(ini_read_file(&ini, path_of_ini(), &arena, &problems));
    ck_assert_uint_eq(problems.count, 0);
    expect_entries(1, NULL);
}
END_TEST

static void add_byte_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, a_file_becomes_what_stands_beside_it, 0, (int)cases.gl_pathc);
    tcase_add_test(tcase, a_byte_order_mark_and_crlf_are_fine);
    tcase_add_test(tcase, the_last_line_needs_no_end);
    tcase_add_test(tcase, nothing_is_no_problem);
    tcase_add_test(tcase, nul_bytes_are_refused);
    tcase_add_test(tcase, control_characters_are_refused);
    tcase_add_loop_test(tcase, bytes_that_are_not_utf8_are_refused, 0,
                        sizeof not_utf8 / sizeof *not_utf8);
    tcase_add_test(tcase, every_length_of_utf8_is_fine);
    tcase_add_loop_test(tcase, a_line_is_read_whole_beyond_what_inih_has_room_for, 0, 6);
    tcase_add_test(tcase, a_longer_line_is_refused_and_the_next_is_read);
    tcase_add_test(tcase, what_is_too_long_and_not_ascii_is_counted_in_bytes);
    tcase_add_loop_test(tcase, a_long_value_ends_as_a_short_one_does, 0, 6);
    tcase_add_loop_test(tcase, a_long_line_that_says_nothing_is_told_what_a_short_one_is, 0, 3);
    tcase_add_test(tcase, a_long_comment_is_a_comment);
    tcase_add_test(tcase, a_key_that_no_key_can_be_is_refused);
    tcase_add_test(tcase, a_section_name_of_49_characters_is_kept_whole);
    tcase_add_test(tcase, keys_below_a_refused_header_join_no_other_section);
    tcase_add_test(tcase, a_wrong_file_does_not_give_a_million_problems);
    tcase_add_test(tcase, a_section_repeated_without_end_gives_bounded_problems);
}

static void add_tests(TCase *tcase)
{
    const char *source = getenv("LB_SOURCE");
    char pattern[512];
    snprintf(pattern, sizeof pattern, "%s/tests/cases/ini/*.ini", source ? source : ".");
    if (glob(pattern, 0, NULL, &cases) != 0) {
        fprintf(stderr, "no cases in %s: set LB_SOURCE to the source folder\n", pattern);
        exit(EXIT_FAILURE);
    }
    tcase_add_checked_fixture(tcase, folder_begin, folder_end);
    add_byte_tests(tcase);
    tcase_add_test(tcase, a_file_is_read);
    tcase_add_test(tcase, a_file_that_is_not_there_is_a_problem);
    tcase_add_test(tcase, a_folder_is_a_problem);
    tcase_add_test(tcase, a_file_over_the_limit_is_a_problem);
    tcase_add_test(tcase, a_file_at_the_limit_is_read);
}

CHECK_MAIN("ini", add_tests)
