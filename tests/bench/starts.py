# SPDX-License-Identifier: Apache-2.0
"""From a program's start to its first answer, with one listener."""

import os
import socket
import time

import bench as surroundings
import visit
import workloads
from fault import Fault
from rows import AtMost, Row

NAME, SECONDS, QUICK_SECONDS = "starts", 12, 0
ANSWER = Row("start", "start to first answer, one listener", "ms", (AtMost(15.0),))
CPU = Row("start-cpu", "… CPU until then", "ms")
ROWS = (ANSWER, CPU)
STARTS = 15


def _connect(balancer, end):
    """Tries without a pause: the balancer has a processor of its own, and a pause would be measured."""
    while time.monotonic() < end and balancer.process.poll() is None:
        attempt = socket.socket()
        if attempt.connect_ex(("127.0.0.1", balancer.port)) == 0:
            return attempt
        attempt.close()
    raise Fault(f"{balancer.name} does not listen")


def _start_once(bench, balancer, context):
    """(milliseconds from its exec to the first bytes of an answer, processor time of it by then)."""
    try:
        balancer.spawn(bench.folder, bench.certificates, bench.backends, bench.balancer_processors,
                       surroundings.descriptor_limit() - 800)  # returns once exec has succeeded
        begin_ns, forked_ns = time.monotonic_ns(), balancer.processor_ns()  # what it took to come to be
        with _connect(balancer, time.monotonic() + visit.PATIENCE_S) as plain:
            visit.ask(context, plain, "www.example.com")
        return (time.monotonic_ns() - begin_ns) / 1e6, (balancer.processor_ns() - forked_ns) / 1e6
    finally:
        balancer.stop()


def run(bench, board, rows):
    context = visit.context(bench.certificates)
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {bench.load_processor})  # this process is the client, and must not be in the way
    try:
        for _, _, balancer in workloads.interleaved(STARTS, (None,), list(bench.available.values())):
            try:
                took_ms, cpu_ms = _start_once(bench, balancer, context)
            except Fault as fault:
                board.fault(rows, balancer.column, fault)
                continue
            board.add(ANSWER, balancer.column, took_ms)
            board.add(CPU, balancer.column, cpu_ms)
    finally:
        os.sched_setaffinity(0, allowed)
