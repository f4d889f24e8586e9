"""The differences that were found by hand, read from the documentation, against the groups of the report."""

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase


@dataclass(frozen=True)
class Row:
    line: int
    endpoints: tuple[str, ...]
    excepted: tuple[str, ...]
    kind: str
    severity: str | None
    locations: tuple[str, ...]

    def covers(self, group):
        return (
            any(self.is_endpoint(pattern, group) for pattern in self.endpoints)
            and not any(self.is_endpoint(pattern, group) for pattern in self.excepted)
            and group["kind"] == self.kind
            and self.severity in (None, group["severity"])
            and any(is_location(pattern, group) for pattern in self.locations)
        )

    @staticmethod
    def is_endpoint(pattern, group):
        return fnmatchcase(nameless(group["endpoint"]), nameless(pattern))

    def unmet(self, groups):
        """Every endpoint and every location that is named must have a group of its own."""
        covered = [group for group in groups if self.covers(group)]
        for pattern in self.endpoints:
            if not any(self.is_endpoint(pattern, group) for group in covered):
                yield f"{pattern}: {self.kind} at {', '.join(self.locations)}"
        for pattern in self.locations:
            if not any(is_location(pattern, group) for group in covered):
                yield f"{', '.join(self.endpoints)}: {self.kind} at {pattern}"


def is_location(pattern, group):
    return group["location"].startswith(pattern[:-1]) if pattern.endswith("…") else group["location"] == pattern


def nameless(endpoint):
    """Without the names of path parameters: documents differ in them, and they tell no endpoints apart."""
    return re.sub(r"\{[^}]*\}", "{}", endpoint)


def read(path, pair):
    """The table under the heading `PAIR: what differs`."""
    rows, inside = [], False
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if line.startswith("#"):
            inside = line.strip("# ") == f"{pair}: what differs"
        elif inside and line.startswith("| `"):
            endpoints, kind, locations, _, _, judgement = (cell.strip() for cell in line.strip("| ").split(" | "))
            named, _, excepted = endpoints.partition(" but ")
            word, severity = re.fullmatch(r"(\w+)(?: \((\w+)\))?", kind).groups()
            if not judgement.startswith(("meaning", "harmless", "noise")):
                raise SystemExit(f"error: {path}:{number}: expected meaning, harmless or noise, found `{judgement}`")
            rows.append(Row(number, quoted(named), quoted(excepted), word, severity, quoted(locations)))
    if not rows:
        raise SystemExit(f"error: {path} has no table under `{pair}: what differs`")
    return rows


def quoted(text):
    return tuple(re.findall(r"`([^`]+)`", text))


def check(rows, groups):
    """What is wrong, in sentences; nothing if the report says all that is true and nothing else."""
    missing = [f"line {row.line}: not in the report: {what}" for row in rows for what in row.unmet(groups)]
    false = [
        f"in the report and in no row: {group['id']} {group['severity']} {group['endpoint']}: {group['kind']} at "
        f"{group['location']} ({group.get('control')!s:.60} / {group.get('candidate')!s:.60}), {group['exchanges']} exchanges"
        for group in groups
        if not any(row.covers(group) for row in rows)
    ]
    return missing + false
