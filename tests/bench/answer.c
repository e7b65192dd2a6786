/* SPDX-License-Identifier: Apache-2.0 */
/* Just enough HTTP to know when an answer is complete, and to notice when it is not the one
 * expected. */
#include "tests/bench/answer.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

void answer_begin(struct answer *answer)
{
    answer->head_bytes = 0;
    answer->body_bytes = 0;
    answer->missing_bytes = 0;
    answer->status = 0;
    answer->in_body = false;
    answer->closes = false;
}

/* The value of a field in the head (which ends with NUL), or NULL. */
static const char *field(const char *head, const char *name)
{
    size_t name_bytes = strlen(name);
    const char *line = strstr(head, "\r\n");
    while (line != NULL) {
        line += 2;
        if (strncasecmp(line, name, name_bytes) == 0 && line[name_bytes] == ':') {
            const char *value = line + name_bytes + 1;
            return value + strspn(value, " \t");
        }
        line = strstr(line, "\r\n");
    }
    return NULL;
}

static bool read_head(struct answer *answer)
{
    if (strncmp(answer->head, "HTTP/1.", 7) != 0)
        return false;
    answer->status = (unsigned)strtoul(answer->head + 9, NULL, 10);
    const char *length = field(answer->head, "Content-Length");
    if (length == NULL)
        return false;
    answer->body_bytes = answer->missing_bytes = strtoull(length, NULL, 10);
    const char *connection = field(answer->head, "Connection");
    answer->closes = connection != NULL && strncasecmp(connection, "close", 5) == 0;
    answer->in_body = true;
    return true;
}

static enum answer_outcome take_body(struct answer *answer, size_t bytes)
{
    if (bytes > answer->missing_bytes)
        return ANSWER_WRONG;
    answer->missing_bytes -= bytes;
    if (answer->status != 200)
        return ANSWER_REFUSED;
    return answer->missing_bytes == 0 ? ANSWER_WHOLE : ANSWER_MORE;
}

enum answer_outcome answer_take(struct answer *answer, const char *data, size_t bytes)
{
    if (answer->in_body)
        return take_body(answer, bytes);
    size_t room = ANSWER_HEAD_BYTES - answer->head_bytes;
    size_t copied = bytes < room ? bytes : room;
    size_t searched = answer->head_bytes > 3 ? answer->head_bytes - 3 : 0;
    memcpy(answer->head + answer->head_bytes, data, copied);
    answer->head_bytes += copied;
    const char *end = memmem(answer->head + searched, answer->head_bytes - searched, "\r\n\r\n", 4);
    if (end == NULL)
        return answer->head_bytes == ANSWER_HEAD_BYTES ? ANSWER_WRONG : ANSWER_MORE;
    size_t whole_head = (size_t)(end - answer->head) + 4;
    size_t in_front = answer->head_bytes - copied;
    answer->head[whole_head] = '\0';
    if (!read_head(answer))
        return ANSWER_WRONG;
    return take_body(answer, bytes - (whole_head - in_front));
}
