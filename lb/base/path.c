/* SPDX-License-Identifier: Apache-2.0 */
/* Readings of a path: first its bytes are decoded, then its segments are settled, both in the
 * caller's room. */
#include "lb/base/path.h"

enum { ESCAPE_BYTES = 3, BACKSLASH = '\\' };

/* --- Bytes ------------------------------------------------------------------------------------ */

static bool is_control(unsigned char byte)
{
    return byte < 0x20 || byte == 0x7f;
}

static int hex_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    char lower = (char)(digit | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* One byte of the path and how many bytes spell it: 1, 3 for an escape, 0 for a malformed one. */
static size_t read_byte(const char *at, const char *end, unsigned char *ret_byte)
{
    *ret_byte = (unsigned char)*at;
    if (*at != '%')
        return 1;
    if (end - at < ESCAPE_BYTES || hex_value(at[1]) < 0 || hex_value(at[2]) < 0)
        return 0;
    *ret_byte = (unsigned char)(hex_value(at[1]) << 4 | hex_value(at[2]));
    return ESCAPE_BYTES;
}

/*
 * Overlong UTF-8 spells an ASCII character, a slash or a dot for example, in two to four bytes.
 * Some decoders accept it, and no honest client sends it.
 */
static bool has_overlong(const char *bytes, size_t length)
{
    for (size_t i = 0; i + 1 < length; i++) {
        unsigned char lead = (unsigned char)bytes[i];
        unsigned char next = (unsigned char)bytes[i + 1];
        if (((lead == 0xc0 || lead == 0xc1) && next >= 0x80 && next <= 0xbf) ||
            (lead == 0xe0 && next >= 0x80 && next <= 0x9f) ||
            (lead == 0xf0 && next >= 0x80 && next <= 0x8f))
            return true;
    }
    return false;
}

/* Write one byte as this reading sees it; an escaped slash that is none stays escaped. */
static size_t write_byte(char *into, unsigned char byte, bool escaped, unsigned ways)
{
    if (byte == '/' && escaped && !(ways & PATH_SLASHES)) {
        memcpy(into, "%2F", ESCAPE_BYTES);
        return ESCAPE_BYTES;
    }
    *into = byte == BACKSLASH && (ways & PATH_BACKSLASHES) ? '/' : (char)byte;
    return 1;
}

static enum path_outcome decode_bytes(struct slice path, unsigned ways, char *into,
                                      size_t *ret_length)
{
    const char *end = path.at + path.length;
    size_t length = 0;
    size_t width;
    for (const char *at = path.at; at < end; at += width) {
        unsigned char byte;
        width = read_byte(at, end, &byte);
        if (width == 0)
            return PATH_BAD_ESCAPE;
        if (is_control(byte))
            return PATH_BAD_BYTE;
        length += write_byte(into + length, byte, width > 1, ways);
    }
    *ret_length = length;
    return has_overlong(into, length) ? PATH_BAD_ESCAPE : PATH_FINE;
}

/* --- Segments --------------------------------------------------------------------------------- */

static bool is_dot(struct slice segment)
{
    return segment.length == 1 && segment.at[0] == '.';
}

static bool is_dot_dot(struct slice segment)
{
    return segment.length == 2 && segment.at[0] == '.' && segment.at[1] == '.';
}

/* The segment behind the slash at `at`, with its parameters; *ret_next is the next slash or the
 * end. */
static struct slice segment_at(const char *at, const char *end, const char **ret_next)
{
    const char *start = at + 1;
    const char *slash = start < end ? memchr(start, '/', (size_t)(end - start)) : NULL;
    *ret_next = slash ? slash : end;
    return (struct slice){start, (size_t)(*ret_next - start)};
}

static struct slice without_parameters(struct slice segment)
{
    const char *mark = segment.length > 0 ? memchr(segment.at, ';', segment.length) : NULL;
    return (struct slice){segment.at, mark ? (size_t)(mark - segment.at) : segment.length};
}

/* Back to before the last slash written; at the root there is nothing to go back over. */
static char *parent(char *root, char *out)
{
    while (out > root && *--out != '/')
        ;
    return out;
}

/*
 * Drop, merge and climb as RFC 3986 5.2.4 does, in place: what is written never overtakes what is
 * read. A path that ends in a dot segment ends in a slash.
 */
static size_t settle_segments(char *path, size_t length, unsigned ways)
{
    const char *end = path + length;
    char *out = path;
    const char *next;
    for (const char *at = path; at < end; at = next) {
        struct slice segment = segment_at(at, end, &next);
        if (ways & PATH_BARE)
            segment = without_parameters(segment);
        bool up = !(ways & PATH_DOTS) && is_dot_dot(segment);
        bool vanishes = up || (!(ways & PATH_DOTS) && is_dot(segment)) ||
                        ((ways & PATH_MERGED) && segment.length == 0);
        if (up)
            out = parent(path, out);
        if (vanishes && next < end)
            continue;
        *out++ = '/';
        if (vanishes)
            break;
        memmove(out, segment.at, segment.length);
        out += segment.length;
    }
    return (size_t)(out - path);
}

/* --- Public ----------------------------------------------------------------------------------- */

static bool begins_with_slash(struct slice path)
{
    return path.length > 0 && path.at[0] == '/';
}

/* Is the segment behind the slash at `at` empty in the middle of the path, "." or ".."? */
static bool is_odd_segment(const char *at, const char *end)
{
    if (end - at > 1 && at[1] != '.' && at[1] != '/')
        return false; /* nearly always */
    const char *next;
    struct slice segment = segment_at(at, end, &next);
    return (segment.length == 0 && next < end) || is_dot(segment) || is_dot_dot(segment);
}

/* What a byte means for path_is_plain(): nothing, a slash, a path with more than one reading, or
 * maybe the lead of an overlong spelling. */
enum { QUIET, SLASH, ODD, HIGH };
// clang-format off
static const unsigned char meanings[256] = {
    /* 00 */ ODD, ODD, ODD, ODD, ODD, ODD, ODD, ODD, ODD, ODD, ODD, ODD, ODD, ODD, ODD, ODD,
    /* 10 */ ODD, ODD, ODD, ODD, ODD, ODD, ODD, ODD, ODD, ODD, ODD, ODD, ODD, ODD, ODD, ODD,
    ['%'] = ODD, ['/'] = SLASH, [';'] = ODD, [BACKSLASH] = ODD, [0x7f] = ODD,
    [0xc0] = HIGH, [0xc1] = HIGH, [0xe0] = HIGH, [0xf0] = HIGH,
};
// clang-format on

bool path_is_plain(struct slice path)
{
    if (!begins_with_slash(path))
        return true;
    const char *end = path.at + path.length;
    bool has_high = false;
    for (const char *at = path.at; at < end; at++) {
        unsigned char meaning = meanings[(unsigned char)*at];
        if (meaning == QUIET)
            continue; /* nearly always */
        if (meaning == ODD || (meaning == SLASH && is_odd_segment(at, end)))
            return false;
        has_high |= meaning == HIGH;
    }
    return !has_high || !has_overlong(path.at, path.length);
}

unsigned path_doubts(struct slice path)
{
    unsigned doubts = 0;
    unsigned char before = 0;
    if (!begins_with_slash(path))
        return 0;
    const char *end = path.at + path.length;
    for (const char *at = path.at; at < end;) {
        unsigned char byte;
        size_t width = read_byte(at, end, &byte);
        if (byte == '/' && width > 1)
            doubts |= PATH_SLASHES | PATH_MERGED;
        else if (byte == '/' && before == '/')
            doubts |= PATH_MERGED;
        else if (byte == BACKSLASH)
            doubts |= PATH_BACKSLASHES | PATH_MERGED;
        else if (byte == ';')
            doubts |= PATH_BARE | PATH_MERGED;
        else if (byte == '.' && (before == '/' || before == BACKSLASH))
            doubts |= PATH_DOTS;
        before = byte;
        at += width > 0 ? width : 1;
    }
    return doubts;
}

enum path_outcome path_read(struct slice path, unsigned ways, char *into, size_t room,
                            struct slice *ret_path)
{
    size_t length = path.length;
    if (path.length > room)
        return PATH_TOO_LONG;
    if (!begins_with_slash(path)) {
        if (length > 0)
            memcpy(into, path.at, length);
    } else {
        enum path_outcome outcome = decode_bytes(path, ways, into, &length);
        if (outcome != PATH_FINE)
            return outcome;
        length = settle_segments(into, length, ways);
    }
    *ret_path = (struct slice){into, length};
    return PATH_FINE;
}

enum path_outcome path_decode(struct slice path, char *into, size_t room, struct slice *ret_path)
{
    return path_read(path, 0, into, room, ret_path);
}

enum path_outcome path_collapse(struct slice path, char *into, size_t room, struct slice *ret_path)
{
    return path_read(path, PATH_EAGER, into, room, ret_path);
}

const char *path_outcome_text(enum path_outcome outcome)
{
    switch (outcome) {
    case PATH_FINE:
        return "nothing is wrong";
    case PATH_BAD_ESCAPE:
        return "the path has a percent sign without two hex digits, or an overlong UTF-8 sequence";
    case PATH_BAD_BYTE:
        return "the path has a control character";
    case PATH_TOO_LONG:
        return "the path is too long";
    }
    return "";
}
