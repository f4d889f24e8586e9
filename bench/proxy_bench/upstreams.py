"""Control and candidate: one nginx with one worker that serves the same files on two ports."""

import json

from .processes import tree, wait_for_port

# Named as in a URL; the sizes in bytes.
BODIES = {"1k": 1_000, "100k": 100_000}
POST_BYTES = 10_000
POST_PATH = "/post"


class Upstreams:
    """Also a contestant: the direct path, without any proxy."""

    name = "direct"
    answers = ("h1",)

    def __init__(self, folder, options, started):
        control, candidate = options.ports, options.ports + 1
        files = folder / "files"
        files.mkdir()
        for name, size in BODIES.items():
            (files / f"{name}.json").write_text(body(size))
        self.post_body = folder / "post.json"
        self.post_body.write_text(body(POST_BYTES))
        answer = f"""location {POST_PATH} {{ client_body_buffer_size 64k; return 200 '{{"ok":true}}'; }}"""
        config = folder / "upstreams.conf"
        config.write_text(
            nginx_config(
                folder / "upstreams",
                f"""
                open_file_cache max=16;
                types {{ application/json json; }}
                default_type application/json;
                server {{ listen 127.0.0.1:{control} backlog=1024; root {files}; {answer} }}
                server {{ listen 127.0.0.1:{candidate} backlog=1024; root {files}; {answer} }}
                """,
            )
        )
        log = folder / "upstreams.log"
        process = started.start(options.load_core, ["nginx", "-c", config], log)
        wait_for_port(candidate, process, log)
        self.pids = tree(process.pid)
        self.port = control

    def url(self, kind):
        return f"http://127.0.0.1:{self.port}" if kind == "h1" else None

    def why_not(self, kind):
        return "the upstreams speak HTTP/1.1 in the clear"

    def compared(self):
        return 0

    def settle(self):
        pass


def nginx_config(prefix, http):
    """One worker in the foreground that writes nothing but to its own prefix."""
    prefix.mkdir()
    paths = " ".join(
        f"{name}_temp_path {prefix}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return f"""
    daemon off; worker_processes 1; worker_rlimit_nofile 65536; pid {prefix}/pid; error_log {prefix}/error.log crit;
    events {{ worker_connections 32768; }}
    http {{
        {paths}
        access_log off; sendfile on; tcp_nodelay on; keepalive_timeout 900s; keepalive_requests 1000000000;
        {http}
    }}
    """


def body(size):
    """JSON of exactly that many bytes, of the kind an API answers with."""
    rows, text = [], ""
    while len(text) < size:
        number = len(rows)
        rows.append({"id": number, "title": f"Title of number {number}", "public": number % 3 == 0, "plays": number * 7})
        text = json.dumps(rows)
    rows.pop()
    text = json.dumps(rows)
    return text + " " * (size - len(text))
