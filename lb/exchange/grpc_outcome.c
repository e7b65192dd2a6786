/* SPDX-License-Identifier: Apache-2.0 */
#include "lb/exchange/grpc_outcome.h"

#include "listeners/answer/answer_grpc.h"

/* gRPC has numbers up to 16; others are passed on by its own libraries, too. */
enum { STATUS_DIGITS_MOST = 3 };

static bool read_status(struct slice value, unsigned *ret_status)
{
    unsigned status = 0;
    if (value.length == 0 || value.length > STATUS_DIGITS_MOST)
        return false;
    for (size_t i = 0; i < value.length; i++) {
        if (value.at[i] < '0' || value.at[i] > '9')
            return false;
        status = status * 10 + (unsigned)(value.at[i] - '0');
    }
    *ret_status = status;
    return true;
}

static bool is_of_grpc(const struct http_field *fields, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (fields[i].known == HTTP_OTHER_FIELD && slice_is_nocase(fields[i].name, "content-type"))
            return answer_grpc_is_type(fields[i].value);
    return false;
}

void grpc_outcome_begin(struct grpc_outcome *outcome, const struct http_answer *head)
{
    *outcome = (struct grpc_outcome){.is_grpc = is_of_grpc(head->fields, head->field_count)};
    outcome->is_open_ended = outcome->is_grpc && !head->has_length;
    grpc_outcome_read(outcome, head->fields, head->field_count);
}

void grpc_outcome_read(struct grpc_outcome *outcome, const struct http_field *fields,
                       unsigned count)
{
    for (unsigned i = 0; outcome->is_grpc && i < count; i++)
        if (fields[i].known == HTTP_OTHER_FIELD && slice_is_nocase(fields[i].name, "grpc-status"))
            outcome->is_told = read_status(fields[i].value, &outcome->status);
}

void grpc_outcome_tell(struct grpc_outcome *outcome, unsigned status)
{
    outcome->is_told = true;
    outcome->status = status;
}
