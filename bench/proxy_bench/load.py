"""The kinds of load: as fast as it goes, for CPU per request and throughput; and at a steady rate, for latency."""

import json
import re
import subprocess
from dataclasses import dataclass

from .tools import built
from .upstreams import POST_BYTES, POST_PATH, body


@dataclass(frozen=True)
class Case:
    """What the clients of one table ask for."""

    name: str
    title: str
    # What they speak: a key of `Contestant.url`.
    kind: str
    path: str
    is_post: bool = False


CASES = {
    case.name: case
    for case in [
        Case("1k", "GET of 1 KB", "h1", "/1k.json"),
        Case("100k", "GET of 100 KB", "h1", "/100k.json"),
        Case("post", "POST of 10 KB", "h1", POST_PATH, is_post=True),
        Case("h2", "GET of 1 KB, HTTP/2 without TLS", "h2", "/1k.json"),
        Case("tls", "GET of 1 KB, HTTP/1.1 with TLS", "h1-tls", "/1k.json"),
        Case("h2-tls", "GET of 1 KB, HTTP/2 with TLS", "h2-tls", "/1k.json"),
    ]
}


@dataclass
class Load:
    requests: int
    seconds: float
    failed: int


def closed_loop(contestant, case, seconds, options):
    """Every connection sends its next request when the last was answered."""
    url = contestant.url(case.kind) + case.path
    if case.kind.startswith("h2"):
        return h2load(url, seconds, options)
    return wrk(url, case, seconds, options)


def wrk(url, case, seconds, options):
    script = []
    if case.is_post:
        path = options.folder / "post.lua"
        text = f'wrk.method = "POST"\nwrk.headers["Content-Type"] = "application/json"\nwrk.body = [==[{body(POST_BYTES)}]==]\n'
        path.write_text(text)
        script = ["--script", path]
    output = run(
        options, "wrk", "--threads", 1, "--connections", options.connections, "--duration",
        f"{max(1, round(seconds))}s", *script, url,
    )  # fmt: skip
    requests, taken = re.search(r"(\d+) requests in ([\d.]+)s", output).groups()
    errors = re.findall(r"(?:connect|read|write|timeout|responses:) (\d+)", output)
    return Load(int(requests), float(taken), sum(map(int, errors)))


def h2load(url, seconds, options):
    """Each of the connections has four streams at a time."""
    seconds = max(1, round(seconds))
    output = run(
        options, "h2load", "--clients", options.connections // 4, "--threads", 1, "--max-concurrent-streams", 4,
        "--duration", seconds, url,
    )  # fmt: skip
    # At the end of the time it counts what was on its way as neither.
    numbers = re.search(r"(\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout", output)
    succeeded, failed, errored, late = map(int, numbers.groups())
    bad = sum(int(n) for n in re.search(r"(\d+) 3xx, (\d+) 4xx, (\d+) 5xx", output).groups())
    return Load(succeeded, seconds, failed + errored + late + bad)


@dataclass
class Answered:
    requests: int
    # In microseconds, from when each request was due.
    p50: float
    p99: float


def steady_rate(contestant, case, options):
    """So many requests a second, whatever the proxy does."""
    address = contestant.url(case.kind).removeprefix("http://")
    words = [address, case.path, options.rate, options.seconds, 64]
    if case.is_post:
        file = options.folder / "steady-post.json"
        file.write_text(body(POST_BYTES))
        words.append(file)
    measured = json.loads(run(options, open_loop(options), *words))
    if measured["failed"]:
        raise RuntimeError(f"{contestant.name}: {measured['failed']} of {measured['requests']} requests failed")
    return Answered(measured["requests"], measured["p50"], measured["p99"])


def open_loop(options):
    if not hasattr(options, "open_loop"):
        options.open_loop = built("load", "open-loop")
    return options.open_loop


def run(options, *command):
    command = ["taskset", "--cpu-list", str(options.load_core), *map(str, command)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout
