"""Servers that are started, waited for, and ended."""

import os
import socket
import subprocess
import time
import urllib.request


class Servers:
    """Ends every process it started, by its id, in the opposite order."""

    def __init__(self, folder):
        self.folder = folder
        self.processes = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def start(self, name, command, ready_url, **environment):
        """Starts a server that logs to its own file, and returns once the URL answers."""
        log = self.folder / f"{name}.log"
        with open(log, "wb") as output:
            process = subprocess.Popen(
                [str(word) for word in command],
                cwd=self.folder,
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        self.processes.append(process)

        def ready():
            if process.poll() is not None:
                raise SystemExit(f"error: {name} ended with {process.returncode}:\n{log.read_text(errors='replace')}")
            return answers(ready_url)

        wait_until(ready, f"{name} answers {ready_url} (its log: {log})")
        return process


def answers(url):
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return response.status == 200
    except OSError:
        return False


def wait_until(condition, what, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit(f"error: waited {seconds} s in vain until {what}")
        time.sleep(0.05)


def free_ports(count):
    """Ports that nobody listens on; all are held until all are known, so that they differ."""
    sockets = [socket.socket() for _ in range(count)]
    for held in sockets:
        held.bind(("127.0.0.1", 0))
    ports = [held.getsockname()[1] for held in sockets]
    for held in sockets:
        held.close()
    return ports
