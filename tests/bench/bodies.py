# SPDX-License-Identifier: Apache-2.0
"""Large answers and uploads: processor time of a gibibyte, beside what peers have by default and with larger
buffers."""

import balancers
import workloads
from fault import Fault
from rows import Ratio, Row

NAME, SECONDS, QUICK_SECONDS = "bodies", 190, 0
MIB = 2**20
UPLOAD, ANSWER = "upload", "answer"


def work(size, way, units, connections):
    """Bodies of so many bytes, as many in a long run as `units`."""
    return workloads.Workload(f"{size // MIB} MiB {way}s", "keep-alive", "1.3", units // 4, units, connections,
                              answer_bytes=size if way == ANSWER else 0, body_bytes=size if way == UPLOAD else 0)


ROWS = (
    Row("answers-1m", "1 MiB answers, CPU per GiB", "ms per GiB", (Ratio(0.80),), work(MIB, ANSWER, 1024, 16)),
    Row("uploads-1m", "1 MiB uploads, CPU per GiB", "ms per GiB", (Ratio(0.80),), work(MIB, UPLOAD, 1024, 16)),
    Row("answers-64m", "64 MiB answers, CPU per GiB", "ms per GiB", (Ratio(0.90),), work(64 * MIB, ANSWER, 16, 4)),
    Row("uploads-64m", "64 MiB uploads, CPU per GiB", "ms per GiB", (Ratio(0.95),), work(64 * MIB, UPLOAD, 16, 4)),
)


def measure(bench, board, rows, running):
    """Processor time of a gibibyte of each row's work, interleaved."""
    for _, row, balancer in workloads.interleaved(bench.repetitions, rows, running):
        try:
            result = workloads.run(bench, balancer, row.work, row.work.units(bench.quick))
        except Fault as fault:
            board.fault([row], balancer.column, fault)
            continue
        size = row.work.answer_bytes or row.work.body_bytes
        board.add(row, balancer.column, result["cpu_us"] / 1000 * workloads.GIB / size, result["faults"])


def run(bench, board, rows):
    with bench.running(balancers.with_best(bench.available, "buffers"), board, rows) as running:
        measure(bench, board, rows, running)
