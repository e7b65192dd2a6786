/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/commands/cert_list_query.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lb/base/option.h"
#include "lb/commands/cert_parts.h"
#include "lb/commands/commands.h"
#include "lb/commands/word.h"
#include "listeners/registry/record.h"
#include "listeners/registry/store.h"

enum {
    SERIAL = CERT_LIST_ALL + 1,
    CN,
    OU,
    CLIENT_ID,
    CA,
    SOURCE,
    STATUS,
    EXPIRED,
    EXPIRING,
    VALID_FROM,
    VALID_TO,
    EXPIRES_FROM,
    EXPIRES_TO,
    SORT,
    DESC,
    COUNT,
};

// clang-format off
const struct argument_option cert_list_options[] = {
    [CERT_LIST_LIMIT] = {"limit", "N", "at most so many, 1 to 1000 (unset: 100)", ARGUMENT_ONCE},
    [CERT_LIST_AFTER] = {"after", "CURSOR", "those behind a page that said so", ARGUMENT_ONCE},
    [CERT_LIST_ALL] = {"all", NULL, "every page", ARGUMENT_ONCE},
    [SERIAL] = {"serial", "SERIAL", "serial number; 4A* for those that begin so", ARGUMENT_ONCE},
    [CN] = {"cn", "NAME", "common name", ARGUMENT_ONCE},
    [OU] = {"ou", "NAME", "organizational unit", ARGUMENT_ONCE},
    [CLIENT_ID] = {"client-id", "ID", "what the client is called", ARGUMENT_ONCE},
    [CA] = {"ca", "CA", "name or id of its CA", ARGUMENT_ONCE},
    [SOURCE] = {"source", "A,B", "issued, manual, auto, imported", ARGUMENT_ONCE},
    [STATUS] = {"status", "A,B", "activated, not_activated, registered, revoked, deleted (unset:\n"
                "all but deleted)", ARGUMENT_ONCE},
    [EXPIRED] = {"expired", NULL, "past their end", ARGUMENT_ONCE},
    [EXPIRING] = {"expiring", "TIME", "not past it, but within this time, as 30d or 12h (unset:\n"
                  "[registry] expiring_within)", ARGUMENT_VALUE_MAY_LACK},
    [VALID_FROM] = {"valid-from", "DATE", "valid since then or later …", ARGUMENT_ONCE},
    [VALID_TO] = {"valid-to", "DATE", "… since then or earlier", ARGUMENT_ONCE},
    [EXPIRES_FROM] = {"expires-from", "DATE", "ending then or later …", ARGUMENT_ONCE},
    [EXPIRES_TO] = {"expires-to", "DATE", "… then or earlier", ARGUMENT_ONCE},
    [SORT] = {"sort", "KEY", "created (unset), serial, cn, ou, client_id, not_before, not_after or\n"
              "updated", ARGUMENT_ONCE},
    [DESC] = {"desc", NULL, "the last ones first", ARGUMENT_ONCE},
    [COUNT] = {"count", NULL, "say how many there are altogether", ARGUMENT_ONCE},
    {0},
};

/* Keys of the query whose values are those of an option as they stand. */
static const struct {
    unsigned option;
    const char *key;
} plain[] = {
    {CERT_LIST_LIMIT, "limit"}, {SERIAL, "serial"}, {CN, "cn"}, {OU, "ou"}, {CLIENT_ID, "client_id"},
    {CA, "ca"}, {SOURCE, "source"}, {STATUS, "status"}, {EXPIRING, "expiring"}, {SORT, "sort"},
};

static const struct {
    unsigned option;
    const char *key;
    bool is_end;
} times[] = {
    {VALID_FROM, "not_before_from", false}, {VALID_TO, "not_before_to", true},
    {EXPIRES_FROM, "not_after_from", false}, {EXPIRES_TO, "not_after_to", true},
};
// clang-format on

enum { TIME_COUNT = sizeof times / sizeof *times };

/* --- times ---------------------------------------------------------------------------------- */

bool cert_list_time(const char *text, bool is_end, char into[QUERY_TIME_BYTES])
{
    struct tm when = {0};
    const char *rest = strptime(text, "%Y-%m-%d", &when);
    int day = when.tm_mday;
    if (!rest || strlen(text) >= QUERY_TIME_BYTES)
        return false;
    if (*rest != '\0') { /* lb reads what stands behind the day */
        snprintf(into, QUERY_TIME_BYTES, "%s", text);
        return *rest == 'T' || *rest == 't' || *rest == ' ';
    }
    time_t begin_s = timegm(&when);
    if (when.tm_mday != day) /* 31st of June */
        return false;
    time_t at_s = begin_s + (is_end ? 24 * 60 * 60 : 0);
    gmtime_r(&at_s, &when);
    return strftime(into, QUERY_TIME_BYTES, "%Y-%m-%dT%H:%M:%SZ", &when) > 0;
}

