# SPDX-License-Identifier: Apache-2.0
"""Kinds of work, and one run of one of them against one balancer."""

import dataclasses
import json
import os
import subprocess

import certificates
from board import summarise
from fault import Fault

GIB = 2**30


@dataclasses.dataclass(frozen=True)
class Workload:
    """What the load generator is asked for. `quick_units`, `long_units`: how much in one repetition; `rate`: units that
    are due each second, 0: as fast as possible; `answer_bytes`, `body_bytes`: of each, 0: the backend's own
    kilobyte, and no body; `strangers`: no client has ever been here before; `streams`: of HTTP/2 at a time on each
    connection, 0: HTTP/1.1."""
    name: str
    mode: str
    tls: str = "1.3"
    quick_units: int = 0
    long_units: int = 0
    connections: int = 32
    rate: int = 0
    answer_bytes: int = 0
    body_bytes: int = 0
    host: str = "www.example.com"
    strangers: bool = False
    streams: int = 0

    def units(self, quick):
        return self.quick_units if quick else self.long_units

    def arguments(self, units):
        arguments = ["--mode", self.mode, "--tls", self.tls, "--count", str(units), "--host", self.host,
                     "--connections", str(self.connections), "--sources", "200"]
        if self.rate:
            arguments += ["--rate", str(self.rate)]
        if self.streams:
            arguments += ["--http2", str(self.streams)]
        if self.answer_bytes:
            arguments += ["--path", f"/bytes/{self.answer_bytes}", "--expect", str(self.answer_bytes)]
        if self.body_bytes:
            arguments += ["--body", str(self.body_bytes)]
        return arguments


# In the long run every repetition takes seconds, so that neither clock ticks nor caches that fill matter.
KEPT = Workload("kept request", "keep-alive", "1.3", 50000, 100000, 32)
FULL = Workload("full handshake", "full", "1.3", 1500, 3000, 16)
RESUMED = Workload("resumed handshake", "resumed", "1.3", 2500, 5000, 16)
FULL_UNKNOWN = Workload("full handshake, unknown client", "full", "1.3", 1000, 1000, 16, strangers=True)
FULL_RSA = Workload("full handshake, RSA", "full", "1.3", 1500, 1500, 16)
FULL_12 = Workload("full handshake, TLS 1.2", "full", "1.2", 1500, 2000, 16)
RESUMED_12 = Workload("resumed handshake, TLS 1.2", "resumed", "1.2", 4000, 8000, 16)
HTTP2_ONE = Workload("HTTP/2 request, one at a time", "keep-alive", "1.3", 20000, 30000, 32, streams=1)
HTTP2_MANY = Workload("HTTP/2 request, 100 at a time", "keep-alive", "1.3", 30000, 60000, 8, streams=100)


class Load:
    """A run of the load generator, which speaks one line of JSON when it is ready and one at the end. `faces`: what
    certificates.fleet() has made; without it all clients show one certificate."""

    def __init__(self, tools, folder, port, arguments, processor, faces=None):
        shown = (["--faces", faces + ".crt", "--key", faces + ".key"] if faces else
                 ["--certificate", f"{folder}/client.crt", "--key", f"{folder}/client.key"])
        command = [os.path.join(tools, "load"), "--address", f"127.0.0.1:{port}", "--ca", f"{folder}/ca.crt",
                   *shown, "--wait", *arguments]
        if processor is not None:
            command += ["--cpu", str(processor)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)
        self.ready = self._hear()

    def _hear(self):
        line = self.process.stdout.readline()
        if line == "":
            raise Fault("the load generator ended: " + self.process.stderr.read().strip())
        return json.loads(line)

    def begin(self):
        self.process.stdin.write("go\n")
        self.process.stdin.flush()

    def result(self):
        """Of what was begun; waits for its end."""
        return self._hear()

    def measure(self):
        self.begin()
        return self.result()

    def end(self):
        self.process.stdin.close()
        self.process.wait(timeout=60)
        self.process.stdout.close()
        self.process.stderr.close()


def faults(workload, result, units):
    """Why a result must not be used; empty when all is well."""
    found = []
    if result["failures"] > 0:
        found.append(f"{result['failures']} failures, first: {result['first_failure']}")
    if result["units"] != units:
        found.append(f"{result['units']} of {units} units done")
    if result["tls"] != "TLSv" + workload.tls:
        found.append(f"TLS was {result['tls']}")
    if "AES256-GCM" not in result["cipher"].replace("_", "-").replace("AES-256", "AES256"):
        found.append(f"cipher was {result['cipher']}")
    if workload.mode == "resumed" and result["resumed"] != units:
        found.append(f"only {result['resumed']} of {units} resumed")
    if workload.mode == "full" and result["resumed"] != 0:
        found.append(f"{result['resumed']} resumed")
    if workload.mode == "keep-alive" and result["reopened"] != 0:
        found.append(f"{result['reopened']} connections had to be opened again")
    if result.get("body_bytes", 0) != workload.body_bytes * result["units"]:
        found.append(f"{result['body_bytes']} bytes of bodies sent")
    return found


def load_for(bench, balancer, workload, units, folder=None, processor=None, more=()):
    """The load generator, ready for this many units; whoever asks ends it."""
    folder = folder or bench.certificates
    faces = None
    if workload.strangers:
        faces = certificates.fleet(bench.tools, folder, "strangers-" + balancer.file_name, units + workload.connections)
    return Load(bench.tools, folder, balancer.port, [*workload.arguments(units), *more], processor, faces)


def run(bench, balancer, workload, units, folder=None):
    """One repetition: {"cpu_us" per unit, "per_second", "p50_us", "p99_us", "late_us", "faults"}. Fails with a Fault
    when there is nothing to measure."""
    load = load_for(bench, balancer, workload, units, folder, bench.load_processor)
    try:
        before = balancer.processor_ns()
        result = load.measure()
        spent = balancer.processor_ns() - before
    finally:
        load.end()
    return {"cpu_us": spent / 1000 / max(result["units"], 1),
            "per_second": result["units"] / max(result["seconds"], 1e-9),
            "p50_us": result["p50_us"], "p99_us": result["p99_us"], "late_us": result.get("late_most_us", 0),
            "faults": faults(workload, result, units)}


def cell(runs):
    """The processor time of one work's repetitions, in microseconds, and what went wrong in them."""
    return summarise([one["cpu_us"] for one in runs], [fault for one in runs for fault in one["faults"]])


def interleaved(repetitions, works, contenders):
    """Every repetition of every work of every contender; contenders take turns in being first."""
    for repetition in range(repetitions):
        for work in works:
            for turn in range(len(contenders)):
                yield repetition, work, contenders[(turn + repetition) % len(contenders)]


WARM_UP_UNITS = 3000


def warm_up(bench, balancer, folder):
    """What only the first requests cost: links are opened, memory is touched for the first time."""
    run(bench, balancer, HTTP2_MANY if balancer.http2 else KEPT, WARM_UP_UNITS, folder)


def measure_rows(bench, board, rows, contenders, folder=None, repetitions=None):
    """The processor time of a unit of each row's work, interleaved."""
    for _, row, contender in interleaved(repetitions or bench.repetitions, rows, contenders):
        try:
            result = run(bench, contender, row.work, row.work.units(bench.quick), folder)
        except Fault as fault:
            board.fault([row], contender.column, fault)
            continue
        board.add(row, contender.column, result["cpu_us"], result["faults"])
