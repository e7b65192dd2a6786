/* SPDX-License-Identifier: Apache-2.0 */
#include "listeners/answer/refusal_page.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lb/base/arena.h"
#include "lb/base/error.h"
#include "lb/base/limits.h"
#include "lb/base/nearest.h"
#include "lb/base/utf8.h"
#include "listeners/answer/markup.h"
#include "listeners/refusal.h"

/* --- reading the file --------------------------------------------------------------------------
 */

/* At most `room` bytes; -1: errno. */
static ssize_t read_most(int fd, char *into, size_t room)
{
    size_t used = 0;
    while (used < room) {
        ssize_t count = read(fd, into + used, room - used);
        if (count == 0)
            break;
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return -1;
        used += (size_t)count;
    }
    return (ssize_t)used;
}

static bool read_open(int fd, const char *path, struct arena *arena, struct slice *ret_text,
                      struct error *err)
{
    struct stat status;
    if (fstat(fd, &status) != 0)
        return error_set(err, "%s: %s", path, strerror(errno));
    if (!S_ISREG(status.st_mode))
        return error_set(err, "%s: is no file: name an HTML page", path);
    if (status.st_size > REFUSAL_PAGE_BYTES)
        return error_set(err, "%s: is larger than %d KiB, which is the most for a page", path,
                         REFUSAL_PAGE_BYTES / 1024);
    char *bytes = arena_alloc(arena, (size_t)status.st_size + 1);
    ssize_t length = read_most(fd, bytes, (size_t)status.st_size);
    if (length < 0)
        return error_set(err, "%s: cannot be read: %s", path, strerror(errno));
    if (length == 0)
        return error_set(err, "%s: is empty: put an HTML page into it", path);
    *ret_text = (struct slice){bytes, (size_t)length};
    return true;
}

static bool read_file(const char *path, struct arena *arena, struct slice *ret_text,
                      struct error *err)
{
    /* A FIFO must not hold the loader up. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return error_set(err, "%s: cannot be opened: %s", path, strerror(errno));
    bool is_read = read_open(fd, path, arena, ret_text, err);
    close(fd);
    return is_read;
}

/* --- taking it apart ---------------------------------------------------------------------------
 */

static const struct {
    const char *word;
    struct refusal_page_piece piece;
    size_t most; /* bytes, as markup */
} placeholders[] = {
    {"$reason", {REFUSAL_PAGE_REASON, {NULL, 0}}, REFUSAL_NAME_MOST},
    {"$sentence", {REFUSAL_PAGE_SENTENCE, {NULL, 0}}, REFUSAL_WORDS_MOST *MARKUP_BYTE_MOST},
    {"$advice", {REFUSAL_PAGE_ADVICE, {NULL, 0}}, REFUSAL_WORDS_MOST *MARKUP_BYTE_MOST},
    {"$host", {REFUSAL_PAGE_HOST, {NULL, 0}}, DOMAIN_BYTES *MARKUP_BYTE_MOST},
    {"$request_id", {REFUSAL_PAGE_REQUEST_ID, {NULL, 0}}, REFUSAL_PAGE_ID_MOST *MARKUP_BYTE_MOST},
    {"$$", {REFUSAL_PAGE_TEXT, {"$", 1}}, 1},
};
enum { PLACEHOLDER_COUNT = sizeof placeholders / sizeof *placeholders };

static unsigned line_of(struct slice text, const char *at)
{
    unsigned line = 1;
    for (const char *byte = text.at; byte < at; byte++)
        line += *byte == '\n';
    return line;
}

static bool check_bytes(struct slice text, unsigned *ret_line, struct error *err)
{
    const char *end = text.at + text.length;
    size_t length;
    for (const char *at = text.at; at < end; at += length) {
        length = utf8_length(at, (size_t)(end - at));
        if (length > 0 && *at)
            continue;
        *ret_line = line_of(text, at);
        return error_set(err, "this is no UTF-8 text: save the page as UTF-8");
    }
    return true;
}

/* "$name" as far as it goes, or "$" and what follows. */
static struct slice word_at(const char *at, const char *end)
{
    size_t length = 1;
    while (at + length < end && (isalnum((unsigned char)at[length]) || at[length] == '_'))
        length++;
    if (length == 1 && at + 1 < end)
        length += utf8_length(at + 1, (size_t)(end - at - 1));
    return (struct slice){at, length};
}

static bool report_word(struct slice word, struct error *err)
{
    char text[64];
    size_t length = word.length < sizeof text ? word.length : sizeof text - 1;
    memcpy(text, word.at, length);
    text[length] = '\0';
    utf8_cover_hidden(text);
    struct nearest nearest = nearest_to(text);
    for (size_t i = 0; i < PLACEHOLDER_COUNT; i++)
        nearest_offer(&nearest, placeholders[i].word);
    return error_set(err,
                     "\"%s\" is no placeholder: %s%s%sthere are $reason, $sentence, $advice, $host "
                     "and $request_id; write $$ for a dollar",
                     text, nearest.best ? "did you mean " : "", nearest.best ? nearest.best : "",
                     nearest.best ? "? " : "");
}

/* The placeholder at a "$": its index, or PLACEHOLDER_COUNT. */
static size_t placeholder_of(struct slice word)
{
    size_t i = 0;
    while (i < PLACEHOLDER_COUNT && !slice_is(word, placeholders[i].word))
        i++;
    return i;
}

/* The next piece; returns what stands behind it, or NULL: a placeholder that nobody knows. */
static const char *read_piece(struct refusal_page_piece *ret_piece, const char *at, const char *end,
                              size_t *most)
{
    const char *mark = memchr(at, '$', (size_t)(end - at));
    size_t length = (size_t)((mark ? mark : end) - at);
    if (length > 0) {
        *ret_piece = (struct refusal_page_piece){REFUSAL_PAGE_TEXT, {at, length}};
        *most += length;
        return at + length;
    }
    struct slice word = word_at(at, end);
    size_t which = placeholder_of(word);
    if (which == PLACEHOLDER_COUNT)
        return NULL;
    *ret_piece = placeholders[which].piece;
    *most += placeholders[which].most;
    return at + word.length;
}

static size_t count_marks(struct slice text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.length; i++)
        count += text.at[i] == '$';
    return count;
}

