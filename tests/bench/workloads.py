# SPDX-License-Identifier: Apache-2.0
"""What is measured: kinds of work, their units, and one run of one of them against one balancer."""

import dataclasses
import json
import os
import subprocess

import accounting


@dataclasses.dataclass(frozen=True)
class Workload:
    """One row. `goal`: at most so many times the better peer; units are counted per repetition."""
    name: str
    mode: str
    tls: str
    goal: float
    quick_units: int
    long_units: int
    connections: int

    def units(self, quick):
        return self.quick_units if quick else self.long_units


# In the long run every run takes seconds, so that neither clock ticks nor caches that fill matter.
ALL = (
    Workload("keep-alive, TLS 1.3", "keep-alive", "1.3", 0.9, 50000, 200000, 32),
    Workload("full handshake, TLS 1.3", "full", "1.3", 0.7, 1500, 6000, 16),
    Workload("resumed handshake, TLS 1.3", "resumed", "1.3", 0.6, 2500, 10000, 16),
    Workload("full handshake, TLS 1.2", "full", "1.2", 0.7, 1500, 6000, 16),
    Workload("resumed handshake, TLS 1.2", "resumed", "1.2", 0.6, 4000, 16000, 16),
)


class Load:
    """A run of the load generator, which speaks one line of JSON when it is ready and one at the end."""

    def __init__(self, tools, certificates, port, arguments, processor):
        command = [os.path.join(tools, "load"), "--address", f"127.0.0.1:{port}",
                   "--ca", f"{certificates}/ca.crt", "--certificate", f"{certificates}/client.crt",
                   "--key", f"{certificates}/client.key", "--cpu", str(processor), "--wait", *arguments]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)
        self.ready = self._hear()

    def _hear(self):
        line = self.process.stdout.readline()
        if line == "":
            raise SystemExit("the load generator ended: " + self.process.stderr.read().strip())
        return json.loads(line)

    def begin(self):
        self.process.stdin.write("go\n")
        self.process.stdin.flush()

    def measure(self):
        self.begin()
        return self._hear()

    def end(self):
        self.process.stdin.close()
        self.process.wait(timeout=60)
        self.process.stdout.close()
        self.process.stderr.close()


def _faults(workload, result, units):
    """Why a result must not be used; empty when all is well."""
    faults = []
    if result["failures"] > 0:
        faults.append(f"{result['failures']} failures, first: {result['first_failure']}")
    if result["units"] != units:
        faults.append(f"{result['units']} of {units} units done")
    if result["tls"] != "TLSv" + workload.tls:
        faults.append(f"TLS was {result['tls']}")
    if "AES256-GCM" not in result["cipher"].replace("_", "-").replace("AES-256", "AES256"):
        faults.append(f"cipher was {result['cipher']}")
    if workload.mode == "resumed" and result["resumed"] != units:
        faults.append(f"only {result['resumed']} of {units} resumed")
    if workload.mode == "full" and result["resumed"] != 0:
        faults.append(f"{result['resumed']} resumed")
    if workload.mode == "keep-alive" and result["reopened"] != 0:
        faults.append(f"{result['reopened']} connections had to be opened again")
    return faults


def _arguments(workload, units):
    return ["--mode", workload.mode, "--tls", workload.tls, "--count", str(units),
            "--connections", str(workload.connections), "--sources", "200"]


def run(bench, balancer, workload, units):
    """One repetition: {"cpu_us" per unit, "per_second", "p50_us", "p99_us", "faults"}."""
    load = Load(bench.tools, bench.certificates, balancer.port, _arguments(workload, units),
                bench.load_processor)
    before = balancer.processor_ns()
    result = load.measure()
    spent = balancer.processor_ns() - before
    load.end()
    return {"cpu_us": spent / 1000 / max(result["units"], 1),
            "per_second": result["units"] / max(result["seconds"], 1e-9),
            "p50_us": result["p50_us"], "p99_us": result["p99_us"],
            "faults": _faults(workload, result, units)}


def count_calls(bench, balancer, workload, units):
    """System calls per unit: {"socket", "wait", "other", "by_name"}."""
    load = Load(bench.tools, bench.certificates, balancer.port, _arguments(workload, units),
                bench.load_processor)
    path = os.path.join(bench.folder, balancer.name.replace(" ", "-") + ".strace")
    with accounting.Calls(balancer.process.pid, path) as calls:
        result = load.measure()
    load.end()
    done = max(result["units"], 1)
    by_name = {name: count / done for name, count in calls.counts.items() if count / done >= 0.005}
    socket = sum(by_name.get(name, 0) for name in accounting.SOCKET_CALLS)
    wait = sum(by_name.get(name, 0) for name in accounting.WAIT_CALLS)
    return {"socket": socket, "wait": wait, "other": max(sum(by_name.values()) - socket - wait, 0.0),
            "by_name": by_name, "faults": _faults(workload, result, units)}


def hold_idle(bench, balancer, connections):
    """Open connections that have each made one request, and see what they take.

    The balancer must be fresh: memory that earlier work left behind would hide what these need.
    """
    before = balancer.memory_bytes()
    load = Load(bench.tools, bench.certificates, balancer.port,
                ["--mode", "idle", "--connections", str(connections), "--sources", "200",
                 "--stall", "30"], bench.load_processor)
    held = balancer.memory_bytes()
    result = load.measure()
    load.end()
    faults = []
    if load.ready["failures"] or result["failures"] or result["closed_by_peer"]:
        faults.append(f"{load.ready['failures'] + result['failures']} failures "
                      f"({load.ready['first_failure']}{result['first_failure']}), "
                      f"{result['closed_by_peer']} closed by the balancer")
    return {"connections": connections, "faults": faults,
            "rss_bytes": (held["rss"] - before["rss"]) / connections,
            "pss_bytes": (held["pss"] - before["pss"]) / connections}
