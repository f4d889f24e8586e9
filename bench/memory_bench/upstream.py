"""The upstreams: raw asyncio, so that they can stop in the middle of anything."""

import asyncio

LARGE = 1 << 30
OPEN = set()


class Upstream(asyncio.Protocol):
    """Answers by path. `side` is "control" or "candidate"."""

    def __init__(self, side, response_head):
        self.side, self.response_head = side, response_head
        self.head, self.left, self.writing = b"", 0, False

    def connection_made(self, transport):
        self.transport = transport
        # Nobody else holds one that neither reads nor writes.
        OPEN.add(self)

    def connection_lost(self, _):
        self.writing = False
        OPEN.discard(self)

    def data_received(self, data):
        if self.left:
            taken = min(self.left, len(data))
            self.left -= taken
            data = data[taken:]
            if self.left:
                return
            self.answer(b"ok")
        self.head += data
        while not self.left and b"\r\n\r\n" in self.head:
            head, _, self.head = self.head.partition(b"\r\n\r\n")
            self.asked(head)

    def asked(self, head):
        path = head.split(b" ", 2)[1].split(b"?")[0]
        if path == b"/stall" or (path == b"/shadowed" and self.side == "candidate"):
            # Takes no byte more, and says nothing.
            return self.transport.pause_reading()
        if path == b"/large":
            self.transport.write(f"HTTP/1.1 200 OK\r\nContent-Length: {LARGE}\r\n\r\n".encode())
            self.writing = True
            return self.resume_writing()
        if path == b"/head":
            value = "v" * (self.response_head // 80)
            fields = "".join(f"x-{n}: {value}\r\n" for n in range((self.response_head - 2048) // (len(value) + 8)))
            return self.transport.write(f"HTTP/1.1 200 OK\r\n{fields}Content-Length: 10\r\n\r\nhalf".encode())
        if path == b"/tunnel":
            self.transport.write(b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: bytes\r\n\r\n")
            self.transport.write(bytes(256 << 10))
            return self.transport.pause_reading()
        if path == b"/shadowed":
            return self.answer(b"s" * (200 << 10))
        if path == b"/compared":
            other = 0 if self.side == "control" else 1
            return self.answer(b"[" + b",".join(b'{"n":%d}' % (n + other) for n in range(8000)) + b"]", "application/json")
        if path == b"/long":
            value = ("c" if self.side == "control" else "d") * 980
            return self.answer(b"[" + b",".join(b'{"id":%d,"value":"%s"}' % (n, value.encode()) for n in range(240)) + b"]", "application/json")
        for line in head.split(b"\r\n"):
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                self.left = int(value)
        if not self.left:
            self.answer(b"ok")

    def answer(self, body, kind="text/plain"):
        head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
        self.transport.write(head.encode() + body)

    def pause_writing(self):
        self.writing = False

    def resume_writing(self):
        self.writing = True
        asyncio.get_running_loop().call_soon(self.more)

    def more(self):
        if self.writing and not self.transport.is_closing():
            self.transport.write(bytes(64 << 10))
            if self.writing:
                asyncio.get_running_loop().call_soon(self.more)


async def serve(side, response_head):
    """The port of a new one, and the server."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Upstream(side, response_head), "127.0.0.1", 0, backlog=1024)
    return server.sockets[0].getsockname()[1], server
