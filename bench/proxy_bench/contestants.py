"""What is measured. Each one listens on its own ports, on the proxy's core, and forwards to control."""

import json
import subprocess
import time
import urllib.request
from pathlib import Path

from .processes import tree, wait_for_port
from .tools import Unavailable, certificate
from .upstreams import BODIES, nginx_config

# Connections each proxy may keep open to an upstream: more than the load opens, so that none waits for one.
POOL = 256


class Contestant:
    # What its clients may speak: "h1", "h2" without TLS (prior knowledge), and both with TLS ("h1-tls", "h2-tls").
    answers = ("h1", "h2", "h1-tls", "h2-tls")

    def __init__(self, name, folder, port, options, started, candidate=None):
        self.name, self.folder, self.options = name, folder, options
        # h1, h2, TLS, and one for its own administration.
        self.port, self.port_h2, self.port_tls, self.port_admin = range(port, port + 4)
        self.control = f"127.0.0.1:{options.ports}"
        self.candidate = candidate or f"127.0.0.1:{options.ports + 1}"
        self.certificate, self.key = certificate(folder)
        log = folder / f"{name}.log"
        process = started.start(options.proxy_core, self.command(), log, env=self.environment())
        try:
            wait_for_port(self.port, process, log)
            self.ready()
        except (RuntimeError, OSError) as failure:
            raise Unavailable(failure) from failure
        self.pids = tree(process.pid)

    def url(self, kind):
        if kind not in self.answers:
            return None
        return {
            "h1": f"http://127.0.0.1:{self.port}",
            "h2": f"http://127.0.0.1:{self.port_h2}",
            "h1-tls": f"https://127.0.0.1:{self.port_tls}",
            "h2-tls": f"https://127.0.0.1:{self.port_tls}",
        }[kind]

    def why_not(self, kind):
        return f"it does not speak {kind} here"

    def environment(self):
        return {}

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
                ssl_certificate {self.certificate}; ssl_certificate_key {self.key}; ssl_protocols TLSv1.3;
                server {{
                    listen 127.0.0.1:{self.port} backlog=1024;
                    listen 127.0.0.1:{self.port_h2} http2 backlog=1024;
                    listen 127.0.0.1:{self.port_tls} ssl http2 backlog=1024;
                    location / {{ {self.location} proxy_pass http://control; }}
                    {self.server}
                }}
                """,
            )
        )
        return ["nginx", "-c", config]


class NginxTuned(Nginx):
    """Buffers that hold the largest body, so that nothing goes through a file."""

    buffers = "proxy_buffers 16 8k; client_body_buffer_size 64k;"


class NginxMirror(NginxTuned):
    """Tuned, and with its mirror module: the candidate gets a copy, and what it answers is thrown away."""

    location = "mirror /mirror;"
    server = "location = /mirror { internal; proxy_pass http://candidate$request_uri; }"


class HaProxy(Contestant):
    def command(self):
        both = self.folder / "haproxy.pem"
        both.write_text(self.certificate.read_text() + self.key.read_text())
        config = self.folder / "haproxy.cfg"
        config.write_text(
            f"""
            global
                nbthread 1
                maxconn 16384
                no strict-limits
                ssl-default-bind-options ssl-min-ver TLSv1.3
            defaults
                mode http
                option http-keep-alive
                http-reuse always
                timeout client 900s
                timeout http-keep-alive 900s
                timeout server 60s
                timeout connect 5s
            listen proxy
                bind 127.0.0.1:{self.port} backlog 1024
                bind 127.0.0.1:{self.port_h2} proto h2 backlog 1024
                bind 127.0.0.1:{self.port_tls} ssl crt {both} alpn h2,http/1.1 backlog 1024
                server control {self.control} pool-max-conn {POOL}
            """.replace("\n            ", "\n")
        )
        return ["haproxy", "-db", "-f", config]


class Strangler(Contestant):
    """`strangler serve` with its defaults, and every endpoint of the load declared."""

    stage = "legacy"
    settings = ""

    def url(self, kind):
        # One port for both: it looks at the first bytes of a connection.
        return super().url("h1" if kind == "h2" else kind)

    def command(self):
        self.binary = Path(self.options.strangler).resolve()
        if not self.binary.exists():
            raise Unavailable(f"{self.binary} is not there (cargo build --release)")
        self.admin = f"127.0.0.1:{self.port_admin}"
        folder = self.folder / self.name
        folder.mkdir()
        # Idle connections are to stay for as long as they are measured.
        (folder / "strangler.toml").write_text(
            f"""
            [upstreams]
            control = "http://{self.control}"
            candidate = "http://{self.candidate}"
            [listen]
            address = "127.0.0.1:{self.port}"
            threads = 1
            [[listener]]
            address = "127.0.0.1:{self.port_tls}"
            [listener.tls]
            certificate = "{self.certificate}"
            key = "{self.key}"
            min_version = "1.3"
            [admin]
            address = "{self.admin}"
            [limits]
            connections = 16384
            requests = 8192
            upstream_connections = 1024
            [timeouts]
            client_idle = "15m"
            {self.settings}
            """
        )
        return [self.binary, "serve", "--config", folder / "strangler.toml"]

    def ready(self):
        wait_until(lambda: urllib.request.urlopen(f"http://{self.admin}/readyz", timeout=5).status == 200)
        for name in BODIES:
            self.strangler("routes", "add", "GET", f"/{name}.json")
            if self.stage != "legacy":
                # A candidate that cannot be reached is one of those that are measured.
                force = ("--force", "--reason", "a benchmark")
                self.strangler("promote", "GET", f"/{name}.json", "--to", self.stage, *force)
        self.strangler("routes", "add", "POST", "/post")

    def strangler(self, *words):
        command = [self.binary, *words, "--admin", f"http://{self.admin}", "--format", "json"]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"strangler {' '.join(words)} ended with {done.returncode}: {done.stdout}{done.stderr}")
        return json.loads(done.stdout)


class StranglerShadow(Strangler):
    """Every endpoint that is safe at stage `shadow`: everything is compared."""

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


class StranglerShadowAbreast(StranglerShadow):
    """With threads behind the clients that do not give way to them: the core is shared, and a full load compared too."""

    settings = "[shadow]\nnice = 0\n[record]\nnice = 0\n"


def wait_until(condition, seconds=90):
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
