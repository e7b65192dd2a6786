/* SPDX-License-Identifier: Apache-2.0 */
/* What fuzzing the PROXY header has tried and found. */
#include "tests/fuzz/fuzz_grpc_health.c"

#include "tests/fuzz/replay.h"

REPLAY_MAIN("grpc_health")
