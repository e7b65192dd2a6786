/* SPDX-License-Identifier: Apache-2.0 */
/* Names of fields: which of those that lb acts on is this? By length, first letter, then the rest.
 */
#include "lb/base/http1_scan.h"
#include "lb/base/http1_wide.h"

struct known_name {
    const char *text; /* in lower case */
    enum http_name name;
};

enum { SAME_LENGTH_MOST = 4, NAME_LENGTH_MOST = 17 };

// clang-format off
static const struct known_name names_by_length[NAME_LENGTH_MOST + 1][SAME_LENGTH_MOST] = {
    [2] = {{"te", HTTP_TE}},
    [4] = {{"host", HTTP_HOST}, {"date", HTTP_DATE}},
    [6] = {{"cookie", HTTP_COOKIE}, {"expect", HTTP_EXPECT}, {"server", HTTP_SERVER}},
    [7] = {{"referer", HTTP_REFERER}, {"upgrade", HTTP_UPGRADE}, {"trailer", HTTP_TRAILER}},
    [9] = {{"forwarded", HTTP_FORWARDED}, {"x-real-ip", HTTP_X_REAL_IP}},
    [10] = {{"connection", HTTP_CONNECTION}, {"user-agent", HTTP_USER_AGENT},
            {"set-cookie", HTTP_SET_COOKIE}, {"keep-alive", HTTP_KEEP_ALIVE}},
    [12] = {{"x-request-id", HTTP_X_REQUEST_ID}},
    [14] = {{"content-length", HTTP_CONTENT_LENGTH}, {"http2-settings", HTTP_HTTP2_SETTINGS}},
    [15] = {{"x-forwarded-for", HTTP_X_FORWARDED_FOR}},
    [16] = {{"x-forwarded-host", HTTP_X_FORWARDED_HOST}, {"x-forwarded-port", HTTP_X_FORWARDED_PORT},
            {"proxy-connection", HTTP_PROXY_CONNECTION}},
    [17] = {{"transfer-encoding", HTTP_TRANSFER_ENCODING},
            {"x-forwarded-proto", HTTP_X_FORWARDED_PROTO}},
};

/* What those begin with, a bit for each letter: most names are seen to be none of them at once. */
#define LETTER(letter) (UINT32_C(1) << (letter & 0x1f))
static const uint32_t first_letters[NAME_LENGTH_MOST + 1] = {
    [2] = LETTER('t'),
    [4] = LETTER('h') | LETTER('d'),
    [6] = LETTER('c') | LETTER('e') | LETTER('s'),
    [7] = LETTER('r') | LETTER('u') | LETTER('t'),
    [9] = LETTER('f') | LETTER('x'),
    [10] = LETTER('c') | LETTER('u') | LETTER('s') | LETTER('k'),
    [12] = LETTER('x'),
    [14] = LETTER('c') | LETTER('h'),
    [15] = LETTER('x'),
    [16] = LETTER('x') | LETTER('p'),
    [17] = LETTER('t') | LETTER('x'),
};
// clang-format on

static bool is_same_word(const char *at, const char *lower)
{
    uint64_t here, there;
    memcpy(&here, at, sizeof here);
    memcpy(&there, lower, sizeof there);
    return word_lower(here) == there;
}

/* Eight bytes at a time; the last eight may overlap those before. */
static bool is_same(const char *at, const char *lower, size_t length)
{
    if (byte_lower(*at) != *lower) /* nearly all that differ differ here */
        return false;
    if (length >= sizeof(uint64_t)) {
        size_t last = length - sizeof(uint64_t);
        for (size_t i = 0; i < last; i += sizeof(uint64_t)) {
            if (!is_same_word(at + i, lower + i))
                return false;
        }
        return is_same_word(at + last, lower + last);
    }
    for (size_t i = 1; i < length; i++) {
        if (byte_lower(at[i]) != lower[i])
            return false;
    }
    return true;
}

enum http_name http_name_of(struct slice name)
{
    if (name.length == 0 || name.length > NAME_LENGTH_MOST)
        return HTTP_OTHER_FIELD;
    if (!(first_letters[name.length] >> (name.at[0] & 0x1f) & 1))
        return HTTP_OTHER_FIELD;
    const struct known_name *known = names_by_length[name.length];
    for (int i = 0; i < SAME_LENGTH_MOST && known[i].text; i++) {
        if (is_same(name.at, known[i].text, name.length))
            return known[i].name;
    }
    return HTTP_OTHER_FIELD;
}

bool http_name_is_lookalike(struct slice name)
{
    char dashed[NAME_LENGTH_MOST];
    if ((name.length != 14 && name.length != 17) || !memchr(name.at, '_', name.length))
        return false;
    for (size_t i = 0; i < name.length; i++)
        dashed[i] = name.at[i] == '_' ? '-' : name.at[i];
    enum http_name known = http_name_of((struct slice){dashed, name.length});
    return known == HTTP_CONTENT_LENGTH || known == HTTP_TRANSFER_ENCODING;
}
