"""Runs the suites of scripts/pairs/json-server: against itself, and against another version."""

import argparse
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

from first_light.pairs import JsonServer
from first_light.processes import Servers, free_ports

ROOT = Path(__file__).resolve().parent.parent
PAIR = ROOT / "scripts/pairs/json-server"
OLD, NEW = ("control", "lib/cli/bin.js"), ("candidate", "lib/bin.js")


def main():
    parser = argparse.ArgumentParser(prog="scripts/suite-real-servers", description=__doc__)
    parser.add_argument("--strangler", help="a binary to use instead of building one")
    parser.add_argument("--rounds", type=int, default=5, help="how often it is compared with itself")
    options = parser.parse_args()
    binary = Path(options.strangler).resolve() if options.strangler else build()

    run = ROOT / "target/suite-real-servers/run"
    shutil.rmtree(run, ignore_errors=True)
    run.mkdir(parents=True)
    pair = JsonServer(ROOT / "target/first-light/installed", run)
    pair.install()
    suite = Suites(binary, run)
    wrong = []
    for round_ in range(1, options.rounds + 1):
        with Servers(run) as servers:
            control, candidate = free_ports(2)
            start(pair, servers, run, "control", NEW, control)
            start(pair, servers, run, "candidate", NEW, candidate)
            for file in ("suite.yaml", "seeded.yaml"):
                report, code = suite(file, control, candidate)
                bound = sum("identifiers were bound" in note for note in notes(report))
                say(f"round {round_}: {file}, 1.0.0-beta.15 and itself: exit {code}, {report['totals']['matched']} of "
                    f"{report['totals']['steps']} steps match, identifiers bound in {bound} answers")
                if code != 0 or report["totals"]["tolerated"] or not bound:
                    wrong.append(f"{file}: exit {code}, and it has to pass by the bijection alone")
                    wrong += [f"  {group['endpoint']} {group['kind']} {group['location']}" for group in report["groups"]]
    with Servers(run) as servers:
        control, candidate = free_ports(2)
        start(pair, servers, run, "control", OLD, control)
        start(pair, servers, run, "candidate", NEW, candidate)
        report, code = suite("suite.yaml", control, candidate)
        say(f"0.17.4 and 1.0.0-beta.15: exit {code}, {len(report['groups'])} groups")
        if code != 3:
            wrong.append(f"two versions: exit {code}, expected 3")
        wrong += compare(report)
    print(*wrong, sep="\n", end="\n" if wrong else "")
    say("as expected" if not wrong else f"{len(wrong)} lines of findings")
    sys.exit(1 if wrong else 0)


def build():
    subprocess.run(["cargo", "build", "--locked", "--bin", "strangler"], cwd=ROOT, check=True)
    return ROOT / "target/debug/strangler"


def start(pair, servers, run, side, version, port):
    """One instance, with data of its own."""
    folder, program = version
    modules = pair.installed / "node_modules"
    node = next(modules.glob("node-linux-*/bin/node"))
    data = run / f"{side}.json"
    shutil.copy(PAIR / "data.json", data)
    command = [node, modules / folder / program, "--host", "127.0.0.1", "--port", port, data]
    servers.start(side, command, f"http://127.0.0.1:{port}/profile", NODE_ENV="development")


class Suites:
    def __init__(self, binary, run):
        self.binary, self.run = binary, run

    def __call__(self, file, control, candidate):
        report = self.run / "report.json"
        report.unlink(missing_ok=True)
        command = [self.binary, "suite", "run", PAIR / file, "--json", report, "--html", self.run / "report.html"]
        command += ["--control", f"http://127.0.0.1:{control}", "--candidate", f"http://127.0.0.1:{candidate}"]
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
        if not report.exists():
            raise SystemExit(f"error: no report was written:\n{done.stdout}{done.stderr}")
        return json.loads(report.read_text()), done.returncode


def notes(report):
    return [note for result in report["results"] for step in result["steps"] for note in step["detail"].get("notes", [])]


def compare(report):
    """Every row has to be found, and everything that was found has to be in a row."""
    rows = []
    for line in (PAIR / "suite-expected.txt").read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            rows.append(tuple(cell.strip() for cell in line.split("|")))
    endpoints = {group["endpoint"] for group in report["groups"]}
    expected = {
        (name, kind, place)
        for endpoint, kind, place in rows
        for name in (endpoints if endpoint == "*" else [endpoint])
    }
    found = {(group["endpoint"], group["kind"], generalized(group["location"])) for group in report["groups"]}
    return [f"not found: {' | '.join(row)}" for row in sorted(expected - found)] + [
        f"not expected: {' | '.join(row)}" for row in sorted(found - expected)
    ]


def generalized(location):
    return re.sub(r"\[\d+\]", "[*]", location)


def say(text):
    print(text, file=sys.stderr)


if __name__ == "__main__":
    main()
