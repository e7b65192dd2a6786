/* SPDX-License-Identifier: Apache-2.0 */
/* Pages of an operator's own: what may stand in them, and what becomes of it for a refusal. */
#include "listeners/answer/refusal_page.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lb/base/arena.h"
#include "lb/base/error.h"
#include "lb/base/limits.h"
#include "listeners/refusal.h"
#include "tests/support/certificates.h"
#include "tests/support/check_main.h"
#include "tests/support/folder.h"

static struct arena arena;
static struct folder folder;
static struct error err;
static unsigned line;

static void begin(void)
{
    arena = (struct arena){0};
    err = (struct error){0};
    line = 77;
    folder_make(&folder);
}

static void end(void)
{
    folder_remove(&folder);
    arena_done(&arena);
}

static const struct refusal_page *load_bytes(const char *bytes, size_t length)
{
    char *path = made_path(folder.path, "page.html");
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, length, file), length);
    fclose(file);
    const struct refusal_page *page =
        refusal_page_load(arena_copy(&arena, path), &arena, &line, &err);
    free(path);
    return page;
}

static const struct refusal_page *load(const char *text)
{
    return load_bytes(text, strlen(text));
}

static const struct refusal_page_facts facts = {
    .reason = "missing",
    .sentence = "No <b>certificate</b>.",
    .advice = "Send 'one' & \"go\".",
    .host = {"a.test", 6},
    .request_id = {"r-1", 3},
};

/* clang-format off */
static const struct {
    const char *text, *written;
} good[] = {
    {"<p>No.</p>", "<p>No.</p>"},
    {"$reason", "missing"},
    {"<h1>$sentence</h1>", "<h1>No &lt;b&gt;certificate&lt;/b&gt;.</h1>"},
    {"$advice", "Send &#39;one&#39; &amp; &#34;go&#34;."},
    {"$host/$request_id", "a.test/r-1"},
    {"$reason$reason", "missingmissing"},
    {"$reason.", "missing."},
    {"$reason-$host", "missing-a.test"},
    {"$$", "$"},
    {"$$reason", "$reason"},
    {"$$$reason$$", "$missing$"},
    {"\xef\xbb\xbfgr\xc3\xb6\xc3\x9f" "er\r\n\t$reason\n", "\xef\xbb\xbfgr\xc3\xb6\xc3\x9f" "er\r\n\tmissing\n"},
};
/* clang-format on */

START_TEST(a_page_is_its_text_with_the_refusal_in_it)
{
    char written[512];
    const struct refusal_page *page = load(good[_i].text);
    ck_assert_msg(page, "%s: %s", good[_i].text, err.text);
    size_t length = refusal_page_write(page, &facts, written, sizeof written);
    ck_assert_msg(length == strlen(good[_i].written) &&
                      memcmp(written, good[_i].written, length) == 0,
                  "%s gives %.*s", good[_i].text, (int)length, written);
    ck_assert_uint_eq(refusal_page_write(page, &facts, written, length - 1), 0);
}
END_TEST

/* clang-format off */
static const struct {
    const char *text;
    unsigned line;
    const char *says;
} bad[] = {
    {"$reson", 1, "\"$reson\" is no placeholder: did you mean $reason? there are $reason, $sentence"},
    {"a\n\n<p>$request-id</p>", 3, "\"$request\" is no placeholder: did you mean $request_id?"},
    {"a\n$hostname", 2, "\"$hostname\" is no placeholder"},
    {"$Reason", 1, "did you mean $reason?"},
    {"costs $5", 1, "\"$5\" is no placeholder"},
    {"jQuery: $(x)\n", 1, "\"$(\" is no placeholder: there are $reason, $sentence, $advice, $host and $request_id; write $$ for a dollar"},
    {"the end $", 1, "\"$\" is no placeholder"},
    {"$\xc3\xa4", 1, "\"$\xc3\xa4\" is no placeholder"},
    {"one\ntwo\n$reason gr\xf6\xdf" "er", 3, "no UTF-8"},
    {"\xed\xa0\x80", 1, "no UTF-8"},
    {"", 0, "is empty"},
};
/* clang-format on */

START_TEST(what_is_wrong_is_told_with_the_line_of_the_page)
{
    ck_assert_ptr_null(load(bad[_i].text));
    ck_assert_msg(strstr(err.text, bad[_i].says), "%s: %s", bad[_i].text, err.text);
    ck_assert_uint_eq(line, bad[_i].line);
}
END_TEST

