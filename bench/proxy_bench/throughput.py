"""CPU per request and throughput under a closed load, added latency at a steady rate: one table for each case."""

import statistics

from .load import closed_loop, steady_rate
from .processes import cpu_seconds
from .tools import say


def measure(running, upstreams, case, options):
    """Interleaved, and each second round in the opposite order, so that what drifts hits all alike."""
    taking_part = [one for one in [upstreams, *running] if one.url(case.kind)]
    for one in [upstreams, *running]:
        if one not in taking_part:
            say(f"left out: {one.name}, {case.title}: {one.why_not(case.kind)}")
    say(f"{case.title}: {options.rounds} rounds")
    for one in taking_part:
        closed_loop(one, case, 1, options)
    rounds = {one.name: [] for one in taking_part}
    for number in range(options.rounds):
        for one in taking_part if number % 2 == 0 else reversed(taking_part):
            rounds[one.name].append(once(one, case, options))
    left_out = {one.name: one.why_not(case.kind) for one in [upstreams, *running] if one not in taking_part}
    return {"title": case.title, "rounds": rounds, "left_out": left_out}


def once(one, case, options):
    before, counted = cpu_seconds(one.pids), one.compared()
    load = closed_loop(one, case, options.seconds, options)
    # What goes on behind the client's back belongs to the requests that caused it.
    one.settle()
    used, compared = cpu_seconds(one.pids) - before, one.compared() - counted
    if load.failed:
        raise RuntimeError(f"{one.name}: {load.failed} of {load.requests} requests failed: nothing was measured")
    result = {
        "micros": used / load.requests * 1e6,
        "per_second": load.requests / load.seconds,
        "compared": compared / load.requests,
    }
    # The generator of steady rates speaks HTTP/1.1 in the clear.
    if options.rate and case.kind == "h1":
        result["steady"] = steadily(one, case, options)
    return result


def steadily(one, case, options):
    """At a rate that leaves the proxy's core idle time, so that work that gives way to clients is done as well."""
    before, counted = cpu_seconds(one.pids), one.compared()
    answered = steady_rate(one, case, options)
    one.settle()
    used, compared = cpu_seconds(one.pids) - before, one.compared() - counted
    return {
        "rate": options.rate,
        "micros": used / answered.requests * 1e6,
        "compared": compared / answered.requests,
        "p50": answered.p50,
        "p99": answered.p99,
    }


def markdown(measured):
    rounds = measured["rounds"]
    lines = [f"### {measured['title']}", "", "As fast as it goes:", "", *closed_table(rounds)]
    if all("steady" in result for results in rounds.values() for result in results):
        rate = rounds["nginx"][0]["steady"]["rate"]
        steady = {name: [result["steady"] for result in results] for name, results in rounds.items()}
        lines += ["", f"At {rate} requests/s:", "", *steady_table(steady)]
    lines += [f"\n{name}: left out, {why}." for name, why in measured["left_out"].items() if name != "direct"]
    return "\n".join(lines)


def closed_table(rounds):
    yield "| | CPU/request | to nginx | spread | requests/s | compared |"
    yield "|---|---|---|---|---|---|"
    for name, results in rounds.items():
        yield row(name, *cpu(rounds, name, "nginx"), f"{median(results, 'per_second'):,.0f}", share(results))


def steady_table(rounds):
    has_mirror = "nginx-mirror" in rounds
    peers = ["nginx", "nginx-mirror"] if has_mirror else ["nginx"]
    columns = [column for peer in peers for column in (f"to {peer}", "spread")]
    yield row("", "CPU/request", *columns, "added p50", "added p99", "compared")
    yield "|---" * (5 + len(columns)) + "|"
    direct = rounds.get("direct")
    for name, results in rounds.items():
        micros, *_ = cpu(rounds, name, "nginx")
        cells = [micros, *(cell for peer in peers for cell in cpu(rounds, name, peer)[1:])]
        for key in ("p50", "p99"):
            if name == "direct":
                cells.append(f"{median(results, key):.0f} µs as it is")
            else:
                cells.append(f"{median(results, key) - median(direct, key):+.0f} µs" if direct else "")
        yield row(name, *cells, share(results))


def cpu(rounds, name, peer):
    """CPU per request, and the median, least and largest of its ratios to a peer."""
    if name == "direct":
        return "", "", ""
    # In the same round: what a neighbour on the machine took, it took from both.
    ratios = [one["micros"] / other["micros"] for one, other in zip(rounds[name], rounds[peer])]
    spread = f"{min(ratios):.2f}–{max(ratios):.2f}"
    return f"{median(rounds[name], 'micros'):.1f} µs", f"{statistics.median(ratios):.2f}", spread


def share(results):
    compared = median(results, "compared")
    return f"{compared:.1%}" if compared else ""


def median(results, key):
    return statistics.median(result[key] for result in results)


def row(*cells):
    return f"| {' | '.join(cells)} |"
