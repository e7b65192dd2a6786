# SPDX-License-Identifier: Apache-2.0
"""What a rule's policy costs: lb with a plain `mutual_auth = require` beside lb with more of what a rule may
ask and tell, one thing at a time and all at once.

All configurations run at the same time and are measured interleaved, as balancers are. Where valgrind is
installed, instructions of user space are counted, too: they do not depend on what else the machine does.
"""

import concurrent.futures
import dataclasses
import os
import subprocess

import instructions
import workloads

REVOKED = 100000
ALLOWED = 1000
ACCESS = 50

HEAD = """\
[lb]
workers = 1
access_log = off
log_level = warn
max_clients = 100000
state_dir = {folder}/policy-{port}

[listener bench]
address = 127.0.0.1:{port}
certificate = {certificates}/server.crt
certificate_key = {certificates}/server.key
mutual_auth = require
client_ca = {certificates}/ca.crt
keepalive_timeout = 1h
"""

RULE = """
[rule all]
listener = bench
pool = app
"""

TAIL = """
[pool app]
health_check = off
backend = rs-1 127.0.0.1:{backends[0]}
backend = rs-2 127.0.0.1:{backends[1]}
"""

ALLOW = ("".join(f"allow_client = cn:device-{i}\n" for i in range(ALLOWED)) +
         "allow_client = ou:fleet-*\nallow_client = cn:client-*\n")
CRL = "client_crl = {certificates}/ca.crl\n"
EXEMPT = "exempt_from = 10.0.0.0/8 192.168.0.0/16 2001:db8::/32\n"
TELL = "refuse_with = redirect:https://help.example.com/?why=$reason\n"
SECTIONS = "".join(f"\n[access a{i}]\ndomain = www.example.com\nurl = /closed/{i}\n"
                   for i in range(ACCESS))
PRESETS = "rfc9440 cloudflare x-cert nginx aws xfcc"

PLAIN = "require"
ALL = "all of these, headers rfc9440"
POLICIES = {
    PLAIN: HEAD + RULE + TAIL,
    f"allow_client, {ALLOWED + 2} lines": HEAD + RULE + ALLOW + TAIL,
    f"client_crl, {REVOKED} entries": HEAD + CRL + RULE + TAIL,
    "exempt_from": HEAD + RULE + EXEMPT + TAIL,
    f"{ACCESS} [access] sections": HEAD + RULE + TAIL + SECTIONS,
    "client_headers = rfc9440": HEAD + RULE + "client_headers = rfc9440\n" + TAIL,
    "client_headers = nginx": HEAD + RULE + "client_headers = nginx\n" + TAIL,
    "all of these, no headers": HEAD + CRL + RULE + ALLOW + EXEMPT + TELL + TAIL + SECTIONS,
    ALL: (HEAD + CRL + RULE + ALLOW + EXEMPT + TELL + "client_headers = rfc9440\n" + TAIL +
          SECTIONS),
    "all of these, all headers": (HEAD + CRL + RULE + ALLOW + EXEMPT + TELL +
                                  f"client_headers = {PRESETS}\n" + TAIL + SECTIONS),
}


def make_crl(folder):
    """A list of REVOKED serials, signed by the CA of the benchmark; the client is not on it."""
    index = os.path.join(folder, "index.txt")
    with open(index, "w", encoding="ascii") as file:
        for i in range(REVOKED):
            file.write(f"R\t350101000000Z\t240101000000Z\t{0x4000000000000000 + i * 7919:X}\tunknown\t/CN=r{i}\n")
    config = os.path.join(folder, "crl.cnf")
    with open(config, "w", encoding="ascii") as file:
        file.write(f"[ca]\ndefault_ca = bench\n[bench]\ndatabase = {index}\ndefault_md = sha256\n"
                   "default_crl_days = 30\nunique_subject = no\n")
    done = subprocess.run(["openssl", "ca", "-gencrl", "-config", config, "-cert",
                           os.path.join(folder, "ca.crt"), "-keyfile", os.path.join(folder, "ca.key"),
                           "-out", os.path.join(folder, "ca.crl")], capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit("openssl ca -gencrl: " + done.stderr.strip())


def candidates(lb):
    made = []
    for name, template in POLICIES.items():
        policy = lb.like(name, template)
        policy.file_name = f"policy-{len(made)}"
        made.append(policy)
    return made


def count_instructions(bench, policy, say):
    """Of user space, of one request."""
    counted = instructions.per_unit(bench, policy, dataclasses.replace(workloads.KEPT, connections=1))
    say(f"  {policy.name:34} {counted:9.0f} instructions")
    return counted


def count_all(bench, policies, say):
    """{name: instructions}; as many at the same time as there are processors. Empty without valgrind."""
    if not instructions.countable():
        say("valgrind is not installed: instructions are not counted")
        return {}
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        counts = pool.map(lambda policy: count_instructions(bench, policy, say), policies)
        return {policy.name: counted for policy, counted in zip(policies, counts)}


def measure(bench, policies, repetitions, units, say):
    """{name: summary}, every repetition interleaved."""
    runs = {policy.name: [] for policy in policies}
    for repetition in range(repetitions):
        for policy in policies:
            result = workloads.run(bench, policy, workloads.KEPT, units)
            runs[policy.name].append(result)
            say(f"  {repetition + 1}/{repetitions} {policy.name:34} {result['cpu_us']:9.2f} µs "
                f"{'; '.join(result['faults'])}")
    return {name: workloads.cell(cell) for name, cell in runs.items()}


def table(policies, cpu, counts):
    base = cpu[PLAIN]["median"]
    lines = ["| policy | CPU per request | to plain require | instructions | to plain require |",
             "|---|---|---|---|---|"]
    for policy in policies:
        cell = cpu[policy.name]
        text = "FAULT " + "; ".join(cell["faults"]) if cell["faults"] else (
            f"{cell['median']:.2f} µs ({cell['least']:.2f}–{cell['most']:.2f})")
        counted, plain = counts.get(policy.name), counts.get(PLAIN)
        more = f"{counted:,.0f} | {counted / plain:.3f}" if counted and plain else "- | -"
        lines.append(f"| {policy.name} | {text} | {cell['median'] / base:.3f} | {more} |")
    return "\n".join(lines + [""])


def run(bench, available, options, say):
    make_crl(bench.certificates)
    policies = candidates(available["lb"])
    try:
        bench.start_backends()
        for policy in policies:
            bench.start(policy)
        cpu = measure(bench, policies, options.repetitions, 30000 if options.quick else 100000, say)
        for policy in policies:
            policy.stop()
        counts = count_all(bench, policies, say)
    finally:
        for policy in policies:
            policy.stop()
        bench.stop()
    return table(policies, cpu, counts), {"cpu": cpu, "instructions": counts}
