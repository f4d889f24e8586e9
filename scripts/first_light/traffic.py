"""The requests of a pair, read from its list and sent by curl."""

import subprocess
from dataclasses import dataclass

SAFE = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True)
class Request:
    method: str
    target: str
    headers: tuple[str, ...]
    body: str | None

    @property
    def safe(self):
        return self.method in SAFE

    def curl(self, origin):
        """As a command line. The target goes out as it is written: no globbing, no dot segments taken out."""
        command = ["curl", "--silent", "--show-error", "--globoff", "--path-as-is", "--max-time", "30"]
        command += ["--head"] if self.method == "HEAD" else ["--request", self.method]
        for header in self.headers:
            command += ["--header", header]
        if self.body is not None:
            command += ["--data-binary", self.body]
        return [*command, origin + self.target]


def read(path):
    """`METHOD TARGET [| Header: value]... [| = body]`, one a line; `#` begins a comment line."""
    requests = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        first, *rest = line.split(" | ")
        method, _, target = first.partition(" ")
        if not target.startswith("/"):
            raise SystemExit(f"error: {path}:{number}: expected `METHOD /target`, found `{first}`")
        body = next((part[2:] for part in rest if part.startswith("= ")), None)
        requests.append(Request(method, target, tuple(part for part in rest if not part.startswith("= ")), body))
    return requests


def send(request, origin):
    """The response's headers, by lower-case name. curl's own failures are failures of the client's request."""
    done = subprocess.run(
        [*request.curl(origin), "--output", "/dev/null", "--dump-header", "-"], capture_output=True, text=True, errors="replace"
    )
    if done.returncode:
        raise SystemExit(f"error: {request.method} {request.target}: the client got no response: {done.stderr.strip()}")
    lines = [line.partition(":") for line in done.stdout.splitlines() if ":" in line]
    return {name.lower(): value.strip() for name, _, value in lines}
