# SPDX-License-Identifier: Apache-2.0
"""What size costs: lb with one rule and two backends beside lb with thousands, what a thousand backends cost its
peers, and what a reload costs.

All configurations run at the same time and are measured in turn. One program answers for all backends, so that their
number is the only thing that changes. Requests are served by the last of the rules. Ten thousand names are a group of
the comparison (names.py), a million registered certificates a mode of their own (registry.py).
"""

import dataclasses
import os
import re
import signal
import socket
import statistics
import time

import names
import pairs
import visit
import workloads
from fault import Fault
from rows import AtMost, Row

NAME, SECONDS, QUICK_SECONDS = "scale", 240, 90
RULES, DOMAINS, BACKENDS = 10000, 100, 1000
WARM_UP_UNITS = 10 * BACKENDS  # every backend has its links then
RELOADS, PATIENCE_S = 20, 30
CALM_REQUESTS, REQUESTS_AT_ONCE = 5000, 200

STARTS = (AtMost(2.0),)
COSTS_NO_MORE = (AtMost(2.0),)


def _address(i):
    return f"127.0.{i // 250}.{i % 250 + 1}"


@dataclasses.dataclass(frozen=True)
class Size:
    """`pool`: further lines of lb's; peers take part where `peers` is set, lb has goals where `goals` is."""
    key: str
    name: str
    rules: int = 1
    backends: int = 2
    pool: str = ""
    peers: bool = False
    goals: bool = False

    def rows(self):
        """What a request takes, how much more that is than with the smallest, and what a start takes."""
        kept = Row("scale-" + self.key, f"keep-alive request, {self.name}, CPU", "µs", (), workloads.KEPT)
        more = Row(kept.key + "-more", f"… against {SMALL.name}", "more %", COSTS_NO_MORE if self.goals else ())
        start = Row(kept.key + "-start", f"start with {self.name}, CPU", "s", STARTS)
        return (kept, more, start) if self.goals else (kept,) if self is SMALL else (kept, more)


SMALL = Size("small", "1 rule, 2 backends", peers=True)
LARGEST = Size("both", "10,000 rules, 1,000 backends", RULES, BACKENDS, goals=True)
SIZES = (
    SMALL,
    Size("rules", "10,000 rules, 2 backends", RULES, goals=True),
    Size("backends", "1 rule, 1,000 backends", 1, BACKENDS, peers=True, goals=True),
    LARGEST,
    Size("ip-hash", "… by ip-hash", RULES, BACKENDS, "balance = ip-hash\n"),
    Size("cookies", "… with cookies", RULES, BACKENDS, "session_persistence = cookie\n"),
    Size("least", "… by least-connections", RULES, BACKENDS, "balance = least-connections\n"),
)
ROWS_OF = {size.key: size.rows() for size in SIZES}
RELOAD = Row("scale-reload", f"reload of {LARGEST.name}", "ms", (AtMost(2000.0),))
WAIT = Row("scale-reload-wait", "… longest wait of a request meanwhile", "ms")
CALM = Row("scale-reload-calm", f"… of {CALM_REQUESTS:,} requests without a reload", "ms")
RELOAD_ROWS = (RELOAD, WAIT, CALM)
ROWS = (*(row for some in ROWS_OF.values() for row in some), *RELOAD_ROWS)

# --- configurations -------------------------------------------------------------------------------------


def _lb(template, size):
    head = template.partition("[rule all]")[0].replace("log_level = warn", "log_level = info")  # it tells of reloads
    rules = "".join(f"[rule r{i}]\nlistener = bench\ndomain = d{i % DOMAINS}.example.com\n"
                    f"url = /part/{i // DOMAINS}\npool = app\n\n" for i in range(size.rules - 1))
    servers = "".join(f"backend = rs-{i} {_address(i)}:{{backends[0]}} weight=10\n" for i in range(size.backends))
    return (f"{head}{rules}[rule last]\nlistener = bench\ndomain = {workloads.KEPT.host}\npool = app\n\n"
            f"[pool app]\nhealth_check = off\nidle_links = 64\n{size.pool}{servers}")


def _nginx(template, size):
    servers = "".join(f"        server {_address(i)}:{{backends[0]}};\n" for i in range(size.backends))
    return re.sub(r"(?: +server 127[^\n]*\n)+ +keepalive 128;",
                  lambda _: f"{servers}        keepalive {max(128, 2 * size.backends)};", template)


