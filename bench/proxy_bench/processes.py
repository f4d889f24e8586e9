"""Processes that are started on one core, waited for, measured and ended."""

import os
import re
import socket
import subprocess
import time
from pathlib import Path


class Started:
    """Ends every process it started, by its id, in the opposite order."""

    def __init__(self):
        self.processes = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def start(self, core, command, log, env=None):
        with open(log, "wb") as output:
            process = subprocess.Popen(
                ["taskset", "--cpu-list", str(core), *map(str, command)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, **(env or {})},
            )
        self.processes.append(process)
        return process


def wait_for_port(port, process, log, seconds=20):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"it ended with {process.returncode}: {Path(log).read_text(errors='replace')[-2000:]}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise RuntimeError(f"nothing listens on port {port} after {seconds} s; its log is {log}")


def printed_address(process, log, seconds=20):
    """The URL that a server prints once it listens."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := re.search(r"^http://\S+", Path(log).read_text(), re.MULTILINE):
            return found.group()
        if process.poll() is not None:
            break
        time.sleep(0.02)
    raise RuntimeError(f"it printed no address within {seconds} s: {Path(log).read_text()[-2000:]}")


def tree(pid):
    """The process and all below it: nginx works in children."""
    children = {}
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            parent = int(stat_fields(entry)[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
        children.setdefault(parent, []).append(int(entry))
    found, queue = [], [pid]
    while queue:
        found.append(current := queue.pop())
        queue.extend(children.get(current, []))
    return found


def cpu_seconds(pids):
    """User and system time of the processes so far, from /proc/PID/stat (proc(5), fields 14 and 15)."""
    ticks = sum(int(ticks) for pid in pids for ticks in stat_fields(pid)[11:13])
    return ticks / os.sysconf("SC_CLK_TCK")


def stat_fields(pid):
    """The fields from the third on: the second, the name, may itself hold spaces and parentheses."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def resident_bytes(pids):
    """The resident set of the processes, shared pages once each (proc(5), Pss of smaps_rollup)."""
    sizes = (re.search(r"^Pss:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE) for pid in pids)
    return sum(int(size.group(1)) for size in sizes) * 1024
