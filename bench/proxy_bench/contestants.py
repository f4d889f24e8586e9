"""What is measured. Each one listens on its own port, on the proxy's core, and forwards to control."""

import json
import shutil
import subprocess
import time
import urllib.request
from pathlib import Path

from .processes import tree, wait_for_port
from .upstreams import BODIES, nginx_config

# Connections each proxy may keep open to an upstream: more than the load opens, so that none waits for one.
POOL = 256


class Unavailable(Exception):
    """It cannot take part on this machine, and the text says why."""


class Contestant:
    def __init__(self, name, folder, port, options, started):
        self.name, self.folder, self.port, self.options = name, folder, port, options
        self.control = f"127.0.0.1:{options.ports}"
        self.candidate = f"127.0.0.1:{options.ports + 1}"
        self.url = f"http://127.0.0.1:{port}"
        log = folder / f"{name}.log"
        process = started.start(options.proxy_core, self.command(), log)
        try:
            wait_for_port(port, process, log)
            self.ready()
        except (RuntimeError, OSError) as failure:
            raise Unavailable(failure) from failure
        self.pids = tree(process.pid)

    def ready(self):
        pass

    def compared(self):
        """Comparisons made so far."""
        return 0

    def settle(self):
        """Waits until nothing is left to do for requests that were answered."""


class Nginx(Contestant):
    """With keep-alive to the upstream, and otherwise its defaults: 64 KB of buffers, past them a temporary file."""

    buffers = ""
    location = ""
    server = ""

    def command(self):
        config = self.folder / f"{self.name}.conf"
        config.write_text(
            nginx_config(
                self.folder / self.name,
                f"""
                upstream control {{ server {self.control}; keepalive {POOL}; keepalive_requests 1000000000; }}
                upstream candidate {{ server {self.candidate}; keepalive {POOL}; keepalive_requests 1000000000; }}
                {self.buffers}
                proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $http_host;
                server {{
                    listen 127.0.0.1:{self.port} backlog=1024;
                    location / {{ {self.location} proxy_pass http://control; }}
                    {self.server}
                }}
                """,
            )
        )
        return ["nginx", "-c", config]


class NginxTuned(Nginx):
    """Buffers that hold the largest body, so that nothing goes through a file."""

    buffers = "proxy_buffers 16 8k;"


class NginxMirror(Nginx):
    location = "mirror /mirror;"
    server = "location = /mirror { internal; proxy_pass http://candidate$request_uri; }"


class HaProxy(Contestant):
    def command(self):
        if not shutil.which("haproxy"):
            raise Unavailable("haproxy is not installed (apt-get install haproxy)")
        config = self.folder / "haproxy.cfg"
        config.write_text(
            f"""
            global
                nbthread 1
            defaults
                mode http
                option http-keep-alive
                http-reuse always
                timeout client 60s
                timeout server 60s
                timeout connect 5s
            listen proxy
                bind 127.0.0.1:{self.port} backlog 1024
                server control {self.control} pool-max-conn {POOL}
            """.replace("\n            ", "\n")
        )
        return ["haproxy", "-db", "-f", config]


class Strangler(Contestant):
    """`strangler serve` with its defaults, and every endpoint of the load declared."""

    stage = "legacy"

    def command(self):
        self.binary = Path(self.options.strangler).resolve()
        if not self.binary.exists():
            raise Unavailable(f"{self.binary.name} is not built (cargo build --release)")
        self.admin = f"127.0.0.1:{self.port + 500}"
        return [
            self.binary, "serve",
            "--control", f"http://{self.control}", "--candidate", f"http://{self.candidate}",
            "--listen", f"127.0.0.1:{self.port}", "--admin", self.admin,
            "--store", self.folder / f"{self.name}.db",
        ]  # fmt: skip

    def ready(self):
        wait_until(lambda: urllib.request.urlopen(f"http://{self.admin}/readyz", timeout=5).status == 200)
        for name in BODIES:
            self.strangler("routes", "add", "GET", f"/{name}.json")
            if self.stage != "legacy":
                self.strangler("promote", "GET", f"/{name}.json", "--to", self.stage)

    def strangler(self, *words):
        command = [self.binary, *words, "--admin", f"http://{self.admin}", "--format", "json"]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"strangler {' '.join(words)} ended with {done.returncode}: {done.stdout}{done.stderr}")
        return json.loads(done.stdout)


class StranglerShadow(Strangler):
    stage = "shadow"

    def compared(self):
        return self.sums()["compared"]

    def settle(self):
        wait_until(lambda: self.sums()["pending"] == 0)

    def sums(self):
        """What became of all requests, from the metrics."""
        text = urllib.request.urlopen(f"http://{self.admin}/metrics", timeout=5).read().decode()
        sums = {"compared": 0, "pending": 0}
        for line in text.splitlines():
            name, _, value = line.rpartition(" ")
            for key in sums:
                if name.startswith("strangler_") and key in name and not line.startswith("#"):
                    sums[key] += float(value)
        return sums


def wait_until(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while True:
        try:
            if condition():
                return
        except OSError:
            pass
        if time.monotonic() > deadline:
            raise RuntimeError(f"it did not come true within {seconds} s")
        time.sleep(0.05)


CONTESTANTS = {
    "nginx": Nginx,
    "nginx-tuned": NginxTuned,
    "nginx-mirror": NginxMirror,
    "haproxy": HaProxy,
    "strangler-legacy": Strangler,
    "strangler-shadow": StranglerShadow,
}