static bool read_pieces(struct refusal_page *page, struct slice text, unsigned *ret_line,
                        struct error *err)
{
    const char *end = text.at + text.length;
    size_t most = 0;
    for (const char *at = text.at; at < end;) {
        const char *rest = read_piece(&page->pieces[page->piece_count], at, end, &most);
        if (!rest) {
            *ret_line = line_of(text, at);
            return report_word(word_at(at, end), err);
        }
        page->piece_count++;
        at = rest;
    }
    if (most > REFUSAL_PAGE_BYTES)
        return error_set(err,
                         "%s: could grow to %zu bytes with what is filled in, more than the %d of "
                         "a page: make it shorter",
                         page->path, most, (int)REFUSAL_PAGE_BYTES);
    return true;
}

const struct refusal_page *refusal_page_load(const char *path, struct arena *arena,
                                             unsigned *ret_line, struct error *err)
{
    struct slice text = {NULL, 0};
    *ret_line = 0;
    if (!read_file(path, arena, &text, err) || !check_bytes(text, ret_line, err))
        return NULL;
    struct refusal_page *page = arena_alloc(arena, sizeof *page);
    page->path = path;
    page->pieces = arena_alloc(arena, (2 * count_marks(text) + 1) * sizeof *page->pieces);
    return read_pieces(page, text, ret_line, err) ? page : NULL;
}

/* --- writing -----------------------------------------------------------------------------------
 */

size_t refusal_page_write(const struct refusal_page *page, const struct refusal_page_facts *facts,
                          char *into, size_t room)
{
    struct draft draft = draft_in(into, room);
    for (unsigned i = 0; i < page->piece_count; i++) {
        const struct refusal_page_piece *piece = &page->pieces[i];
        switch (piece->source) {
        case REFUSAL_PAGE_TEXT:
            draft_put(&draft, piece->text);
            break;
        case REFUSAL_PAGE_REASON:
            markup_put(&draft, slice_of(facts->reason));
            break;
        case REFUSAL_PAGE_SENTENCE:
            markup_put(&draft, slice_of(facts->sentence));
            break;
        case REFUSAL_PAGE_ADVICE:
            markup_put(&draft, slice_of(facts->advice));
            break;
        case REFUSAL_PAGE_HOST:
            markup_put(&draft, facts->host);
            break;
        case REFUSAL_PAGE_REQUEST_ID:
            markup_put(&draft, facts->request_id);
            break;
        }
    }
    return draft.fits ? draft.used : 0;
}

const char *refusal_page_file(const char *refuse_with)
{
    static const char word[] = "page:";
    if (!refuse_with || strncmp(refuse_with, word, strlen(word)) != 0)
        return NULL;
    const char *file = refuse_with + strlen(word);
    return file + strspn(file, " \t");
}
