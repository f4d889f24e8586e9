"""What connections cost that nobody uses: memory of each, and CPU per request beside all of them."""

import resource
import socket
import statistics
import time
from contextlib import ExitStack

from .load import CASES, closed_loop
from .processes import cpu_seconds, resident_bytes
from .tools import say

# What a proxy gives back of a connection that nobody uses, it gives back after a while.
IDLE_FOR = 3
REQUEST = b"GET /1k.json HTTP/1.1\r\nHost: idle\r\n\r\n"


def measure(running, options):
    case = CASES["1k"]
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = options.idle + 1000
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(wanted, hard)), hard))
    rows = {}
    for index, one in enumerate(running):
        say(f"{options.idle} idle connections: {one.name}")
        closed_loop(one, case, 1, options)
        with ExitStack() as stack:
            without = cpu_per_request(one, case, options)
            before = resident_bytes(one.pids)
            # From an address of its own, so that ports that another one used do not run out.
            for _ in range(options.idle):
                connection = socket.create_connection(("127.0.0.1", one.port), 10, (f"127.0.1.{index + 1}", 0))
                stack.enter_context(connection)
                asked_once(connection)
            one.settle()
            time.sleep(IDLE_FOR)
            grown = resident_bytes(one.pids) - before
            among = cpu_per_request(one, case, options)
        rows[one.name] = {"bytes": grown / options.idle, "without": without, "among": among}
    return {"connections": options.idle, "rows": rows}


def cpu_per_request(one, case, options):
    figures = []
    for _ in range(options.rounds):
        before = cpu_seconds(one.pids)
        load = closed_loop(one, case, options.seconds, options)
        one.settle()
        if load.failed:
            raise RuntimeError(f"{one.name}: {load.failed} of {load.requests} requests failed: nothing was measured")
        figures.append((cpu_seconds(one.pids) - before) / load.requests * 1e6)
    return statistics.median(figures)


def asked_once(connection):
    """It has had a request and an answer, as a connection that is kept alive has."""
    connection.sendall(REQUEST)
    received = b""
    while b"\r\n\r\n" not in received:
        received += more(connection)
    head, _, body = received.partition(b"\r\n\r\n")
    length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
    while len(body) < length:
        body += more(connection)


def more(connection):
    if not (read := connection.recv(65536)):
        raise RuntimeError("the connection was closed before it was idle")
    return read


def markdown(measured):
    lines = [
        f"### {measured['connections']:,} idle connections",
        "",
        "| | memory of each | CPU/request without them | among them |",
        "|---|---|---|---|",
    ]
    for name, row in measured["rows"].items():
        # Too short a run has no tick of the kernel's clock in it.
        ratio = f" ({row['among'] / row['without']:.2f})" if row["without"] else ""
        lines.append(
            f"| {name} | {row['bytes'] / 1024:.1f} KiB | {row['without']:.1f} µs | {row['among']:.1f} µs{ratio} |"
        )
    return "\n".join(lines)
