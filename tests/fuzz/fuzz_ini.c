/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as an INI file, then its entries as options. Besides memory errors this finds: entries
 * out of order or below the wrong header, problems that are no sentence of one line, and files that
 * are accepted although inih by itself reads something else from them, which is what ini.c promises
 * never to happen.
 */
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lb/base/ini.h"
#include "lb/base/option.h"

#define EXPECT(condition)                                                                          \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                        \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

#define ALL_OPTIONS                                                                                \
    OPTION(NUMBER, workers, "auto", 1, 256, "threads that serve clients")                          \
    OPTION(DURATION, timeout, "4s", 1, 600000, "how long")                                         \
    OPTION(SIZE, max_head, "32k", 1024, 262144, "largest request head")                            \
    OPTION(SWITCH, sni, "off", 0, 0, "whether rules bring certificates")                           \
    OPTION(CHOICE, auth, "off", 0, 0, "off | request | require - whether clients are asked")       \
    OPTION(TEXT, domain, NULL, 1, 20, "host name")                                                 \
    OPTION(PATH, state_dir, "var/", 0, 0, "where state is kept")                                   \
    OPTION(TEXTS, address, NULL, 0, 0, "where to listen")                                          \
    OPTION(PATHS, certificate, "server.crt", 0, 0, "server certificate, PEM")                      \
    OPTION(WORDS, tls_versions, "1.2 1.3", 0, 0, "TLS versions")

struct values {
#define OPTION OPTION_MEMBER
    ALL_OPTIONS
#undef OPTION
};
#define OPTION(...) OPTION_ROW(struct values, __VA_ARGS__)
// clang-format off
static const struct option options[] = {
    ALL_OPTIONS
    {OPTION_NUMBER, NULL, NULL, 0, 0, NULL, 0, 0},
};
// clang-format on
#undef OPTION
static const struct option_table table = {"lb", false, "all", sizeof(struct values), options};

/* What inih reads by itself, compared entry by entry. */

struct comparison {
    const struct ini *ini;
    size_t next;
};

/* inih keeps the blanks within the brackets. */
static void expect_same_header(const struct ini_entry *entry, const char *header)
{
    header += strspn(header, " \t");
    size_t word = strcspn(header, " \t");
    EXPECT(strncmp(entry->section, header, word) == 0 && entry->section[word] == '\0');
    header += word + strspn(header + word, " \t");
    size_t name = strlen(entry->name);
    EXPECT(strncmp(entry->name, header, name) == 0);
    EXPECT(header[name + strspn(header + name, " \t")] == '\0');
}

static int on_key_of_inih(void *user, const char *section, const char *key, const char *value)
{
    struct comparison *comparison = user;
    const struct ini *ini = comparison->ini;
    while (comparison->next < ini->count && !ini->entries[comparison->next].key)
        comparison->next++;
    EXPECT(comparison->next < ini->count);
    const struct ini_entry *entry = &ini->entries[comparison->next++];
    EXPECT(strcmp(entry->key, key) == 0);
    EXPECT(strcmp(entry->value, value) == 0);
    expect_same_header(entry, section);
    return 1;
}

static void expect_same_as_inih(const struct ini *ini, const char *text)
{
    struct comparison comparison = {ini, 0};
    EXPECT(ini_parse_string(text, on_key_of_inih, &comparison) == 0);
    for (; comparison.next < ini->count; comparison.next++)
        EXPECT(!ini->entries[comparison.next].key);
}

/* What holds whatever the bytes. */

static void expect_order(const struct ini *ini)
{
    const struct ini_entry *header = NULL;
    for (size_t i = 0; i < ini->count; i++) {
        const struct ini_entry *entry = &ini->entries[i];
        if (!entry->key) {
            EXPECT(!header || entry->line > header->line);
            header = entry;
        }
        EXPECT(header && entry->section_line == header->line && entry->line >= header->line);
        EXPECT(strcmp(entry->section, header->section) == 0 && entry->section[0] != '\0');
        EXPECT(strcmp(entry->name, header->name) == 0);
        EXPECT(!entry->key || (entry->key[0] != '\0' && entry->value));
        EXPECT(i == 0 || !entry->key || entry->line > ini->entries[i - 1].line);
    }
}

static void expect_sentences(const struct problems *problems)
{
    for (size_t i = 0; i < problems->count; i++) {
        const struct problem *problem = &problems->items[i];
        EXPECT(problem->line > 0);
        EXPECT(strlen(problem->text) > 10 && !strpbrk(problem->text, "\n\r"));
    }
}

static void expect_values(const struct values *values)
{
    EXPECT(values->workers == -1 || (values->workers >= 1 && values->workers <= 256));
    EXPECT(values->timeout >= 1 && values->timeout <= 600000);
    EXPECT(values->max_head >= 1024 && values->max_head <= 262144);
    EXPECT(values->auth >= 0 && values->auth <= 2);
    EXPECT(!values->domain || strlen(values->domain) <= 20);
    EXPECT(values->state_dir[0] == '/');
    for (unsigned i = 0; i < values->certificate.count; i++)
        EXPECT(values->certificate.items[i][0] == '/');
    for (unsigned i = 0; i < values->tls_versions.count; i++)
        EXPECT(!strpbrk(values->tls_versions.items[i], " \t"));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct arena arena = {0};
    struct problems problems = {0};
    struct ini ini;
    struct values values;
    ini_read_bytes(&ini, "fuzz.ini", (const char *)bytes, length, &arena, &problems);
    expect_order(&ini);
    if (problems.count == 0)
        expect_same_as_inih(&ini, arena_copy_bytes(&arena, (const char *)bytes, length));
    option_defaults(&table, &values, &arena);
    for (size_t i = 0; i < ini.count; i++)
        option_set(&table, &values, &ini.entries[i], "fuzz.ini", "/etc/lb", &arena, &problems);
    option_anchor(&table, &values, "/etc/lb", &arena);
    expect_values(&values);
    expect_sentences(&problems);
    problems_sort(&problems);
    problems_done(&problems);
    arena_done(&arena);
    return 0;
}
