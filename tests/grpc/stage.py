# SPDX-License-Identifier: Apache-2.0
"""Where the stories play: a folder, ports, certificates, gRPC servers, and the real lb in front of them."""
import fcntl
import json
import os
import pathlib
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time

import grpc

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
HOST = "www.example.com"
PATIENCE_S = 60
UNLIMITED = (("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1))

INI = """\
[lb]
log = lb.log
access_log = access.log

[listener web]
address = 127.0.0.1:{web}
certificate = www/names.crt
certificate_key = www/server.key
mutual_auth = require
client_ca = builtin

# Where all rules agree, the handshake fails.
[listener strict]
address = 127.0.0.1:{strict}
certificate = www/names.crt
certificate_key = www/server.key
mutual_auth = require
client_ca = builtin

[rule strict]
listener = strict
domain = www.example.com
pool = clear

# A service is the beginning of a path.
[rule clear]
listener = web
domain = www.example.com
url = /test.Clear
pool = clear

[rule secure]
listener = web
domain = www.example.com
url = /test.Secure
pool = secure

[rule closed]
listener = web
domain = www.example.com
url = /test.Closed
allow_client = cn:nobody
refuse_with = 403
pool = clear

[rule gone]
listener = web
domain = www.example.com
url = /test.Gone
pool = gone

[rule aging]
listener = web
domain = www.example.com
url = /test.Aging
pool = aging

[rule hasty]
listener = web
domain = www.example.com
url = /test.Hasty
pool = hasty

[pool clear]
protocol = h2
health_check = grpc
health_check_interval = 1s
health_check_timeout = 990ms
healthy_threshold = 1
backend = rs-1 127.0.0.1:{rs-1}
backend = rs-2 127.0.0.1:{rs-2}

[pool secure]
protocol = h2s
health_check = grpc
backend_ca = www/ca.crt
backend_name = www.example.com
certificate = www/client.crt
certificate_key = www/client.key
backend = rs-3 127.0.0.1:{rs-3}

[pool hasty]
protocol = h2
health_check = off
answer_timeout = 2s
backend = rs-6 127.0.0.1:{rs-1}

# Its server takes leave of each connection soon.
[pool aging]
protocol = h2
health_check = off
backend = rs-5 127.0.0.1:{rs-5}

[pool gone]
protocol = h2
health_check = off
backend = rs-4 127.0.0.1:{rs-4}
"""


class Failure(Exception):
    """What a story finds wrong."""


def expect(is_so, *what):
    if not is_so:
        raise Failure(" ".join(map(str, what)))


def eventually(is_so, what):
    """Wait until is_so() says yes."""
    until = time.monotonic() + PATIENCE_S
    while not is_so():
        expect(time.monotonic() < until, "never:", what)
        time.sleep(0.02)


class Stage:
    """Everything that runs; leave() ends it."""

    def __init__(self, lb):
        self.lb = lb
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="lb-grpc-", dir="/tmp"))
        self.processes = []
        self.balancer = None  # lb's process
        self.servers = {}
        self.locks = []
        self.channels = []
        self.ports = {name: self.reserve() for name in ("web", "strict", "rs-1", "rs-2", "rs-3", "rs-4", "rs-5")}

    def path(self, name):
        return self.folder / name

    def reserve(self):
        """The same reservation as tests/support/port.c: a locked file for each port, held until we end."""
        folder = pathlib.Path(f"/tmp/lb-test-ports-{os.getuid()}")
        folder.mkdir(mode=0o700, exist_ok=True)
        while True:
            port = random.randrange(12000, 32000)
            lock = open(folder / str(port), "w", encoding="ascii")
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                with socket.socket() as probe:
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    probe.bind(("127.0.0.1", port))
            except OSError:
                lock.close()
                continue
            self.locks.append(lock)
            return port

    def make_certificates(self):
        """As the guide makes them, and a server certificate with the name that gRPC wants to find in it."""
        with open(self.path("openssl.log"), "w", encoding="utf-8") as log:
            subprocess.run([ROOT / "etc/demo/certificates", self.path("www"), HOST], stdout=log, stderr=log, check=True)
            self.path("www/names").write_text(f"subjectAltName = DNS:{HOST}\n", encoding="ascii")
            sign = "openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial"
            subprocess.run([*sign.split(), "-days", "365", "-extfile", "names", "-out", "names.crt"],
                           cwd=self.path("www"), stdout=log, stderr=log, check=True)

    def start(self, name, *command):
        with open(self.path(f"{name}.log"), "w", encoding="utf-8") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        self.processes.append(process)
        return process

    def start_server(self, name, *more):
        self.path(f"{name}.log").unlink(missing_ok=True)
        self.servers[name] = self.start(name, sys.executable, HERE / "server.py", name, f"127.0.0.1:{self.ports[name]}",
                   *more)
        eventually(lambda: "ready" in self.log(f"{name}.log"), f"{name} is ready: {self.log(f'{name}.log')}")

    def stop_server(self, name):
        self.end(self.servers[name])

    def start_all(self):
        self.make_certificates()
        self.start_server("rs-1")
        self.start_server("rs-2")
        self.start_server("rs-3", *(self.path(f"www/{name}") for name in ("names.crt", "server.key", "ca.crt")))
        self.start_server("rs-5", "200")
        self.path("lb.ini").write_text(INI.format(**self.ports), encoding="ascii")
        self.balancer = self.start("lb-stderr", self.lb, "run", "-c", self.path("lb.ini"))
        eventually(lambda: self.is_over() or all(map(self.is_heard, ("web", "strict"))), "lb is ready")
        expect(not self.is_over(), "lb does not start")
        eventually(lambda: self.are_up("rs-1", "rs-2", "rs-3"), "all servers are up")

    def log(self, name):
        path = self.path(name)
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def is_heard(self, name):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.ports[name])) == 0

    def command(self, *words):
        """A command of lb's, about this lb."""
        done = subprocess.run([self.lb, *words, "-c", self.path("lb.ini")], capture_output=True, text=True, check=False)
        expect(done.returncode == 0, "lb", *words, done.stderr)
        return done.stdout

    def reload(self, change):
        """With the INI file as change() makes it."""
        ini = self.path("lb.ini")
        ini.write_text(change(ini.read_text(encoding="ascii")), encoding="ascii")
        self.command("reload")

    def verdicts(self):
        pools = json.loads(self.command("status", "--json"))["pools"]
        return {backend["name"]: backend for pool in pools for backend in pool["backends"]}

    def are_up(self, *names):
        verdicts = self.verdicts()
        return all(verdicts[name]["verdict"] == "up" for name in names)

    def issue(self, name):
        """A client certificate of lb's own CA."""
        certificate, key = self.path(f"{name}.crt"), self.path(f"{name}.key")
        self.command("cert", "issue", "--cn", name, "--out", certificate, "--key-out", key)

    def revoke(self, name):
        found = json.loads(self.command("cert", "list", "--cn", name, "--json"))["certificates"]
        self.command("cert", "revoke", found[0]["serial"], "--yes")

    def channel(self, client=None, listener="web"):
        """To lb, as this client; without a certificate if nobody is named."""
        shown = [self.path(f"{client}.{kind}").read_bytes() for kind in ("key", "crt")] if client else ()
        credentials = grpc.ssl_channel_credentials(self.path("www/ca.crt").read_bytes(), *shown)
        options = UNLIMITED + (
            ("grpc.ssl_target_name_override", HOST),
            ("grpc.default_authority", HOST),
            ("grpc.use_local_subchannel_pool", 1),
            ("grpc.enable_retries", 0),
        )
        return self.keep(grpc.secure_channel(f"127.0.0.1:{self.ports[listener]}", credentials, options))

    def keep(self, channel):
        self.channels.append(channel)
        return channel

    def straight(self, name):
        """To a server itself, past lb."""
        options = (("grpc.use_local_subchannel_pool", 1),)
        return self.keep(grpc.insecure_channel(f"127.0.0.1:{self.ports[name]}", options))

    def told(self, name):
        """What a server in the clear has counted."""
        with self.straight(name) as channel:
            return json.loads(channel.unary_unary("/test.Control/Told")(b"", timeout=PATIENCE_S))

    def set_health(self, name, how):
        with self.straight(name) as channel:
            channel.unary_unary("/test.Control/SetHealth")(how, timeout=PATIENCE_S)

    def is_over(self):
        """Did lb end by itself?"""
        return self.balancer.poll() is not None

    def end(self, process):
        process.terminate()
        try:
            process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def leave(self, failed):
        """End everything; lb must do so well. Whether something failed, this or before."""
        for channel in self.channels:
            channel.close()
        for process in reversed(self.processes):
            self.end(process)
        failed = failed or not self.balancer or self.balancer.returncode != 0
        if failed:
            for name in ("lb.log", "access.log"):
                print(f"--- {name}", *self.log(name).splitlines()[-20:], sep="\n", file=sys.stderr)
            print("--- what lb said as it ended", self.log("lb-stderr.log"), sep="\n", file=sys.stderr)
        shutil.rmtree(self.folder)
        return failed
