"""The story: install, start, import, shadow, flip there and back, report, check."""

import argparse
import random
import shutil
import subprocess
import sys
from pathlib import Path

from . import expected, traffic
from .pairs import PAIRS
from .processes import Servers, free_ports, wait_until
from .toolkit import Strangler

ROOT = Path(__file__).resolve().parent.parent.parent


def main():
    parser = argparse.ArgumentParser(
        prog="scripts/first-light",
        description="Strangler in front of two real servers. Fails when the report is not what docs/first-light.md says.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("pair", nargs="*", help=f"of {', '.join(PAIRS)}; all if none is named")
    parser.add_argument("--seed", type=int, default=1, help="of the order in which requests are sent")
    parser.add_argument("--rounds", type=int, default=3, help="how often each request is sent while it is shadowed")
    parser.add_argument("--strangler", help="a binary to use instead of building one")
    options = parser.parse_args()
    if unknown := [name for name in options.pair if name not in PAIRS]:
        parser.error(f"no pair {', '.join(unknown)}; there are {', '.join(PAIRS)}")

    binary = options.strangler or build()
    wrong = {name: tell(PAIRS[name], binary, options) for name in options.pair or PAIRS}
    for name, findings in wrong.items():
        say(f"{name}: {'as docs/first-light.md says' if not findings else f'{len(findings)} findings'}")
        print(*findings, sep="\n", end="\n" if findings else "")
    sys.exit(1 if any(wrong.values()) else 0)


def build():
    subprocess.run(["cargo", "build", "--release", "--locked", "--bin", "strangler"], cwd=ROOT, check=True)
    return ROOT / "target/release/strangler"


def tell(kind, binary, options):
    run = ROOT / "target/first-light/runs" / kind.name
    shutil.rmtree(run, ignore_errors=True)
    run.mkdir(parents=True)
    pair = kind(ROOT / "target/first-light/installed", run)
    say(f"{pair.name}: installing both sides")
    pair.install()
    with Servers(run) as servers:
        control, candidate, listen, admin = free_ports(4)
        say(f"{pair.name}: starting control, candidate and `strangler serve`")
        pair.start(servers, control, candidate)
        strangler = Strangler(binary, run)
        strangler.serve(servers, pair, control, candidate, listen, admin)
        requests = traffic.read(pair.requests)

        declare(pair, strangler, requests, candidate)
        shadow(pair, strangler, requests, options)
        flip(pair, strangler, requests)
        return report(pair, strangler, run)


def declare(pair, strangler, requests, candidate):
    strangler("routes", "import", "openapi", pair.openapi(candidate))
    say(f"{pair.name}: {len(requests)} requests while every endpoint is at legacy")
    for request in requests:
        traffic.send(request, strangler.origin)
    settle(strangler)
    found = {example for proposal in strangler("routes", "discover")["undeclared"] for example in proposal["examples"]}
    for path, endpoint in pair.undeclared.items():
        if path not in found:
            raise SystemExit(f"error: discovery did not list {path}, which no document declares; it lists {sorted(found)}")
        strangler("routes", "add", *endpoint.split(" ", 1))


def shadow(pair, strangler, requests, options):
    moved = [
        route["endpoint"]
        for route in strangler("status")["endpoints"]
        if route["method"] in traffic.SAFE and route["endpoint"] not in pair.written
    ]
    for endpoint in moved:
        strangler.on("promote", endpoint, "--to", "shadow")
    # Unsafe requests were sent once, above: nothing is learned from sending them again.
    order = [request for request in requests if request.safe] * options.rounds
    random.Random(options.seed).shuffle(order)
    listed = strangler.run / "sent.txt"
    listed.write_text("".join(f"{' '.join(request.curl(strangler.origin)[1:])}\n" for request in order))
    say(f"{pair.name}: {len(order)} requests with {len(moved)} endpoints at shadow (seed {options.seed}, {listed})")
    for request in order:
        traffic.send(request, strangler.origin)
    settle(strangler)


def flip(pair, strangler, requests):
    """Asks for moves that must pass and moves that must not; whoever answers signs with a header."""
    for gate in pair.gates:
        force = ["--force", "--reason", "first light"] if gate.force else []
        strangler.on("promote", gate.endpoint, "--to", "live", *force, exits=(gate.exit,))
        say(f"{pair.name}: promote {gate.endpoint} --to live {' '.join(force)}: exit {gate.exit}, as {gate.why}")
    live = [gate.endpoint for gate in pair.gates if gate.exit == 0]
    for side, back in (("candidate", False), ("control", True)):
        for endpoint in live:
            if back:
                strangler.on("rollback", endpoint, "--reason", "first light is over")
            method, _, path = endpoint.partition(" ")
            request = next(r for r in requests if r.method == method and r.target == path)
            signed = traffic.send(request, strangler.origin).get(pair.witness, "nobody")
            if not signed.startswith(pair.signature[side]):
                raise SystemExit(f"error: {endpoint} should be answered by {side} now, and {signed} answered")
            say(f"{pair.name}: {endpoint} is answered by {side} ({signed})")
    settle(strangler)


def report(pair, strangler, run):
    status = strangler("status")
    total = status["total"]
    say(
        f"{pair.name}: {total['seen']} requests = {total['compared']} compared + {total['skipped']} skipped "
        f"+ {total['dropped']} dropped"
    )
    if total["seen"] != total["compared"] + total["skipped"] + total["dropped"]:
        raise SystemExit("error: the sums do not add up")
    html = run / "report.html"
    strangler("report", "--html", html)
    say(f"{pair.name}: the report: {html}")
    groups = strangler("divergences", "list", exits=(0, 3))["groups"]
    rows = expected.read(ROOT / "docs/first-light.md", pair.name)
    say(f"{pair.name}: {len(groups)} groups against {len(rows)} rows found by hand")
    return expected.check(rows, groups)


def settle(strangler):
    wait_until(lambda: strangler("status")["pending"] == 0, "every request is compared, skipped or dropped")


def say(text):
    print(f"== {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
