"""`strangler`, as a person would use it: the config file, the server, the command line."""

import json
import subprocess
from pathlib import Path

# Ten clean comparisons pass this test: enough that a short run can pass the gate, and that an endpoint asked a few times
# cannot. The requests of a run are few and written by hand, so that what they cover is said and not demanded; and two
# servers on one busy machine say nothing of latency.
POLICY = """\
p0 = "1%"
p1 = "27%"
same_request = "100%"
parameters = "state"
latency = "state"
"""


class Strangler:
    def __init__(self, binary, run):
        self.binary, self.run = Path(binary).resolve(), run

    def serve(self, servers, pair, control, candidate, listen, admin):
        self.origin, self.admin = f"http://127.0.0.1:{listen}", f"http://127.0.0.1:{admin}"
        config = self.run / "strangler.toml"
        config.write_text(
            f"""\
rules_file = {json.dumps(str(pair.rules))}

[upstreams]
control = "http://127.0.0.1:{control}"
candidate = "http://127.0.0.1:{candidate}"

[listen]
address = "127.0.0.1:{listen}"

[admin]
address = "127.0.0.1:{admin}"

[store]
path = {json.dumps(str(self.run / "strangler.db"))}

[policy]
{POLICY}"""
        )
        servers.start("strangler", [self.binary, "serve", "--config", config], f"{self.admin}/readyz")

    def __call__(self, *words, exits=(0,)):
        """Runs a command; returns what its JSON envelope holds. Ends everything on another exit code."""
        command = [str(self.binary), *map(str, words), "--admin", self.admin, "--format", "json"]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode not in exits:
            raise SystemExit(
                f"error: `strangler {' '.join(map(str, words))}` ended with {done.returncode}, expected "
                f"{' or '.join(map(str, exits))}:\n{done.stdout}{done.stderr}"
            )
        return json.loads(done.stdout)["data"]

    def on(self, verb, endpoint, *words, exits=(0,)):
        """A command about an endpoint: `promote GET /tracks …`."""
        return self(verb, *endpoint.split(" ", 1), *words, exits=exits)
