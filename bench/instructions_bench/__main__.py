"""The command: counts, prints a table, compares with the baseline or writes it."""

import json
import platform
import sys
import tempfile
from pathlib import Path

from options import Options
from proxy_bench.tools import Unavailable, built

from .client import Http1, Http2
from .origin import Origin
from .proxy import Plain, Proxy

ROOT = Path(__file__).resolve().parents[2]
BASELINE = ROOT / "bench" / "instructions.json"
BODY = b'{"title":"' + b"x" * 9988 + b'"}'

GET = b"GET %s HTTP/1.1\r\nHost: example.com\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n"
POST = b"POST /post HTTP/1.1\r\nHost: example.com\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
# Who asks and for what, whether it is shadowed, and how many requests lie between the two runs that are subtracted.
CASES = {
    "get-1k": (Http1, GET % b"/1k", False, 2000),
    "get-100k": (Http1, GET % b"/100k", False, 500),
    "post-10k": (Http1, POST % (len(BODY), BODY), False, 1000),
    "http2-1k": (Http2, b"/1k", False, 2000),
    "shadow-1k": (Http1, GET % b"/1k", True, 1000),
    "shadow-100k": (Http1, GET % b"/100k", True, 200),
}
# How many are asked before it is waited until all of them were compared.
AT_ONCE = 50


def arguments():
    parser = Options(
        "instructions",
        "Instructions that the proxy executes for one request, by valgrind, against a baseline. "
        "Exit code 1: more than the baseline and its tolerance.",
    )
    parser.add_argument("--only", default=",".join(CASES), help="cases")
    parser.rounds(3, of="runs of each length, of which the least is taken")
    parser.add_argument("--tolerance", type=float, default=2, help="percent over the baseline that are no regression")
    parser.binary()
    parser.add_argument("--baseline", default=BASELINE, type=Path, help="the baseline")
    parser.add_argument("--plain", action="store_true", help="count `bench/hyper` instead, which is nothing but the HTTP library")
    parser.add_argument("--write", action="store_true", help="make what is counted the baseline")
    options = parser.parse_args()
    if not options.plain:
        parser.need_binaries(options)
    return options


def main():
    options = arguments()
    wanted = [name for name in options.only.split(",") if name]
    if unknown := [name for name in wanted if name not in CASES]:
        sys.exit(f"error: no case {', '.join(unknown)}; there are {', '.join(CASES)}")
    if options.plain and options.write:
        sys.exit("error: the baseline is of strangler: give --plain or --write")
    if options.plain:
        wanted = [name for name in wanted if not CASES[name][2]]
    try:
        what = (Plain, built("hyper", "hyper-pass-through")) if options.plain else (Proxy, options.strangler.resolve())
    except Unavailable as why:
        sys.exit(f"error: {why}")
    baseline = json.loads(options.baseline.read_text()) if options.baseline.exists() else {}
    known = baseline.get(platform.machine(), {})
    print("| case | instructions/request | spread | baseline | to it |\n|---|---|---|---|---|")
    worse = []
    for name in wanted:
        now, spread = count(name, what, options.rounds)
        before = known.get(name)
        cells = [name, f"{now:,}", f"{spread:.1f} %"]
        cells += [f"{before:,}", f"{(now / before - 1) * 100:+.1f} %"] if before else ["", ""]
        print(f"| {' | '.join(cells)} |", flush=True)
        if before and now > before * (1 + options.tolerance / 100):
            worse.append(name)
        known[name] = now
    if options.write:
        baseline[platform.machine()] = known
        options.baseline.write_text(json.dumps(baseline, indent=2, sort_keys=True) + "\n")
        print(f"written to {options.baseline}", file=sys.stderr)
    elif worse and not options.plain:
        sys.exit(f"error: more instructions than the baseline by over {options.tolerance:g} %: {', '.join(worse)}")


def count(name, what, rounds):
    """The difference of two runs that differ by so many requests: what starting, stopping and warming up take is in both.
    Of each the least, since a neighbour on the machine can only add to it; and in percent how far the others were off."""
    requests = CASES[name][-1]
    few, many = ([total(name, what, times) for _ in range(rounds)] for times in (requests, 2 * requests))
    return round((min(many) - min(few)) / requests), (max(many) / min(many) - 1) * 100


def total(name, what, times):
    client, request, shadowed, _ = CASES[name]
    kind, binary = what
    with tempfile.TemporaryDirectory(prefix="strangler-instructions-") as folder:
        proxy = kind(binary, Path(folder) / "proxy", Origin(), Origin(), shadowed)
        try:
            with client(proxy.http2 if client is Http2 else proxy.http1) as connection:
                # The shadow's threads give way where time is scarce, and valgrind runs one thread at a time: a request that
                # found no place there would count for less.
                asked = 0
                while asked < times:
                    some = min(AT_ONCE, times - asked) if shadowed else times
                    connection.ask(request, some)
                    asked += some
                    if shadowed:
                        proxy.has_compared(asked)
            return proxy.instructions()
        finally:
            proxy.process.kill()
            proxy.process.wait()


if __name__ == "__main__":
    main()
