# SPDX-License-Identifier: Apache-2.0
"""Memory of connections that rest after one request."""

import time

import bench as surroundings
import certificates
import workloads
from fault import Fault
from rows import Ratio, Row

NAME, SECONDS, QUICK_SECONDS = "idle", 55, 15
LONG, QUICK = 12000, 3000
FLEET_PART = 4  # as many times fewer clients in a fleet: their certificates take time to sign and to read
ONE = Row("idle", "idle connection, memory (RSS)", "bytes", (Ratio(0.92),), quick=True)
FLEET = Row("idle-fleet", "… each client with a certificate of its own, memory (RSS)", "bytes", (Ratio(1.00),))
ROWS = (ONE, FLEET)


def connections(bench):
    """As many as are wanted, and as descriptors allow: each end of a connection needs one. nginx begins to close idle
    ones when a sixteenth of its places is left; hence the distance."""
    wanted = bench.idle if bench.idle is not None else (QUICK if bench.quick else LONG)
    return min(wanted, surroundings.descriptor_limit() * 85 // 100)


def hold(bench, balancer, count, faces=None, more=(), rest_s=0):
    """(bytes of one connection, faults) when all have rested for so long; `more` is for the load generator. The
    balancer must be fresh: memory that earlier work left behind would hide what these need."""
    before = balancer.memory_bytes()["rss"]
    load = workloads.Load(bench.tools, bench.certificates, balancer.port,
                          ["--mode", "idle", "--connections", str(count), "--sources", "200", "--stall", "30", *more],
                          bench.load_processor, faces)
    try:
        time.sleep(rest_s)
        held = balancer.memory_bytes()["rss"]
        result = load.measure()
    finally:
        load.end()
    faults = []
    failures = load.ready["failures"] + result["failures"]
    if failures or result["closed_by_peer"]:
        faults.append(f"{failures} failures ({load.ready['first_failure']}{result['first_failure']}), "
                      f"{result['closed_by_peer']} closed by the balancer")
    return (held - before) / count, faults


def run(bench, board, rows):
    for row in rows:
        count = max(1, connections(bench) // (FLEET_PART if row is FLEET else 1))
        board.say(f"  {count:,} connections")
        faces = certificates.fleet(bench.tools, bench.certificates, "idle", count) if row is FLEET else None
        for balancer in bench.available.values():
            try:
                bench.start(balancer)
                board.add(row, balancer.column, *hold(bench, balancer, count, faces))
            except Fault as fault:
                board.fault([row], balancer.column, fault)
            finally:
                balancer.stop()
