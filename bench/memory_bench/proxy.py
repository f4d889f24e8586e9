"""`strangler serve` with small limits, and what the kernel says of its memory."""

import json
import os
import re
import subprocess
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

CONFIG = """
[upstreams]
control = "http://127.0.0.1:{control}"
candidate = "http://127.0.0.1:{candidate}"
[listen]
address = "127.0.0.1:0"
threads = {s.threads}
[admin]
address = "127.0.0.1:0"
connections = {s.admin_connections}
request_body = "{s.admin_bodies}B"
request_bodies = "{s.admin_bodies}B"
[http2]
streams = {s.streams}
stream_window = "{s.stream_window}B"
connection_window = "{s.connection_window}B"
send_buffer = "{s.send_buffer}B"
[limits]
connections = {s.connections}
requests = {s.requests}
tunnels = {s.tunnels}
shed_shadow_at = "100%"
request_head = "{s.request_head}B"
request_fields = {s.request_fields}
gather_body = "{s.gather_body}B"
replay_body = "{s.replay_body}B"
response_head = "{s.response_head}B"
response_fields = {s.response_fields}
upstream_connections = {s.upstream_connections}
upstream_waiting = 16
upstream_idle = 16
[timeouts]
request_head = "2m"
request_body = "2m"
client_write = "2m"
client_idle = "2m"
response_head = "2m"
response_body = "2m"
drain = "100ms"
[shadow]
queue = {s.shadow_queue}
concurrency = {s.shadow_concurrency}
memory = "{s.shadow_memory}B"
kept_body = "{s.kept_body}B"
decoded_body = "{s.decoded_body}B"
again_queue = {s.again_queue}
wait = "2m"
timeout = "2m"
[record]
queue = {s.record_queue}
threads = {s.record_threads}
waiting = {s.waiting}
waiting_bytes = "{s.waiting_bytes}B"
"""

ENDPOINTS = ("GET /shadowed", "GET /compared", "GET /long")


class Proxy:
    def __init__(self, binary, settings, control, candidate):
        self.folder = tempfile.TemporaryDirectory(prefix="strangler-memory-")
        folder = Path(self.folder.name)
        self.store = folder / "strangler.db"
        text = CONFIG.format(s=settings, control=control, candidate=candidate)
        (folder / "strangler.toml").write_text(text)
        command = [binary, "serve", "--config", folder / "strangler.toml"]
        with (folder / "log").open("w") as log:
            self.process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=log, text=True)
        self.port = self.admin = None
        try:
            self.started(folder)
        except BaseException:
            self.stop()
            raise

    def started(self, folder):
        seen = ""
        while self.port is None or self.admin is None:
            line = self.process.stdout.readline()
            if not line:
                log = (folder / "log").read_text()[-2000:]
                raise SystemExit(f"error: strangler serve did not start:\n{seen}{log}")
            seen += line
            port = re.search(r"http://127\.0\.0\.1:(\d+)", line)
            if port and "admin" in line:
                self.admin = int(port[1])
            elif port and "listen" in line.lower():
                self.port = int(port[1])
        threading.Thread(target=self.process.stdout.read, daemon=True).start()

    def declare(self):
        self.post("routes", {"endpoints": [{"endpoint": name, "source": "bench"} for name in ENDPOINTS]})
        for name in ENDPOINTS:
            order = {"endpoint": name, "to": "shadow", "force": True, "reason": "bench"}
            self.post("promote", order)

    def post(self, path, what):
        url = f"http://127.0.0.1:{self.admin}/api/v1/{path}"
        headers = {"content-type": "application/json"}
        request = urllib.request.Request(url, json.dumps(what).encode(), headers, method="POST")
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def memory(self):
        """Resident bytes now, and the most that they have been."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return tuple(int(re.search(rf"{name}:\s+(\d+) kB", status)[1]) << 10 for name in ("VmRSS", "VmHWM"))

    def connections(self):
        """Sockets that it has open."""
        folder = f"/proc/{self.process.pid}/fd"
        count = 0
        for name in os.listdir(folder):
            try:
                count += os.readlink(f"{folder}/{name}").startswith("socket:")
            except FileNotFoundError:
                pass
        return count

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.folder.cleanup()
