/* SPDX-License-Identifier: Apache-2.0 */
/* What fuzzing the meter of HTTP/2 has tried and found. */
#include "tests/fuzz/fuzz_http2_meter.c"

#include "tests/fuzz/replay.h"

REPLAY_MAIN("http2_meter")
