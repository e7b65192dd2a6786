/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as the body of an answer to gRPC's health check. Besides memory errors this finds:
 * verdicts that change where nothing was said, an answer that passes though it is longer than what
 * is kept, and reasons that are empty or not clean.
 */
#include "backends/health/grpc_health.h"
#include "tests/fuzz/expect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

static bool judge(const struct check_answer *answer)
{
    char reason[256];
    bool passed = grpc_health_judge(answer, reason, sizeof reason);
    EXPECT(reason[0] != '\0' && expect_clean(slice_of(reason)));
    EXPECT(passed == (strcmp(reason, "serving") == 0));
    return passed;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    struct check_answer answer = {.status = 200,
                                  .has_head = true,
                                  .is_whole = true,
                                  .content_type = {1, "application/grpc"},
                                  .grpc_status = {1, "0"},
                                  .body_length = length};
    if (length > 0)
        memcpy(answer.body, data, length < sizeof answer.body ? length : sizeof answer.body);
    bool passed = judge(&answer);
    EXPECT(!passed || (length >= 7 && length <= sizeof answer.body && data[0] == 0));
    /* One byte less or more is no message any more. */
    answer.body_length = length + 1;
    EXPECT(!passed || !judge(&answer));
    answer.body_length = length > 0 ? length - 1 : 0;
    EXPECT(!passed || !judge(&answer));
    return 0;
}
