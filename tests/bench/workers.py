# SPDX-License-Identifier: Apache-2.0
"""What a unit costs with two workers, beside the same with one. Where there are fewer than four processors, two workers
share the one that a single worker has, as the load generator and the backends need the other.

Two workers have twice as many clients, so that each of them has as many as the single one. With the same number in all
each would have half, find half as many events whenever it looks for some, and look twice as often: that is what
dividing any work does, and says nothing of what two workers get in each other's way."""

import dataclasses
import os

import pairs
import workloads
from rows import AtMost, Row

NAME, SECONDS, QUICK_SECONDS = "workers", 140, 0
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


def _contestants(triple, running_doubles, running_singles):
    """Each with two workers, and beside it with one."""
    work = dataclasses.replace(triple[0].work, quick_units=triple[0].work.quick_units // 2,
                               long_units=triple[0].work.long_units // 2)
    for_two = dataclasses.replace(work, connections=WORKERS * work.connections)
    found = []
    for column in dict.fromkeys(balancer.column for balancer in (*running_doubles, *running_singles)):
        for row, of_row, balancers in ((triple[0], for_two, running_doubles), (triple[1], work, running_singles)):
            found += [pairs.Contestant(row, balancer, of_row) for balancer in balancers if balancer.column == column]
    return found


def run(bench, board, rows):
    doubles = [balancer.like(name + " pair", workers=WORKERS) for name, balancer in bench.available.items()]
    singles = [balancer.like(name + " single") for name, balancer in bench.available.items()]
    triples = [triple for triple in TRIPLES if any(row in rows for row in triple)]
    with bench.running(doubles, board, rows, processors=processors(bench)) as running_doubles, \
            bench.running(singles, board, rows) as running_singles:
        for triple in triples:
            found = pairs.measure(bench, board, _contestants(triple, running_doubles, running_singles))
            pairs.compare(board, found, *triple)
