"""Memory and requests over time, as an SVG that needs nothing else."""

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 760, 300, 60, 60, 40, 40


def svg(samples, title):
    """`samples`: seconds, resident bytes, requests counted so far."""
    seconds = max(at for at, _, _ in samples) or 1
    memory = max(size for _, size, _ in samples) * 1.15
    requests = max(count for _, _, count in samples) or 1

    def line(values, top, colour, dash=""):
        points = " ".join(
            f"{LEFT + at / seconds * (WIDTH - LEFT - RIGHT):.1f},{HEIGHT - BOTTOM - value / top * (HEIGHT - TOP - BOTTOM):.1f}"
            for at, value in values
        )
        return f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2" {dash}/>'

    floor = HEIGHT - BOTTOM
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">',
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
            f'<text x="{LEFT}" y="20">{title}</text>',
            f'<path d="M{LEFT},{TOP} V{floor} H{WIDTH - RIGHT} V{TOP}" fill="none" stroke="#888"/>',
            line([(at, size) for at, size, _ in samples], memory, "#1f5fa8"),
            line([(at, count) for at, _, count in samples], requests, "#a85f1f", 'stroke-dasharray="5 3"'),
            f'<text x="4" y="{TOP + 4}" fill="#1f5fa8">{memory / 2**20:.0f} MiB</text>',
            f'<text x="4" y="{floor}" fill="#1f5fa8">0</text>',
            f'<text x="{WIDTH - RIGHT + 4}" y="{TOP + 4}" fill="#a85f1f">{requests / 1e6:.2f} M</text>',
            f'<text x="{WIDTH - RIGHT + 4}" y="{floor}" fill="#a85f1f">0</text>',
            f'<text x="{LEFT}" y="{HEIGHT - 14}">0 s</text>',
            f'<text x="{WIDTH - RIGHT}" y="{HEIGHT - 14}" text-anchor="end">{seconds:.0f} s</text>',
            f'<text x="{WIDTH / 2}" y="{HEIGHT - 14}" text-anchor="middle">'
            '<tspan fill="#1f5fa8">resident memory</tspan>, <tspan fill="#a85f1f">requests</tspan></text>',
            "</svg>\n",
        ]
    )
