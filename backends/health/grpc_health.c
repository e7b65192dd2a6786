/* SPDX-License-Identifier: Apache-2.0 */
#include "backends/health/grpc_health.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "lb/base/http1.h"

enum {
    PREFIX_BYTES = 5, /* compressed flag, length */
    STATUS_FIELD = 1,
};

/* How a field of a message is written (protobuf encoding). Groups are of proto2, and over. */
enum wire_type { WIRE_VARINT = 0, WIRE_64_BITS = 1, WIRE_BYTES = 2, WIRE_32_BITS = 5 };

enum serving { SERVING_UNKNOWN, SERVING, NOT_SERVING, SERVICE_UNKNOWN };

/* ---- the question ---- */

size_t grpc_health_ask(const char *service, uint8_t into[GRPC_QUESTION_BYTES])
{
    size_t name = strnlen(service, GRPC_SERVICE_BYTES);
    size_t used = PREFIX_BYTES;
    if (name > 0) { /* what has its default is not written */
        into[used++] = STATUS_FIELD << 3 | WIRE_BYTES;
        if (name >= 0x80)
            into[used++] = (uint8_t)(0x80 | (name & 0x7f));
        into[used++] = (uint8_t)(name >= 0x80 ? name >> 7 : name);
        memcpy(into + used, service, name);
        used += name;
    }
    memset(into, 0, PREFIX_BYTES);
    into[4] = (uint8_t)(used - PREFIX_BYTES); /* below 256: the rest of the length is 0 */
    return used;
}

_Static_assert(GRPC_QUESTION_BYTES - PREFIX_BYTES < 256, "one byte tells the question's length");

/* ---- the message ---- */

struct reader {
    const uint8_t *at;
    const uint8_t *end;
};

/* false: it is cut, or longer than ten bytes. */
static bool read_varint(struct reader *reader, uint64_t *ret_value)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 70 && reader->at < reader->end; shift += 7) {
        uint8_t byte = *reader->at++;
        if (shift < 64)
            value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *ret_value = value;
            return true;
        }
    }
    return false;
}

static bool skip(struct reader *reader, uint64_t bytes)
{
    if (bytes > (uint64_t)(reader->end - reader->at))
        return false;
    reader->at += bytes;
    return true;
}

/* One field; of that of the status the value is taken, of two the last, as protobuf has it. */
static bool read_field(struct reader *reader, uint32_t *status)
{
    uint64_t tag, value;
    if (!read_varint(reader, &tag) || tag >> 3 == 0 || tag > UINT32_MAX)
        return false;
    switch (tag & 7) {
    case WIRE_VARINT:
        if (!read_varint(reader, &value))
            return false;
        if (tag >> 3 == STATUS_FIELD)
            *status = (uint32_t)value;
        return true;
    case WIRE_64_BITS:
        return skip(reader, 8);
    case WIRE_32_BITS:
        return skip(reader, 4);
    case WIRE_BYTES:
        return read_varint(reader, &value) && skip(reader, value);
    default:
        return false;
    }
}

/* What is wrong with the body, in words; NULL: nothing, and *status is what it says. */
static const char *read_message(const struct check_answer *answer, uint32_t *status)
{
    const uint8_t *body = answer->body;
    *status = SERVING_UNKNOWN;
    if (answer->body_length == 0)
        return "it has no message";
    if (answer->body_length > sizeof answer->body)
        return "it is too large";
    if (answer->body_length < PREFIX_BYTES)
        return "its message is cut";
    if (body[0] != 0)
        return body[0] == 1 ? "its message is compressed, which was not offered"
                            : "its message begins with neither 0 nor 1";
    uint32_t length = (uint32_t)body[1] << 24 | (uint32_t)body[2] << 16 | (uint32_t)body[3] << 8 |
                      (uint32_t)body[4];
    size_t rest = answer->body_length - PREFIX_BYTES;
    if (length != rest)
        return length > rest ? "its message is cut" : "more follows its message";
    struct reader reader = {body + PREFIX_BYTES, body + answer->body_length};
    while (reader.at < reader.end)
        if (!read_field(&reader, status))
            return "its message is no HealthCheckResponse";
    return NULL;
}

