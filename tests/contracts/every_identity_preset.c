/* SPDX-License-Identifier: Apache-2.0 */
/* What every preset of identity fields must keep: each test runs for each file in
 * listeners/identity_headers/presets/. */
#include <stdlib.h>
#include <string.h>

#include "listeners/rules/rule.h"
#include "tests/support/check_main.h"
#include "tests/support/teller.h"
#include "tests/support/text.h"

static struct teller teller;

static void begin(void)
{
    teller_open(&teller);
}

static void end(void)
{
    teller_close(&teller);
}

static int count(void)
{
    int presets = 0;
    while (identity_presets[presets])
        presets++;
    return presets;
}

/* --- its names ----------------------------------------------------------------------------- */

START_TEST(it_introduces_itself)
{
    const struct identity_preset *preset = identity_presets[_i];
    ck_assert_int_lt(_i, IDENTITY_PRESETS_MOST);
    ck_assert_uint_gt(strlen(preset->name), 0);
    ck_assert_uint_eq(strspn(preset->name, "abcdefghijklmnopqrstuvwxyz0123456789-"),
                      strlen(preset->name));
    ck_assert_str_ne(preset->name, "off");
    ck_assert_int_eq(identity_preset_index(preset->name), _i);
    ck_assert_ptr_nonnull(preset->fields[0]);
    ck_assert_ptr_nonnull(preset->render);
}
END_TEST

/* Bit 0: every `-` as `_`. Bit 1: every second one. Bit 2: capitals. Bit 3: small letters. Bit 4:
 * `.` for `-`. */
enum { SPELLINGS = 32 };

static void spell(char *name, unsigned how)
{
    unsigned dashes = 0;
    for (char *at = name; *at; at++) {
        bool is_dash = *at == '-';
        if (is_dash && ((how & 1) || ((how & 2) && dashes % 2)))
            *at = '_';
        else if (is_dash && (how & 16))
            *at = '.';
        dashes += is_dash;
        if (*at >= 'a' && *at <= 'z' && (how & 4))
            *at = (char)(*at - 'a' + 'A');
        else if (*at >= 'A' && *at <= 'Z' && (how & 8))
            *at = (char)(*at - 'A' + 'a');
    }
}

START_TEST(its_names_are_stripped_in_every_spelling)
{
    static const char *const endings[] = {"", "-Too-Large", "-Of-Tomorrow"};
    for (unsigned i = 0; identity_presets[_i]->fields[i]; i++)
        for (unsigned how = 0; how < SPELLINGS; how++)
            for (size_t ending = 0; ending < sizeof endings / sizeof *endings; ending++) {
                char name[96];
                snprintf(name, sizeof name, "%s%s", identity_presets[_i]->fields[i],
                         endings[ending]);
                spell(name, how);
                ck_assert_msg(identity_header_is_known(slice_of(name)), "%s is not stripped", name);
            }
}
END_TEST

/* --- what it writes ------------------------------------------------------------------------ */

/* Is the line's name one of the preset's, or one of them with -Too-Large? */
static bool is_listed(const struct identity_preset *preset, const char *line, size_t length)
{
    static const char suffix[] = "-Too-Large";
    size_t suffix_length = sizeof suffix - 1;
    for (unsigned i = 0; preset->fields[i]; i++) {
        size_t listed = strlen(preset->fields[i]);
        if (strncmp(line, preset->fields[i], listed) == 0 &&
            (length == listed || (length == listed + suffix_length &&
                                  strncmp(line + listed, suffix, suffix_length) == 0)))
            return true;
    }
    return false;
}

/* Whole lines of listed names, each once, of printable ASCII; the number of lines. */
static unsigned check_clean(const struct identity_preset *preset, const char *text)
{
    unsigned lines = 0;
    for (const char *line = text; *line; lines++) {
        const char *line_end = strstr(line, "\r\n");
        const char *colon = strchr(line, ':');
        ck_assert(line_end && colon && colon < line_end && colon[1] == ' ');
        ck_assert_msg(is_listed(preset, line, (size_t)(colon - line)), "%s: unlisted: %s",
                      preset->name, line);
        for (const char *at = line; at < line_end; at++)
            ck_assert_msg(*at >= 0x20 && *at < 0x7f, "%s: byte %d in %s", preset->name, *at, line);
        line = line_end + 2;
    }
    return lines;
}

