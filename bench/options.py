"""The options that the commands of this folder share, so that each means the same in all of them."""

import argparse
from pathlib import Path

from proxy_bench.tools import target


class Options(argparse.ArgumentParser):
    def __init__(self, command, description):
        super().__init__(
            prog=f"bench/{command}",
            description=description,
            formatter_class=argparse.ArgumentDefaultsHelpFormatter,
        )
        self.binaries = []

    def binary(self, flag="--strangler", place="release/strangler", made_by="cargo build --release"):
        self.binaries.append(self.add_argument(flag, default=target() / place, type=Path, help=made_by).dest)

    def load(self, seconds, rounds, connections):
        """A closed load, measured again and again."""
        self.add_argument("--seconds", type=type(seconds), default=seconds, help="length of one measurement")
        self.rounds(rounds)
        self.connections(connections)

    def rounds(self, default, of="measurements of each"):
        self.add_argument("--rounds", type=int, default=default, help=of)

    def connections(self, default):
        self.add_argument("--connections", type=int, default=default, help="client connections, kept alive")

    def cores(self, **of):
        """`load="the load"` is an option `--load-core`. In the order of the cores."""
        for core, (name, whose) in enumerate(of.items()):
            self.add_argument(f"--{name}-core", type=int, default=core, help=f"core of {whose}")

    def database(self, scale):
        self.add_argument("--scale", default=scale, help="of the database; made if it is not there")
        self.add_argument("--seed", type=int, default=1)

    def ports(self, first, count):
        self.add_argument("--ports", type=int, default=first, help=f"first of {count} free ports on loopback")

    def need_binaries(self, options):
        """Ends with what is missing."""
        for binary in self.binaries:
            if not getattr(options, binary).exists():
                self.exit(1, f"error: {getattr(options, binary)} is not there: --help says what makes it\n")
