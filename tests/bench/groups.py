# SPDX-License-Identifier: Apache-2.0
"""All groups of rows, in the order of the report. A group is a module: NAME, ROWS, how many SECONDS it takes and how
many QUICK_SECONDS (measured on two processors, for an estimate), and run(bench, board, rows), which fills the
board's cells of the rows that are wanted and notes there what went wrong."""

import bodies
import calls
import handshakes
import http2
import idle
import instructions
import latency
import logs
import names
import reloads
import requests
import starts
import workers

ALL = (requests, instructions, calls, logs, handshakes, bodies, idle, latency, names, reloads, starts, workers,
       http2)


def choose(quick, words):
    """[(group, rows)]: what `words` name, groups or keys of rows; else all. In the quick run a group is its quick rows,
    unless it has none and is named. A word that names nothing ends the program."""
    known = {group.NAME for group in ALL} | {row.key for group in ALL for row in group.ROWS}
    for word in words:
        if word not in known:
            raise SystemExit(f"there is no work '{word}': {', '.join(group.NAME for group in ALL)} would be right, "
                             "or one of the keys in bench.json")
    chosen = []
    for group in ALL:
        named = group.NAME in words
        rows = [row for row in group.ROWS
                if row.key in words or ((named or not words) and (row.quick or not quick))]
        if named and not rows:
            rows = list(group.ROWS)
        if rows:
            chosen.append((group, rows))
    return chosen


def seconds(group, rows, quick):
    """About how long it takes."""
    whole = group.QUICK_SECONDS if quick and group.QUICK_SECONDS else group.SECONDS
    of = [row for row in group.ROWS if row.quick or not quick] or group.ROWS
    return whole * min(1.0, len(rows) / len(of))
