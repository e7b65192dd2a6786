/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inih does the parsing; this file is its reader and its handler. The reader hands over one line
 * per call, which is what makes line numbers exact, and judges each line first: what inih would
 * split, cut, join or skip silently becomes a problem. Where the meaning is clear all the same the
 * line is read on, so that one slip does not hide those behind it; the config is refused anyway.
 * A line that inih has no room for is handed over with a mark for its value, which waits here.
 */
#include "lb/base/ini.h"

#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lb/base/limits.h"
#include "lb/base/slice.h"
#include "lb/base/utf8.h"

static const char blanks[] = " \t";

/* Stands for a value: no line holds it, for it is a control character. */
#define LONG_VALUE "\x01"

struct scan {
    struct ini *ini;
    struct arena *arena;
    struct problems *problems;
    size_t problems_before;
    const char *file;
    struct slice rest;               /* what was not yet read */
    unsigned line;                   /* of the line handed to inih last; the first is 1 */
    int room;                        /* in inih's buffer for a line */
    const char *long_value;          /* what LONG_VALUE stands for in the line handed over last */
    const struct ini_entry *section; /* header of the keys that follow; NULL: they belong nowhere */
    bool is_below_header;
};

/* A problem of the line in hand. */
#define REPORT(scan, ...) problems_add((scan)->problems, (scan)->file, (scan)->line, __VA_ARGS__)

/* Bytes, judged before anything else looks at them. */

static bool is_control(unsigned char byte)
{
    return (byte < 0x20 && byte != '\t') || byte == 0x7F;
}

static bool is_text(struct scan *scan, struct slice line)
{
    const unsigned char *at = (const unsigned char *)line.at;
    for (size_t i = 0, length; i < line.length; i += length) {
        length = utf8_length(line.at + i, line.length - i);
        if (length == 0)
            REPORT(scan, "byte 0x%02X in column %zu is not UTF-8: save the file as UTF-8", at[i],
                   i + 1);
        else if (at[i] == 0)
            REPORT(scan, "NUL byte in column %zu: an INI file is plain text", i + 1);
        else if (is_control(at[i]))
            REPORT(scan, "control character 0x%02X in column %zu: remove it", at[i], i + 1);
        else
            continue;
        return false;
    }
    return true;
}

/* Limits count bytes; "characters" is what operators call them as long as that is the same. */
static const char *length_unit(struct slice text)
{
    size_t i = 0;
    while (i < text.length && (unsigned char)text.at[i] < 0x80)
        i++;
    return i < text.length ? "bytes" : "characters";
}

static bool is_short_enough(struct scan *scan, struct slice line)
{
    if (line.length > INI_LINE_BYTES)
        REPORT(scan,
               "line is %zu %s long; at most %d are read: shorten it: no value goes on in a second "
               "line; a key that may be repeated takes several",
               line.length, length_unit(line), INI_LINE_BYTES);
    return line.length <= INI_LINE_BYTES;
}

/* Section headers. */

static struct ini_entry *entry_add(struct scan *scan, const char *key, const char *value)
{
    struct ini_entry *entry = &scan->ini->entries[scan->ini->count++];
    if (scan->section)
        *entry = *scan->section;
    entry->key = key ? arena_copy(scan->arena, key) : NULL;
    entry->value = value ? arena_copy(scan->arena, value) : NULL;
    entry->line = scan->line;
    return entry;
}

static char *trim(char *text)
{
    text += strspn(text, blanks);
    size_t length = strlen(text);
    while (length > 0 && strchr(blanks, text[length - 1]))
        length--;
    text[length] = '\0';
    return text;
}

/* Where inih sees a comment begin: at a `;` behind a blank. */
static size_t comment_offset(const char *text)
{
    size_t i = 0;
    while (text[i] != '\0' && !(text[i] == ';' && i > 0 && strchr(blanks, text[i - 1])))
        i++;
    return i;
}

/* `header` is the text between the brackets; it is cut in two. */
static void section_enter(struct scan *scan, char *header)
{
    scan->section = NULL;
    scan->is_below_header = true;
    header = trim(header);
    size_t length = strlen(header);
    if (length == 0) {
        REPORT(scan, "section without a name: write for example [lb] or [pool NAME]");
        return;
    }
    if (length > INI_SECTION_BYTES)
        REPORT(scan, "section name is %zu %s long; at most %d are read: choose a shorter name",
               length, length_unit(slice_of(header)), INI_SECTION_BYTES);
    size_t word = strcspn(header, blanks);
    char *name = header + word + strspn(header + word, blanks);
    struct ini_entry *entry = entry_add(scan, NULL, NULL);
    entry->section = arena_copy_bytes(scan->arena, header, word);
    entry->name = arena_copy(scan->arena, name);
    entry->section_line = scan->line;
    scan->section = entry;
}

