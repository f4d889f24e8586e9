"""The command: starts servers and proxies, runs every check, prints what came of each."""

import argparse
import asyncio
import hashlib
import os
import socket
import ssl
import subprocess
import sys
import tempfile
from pathlib import Path

import grpc
import httpx
import websockets
from proxy_bench.processes import Started, wait_for_port
from proxy_bench.tools import certificate
from proxy_bench.upstreams import nginx_config

from .upstreams import EVENTS, grpc_server, http_server, websocket_server

BIG = 5_000_000
PAGE = "<!doctype html><title>a page</title><p id=out>no script</p><script src=/page.js></script>"
SCRIPT = (
    "document.getElementById('out').textContent ="
    " 'the script ran over ' + performance.getEntriesByType('navigation')[0].nextHopProtocol"
)


def main():
    parser = argparse.ArgumentParser(prog="scripts/real-clients", description="Real clients through the proxy.")
    parser.add_argument("--strangler", type=Path, required=True, help="the binary; the script builds and names it")
    parser.add_argument("--only", default="", help="part of the name of the checks to run")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="strangler-clients-") as name, Started() as started:
        folder = Path(name)
        os.chmod(folder, 0o755)
        checks = Checks(folder, options.strangler.resolve(), started)
        failed = 0
        for check in [getattr(checks, name) for name in dir(checks) if name.startswith("check_")]:
            name = check.__name__.removeprefix("check_").replace("_", " ")
            if options.only not in name:
                continue
            try:
                check()
                print(f"ok      {name}", flush=True)
            except Exception as error:
                failed += 1
                print(f"failed  {name}: {type(error).__name__}: {error}", flush=True)
    sys.exit(1 if failed else 0)


