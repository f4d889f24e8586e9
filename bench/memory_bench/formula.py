"""The bound of docs/memory.md. What it says there, this computes; both change together."""

from dataclasses import dataclass

KIB = 1 << 10
MIB = 1 << 20
# What a comparison lists of divergences (`listed_bytes_max` of docs/comparing.md): once found, once redacted.
LISTED = 2 * 4 * MIB


@dataclass(frozen=True)
class Settings:
    """Those of strangler.toml that the bound is made of, with the defaults. Sizes in bytes."""

    threads: int = 2
    upstreams: int = 2
    connections: int = 2048
    requests: int = 1024
    tunnels: int = 512
    request_head: int = 32 * KIB
    request_fields: int = 100
    gather_body: int = 64 * KIB
    replay_body: int = 128 * KIB
    response_head: int = 64 * KIB
    response_fields: int = 100
    upstream_connections: int = 512
    streams: int = 100
    connection_window: int = 256 * KIB
    stream_window: int = 128 * KIB
    send_buffer: int = 64 * KIB
    shadow_queue: int = 1024
    shadow_concurrency: int = 64
    first_waiting: int = 0
    kept_body: int = 1 * MIB
    decoded_body: int = 4 * MIB
    shadow_memory: int = 256 * MIB
    again_queue: int = 256
    record_queue: int = 1024
    record_threads: int = 1
    waiting: int = 20000
    waiting_bytes: int = 64 * MIB
    admin_connections: int = 128
    admin_bodies: int = 64 * MIB


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
        """Its fields and those of its response, the body that is kept or gathered, and what waits for a client that does not
        read."""
        one = self.settings
        fields = 512 * one.request_fields + 256 * one.response_fields
        body = 2 * max(one.replay_body, one.gather_body, 64 * KIB)
        slow = max(self.head + 6 * self.response, one.send_buffer + 64 * KIB)
        return 16 * KIB + fields + body + 2 * self.head + slow

    def tunnel(self):
        """A buffer of 16 KiB for each direction, its task, and what came with the heads and was not taken yet."""
        return 48 * KIB + 2 * self.head + 2 * self.response

    def upstream_connection(self):
        """Read buffer, the request head that is written, and what waits for an upstream that does not read."""
        return 16 * KIB + 8 * self.head + 3 * self.response

    def shadow(self):
        """Everything that is kept counts as it is; a place in a queue has only its entry besides."""
        one = self.settings
        places = one.shadow_queue + one.again_queue + one.record_queue
        return one.shadow_memory + places * KIB + self.shadow_connections()

    def shadow_connections(self):
        """Those that shadows, what is asked again (a quarter of them), and dry runs that clients wait for may have."""
        one = self.settings
        each = one.shadow_concurrency + max(one.shadow_concurrency // 4, 1) + one.first_waiting
        return one.upstreams * each * self.upstream_connection()

    def record(self):
        """What waits for the store, twice while it is written; a comparison at work; SQLite's page cache of one that
        writes and four that read."""
        one = self.settings
        return 2 * one.waiting_bytes + one.record_threads * (self.comparing() + LISTED) + 5 * 2 * MIB + 4 * MIB

    def comparing(self):
        """Two bodies as trees: 32 bytes and more for a value of two."""
        return 32 * 2 * max(self.settings.kept_body, self.settings.decoded_body)

    def admin(self):
        """Heads and buffers of a connection, and bodies with what is made of them."""
        one = self.settings
        return one.admin_connections * 192 * KIB + 4 * one.admin_bodies

    def total(self, base):
        one = self.settings
        return (
            base
            + one.connections * self.connection()
            + one.requests * self.request()
            + one.tunnels * self.tunnel()
            + one.upstreams * one.upstream_connections * self.upstream_connection()
            + self.shadow()
            + self.record()
            + self.admin()
        )