def _haproxy(template, size):
    servers = "".join(f"    server rs-{i} {_address(i)}:{{backends[0]}} pool-max-conn 128\n"
                      for i in range(size.backends))
    return re.sub(r"(?: +server rs-[^\n]*\n)+", lambda _: servers, template)


TEMPLATES = {"lb": _lb, "nginx": _nginx, "haproxy": _haproxy}


def candidates(available):
    """[(size, balancer)]: lb in every size; each peer with two backends and with a thousand."""
    return [(size, balancer.like(f"{name}, {size.name}", TEMPLATES[name](balancer.template, size)))
            for name, balancer in available.items() for size in SIZES if name == "lb" or size.peers]


# --- starts and requests --------------------------------------------------------------------------------


def _start(bench, board, size, balancer):
    """Does it run, and do the work?"""
    rows = ROWS_OF[size.key]
    try:
        bench.start(balancer)
        if len(rows) == 3:
            board.add(rows[2], balancer.column, names.settle(balancer) / 1e9)
        bench.prove(balancer, bench.certificates)
        workloads.run(bench, balancer, workloads.KEPT, WARM_UP_UNITS)
        return True
    except Fault as fault:
        balancer.stop()
        board.fault(rows, balancer.column, fault)
        return False


def _measure_requests(bench, board, running):
    found = pairs.measure(bench, board, [pairs.Contestant(ROWS_OF[size.key][0], balancer, workloads.KEPT)
                                         for size, balancer in running])
    for size in SIZES:
        if size is not SMALL:
            pairs.compare(board, found, ROWS_OF[size.key][0], ROWS_OF[SMALL.key][0], ROWS_OF[size.key][1])


# --- reloads --------------------------------------------------------------------------------------------


def _ask(connection):
    """Milliseconds until the head of an answer is here."""
    begin = time.perf_counter()
    connection.sendall(f"GET / HTTP/1.1\r\nHost: {workloads.KEPT.host}\r\n\r\n".encode())
    answer = b""
    while b"\r\n\r\n" not in answer:
        more = connection.recv(65536)
        if more == b"":
            raise Fault("a reload closed a connection")
        answer += more
    if not answer.startswith(b"HTTP/1.1 200"):
        raise Fault(f"a reload cost an answer: {answer[:60]!r}")
    return (time.perf_counter() - begin) * 1000


def _took_ms(log_path):
    with open(log_path, encoding="utf-8", errors="replace") as log:
        return [int(ms) for ms in re.findall(r"lb\.reloaded .*took_ms=(\d+)", log.read())]


def _reload_and_ask(balancer, connection):
    """One kept connection asks without a pause, while lb loads its config again and again."""
    busy = []
    for done in range(RELOADS):
        balancer.process.send_signal(signal.SIGHUP)
        end = time.monotonic() + PATIENCE_S
        while len(_took_ms(balancer.log_path)) <= done:
            busy += [_ask(connection) for _ in range(REQUESTS_AT_ONCE)]
            if time.monotonic() > end:
                raise Fault(f"lb does not reload within {PATIENCE_S} s")
    return busy


def _measure_reload(bench, board, balancer):
    os.sched_setaffinity(balancer.process.pid, os.sched_getaffinity(0))  # its loader shall not be in the way of requests
    with socket.create_connection(("127.0.0.1", balancer.port)) as plain, \
            visit.context(bench.certificates).wrap_socket(plain, server_hostname=workloads.KEPT.host) as connection:
        calm = [_ask(connection) for _ in range(CALM_REQUESTS)]
        busy = _reload_and_ask(balancer, connection)
    board.add(RELOAD, balancer.column, statistics.median(_took_ms(balancer.log_path)))
    board.add(WAIT, balancer.column, max(busy))
    board.add(CALM, balancer.column, max(calm))


# --- all of it ------------------------------------------------------------------------------------------


def run(bench, board, rows):
    made = candidates(bench.available)
    bench.stop()
    bench.start_backends([f"{_address(i)}:{bench.backends[0]}" for i in range(BACKENDS)] +
                         [f"127.0.0.1:{bench.backends[1]}"])
    try:
        running = [(size, balancer) for size, balancer in made if _start(bench, board, size, balancer)]
        _measure_requests(bench, board, running)
        for size, balancer in running:
            if size is LARGEST:
                try:
                    _measure_reload(bench, board, balancer)
                except (Fault, OSError) as fault:
                    board.fault(RELOAD_ROWS, balancer.column, fault)
    finally:
        for _, balancer in made:
            balancer.stop()
