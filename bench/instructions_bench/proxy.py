"""What is counted, under callgrind: `strangler serve`, and the plain pass-through it is held against."""

import os
import re
import signal
import subprocess
import time
import urllib.request

# What only the threads do that write to the store once a second, and answer the admin API: how often depends on how long
# the run takes.
NOT_OF_REQUESTS = ("sqlite3", "axum")
# Where the C library copies or fills more than 2 KB by one repeated instruction, valgrind counts each byte as one. A processor takes
# a small part of that, and whether it is done depends on the size of the pieces, so on the clock. So it is not done.
IN_LOOPS = "glibc.cpu.x86_rep_movsb_threshold=1073741824:glibc.cpu.x86_rep_stosb_threshold=1073741824"


class Counted:
    """A process whose instructions are counted, thread by thread."""

    def __init__(self, folder, command):
        self.counts = folder / "counts"
        tool = ["valgrind", "--tool=callgrind", "--separate-threads=yes", f"--callgrind-out-file={self.counts}"]
        self.log = open(folder / "log", "w+")
        self.process = subprocess.Popen(
            [*map(str, [*tool, *command])],
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
            env={**os.environ, "GLIBC_TUNABLES": IN_LOOPS},
        )

    def said(self, before):
        line = self.process.stdout.readline().strip()
        if not line.startswith(before):
            self.log.seek(0)
            raise RuntimeError(f"it did not start: {line}\n{self.log.read()[-2000:]}")
        return line.removeprefix(before)

    def instructions(self):
        """All that its threads have executed for requests, once it has ended."""
        self.process.terminate()
        if self.process.wait(timeout=120) not in (0, -signal.SIGTERM):
            raise RuntimeError(f"it ended with {self.process.returncode}")
        of_requests = 0
        for file in self.counts.parent.glob(f"{self.counts.name}-*"):
            text = file.read_text(errors="replace")
            if not any(mark in text for mark in NOT_OF_REQUESTS):
                totals = re.findall(r"^(?:totals|summary): (\d+)", text, re.MULTILINE)
                of_requests += int(totals[-1]) if totals else 0
        return of_requests


class Plain(Counted):
    """`bench/hyper`: nothing but the HTTP library."""

    def __init__(self, binary, folder, control, _candidate, _shadowed):
        folder.mkdir()
        super().__init__(folder, [binary, "127.0.0.1:0", control.address, "127.0.0.1:0"])
        self.http1, self.http2 = (self.said("listening on http://") for _ in range(2))


class Proxy(Counted):
    """`strangler serve` with one thread that answers clients. The store is new."""

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
        self.binary = binary
        super().__init__(folder, [binary, "serve", "--config", folder / "strangler.toml"])
        try:
            self.http1 = self.http2 = self.said("listening on http://")
            self.admin = self.said("admin API on http://")
            for method, path in [("GET", "/1k"), ("GET", "/100k"), ("POST", "/post")]:
                self.strangler("routes", "add", method, path)
            if shadowed:
                for path in ("/1k", "/100k"):
                    self.strangler("promote", "GET", path, "--to", "shadow", "--force", "--reason", "a benchmark")
        except BaseException:
            self.process.kill()
            raise

    def strangler(self, *words):
        command = [str(self.binary), *words, "--admin", f"http://{self.admin}"]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"strangler {' '.join(words)} ended with {done.returncode}: {done.stdout}{done.stderr}")

    def has_compared(self, requests):
        """Waits until it has compared so many since it started."""
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            metrics = urllib.request.urlopen(f"http://{self.admin}/metrics", timeout=60).read().decode()
            if dropped := ended(metrics, "dropped"):
                raise RuntimeError(f"{dropped} requests were not compared: the figure would be too small")
            if ended(metrics, "compared") == requests:
                return
            time.sleep(0.05)
        raise RuntimeError("not everything was compared within two minutes")


def ended(metrics, disposition):
    """How many requests have come to this end."""
    sample = rf'^strangler_requests_total\{{.*disposition="{disposition}".*\}} (\d+)$'
    return sum(map(int, re.findall(sample, metrics, re.MULTILINE)))
