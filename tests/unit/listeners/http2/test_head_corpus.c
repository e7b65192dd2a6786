/* SPDX-License-Identifier: Apache-2.0 */
/* What fuzzing the translation of HTTP/2's heads has tried and found. */
#include "tests/fuzz/fuzz_http2_head.c"

#include "tests/fuzz/replay.h"

REPLAY_MAIN("http2_head")
