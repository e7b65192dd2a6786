# SPDX-License-Identifier: Apache-2.0
"""What the registry of client certificates costs: starting, memory, handshakes, requests, lists, and how long
a change takes to reach everybody.

lb with one registered certificate, with a thousand and with a million beside lb that asks no registry (and,
with --before, an older lb), all at the same time and interleaved, as balancers are. What is bounded is told
with its bound.
"""

import concurrent.futures
import functools
import os
import statistics
import subprocess
import time

import balancers
import certificates
import change_clients
import registry_admin
import workloads

HOST = "www.example.com"
STARTS, LISTS, CHANGES, REVOKES = 3, 7, 9, 20
REVOKE_BOUND_MS = 300
COSTS_MORE_MOST = 0.02  # of a request, with the most registered certificates against one
REVOKE_EVERY_S, REVOKES_AT_ONCE = 0.2, 64
CONNECTIONS = 2000  # open while something changes
LARGEST, QUICK_LARGEST = 1000000, 100000  # registered certificates
FLEET, QUICK_FLEET = 100000, 20000
BEFORE, OFF = "before", "off, nothing registered"

REGISTRY = """\
[lb]
workers = {workers}
access_log = off
max_clients = 100000
state_dir = {folder}/state

[admin]
address = unix:{folder}/admin.sock

[registry]
store = sqlite:{folder}/registry.db

[listener bench]
address = 127.0.0.1:{{port}}
certificate = {{certificates}}/server.crt
certificate_key = {{certificates}}/server.key
mutual_auth = require
client_ca = {client_ca}
client_registration = {registration}
tls_versions = 1.2 1.3
ciphers = ECDHE-ECDSA-AES256-GCM-SHA384
ciphersuites = TLS_AES_256_GCM_SHA384
groups = X25519:P-256
keepalive_timeout = 1h

[rule all]
listener = bench
domain = www.example.com
pool = app

[pool app]
backend = rs-1 127.0.0.1:{{backends[0]}}
backend = rs-2 127.0.0.1:{{backends[1]}}
health_check = off
idle_links = 64
"""

# (what it is, the query): filters and orders that people use, and those that can find nothing.
LISTS_ASKED = (
    ("newest", "sort=created&order=desc"),
    ("revoked, latest change first", "status=REVOKED&sort=updated&order=desc"),
    ("serial begins with", "serial=4711*&sort=serial"),
    ("name begins with", "cn=device-00047*&sort=cn"),
    ("name contains", "cn=*-000471*&sort=cn"),
    ("name contains, nobody", "cn=*no-such-name*&sort=cn"),
    ("unit and status", "ou=plant-117&status=NOT_ACTIVATED,REGISTERED&sort=not_before"),
    ("client id", "client_id=SN0000471"),
    ("expiring, by end", "expiring=30d&sort=not_after"),
    ("expired ones that signed up, by name", "expired=yes&source=auto&sort=cn"),
    ("one CA, a month, by serial", "ca=bench&not_before_from={month_ago}&not_before_to={now}&sort=serial"),
    ("unit, by client id, downwards", "ou=plant-117&sort=client_id&order=desc"),
    ("revoked, and how many", "status=REVOKED&sort=serial&count=yes"),
    ("name contains, and how many", "cn=*471*&count=yes"),
)


def _thousands(number):
    return f"{number:,}"


