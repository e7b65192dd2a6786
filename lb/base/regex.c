/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PCRE2 with machine code where the system allows it, else interpreted.
 *
 * PCRE2 counts the steps of a match from each place of the text anew. An expression that is not
 * anchored could so take its limit once for every byte: the steps are shared among the places. A
 * single pass over the rest of the text must stay possible from each of them, or ".*" would be
 * refused for long texts. Who asks for the same thing many times over has no such right: there the
 * steps are shared among the times, too.
 */
#include "lb/base/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

#include "lb/base/error.h"
#include "lb/base/limits.h"

enum { MESSAGE_BYTES = 200 };

/* Patterns of the config never change what a text is made of: no UTF, not even by "(*UTF)". */
static const uint32_t COMPILE_OPTIONS =
    PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_UTF | PCRE2_NEVER_UCP | PCRE2_NEVER_BACKSLASH_C;

struct regex {
    pcre2_code *code;
    bool is_anchored;
};

struct regex_parts {
    pcre2_match_data *data;
    pcre2_match_context *context;
};

/* --- compiling -------------------------------------------------------------------------------- */

static void describe(struct error *err, const char *pattern, int fault, size_t offset)
{
    PCRE2_UCHAR message[MESSAGE_BYTES] = "";
    pcre2_get_error_message(fault, message, sizeof message); /* cut, if ever it is longer */
    error_set(err, "the regular expression \"%s\" is wrong at its byte %zu: %s", pattern,
              offset + 1, (const char *)message);
}

static pcre2_code *compile(const char *pattern, enum regex_case letters, struct error *err)
{
    uint32_t options = COMPILE_OPTIONS | (letters == REGEX_ANY_CASE ? PCRE2_CASELESS : 0);
    int fault = 0;
    PCRE2_SIZE offset = 0;
    pcre2_code *code =
        pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, options, &fault, &offset, NULL);
    if (!code)
        describe(err, pattern, fault, offset);
    return code;
}

bool regex_check(const char *pattern, enum regex_case letters, struct error *err)
{
    pcre2_code *code = compile(pattern, letters, err);
    pcre2_code_free(code);
    return code != NULL;
}

static bool is_anchored(const pcre2_code *code)
{
    uint32_t options = 0;
    return pcre2_pattern_info(code, PCRE2_INFO_ALLOPTIONS, &options) == 0 &&
           (options & PCRE2_ANCHORED) != 0;
}

struct regex *regex_new(const char *pattern, enum regex_case letters, struct error *err)
{
    struct regex *regex = calloc(1, sizeof *regex);
    if (!regex) {
        error_set(err, "out of memory for the regular expression \"%s\"", pattern);
        return NULL;
    }
    regex->code = compile(pattern, letters, err);
    if (!regex->code) {
        free(regex);
        return NULL;
    }
    regex->is_anchored = is_anchored(regex->code);
    /* Where no memory may be executable this fails, and pcre2_match() interprets. */
    (void)pcre2_jit_compile(regex->code, PCRE2_JIT_COMPLETE);
    return regex;
}

void regex_free(struct regex *regex)
{
    if (!regex)
        return;
    pcre2_code_free(regex->code);
    free(regex);
}

/* --- matching --------------------------------------------------------------------------------- */

static void parts_free(struct regex_parts *parts)
{
    if (!parts)
        return;
    pcre2_match_data_free(parts->data);
    pcre2_match_context_free(parts->context);
    free(parts);
}

static struct regex_parts *parts_new(void)
{
    struct regex_parts *parts = calloc(1, sizeof *parts);
    if (!parts)
        return NULL;
    parts->data = pcre2_match_data_create(1, NULL); /* whether, not where */
    parts->context = pcre2_match_context_create(NULL);
    if (!parts->data || !parts->context) {
        parts_free(parts);
        return NULL;
    }
    pcre2_set_depth_limit(parts->context, REGEX_DEPTH_MOST);
    pcre2_set_heap_limit(parts->context, REGEX_MEMORY_BYTES / 1024);
    return parts;
}

void regex_room_done(struct regex_room *room)
{
    parts_free(room->parts);
    *room = (struct regex_room){0};
}

/* Steps from one place of the text. */
static uint32_t steps_for(const struct regex *regex, size_t length, unsigned share)
{
    size_t places = regex->is_anchored ? 1 : length + 1;
    size_t shares = share > 1 ? share : 1;
    size_t steps = REGEX_STEPS_MOST / places / shares;
    size_t least = share > 1 ? REGEX_STEPS_LEAST / shares : 2 * length + REGEX_STEPS_LEAST;
    return (uint32_t)(steps > least ? steps : least); /* texts are shorter than INT32_MAX / 4 */
}

enum regex_outcome regex_match(const struct regex *regex, struct slice text,
                               struct regex_room *room)
{
    if (!room->parts)
        room->parts = parts_new();
    struct regex_parts *parts = room->parts;
    if (!parts || text.length > INT32_MAX / 4)
        return REGEX_UNDECIDED;
    PCRE2_SPTR at = text.length > 0 ? (PCRE2_SPTR)text.at : (PCRE2_SPTR) "";
    pcre2_set_match_limit(parts->context, steps_for(regex, text.length, room->share));
    int found = pcre2_match(regex->code, at, text.length, 0, 0, parts->data, parts->context);
    if (found == PCRE2_ERROR_JIT_STACKLIMIT) /* machine code has 32 KiB; the interpreter more */
        found =
            pcre2_match(regex->code, at, text.length, 0, PCRE2_NO_JIT, parts->data, parts->context);
    if (found >= 0)
        return REGEX_MATCHES;
    return found == PCRE2_ERROR_NOMATCH ? REGEX_DIFFERS : REGEX_UNDECIDED;
}
