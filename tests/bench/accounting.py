# SPDX-License-Identifier: Apache-2.0
"""What the kernel says a program cost: processor time, memory, system calls, of all its processes."""

import os
import re
import shutil
import signal
import subprocess
import time

SOCKET_CALLS = ("read", "readv", "recvfrom", "recvmsg", "write", "writev", "sendto", "sendmsg",
                "sendfile")
WAIT_CALLS = ("epoll_wait", "epoll_pwait", "epoll_pwait2", "poll", "ppoll", "select")
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


def split_ticks(root):
    """(user, system) time in clock ticks: only their proportion is of use."""
    user = system = 0
    for pid in family(root):
        fields = _stat(pid)
        user += int(fields[11])
        system += int(fields[12])
    return user, system


def memory_bytes(root):
    """{"rss", "pss"} in bytes, summed over the process and its descendants."""
    sums = {"rss": 0, "pss": 0}
    for pid in family(root):
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
            text = file.read()
        for key in sums:
            match = re.search(rf"^{key.capitalize()}:\s+(\d+) kB", text, re.MULTILINE)
            sums[key] += int(match.group(1)) * 1024
    return sums


class Calls:
    """Counts system calls with strace while it is entered; afterwards `counts` is {name: number}."""

    def __init__(self, root, path):
        self.root = root
        self.path = path
        self.counts = {}

    @staticmethod
    def are_countable():
        return shutil.which("strace") is not None

    def __enter__(self):
        attach = []
        for pid in family(self.root):
            attach += ["-p", str(pid)]
        self.strace = subprocess.Popen(["strace", "-c", "-f", "-o", self.path, *attach],
                                       stderr=subprocess.PIPE, text=True)
        wanted = sum(len(os.listdir(f"/proc/{pid}/task")) for pid in family(self.root))
        self._await_tracer(wanted)
        return self

    def _await_tracer(self, wanted):
        """Until every thread has a tracer: what happens before that is not counted."""
        end = time.monotonic() + 10
        while time.monotonic() < end and self.strace.poll() is None:
            traced = 0
            for pid in family(self.root):
                for thread in os.listdir(f"/proc/{pid}/task"):
                    with open(f"/proc/{pid}/task/{thread}/status", encoding="ascii") as file:
                        traced += "TracerPid:\t0\n" not in file.read()
            if traced >= wanted:
                return
            time.sleep(0.01)
        raise SystemExit("strace did not attach: " + (self.strace.stderr.read() or "too slow"))

    def __exit__(self, *_):
        self.strace.send_signal(signal.SIGINT)
        self.strace.wait(timeout=20)
        with open(self.path, encoding="utf-8", errors="replace") as file:
            for line in file:
                fields = line.split()
                if len(fields) >= 5 and fields[3].isdigit() and fields[-1] != "total":
                    self.counts[fields[-1]] = int(fields[3])
