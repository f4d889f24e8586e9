"""What has to be true when a run is over."""

# The share by which memory may still grow between the first quarter of the run and its end, and what is nothing.
GROWTH, SLACK_BYTES = 0.25, 24 << 20


def wrong(sent, failed, total, memory, flips, kills):
    """What is not as it has to be, in sentences.

    `total` is the proxy's own count, of what became of requests for the comparison and of who answered them; `memory` has the
    most of the first quarter and the end's bytes.
    """
    answered = sum(total[f"answered_{who}"] for who in ("control", "candidate", "proxy"))
    early, late = memory
    sentences = []
    if failed:
        sentences.append(f"{failed} requests failed")
    if total["seen"] != sent:
        sentences.append(f"the proxy counted {total['seen']} requests of {sent}")
    if answered != sent:
        sentences.append(f"the proxy counted {answered} answers to {sent} requests")
    if late > early * (1 + GROWTH) + SLACK_BYTES:
        sentences.append(f"memory grew from {early} to {late} bytes")
    if not kills or not flips:
        sentences.append("the run was too short for a flip or for a death of the candidate: give more --requests")
    return sentences
