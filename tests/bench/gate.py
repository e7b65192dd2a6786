# SPDX-License-Identifier: Apache-2.0
"""Did a unit come to take more instructions, or fewer than are guarded? lb's counts beside those that are kept in
instructions.json.

Counts depend on the compiler, on libraries and on what the processor can do, so the file says with what they were
counted; where something else is here now, the comparison does not decide.
"""

import dataclasses
import json
import os
import platform
import subprocess

import http2
import instructions
from board import Board
from rows import OWN, usable

ALLOWED = 0.03  # so much more or less is put up with; counts repeat within 0.1 %
OFF, GOOD, UNABLE = 1, 0, 77
UNDECIDED = "does not decide"  # CTest looks for these words: tests/CMakeLists.txt
PACKAGES = {"OpenSSL": ("libssl3", "libssl3t64"), "libc": ("libc6",), "libuv": ("libuv1", "libuv1t64"),
            "nghttp2": ("libnghttp2-14",), "valgrind": ("valgrind",)}
PROCESSOR_FLAGS = ("avx2", "bmi2", "aes", "pclmulqdq")  # what code chooses by that valgrind lets through


def _first_line(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except OSError:
        return None
    return (done.stdout.splitlines() or [None])[0] if done.returncode == 0 else None


def _package(names):
    for name in names:
        version = _first_line("dpkg-query", "-W", "-f=${Version}\\n", name)
        if version:
            return version
    return "unknown"


def _architecture():
    with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
        flags = next((line.split() for line in file if line.startswith("flags")), [])
    return " ".join([platform.machine(), *(flag for flag in PROCESSOR_FLAGS if flag in flags)])


def counted_with():
    """What counts depend on besides the program: {what: version}."""
    return {"architecture": _architecture(), "gcc": _first_line("gcc", "--version") or "unknown",
            **{what: _package(names) for what, names in PACKAGES.items()}}


def load(path):
    """What was kept. Ends the program with one line where there is nothing to compare with."""
    try:
        with open(path, encoding="utf-8") as file:
            kept = json.load(file)
        sound = (all(figure > 0 for figure in kept["figures"].values()) and bool(kept["figures"])
                 and isinstance(kept["counted_with"], dict))
    except OSError as error:
        raise SystemExit(f"{path} cannot be read ({error.strerror}): --instructions --keep writes it") from error
    except (ValueError, TypeError, KeyError, AttributeError):
        sound = False
    if not sound:
        raise SystemExit(f"{path} is damaged: --instructions --keep writes it anew")
    return kept


def keep(path, figures, conditions):
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"figures": figures, "counted_with": conditions}, file, indent=1)
        file.write("\n")


def _verdict(figure, before, decides):
    """(does it fail the gate, in words). Much better fails, too: what is gained would not be guarded."""
    if before * (1 - ALLOWED) <= figure <= before * (1 + ALLOWED):
        return False, "good"
    worse = figure > before
    if not decides:
        return False, f"would be {'worse' if worse else 'better'} by more than {ALLOWED:.0%}"
    if worse:
        return True, f"WORSE by more than {ALLOWED:.0%}"
    return True, f"BETTER by more than {ALLOWED:.0%}, the file is stale: count anew with --instructions --keep"


def compare(kept, figures, conditions):
    """(exit status, lines to print)."""
    differing = [f"{what} is {conditions.get(what)}, was {version}" for what, version in kept["counted_with"].items()
                 if conditions.get(what) != version]
    lines, status = [], GOOD
    for key, figure in figures.items():
        before = kept["figures"].get(key)
        if before is None:
            lines.append(f"{key}: {figure:,.0f}, and none was kept to compare with")
            continue
        fails, verdict = _verdict(figure, before, not differing)
        status = OFF if fails else status
        lines.append(f"{key}: {figure:,.0f} instructions, {figure / before - 1:+.2%} to the {before:,.0f} that were "
                     f"kept: {verdict}")
    if differing:
        lines.append(f"The comparison {UNDECIDED}, for they were counted with something else: " + "; ".join(differing))
    return status, lines


def count(bench):
    """{row key: instructions} of lb."""
    board = Board(bench.say)
    rows = [dataclasses.replace(row, work=instructions.alone(row.work)) for row in instructions.ROWS]
    bench.start_backends()
    try:
        instructions.count_all(bench, board, rows, [bench.available[OWN]])
        instructions.count_all(bench, board, http2.COUNTED, bench.http2)
    finally:
        bench.stop()
    cells = {row.key: board.cell(row, OWN) for row in (*rows, *http2.COUNTED)}
    faults = [fault for cell in cells.values() for fault in cell["faults"]]
    if faults or not all(usable(cell) for cell in cells.values()):
        raise SystemExit("instructions could not be counted: " + "; ".join(faults))
    return {key: round(cell["median"]) for key, cell in cells.items()}


def run(bench, path, keeps):
    """The gate; returns its exit status."""
    if not instructions.countable():
        print("valgrind is not installed: instructions cannot be counted")
        return UNABLE
    kept = None if keeps else load(path)  # before counting takes its minute
    figures, conditions = count(bench), counted_with()
    if keeps:
        keep(path, figures, conditions)
        print(f"kept in {os.path.relpath(path)}: " + ", ".join(f"{key} {figure:,}" for key, figure in figures.items()))
        return GOOD
    status, lines = compare(kept, figures, conditions)
    print("\n".join(lines))
    return status
