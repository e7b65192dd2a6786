/* SPDX-License-Identifier: Apache-2.0 */
/* What fuzzing the request head parser has tried and found. */
#include "tests/fuzz/fuzz_http1_request.c"

#include "tests/fuzz/replay.h"

REPLAY_MAIN("http1_request")
