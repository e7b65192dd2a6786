# SPDX-License-Identifier: Apache-2.0
"""Handshakes, each with one request: full and resumed, with the session settings that peers have by default and
with their best."""

import balancers
import workloads
from rows import Ratio, Row

NAME, SECONDS, QUICK_SECONDS = "handshakes", 320, 48
RSA = "full-rsa"
ROWS = (
    Row("full", "full handshake + request, TLS 1.3, CPU", "µs", (Ratio(0.55), Ratio(0.80, best=True)), workloads.FULL,
        quick=True),
    Row("full-unknown", "… of a client that was never here before, CPU", "µs", (), workloads.FULL_UNKNOWN),
    Row("resumed", "resumed + request, TLS 1.3, CPU", "µs", (Ratio(0.45), Ratio(0.90, best=True)), workloads.RESUMED,
        quick=True),
    Row("full-1.2", "full handshake + request, TLS 1.2, CPU", "µs", (Ratio(0.70),), workloads.FULL_12),
    Row("resumed-1.2", "resumed + request, TLS 1.2, CPU", "µs", (Ratio(0.40),), workloads.RESUMED_12),
    Row(RSA, "full handshake, RSA-2048 certificates, TLS 1.3, CPU", "µs", (Ratio(0.75),), workloads.FULL_RSA),
)


def _run(bench, board, rows, made, folder):
    if rows:
        with bench.running(made, board, rows, folder) as running:
            workloads.measure_rows(bench, board, rows, running, folder)


def run(bench, board, rows):
    contenders = balancers.with_best(bench.available, "sessions")
    _run(bench, board, [row for row in rows if row.key != RSA], contenders, bench.certificates)
    made = [contender.like(contender.name + " rsa") for contender in contenders]
    _run(bench, board, [row for row in rows if row.key == RSA], made, bench.certificates_rsa)
