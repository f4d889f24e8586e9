"""What clients notice of shadowing, at a steady rate: with it off, on, and on with a candidate that is in trouble."""

import socket
import statistics
import sys
import threading
import time

from .contestants import Strangler, StranglerShadow
from .load import CASES, steady_rate
from .processes import wait_for_port
from .tools import say

# What `python3 -m proxy_bench.candidates KIND PORT` can be.
KINDS = ("dead", "hung", "slow", "endless")


def measure(folder, port, upstreams, options, started):
    """One proxy for each, all of them at once, and asked in turn."""
    case = CASES["1k"]
    setups = {"off": start_one(Strangler, "off", folder, port, options, started)}
    setups["on"] = start_one(StranglerShadow, "on", folder, port + 10, options, started)
    for index, kind in enumerate(KINDS):
        own = port + 20 + 10 * index
        if kind != "dead":
            log = folder / f"candidate-{kind}.log"
            # Last in the queue for the core: what it burns must not slow the load and control.
            command = ["nice", "-n", "19", sys.executable, "-m", "proxy_bench.candidates", kind, own + 9]
            process = started.start(options.load_core, command, log)
            wait_for_port(own + 9, process, log)
        candidate = f"127.0.0.1:{own + 9}"
        setups[kind] = start_one(StranglerShadow, kind, folder, own, options, started, candidate)
    everybody = {"direct": upstreams, **setups}
    rounds = {name: [] for name in everybody}
    for number in range(options.rounds):
        say(f"shadowing with a candidate in trouble: round {number + 1} of {options.rounds}")
        names = list(everybody)
        for name in names if number % 2 == 0 else reversed(names):
            answered = steady_rate(everybody[name], case, options)
            rounds[name].append({"p50": answered.p50, "p99": answered.p99})
            if name in ("off", "on"):
                everybody[name].settle()
    return {"rate": options.rate, "rounds": rounds}


def start_one(kind, name, folder, port, options, started, candidate=None):
    return kind(f"shadow-{name}", folder, port, options, started, candidate)


def markdown(measured):
    rounds = measured["rounds"]

    def added(name, key):
        direct = statistics.median(result[key] for result in rounds["direct"])
        return statistics.median(result[key] for result in rounds[name]) - direct

    lines = [
        f"### What clients notice of shadowing ({measured['rate']} requests/s, 1 KB)",
        "",
        "| candidate | added p50 | added p99 | p99 with the way there, to shadow off |",
        "|---|---|---|---|",
    ]
    words = {"off": "(shadow off)", "on": "well"}
    for name in rounds:
        if name == "direct":
            continue
        ratios = [one["p99"] / off["p99"] for one, off in zip(rounds[name], rounds["off"])]
        lines.append(
            f"| {words.get(name, name)} | {added(name, 'p50'):+.0f} µs | {added(name, 'p99'):+.0f} µs"
            f" | {statistics.median(ratios):.2f} |"
        )
    return "\n".join(lines)


def answer(kind, connection):
    """One client of a candidate in trouble."""
    with connection:
        while connection.recv(65536):
            if kind == "hung":
                continue
            if kind == "slow":
                time.sleep(1)
                body = b'{"slow":true}'
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n")
                connection.sendall(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
            else:
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
                piece = b"x" * 65536
                chunk = b"%x\r\n%s\r\n" % (len(piece), piece)
                while True:
                    connection.sendall(chunk)


def serve(kind, port):
    def quietly(connection):
        try:
            answer(kind, connection)
        except OSError:
            pass

    listener = socket.create_server(("127.0.0.1", port), backlog=1024)
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=quietly, args=[connection], daemon=True).start()


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]))
