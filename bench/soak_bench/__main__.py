"""The command: load, flips, a candidate that dies, and what has to be true at the end."""

import itertools
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from options import Options
from proxy_bench.contestants import wait_until
from proxy_bench.processes import Started, resident_bytes, tree, wait_for_port
from proxy_bench.tools import built
from proxy_bench.upstreams import body, nginx_config

from .checks import wrong
from .plot import svg

PATH = "/1k.json"
STAGES = ["shadow", "canary:5%", "canary:50%", "live"]


def arguments():
    parser = Options(
        "soak",
        "A bounded run in which endpoints are flipped every second and the candidate is killed and started again. "
        "Exit code 1: a client saw an error, counts do not add up, or memory grew.",
    )
    parser.add_argument("--requests", type=int, default=3_000_000, help="requests; the run is as long as they take")
    parser.add_argument("--rate", type=int, default=8000, help="requests/s that are due; those that are late wait")
    parser.connections(32)
    parser.add_argument("--kill-every", type=float, default=7, help="seconds between two deaths of the candidate")
    parser.add_argument("--svg", type=Path, help="where the plot is written")
    parser.binary()
    parser.ports(21500, 4)
    options = parser.parse_args()
    parser.need_binaries(options)
    return options


def main():
    options = arguments()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory(prefix="strangler-soak-") as name, Started() as started:
        folder = Path(name)
        os.chmod(folder, 0o755)
        files = folder / "files"
        files.mkdir()
        (files / PATH.lstrip("/")).write_text(body(1000))
        run = Run(options, folder, files, started)
        sentences = run.run()
    for sentence in sentences:
        print(f"error: {sentence}", file=sys.stderr)
    sys.exit(1 if sentences else 0)


class Run:
    def __init__(self, options, folder, files, started):
        self.options, self.folder, self.files, self.started = options, folder, files, started
        self.cores = ",".join(map(str, sorted(os.sched_getaffinity(0))))
        self.numbers = itertools.count()
        self.flips = self.kills = self.fallbacks_seen = 0
        self.control = self.upstream(options.ports)
        self.candidate = self.upstream(options.ports + 1)
        self.listen, self.admin = f"127.0.0.1:{options.ports + 2}", f"http://127.0.0.1:{options.ports + 3}"
        command = [
            options.strangler.resolve(), "serve", "--control", f"http://127.0.0.1:{options.ports}",
            "--candidate", f"http://127.0.0.1:{options.ports + 1}", "--listen", self.listen,
            "--admin", self.admin.removeprefix("http://"), "--store", folder / "soak.db",
        ]  # fmt: skip
        log = folder / "strangler.log"
        self.proxy = started.start(self.cores, command, log)
        wait_for_port(options.ports + 3, self.proxy, log)
        self.pids = tree(self.proxy.pid)
        self.post("routes", {"endpoints": [{"endpoint": f"GET {PATH}", "source": "soak"}]})

    def upstream(self, port):
        number = next(self.numbers)
        config = self.folder / f"upstream-{number}.conf"
        server = f"types {{ application/json json; }} server {{ listen 127.0.0.1:{port} backlog=1024; root {self.files}; }}"
        config.write_text(nginx_config(self.folder / f"upstream-{number}", server))
        log = self.folder / f"upstream-{number}.log"
        process = self.started.start(self.cores, ["nginx", "-c", config], log)
        wait_for_port(port, process, log)
        return process

    def run(self):
        options = self.options
        words = [built("load", "open-loop"), self.listen, PATH, options.rate, options.requests / options.rate]
        begun = time.monotonic()
        load = subprocess.Popen([*map(str, words), str(options.connections)], stdout=subprocess.PIPE, text=True)
        samples, killed, alive = [], begun, True
        while load.poll() is None:
            self.flip()
            now = time.monotonic()
            if now - killed > options.kill_every:
                killed, alive = now, not alive
                self.kill() if not alive else self.revive()
            samples.append((now - begun, resident_bytes(self.pids), self.seen()))
            time.sleep(max(0, 1 - (time.monotonic() - now)))
        measured = json.loads(load.stdout.read())
        wait_until(lambda: self.status()["pending"] == 0)
        total = self.status()["total"]
        samples.append((time.monotonic() - begun, resident_bytes(self.pids), total["seen"]))
        return self.report(measured, total, samples)

    def flip(self):
        """One step further, or all the way back; and out of a fallback where there was one."""
        endpoint = {"endpoint": f"GET {PATH}"}
        route = next(one for one in self.status()["endpoints"] if one["endpoint"] == f"GET {PATH}")
        if route["hold"] != "none":
            self.fallbacks_seen += 1
            self.post("resume", {**endpoint, "reason": "soak"})
        if self.flips % (len(STAGES) + 1) == len(STAGES):
            self.post("rollback", {**endpoint, "reason": "soak"})
        else:
            to = STAGES[self.flips % (len(STAGES) + 1)]
            self.post("promote", {**endpoint, "to": to, "force": True, "reason": "soak"}, may_fail=True)
        self.flips += 1

    def kill(self):
        for pid in tree(self.candidate.pid):
            os.kill(pid, 9)
        self.candidate.wait()
        self.kills += 1

    def revive(self):
        self.candidate = self.upstream(self.options.ports + 1)

    def report(self, measured, total, samples):
        early = max(size for _, size, _ in samples[: max(1, len(samples) // 4)])
        late = samples[-1][1]
        print(f"requests: {measured['requests']:,} sent, {measured['failed']} failed; {total['seen']:,} counted by the proxy")
        print(f"flips: {self.flips}; fallbacks resumed: {self.fallbacks_seen}; the candidate was killed {self.kills} times")
        print(f"memory: {early / 2**20:.1f} MiB at most in the first quarter, {late / 2**20:.1f} MiB at the end")
        if self.options.svg:
            title = f"{measured['requests']:,} requests, {self.flips} flips, {self.kills} deaths of the candidate"
            self.options.svg.write_text(svg(samples, title))
        return wrong(measured["requests"], measured["failed"], total, (early, late), self.flips, self.kills)

    def seen(self):
        return self.status()["total"]["seen"]

    def status(self):
        return self.ask(urllib.request.Request(f"{self.admin}/api/v1/status"))

    def post(self, path, wish, may_fail=False):
        request = urllib.request.Request(
            f"{self.admin}/api/v1/{path}", json.dumps(wish).encode(), {"content-type": "application/json"}
        )
        try:
            return self.ask(request)
        except urllib.error.HTTPError as refused:
            # A step that the lifecycle does not have from here, such as forward over a dead candidate, is no flip.
            if may_fail and refused.code in (404, 409, 422):
                return None
            raise RuntimeError(f"{path} {wish}: {refused.code} {refused.read().decode()}") from refused

    def ask(self, request):
        answer = json.loads(urllib.request.urlopen(request, timeout=60).read())
        return answer.get("data", answer)


if __name__ == "__main__":
    main()
