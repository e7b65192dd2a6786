# SPDX-License-Identifier: Apache-2.0
"""Clients that speak HTTP/2: processor time and instructions of a request with one and with 100 streams on a
connection, large bodies, memory of connections and of streams that rest."""

import dataclasses

import bodies
import idle
import instructions
import workloads
from fault import Fault
from rows import Ratio, Row

NAME, SECONDS, QUICK_SECONDS = "http2", 272, 40
MIB = 2**20
HELD_CONNECTIONS, STREAMS = 20, 100
REST_S = 3  # a connection that is not used for so long is idle; who gives memory back then has done it
GOAL = (Ratio(0.85),)


def _body(way):
    """As many at a time as in the row of HTTP/1.1, over a quarter of the connections."""
    return dataclasses.replace(bodies.work(MIB, way, 512, 4), streams=4)


REQUESTS = (
    Row("http2-one", "HTTP/2 request, one at a time, CPU", "µs", GOAL, workloads.HTTP2_ONE, quick=True),
    Row("http2-many", "HTTP/2 request, 100 at a time, CPU", "µs", GOAL, workloads.HTTP2_MANY, quick=True),
)
BODIES = (
    Row("http2-answers", "HTTP/2, 1 MiB answers, CPU per GiB", "ms per GiB", GOAL, _body(bodies.ANSWER)),
    Row("http2-uploads", "HTTP/2, 1 MiB uploads, CPU per GiB", "ms per GiB", GOAL, _body(bodies.UPLOAD)),
)
COUNTED = (
    Row("instructions-http2-one", "user instructions of an HTTP/2 request, one at a time", "instructions", GOAL,
        instructions.alone(workloads.HTTP2_ONE)),
    Row("instructions-http2-many", "user instructions of an HTTP/2 request, 100 at a time", "instructions", GOAL,
        instructions.alone(workloads.HTTP2_MANY)),
)
IDLE = Row("http2-idle", "idle HTTP/2 connection, memory (RSS)", "bytes", (Ratio(1.0),))
HELD = Row("http2-held", "idle HTTP/2 stream, memory (RSS)", "bytes", (Ratio(1.0),))
ROWS = (*REQUESTS, *COUNTED, *BODIES, IDLE, HELD)


def _hold_streams(bench, balancer):
    """(bytes of one stream whose answer has begun, faults), with what a balancer needs for it towards a backend. Their
    connections are there before."""
    count = HELD_CONNECTIONS * STREAMS
    load = workloads.Load(bench.tools, bench.certificates, balancer.port,
                          ["--mode", "held", "--path", "/hold", "--connections", str(HELD_CONNECTIONS), "--http2",
                           str(STREAMS), "--stall", "30"], bench.load_processor)
    try:
        before = balancer.memory_bytes()["rss"]
        result = load.measure()
        held = balancer.memory_bytes()["rss"]
    finally:
        load.end()
    faults = []
    if load.ready["failures"] or result["failures"] or result["closed_by_peer"] or result["units"] != count:
        faults.append(f"{result['units']} of {count} streams are held: {load.ready['first_failure']} "
                      f"{result['first_failure']}")
    return (held - before) / count, faults


def _hold(bench, board, row, balancer):
    try:
        bench.start(balancer)
        if row is HELD:
            board.add(row, balancer.column, *_hold_streams(bench, balancer))
        else:
            board.add(row, balancer.column, *idle.hold(bench, balancer, idle.connections(bench), more=["--http2", "1"],
                                                       rest_s=REST_S))
    except Fault as fault:
        board.fault([row], balancer.column, fault)
    finally:
        balancer.stop()


def _wanted(rows, of):
    return [row for row in of if row in rows]


def run(bench, board, rows):
    requests, large = _wanted(rows, REQUESTS), _wanted(rows, BODIES)
    if requests or large:
        with bench.running(bench.http2, board, [*requests, *large]) as running:
            workloads.measure_rows(bench, board, requests, running)
            bodies.measure(bench, board, large, running)
    counted = _wanted(rows, COUNTED)
    if counted:
        instructions.run(bench, board, counted, bench.http2)
    for row in _wanted(rows, (IDLE, HELD)):
        for balancer in bench.http2:
            _hold(bench, board, row, balancer)
