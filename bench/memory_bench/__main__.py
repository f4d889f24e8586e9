"""The peak of the proxy's resident memory, for each limit and for all at once, beside the bound of docs/memory.md."""

import asyncio
import random
import resource
import sqlite3
import sys
import time
from dataclasses import replace

from memory_bench import upstream
from memory_bench.formula import KIB, MIB, Formula, Settings
from memory_bench.load import Load
from memory_bench.proxy import Proxy
from options import Options

SMALL = Settings(
    threads=1,
    connections=192,
    requests=96,
    request_head=32 * KIB,
    replay_body=256 * KIB,
    response_head=64 * KIB,
    upstream_connections=96,
    streams=16,
    connection_window=256 * KIB,
    stream_window=64 * KIB,
    shadow_queue=32,
    shadow_concurrency=4,
    kept_body=256 * KIB,
    decoded_body=256 * KIB,
    tunnels=32,
    admin_bodies=4 * MIB,
    shadow_memory=8 * MIB,
    again_queue=16,
    record_queue=16,
    waiting=20,
    waiting_bytes=8 * MIB,
)


def main():
    parser = Options(
        "memory", "Drives the proxy to each of its limits and to all of them at once, and holds its peak against the bound."
    )
    parser.binary()
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", help="names of terms with commas between; also `mix` (all at once), and `stalled` (a store that takes nothing)")
    parser.add_argument("--defaults", action="store_true", help="prints what the defaults give, and measures nothing")
    options = parser.parse_args()
    if options.defaults:
        return defaults()
    parser.need_binaries(options)
    # Both ends of every client's connection are files here.
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, most), most))
    sys.exit(asyncio.run(run(options)))


def defaults():
    settings = Settings()
    formula = Formula(settings)
    for name, value in {
        "a connection of HTTP/1.1": formula.connection_http1(),
        "a connection of HTTP/2": formula.connection_http2(),
        "a request in progress": formula.request(),
        "a tunnel": formula.tunnel(),
        "a connection to an upstream": formula.upstream_connection(),
        "connections": settings.connections * formula.connection(),
        "requests": settings.requests * formula.request(),
        "tunnels": settings.tunnels * formula.tunnel(),
        "connections to upstreams": settings.upstreams * settings.upstream_connections * formula.upstream_connection(),
        "shadowing": formula.shadow(),
        "recording": formula.record(),
        "admin": formula.admin(),
        "all": formula.total(0),
    }.items():
        print(f"{name:32}{value / MIB:12.1f} MiB")


