/* SPDX-License-Identifier: Apache-2.0 */
/* What fuzzing the chunk decoder has tried and found. */
#include "tests/fuzz/fuzz_http1_chunks.c"

#include "tests/fuzz/replay.h"

REPLAY_MAIN("http1_chunks")
