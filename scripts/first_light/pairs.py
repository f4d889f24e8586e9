"""The pairs: what is installed, how it is started, and what each is good to show."""

import platform
import shutil
import subprocess
import sys
import urllib.request
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent / "pairs"


@dataclass(frozen=True)
class Gate:
    """A move that is asked for, and the exit code that it has to end with."""

    endpoint: str
    exit: int
    why: str
    force: bool = False


class Pair:
    name: str
    # Paths of endpoints that the document leaves out, and what they are added as once discovery has listed them.
    undeclared: dict[str, str]
    # Endpoints whose rows differ because writes go to control alone.
    written: tuple[str, ...] = ()
    # The header by which a client can tell who answered.
    witness: str
    signature: dict[str, str]
    gates: tuple[Gate, ...]

    def __init__(self, installed, run):
        self.files = HERE / self.name
        self.installed = installed / self.name
        self.run = run
        self.rules = self.files / "rules.toml"
        self.requests = self.files / "requests.txt"

    def install(self):
        """Installs pinned versions with the ordinary client, once."""

    def start(self, servers, control, candidate):
        """Starts both on the given ports."""

    def openapi(self, candidate):
        """The document that endpoints are imported from."""


class JsonServer(Pair):
    name = "json-server"
    undeclared = {"/playlists/5/tracks": "GET /playlists/{id}/tracks", "/events/e-1": "GET /events/{id}"}
    written = ("GET /drafts", "GET /drafts/{id}")
    witness = "x-powered-by"
    signature = {"control": "Express", "candidate": "tinyhttp"}
    gates = (
        Gate("GET /profile", 0, "its two differences are declared in rules, and it was compared often enough"),
        Gate("OPTIONS /tracks", 4, "it was not compared often enough"),
        Gate("GET /likes", 3, "it has open groups"),
        Gate("GET /likes", 0, "a person takes responsibility, and none of its groups is an exposure", force=True),
        Gate("GET /events", 3, "force does not override an open exposure", force=True),
    )

    def install(self):
        self.installed.mkdir(parents=True, exist_ok=True)
        for file in ("package.json", "package-lock.json"):
            shutil.copy(self.files / file, self.installed)
        done_for = self.installed / "installed-for"
        wanted = (self.files / "package-lock.json").read_text()
        if not (done_for.exists() and done_for.read_text() == wanted):
            command = ["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"]
            subprocess.run(command, cwd=self.installed, check=True, stdout=sys.stderr)
            done_for.write_text(wanted)

    def start(self, servers, control, candidate):
        # 1.0 needs a newer Node.js than Debian has; it comes from the lock file too, and runs both.
        machine = {"x86_64": "x64", "aarch64": "arm64"}[platform.machine()]
        modules = self.installed / "node_modules"
        node = modules / f"node-linux-{machine}" / "bin" / "node"
        for side, port, program in (
            ("control", control, "lib/cli/bin.js"),
            ("candidate", candidate, "lib/bin.js"),
        ):
            data = self.run / f"{side}.json"
            shutil.copy(self.files / "data.json", data)
            command = [node, modules / side / program, "--host", "127.0.0.1", "--port", port, data]
            servers.start(side, command, f"http://127.0.0.1:{port}/profile", NODE_ENV="development")

    def openapi(self, candidate):
        return self.files / "openapi.yaml"


class HttpBin(Pair):
    name = "httpbin"
    undeclared = {
        "/cache": "GET /cache",
        "/cache/60": "GET /cache/{value}",
        "/etag/abc": "GET /etag/{etag}",
        "/response-headers": "GET /response-headers",
        "/basic-auth/u/p": "GET /basic-auth/{user}/{passwd}",
    }
    witness = "server"
    signature = {"control": "gunicorn", "candidate": "uvicorn"}
    gates = (
        Gate("GET /user-agent", 0, "it never differed, and was compared often enough"),
        Gate("GET /ip", 4, "it was not compared often enough"),
        Gate("GET /html", 3, "it has an open group"),
        Gate("GET /html", 0, "a person takes responsibility, and its group is no exposure", force=True),
        Gate("GET /bombs/{file}", 3, "force does not override an open exposure", force=True),
    )

    def install(self):
        for side in ("control", "candidate"):
            place, requirements = self.installed / side, self.files / f"{side}.txt"
            done_for = place / "installed-for"
            if not (done_for.exists() and done_for.read_text() == requirements.read_text()):
                subprocess.run([sys.executable, "-m", "venv", "--clear", place], check=True, stdout=sys.stderr)
                command = [place / "bin/pip", "install", "--quiet", "--disable-pip-version-check", "-r", requirements]
                subprocess.run(command, check=True, stdout=sys.stderr)
                done_for.write_text(requirements.read_text())

    def start(self, servers, control, candidate):
        gunicorn = [self.installed / "control/bin/gunicorn", "--threads", "8", "--bind", f"127.0.0.1:{control}"]
        servers.start("control", [*gunicorn, "httpbin:app"], f"http://127.0.0.1:{control}/get")
        uvicorn = [self.installed / "candidate/bin/uvicorn", "--host", "127.0.0.1", "--port", candidate]
        servers.start("candidate", [*uvicorn, "httpbinx.main:app"], f"http://127.0.0.1:{candidate}/get")

    def openapi(self, candidate):
        """The one that the candidate publishes of itself."""
        document = self.run / "openapi.json"
        with urllib.request.urlopen(f"http://127.0.0.1:{candidate}/openapi.json", timeout=20) as response:
            document.write_bytes(response.read())
        return document


PAIRS = {pair.name: pair for pair in (JsonServer, HttpBin)}
