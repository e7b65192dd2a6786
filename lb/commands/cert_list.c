/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lb/commands/arguments.h"
#include "lb/commands/call_path.h"
#include "lb/commands/cert_list_query.h"
#include "lb/commands/cert_parts.h"
#include "lb/commands/cert_view.h"
#include "lb/commands/commands.h"
#include "lb/commands/members.h"
#include "lb/commands/registry_client.h"
#include "lb/commands/table.h"
#include "listeners/registry/store.h"

static const char verb[] = "cert list";

const char cert_list_details[] =
    "All that is asked for must hold. NAME may end with \"*\" (any rest), or stand between two "
    "(any\n"
    "text around). DATE is a day, 2026-11-21, or a time, 2026-11-21T10:13:39Z; both ends of a span "
    "of\n"
    "days are in it.\n\n"
    "  lb cert list --expiring --status activated --sort not_after\n"
    "  lb cert list --ou 'field*' --ca corp --expires-to 2026-12-31 --json\n";

enum { PAGE = 100 };

struct listing {
    struct registry_client client;
    struct arguments arguments;
    bool as_json;
    bool is_all;
    bool with_colour;
    long long shown;
};

/* The next page. NULL: it was told why not. */
static json_t *ask(struct listing *listing, const char *after)
{
    struct call_path path = {0};
    char limit[16];
    snprintf(limit, sizeof limit, "%d", listing->is_all ? STORE_PAGE_MOST : PAGE);
    call_path_add(&path, "/v1/certificates");
    cert_list_query(&path, &listing->arguments);
    if (listing->is_all || !arguments_has(&listing->arguments, CERT_LIST_LIMIT))
        call_path_query(&path, "limit", limit);
    if (after || !arguments_has(&listing->arguments, CERT_LIST_AFTER))
        call_path_query(&path, "after", after);
    else
        call_path_query(&path, "after", arguments_value(&listing->arguments, CERT_LIST_AFTER));
    json_t *answer = registry_client_get(&listing->client, "GET", path.text, NULL);
    call_path_done(&path);
    return answer;
}

/* Pages follow one another as one list, however long. */
static void write_json_rows(const struct listing *listing, const json_t *page)
{
    const json_t *certificates = json_object_get(page, "certificates"), *certificate;
    for (size_t i = 0; (certificate = json_array_get(certificates, i)); i++) {
        fputs(i || listing->shown ? ",\n    " : "\n    ", stdout);
        json_dumpf(certificate, stdout, JSON_COMPACT);
    }
}

static void write_page(struct listing *listing, const json_t *page)
{
    long long count = (long long)json_array_size(json_object_get(page, "certificates"));
    if (listing->as_json)
        write_json_rows(listing, page);
    else if (count > 0)
        cert_view_list(page, (int64_t)time(NULL), listing->with_colour, stdout);
    listing->shown += count;
}

static void write_end(const struct listing *listing, const json_t *last)
{
    const char *next = member_text(last, "next");
    const json_t *count = json_object_get(last, "count");
    char number[NUMBER_BYTES];
    if (listing->as_json) {
        printf("%s],\n  \"next\": ", listing->shown ? "\n  " : "");
        json_dumpf(next ? json_object_get(last, "next") : json_null(), stdout, JSON_ENCODE_ANY);
        if (count)
            printf(",\n  \"count\": %lld", (long long)json_integer_value(count));
        puts("\n}");
        return;
    }
    if (listing->shown == 0)
        puts("No certificate is like that.");
    if (count)
        printf("%s match.\n", number_text((long long)json_integer_value(count), number));
    if (next)
        printf("There are more: --all shows them, --after %s the next ones.\n", next);
}

static int list(struct listing *listing)
{
    json_t *page = ask(listing, NULL);
    if (!page)
        return COMMAND_FAILED;
    if (listing->as_json)
        fputs("{\n  \"certificates\": [", stdout);
    write_page(listing, page);
    while (listing->is_all && member_text(page, "next")) {
        json_t *following = ask(listing, member_text(page, "next"));
        json_decref(page);
        if (!following)
            return COMMAND_FAILED;
        page = following;
        write_page(listing, page);
    }
    write_end(listing, page);
    json_decref(page);
    return COMMAND_DONE;
}

int cert_list(int argc, char **argv)
{
    static const struct argument_form form = {verb, ARGUMENT_ONE_LB | ARGUMENT_JSON,
                                              cert_list_options, 0};
    struct listing listing = {.with_colour = tint_is_wanted()};
    if (!arguments_parse(&listing.arguments, &form, argc, argv))
        return COMMAND_MISUSED;
    listing.as_json = (listing.arguments.on & ARGUMENT_JSON) != 0;
    listing.is_all = arguments_has(&listing.arguments, CERT_LIST_ALL);
    if (!cert_list_check(verb, &listing.arguments))
        return COMMAND_MISUSED;
    if (listing.is_all && (arguments_has(&listing.arguments, CERT_LIST_LIMIT) ||
                           arguments_has(&listing.arguments, CERT_LIST_AFTER)))
        return command_misused(verb, "--all is every page: without --limit and --after");
    int status = registry_client_open(&listing.client, verb, &listing.arguments);
    if (status == COMMAND_DONE)
        status = list(&listing);
    registry_client_done(&listing.client);
    return status;
}
