# SPDX-License-Identifier: Apache-2.0
"""Reloads under traffic: requests that fail, and idle connections that are closed."""

import dataclasses
import os
import signal
import threading
import time

import workloads
from fault import Fault
from rows import AtMost, Row

NAME, SECONDS, QUICK_SECONDS = "reloads", 40, 0
RELOADS, REQUESTS, CONNECTIONS, IDLE = 20, 12000, 32, 600
EVERY_S = 0.5
FAILED = Row("reload-failed", f"{RELOADS} reloads, {REQUESTS:,} kept requests: failed", "count", (AtMost(0),))
CLOSED = Row("reload-closed", f"{RELOADS} reloads, {IDLE} idle connections: closed", "count", (AtMost(0),))
ROWS = (FAILED, CLOSED)
WORK = dataclasses.replace(workloads.KEPT, connections=CONNECTIONS, rate=int(REQUESTS / (RELOADS + 1) / EVERY_S))

SIGNALS = {"lb": signal.SIGHUP, "nginx": signal.SIGHUP, "haproxy": signal.SIGUSR2}


def contender(balancer):
    """The same, so that it can be reloaded: HAProxy with a master, which hands its sockets on."""
    if balancer.column != "haproxy":
        return balancer
    return balancer.like("haproxy master", command=["{program}", "-W", "-db", "-f", "{config}"],
                         globals="stats socket {folder}/haproxy.sock mode 600 level admin expose-fd listeners")


def _reload(balancer, done):
    """RELOADS times, one every EVERY_S, however long one takes."""
    due = time.monotonic()
    for _ in range(RELOADS):
        due += EVERY_S
        time.sleep(max(0.0, due - time.monotonic()))
        os.kill(balancer.process.pid, SIGNALS[balancer.column])
        done.append(due)


def _measure(bench, board, balancer):
    idle = workloads.Load(bench.tools, bench.certificates, balancer.port,
                          ["--mode", "idle", "--connections", str(IDLE), "--sources", "200", "--stall", "30"],
                          bench.load_processor)
    try:
        load = workloads.Load(bench.tools, bench.certificates, balancer.port, WORK.arguments(REQUESTS),
                              bench.load_processor)
        done = []
        reloading = threading.Thread(target=_reload, args=(balancer, done))
        try:
            load.begin()
            reloading.start()
            result = load.result()
        finally:
            reloading.join()
            load.end()
        closed = idle.measure()["closed_by_peer"]
    finally:
        idle.end()
    faults = [] if idle.ready["failures"] == 0 else [f"{idle.ready['failures']} idle connections failed"]
    if balancer.process.poll() is not None:
        faults.append("it ended")
    if result["units"] + result["failures"] < REQUESTS:
        board.say(f"  {balancer.name}: given up after {result['units']:,} requests: {result['first_failure']}")
    board.add(FAILED, balancer.column, result["failures"], faults)
    board.add(CLOSED, balancer.column, closed, faults)


def run(bench, board, rows):
    for balancer in bench.available.values():
        with bench.running([contender(balancer)], board, rows) as running:
            for one in running:
                try:
                    _measure(bench, board, one)
                except Fault as fault:
                    board.fault(rows, one.column, fault)
