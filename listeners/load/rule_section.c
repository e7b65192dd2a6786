/* SPDX-License-Identifier: Apache-2.0 */
/* A bad value is reported and what can stand in for it is kept, so that the rest of the section,
 * and what depends on it, is checked, too. */
#include "listeners/load/rule_section.h"

#include <stdlib.h>

#include "listeners/client_id.h"
#include "listeners/load/rule_allow.h"
#include "listeners/load/rule_domain.h"
#include "listeners/load/rule_respond.h"
#include "listeners/load/rule_url.h"
#include "listeners/rules/redirect.h"

struct reading {
    struct rule_section *section;
    struct arena *arena;
    const char *file;
    struct problems *problems;
};

static void report(struct reading *reading, unsigned line, const struct error *err)
{
    problems_add(reading->problems, reading->file, line ? line : reading->section->line, "%s",
                 err->text);
    reading->section->is_wrong = true;
}

/* A bad domain stays as it was written: its rules stay together and apart from others. */
static void read_domain(struct reading *reading)
{
    struct rule_section *section = reading->section;
    const struct rule_options *options = section->options;
    struct error err = {0};
    section->pattern = options->domain ? options->domain : "";
    if (options->domain &&
        !rule_domain_parse(options->domain, &section->pattern, reading->arena, &err))
        report(reading, options->domain_line, &err);
}

static void read_url(struct reading *reading)
{
    const struct rule_options *options = reading->section->options;
    struct error err = {0};
    struct rule_url url;
    reading->section->has_url = rule_url_parse(&url, options->url, &err);
    if (!reading->section->has_url)
        report(reading, options->url_line, &err);
}

static unsigned redirect_status(const struct rule_options *options)
{
    char word[8];
    const struct option *option = option_find(&rule_option_table, "redirect_status");
    option_choice_word(option, options->redirect_status, word, sizeof word);
    return (unsigned)strtoul(word, NULL, 10);
}

static void read_answer(struct reading *reading)
{
    struct rule_section *section = reading->section;
    const struct rule_options *options = section->options;
    struct error err = {0};
    if (options->redirect)
        section->redirect =
            redirect_parse(options->redirect, redirect_status(options), reading->arena, &err);
    if (options->redirect && !section->redirect)
        report(reading, options->redirect_line, &err);
    if (options->respond)
        section->respond = rule_respond_parse(options->respond, reading->arena, &err);
    if (options->respond && !section->respond)
        report(reading, options->respond_line, &err);
}

static void read_client_id_header(struct reading *reading)
{
    const struct rule_options *options = reading->section->options;
    struct error err = {0};
    if (!options->client_id_header)
        return;
    if (client_id_header_check(options->client_id_header, &err))
        reading->section->client_id_header = slice_of(options->client_id_header);
    else
        report(reading, options->client_id_header_line, &err);
}

static void warn(const struct reading *reading, unsigned line, const char *key, const char *why)
{
    if (line)
        problems_warn(reading->problems, reading->file, line, "%s has no effect: rule %s %s", key,
                      reading->section->name, why);
}

/* Keys that have nothing to work on. */
static void warn_of_client_headers(const struct reading *reading, unsigned presets)
{
    const struct rule_options *options = reading->section->options;
    if (presets == 0) {
        warn(reading, options->client_headers_when_line, "client_headers_when",
             "has client_headers = off");
        warn(reading, options->client_headers_to_line, "client_headers_to",
             "has client_headers = off");
    } else if (options->redirect || options->respond) {
        warn(reading, options->client_headers_line, "client_headers",
             "has no pool, and lb's own answers do not say who the client is");
    }
}

static void read_client_headers(struct reading *reading)
{
    struct rule_section *section = reading->section;
    const struct rule_options *options = section->options;
    struct error err = {0};
    unsigned presets = 0;
    if (!rule_client_headers(options, &presets, &err)) {
        report(reading, options->client_headers_line, &err);
        return;
    }
    warn_of_client_headers(reading, presets);
    if (!rule_client_headers_to(options, presets, &section->client_headers, &err))
        report(reading, options->client_headers_to_line, &err);
}

void rule_section_read(struct rule_section *section, struct arena *arena, const char *file,
                       struct problems *problems)
{
    struct reading reading = {section, arena, file, problems};
    section->is_wrong = false;
    read_domain(&reading);
    read_url(&reading);
    read_answer(&reading);
    read_client_headers(&reading);
    read_client_id_header(&reading);
    section->allow = rule_allow_read(section->options, arena, file, problems, &section->is_wrong);
    section->exempt = rule_exempt_read(section->options, arena, file, problems, &section->is_wrong);
}
