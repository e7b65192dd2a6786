# SPDX-License-Identifier: Apache-2.0
"""What size costs: lb with one rule and two backends beside lb with thousands, what a thousand backends
cost its peers, and what a reload costs.

All configurations run at the same time and are measured interleaved, as balancers are. One program
answers for all backends, so that their number is the only thing that changes. Requests are served by the last of the rules.
"""

import os
import re
import signal
import socket
import ssl
import statistics
import time

import workloads

RULES, DOMAINS, BACKENDS = 10000, 100, 1000
HOST = "www.example.com"
RELOADS = 20

HEAD = """\
[lb]
workers = 1
access_log = off
max_clients = 100000

[listener bench]
address = 127.0.0.1:{port}
certificate = {certificates}/server.crt
certificate_key = {certificates}/server.key
mutual_auth = require
client_ca = {certificates}/ca.crt
keepalive_timeout = 1h

"""


def _address(i):
    return f"127.0.{i // 250}.{i % 250 + 1}"


def _config(rules, backends, pool=""):
    """The text of an INI file with placeholders for ports and certificates."""
    text = [HEAD]
    for i in range(rules - 1):
        text.append(f"[rule r{i}]\nlistener = bench\ndomain = d{i % DOMAINS}.example.com\n"
                    f"url = /part/{i // DOMAINS}\npool = app\n\n")
    text.append(f"[rule last]\nlistener = bench\ndomain = {HOST}\npool = app\n\n"
                f"[pool app]\nhealth_check = off\n{pool}")
    for i in range(backends):
        text.append(f"backend = rs-{i} {_address(i)}:{{backends[0]}} weight=10\n")
    return "".join(text)


SMALL = "1 rule, 2 backends"
SIZES = {
    SMALL: _config(1, 2),
    "10,000 rules, 2 backends": _config(RULES, 2),
    "1 rule, 1,000 backends": _config(1, BACKENDS),
    "10,000 rules, 1,000 backends": _config(RULES, BACKENDS),
    "… ip-hash": _config(RULES, BACKENDS, "balance = ip-hash\n"),
    "… cookies": _config(RULES, BACKENDS, "session_persistence = cookie\n"),
    "… least-connections": _config(RULES, BACKENDS, "balance = least-connections\n"),
}


def _many_nginx(template):
    servers = "".join(f"        server {_address(i)}:{{backends[0]}};\n" for i in range(BACKENDS))
    return re.sub(r"(?: +server 127[^\n]*\n)+ +keepalive 128;",
                  lambda _: servers + f"        keepalive {2 * BACKENDS};", template)


def _many_haproxy(template):
    servers = "".join(f"    server rs-{i} {_address(i)}:{{backends[0]}} pool-max-conn 128\n"
                      for i in range(BACKENDS))
    return re.sub(r"(?: +server rs-[^\n]*\n)+", lambda _: servers, template)


MANY = {"nginx": _many_nginx, "haproxy": _many_haproxy}


def candidates(available):
    """lb in every size; each peer with two backends and with a thousand."""
    made = []
    for one in available.values():
        sizes = SIZES if one.name == "lb" else {
            f"{one.name}, 2 backends": one.template,
            f"{one.name}, 1,000 backends": MANY[one.name](one.template)}
        for name, template in sizes.items():
            size = one.like(name, template)
            size.file_name = f"size-{len(made)}"
            size.base = next(iter(sizes))
            made.append(size)
    return made


def measure_cpu(bench, sizes, repetitions, units, say):
    """{name: summary}, every repetition interleaved."""
    work = workloads.KEPT
    runs = {size.name: [] for size in sizes}
    for repetition in range(repetitions + 1):
        for size in sizes:
            result = workloads.run(bench, size, work, units)
            if repetition == 0:
                continue  # the first one opens a thousand links
            runs[size.name].append(result)
            say(f"  {repetition}/{repetitions} {size.name:30} {result['cpu_us']:9.2f} µs "
                f"{'; '.join(result['faults'])}")
    return {name: workloads.cell(cell) for name, cell in runs.items()}


def _ask(connection):
    begin = time.perf_counter()
    connection.sendall(f"GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
    answer = b""
    while b"\r\n\r\n" not in answer:
        more = connection.recv(65536)
        if more == b"":
            raise SystemExit("a reload closed a connection")
        answer += more
    if not answer.startswith(b"HTTP/1.1 200"):
        raise SystemExit(f"a reload cost an answer: {answer[:60]!r}")
    return (time.perf_counter() - begin) * 1000


def _connect(bench, port):
    context = ssl.create_default_context(cafile=f"{bench.certificates}/ca.crt")
    context.check_hostname = False
    context.load_cert_chain(f"{bench.certificates}/client.crt", f"{bench.certificates}/client.key")
    return context.wrap_socket(socket.create_connection(("127.0.0.1", port)), server_hostname=HOST)


def _took_ms(log_path):
    with open(log_path, encoding="utf-8", errors="replace") as log:
        return [int(ms) for ms in re.findall(r"lb\.reloaded .*took_ms=(\d+)", log.read())]


def measure_reload(bench, size):
    """One kept connection asks without a pause, while lb loads the largest config again and again."""
    connection = _connect(bench, size.port)
    calm = [_ask(connection) for _ in range(5000)]
    busy = []
    for done in range(RELOADS):
        size.process.send_signal(signal.SIGHUP)
        end = time.monotonic() + 30
        while len(_took_ms(size.log_path)) <= done:
            busy += [_ask(connection) for _ in range(200)]
            if time.monotonic() > end:
                raise SystemExit("lb does not reload")
    connection.close()
    return {"reload_ms": statistics.median(_took_ms(size.log_path)),
            "reload_most_ms": max(_took_ms(size.log_path)), "requests": len(busy),
            "calm_most_ms": max(calm), "busy_most_ms": max(busy)}


def table(sizes, cpu, reload):
    lines = ["| config | CPU per request | to its smallest |", "|---|---|---|"]
    for size in sizes:
        name, cell, base = size.name, cpu[size.name], cpu[size.base]["median"]
        text = "FAULT " + "; ".join(cell["faults"]) if cell["faults"] else (
            f"{cell['median']:.2f} µs ({cell['least']:.2f}–{cell['most']:.2f})")
        lines.append(f"| {name} | {text} | {cell['median'] / base:.3f} |")
    lines += ["", f"Reload of the largest: {reload['reload_ms']:.0f} ms (at most {reload['reload_most_ms']} ms). "
              f"The longest wait of {reload['requests']} requests meanwhile: {reload['busy_most_ms']:.1f} ms; "
              f"of 5,000 without a reload: {reload['calm_most_ms']:.1f} ms.", ""]
    return "\n".join(lines)


def run(bench, available, options, say):
    sizes = candidates(available)
    try:
        bench.start_backends([f"{_address(i)}:{bench.backends[0]}" for i in range(BACKENDS)] +
                             [f"127.0.0.1:{bench.backends[1]}"])
        for size in sizes:
            bench.start(size)
        cpu = measure_cpu(bench, sizes, options.repetitions, 30000 if options.quick else 100000, say)
        for size in sizes:
            if size.name != "10,000 rules, 1,000 backends":
                size.stop()
        largest = next(size for size in sizes if size.name == "10,000 rules, 1,000 backends")
        os.sched_setaffinity(largest.process.pid, range(os.cpu_count()))
        reload = measure_reload(bench, largest)
    finally:
        for size in sizes:
            size.stop()
        bench.stop()
    return table(sizes, cpu, reload), {"cpu": cpu, "reload": reload}