static void header_read(struct scan *scan, char *header)
{
    char *end = strchr(header, ']');
    size_t comment = comment_offset(header);
    if (!end || header + comment < end) {
        header[comment] = '\0';
        header = trim(header);
        if (*header != '\0')
            REPORT(scan, "section header has no \"]\": write [%s]", header);
        section_enter(scan, header);
        return;
    }
    *end = '\0';
    char *behind = trim(end + 1);
    if (*behind != '\0' && *behind != ';' && *behind != '#')
        REPORT(scan, "\"%s\" behind the section header: remove it or give it a line of its own",
               behind);
    section_enter(scan, header);
}

/* Keys. */

/* "backend rs-1 10.0.0.1:80" and "backend: rs-1 10.0.0.1:80" are told how to be written. */
static void separator_problem(struct scan *scan, char *line)
{
    line[comment_offset(line)] = '\0';
    line = trim(line);
    size_t word = strcspn(line, " \t:");
    const char *value = line + word + strspn(line + word, " \t:");
    value = *value ? value : "VALUE";
    if (word == 0)
        REPORT(scan, "no key before \":\": write KEY = %s", value);
    else
        REPORT(scan, "no \"=\" between key and value: write %.*s = %s", (int)word, line, value);
}

static bool is_key_line(struct scan *scan, char *line)
{
    size_t separator = strcspn(line, "=:");
    if (separator >= comment_offset(line) || line[separator] == ':') {
        separator_problem(scan, line);
        return false;
    }
    if (separator == 0) {
        REPORT(scan, "no key before \"=\": write KEY = VALUE");
        return false;
    }
    if (!scan->is_below_header) {
        size_t key = strcspn(line, " \t=");
        REPORT(scan,
               "key \"%.*s\" stands before the first section: put it below a line such as [lb]",
               (int)key, line);
        return false;
    }
    return scan->section != NULL;
}

/* inih's two callbacks. */

/* Judge `line`; what inih must not see is emptied. */
static void line_check(struct scan *scan, char *line)
{
    size_t indent = strspn(line, blanks);
    char first = line[indent];
    if (first == '\0' || first == ';' || first == '#') {
        line[0] = '\0';
        return;
    }
    if (indent > 0) {
        REPORT(scan,
               "line is indented, which would continue the value above it: begin it in column 1");
        memmove(line, line + indent, strlen(line + indent) + 1);
    }
    if (first == '[')
        header_read(scan, line + 1);
    if (first == '[' || !is_key_line(scan, line))
        line[0] = '\0';
}

static struct slice line_take(struct scan *scan)
{
    const char *end = memchr(scan->rest.at, '\n', scan->rest.length);
    struct slice line = {scan->rest.at, end ? (size_t)(end - scan->rest.at) : scan->rest.length};
    size_t taken = line.length + (end ? 1 : 0);
    scan->rest = (struct slice){scan->rest.at + taken, scan->rest.length - taken};
    if (line.length > 0 && line.at[line.length - 1] == '\r')
        line.length--;
    scan->line++;
    return line;
}

static bool has_too_many(struct scan *scan)
{
    if (scan->problems->count - scan->problems_before < INI_PROBLEMS_MOST)
        return false;
    REPORT(scan, "%d problems up to here: mend these first, the rest of the file was not read",
           INI_PROBLEMS_MOST);
    scan->rest.length = 0;
    return true;
}

/* What follows the `=` of a line that line_check() let pass waits here; inih gets the key and a
 * mark. */
static void value_set_aside(struct scan *scan, char *whole, char *line)
{
    char *value = strchr(whole, '=');
    *value++ = '\0';
    value[comment_offset(value)] = '\0';
    scan->long_value = trim(value);
    const char *key = trim(whole);
    if (snprintf(line, (size_t)scan->room, "%s=" LONG_VALUE, key) < scan->room)
        return;
    REPORT(scan, "key is %zu %s long, and lb has no such key: write KEY = VALUE", strlen(key),
           length_unit(slice_of(key)));
    line[0] = '\0';
}

/* A line of at most INI_LINE_BYTES, into inih's buffer. */
static void line_hand_over(struct scan *scan, struct slice bytes, char *line)
{
    scan->long_value = NULL;
    if (bytes.length < (size_t)scan->room) {
        memcpy(line, bytes.at, bytes.length);
        line[bytes.length] = '\0';
        line_check(scan, line);
        return;
    }
    char *whole = arena_copy_bytes(scan->arena, bytes.at, bytes.length);
    line_check(scan, whole);
    if (whole[0] != '\0')
        value_set_aside(scan, whole, line);
}

