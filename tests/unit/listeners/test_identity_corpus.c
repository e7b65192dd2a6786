/* SPDX-License-Identifier: Apache-2.0 */
/* What fuzzing clients' certificates has tried and found. */
#include "tests/fuzz/fuzz_identity.c"

#include "tests/fuzz/replay.h"

REPLAY_MAIN("identity")
