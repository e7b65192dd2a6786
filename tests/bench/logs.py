# SPDX-License-Identifier: Apache-2.0
"""What a line in the access log costs a kept request, beside the same request without one."""

import os

import balancers
import pairs
import workloads
from rows import AtMost, Row

NAME, SECONDS, QUICK_SECONDS = "logs", 100, 0
COMBINED = Row("log-combined", "keep-alive request with an access log, combined, CPU", "µs")
JSON = Row("log-json", "keep-alive request with an access log, JSON, CPU", "µs")
COMBINED_MORE = Row("log-combined-more", "… combined, more than without", "more µs", (AtMost(1.0),))
JSON_MORE = Row("log-json-more", "… JSON, more than without", "more µs", (AtMost(1.0),))
ROWS = (COMBINED, COMBINED_MORE, JSON, JSON_MORE)
WITHOUT = Row("log-none", "keep-alive request without, beside these", "µs")
FILES = {(COMBINED.key, "lb"): "lb.access", (COMBINED.key, "nginx"): "nginx.access", (JSON.key, "lb"): "lb-json.access"}
LEAST_LINE_BYTES = 50


def contestants(bench):
    """Each without a log and, beside it, with one."""
    found = []
    for name, balancer in bench.available.items():
        with_log = [(COMBINED, balancer.like(name + " combined", **balancers.COMBINED_LOG[name]))]
        if name == "lb":
            with_log.append((JSON, balancer.like("lb json", **balancers.JSON_LOG)))
        found += [pairs.Contestant(row, one, workloads.KEPT) for row, one in [(WITHOUT, balancer), *with_log]]
    return found


def _check(bench, contestant, units):
    """There must be a line for every request; then the file is emptied, for nobody reads it."""
    if contestant.row is WITHOUT:
        return []
    name = FILES.get((contestant.row.key, contestant.balancer.column))
    path = contestant.balancer.log_path if name is None else os.path.join(bench.folder, name)
    size = os.path.getsize(path) if os.path.exists(path) else 0
    if size < LEAST_LINE_BYTES * units:
        return [f"{size} bytes of access log are no line for each of {units} requests"]
    os.truncate(path, 0)
    return []


def run(bench, board, rows):
    made = contestants(bench)
    with bench.running([contestant.balancer for contestant in made], board, ROWS) as running:
        good = [contestant for contestant in made if contestant.balancer in running]
        found = pairs.measure(bench, board, good, lambda contestant, units: _check(bench, contestant, units))
    pairs.compare(board, found, COMBINED, WITHOUT, COMBINED_MORE)
    pairs.compare(board, found, JSON, WITHOUT, JSON_MORE)