class Registered(balancers.Balancer):
    """lb with a registry of its own of so many certificates; 0: none, and the registry is not asked."""

    patience_s = 120  # for whoever runs this on a machine that is busy

    def __init__(self, bench, program, count, workers=1):
        self.count = count
        self.own_folder = os.path.join(bench.folder, f"registry-{count}-{workers}")
        self.admin = registry_admin.Admin(os.path.join(self.own_folder, "admin.sock"))
        os.makedirs(self.own_folder, exist_ok=True)
        template = REGISTRY.format(folder=self.own_folder, workers=workers,
                                   client_ca="registry" if count else "{certificates}/ca.crt",
                                   registration="manual" if count else "off")
        super().__init__(_thousands(count) if count else OFF, program, template,
                         ["{program}", "run", "-c", "{config}"], "")
        self.file_name = os.path.join(os.path.basename(self.own_folder), "lb")

    def config(self):
        return os.path.join(self.own_folder, "lb.conf")

    def store(self):
        return os.path.join(self.own_folder, "registry.db")

    def forget(self):
        for end in ("", "-wal", "-shm"):
            if os.path.exists(self.store() + end):
                os.unlink(self.store() + end)

    def fill(self, bench):
        """Returns the seconds it took."""
        self.forget()
        if self.count == 0:
            return 0
        command = [os.path.join(bench.tools, "registry_fill"), "--store", "sqlite:" + self.store(),
                   "--ca", f"{bench.certificates}/ca.crt", "--name", "bench", "--host", HOST,
                   "--count", str(self.count), "--certificate", f"{bench.certificates}/client.crt"]
        begin = time.monotonic()
        if subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL).returncode:
            raise SystemExit("the registry was not filled")
        return time.monotonic() - begin

    def start_timed(self, bench):
        """Seconds from its start to its line lb.ready, and the processor time until then."""
        begin = time.monotonic()
        bench.start(self)
        while True:
            with open(self.log_path, encoding="utf-8", errors="replace") as log:
                if " lb.ready" in log.read():
                    break
            if self.process.poll() is not None:
                raise SystemExit(f"lb ended: {self.log_path}")
            time.sleep(0.002)
        return time.monotonic() - begin, self.processor_ns() / 1e9


# --- starting and memory --------------------------------------------------------------------------------