class Checks:
    def __init__(self, folder, strangler, started):
        self.folder, self.strangler, self.started = folder, strangler, started
        self.certificate, self.key = certificate(folder)
        files = folder / "files"
        files.mkdir()
        self.big = os.urandom(BIG)
        (files / "big.bin").write_bytes(self.big)
        (files / "page.html").write_text(PAGE)
        (files / "page.js").write_text(SCRIPT)
        control = free_port()
        pass_on = "proxy_http_version 1.1; proxy_buffering off; proxy_request_buffering off;"
        config = folder / "control.conf"
        config.write_text(
            nginx_config(
                folder / "control",
                f"""
                types {{ text/html html; text/javascript js; }}
                client_max_body_size 100m;
                server {{
                    listen 127.0.0.1:{control};
                    root {files};
                    location /ws {{ {pass_on} proxy_pass http://127.0.0.1:{websocket_server()};
                        proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade; }}
                    location /events {{ {pass_on} proxy_pass http://127.0.0.1:{(http := http_server())}; }}
                    location /echo {{ {pass_on} proxy_pass http://127.0.0.1:{http}; }}
                }}
                """,
            )
        )
        log = folder / "control.log"
        wait_for_port(control, started.start(self.cores(), ["nginx", "-c", config], log), log)
        self.grpc_server, grpc_port = grpc_server()
        self.address, tls = self.proxy("http1", f'control = "http://127.0.0.1:{control}"', control)
        self.tls_url = f"https://localhost:{tls}"
        h2 = f'control = {{ url = "http://127.0.0.1:{grpc_port}", protocol = "h2" }}'
        self.grpc_address, grpc_tls = self.proxy("grpc", h2, grpc_port)
        self.grpc_tls_address = f"localhost:{grpc_tls}"
        self.url = f"http://{self.address}"

    def cores(self):
        return ",".join(map(str, sorted(os.sched_getaffinity(0))))

    def proxy(self, name, control, candidate):
        port, tls, admin = free_port(), free_port(), free_port()
        folder = self.folder / name
        folder.mkdir()
        (folder / "strangler.toml").write_text(
            f'[upstreams]\n{control}\ncandidate = "http://127.0.0.1:{candidate}"\n'
            f'[listen]\naddress = "127.0.0.1:{port}"\n[admin]\naddress = "127.0.0.1:{admin}"\n'
            f'[[listener]]\naddress = "127.0.0.1:{tls}"\n'
            f'[listener.tls]\ncertificate = "{self.certificate}"\nkey = "{self.key}"\n'
        )
        log = folder / "log"
        command = [self.strangler, "serve", "--config", folder / "strangler.toml"]
        wait_for_port(port, self.started.start(self.cores(), command, log), log)
        wait_for_port(tls, self.started.processes[-1], log)
        return f"127.0.0.1:{port}", tls

    def check_curl_http1_download(self):
        same(curl(f"{self.url}/big.bin", "--http1.1"), self.big)

    def check_curl_http1_ranges(self):
        same(curl(f"{self.url}/big.bin", "--range", "1000-1999"), self.big[1000:2000])
        assert curl(f"{self.url}/big.bin", "--range", "0-9,20-29").count(b"Content-Range") == 2

    def check_curl_upload_with_100_continue(self):
        said = curl(f"{self.url}/echo", "--data-binary", f"@{self.folder}/files/big.bin", "-H", "Expect: 100-continue", "-v")
        same(said, self.big)

    def check_curl_http1_pieces_of_an_event_stream(self):
        process = subprocess.Popen(["curl", "-sN", f"{self.url}/events"], stdout=subprocess.PIPE)
        first = process.stdout.readline()
        assert first == b"data: 0\n", first
        assert process.poll() is None, "the first event came with the last"
        rest = process.stdout.read()
        assert rest.count(b"data: ") == EVENTS - 1, rest

    def check_curl_http2_prior_knowledge(self):
        same(curl(f"{self.url}/big.bin", "--http2-prior-knowledge"), self.big)
        said = curl(f"{self.url}/echo", "--http2-prior-knowledge", "--data-binary", f"@{self.folder}/files/big.bin")
        same(said, self.big)

    def check_nghttp(self):
        same(run("nghttp", f"{self.url}/big.bin"), self.big)

    def check_h2load(self):
        said = run("h2load", "-n", "2000", "-c", "4", "-m", "10", f"{self.url}/page.html").decode()
        assert "2000 succeeded, 0 failed, 0 errored" in said, said

    def check_curl_tls_http1(self):
        same(curl(f"{self.tls_url}/big.bin", "--http1.1", "--cacert", self.certificate), self.big)

    def check_curl_tls_http2(self):
        said = curl(f"{self.tls_url}/page.html", "--http2", "--cacert", self.certificate, "-w", "%{http_version}")
        same(said, PAGE.encode() + b"2")
        said = curl(f"{self.tls_url}/echo", "--cacert", self.certificate, "--data-binary", f"@{self.folder}/files/big.bin")
        same(said, self.big)

    def check_curl_tls_does_not_take_another_certificate(self):
        said = subprocess.run(["curl", "--silent", f"{self.tls_url}/page.html"], capture_output=True, timeout=60)
        assert said.returncode == 60, f"it ended with {said.returncode}"

    def check_websockets_tls(self):
        async def talk():
            url = f"{self.tls_url}/ws".replace("https", "wss")
            trusting = ssl.create_default_context(cafile=self.certificate)
            async with websockets.connect(url, ssl=trusting) as connection:
                await connection.send("hello")
                assert await connection.recv() == "hello"

        asyncio.run(talk())

    def check_grpc_tls(self):
        trusting = grpc.ssl_channel_credentials(Path(self.certificate).read_bytes())
        with grpc.secure_channel(self.grpc_tls_address, trusting) as channel:
            assert channel.unary_unary("/Echo/Say")(b"hello", timeout=20) == b"hello"
            sent = [b"message %d" % number for number in range(100)]
            assert list(channel.stream_stream("/Echo/Stream")(iter(sent), timeout=20)) == sent

    def check_httpx_http1(self):
        with httpx.Client() as client:
            same(client.get(f"{self.url}/big.bin").content, self.big)
            same(client.post(f"{self.url}/echo", content=self.big).content, self.big)

    def check_httpx_http2(self):
        with httpx.Client(http1=False, http2=True) as client:
            answer = client.get(f"{self.url}/big.bin")
            assert answer.http_version == "HTTP/2", answer.http_version
            same(answer.content, self.big)

    def check_websockets(self):
        async def talk():
            async with websockets.connect(f"ws://{self.address}/ws") as connection:
                for message in ["hello", "x" * 100_000, b"\x00\x01"]:
                    await connection.send(message)
                    assert await connection.recv() == message

        asyncio.run(talk())

    def check_grpc_unary(self):
        with grpc.insecure_channel(self.grpc_address) as channel:
            say = channel.unary_unary("/Echo/Say")
            for size in (0, 10, 1_000_000):
                assert say(b"x" * size, timeout=20) == b"x" * size

    def check_grpc_status_in_trailers(self):
        with grpc.insecure_channel(self.grpc_address) as channel:
            try:
                channel.unary_unary("/Echo/Fail")(b"", timeout=20)
            except grpc.RpcError as error:
                assert error.code() == grpc.StatusCode.FAILED_PRECONDITION and error.details() == "as asked", error
            else:
                raise AssertionError("it did not fail")

    def check_grpc_stream_both_ways(self):
        with grpc.insecure_channel(self.grpc_address) as channel:
            sent = [b"message %d" % number for number in range(100)]
            assert list(channel.stream_stream("/Echo/Stream")(iter(sent), timeout=20)) == sent

    def check_a_browser_loads_a_page(self):
        said = self.browse(f"{self.url}/page.html")
        assert b"the script ran over http/1.1" in said, said

    def check_a_browser_loads_a_page_over_tls_and_http2(self):
        said = self.browse(f"{self.tls_url}/page.html", "--ignore-certificate-errors")
        assert b"the script ran over h2" in said, said

    def browse(self, url, *words):
        return run(
            "chromium", "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={self.folder}/chromium",
            *words, "--dump-dom", url,
        )  # fmt: skip


def curl(url, *words):
    return run("curl", "--silent", "--show-error", "--fail", "--max-time", "60", *words, url)


def run(*words):
    done = subprocess.run(list(map(str, words)), capture_output=True, timeout=120)
    if done.returncode:
        raise RuntimeError(f"{words[0]} ended with {done.returncode}: {done.stderr.decode(errors='replace')[-500:]}")
    return done.stdout


def same(got, expected):
    digests = [hashlib.sha256(one).hexdigest()[:12] for one in (got, expected)]
    assert got == expected, f"{len(got)} bytes ({digests[0]}), expected {len(expected)} ({digests[1]})"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


if __name__ == "__main__":
    main()
