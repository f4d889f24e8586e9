"""The bound of docs/memory.md. What it says there, this computes; both change together."""

from dataclasses import dataclass

KIB = 1 << 10
MIB = 1 << 20
# A comparison without its exchange: 500 divergences of each of four severities, with 1 KiB of a value of each side.
RECORD = 4 * 500 * (2 * KIB + 256)


@dataclass(frozen=True)
class Settings:
    """Those of strangler.toml that the bound is made of, with the defaults. Sizes in bytes."""

    threads: int = 2
    upstreams: int = 2
    connections: int = 16384
    requests: int = 8192
    request_head: int = 64 * KIB
    request_fields: int = 100
    gather_body: int = 64 * KIB
    replay_body: int = 1 * MIB
    response_head: int = 256 * KIB
    upstream_connections: int = 1024
    streams: int = 100
    connection_window: int = 1 * MIB
    stream_window: int = 256 * KIB
    send_buffer: int = 64 * KIB
    shadow_queue: int = 1024
    shadow_concurrency: int = 64
    shadow_kept_body: int = 1 * MIB
    shadow_memory: int = 256 * MIB
    again_queue: int = 256
    record_queue: int = 1024
    record_threads: int = 1
    waiting: int = 20000
    waiting_bytes: int = 64 * MIB


class Formula:
    """One method for each term, in bytes for one of what it counts."""

    def __init__(self, settings):
        self.settings = settings
        # The library's buffers start at 8 KiB.
        self.head = max(settings.request_head, 8 * KIB)
        self.response = max(settings.response_head, 8 * KIB)

    def connection_http1(self):
        """Read buffer and the raw copy of the head, each up to twice as large as what is in it; the buffer that a
        response head was written from, which stays."""
        return 16 * KIB + 4 * self.head + 2 * self.response

    def connection_http2(self):
        """What came and was not taken, its bookkeeping, a head that has not ended, and a stream's own state."""
        one = self.settings
        listed = self.head + 32 * one.request_fields
        return 64 * KIB + 2 * one.connection_window + 4 * listed + 8 * KIB * one.streams

    def connection(self):
        return max(self.connection_http1(), self.connection_http2())

    def request(self):
        """Its fields, the body that is kept or gathered, and what waits for a client that does not read."""
        one = self.settings
        body = 2 * max(one.replay_body, one.gather_body, 64 * KIB)
        slow = max(self.head + 6 * self.response, one.send_buffer + 64 * KIB)
        return 16 * KIB + 512 * one.request_fields + body + 2 * self.head + slow

    def upstream_connection(self):
        """Read buffer, the request head that is written, and what waits for an upstream that does not read."""
        return 16 * KIB + 8 * self.head + 3 * self.response

    def shadow(self):
        """Bodies, up to twice as large as they count; buffers that heads and pieces of bodies keep alive."""
        one = self.settings
        return 2 * one.shadow_memory + self.shadowed() * (2 * self.head + 8 * self.response)

    def shadowed(self):
        """Requests that shadowing may hold at once."""
        one = self.settings
        return one.shadow_queue + one.shadow_concurrency + one.again_queue + one.record_queue + one.requests

    def shadow_connections(self):
        one = self.settings
        return one.upstreams * one.shadow_concurrency * self.upstream_connection()

    def record(self):
        """Exchanges that wait for the store, twice while they are written; divergences, which `waiting` bounds alone; a
        comparison at work; SQLite's page cache of one that writes and four that read."""
        one = self.settings
        waiting = 2 * one.waiting_bytes + one.waiting * RECORD
        return waiting + one.record_threads * self.comparing() + 5 * 2 * MIB + 4 * MIB

    def comparing(self):
        """Two bodies as trees: 32 bytes and more for a value of two."""
        return 32 * 2 * self.settings.shadow_kept_body

    def total(self, base):
        one = self.settings
        return (
            base
            + one.connections * self.connection()
            + one.requests * self.request()
            + one.upstreams * one.upstream_connections * self.upstream_connection()
            + self.shadow()
            + self.shadow_connections()
            + self.record()
        )
