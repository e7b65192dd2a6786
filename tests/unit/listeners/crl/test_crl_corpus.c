/* SPDX-License-Identifier: Apache-2.0 */
/* What fuzzing revocation lists has tried and found. */
#include "tests/fuzz/fuzz_crl.c"

#include "tests/fuzz/replay.h"

REPLAY_MAIN("crl")
