# SPDX-License-Identifier: Apache-2.0
"""System calls of a keep-alive request: with all that a balancer can do, and at a moderate rate. Socket calls are the
same in every repetition; how often a balancer waits is not where something else holds the load generator up."""

import dataclasses
import os

import accounting
import workloads
from rows import AtMost, Row

NAME, SECONDS, QUICK_SECONDS = "calls", 90, 12
MODERATE_RATE = 2000
ROWS = (
    Row("calls", "system calls of a keep-alive request, saturated", "calls", (AtMost(4.5),),
        dataclasses.replace(workloads.KEPT, quick_units=8000, long_units=20000), quick=True),
    Row("calls-moderate", f"system calls of a keep-alive request, at {MODERATE_RATE:,} per second", "calls", (AtMost(6.3),),
        dataclasses.replace(workloads.KEPT, quick_units=4000, long_units=10000, rate=MODERATE_RATE), quick=True),
)


def _count(bench, board, row, balancer):
    units = row.work.units(bench.quick)
    load = workloads.Load(bench.tools, bench.certificates, balancer.port, row.work.arguments(units),
                          bench.load_processor)
    path = os.path.join(bench.folder, balancer.file_name + ".calls")
    try:
        with accounting.Calls(balancer.process.pid, path) as calls:
            result = load.measure()
    finally:
        load.end()
    faults = workloads.faults(row.work, result, units)
    if row.work.rate and result["units"] / max(result["seconds"], 1e-9) < 0.9 * row.work.rate:
        faults.append("it does not keep up with the rate while its calls are counted")
    done = max(result["units"], 1)
    board.say(f"    {calls.socket / done:.2f} socket + {calls.wait / done:.2f} wait + {calls.other / done:.2f} other")
    board.add(row, balancer.column, (calls.socket + calls.wait + calls.other) / done, faults)


def run(bench, board, rows):
    counter = accounting.Calls.counter_name()
    if counter is None:
        for name in bench.available:
            board.fault(rows, name, "neither perf nor strace can count system calls here")
        return
    board.say(f"  system calls are counted by {counter}")
    with bench.running(list(bench.available.values()), board, rows) as running:
        repetitions = 1 if bench.quick else bench.repetitions
        for _, row, balancer in workloads.interleaved(repetitions, rows, running):
            try:
                _count(bench, board, row, balancer)
            except workloads.Fault as fault:
                board.fault([row], balancer.column, fault)
