# SPDX-License-Identifier: Apache-2.0
"""What the tests of the benchmark share: where its modules are, and results that nobody measured."""

import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import board  # noqa: E402
import report  # noqa: E402
import rows  # noqa: E402

QUIET = lambda _: None  # noqa: E731


def cells(**figures):
    """{column: cell} of lb=[…], nginx=[…], nginx_best=[…]; a text is a fault."""
    found = {}
    for name, values in figures.items():
        values = values if isinstance(values, list) else [values]
        found[name.replace("_", " ")] = board.summarise([value for value in values if not isinstance(value, str)],
                                                        [value for value in values if isinstance(value, str)])
    return found


def results(chosen, figures, missing=()):
    """As run makes them, of {row key: cells}."""
    return {"when": "2026-01-02T03:04:05Z", "machine": "2 × test", "versions": {"lb": "1.2.3"}, "repetitions": 3,
            "missing": list(missing), "quick": False,
            "rows": {row.key: report.entry(row, figures[row.key]) for _, some in chosen for row in some}}


CPU = rows.Row("cpu", "a request, CPU", "µs", (rows.Ratio(0.5), rows.Ratio(0.8, best=True)))
FAILED = rows.Row("failed", "requests that failed", "count", (rows.AtMost(0),))
COUNTED = rows.Row("counted", "instructions", "instructions", (rows.AtMost(26000),))
CHOSEN = [(None, [CPU, FAILED]), (None, [COUNTED])]
FIGURES = {
    "cpu": cells(lb=[9, 10, 12], nginx=[20, 21, 22], haproxy=[25, 24, 26], nginx_best=[11, 11, 11],
                 haproxy_best=[13, 13, 13]),
    "failed": cells(lb=0, nginx=13, haproxy=52),
    "counted": cells(lb=27000, nginx=52000, haproxy=54000),
}