static unsigned field_count(const struct identity_preset *preset)
{
    unsigned fields = 0;
    while (preset->fields[fields])
        fields++;
    return fields;
}

START_TEST(a_verified_client_is_told_in_all_its_fields)
{
    const struct identity_preset *preset = identity_presets[_i];
    struct made *made = made_client(teller.ca, "alice");
    struct identity *identity = teller_meets(&teller, made);
    char *text = teller_tells(&teller, preset->name, identity, time(NULL));
    ck_assert_uint_eq(check_clean(preset, text), field_count(preset));
    for (unsigned i = 0; preset->fields[i]; i++)
        ck_assert_msg(*teller_value(text, preset->fields[i]), "%s has no value", preset->fields[i]);
    if (preset->verify_field)
        ck_assert_str_eq(teller_value(text, preset->verify_field), "SUCCESS");
    free(text);
    identity_unref(identity);
    made_free(made);
}
END_TEST

START_TEST(of_whom_nobody_has_verified_nothing_is_told_but_that)
{
    const struct identity_preset *preset = identity_presets[_i];
    struct made *stranger = made_client(teller.stage.server_ca, "admin");
    struct identity *identity = teller_meets(&teller, stranger);
    for (int who = 0; who < 2; who++) {
        char *text = teller_tells(&teller, preset->name, who ? identity : NULL, time(NULL));
        ck_assert_uint_eq(check_clean(preset, text), preset->verify_field ? 1 : 0);
        if (preset->verify_field)
            ck_assert_str_eq(teller_value(text, preset->verify_field),
                             who ? "FAILED:untrusted" : "NONE");
        free(text);
    }
    identity_unref(identity);
    made_free(stranger);
}
END_TEST

START_TEST(whose_certificate_ends_is_named_no_longer)
{
    const struct identity_preset *preset = identity_presets[_i];
    struct made *made = made_client(teller.ca, "alice");
    struct identity *identity = teller_meets(&teller, made);
    char *before = teller_tells(&teller, preset->name, identity, identity->not_after - 1);
    char *after = teller_tells(&teller, preset->name, identity, identity->not_after);
    ck_assert_uint_eq(check_clean(preset, before), field_count(preset));
    ck_assert_uint_eq(check_clean(preset, after), preset->verify_field ? 1 : 0);
    ck_assert_ptr_null(strstr(after, "alice"));
    if (preset->verify_field)
        ck_assert_str_eq(teller_value(after, preset->verify_field), "FAILED:expired");
    free(before);
    free(after);
    identity_unref(identity);
    made_free(made);
}
END_TEST

#define ODD(text) text, sizeof(text) - 1

static const struct odd_names odd[] = {
    {ODD("a\r\nX-Admin: yes"), ODD("x:a\r\nX-Admin: yes"), ODD("a\r\nX-Admin: yes"), 0},
    {ODD("admin\0.evil"), ODD("spiffe://td/admin\0.evil"), ODD("admin\0.evil"), 0},
    {ODD("a\",O=\"b"), ODD("spiffe://td/a\";Subject=\"CN=admin"), ODD("a\";Hash=0;By=\""), 0},
    {ODD("a,CN=admin;Hash=0"), ODD("spiffe://td/a,Hash=0"), ODD("a,Hash=0"), 0},
    {ODD("a\\"), ODD("spiffe://td/a\\"), ODD("a\\"), 0},
    {ODD("a\\\""), ODD("x:%22,\\\""), ODD("a b"), 0},
    {ODD("\x7f\x01\x1b[2J\t"), ODD("x:\x7f\x80\xff"), ODD("\xc3\xa9.test"), 0},
    {ODD(" #a+b<c>d=e "), ODD("x:y?a=b;c=d,e"), ODD("*.a_b.test"), 0},
    {ODD("\xc3\xa9t\xc3\xa9/CN=admin"), ODD(""), ODD(""), 0},
    {NULL, 0, NULL, 0, NULL, 0, 0},
};

