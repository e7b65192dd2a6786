/* SPDX-License-Identifier: Apache-2.0 */
/* What fuzzing the INI reader has tried and found. */
#include "tests/fuzz/fuzz_ini.c"

#include "tests/fuzz/replay.h"

REPLAY_MAIN("ini")
