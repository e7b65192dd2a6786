# SPDX-License-Identifier: Apache-2.0
"""Requests over kept connections: processor time of one."""

import workloads
from rows import Ratio, Row

NAME, SECONDS, QUICK_SECONDS = "requests", 45, 14
ROWS = (Row("kept", "keep-alive request, CPU", "µs", (Ratio(0.75),), workloads.KEPT, quick=True),)


def run(bench, board, rows):
    with bench.running(list(bench.available.values()), board, rows) as running:
        workloads.measure_rows(bench, board, rows, running)