START_TEST(nothing_in_a_certificate_makes_a_field_or_ends_one)
{
    const struct identity_preset *preset = identity_presets[_i];
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        struct made *made = made_client(teller.ca, "plain");
        odd_names_give(made, teller.ca, &odd[i]);
        struct identity *identity = teller_meets(&teller, made);
        ck_assert(identity_is_verified(identity));
        char *text = teller_tells(&teller, preset->name, identity, time(NULL));
        ck_assert_uint_eq(check_clean(preset, text), field_count(preset));
        free(text);
        identity_unref(identity);
        made_free(made);
    }
}
END_TEST

START_TEST(what_is_too_large_is_announced_and_never_cut)
{
    const struct identity_preset *preset = identity_presets[_i];
    char *name = malloc(40000);
    memset(name, 'n', 40000);
    const struct odd_names large = {.common_name = name,
                                    .common_name_bytes = 40000,
                                    .dns = "a.long.name.of.a.host.test",
                                    .dns_bytes = 26,
                                    .dns_count = 1000};
    struct made *made = made_client(teller.ca, "plain");
    odd_names_give(made, teller.ca, &large);
    struct identity *identity = teller_meets(&teller, made);
    char *text = teller_tells(&teller, preset->name, identity, time(NULL));
    /* RFC 9440 tells no chain without its certificate, which is announced. */
    bool lacks_chain = strcmp(preset->name, "rfc9440") == 0;
    ck_assert_uint_eq(check_clean(preset, text), field_count(preset) - lacks_chain);
    ck_assert_ptr_nonnull(strstr(text, "-Too-Large: 1\r\n"));
    ck_assert_ptr_null(strstr(text, "nnnn"));
    free(text);
    free(name);
    identity_unref(identity);
    made_free(made);
}
END_TEST

/* The same bytes, not only the same text: rendered once, for all connections of the identity. */
START_TEST(it_is_rendered_once_for_an_identity)
{
    unsigned preset = 1U << _i;
    struct made *made = made_client(teller.ca, "alice");
    struct identity *identity = teller_meets(&teller, made);
    time_t now = time(NULL);
    const struct identity_headers first =
        identity_headers_find(preset, &teller.auth, identity, now);
    const struct identity_headers second =
        identity_headers_find(preset, &teller.auth, identity, now + 60);
    ck_assert_uint_eq(first.text_count, 1);
    ck_assert_ptr_eq(first.texts[0].at, second.texts[0].at);
    ck_assert_uint_eq(first.bytes, first.texts[0].length);
    identity_unref(identity);
    made_free(made);
}
END_TEST

/* --- all of them --------------------------------------------------------------------------- */

START_TEST(presets_can_be_used_together)
{
    struct made *made = made_client(teller.ca, "alice");
    struct identity *identity = teller_meets(&teller, made);
    char *all = teller_tells(&teller, NULL, identity, time(NULL));
    size_t length = 0;
    for (int i = 0; i < count(); i++) {
        char *one = teller_tells(&teller, identity_presets[i]->name, identity, time(NULL));
        ck_assert_ptr_nonnull(strstr(all, one));
        length += strlen(one);
        free(one);
    }
    ck_assert_uint_eq(strlen(all), length);
    free(all);
    identity_unref(identity);
    made_free(made);
}
END_TEST

static void add_tests(TCase *tcase)
{
    const TTest *const for_each[] = {
        it_introduces_itself,
        its_names_are_stripped_in_every_spelling,
        a_verified_client_is_told_in_all_its_fields,
        of_whom_nobody_has_verified_nothing_is_told_but_that,
        whose_certificate_ends_is_named_no_longer,
        nothing_in_a_certificate_makes_a_field_or_ends_one,
        what_is_too_large_is_announced_and_never_cut,
        it_is_rendered_once_for_an_identity,
    };
    tcase_add_checked_fixture(tcase, begin, end);
    for (size_t i = 0; i < sizeof for_each / sizeof *for_each; i++)
        tcase_add_loop_test(tcase, for_each[i], 0, count());
    tcase_add_test(tcase, presets_can_be_used_together);
}

CHECK_MAIN("every identity preset", add_tests)
