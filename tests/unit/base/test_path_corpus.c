/* SPDX-License-Identifier: Apache-2.0 */
/* What fuzzing the readings of a path has tried and found. */
#include "tests/fuzz/fuzz_path.c"

#include "tests/fuzz/replay.h"

REPLAY_MAIN("path")
