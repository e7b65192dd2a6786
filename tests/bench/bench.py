# SPDX-License-Identifier: Apache-2.0
"""What every run needs: tools, certificates, backends, processors, and where things are written."""

import contextlib
import fcntl
import json
import os
import platform
import resource
import subprocess
import sys

import balancers
import certificates
import workloads
from fault import Fault

BACKENDS = 2


def descriptor_limit():
    return min(resource.getrlimit(resource.RLIMIT_NOFILE)[1], 100000)


def say(text):
    print(text, file=sys.stderr, flush=True)


def _first_line(path, beginning):
    with open(path, encoding="utf-8", errors="replace") as file:
        return next((line.partition(":")[2].strip() for line in file if line.startswith(beginning)), "unknown")


def machine():
    return (f"{os.cpu_count()} × {_first_line('/proc/cpuinfo', 'model name')}, "
            f"{int(_first_line('/proc/meminfo', 'MemTotal').split()[0]) / 2**20:.0f} GiB, Linux {platform.release()}")


def processors():
    """(the one for the balancer, the one for load and backends), or (None, None) where there is only one."""
    allowed = sorted(os.sched_getaffinity(0))
    return (allowed[0], allowed[-1]) if len(allowed) > 1 else (None, None)


def lock(folder):
    """Makes the folder and keeps other runs out of it until the file that is returned is closed: they would make new
    certificates under this one's feet. Ends the program where that cannot be."""
    try:
        os.makedirs(folder, exist_ok=True)
        file = open(os.path.join(folder, "lock"), "w", encoding="ascii")
    except OSError as error:
        raise SystemExit(f"{folder} cannot be written: {error.strerror}") from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.close()
        raise SystemExit(f"another run uses {folder}: wait for its end, or say another --out") from error
    return file


class Bench:
    """`quick` and `repetitions` are what groups go by; `available` is {name: Balancer} of what is installed, `http2`
    the Balancers that HTTP/2 is spoken with."""

    def __init__(self, options):
        self.tools = os.path.abspath(options.tools)
        self.folder = os.path.abspath(options.out)
        self.say = say
        self.quick = options.quick
        self.idle = options.idle
        self.repetitions = options.repetitions
        self.certificates = os.path.join(self.folder, "certificates")
        self.certificates_rsa = os.path.join(self.folder, "certificates-rsa")
        balancer_processor, self.load_processor = processors()
        self.balancer_processors = None if balancer_processor is None else {balancer_processor}
        self.available = {}
        self.http2 = []
        self.backend = None
        self.backends = tuple(balancers.free_port() for _ in range(BACKENDS))
        self._proven = set()
        self._lock = lock(self.folder)
        certificates.make(self.certificates)
        certificates.make(self.certificates_rsa, key_type="RSA")

    def start_backends(self, addresses=None):
        command = [os.path.join(self.tools, "backend")]
        if self.load_processor is not None:
            command += ["--cpu", str(self.load_processor)]
        for address in addresses or [f"127.0.0.1:{port}" for port in self.backends]:
            command += ["--listen", address]
        for field in balancers.FIELDS:
            command += ["--require", field]
        self.backend = subprocess.Popen(command, stdin=subprocess.DEVNULL)

    def start(self, balancer, folder=None, processors=None):
        balancer.start(self.folder, folder or self.certificates, self.backends,
                       processors or self.balancer_processors, descriptor_limit() - 800)

    def stop(self):
        if self.backend is not None:
            self.backend.terminate()
            self.backend.wait()
            self.backend = None

    @contextlib.contextmanager
    def running(self, contenders, board, rows, folder=None, processors=None, proven=True):
        """Those of the contenders that started and, unless `proven` is False, were proven to do the work; all are
        stopped in the end. What is wrong with the others stands in their cells of these rows."""
        started = []
        try:
            for contender in contenders:
                try:
                    self.start(contender, folder, processors)
                    if proven:
                        self.prove(contender, folder or self.certificates)
                        workloads.warm_up(self, contender, folder or self.certificates)
                    started.append(contender)
                except Fault as fault:
                    contender.stop()
                    board.fault(rows, contender.column, fault)
            yield started
        finally:
            for contender in contenders:
                contender.stop()

    def prove(self, balancer, folder):
        """It lets the client's certificate in, refuses a client without one, and (with HTTP/1.1) resumes sessions; that
        it sends the forwarding fields is the backend's to see. Else a Fault. Once for each of them is enough."""
        if balancer.name in self._proven:
            return
        command = [os.path.join(self.tools, "load"), "--address", f"127.0.0.1:{balancer.port}",
                   "--ca", f"{folder}/ca.crt", "--connections", "1", "--count", "4"]
        modes = ("keep-alive",) if balancer.http2 else ("keep-alive", "full", "resumed")
        command += ["--http2", "4"] if balancer.http2 else []
        known = ["--certificate", f"{folder}/client.crt", "--key", f"{folder}/client.key"]
        rsa = folder == self.certificates_rsa  # its only TLS 1.2 ciphers are ECDSA's
        for tls in ("1.3",) if rsa else ("1.2", "1.3"):
            for mode in modes:
                self._prove_mode(balancer, [*command, *known, "--mode", mode, "--tls", tls], mode)
            refused = subprocess.run([*command, "--mode", "keep-alive", "--tls", tls], capture_output=True, text=True)
            if refused.returncode != 1 or json.loads(refused.stdout)["units"] != 0:
                raise Fault(f"{balancer.name}: TLS {tls}: a client without a certificate got in")
        self._proven.add(balancer.name)

    @staticmethod
    def _prove_mode(balancer, command, mode):
        done = subprocess.run(command, capture_output=True, text=True)
        result = json.loads(done.stdout or "{}")
        if done.returncode != 0 or result["units"] != 4:
            raise Fault(f"{balancer.name}: {' '.join(command[-4:])}: {done.stdout}{done.stderr}")
        if mode == "resumed" and result["resumed"] != 4:
            raise Fault(f"{balancer.name}: sessions are not resumed: {done.stdout}")
