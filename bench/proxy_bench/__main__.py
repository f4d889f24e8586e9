"""The command: starts everything, measures in rounds, prints medians and ratios."""

import argparse
import os
import statistics
import sys
import tempfile
from pathlib import Path

from .contestants import CONTESTANTS, Unavailable
from .load import closed_loop, steady_rate
from .processes import Started, cpu_seconds
from .upstreams import BODIES, Upstreams


def arguments():
    parser = argparse.ArgumentParser(
        prog="bench/proxy",
        description="CPU per request of reverse proxies, as ratios to nginx in the same run.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--seconds", type=float, default=5, help="length of one measurement")
    parser.add_argument("--rounds", type=int, default=5, help="measurements of each contestant and body size")
    parser.add_argument("--connections", type=int, default=32, help="client connections, kept alive")
    parser.add_argument(
        "--rate", type=int, default=1000, help="requests/s at which latency is measured; 0 leaves latency out"
    )
    parser.add_argument(
        "--only",
        default="nginx,nginx-tuned,nginx-mirror,strangler-legacy,strangler-shadow",
        help=f"contestants, of: {', '.join(CONTESTANTS)}; nginx always takes part",
    )
    parser.add_argument("--sizes", default=",".join(BODIES), help="body sizes")
    parser.add_argument("--strangler", default="target/release/strangler", help="the binary to measure")
    parser.add_argument("--load-core", type=int, default=0, help="core of the load and the upstreams")
    parser.add_argument("--proxy-core", type=int, default=1, help="core of the proxy")
    parser.add_argument("--ports", type=int, default=21100, help="first of ten free ports on loopback")
    return parser.parse_args()


def main():
    options = arguments()
    if len(os.sched_getaffinity(0)) < 2:
        sys.exit("error: two cores are needed, one for the proxy and one for the load and the upstreams")
    wanted = list(dict.fromkeys(["nginx", *filter(None, options.only.split(","))]))
    sizes = options.sizes.split(",")
    if unknown := [name for name in wanted if name not in CONTESTANTS]:
        sys.exit(f"error: no contestant {', '.join(unknown)}; there are {', '.join(CONTESTANTS)}")
    if unknown := [size for size in sizes if size not in BODIES]:
        sys.exit(f"error: no body size {', '.join(unknown)}; there are {', '.join(BODIES)}")

    with tempfile.TemporaryDirectory(prefix="strangler-bench-") as folder, Started() as started:
        # A worker of nginx that was started by root is nobody, and has to read the files.
        os.chmod(folder, 0o755)
        upstreams = Upstreams(Path(folder), options, started)
        running = []
        for offset, name in enumerate(wanted):
            try:
                running.append(CONTESTANTS[name](name, Path(folder), options.ports + 3 + offset, options, started))
            except Unavailable as why:
                print(f"left out: {name}: {why}", file=sys.stderr)
        for size in sizes:
            report(size, measure(running, upstreams, size, options), options)


def measure(running, upstreams, size, options):
    """Interleaved, and each second round in the opposite order, so that what drifts hits all alike."""
    path = f"/{size}.json"
    print(f"{size}: {options.rounds} rounds ", end="", file=sys.stderr, flush=True)
    results = {contestant.name: [] for contestant in [upstreams, *running]}
    for contestant in [upstreams, *running]:
        closed_loop(contestant.url + path, 1, options)
    for round_ in range(options.rounds):
        order = [upstreams, *running]
        for contestant in order if round_ % 2 == 0 else reversed(order):
            results[contestant.name].append(once(contestant, path, options))
            print(".", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return results


def once(contestant, path, options):
    before, counted = cpu_seconds(contestant.pids), contestant.compared()
    load = closed_loop(contestant.url + path, options.seconds, options)
    # What goes on behind the client's back belongs to the requests that caused it.
    contestant.settle()
    used, compared = cpu_seconds(contestant.pids) - before, contestant.compared() - counted
    if load.failed:
        raise RuntimeError(f"{contestant.name}: {load.failed} of {load.requests} requests failed: nothing was measured")
    result = {
        "micros": used / load.requests * 1e6,
        "per_second": load.requests / load.seconds,
        "compared": compared / load.requests,
    }
    if options.rate:
        result["p50"], result["p99"] = steady_rate(contestant.url + path, options)
        contestant.settle()
    return result


def report(size, results, options):
    def median(name, key):
        return statistics.median(result[key] for result in results[name])

    print(f"\n{BODIES[size] // 1000} KB body, medians of {options.rounds} rounds of {options.seconds:g} s:")
    print(f"{'':18} {'CPU/request':>12} {'to nginx':>9} {'spread':>13} {'requests/s':>11}", end="")
    print(f" {'added p50':>10} {'added p99':>10}" if options.rate else "", f" {'compared':>9}")
    for name, rounds in results.items():
        if name == "direct":
            row = f"{name:18} {'':>12} {'':>9} {'':>13} {median(name, 'per_second'):>11,.0f}"
            if options.rate:
                row += f" {median(name, 'p50'):>7.0f} µs {median(name, 'p99'):>7.0f} µs  (as it is)"
            print(row)
            continue
        # Against nginx in the same round: what a neighbour on the machine took, it took from both.
        ratios = [result["micros"] / nginx["micros"] for result, nginx in zip(rounds, results["nginx"])]
        row = f"{name:18} {median(name, 'micros'):>9.1f} µs {statistics.median(ratios):>9.2f}"
        row += f" {min(ratios):>6.2f}–{max(ratios):<6.2f} {median(name, 'per_second'):>11,.0f}"
        if options.rate:
            p50, p99 = (median(name, key) - median("direct", key) for key in ("p50", "p99"))
            row += f" {p50:>+7.0f} µs {p99:>+7.0f} µs"
        share = median(name, "compared")
        print(row, f"{share:>9.1%}" if share else "")


if __name__ == "__main__":
    main()
