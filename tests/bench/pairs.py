# SPDX-License-Identifier: Apache-2.0
"""Small differences between two ways of doing the same. What else a machine does changes more from second to second
than what is looked for: each repetition is several short runs of all contestants in turn, and what is compared are
runs that were neighbours."""

import dataclasses
import statistics

import workloads
from fault import Fault

SHORT_RUNS = 5  # in each repetition


@dataclasses.dataclass(frozen=True)
class Contestant:
    """Whose figures are whose: a row, a balancer that runs, and the work that it is given."""
    row: object
    balancer: object
    work: workloads.Workload


def measure(bench, board, contestants, check=None):
    """Processor time of every contestant, in µs: {(row key, column): [a list of its short runs, for each repetition]}.
    Their medians go to the board. check(contestant, units) returns further faults of a run."""
    found = {}
    for _ in range(bench.repetitions):
        costs = {contestant: [] for contestant in contestants}
        faults = {contestant: [] for contestant in contestants}
        for _, _, contestant in workloads.interleaved(SHORT_RUNS, (None,), contestants):
            units = contestant.work.units(bench.quick) // SHORT_RUNS
            try:
                result = workloads.run(bench, contestant.balancer, contestant.work, units)
            except Fault as fault:
                faults[contestant].append(str(fault))
                continue
            costs[contestant].append(result["cpu_us"])
            faults[contestant] += result["faults"] + (check(contestant, units) if check else [])
        for contestant in contestants:
            column = contestant.balancer.column
            if costs[contestant]:
                board.add(contestant.row, column, statistics.median(costs[contestant]), sorted(set(faults[contestant])))
            else:
                board.fault([contestant.row], column, faults[contestant][0])
            good = [] if faults[contestant] else costs[contestant]
            found.setdefault((contestant.row.key, column), []).append(good)
    return found


def compare(board, found, row, base, more):
    """How much more `row` takes than `base`, run by run: to the row `more`, in µs or in percent, as its unit says."""
    for (key, column), repetitions in found.items():
        if key != row.key:
            continue
        for costs, bases in zip(repetitions, found.get((base.key, column), [])):
            if len(costs) != len(bases) or not costs:
                board.fault([more], column, "one of the two it compares has no figures")
                continue
            board.add(more, column, statistics.median(
                (cost / other - 1) * 100 if more.unit == "more %" else cost - other
                for cost, other in zip(costs, bases)))
