"""A client that asks one request after the other over one connection, and looks at every answer."""

import socket
import struct

from .origin import body_length

# RFC 9113 §6, §8.3 and RFC 7541: as much of HTTP/2 as a GET takes.
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RESET, SETTINGS, PING, GOAWAY = 0, 1, 3, 4, 6, 7
END_STREAM, END_HEADERS, ACK = 1, 4, 1
INITIAL_WINDOW, WINDOW_UPDATE = 4, 8
START, WIDE = 65_535, (1 << 31) - 1
STATUS_200 = 0x88


class Client:
    def __init__(self, address):
        host, port = address.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), 60)
        # All of a response fits, so that the proxy writes it at once.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def more(self):
        if not (read := self.socket.recv(1 << 20)):
            raise RuntimeError("the proxy closed the connection")
        return read


class Http1(Client):
    def ask(self, request, times):
        for _ in range(times):
            self.socket.sendall(request)
            received = bytearray()
            while b"\r\n\r\n" not in received:
                received += self.more()
            end = received.index(b"\r\n\r\n") + 4
            if not received.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(f"an answer that was not expected: {bytes(received[:200])}")
            missing = body_length(bytes(received[:end])) - (len(received) - end)
            while missing > 0:
                missing -= len(self.more())


class Http2(Client):
    """By prior knowledge. The window is as large as it can be, so that it never has to be widened."""

    def ask(self, path, times):
        window = frame(SETTINGS, 0, 0, struct.pack(">HI", INITIAL_WINDOW, WIDE))
        self.socket.sendall(PREFACE + window + frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", WIDE - START)))
        self.received = b""
        # The first request teaches the other end its fields, as every client's does; the others name them by number.
        fields = ((b"\x44", path), (b"\x41", b"example.com"), (b"\x7a", b"bench"), (b"\x53", b"*/*"))
        taught = b"\x82\x86" + b"".join(name + bytes((len(value),)) + value for name, value in fields)
        known = b"\x82\x86" + bytes(0x80 | 62 + place for place in reversed(range(len(fields))))
        for number in range(times):
            block = taught if number == 0 else known
            self.socket.sendall(frame(HEADERS, END_STREAM | END_HEADERS, 1 + 2 * number, block))
            self.take_answer(1 + 2 * number)

    def take_answer(self, stream):
        while True:
            kind, flags, of, payload = self.next_frame()
            if kind in (SETTINGS, PING) and not flags & ACK:
                self.socket.sendall(frame(kind, ACK, 0, payload if kind == PING else b""))
            elif kind == HEADERS and payload.lstrip(bytes(range(0x20, 0x40)))[0] != STATUS_200:
                raise RuntimeError(f"an answer that was not expected: {payload[:200]}")
            elif kind in (RESET, GOAWAY):
                raise RuntimeError(f"the proxy gave up on stream {of}: {payload[:200]}")
            if of == stream and kind in (DATA, HEADERS) and flags & END_STREAM:
                return

    def next_frame(self):
        while len(self.received) < 9 or len(self.received) < 9 + int.from_bytes(self.received[:3], "big"):
            self.received += self.more()
        end = 9 + int.from_bytes(self.received[:3], "big")
        taken, self.received = self.received[:end], self.received[end:]
        return taken[3], taken[4], int.from_bytes(taken[5:9], "big"), taken[9:]


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes((kind, flags)) + struct.pack(">I", stream) + payload
