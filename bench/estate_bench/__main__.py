"""The command: the same requests to mothership alone and to the service in front of another mothership, in rounds."""

import os
import re
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from options import Options
from proxy_bench.processes import Started, cpu_seconds, printed_address


@dataclass(frozen=True)
class Class:
    name: str
    path: str
    method: str = "GET"


# One of each way through the service. A playlist of 50 tracks is 218; 201 has every track of the cast.
CLASSES = [
    Class("a playlist with its tracks, public", "/playlists/218"),
    Class("a playlist with its track URNs, mobile", "/mobile/playlists/mothership:playlists:218"),
    Class("a playlist with its first tracks, web", "/web/playlists/218"),
    Class("counts, mobile", "/mobile/playlists/218/counts"),
    Class("a list with 20 tracks each, public", "/playlists?limit=20"),
    Class("a list without tracks, mobile", "/mobile/playlists?limit=20"),
    Class("a list filtered by the service, web", "/web/users/1/playlist_likes"),
    Class("people, public", "/playlists/201/likers"),
    Class("what is not there, public", "/playlists/999999"),
    Class("a write that changes nothing, public", "/likes/playlists/201", "POST"),
]


def arguments():
    parser = Options(
        "estate", "CPU per request and latency of playlists-vas in front of mothership, as ratios to mothership alone."
    )
    parser.database("small")
    parser.load(seconds=3, rounds=3, connections=8)
    parser.add_argument("--rate", type=int, default=50, help="requests a second while latency is measured")
    parser.add_argument("--only", default="", help="classes whose name contains this")
    parser.cores(load="the load", server="all servers")
    return parser.parse_args()


def main():
    options = arguments()
    classes = [one for one in CLASSES if options.only in one.name]
    if not classes:
        sys.exit(f"error: no class contains {options.only!r}")
    target = Path(os.environ.get("CARGO_TARGET_DIR", "target"))
    packages = ["--package", "mothership", "--package", "playlists-vas"]
    subprocess.run(["cargo", "build", "--release", "--locked", *packages], check=True)
    with tempfile.TemporaryDirectory(prefix="estate-bench-") as folder, Started() as started:
        estates = {
            "alone": alone(options, target, Path(folder), started),
            "service": behind_the_service(options, target, Path(folder), started),
        }
        measured = {one: {name: [] for name in estates} for one in classes}
        for number in range(options.rounds):
            # The next round in the opposite order, so that a drift of the machine favours nobody.
            order = list(estates.items())[:: 1 if number % 2 == 0 else -1]
            for one in classes:
                for name, (url, processes) in order:
                    measured[one][name].append(measure(options, one, url, processes))
    report(options, measured)


def alone(options, target, folder, started):
    process, url = mothership(options, target, folder, started, "alone")
    return url, [process]


def behind_the_service(options, target, folder, started):
    monolith, address = mothership(options, target, folder, started, "behind")
    common = ["--listen", "127.0.0.1:0", "--mothership", address]
    tracks = started.start(options.server_core, [target / "release/tracks-vas", *common], folder / "tracks.log")
    tracks_url = printed_address(tracks, folder / "tracks.log")
    command = [target / "release/playlists-vas", *common, "--tracks", tracks_url]
    playlists = started.start(options.server_core, command, folder / "playlists.log")
    return printed_address(playlists, folder / "playlists.log"), [monolith, tracks, playlists]


def mothership(options, target, folder, started, name):
    command = [
        target / "release/mothership", "--scale", options.scale, "--seed", options.seed,
        "--db", folder / f"{name}.sqlite", "--listen", "127.0.0.1:0",
    ]  # fmt: skip
    process = started.start(options.server_core, command, folder / f"{name}.log")
    # The database is made first.
    return process, printed_address(process, folder / f"{name}.log", seconds=600)


def measure(options, one, url, processes):
    """CPU of all servers per request in µs, and p50 and p99 of the latency in µs."""
    pids = [process.pid for process in processes]
    before = cpu_seconds(pids)
    requests = closed_loop(options, one, url + one.path)
    cpu = (cpu_seconds(pids) - before) / requests * 1e6
    return (cpu, *steady_rate(options, one, url + one.path))


def closed_loop(options, one, url):
    with tempfile.NamedTemporaryFile("w", suffix=".lua", prefix="estate-bench-") as script:
        script.write(f'wrk.method = "{one.method}"\n')
        script.flush()
        output = run(
            options, "wrk", "--threads", 1, "--connections", options.connections, "--duration", f"{options.seconds}s",
            "--header", "Authorization: OAuth tok-fan", "--header", "X-Country: US", "--script", script.name, url,
        )  # fmt: skip
    requests = int(re.search(r"(\d+) requests in", output).group(1))
    if not requests or "Socket errors" in output or ("Non-2xx" in output and "not there" not in one.name):
        sys.exit(f"error: the load failed: {output}")
    return requests


def steady_rate(options, one, url):
    with tempfile.NamedTemporaryFile(prefix="estate-bench-") as log, tempfile.NamedTemporaryFile(prefix="estate-bench-") as sent:
        # h2load sends POST where it has a body, and takes no empty one.
        sent.write(b"{}")
        sent.flush()
        body = ["--data", sent.name] if one.method == "POST" else []
        run(
            options, "h2load", "--h1", "--clients", 1, "--threads", 1, "--rps", options.rate,
            "--duration", options.seconds, "--log-file", log.name, "--header", "authorization: OAuth tok-fan",
            "--header", "x-country: US", *body, url,
        )  # fmt: skip
        # Start in µs since the epoch, status, µs until the end of the response.
        taken = sorted(int(line.split()[2]) for line in log.read().decode().splitlines())
    if not taken:
        sys.exit(f"error: h2load logged no request to {url}")
    return taken[len(taken) // 2], taken[len(taken) * 99 // 100]


def run(options, *command):
    command = ["taskset", "--cpu-list", str(options.load_core), *map(str, command)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"error: {' '.join(command)} ended with {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout


def report(options, measured):
    print(
        f"playlists-vas in front of mothership, to mothership alone; scale {options.scale}, medians of {options.rounds} rounds; "
        f"all servers on one core; CPU at {options.connections} connections, latency at {options.rate} requests a second"
    )
    print(f"{'class':<42}{'CPU alone':>11}{'service':>11}{'ratio':>8}{'p50 added':>12}{'p99 added':>12}")
    ratios = []
    for one, by_estate in measured.items():
        def middle(name, index):
            return statistics.median(values[index] for values in by_estate[name])

        ratio = statistics.median(s[0] / a[0] for a, s in zip(by_estate["alone"], by_estate["service"]))
        ratios.append(ratio)
        added = [middle("service", index) - middle("alone", index) for index in (1, 2)]
        print(
            f"{one.name:<42}{middle('alone', 0):>8.0f} µs{middle('service', 0):>8.0f} µs{ratio:>7.2f}x"
            f"{added[0]:>9.0f} µs{added[1]:>9.0f} µs"
        )
    print(f"median ratio over the classes: {statistics.median(ratios):.2f}x")


main()