static bool check_times(const char *verb, const struct arguments *arguments)
{
    char time[QUERY_TIME_BYTES];
    for (size_t i = 0; i < TIME_COUNT; i++) {
        const char *said = arguments_value(arguments, times[i].option);
        if (!said || cert_list_time(said, times[i].is_end, time))
            continue;
        command_misused(verb,
                        "--%s \"%.40s\": write a day, 2026-11-21, or a time, "
                        "2026-11-21T10:13:39Z",
                        cert_list_options[times[i].option].name, said);
        return false;
    }
    return true;
}

/* --- words ---------------------------------------------------------------------------------- */

/* Each of the words between commas. */
static bool check_words(const char *verb, const char *option, const char *said,
                        const char *const *words)
{
    char word[32];
    for (const char *at = said; at;) {
        const char *comma = strchr(at, ',');
        size_t length = comma ? (size_t)(comma - at) : strlen(at);
        snprintf(word, sizeof word, "%.*s", (int)(length < 31 ? length : 31), at);
        for (char *letter = word; *letter; letter++)
            *letter = (char)tolower((unsigned char)*letter);
        if (!word_is_one_of(verb, option, word, words))
            return false;
        at = comma ? comma + 1 : NULL;
    }
    return true;
}

static bool check_kinds(const char *verb, const struct arguments *arguments)
{
    static const char *const statuses[] = {"activated", "not_activated", "registered",
                                           "revoked",   "deleted",       NULL};
    static const char *const sources[] = {"issued", "manual", "auto", "imported", NULL};
    static const char *const sorts[] = {"created",    "serial",    "cn",      "ou", "client_id",
                                        "not_before", "not_after", "updated", NULL};
    const char *sort = arguments_value(arguments, SORT);
    return check_words(verb, "--status", arguments_value(arguments, STATUS), statuses) &&
           check_words(verb, "--source", arguments_value(arguments, SOURCE), sources) &&
           (!sort || word_is_one_of(verb, "--sort", sort, sorts));
}

static bool check_expiring(const char *verb, const struct arguments *arguments)
{
    const char *said = arguments_value(arguments, EXPIRING);
    uint32_t ms;
    if (arguments_has(arguments, EXPIRED) && arguments_has(arguments, EXPIRING)) {
        command_misused(verb, "--expired are past their end, --expiring are not yet: say one");
        return false;
    }
    size_t digits = said ? strspn(said, "0123456789") : 0;
    if (!said || option_parse_duration(said, &ms) ||
        (digits > 0 && strcmp(said + digits, "d") == 0))
        return true;
    command_misused(verb, "--expiring \"%.40s\": write a time, as in 30d or 12h", said);
    return false;
}

bool cert_list_check(const char *verb, const struct arguments *arguments)
{
    const char *limit = arguments_value(arguments, CERT_LIST_LIMIT);
    unsigned number;
    return (!limit || word_is_number(verb, "--limit", limit, 1, STORE_PAGE_MOST, &number)) &&
           check_times(verb, arguments) && check_kinds(verb, arguments) &&
           check_expiring(verb, arguments);
}

/* --- the query ------------------------------------------------------------------------------ */

void cert_list_query(struct call_path *path, const struct arguments *arguments)
{
    char time[QUERY_TIME_BYTES];
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
        const char *said = arguments_value(arguments, plain[i].option);
        bool is_there = arguments_has(arguments, plain[i].option);
        call_path_query(path, plain[i].key, is_there && !said ? "" : said);
    }
    for (size_t i = 0; i < TIME_COUNT; i++) {
        const char *said = arguments_value(arguments, times[i].option);
        if (said && cert_list_time(said, times[i].is_end, time))
            call_path_query(path, times[i].key, time);
    }
    if (arguments_has(arguments, EXPIRED))
        call_path_query(path, "expired", "yes");
    if (arguments_has(arguments, DESC))
        call_path_query(path, "order", "desc");
    if (arguments_has(arguments, COUNT))
        call_path_query(path, "count", "yes");
}
