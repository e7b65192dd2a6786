# SPDX-License-Identifier: Apache-2.0
"""What the kernel says a program cost: processor time, memory, system calls, of all its processes."""

import os
import re
import shutil
import signal
import subprocess
import time

from fault import Fault

SOCKET_CALLS = ("read", "readv", "recvfrom", "recvmsg", "write", "writev", "sendto", "sendmsg",
                "sendfile")
WAIT_CALLS = ("epoll_wait", "epoll_pwait", "epoll_pwait2", "poll", "ppoll", "select")
TOTAL_EVENT = "raw_syscalls:sys_enter"
KERNEL_NAMES = {"sendfile": "sendfile64"}  # where the kernel's word for an event is not the call's
NAMES_OF_KERNEL = {kernel: name for name, kernel in KERNEL_NAMES.items()}
TICK_NS = 1_000_000_000 // os.sysconf("SC_CLK_TCK")


def _stat(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
        return file.read().rpartition(")")[2].split()


def family(root):
    """A process and its descendants."""
    children = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            parent = int(_stat(name)[1])
        except (OSError, IndexError):
            continue  # it ended meanwhile
        children.setdefault(parent, []).append(int(name))
    found = [root]
    for pid in found:
        found.extend(children.get(pid, []))
    return found


def _schedstat_ns(pid):
    total = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/schedstat", encoding="ascii") as file:
            total += int(file.read().split()[0])
    return total


def processor_ns(root):
    """User and system time so far of the process and its descendants, in nanoseconds."""
    total = 0
    for pid in family(root):
        try:
            exact = _schedstat_ns(pid)
        except OSError:
            exact = 0
        if exact == 0:  # a kernel without it: clock ticks
            fields = _stat(pid)
            exact = (int(fields[11]) + int(fields[12])) * TICK_NS
        total += exact
    return total


def memory_bytes(root):
    """{"rss", "pss"} in bytes, summed over the process and its descendants. Fails with a Fault."""
    sums = {"rss": 0, "pss": 0}
    for pid in family(root):
        try:
            with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
                text = file.read()
        except OSError as error:
            hint = ": run as root" if isinstance(error, PermissionError) else ""
            raise Fault(f"memory of process {pid} cannot be read ({error.strerror}){hint}") from error
        for key in sums:
            match = re.search(rf"^{key.capitalize()}:\s+(\d+) kB", text, re.MULTILINE)
            sums[key] += int(match.group(1)) * 1024
    return sums


class Calls:
    """Counts the system calls of a process and its descendants while it is entered; afterwards `socket`, `wait` and
    `other` are numbers. With perf where that may count them, for it hardly slows a program down; else with strace."""

    def __init__(self, root, path):
        self.root = root
        self.path = path
        self.socket = self.wait = self.other = 0
        self.counter = None

    @staticmethod
    def counter_name():
        """"perf", "strace", or None when neither is of use here."""
        if shutil.which("perf") is not None:
            tried = subprocess.run(["perf", "stat", "-x,", "-e", TOTAL_EVENT, "true"], capture_output=True,
                                   text=True)
            if tried.returncode == 0 and re.search(r"^\d+,", tried.stderr, re.MULTILINE):
                return "perf"
        return "strace" if shutil.which("strace") is not None else None

    def __enter__(self):
        self.counter = (_Perf if self.counter_name() == "perf" else _Strace)(self.root, self.path)
        return self

    def __exit__(self, *_):
        counts = self.counter.end()
        total = counts.pop("total", None) or sum(counts.values())
        self.socket = sum(counts.get(name, 0) for name in SOCKET_CALLS)
        self.wait = sum(counts.get(name, 0) for name in WAIT_CALLS)
        self.other = total - self.socket - self.wait


class _Perf:
    def __init__(self, root, path):
        self.path = path
        events = [TOTAL_EVENT, *("syscalls:sys_enter_" + KERNEL_NAMES.get(name, name) for name in
                                 (*SOCKET_CALLS, *WAIT_CALLS))]
        control, self.control = os.pipe()
        self.answers, answer = os.pipe()
        self.process = subprocess.Popen(
            ["perf", "stat", "-x,", "-o", path, "-D", "-1", "--control", f"fd:{control},{answer}",
             "-e", ",".join(events), "-p", ",".join(str(pid) for pid in family(root))],
            pass_fds=(control, answer), stderr=subprocess.PIPE, text=True)
        os.close(control)
        os.close(answer)
        self._tell("enable")

    def _tell(self, word):
        """Returns once perf has done it."""
        try:
            os.write(self.control, (word + "\n").encode())
            said = os.read(self.answers, 64)
        except BrokenPipeError:
            said = b""
        if said == b"":
            raise Fault("perf does not count: " + self.process.stderr.read().strip())

    def end(self):
        self._tell("disable")
        self.process.send_signal(signal.SIGINT)
        self.process.wait(timeout=20)
        self.process.stderr.close()
        os.close(self.control)
        os.close(self.answers)
        counts = {}
        with open(self.path, encoding="utf-8", errors="replace") as file:
            for line in file:
                fields = line.split(",")
                if len(fields) < 3 or not fields[0].isdigit():
                    continue
                name = fields[2].partition("sys_enter_")[2]
                counts["total" if fields[2] == TOTAL_EVENT else NAMES_OF_KERNEL.get(name, name)] = int(fields[0])
        return counts


class _Strace:
    def __init__(self, root, path):
        self.root = root
        self.path = path
        attach = []
        for pid in family(root):
            attach += ["-p", str(pid)]
        self.process = subprocess.Popen(["strace", "-c", "-f", "-o", path, *attach], stderr=subprocess.PIPE,
                                        text=True)
        self._await_tracer(sum(len(os.listdir(f"/proc/{pid}/task")) for pid in family(root)))

    def _await_tracer(self, wanted):
        """Until every thread has a tracer: what happens before that is not counted."""
        end = time.monotonic() + 10
        while time.monotonic() < end and self.process.poll() is None:
            traced = 0
            for pid in family(self.root):
                for thread in os.listdir(f"/proc/{pid}/task"):
                    with open(f"/proc/{pid}/task/{thread}/status", encoding="ascii") as file:
                        traced += "TracerPid:\t0\n" not in file.read()
            if traced >= wanted:
                return
            time.sleep(0.01)
        raise Fault("strace did not attach: " + (self.process.stderr.read() or "too slow"))

    def end(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(timeout=20)
        self.process.stderr.close()
        counts = {}
        with open(self.path, encoding="utf-8", errors="replace") as file:
            for line in file:
                fields = line.split()
                if len(fields) >= 5 and fields[3].isdigit() and fields[-1] != "total":
                    counts[fields[-1]] = int(fields[3])
        return counts