static bool judge_message(const struct check_answer *answer, char *reason, size_t room)
{
    uint32_t status;
    const char *fault = read_message(answer, &status);
    if (fault) {
        snprintf(reason, room, "answer is not one of a health check: %s", fault);
        return false;
    }
    switch (status) {
    case SERVING:
        snprintf(reason, room, "serving");
        return true;
    case NOT_SERVING:
        snprintf(reason, room, "not serving");
        return false;
    case SERVICE_UNKNOWN:
        snprintf(reason, room, "service unknown");
        return false;
    case SERVING_UNKNOWN:
        snprintf(reason, room, "serving status unknown");
        return false;
    default:
        snprintf(reason, room, "serving status %u, which lb does not know", status);
        return false;
    }
}

/* ---- the status ---- */

static const char *const status_names[] = {
    "ok",
    "cancelled",
    "unknown",
    "invalid argument",
    "deadline exceeded",
    "not found",
    "already exists",
    "permission denied",
    "resource exhausted",
    "failed precondition",
    "aborted",
    "out of range",
    "unimplemented",
    "internal",
    "unavailable",
    "data loss",
    "unauthenticated",
};
enum {
    STATUS_COUNT = sizeof status_names / sizeof *status_names,
    STATUS_NOT_FOUND = 5,
    STATUS_UNIMPLEMENTED = 12
};

/* One to three digits. */
static bool read_status(const char *text, unsigned *ret_status)
{
    unsigned status = 0;
    size_t length = strlen(text);
    if (length == 0 || length > 3 || strspn(text, "0123456789") != length)
        return false;
    for (size_t i = 0; i < length; i++)
        status = status * 10 + (unsigned)(text[i] - '0');
    *ret_status = status;
    return true;
}

/* A server without the health service answers as to any method that it does not have. */
static const char *meaning_of(unsigned status)
{
    switch (status) {
    case STATUS_NOT_FOUND:
        return "service unknown: ";
    case STATUS_UNIMPLEMENTED:
        return "backend has no health service (grpc.health.v1.Health): ";
    default:
        return "";
    }
}

/* What stays percent-encoded is rare: a letter that is not English. */
static void tell_status(const struct check_answer *answer, unsigned status, char *reason,
                        size_t room)
{
    const char *message = answer->grpc_message.text;
    snprintf(reason, room, "%sgrpc-status %u%s%s%s%s%s", meaning_of(status), status,
             status < STATUS_COUNT ? " (" : "", status < STATUS_COUNT ? status_names[status] : "",
             status < STATUS_COUNT ? ")" : "", *message ? ": " : "", message);
}

/* "application/grpc", perhaps with a format ("+proto") or a parameter behind it. */
static bool is_grpc(const char *type)
{
    static const char name[] = "application/grpc";
    char next = strncasecmp(type, name, sizeof name - 1) == 0 ? type[sizeof name - 1] : 'x';
    return next == '\0' || next == '+' || next == ';' || next == ' ';
}

/* What is no answer of gRPC at all. */
static bool is_foreign(const struct check_answer *answer, char *reason, size_t room)
{
    const char *type = answer->content_type.text;
    const char *words = http_status_text(answer->status);
    if (answer->status != 200)
        snprintf(reason, room, "answer is not gRPC: its status is %u%s%s", answer->status,
                 *words ? " " : "", words);
    else if (answer->content_type.count != 1 || !is_grpc(type))
        snprintf(reason, room, "answer is not gRPC: its content-type is %s",
                 *type ? type : "missing");
    else
        return false;
    return true;
}

bool grpc_health_judge(const struct check_answer *answer, char *reason, size_t room)
{
    unsigned status = 0;
    if (is_foreign(answer, reason, room))
        return false;
    if (!answer->is_whole)
        snprintf(reason, room, "answer is not whole");
    else if (answer->grpc_status.count == 0)
        snprintf(reason, room, "answer ended without grpc-status");
    else if (answer->grpc_status.count > 1 || !read_status(answer->grpc_status.text, &status))
        snprintf(reason, room, "answer has no valid grpc-status: %s",
                 answer->grpc_status.count > 1 ? "there are several" : answer->grpc_status.text);
    else if (status != 0)
        tell_status(answer, status, reason, room);
    else
        return judge_message(answer, reason, room);
    return false;
}
