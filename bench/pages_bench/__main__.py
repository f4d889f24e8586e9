"""Every page of the review page, over a store with 100,000 groups and a million comparisons."""

import http.client
import json
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from options import Options


def main():
    parser = Options("pages", "Median, p95 and bytes of every page over a large store.")
    parser.binary()
    parser.binary(
        "--large-ledger",
        "release/examples/large_ledger",
        "cargo build --release -p diff-harness --example large_ledger",
    )
    parser.add_argument("--groups", type=int, default=100_000)
    parser.add_argument("--comparisons", type=int, default=1_000_000)
    parser.add_argument("--requests", type=int, default=100, help="of each page")
    options = parser.parse_args()
    parser.need_binaries(options)
    folder = Path(tempfile.mkdtemp(prefix="strangler-bench-pages-"))
    try:
        run(options, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def run(options, folder):
    store = folder / "strangler.db"
    # The groups belong to the epoch that the proxy will be in, which only the proxy knows.
    with Proxy(options.strangler, folder) as proxy:
        epoch = proxy.api("/api/v1/epochs")
    for leftover in folder.glob("strangler.db*"):
        leftover.unlink()
    begun = time.monotonic()
    names = [epoch["candidate"], epoch["control"], epoch["rules"]]
    subprocess.run(
        [options.large_ledger, store, *names, str(options.groups), str(options.comparisons)], check=True
    )
    print(f"made in {time.monotonic() - begun:.0f} s, {store.stat().st_size / 1e6:.0f} MB")
    with Proxy(options.strangler, folder) as proxy:
        group = proxy.api("/api/v1/groups?limit=1")["groups"][0]
        last = options.groups // 50 - 1
        of = group["endpoint"].replace(" ", "%20").replace("{", "%7B").replace("}", "%7D")
        pages = {
            "overview": "/",
            "overview, filtered": "/?search=area3&sort=evidence&stage=shadow",
            "endpoint": f"/endpoint?of={of}",
            "groups": "/groups",
            "groups, the last page": f"/groups?page={last}",
            "groups, one severity": "/groups?severity=changed&page=100",
            "groups, to decide": "/groups?state=undecided",
            "groups, of one endpoint": f"/groups?endpoint={of}",
            "groups, searched": "/groups?search=things77%20member_1",
            "groups, searched: all": "/groups?search=member",
            "groups, searched: one sign": "/groups?search=7",
            "group": f"/groups/{group['id']}",
            "matrix": "/matrix",
            "rules": "/rules",
            "audit": "/audit",
            "audit, page 5": "/audit?page=5",
            "audit, searched": "/audit?search=shadow",
        }
        print(f"{'page':26}{'p50 ms':>9}{'p95 ms':>9}{'KB':>8}")
        for name, path in pages.items():
            took, size = proxy.measure(path, options.requests)
            p95 = statistics.quantiles(took, n=20)[18] if len(took) > 1 else took[0]
            print(f"{name:26}{statistics.median(took):9.1f}{p95:9.1f}{size / 1000:8.1f}")


class Proxy:
    """A `strangler serve` in front of nothing: no page asks an upstream for anything but whether it is there."""

    def __init__(self, strangler, folder):
        self.command = [
            strangler, "serve", "--control", "http://127.0.0.1:9", "--candidate", "http://127.0.0.1:9",
            "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--store", folder / "strangler.db",
        ]
        self.folder = folder

    def __enter__(self):
        self.process = subprocess.Popen(
            self.command, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        for line in self.process.stdout:
            if "admin API on http://" in line:
                host, port = line.strip().rsplit("//", 1)[1].split(":")
                self.connection = http.client.HTTPConnection(host, int(port), timeout=60)
                return self
        raise SystemExit("error: strangler serve did not start")

    def __exit__(self, *_):
        self.connection.close()
        self.process.terminate()
        self.process.wait()

    def get(self, path):
        self.connection.request("GET", path)
        answer = self.connection.getresponse()
        return answer.status, answer.read()

    def api(self, path):
        status, body = self.get(path)
        if status != 200:
            raise SystemExit(f"error: {path} answered {status}: {body[:300]}")
        return json.loads(body)["data"]

    def measure(self, path, requests):
        took, size = [], 0
        for _ in range(requests):
            begun = time.perf_counter()
            status, body = self.get(path)
            took.append((time.perf_counter() - begun) * 1000)
            size = max(size, len(body))
            if status != 200:
                raise SystemExit(f"error: {path} answered {status}: {body[:300]}")
        return took, size


main()
