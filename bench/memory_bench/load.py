"""What clients do to the proxy, a coroutine for each term of the bound. Each leaves its connections open in `held`."""

import asyncio
import socket

from memory_bench import http2

HOST = b"Host: bench\r\n"


class Load:
    def __init__(self, port, settings, random):
        self.port, self.settings, self.random = port, settings, random
        self.held = []
        self.tasks = []

    async def connect(self):
        """A client that takes little before it reads: what it does not take is to stay in the proxy, not in the kernel."""
        loop = asyncio.get_running_loop()
        one = socket.socket()
        one.setblocking(False)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 10)
        self.held.append(one)
        await loop.sock_connect(one, ("127.0.0.1", self.port))
        return one

    async def each(self, count, work):
        await asyncio.gather(*[work(await self.connect()) for _ in range(count)])

    def send_on(self, client, data):
        """Goes on with it as long as the proxy takes it."""
        self.tasks.append(asyncio.create_task(send(client, data)))

    async def idle(self, count):
        """Had a request, and wait."""

        async def one(client):
            await send(client, b"GET /small HTTP/1.1\r\n" + HOST + b"\r\n")
            await whole_answer(client)

        await self.each(count, one)

    async def heads(self, count):
        """Request heads as large as they may be, in pieces, without their end."""

        async def one(client):
            left = self.settings.request_head - 1024
            await send(client, b"GET /small HTTP/1.1\r\n" + HOST)
            number = 0
            while left > 0:
                value = b"h" * min(left, self.random.randrange(500, 4000))
                await send(client, b"X-%d: %s\r\n" % (number, value))
                await asyncio.sleep(0.002)
                left -= len(value) + 8
                number += 1

        await self.each(count, one)

    async def replay(self, count):
        """Safe requests whose bodies are all there but for a byte."""

        async def one(client):
            length = self.settings.replay_body
            await send(client, b"GET /small HTTP/1.1\r\n" + HOST + b"Content-Length: %d\r\n\r\n" % length)
            await self.pieces(client, length - 1)

        await self.each(count, one)

    async def pieces(self, client, left):
        while left:
            size = min(left, self.random.randrange(1000, 32 << 10))
            await send(client, b"r" * size)
            left -= size

    async def uploads(self, count):
        """Unsafe requests to an upstream that reads nothing."""

        async def one(client):
            length = 16 << 20
            await send(client, b"POST /stall HTTP/1.1\r\n" + HOST + b"Content-Length: %d\r\n\r\n" % length)
            self.send_on(client, b"u" * length)

        await self.each(count, one)

    async def readers(self, count):
        """Large responses that nobody reads."""

        async def one(client):
            await send(client, b"GET /large HTTP/1.1\r\n" + HOST + b"\r\n")

        await self.each(count, one)

    async def answers(self, count):
        """Response heads as large as they may be; the body does not end and nobody reads."""

        async def one(client):
            await send(client, b"GET /head HTTP/1.1\r\n" + HOST + b"\r\n")

        await self.each(count, one)

    async def streams(self, count):
        """HTTP/2: as many streams as there may be, each of which sends as much as its window has."""

        async def one(client):
            self.tasks.append(asyncio.create_task(http2.upload(client, self.settings.streams, b"/stall")))

        await self.each(count, one)

    async def slow_streams(self, count):
        """HTTP/2: streams whose large responses nobody reads."""

        async def one(client):
            await http2.ask(client, self.settings.streams, b"/large")

        await self.each(count, one)

    async def shadows(self, count):
        """Responses of 200 KiB that are kept for a candidate which hangs."""
        await self.whole(count, b"/shadowed", 2)

    async def compared(self, count):
        """Responses of which each side says something else, in thousands of places."""
        await self.whole(count, b"/compared", 20)

    async def long_values(self, count):
        """The same, of values as long as they are shown."""
        await self.whole(count, b"/long", 20)

    async def whole(self, count, path, times):
        async def one(client):
            for _ in range(times):
                await send(client, b"GET %s?%d HTTP/1.1\r\n" % (path, self.random.randrange(1000)) + HOST + b"\r\n")
                await whole_answer(client)

        await self.each(count, one)

    async def tunnels(self, count):
        """Connections that have become something else, with both directions full. One after the other: a burst of them
        waits for connections to the upstream, and is refused."""
        loop = asyncio.get_running_loop()
        head = b"GET /tunnel HTTP/1.1\r\n" + HOST + b"Connection: upgrade\r\nUpgrade: bytes\r\n\r\n"
        for _ in range(count):
            client = await self.connect()
            await send(client, head)
            answer = await loop.sock_recv(client, 1024)
            if answer.startswith(b"HTTP/1.1 101"):
                self.send_on(client, bytes(4 << 20))
            elif not answer.startswith(b"HTTP/1.1 503"):
                raise SystemExit(f"error: a tunnel got another answer than 101 and 503: {answer[:200]}")

    async def end(self):
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        for one in self.held:
            one.close()
        self.held, self.tasks = [], []


async def send(client, data):
    try:
        await asyncio.get_running_loop().sock_sendall(client, data)
    except (ConnectionError, OSError):
        pass  # Refused and closed: the proxy may, at a limit.


async def whole_answer(client):
    """Reads one response with a length."""
    loop, got = asyncio.get_running_loop(), b""
    try:
        while b"\r\n\r\n" not in got:
            more = await loop.sock_recv(client, 64 << 10)
            if not more:
                return
            got += more
        head, _, body = got.partition(b"\r\n\r\n")
        lines = (line.partition(b":") for line in head.lower().split(b"\r\n"))
        left = next((int(value) for name, _, value in lines if name == b"content-length"), 0) - len(body)
        while left > 0:
            more = await loop.sock_recv(client, 64 << 10)
            if not more:
                return
            left -= len(more)
    except (ConnectionError, OSError):
        pass
