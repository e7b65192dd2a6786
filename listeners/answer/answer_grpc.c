/* SPDX-License-Identifier: Apache-2.0 */
#include "listeners/answer/answer_grpc.h"

#include <strings.h>

_Static_assert(ANSWER_GRPC_MESSAGE_BYTES + 256 <= ANSWER_FIELDS_BYTES, "the reason fits beside it");

bool answer_grpc_is_type(struct slice type)
{
    static const struct slice name = SLICE("application/grpc");
    if (type.length < name.length || strncasecmp(type.at, name.at, name.length) != 0)
        return false;
    char next = type.length > name.length ? type.at[name.length] : ';';
    return next == ';' || next == '+' || next == ' ' || next == '\t';
}

unsigned answer_grpc_status(unsigned status)
{
    switch (status) {
    case 400:
        return 13; /* internal */
    case 401:
        return 16; /* unauthenticated */
    case 403:
        return 7; /* permission denied */
    case 404:
        return 12; /* unimplemented */
    case 429:
    case 502:
    case 503:
    case 504:
        return 14; /* unavailable */
    default:
        return 2; /* unknown */
    }
}

/* Printable ASCII but '%' stands for itself (gRPC over HTTP/2, "Status-Message"). A character that
 * does not fit is left out, with all behind it. */
static void put_encoded(struct draft *message, struct slice text)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < text.length && message->fits; i++) {
        unsigned char byte = (unsigned char)text.at[i];
        const char encoded[] = {'%', digits[byte >> 4], digits[byte & 15]};
        bool is_plain = byte >= ' ' && byte <= '~' && byte != '%';
        draft_put(message, (struct slice){is_plain ? text.at + i : encoded, is_plain ? 1 : 3});
    }
}

static void put_text(struct draft *message, const char *text)
{
    put_encoded(message, slice_of(text));
}

void answer_grpc_message(const struct answer_words *words, struct draft *message)
{
    const char *name = words->reason ? words->reason : http_status_text(words->status);
    draft_number(message, words->status, 3);
    put_text(message, " ");
    put_text(message, name);
    if (words->sentence) {
        put_text(message, ": ");
        put_text(message, words->sentence);
    }
    if (words->request_id.length > 0) {
        put_text(message, " (request ");
        put_encoded(message, words->request_id);
        put_text(message, ")");
    }
}

void answer_grpc_write(const struct answer_words *words, struct draft *fields)
{
    char text[ANSWER_GRPC_MESSAGE_BYTES];
    struct draft message = draft_in(text, sizeof text);
    answer_grpc_message(words, &message);
    draft_text(fields, "Content-Type: application/grpc\r\nGrpc-Status: ");
    draft_number(fields, answer_grpc_status(words->status), 1);
    draft_text(fields, "\r\n");
    draft_field(fields, slice_of("Grpc-Message"), (struct slice){text, message.used});
}