def terms(settings, formula):
    """Name, what is driven, how often, and what the bound gives for so many."""
    of_request = formula.connection_http1() + formula.request()
    answered = of_request + formula.upstream_connection()
    busy, shadowing = settings.requests, formula.shadow()
    # So many connections carry as many streams as there may be requests.
    of_streams = -(-busy // settings.streams)
    in_streams = of_streams * formula.connection_http2() + busy * (formula.request() + formula.upstream_connection())
    everyone = settings.connections
    return [
        ("idle", [("idle", everyone)], everyone * formula.connection_http1()),
        ("heads", [("heads", everyone)], everyone * formula.connection_http1()),
        ("replay", [("replay", busy)], busy * of_request),
        ("uploads", [("uploads", busy)], busy * answered),
        ("readers", [("readers", busy)], busy * answered),
        ("answers", [("answers", busy)], busy * answered),
        ("streams", [("streams", of_streams)], in_streams),
        ("slow_streams", [("slow_streams", of_streams)], in_streams),
        ("shadows", [("shadows", 48)], 48 * answered + shadowing + formula.record()),
        ("compared", [("compared", 16)], 16 * answered + shadowing + formula.record()),
        # As many again are refused.
        ("tunnels", [("tunnels", 2 * settings.tunnels)], settings.tunnels * formula.tunnel() + settings.tunnels * of_request),
        ("mix", mix(settings), formula.total(0)),
    ]


def mix(settings):
    """Everything at once, which comes to the limits of connections and of requests."""
    part = settings.requests // 8
    whole = [("compared", 8), ("shadows", 24)]
    held = [("replay", 2 * part), ("uploads", part), ("readers", 2 * part), ("answers", part), ("streams", 2)]
    taken = sum(count for _, count in whole + held) + 2
    rest = settings.connections - taken
    return [*whole, *held, ("slow_streams", 2), ("heads", rest // 2), ("idle", rest - rest // 2)]


async def run(options):
    formula = Formula(SMALL)
    wanted = options.only.split(",") if options.only else None
    begun, over = time.monotonic(), []
    ports, servers = [], []
    for side in ("control", "candidate"):
        port, server = await upstream.serve(side, SMALL.response_head)
        ports.append(port)
        servers.append(server)
    print(f"seed {options.seed}; MiB of resident memory")
    print(f"{'term':14}{'clients':>8}{'base':>8}{'peak':>8}{'growth':>8}{'bound':>8}{'of it':>7}{'after':>8}")
    for name, parts, growth_max in terms(SMALL, formula):
        if wanted and name not in wanted:
            continue
        base, peak, after = await measure(options, ports, parts)
        bound = base + growth_max
        clients, growth = sum(count for _, count in parts), peak - base
        figures = "".join(f"{value / MIB:8.1f}" for value in (base, peak, growth, growth_max))
        print(f"{name:14}{clients:8}{figures}{growth / growth_max:7.0%}{after / MIB:8.1f}", flush=True)
        if peak > bound:
            over.append(name)
    if (not wanted or "stalled" in wanted) and not await stalled(options, ports):
        over.append("stalled")
    for server in servers:
        server.close()
    print(f"took {time.monotonic() - begun:.0f} s")
    for name in over:
        print(f"error: {name} took more than its bound", file=sys.stderr)
    return 1 if over else 0


async def measure(options, ports, parts):
    async with Running(options, SMALL, ports) as (proxy, load):
        await asyncio.to_thread(proxy.declare)
        await settled(proxy)
        base, _ = proxy.memory()
        idle = proxy.connections()
        for name, count in parts:
            await patiently(getattr(load, name)(count))
        await settled(proxy)
        _, peak = proxy.memory()
        await load.end()
        # The last bytes of what was refused are read for two seconds.
        await until(lambda: proxy.connections() <= idle + SMALL.upstream_connections // 4, 3)
        await settled(proxy)
        after, last = proxy.memory()
        return base, max(peak, last), after


async def stalled(options, ports):
    """The store takes nothing while every comparison finds hundreds of long values."""
    settings = replace(SMALL, waiting=200)
    async with Running(options, settings, ports) as (proxy, load):
        await asyncio.to_thread(proxy.declare)
        await settled(proxy)
        base, _ = proxy.memory()
        store = sqlite3.connect(proxy.store, isolation_level=None)
        store.execute("BEGIN IMMEDIATE")
        await patiently(load.long_values(8))
        await settled(proxy)
        growth = proxy.memory()[1] - base
        store.execute("ROLLBACK")
        store.close()
        formula = Formula(settings)
        bound = 8 * (formula.connection_http1() + formula.request() + formula.upstream_connection())
        bound += formula.shadow() + formula.record()
        figures = "".join(f"{value / MIB:8.1f}" for value in (base, base + growth, growth, bound))
        print(f"{'stalled':14}{8:8}{figures}{growth / bound:7.0%}", flush=True)
        return growth <= bound


class Running:
    """A proxy and a load on it, for as long as it is entered."""

    def __init__(self, options, settings, ports):
        self.options, self.settings, self.ports = options, settings, ports

    async def __aenter__(self):
        self.proxy = Proxy(self.options.strangler.resolve(), self.settings, *self.ports)
        self.load = Load(self.proxy.port, self.settings, random.Random(self.options.seed))
        await settled(self.proxy)
        return self.proxy, self.load

    async def __aexit__(self, *_):
        await self.load.end()
        await asyncio.to_thread(self.proxy.stop)


async def patiently(work):
    """What is not done by then waits because a limit lets it wait."""
    try:
        await asyncio.wait_for(work, 8)
    except TimeoutError:
        pass


async def settled(proxy, patience=2):
    """Until the memory has held still for a moment."""
    last, since, begun = 0, time.monotonic(), time.monotonic()
    while time.monotonic() - begun < patience:
        now = proxy.memory()[0]
        if abs(now - last) > 256 * KIB:
            last, since = now, time.monotonic()
        elif time.monotonic() - since > 0.3:
            return
        await asyncio.sleep(0.05)


async def until(condition, patience):
    begun = time.monotonic()
    while not condition() and time.monotonic() - begun < patience:
        await asyncio.sleep(0.05)


main()
