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
        result["p50"], result["p99"] = steady_rate(one, case, options)
        one.settle()
    return result


def markdown(measured):
    rounds = measured["rounds"]

    def median(name, key):
        return statistics.median(result[key] for result in rounds[name])

    has_latency = all("p50" in result for results in rounds.values() for result in results)
    direct = rounds.get("direct")
    lines = [
        f"### {measured['title']}",
        "",
        "| | CPU/request | to nginx | spread | requests/s | added p50 | added p99 | compared |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, results in rounds.items():
        # Against nginx in the same round: what a neighbour on the machine took, it took from both.
        ratios = [result["micros"] / nginx["micros"] for result, nginx in zip(results, rounds["nginx"])]
        cells = [name]
        if name == "direct":
            cells += ["", "", ""]
        else:
            cells += [
                f"{median(name, 'micros'):.1f} µs",
                f"{statistics.median(ratios):.2f}",
                f"{min(ratios):.2f}–{max(ratios):.2f}",
            ]
        cells.append(f"{median(name, 'per_second'):,.0f}")
        if not has_latency or not direct:
            cells += ["", ""]
        elif name == "direct":
            cells += [f"{median(name, key):.0f} µs as it is" for key in ("p50", "p99")]
        else:
            cells += [f"{median(name, key) - median('direct', key):+.0f} µs" for key in ("p50", "p99")]
        share = median(name, "compared")
        cells.append(f"{share:.1%}" if share else "")
        lines.append(f"| {' | '.join(cells)} |")
    lines += [f"\n{name}: left out, {why}." for name, why in measured["left_out"].items() if name != "direct"]
    return "\n".join(lines)
