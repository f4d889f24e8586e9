"""The same requests to the same two servers: by h2load, once for each side at the same time; and as a suite."""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from options import Options
from proxy_bench.processes import Started, wait_for_port
from proxy_bench.upstreams import body, nginx_config


def main():
    parser = Options("suite", "Cases per second of a suite, as a ratio to h2load, and the peak of its memory.")
    parser.binary()
    parser.add_argument("--cases", type=int, default=100_000, help="recorded cases of each round")
    parser.rounds(3)
    parser.add_argument("--jobs", type=int, default=16, help="of the suite, and connections to each side of h2load")
    parser.add_argument("--bytes", type=int, default=1000, help="of a response")
    parser.add_argument("--million", type=int, default=1_000_000, help="cases of the run whose memory is measured; 0: none")
    parser.cores(server="nginx", load="h2load and the suite")
    parser.ports(19300, 2)
    options = parser.parse_args()
    parser.need_binaries(options)
    folder = Path(tempfile.mkdtemp(prefix="strangler-bench-suite-"))
    # nginx serves it under another user.
    folder.chmod(0o755)
    try:
        with Started() as started:
            serve(folder, options, started)
            measure(folder, options)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def serve(folder, options, started):
    """One nginx on two ports, whatever the path: both sides answer the same."""
    (folder / "response.json").write_text(body(options.bytes))
    config = folder / "nginx.conf"
    config.write_text(
        nginx_config(
            folder / "nginx",
            f"""
            open_file_cache max=16;
            default_type application/json;
            server {{ listen 127.0.0.1:{options.ports} backlog=1024; root {folder}; location / {{ try_files /response.json =404; }} }}
            server {{ listen 127.0.0.1:{options.ports + 1} backlog=1024; root {folder}; location / {{ try_files /response.json =404; }} }}
            """,
        )
    )
    log = folder / "nginx.log"
    process = started.start(options.server_core, ["nginx", "-c", config], log)
    wait_for_port(options.ports + 1, process, log)


def measure(folder, options):
    suite = record(folder, options.cases)
    rates, cpus = [], []
    print(f"{'':5}  {'cases/s':>17}  {'':5}  {'CPU/case':>19}")
    print(f"{'round':5}  {'h2load':>8} {'suite':>8}  {'ratio':>5}  {'h2load':>9} {'suite':>9}  {'ratio':>5}  {'peak memory':>11}")
    for round_ in range(1, options.rounds + 1):
        # The next round in the opposite order: whatever drifts, drifts for both.
        if round_ % 2:
            bare, own = load(options), run(folder, suite, options)
        else:
            own, bare = run(folder, suite, options), load(options)
        rates.append(own.rate / bare.rate)
        cpus.append(own.cpu_us / bare.cpu_us)
        print(
            f"{round_:>5}  {bare.rate:>8.0f} {own.rate:>8.0f}  {rates[-1]:>5.2f}  {bare.cpu_us:>6.1f} µs {own.cpu_us:>6.1f} µs"
            f"  {cpus[-1]:>5.2f}  {own.peak_mib:>7.0f} MiB",
            flush=True,
        )
    for what, ratios in (("cases a second", rates), ("CPU per case", cpus)):
        print(f"{what}, suite to h2load: {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")
    print("a case is one request to each side; of the suite also reading, checking and comparing")
    if options.million:
        suite = record(folder, options.million)
        size = suite.stat().st_size / 2**20
        own = run(folder, suite, options)
        print(
            f"{options.million} recorded cases ({size:.0f} MiB): {own.rate:.0f} cases/s with reading them, "
            f"peak memory {own.peak_mib:.0f} MiB"
        )


def record(folder, cases):
    """Recorded cases as a proxy would have seen them: ids in the path, an endpoint, headers, some parameters."""
    file = folder / f"recorded-{cases}.ndjson"
    with open(file, "w") as out:
        out.write(json.dumps({"suite": "recorded", "personas": {"anonymous": {}}, "defaults": {"personas": ["anonymous"]}}) + "\n")
        for number in range(cases):
            case = {
                "name": f"case {number}",
                "path": f"/playlists/{number}/tracks?limit={number % 50}&offset=0",
                "endpoint": "/playlists/{id}/tracks",
                "headers": {"accept": "application/json", "accept-language": "en"},
            }
            out.write(json.dumps(case) + "\n")
    return file


def load(options):
    """Every request to both sides, by two processes at once; a case is done when both are."""
    started = time.monotonic()
    outputs = [tempfile.TemporaryFile("w+") for _ in range(2)]
    processes = [
        subprocess.Popen(
            [
                "taskset", "--cpu-list", str(options.load_core), "h2load", "--h1", "--threads", "1",
                "--clients", str(options.jobs), "--requests", str(options.cases),
                "--header", "accept-language: en",
                f"http://127.0.0.1:{port}/playlists/1/tracks?limit=10&offset=0",
            ],
            stdout=output, stderr=output,
        )
        for port, output in zip((options.ports, options.ports + 1), outputs)
    ]  # fmt: skip
    usages = []
    for process, output in zip(processes, outputs):
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        usages.append(usage)
        output.seek(0)
        text = output.read()
        if process.returncode or f"{options.cases} succeeded" not in text:
            raise SystemExit(f"error: h2load ended with {process.returncode}:\n{text}")
    return Run(options.cases, time.monotonic() - started, *usages)


class Run:
    def __init__(self, cases, seconds, *usages):
        self.rate = cases / seconds
        self.cpu_us = sum(usage.ru_utime + usage.ru_stime for usage in usages) / cases * 1e6
        # In KiB on Linux.
        self.peak_mib = max(usage.ru_maxrss for usage in usages) / 1024


def run(folder, suite, options):
    report = folder / "report.json"
    command = [
        "taskset", "--cpu-list", str(options.load_core), options.strangler, "suite", "run", suite, "--quiet",
        "--control", f"http://127.0.0.1:{options.ports}", "--candidate", f"http://127.0.0.1:{options.ports + 1}",
        "--jobs", options.jobs, "--json", report,
    ]  # fmt: skip
    log = open(folder / "run.log", "wb")
    started = time.monotonic()
    process = subprocess.Popen([str(word) for word in command], stdout=log, stderr=log)
    _, status, usage = os.wait4(process.pid, 0)
    taken = time.monotonic() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"error: the suite ended with {process.returncode}:\n{(folder / 'run.log').read_text()}")
    totals = json.loads(report.read_text())["totals"]
    if totals["matched"] != totals["cases"]:
        raise SystemExit(f"error: the two sides are one nginx, and still: {totals}")
    return Run(totals["cases"], taken, usage)


if __name__ == "__main__":
    sys.exit(main())
