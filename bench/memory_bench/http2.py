"""As much of HTTP/2 (RFC 9113) as it takes to fill windows."""

import asyncio
import struct

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RESET, SETTINGS, PING, WINDOW_UPDATE = 0, 1, 3, 4, 6, 8
INITIAL_WINDOW = 4
START = 65_535


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes((kind, flags)) + struct.pack(">I", stream) + payload


def text(value):
    return bytes((len(value),)) + value


def head(stream, method, path, ends):
    """Fields as literals that are not indexed (RFC 7541 §6.2.2)."""
    fields = ((b":method", method), (b":path", path), (b":scheme", b"http"), (b":authority", b"bench"))
    block = b"".join(b"\0" + text(name) + text(value) for name, value in fields)
    return frame(HEADERS, 0x4 | (0x1 if ends else 0), stream, block)


async def ask(client, streams, path):
    """Requests whose responses may come into a window as large as there is, and are not read."""
    loop = asyncio.get_running_loop()
    window = frame(SETTINGS, 0, 0, struct.pack(">HI", INITIAL_WINDOW, (1 << 31) - 1))
    wide = frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", (1 << 31) - 1 - START))
    heads = b"".join(head(1 + 2 * n, b"GET", path, True) for n in range(streams))
    await loop.sock_sendall(client, PREFACE + window + wide + heads)


async def upload(client, streams, path):
    """Requests with bodies, of which as much is sent as the windows let through."""
    loop = asyncio.get_running_loop()
    all_streams = [1 + 2 * n for n in range(streams)]
    await loop.sock_sendall(client, PREFACE + frame(SETTINGS, 0, 0))
    await loop.sock_sendall(client, b"".join(head(stream, b"POST", path, False) for stream in all_streams))
    windows, initial, got = dict.fromkeys([0, *all_streams], START), START, b""
    try:
        while True:
            for stream in all_streams:
                while stream in windows and (size := min(windows[0], windows[stream], 16 << 10)) > 0:
                    windows[0] -= size
                    windows[stream] -= size
                    await loop.sock_sendall(client, frame(DATA, 0, stream, bytes(size)))
            got += await some(loop, client)
            while len(got) >= 9 and len(got) >= 9 + (length := int.from_bytes(got[:3])):
                kind, flags, stream = got[3], got[4], int.from_bytes(got[5:9])
                payload, got = got[9 : 9 + length], got[9 + length :]
                if kind == SETTINGS and not flags & 1:
                    for key, value in struct.iter_unpack(">HI", payload):
                        if key == INITIAL_WINDOW:
                            for one in all_streams:
                                if one in windows:
                                    windows[one] += value - initial
                            initial = value
                    await loop.sock_sendall(client, frame(SETTINGS, 1, 0))
                elif kind == PING and not flags & 1:
                    await loop.sock_sendall(client, frame(PING, 1, 0, payload))
                elif kind == WINDOW_UPDATE and stream in windows:
                    windows[stream] += int.from_bytes(payload)
                elif kind == RESET or (kind in (HEADERS, DATA) and flags & 1):
                    windows.pop(stream, None)
    except (ConnectionError, EOFError):
        pass


async def some(loop, client):
    data = await loop.sock_recv(client, 64 << 10)
    if not data:
        raise EOFError
    return data