def _evict(path):
    """Nothing of the file stays in memory, as after the machine's start."""
    with open(path, "rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def measure_starts(bench, sizes, say):
    """{name: {"ready_s", "cold_s", "cpu_s", "rss"}}; the last start of each stays."""
    found = {}
    for size in sizes:
        cold = []
        if size.count:
            _evict(size.store())
            cold.append(size.start_timed(bench)[0])
            size.stop()
        runs = []
        for _ in range(STARTS):
            size.stop()
            runs.append(size.start_timed(bench))
        found[size.name] = {"ready_s": statistics.median(run[0] for run in runs),
                            "cpu_s": statistics.median(run[1] for run in runs),
                            "cold_s": cold[0] if cold else None, "rss": size.memory_bytes()["rss"]}
        say(f"  start {size.name:26} {found[size.name]['ready_s']:6.2f} s, "
            f"{found[size.name]['rss'] / 2**20:7.1f} MiB")
    return found


# --- handshakes and requests ----------------------------------------------------------------------------


def measure_cpu(bench, columns, options, say):
    """{work: {column: summary}}, every repetition interleaved, in turning order."""
    chosen = (workloads.KEPT, workloads.FULL, workloads.RESUMED)
    runs = {work.name: {column.name: [] for column in columns} for work in chosen}
    for repetition in range(options.repetitions):
        for work in chosen:
            for turn in range(len(columns)):
                column = columns[(turn + repetition) % len(columns)]
                result = workloads.run(bench, column, work, work.units(options.quick))
                runs[work.name][column.name].append(result)
                say(f"  {repetition + 1}/{options.repetitions} {work.name:28} {column.name:26} "
                    f"{result['cpu_us']:9.2f} µs {'; '.join(result['faults'])}")
    return {name: {column: workloads.cell(cell) for column, cell in cells.items()}
            for name, cells in runs.items()}


# --- lists ----------------------------------------------------------------------------------------------


def measure_lists(size, say):
    """{what: {"first_ms", "median_ms", "most_ms", "found"}} of pages of 50."""
    times = {"now": time.strftime("%Y-%m-%d", time.gmtime()),
             "month_ago": time.strftime("%Y-%m-%d", time.gmtime(time.time() - 30 * 86400))}
    found = {}
    for what, query in LISTS_ASKED:
        took = []
        for _ in range(LISTS):
            begin = time.perf_counter()
            answer = size.admin.call("GET", "/v1/certificates?limit=50&" + query.format(**times))
            took.append((time.perf_counter() - begin) * 1000)
        found[what] = {"first_ms": took[0], "median_ms": statistics.median(took), "most_ms": max(took),
                       "found": answer.get("count", len(answer["certificates"]))}
        say(f"  list {what:38} {found[what]['median_ms']:8.1f} ms (first {took[0]:.1f}), "
            f"{found[what]['found']} found")
    return found


# --- changes --------------------------------------------------------------------------------------------


def _unpin(process):
    for thread in os.listdir(f"/proc/{process.pid}/task"):
        os.sched_setaffinity(int(thread), range(os.cpu_count()))


def _victim(bench, size):
    """A client of its own whose certificate is changed; returns its serial number."""
    certificates.leaf(bench.certificates, "victim", "victim",
                      "extendedKeyUsage=clientAuth\nbasicConstraints=critical,CA:FALSE\n")
    with open(f"{bench.certificates}/victim.crt", encoding="ascii") as file:
        answer = size.admin.call("POST", "/v1/certificates/register", {"pem": file.read()})
    return answer["certificate"]["serial"]


def _change_once(bench, size, serial, asking, idle):
    clients = change_clients.Clients(size.port, f"{bench.certificates}/ca.crt",
                                     f"{bench.certificates}/victim", HOST, asking, idle)
    result = clients.measure(functools.partial(
        size.admin.open_call, "POST", f"/v1/certificates/{serial}/deactivate"))
    size.admin.call("POST", f"/v1/certificates/{serial}/activate")
    return result


def _worst(runs, key):
    return {"median_ms": statistics.median(run[key] for run in runs), "most_ms": max(run[key] for run in runs)}


def measure_changes(bench, size, repetitions, say):
    """Deactivate a certificate while others make traffic; {case: {"answer", "visible", "closed"}}."""
    serial = _victim(bench, size)
    crowd = ["--mode", "idle", "--sources", "200", "--stall", "60"]
    traffic = workloads.Load(bench.tools, bench.certificates, size.port,
                             ["--mode", "keep-alive", "--connections", "32", "--seconds", "600"],
                             bench.load_processor)
    held = workloads.Load(bench.tools, bench.certificates, size.port,
                          [*crowd, "--connections", str(CONNECTIONS)], bench.load_processor)
    traffic.begin()
    cases = {f"{CONNECTIONS:,} connections of others": (16, 48),
             f"{CONNECTIONS:,} connections of its own": (16, CONNECTIONS - 16)}
    found = {}
    try:
        for case, (asking, idle) in cases.items():
            runs = []
            for _ in range(repetitions):
                runs.append(_change_once(bench, size, serial, asking, idle))
                say(f"  change, {case}: answered after {runs[-1]['answer_ms']:.1f} ms, refused everywhere "
                    f"{runs[-1]['visible_ms']:.1f} ms after that, closed {runs[-1]['closed_ms']:.1f} ms")
            found[case] = {key: _worst(runs, key + "_ms") for key in
                           ("answer", "refused", "visible", "closed")}
        if held.measure()["closed_by_peer"]:
            raise SystemExit("lb closed connections of a certificate that is in force")
    finally:
        held.end()
        traffic.process.kill()
        traffic.process.wait()
    return found


def _revoke(size, serial):
    begin = time.perf_counter()
    done = subprocess.run([size.program, "cert", "revoke", serial, "--yes", "-c", size.config()],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit("lb cert revoke: " + done.stderr)
    return (time.perf_counter() - begin) * 1000


def measure_import(bench, size, quick, say):
    """`lb cert revoke` beside `lb cert import`: {"alone_ms", "import_s", "during": […]}."""
    count = QUICK_FLEET if quick else FLEET
    path = certificates.fleet(bench.tools, bench.certificates, "fleet", count) + ".crt"
    answer = size.admin.call("GET", "/v1/certificates?status=ACTIVATED&limit=1000&sort=serial&cn=device-*")
    serials = [one["serial"] for one in answer["certificates"]]
    alone = [_revoke(size, serials.pop()) for _ in range(REVOKES)]
    begin = time.monotonic()
    running = subprocess.Popen([size.program, "cert", "import", path, "--json", "-c", size.config()],
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    with concurrent.futures.ThreadPoolExecutor(REVOKES_AT_ONCE) as pool:
        due, asked = begin, []
        while running.poll() is None and serials:  # by the clock, whether those before are answered or not
            asked.append(pool.submit(_revoke, size, serials.pop()))
            due += REVOKE_EVERY_S
            time.sleep(max(0.0, due - time.monotonic()))
        during = [one.result() for one in asked]
    said = running.communicate()[0]
    took = time.monotonic() - begin
    slow = sum(one > REVOKE_BOUND_MS for one in during) / len(during)
    say(f"  import of {count:,}: {took:.1f} s, {said.strip()}; revoke {statistics.median(during):.0f} ms, "
        f"at most {max(during):.0f} ms, {slow:.0%} over {REVOKE_BOUND_MS} ms; alone {statistics.median(alone):.0f} ms")
    return {"count": count, "import_s": took, "alone_ms": statistics.median(alone), "during_ms": during,
            "slow": slow}


# --- all of it ------------------------------------------------------------------------------------------


def _verdict(figure, bound):
    return "met" if figure <= bound else "MISSED"


def _start_lines(sizes, starts, lists_rss):
    empty = starts[OFF]["rss"]
    lines = ["| registered | start to ready | cold | CPU | memory | per certificate |", "|---|---|---|---|---|---|"]
    for size in sizes:
        cell = starts[size.name]
        each = (cell["rss"] - empty) / size.count if size.count >= 100000 else None
        cold = f"{cell['cold_s']:.2f} s" if cell["cold_s"] is not None else "–"
        lines.append(f"| {size.name} | {cell['ready_s']:.2f} s | {cold} | {cell['cpu_s']:.2f} s | "
                     f"{cell['rss'] / 2**20:.1f} MiB | {'–' if each is None else f'{each:.0f} bytes'} |")
    largest = starts[sizes[-1].name]
    each = (largest["rss"] - empty) / sizes[-1].count
    slowest = max(largest["ready_s"], largest["cold_s"])
    # What does not grow with them, a megabyte and a half, is a tenth of a hundred thousand and nothing of a million.
    memory = (f"At most 100 bytes each: {_verdict(each, 100)} ({each:.0f})" if sizes[-1].count >= LARGEST else
              f"{each:.0f} bytes each, which is judged with {_thousands(LARGEST)} only")
    return [*lines, "", f"Start under 5 s: {_verdict(slowest, 5)}. {memory}. All lists below took "
            f"{lists_rss / 2**20:.1f} MiB more."]


def _cpu_lines(columns, cpu):
    base = next(column.name for column in columns if column.count == 1)
    lines = ["| CPU per unit | " + " | ".join(column.name for column in columns) + " |",
             "|---|" + "---|" * len(columns)]
    for work, cells in cpu.items():
        texts = []
        for column in columns:
            cell = cells[column.name]
            texts.append("FAULT " + "; ".join(cell["faults"]) if cell["faults"] else
                         f"{cell['median']:.2f} µs, {cell['median'] / cells[base]['median']:.3f}")
        lines.append(f"| {work} | " + " | ".join(texts) + " |")
    more = cpu[workloads.KEPT.name][columns[-1].name]["median"] / cpu[workloads.KEPT.name][base]["median"] - 1
    return [*lines, "", "Medians; the ratio is to lb with one registered certificate. A kept request takes at most "
            f"{COSTS_MORE_MOST:.0%} more with {columns[-1].name}: {_verdict(more, COSTS_MORE_MOST)} ({more:+.1%})."]


def _list_lines(lists):
    lines = ["| a page of 50 | median | most | found | under 100 ms |", "|---|---|---|---|---|"]
    for what, cell in lists.items():
        lines.append(f"| {what} | {cell['median_ms']:.1f} ms | {cell['most_ms']:.1f} ms | {cell['found']:,} | "
                     f"{_verdict(cell['median_ms'], 100)} |")
    return lines


def _change_lines(changes, importing):
    lines = ["| deactivate, with traffic | answer | refused on every connection, after the answer | "
             "all closed, after the answer |", "|---|---|---|---|"]
    for case, cell in changes.items():
        lines.append(f"| {case} | " + " | ".join(
            f"{cell[key]['median_ms']:.1f} ms (at most {cell[key]['most_ms']:.1f}){verdict}"
            for key, verdict in (("answer", ""),
                                 ("visible", ", ≤ 100 " + _verdict(cell["visible"]["most_ms"], 100)),
                                 ("closed", ", ≤ 1000 " + _verdict(cell["closed"]["most_ms"], 1000)))) + " |")
    during = importing["during_ms"]
    return [*lines, "", f"`lb cert import` of {importing['count']:,}: {importing['import_s']:.1f} s. `lb cert revoke` "
            f"meanwhile: {statistics.median(during):.0f} ms (at most {max(during):.0f} ms, {len(during)} of them, one "
            f"every {REVOKE_EVERY_S} s, {importing['slow']:.0%} over {REVOKE_BOUND_MS} ms); alone "
            f"{importing['alone_ms']:.0f} ms. Under {REVOKE_BOUND_MS} ms: "
            f"{_verdict(max(during), REVOKE_BOUND_MS)}."]


def _columns(bench, sizes, options):
    columns = list(sizes)
    if options.before is not None:
        before = balancers.Balancer(BEFORE, os.path.abspath(options.before), balancers.LB,
                                    ["{program}", "run", "-c", "{config}"], "", balancers.SETTINGS["lb"])
        before.count = 0
        before.file_name = os.path.join("before", "lb")
        os.makedirs(os.path.join(bench.folder, "before"), exist_ok=True)
        columns.insert(0, before)
    return columns


def run(bench, available, options, say):
    lb = available["lb"]
    largest = QUICK_LARGEST if options.quick else LARGEST
    sizes = [Registered(bench, lb.program, count) for count in (0, 1, 1000, largest)]
    columns = _columns(bench, sizes, options)
    crowded = Registered(bench, lb.program, largest, workers=2)
    results = {}
    try:
        bench.start_backends()
        for size in sizes:
            say(f"  {size.name}: filled in {size.fill(bench):.1f} s")
        results["starts"] = measure_starts(bench, sizes, say)
        for column in columns:
            if column.process is None:
                bench.start(column)
        results["cpu"] = measure_cpu(bench, columns, options, say)
        before_lists = sizes[-1].memory_bytes()["rss"]
        results["lists"] = measure_lists(sizes[-1], say)
        results["lists_rss"] = sizes[-1].memory_bytes()["rss"] - before_lists
        for column in columns:
            column.stop()
        crowded.forget()
        os.rename(sizes[-1].store(), crowded.store())
        crowded.start_timed(bench)
        _unpin(crowded.process)
        results["changes"] = measure_changes(bench, crowded, 3 if options.quick else CHANGES, say)
        results["import"] = measure_import(bench, crowded, options.quick, say)
    finally:
        for one in [*columns, crowded]:
            one.stop()
        for one in [*sizes, crowded]:
            one.forget()
        bench.stop()
    text = "\n".join([*_start_lines(sizes, results["starts"], results["lists_rss"]), "",
                      *_cpu_lines(columns, results["cpu"]), "", *_list_lines(results["lists"]), "",
                      *_change_lines(results["changes"], results["import"]), ""])
    return text, results
