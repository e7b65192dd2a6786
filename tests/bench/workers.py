# SPDX-License-Identifier: Apache-2.0
"""What a unit costs with two workers, beside the same with one. Where there are fewer than four processors, two workers
share the one that a single worker has, as the load generator and the backends need the other."""

import os

import workloads
from fault import Fault
from rows import AtMost, Row

NAME, SECONDS, QUICK_SECONDS = "workers", 125, 0
WORKERS = 2
MORE = "more %"


def _rows(work, key, what):
    return (Row(f"workers-{key}", f"two workers, {what}, CPU", "µs", (), work),
            Row(f"worker-{key}", f"one worker, {what}, CPU", "µs", (), work),
            Row(f"workers-{key}-more", "… two against one", MORE, (AtMost(5.0),)))


TRIPLES = (_rows(workloads.KEPT, "kept", "keep-alive request"), _rows(workloads.FULL, "full", "full handshake"),
           _rows(workloads.RESUMED, "resumed", "resumed"))
ROWS = tuple(row for triple in TRIPLES for row in triple)


def processors(bench):
    """Those that two workers may use."""
    others = sorted(os.sched_getaffinity(0) - {bench.load_processor} - bench.balancer_processors)
    return bench.balancer_processors | set(others[:1] if len(others) > 1 else ())


def _measure(bench, board, triple, contender, is_pair):
    row = triple[0] if is_pair else triple[1]
    try:
        result = workloads.run(bench, contender, row.work, row.work.units(bench.quick) // 2)
    except Fault as fault:
        board.fault([row, triple[2]], contender.column, fault)
        return None
    board.add(row, contender.column, result["cpu_us"], result["faults"])
    return None if result["faults"] else result["cpu_us"]


def run(bench, board, rows):
    pairs = [balancer.like(name + " pair", workers=WORKERS) for name, balancer in bench.available.items()]
    singles = [balancer.like(name + " single") for name, balancer in bench.available.items()]
    triples = [triple for triple in TRIPLES if any(row in rows for row in triple)]
    with bench.running(pairs, board, rows, processors=processors(bench)) as running_pairs, \
            bench.running(singles, board, rows) as running_singles:
        contenders = [*running_pairs, *running_singles]
        found = {}
        for repetition, triple, contender in workloads.interleaved(bench.repetitions, triples, contenders):
            is_pair = contender in running_pairs
            cost = _measure(bench, board, triple, contender, is_pair)
            found[repetition, triple[2], contender.column, is_pair] = cost
        for (repetition, more, column, is_pair), cost in found.items():
            single = found.get((repetition, more, column, False))
            if is_pair and cost and single:
                board.add(more, column, (cost / single - 1) * 100)
