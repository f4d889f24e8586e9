"""The command: starts everything, measures in rounds, keeps the figures, prints all tables."""

import json
import os
import resource
import sys
import tempfile
import time
from pathlib import Path

from options import Options

from . import candidates, idle, throughput
from .contestants import HaProxy, Nginx, NginxMirror, NginxTuned, Strangler, StranglerShadow, StranglerShadowAbreast
from .load import CASES
from .peers import Envoy, EnvoyMirror, Hyper, Pingora
from .processes import Started
from .tools import Unavailable, say, target
from .upstreams import Upstreams

CONTESTANTS = {
    "nginx": Nginx,
    "nginx-tuned": NginxTuned,
    "nginx-mirror": NginxMirror,
    "haproxy": HaProxy,
    "envoy": Envoy,
    "envoy-mirror": EnvoyMirror,
    "pingora": Pingora,
    "hyper": Hyper,
    "strangler-legacy": Strangler,
    "strangler-shadow": StranglerShadow,
    "strangler-shadow-abreast": StranglerShadowAbreast,
}
# Copies nothing of a POST that the others could be compared with.
SHADOWS = ("nginx-mirror", "envoy-mirror", "strangler-shadow", "strangler-shadow-abreast")
TABLES = [*CASES, "idle", "candidates"]


def arguments():
    parser = Options(
        "proxy",
        "CPU per request, throughput and added latency of reverse proxies, as ratios to nginx in the same run. "
        "Prints markdown. What was measured is kept, so that a run that was interrupted goes on with --only.",
    )
    parser.load(seconds=5.0, rounds=5, connections=32)
    parser.add_argument("--rate", type=int, default=2000, help="requests/s at which latency is measured; 0 leaves it out")
    parser.add_argument("--idle", type=int, default=10_000, help="idle connections")
    parser.add_argument(
        "--only", default=",".join(TABLES), help="tables to measure now; the others are printed as they were measured last"
    )
    parser.add_argument(
        "--contestants", default=",".join(CONTESTANTS), help="who takes part; nginx always does"
    )
    parser.binary()
    parser.add_argument("--results", default=target() / "bench/proxy.json", type=Path, help="where the figures are kept")
    parser.cores(load="the load and the upstreams", proxy="the proxy")
    parser.ports(21100, 200)
    return parser.parse_args()


def main():
    options = arguments()
    if len(os.sched_getaffinity(0)) < 2:
        sys.exit("error: two cores are needed, one for the proxy and one for the load and the upstreams")
    wanted = named(options.contestants, CONTESTANTS, "contestant")
    tables = named(options.only, TABLES, "table")
    wanted = [name for name in CONTESTANTS if name in wanted or name == "nginx"]
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

    kept = json.loads(options.results.read_text()) if options.results.exists() else {}
    with tempfile.TemporaryDirectory(prefix="strangler-bench-") as folder, Started() as started:
        options.folder = Path(folder)
        # A worker of nginx that was started by root is nobody, and has to read the files.
        os.chmod(folder, 0o755)
        upstreams = Upstreams(options.folder, options, started)
        running = []
        if set(tables) - {"candidates"}:
            running = start(wanted, options, started)
        for table in tables:
            measured = measure(table, running, upstreams, options, started)
            measured["when"] = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())
            measured["how"] = f"{options.rounds} rounds of {options.seconds:g} s"
            kept[table] = measured
            options.results.parent.mkdir(parents=True, exist_ok=True)
            options.results.write_text(json.dumps(kept, indent=1))
    for table in TABLES:
        if table in kept:
            print(f"{markdown(table, kept[table])}\n\n<!-- {kept[table]['how']}, {kept[table]['when']} -->\n")


def start(wanted, options, started):
    running = []
    for index, name in enumerate(wanted):
        try:
            running.append(CONTESTANTS[name](name, options.folder, options.ports + 3 + 5 * index, options, started))
        except Unavailable as why:
            say(f"left out: {name}: {why}")
    if not any(one.name == "nginx" for one in running):
        sys.exit("error: nginx did not start, and everything is measured against it")
    return running


def measure(table, running, upstreams, options, started):
    if table == "idle":
        return idle.measure(running, options)
    if table == "candidates":
        if not options.rate:
            sys.exit("error: candidates are measured at a steady rate; give --rate")
        return candidates.measure(options.folder, options.ports + 100, upstreams, options, started)
    case = CASES[table]
    return throughput.measure([one for one in running if not (case.is_post and one.name in SHADOWS)], upstreams, case, options)


def markdown(table, measured):
    return {"idle": idle.markdown, "candidates": candidates.markdown}.get(table, throughput.markdown)(measured)


def named(text, known, what):
    names = list(dict.fromkeys(filter(None, text.split(","))))
    if unknown := [name for name in names if name not in known]:
        sys.exit(f"error: no {what} {', '.join(unknown)}; there are {', '.join(known)}")
    return names


if __name__ == "__main__":
    main()
