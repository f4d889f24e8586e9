"""The two kinds of load: as fast as it goes, for CPU per request; and at a steady rate, for latency."""

import re
import subprocess
import tempfile
from dataclasses import dataclass


@dataclass
class Load:
    requests: int
    seconds: float
    failed: int


def closed_loop(url, seconds, options):
    """wrk: every connection sends its next request when the last was answered."""
    output = run(
        options, "wrk", "--threads", 1, "--connections", options.connections, "--duration", f"{max(1, round(seconds))}s", url
    )
    requests, taken = re.search(r"(\d+) requests in ([\d.]+)s", output).groups()
    errors = re.findall(r"(?:connect|read|write|timeout|responses:) (\d+)", output)
    return Load(int(requests), float(taken), sum(map(int, errors)))


def steady_rate(url, options):
    """h2load: so many requests a second, whatever the proxy does. Returns p50 and p99 in microseconds."""
    connections = min(10, options.rate)
    with tempfile.NamedTemporaryFile(prefix="strangler-bench-") as log:
        run(
            options, "h2load", "--h1", "--clients", connections, "--threads", 1,
            "--rps", options.rate / connections, "--duration", max(1, round(options.seconds)), "--log-file", log.name, url,
        )  # fmt: skip
        # Start in µs since the epoch, status, µs until the end of the response.
        taken = sorted(int(line.split()[2]) for line in log.read().decode().splitlines())
    if not taken:
        raise RuntimeError(f"h2load logged no request to {url}")
    return taken[len(taken) // 2], taken[len(taken) * 99 // 100]


def run(options, *command):
    command = ["taskset", "--cpu-list", str(options.load_core), *map(str, command)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout
