"""The upstreams: a thread for each connection, and always the same answers."""

import json
import socket
import threading

BODIES = {"/1k": json.dumps({"title": "x" * 986}).encode(), "/100k": json.dumps({"title": "x" * 99986}).encode()}
ANSWERED = b'{"ok":true}'


class Origin:
    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            connection, _ = self.listener.accept()
            threading.Thread(target=self.answer, args=[connection], daemon=True).start()

    def answer(self, connection):
        # All of an answer is there when the proxy looks: how often it reads must not depend on who is faster.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with connection:
            received = b""
            while True:
                while b"\r\n\r\n" not in received:
                    if not (more := connection.recv(1 << 20)):
                        return
                    received += more
                head, _, received = received.partition(b"\r\n\r\n")
                length = body_length(head)
                while len(received) < length:
                    received += connection.recv(1 << 20)
                received = received[length:]
                body = BODIES.get(head.split(b" ")[1].decode(), ANSWERED)
                fields = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
                connection.sendall(fields % len(body) + body)


def body_length(head):
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0
