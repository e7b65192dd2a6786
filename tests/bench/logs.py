# SPDX-License-Identifier: Apache-2.0
"""What a line in the access log costs a kept request, beside the same request without one."""

import os

import balancers
import workloads
from rows import AtMost, Row

NAME, SECONDS, QUICK_SECONDS = "logs", 85, 0
COMBINED = Row("log-combined", "keep-alive request with an access log, combined, CPU", "µs", (), workloads.KEPT)
JSON = Row("log-json", "keep-alive request with an access log, JSON, CPU", "µs", (), workloads.KEPT)
COMBINED_MORE = Row("log-combined-more", "… combined, more than without", "more µs", (AtMost(1.0),))
JSON_MORE = Row("log-json-more", "… JSON, more than without", "more µs", (AtMost(1.0),))
ROWS = (COMBINED, COMBINED_MORE, JSON, JSON_MORE)
WITHOUT = Row("log-none", "keep-alive request without, beside these", "µs", (), workloads.KEPT)


def contenders(bench):
    """[(row, balancer)]: each without a log and with one."""
    found = []
    for name, balancer in bench.available.items():
        found.append((WITHOUT, balancer))
        found.append((COMBINED, balancer.like(name + " combined", **balancers.COMBINED_LOG[name])))
    if "lb" in bench.available:
        found.append((JSON, bench.available["lb"].like("lb json", **balancers.JSON_LOG)))
    return found


def _forget(bench, contender):
    """Logs grow by a hundred megabytes in each repetition, and nobody reads them."""
    for name in ("lb.access", "lb-json.access", "nginx.access"):
        path = os.path.join(bench.folder, name)
        if os.path.exists(path):
            os.truncate(path, 0)
    if contender.column == "haproxy":
        os.truncate(contender.log_path, 0)


def _lines(bench, contender, row):
    """How many bytes of log there are; with none, something is not compared."""
    path = {COMBINED: {"lb": "lb.access", "nginx": "nginx.access"}.get(contender.column),
            JSON: "lb-json.access"}[row]
    path = contender.log_path if path is None else os.path.join(bench.folder, path)
    return os.path.getsize(path) if os.path.exists(path) else 0


def _measure(bench, board, row, contender):
    units = workloads.KEPT.units(bench.quick)
    result = workloads.run(bench, contender, row.work, units)
    faults = list(result["faults"])
    if row is not WITHOUT and _lines(bench, contender, row) < 50 * units:
        faults.append("there is no line for every request")
    board.add(row, contender.column, result["cpu_us"], faults)
    _forget(bench, contender)
    return result["cpu_us"], faults


def run(bench, board, rows):
    made = contenders(bench)
    row_of = {contender.name: row for row, contender in made}
    found = {}
    with bench.running([contender for _, contender in made], board, ROWS) as running:
        for repetition, _, contender in workloads.interleaved(bench.repetitions, (None,), running):
            row = row_of[contender.name]
            found[repetition, row.key, contender.column] = _measure(bench, board, row, contender)
    for row, more in ((COMBINED, COMBINED_MORE), (JSON, JSON_MORE)):
        for (repetition, key, column), (cost, faults) in found.items():
            if key == row.key and (repetition, WITHOUT.key, column) in found:
                base, others = found[repetition, WITHOUT.key, column]
                board.add(more, column, cost - base, faults + others)
