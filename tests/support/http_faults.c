/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/http_faults.h"

#include <stdlib.h>
#include <string.h>

#define ROW(name) [HTTP_##name] = #name

static const char *const names[] = {
    [HTTP_FINE] = "fine",
    ROW(BAD_REQUEST_LINE),
    ROW(BAD_TARGET),
    ROW(TARGET_TOO_LONG),
    ROW(BAD_VERSION),
    ROW(VERSION_UNSUPPORTED),
    ROW(BAD_FIELD),
    ROW(BAD_LINE_END),
    ROW(FOLDED_FIELD),
    ROW(TOO_MANY_FIELDS),
    ROW(HEAD_TOO_LARGE),
    ROW(NO_HOST),
    ROW(MANY_HOSTS),
    ROW(BAD_HOST),
    ROW(HOST_DIFFERS),
    ROW(BAD_LENGTH),
    ROW(BOTH_LENGTHS),
    ROW(BAD_TRANSFER_ENCODING),
    ROW(TRANSFER_ENCODING_UNKNOWN),
    ROW(BAD_CONNECTION),
    ROW(BAD_EXPECT),
    ROW(BAD_STATUS_LINE),
    ROW(BAD_CHUNK),
    ROW(BAD_TRAILER),
    ROW(TRAILER_TOO_LARGE),
};

const char *http_fault_name(enum http_fault fault)
{
    return names[fault];
}

char *exact_copy(const char *bytes, size_t length)
{
    char *copy = malloc(length > 0 ? length : 1);
    if (!copy)
        abort();
    if (length > 0)
        memcpy(copy, bytes, length);
    return copy;
}
