"""`strangler serve` under callgrind, asked one request after the other over one connection."""

import re
import socket
import subprocess
import time
import urllib.request

from .origin import body_length


# What only the threads do that write to the store once a second, and answer the admin API: how often depends on how long
# the run takes.
NOT_OF_REQUESTS = ("sqlite3", "axum")


class Proxy:
    """With one thread that answers clients. The store is new."""

    def __init__(self, binary, folder, control, candidate, shadowed):
        folder.mkdir()
        (folder / "strangler.toml").write_text(
            f"""
            [upstreams]
            control = "http://{control.address}"
            candidate = "http://{candidate.address}"
            [listen]
            address = "127.0.0.1:0"
            threads = 1
            [admin]
            address = "127.0.0.1:0"
            [shadow]
            control_twice = "0%"
            """
        )
        self.binary, self.counts = binary, folder / "counts"
        tool = ["valgrind", "--tool=callgrind", "--separate-threads=yes", f"--callgrind-out-file={self.counts}"]
        command = [*tool, binary, "serve"]
        self.log = open(folder / "log", "w+")
        self.process = subprocess.Popen(
            [*map(str, command), "--config", str(folder / "strangler.toml")],
            stdout=subprocess.PIPE, stderr=self.log, text=True,
        )  # fmt: skip
        try:
            self.listening = self.said("listening on http://")
            self.admin = self.said("admin API on http://")
            for method, path in [("GET", "/1k"), ("GET", "/100k"), ("POST", "/post")]:
                self.strangler("routes", "add", method, path)
            if shadowed:
                for path in ("/1k", "/100k"):
                    self.strangler("promote", "GET", path, "--to", "shadow", "--force", "--reason", "a benchmark")
        except BaseException:
            self.process.kill()
            raise

    def said(self, before):
        line = self.process.stdout.readline().strip()
        if not line.startswith(before):
            self.log.seek(0)
            raise RuntimeError(f"strangler did not start: {line}\n{self.log.read()[-2000:]}")
        return line.removeprefix(before)

    def strangler(self, *words):
        command = [str(self.binary), *words, "--admin", f"http://{self.admin}"]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"strangler {' '.join(words)} ended with {done.returncode}: {done.stdout}{done.stderr}")

    def ask(self, request, times):
        host, port = self.listening.rsplit(":", 1)
        with socket.create_connection((host, int(port)), 60) as connection:
            # All of a response fits, so that the proxy writes it at once.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            for _ in range(times):
                connection.sendall(request)
                received = bytearray()
                while b"\r\n\r\n" not in received:
                    received += more(connection)
                end = received.index(b"\r\n\r\n") + 4
                if not received.startswith(b"HTTP/1.1 200"):
                    raise RuntimeError(f"an answer that was not expected: {bytes(received[:200])}")
                missing = body_length(bytes(received[:end])) - (len(received) - end)
                while missing > 0:
                    missing -= len(more(connection))

    def settle(self):
        """Until everything was compared."""
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            text = urllib.request.urlopen(f"http://{self.admin}/metrics", timeout=60).read().decode()
            pending = re.findall(r"^strangler_\S*pending\S* (\S+)$", text, re.MULTILINE)
            if sum(map(float, pending)) == 0:
                return
            time.sleep(0.1)
        raise RuntimeError("not everything was compared within two minutes")

    def instructions(self):
        """All that its threads have executed for requests, once it has ended."""
        self.process.terminate()
        if self.process.wait(timeout=120):
            raise RuntimeError(f"strangler ended with {self.process.returncode}")
        of_requests = 0
        for file in self.counts.parent.glob(f"{self.counts.name}-*"):
            text = file.read_text(errors="replace")
            if not any(mark in text for mark in NOT_OF_REQUESTS):
                totals = re.findall(r"^(?:totals|summary): (\d+)", text, re.MULTILINE)
                of_requests += int(totals[-1]) if totals else 0
        return of_requests


def more(connection):
    if not (read := connection.recv(1 << 20)):
        raise RuntimeError("the proxy closed the connection")
    return read