START_TEST(a_nul_is_no_text)
{
    ck_assert_ptr_null(load_bytes("a\nb\0c", 5));
    ck_assert_ptr_nonnull(strstr(err.text, "no UTF-8"));
    ck_assert_uint_eq(line, 2);
}
END_TEST

START_TEST(what_is_no_file_is_refused_and_holds_nobody_up)
{
    char *fifo = made_path(folder.path, "fifo");
    char *none = made_path(folder.path, "none.html");
    ck_assert_int_eq(mkfifo(fifo, 0600), 0);
    ck_assert_ptr_null(refusal_page_load(fifo, &arena, &line, &err));
    ck_assert_msg(strstr(err.text, "is no file"), "%s", err.text);
    ck_assert_ptr_null(refusal_page_load(folder.path, &arena, &line, &err));
    ck_assert_msg(strstr(err.text, "is no file"), "%s", err.text);
    ck_assert_ptr_null(refusal_page_load(none, &arena, &line, &err));
    ck_assert_msg(strstr(err.text, "cannot be opened: No such file"), "%s", err.text);
    ck_assert_uint_eq(line, 0);
    free(fifo);
    free(none);
}
END_TEST

/* A page of `length` bytes that ends with the text. */
static const struct refusal_page *load_long(size_t length, const char *text)
{
    char *bytes = malloc(length);
    memset(bytes, 'x', length);
    memcpy(bytes + length - strlen(text), text, strlen(text));
    const struct refusal_page *page = load_bytes(bytes, length);
    free(bytes);
    return page;
}

START_TEST(the_longest_page_fits_whatever_is_filled_in)
{
    static char written[REFUSAL_PAGE_BYTES];
    char host[DOMAIN_BYTES], id[REFUSAL_PAGE_ID_MOST], words[REFUSAL_WORDS_MOST + 1];
    memset(host, '"', sizeof host);
    memset(id, '"', sizeof id);
    memset(words, '&', sizeof words - 1);
    words[sizeof words - 1] = '\0';
    const struct refusal_page_facts most = {
        "unsupported-extension", words, words, {host, sizeof host}, {id, sizeof id}};
    const char all[] = "$reason$sentence$advice$host$request_id";
    size_t length = REFUSAL_PAGE_BYTES + strlen(all) - REFUSAL_NAME_MOST -
                    5 * (2 * REFUSAL_WORDS_MOST + sizeof host + sizeof id);
    const struct refusal_page *page = load_long(length, all);
    ck_assert_msg(page, "%s", err.text);
    ck_assert_uint_gt(refusal_page_write(page, &most, written, sizeof written),
                      REFUSAL_PAGE_BYTES - REFUSAL_NAME_MOST);
    ck_assert_ptr_null(load_long(length + 1, all));
    ck_assert_msg(strstr(err.text, "could grow to 65537 bytes"), "%s", err.text);
}
END_TEST

START_TEST(a_page_has_so_many_bytes_and_no_more)
{
    ck_assert_ptr_nonnull(load_long(REFUSAL_PAGE_BYTES, ""));
    ck_assert_ptr_null(load_long(REFUSAL_PAGE_BYTES + 1, ""));
    ck_assert_msg(strstr(err.text, "is larger than 64 KiB"), "%s", err.text);
}
END_TEST

START_TEST(the_file_is_what_follows_the_word)
{
    ck_assert_str_eq(refusal_page_file("page:a/b.html"), "a/b.html");
    ck_assert_str_eq(refusal_page_file("page: a.html"), "a.html");
    ck_assert_str_eq(refusal_page_file("page:"), "");
    ck_assert_ptr_null(refusal_page_file("redirect:page:x"));
    ck_assert_ptr_null(refusal_page_file("403"));
    ck_assert_ptr_null(refusal_page_file(NULL));
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_add_loop_test(tcase, a_page_is_its_text_with_the_refusal_in_it, 0,
                        sizeof good / sizeof *good);
    tcase_add_loop_test(tcase, what_is_wrong_is_told_with_the_line_of_the_page, 0,
                        sizeof bad / sizeof *bad);
    tcase_add_test(tcase, a_nul_is_no_text);
    tcase_add_test(tcase, what_is_no_file_is_refused_and_holds_nobody_up);
    tcase_add_test(tcase, the_longest_page_fits_whatever_is_filled_in);
    tcase_add_test(tcase, a_page_has_so_many_bytes_and_no_more);
    tcase_add_test(tcase, the_file_is_what_follows_the_word);
}

CHECK_MAIN("refusal_page", add_tests)
