/* SPDX-License-Identifier: Apache-2.0 */
/* What fuzzing the frames of a backend has tried and found. */
#include "tests/fuzz/fuzz_backend_frames.c"

#include "tests/fuzz/replay.h"

REPLAY_MAIN("backend_frames")