static char *on_line(char *line, int room, void *stream)
{
    struct scan *scan = stream;
    /* With less room inih asks for the rest of a line that fills its buffer: there is none. */
    if (room < scan->room || scan->rest.length == 0 || has_too_many(scan))
        return NULL;
    scan->room = room;
    struct slice bytes = line_take(scan);
    line[0] = '\0';
    if (is_text(scan, bytes) && is_short_enough(scan, bytes)) {
        line_hand_over(scan, bytes, line);
    } else if (bytes.at[0] == '[') {
        scan->section = NULL; /* its keys are not the previous section's */
        scan->is_below_header = true;
    }
    return line;
}

static int on_key(void *user, const char *section, const char *key, const char *value)
{
    struct scan *scan = user;
    (void)section; /* cut at 49; the reader keeps it whole */
    if (key && value)
        entry_add(scan, key, scan->long_value ? scan->long_value : value);
    return 1;
}

/* The same section twice. */

static int name_compare(const struct ini_entry *one, const struct ini_entry *other)
{
    int order = strcmp(one->section, other->section);
    return order != 0 ? order : strcmp(one->name, other->name);
}

static int header_compare(const void *one, const void *other)
{
    const struct ini_entry *a = *(struct ini_entry *const *)one;
    const struct ini_entry *b = *(struct ini_entry *const *)other;
    int order = name_compare(a, b);
    return order != 0 ? order : (a->line > b->line) - (a->line < b->line);
}

static int entry_compare(const void *one, const void *other)
{
    const struct ini_entry *a = one, *b = other;
    if (a->section_line != b->section_line)
        return a->section_line < b->section_line ? -1 : 1;
    return (a->line > b->line) - (a->line < b->line);
}

/* The keys of `again` become those of `first`, so that they are checked where they belong. */
static void section_join(struct scan *scan, const struct ini_entry *first, struct ini_entry *again)
{
    const struct ini_entry *end = scan->ini->entries + scan->ini->count;
    if (scan->problems->count - scan->problems_before < INI_PROBLEMS_MOST)
        problems_add(scan->problems, scan->file, again->line,
                     "section [%s%s%s] is there already in line %u: put all its keys there",
                     first->section, *first->name ? " " : "", first->name, first->line);
    for (struct ini_entry *key = again + 1; key < end && key->key; key++)
        key->section_line = first->line;
    again->section = NULL;
}

static void repeated_sections_join(struct scan *scan)
{
    struct ini *ini = scan->ini;
    struct ini_entry **headers =
        arena_alloc(scan->arena, (ini->count + 1) * sizeof(struct ini_entry *));
    size_t count = 0, joined = 0;
    for (size_t i = 0; i < ini->count; i++)
        if (!ini->entries[i].key)
            headers[count++] = &ini->entries[i];
    qsort(headers, count, sizeof(struct ini_entry *), header_compare);
    for (size_t i = 1, first = 0; i < count; i++) {
        if (name_compare(headers[i], headers[first]) != 0) {
            first = i;
            continue;
        }
        section_join(scan, headers[first], headers[i]);
        joined++;
    }
    if (joined == 0)
        return;
    size_t kept = 0;
    for (size_t i = 0; i < ini->count; i++)
        if (ini->entries[i].section)
            ini->entries[kept++] = ini->entries[i];
    ini->count = kept;
    qsort(ini->entries, kept, sizeof(struct ini_entry), entry_compare);
}

void ini_read_bytes(struct ini *ini, const char *file, const char *bytes, size_t length,
                    struct arena *arena, struct problems *problems)
{
    struct scan scan = {.ini = ini, .arena = arena, .problems = problems, .file = file};
    scan.problems_before = problems->count;
    scan.rest = (struct slice){bytes, length};
    if (length >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0)
        scan.rest = (struct slice){bytes + 3, length - 3};
    size_t lines = 1;
    for (size_t i = 0; i < length; i++)
        lines += bytes[i] == '\n';
    *ini = (struct ini){arena_alloc(arena, lines * sizeof(struct ini_entry)), 0};
    int outcome = ini_parse_stream(on_line, &scan, on_key, &scan);
    if (outcome != 0)
        problems_add(problems, file, outcome > 0 ? (unsigned)outcome : 0, "inih cannot read this");
    repeated_sections_join(&scan);
}
