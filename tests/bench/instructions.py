# SPDX-License-Identifier: Apache-2.0
"""Instructions of user space that one unit takes, counted by callgrind: a run with many units less a run with few,
divided by how many there were more. What else the machine does has hardly an influence: the same program takes the
same number within 0.1 %."""

import concurrent.futures
import dataclasses
import os
import re
import shutil
import signal
import socket
import subprocess

import workloads
from fault import Fault
from rows import AtMost, Row

NAME, SECONDS, QUICK_SECONDS = "instructions", 75, 20
PATIENCE_S = 60


def alone(work):
    """The same over one connection at a time, which leaves no choice of who comes first. A kept request then takes more
    than among many, for nothing is done for several of them together."""
    return dataclasses.replace(work, connections=1)


ROWS = (
    Row("instructions-kept", "user instructions of a keep-alive request", "instructions", (AtMost(26000),),
        workloads.KEPT, quick=True),
    Row("instructions-full", "user instructions of a full handshake + request, TLS 1.3", "instructions",
        (AtMost(5200000),), alone(workloads.FULL), quick=True),
    Row("instructions-full-unknown", "… of a client that was never here before", "instructions", (),
        alone(workloads.FULL_UNKNOWN)),
    Row("instructions-resumed", "user instructions of a resumed one + request, TLS 1.3", "instructions", (),
        alone(workloads.RESUMED), quick=True),
)
# (few, many) units. More requests than handshakes: what differs between two starts is divided by them.
UNITS = {"keep-alive": (1000, 7000), "full": (20, 120), "resumed": (20, 140)}
UNITS_OF_MANY = (2000, 14000)  # with many streams on one connection


def countable():
    return shutil.which("valgrind") is not None


def _under_valgrind(balancer, counts):
    """nginx and nghttpx in one process, for a worker of its own would have counts of its own."""
    template = balancer.template.replace("daemon off;", "daemon off;\nmaster_process off;")
    template = template.replace("no-ocsp=yes", "no-ocsp=yes\nsingle-process=yes")
    slow = balancer.like(balancer.name, template,
                         ["valgrind", "--tool=callgrind", "--callgrind-out-file=" + counts, *balancer.command])
    slow.file_name = os.path.basename(counts)
    slow.patience_s = 120
    return slow


def _end(slow):
    """Ends in good order: only then are counts written. nginx without a master looks for signals before it waits for
    events: one that comes in between is seen with the next event, so there are some."""
    slow.process.send_signal(signal.SIGTERM)
    for _ in range(PATIENCE_S):
        try:
            slow.process.wait(timeout=1)
            return
        except subprocess.TimeoutExpired:
            with socket.socket() as event:
                event.connect_ex(("127.0.0.1", slow.port))
    raise Fault(f"{slow.name} does not end under valgrind")


def _total(slow, counts):
    try:
        with open(counts, encoding="ascii", errors="replace") as file:
            return int(re.search(r"^(?:summary|totals): (\d+)", file.read(), re.MULTILINE).group(1))
    except (OSError, AttributeError) as error:
        with open(slow.log_path, encoding="utf-8", errors="replace") as log:
            raise Fault(f"{slow.name}: valgrind counted nothing: {log.read()[-300:].strip()}") from error


def count(bench, balancer, work, units):
    """Instructions of one start, so many units, and an end. Fails with a Fault."""
    who = "-strangers" if work.strangers else f"-http2-{work.streams}" if work.streams else ""
    counts = os.path.join(bench.folder, f"{balancer.file_name}-{work.mode}{who}-{units}.callgrind")
    slow = _under_valgrind(balancer, counts)
    if os.path.exists(counts):
        os.unlink(counts)
    try:
        slow.start(bench.folder, bench.certificates, bench.backends, None, 1000,
                   {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"})
        load = workloads.load_for(bench, slow, work, units, more=("--stall", str(PATIENCE_S)))
        try:
            result = load.measure()
        finally:
            load.end()
        _end(slow)
    finally:
        slow.stop()
    faults = workloads.faults(work, result, units)
    if faults:
        raise Fault(f"{balancer.name}, under valgrind: {'; '.join(faults)}")
    return _total(slow, counts)


def _count_again(bench, balancer, work, units):
    """As count; what went wrong once, on a busy machine, is tried once more."""
    try:
        return count(bench, balancer, work, units)
    except (Fault, OSError) as fault:
        bench.say(f"  counted once more, for {str(fault).splitlines()[0] if str(fault) else 'it failed'}")
        return count(bench, balancer, work, units)


def per_unit(bench, balancer, work):
    few, many = UNITS_OF_MANY if work.streams > 1 else UNITS[work.mode]
    more = _count_again(bench, balancer, work, many) - _count_again(bench, balancer, work, few)
    return more / (many - few)


def count_all(bench, board, rows, contenders):
    """As many at the same time as there are processors; they do not disturb one another's counts."""
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        asked = [(row, balancer, pool.submit(per_unit, bench, balancer, row.work))
                 for row in rows for balancer in contenders]
        for row, balancer, counted in asked:
            try:
                board.add(row, balancer.column, counted.result())
            except (Fault, OSError) as fault:
                board.fault([row], balancer.column, fault)


def run(bench, board, rows, contenders=None):
    """`contenders`: those of HTTP/1.1 when left out."""
    contenders = contenders or list(bench.available.values())
    if not countable():
        for balancer in contenders:
            board.fault(rows, balancer.column, "valgrind is not installed: instructions are not counted")
        return
    if bench.quick:
        contenders = [balancer for balancer in contenders if balancer.column == "lb"]
    count_all(bench, board, rows, contenders)
