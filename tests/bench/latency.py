# SPDX-License-Identifier: Apache-2.0
"""How long a kept request takes at half of what the slowest balancer can do, the same rate for all. Requests are due at
fixed times, and their time counts from then on, so that a pause is told of by every request that it delays."""

import dataclasses

import workloads
from fault import Fault
from rows import Ratio, Row

NAME, SECONDS, QUICK_SECONDS = "latency", 75, 0
P50 = Row("p50", "answer at half of saturation, half of them within", "µs", (Ratio(0.90),))
P99 = Row("p99", "answer at half of saturation, 99 % within", "µs", (Ratio(1.00),))
ROWS = (P50, P99)
SECONDS_EACH = 4
CONNECTIONS = 64  # more than ever wait at once: else what waits is the load generator


def saturated_per_second(bench, board, running):
    """What the slowest of them can do; without those that fail, which are told of."""
    found = []
    for balancer in running:
        result = workloads.run(bench, balancer, workloads.KEPT, 40000)
        board.say(f"  saturated: {balancer.name}, {result['per_second']:,.0f} per second")
        if result["faults"]:
            board.fault(ROWS, balancer.column, "; ".join(result["faults"]))
        else:
            found.append(result["per_second"])
    return min(found, default=0)


def run(bench, board, rows):
    with bench.running(list(bench.available.values()), board, rows) as running:
        rate = int(saturated_per_second(bench, board, running) / 2)
        if rate == 0:
            return
        board.say(f"  half of the slowest: {rate:,} per second")
        work = dataclasses.replace(workloads.KEPT, connections=CONNECTIONS, rate=rate)
        units = rate * SECONDS_EACH
        for _, _, balancer in workloads.interleaved(bench.repetitions, (None,), running):
            try:
                result = workloads.run(bench, balancer, work, units)
            except Fault as fault:
                board.fault(rows, balancer.column, fault)
                continue
            if result["per_second"] < 0.95 * rate:
                result["faults"].append(f"it reached only {result['per_second']:,.0f} per second")
            board.add(P50, balancer.column, result["p50_us"], result["faults"])
            board.add(P99, balancer.column, result["p99_us"], result["faults"])
