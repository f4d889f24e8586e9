"""The command: a served playlist under load, and the same read without HTTP, in rounds."""

import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from options import Options
from proxy_bench.processes import Started, cpu_seconds, printed_address


def arguments():
    parser = Options("mothership", "Reads of one playlist: requests per second and CPU per request, beside the queries alone.")
    parser.database("medium")
    parser.load(seconds=5, rounds=3, connections=16)
    parser.add_argument("--playlist", type=int, default=218, help="218 has 50 tracks")
    parser.add_argument("--reads", type=int, default=3000, help="reads without HTTP in a round")
    parser.cores(load="the load", server="mothership")
    return parser.parse_args()


def main():
    options = arguments()
    target = Path(os.environ.get("CARGO_TARGET_DIR", "target"))
    subprocess.run(["cargo", "build", "--release", "--locked", "--package", "mothership"], check=True)
    bench = reads_binary()
    database = target / "bench" / f"mothership-{options.scale}-{options.seed}.sqlite"
    database.parent.mkdir(parents=True, exist_ok=True)
    server = [target / "release/mothership", "--scale", options.scale, "--seed", options.seed, "--db", database]
    subprocess.run([*map(str, server), "--seed-only"], check=True)

    alone, served = [], []
    with tempfile.TemporaryDirectory(prefix="mothership-bench-") as folder, Started() as started:
        log = Path(folder) / "mothership.log"
        process = started.start(options.server_core, [*server, "--listen", "127.0.0.1:0"], log)
        url = f"{printed_address(process, log)}/playlists/{options.playlist}"
        for _ in range(options.rounds):
            served.append(load(options, url, process))
            command = [bench, database, options.playlist, options.reads]
            output = subprocess.run(
                ["taskset", "--cpu-list", str(options.server_core), *map(str, command)],
                check=True, capture_output=True, text=True,
            ).stdout  # fmt: skip
            alone.append(json.loads(output))
    report(options, served, alone)


def reads_binary():
    """Builds the bench and returns where cargo put it."""
    command = ["cargo", "bench", "--locked", "--package", "mothership", "--bench", "playlist_reads", "--no-run", "--message-format", "json"]
    messages = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    for message in map(json.loads, messages):
        if message.get("executable") and message["target"]["name"] == "playlist_reads":
            return message["executable"]
    sys.exit("error: cargo built no playlist_reads")


def load(options, url, process):
    """Requests per second, and CPU of the server per request in microseconds."""
    before = cpu_seconds([process.pid])
    output = subprocess.run(
        [
            "taskset", "--cpu-list", str(options.load_core), "wrk", "--threads", "1",
            "--connections", str(options.connections), "--duration", f"{options.seconds}s",
            "--header", "Authorization: OAuth tok-fan", "--header", "X-Country: US", url,
        ],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    used = cpu_seconds([process.pid]) - before
    requests, taken = re.search(r"(\d+) requests in ([\d.]+)s", output).groups()
    if "Non-2xx" in output or not int(requests):
        sys.exit(f"error: the load failed: {output}")
    return int(requests) / float(taken), used / int(requests) * 1e6


def report(options, served, alone):
    per_second = statistics.median(rate for rate, _ in served)
    request = statistics.median(cpu for _, cpu in served)
    queries = statistics.median(one["queries_us"] for one in alone)
    page = statistics.median(one["page_us"] for one in alone)
    first = alone[0]
    print(
        f"playlist {options.playlist} at scale {options.scale}: {first['tracks_shown']} tracks shown, "
        f"{first['queries']} queries, {first['rows']} rows; medians of {options.rounds} rounds"
    )
    print(f"{'what':<44}{'CPU':>10}  {'to SQLite':>9}")
    for what, cpu in (
        ("SQLite alone: the same queries, rows read", queries),
        ("the page: queries, visibility, JSON", page),
        ("a served request, one core", request),
    ):
        print(f"{what:<44}{cpu:>7.0f} µs  {cpu / queries:>8.2f}x")
    print(f"served: {per_second:.0f} reads per second on one core, {options.connections} connections")


main()
