# SPDX-License-Identifier: Apache-2.0
"""Ten thousand SNI names, each with a certificate and key of its own: what starting with them takes, and whether a
request costs more than with one."""

import dataclasses
import os
import re
import shutil
import socket
import subprocess
import time

import pairs
import visit
import workloads
from fault import Fault
from rows import AtMost, Row

NAME, SECONDS, QUICK_SECONDS = "names", 120, 0
COUNT = 10000
CPU = Row("names-cpu", f"start with {COUNT:,} SNI certificates, CPU", "s", (AtMost(2.0),))
MEMORY = Row("names-memory", f"start with {COUNT:,} SNI certificates, memory (PSS)", "MiB", (AtMost(120.0),))
MANY = Row("names-kept", f"keep-alive request, {COUNT:,} SNI certificates, CPU", "µs")
ONE = Row("names-kept-one", "keep-alive request, one SNI certificate, CPU", "µs")
MORE = Row("names-more", f"… {COUNT:,} against one", "more %", (AtMost(2.0),))
ROWS = (CPU, MEMORY, MANY, ONE, MORE)
STARTS = 2
SETTLED_NS = 2_000_000  # less processor time than this in SETTLING_S: nothing is being loaded any more
SETTLING_S, PATIENCE_S = 0.25, 60


def _many_lb(template, folder, count):
    head, _, tail = template.partition("[rule all]")
    head = re.sub(r"certificate(_key)? = [^\n]*\n", "", head)
    head = head.replace("[listener bench]\n", "[listener bench]\nsni = on\n")
    rules = "".join(f"[rule n{i}]\nlistener = bench\ndomain = n{i}.example.com\ncertificate = {folder}/{i}.crt\n"
                    f"certificate_key = {folder}/{i}.key\npool = app\n\n" for i in range(count))
    return head + rules + tail[tail.index("[pool app]"):]


def _many_nginx(template, folder, count):
    """What the server says is said once for all; a server is its name and its certificate."""
    begin = template.index("    server {{\n")
    server = template[begin:template.rindex("}}")]
    common = "".join(line[4:] + "\n" for line in server.splitlines()
                     if line.strip().startswith(("ssl_", "proxy_", "{sessions}")) and "ssl_certificate" not in line
                     and "proxy_pass" not in line)
    servers = "".join(f"    server {{{{ listen 127.0.0.1:{{port}} ssl{'' if i else ' backlog=4096'}; "
                      f"server_name n{i}.example.com; "
                      f"ssl_certificate {folder}/{i}.crt; ssl_certificate_key {folder}/{i}.key; "
                      "location / {{ proxy_pass http://app; }} }}\n" for i in range(count))
    return (template[:begin] + common.replace("        proxy", "    proxy") +
            "    server_names_hash_max_size 131072;\n    server_names_hash_bucket_size 128;\n" + servers + "}}\n")


def _many_haproxy(template, folder, count):
    path = os.path.join(folder, f"crt-list-{count}")
    with open(path, "w", encoding="ascii") as file:
        file.writelines(f"{folder}/{i}.crt n{i}.example.com\n" for i in range(count))
    return (template.replace("crt {certificates}/server.pem", f"crt-list {path}")
            .replace("    {globals}\n", "    ssl-load-extra-del-ext\n    {globals}\n"))


TEMPLATES = {"lb": _many_lb, "nginx": _many_nginx, "haproxy": _many_haproxy}


def make_certificates(bench):
    """{0..COUNT-1}.crt and .key of the benchmark's CA; returns their folder."""
    folder = os.path.join(bench.folder, "names")
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    begin = time.monotonic()
    done = subprocess.run([os.path.join(bench.tools, "names"), "--ca", f"{bench.certificates}/ca.crt", "--ca-key",
                           f"{bench.certificates}/ca.key", "--folder", folder, "--count", str(COUNT)],
                          capture_output=True, text=True)
    if done.returncode != 0:
        raise Fault("names: " + done.stderr.strip())
    bench.say(f"  {COUNT:,} certificates were made in {time.monotonic() - begin:.1f} s")
    return folder


def settle(balancer):
    """Its processor time once it has done all that it does by itself, be that after it listens."""
    end = time.monotonic() + PATIENCE_S
    spent = balancer.processor_ns()
    while time.monotonic() < end:
        time.sleep(SETTLING_S)
        before, spent = spent, balancer.processor_ns()
        if spent - before < SETTLED_NS:
            return spent
    raise Fault(f"{balancer.name} still works {PATIENCE_S} s after it began to listen")


def _ask(bench, balancer):
    """Requests for some of the names must be answered, each with its own certificate."""
    context = visit.context(bench.certificates)
    for number in (0, COUNT // 2, COUNT - 1):
        with socket.create_connection(("127.0.0.1", balancer.port)) as plain:
            visit.ask(context, plain, f"n{number}.example.com")


def _start(bench, board, balancer):
    bench.start(balancer)
    board.add(CPU, balancer.column, settle(balancer) / 1e9)
    board.add(MEMORY, balancer.column, balancer.memory_bytes()["pss"] / 2**20)
    _ask(bench, balancer)


def _measure_starts(bench, board, contenders):
    """Each several times; returns those that did not fail, started."""
    good = list(contenders)
    for _ in range(STARTS):
        for balancer in list(good):
            balancer.stop()
            try:
                _start(bench, board, balancer)
            except Fault as fault:
                balancer.stop()
                board.fault(ROWS, balancer.column, fault)
                good.remove(balancer)
    return good


def _measure_requests(bench, board, many, one):
    """Each with many names, and beside it with one."""
    work = dataclasses.replace(workloads.KEPT, host="n0.example.com")
    contestants = []
    for column in dict.fromkeys(balancer.column for balancer in (*many, *one)):
        for row, balancers in ((MANY, many), (ONE, one)):
            contestants += [pairs.Contestant(row, balancer, work) for balancer in balancers
                            if balancer.column == column]
    for contestant in contestants:
        workloads.run(bench, contestant.balancer, work, workloads.WARM_UP_UNITS)
    pairs.compare(board, pairs.measure(bench, board, contestants), MANY, ONE, MORE)


def run(bench, board, rows):
    folder = make_certificates(bench)
    many, one = [], []
    for name, balancer in bench.available.items():
        many.append(balancer.like(name + " names", TEMPLATES[name](balancer.template, folder, COUNT)))
        one.append(balancer.like(name + " name", TEMPLATES[name](balancer.template, folder, 1)))
    try:
        running = _measure_starts(bench, board, many)
        with bench.running(one, board, (ONE, MORE), proven=False) as started:
            _measure_requests(bench, board, running, started)
    finally:
        for balancer in many:
            balancer.stop()
        shutil.rmtree(folder, ignore_errors=True)
